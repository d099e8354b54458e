//! The words under a forest plot, and those for readers who do not see it.

use std::fmt::Write as _;

use fedval_study::MetricId;

use super::number::{self, Format};
use super::ranking::Ranking;
use super::words;
use crate::report::{Estimable, Reason, Report, Synthesis};

/// The caption.
pub(super) fn caption(report: &Report, metric: &MetricId, has_limit: bool) -> String {
    let name = words::metric_with_unit(report, metric);
    let level = number::level(report.study.level);
    let mut text = format!("{name} by site with {level} confidence intervals. ");
    match report.synthesis.get(metric) {
        Some(Estimable::Estimated(pooled)) => text.push_str(&synthesis(pooled, &level)),
        Some(Estimable::NotEstimable { not_estimable }) => {
            let _ = write!(text, "No pooled mean: {}.", not_estimable.sentence());
        }
        None => {}
    }
    if let Some((_, meaning)) = words::reference(metric) {
        let _ = write!(text, " Dotted line, where shown: {meaning}.");
    }
    if has_limit {
        text.push_str(" Dashed line: acceptance limit.");
    }
    text
}

fn synthesis(pooled: &Synthesis, level: &str) -> String {
    let weighted = pooled.weights.iter().any(|weight| weight.weight.value().is_some());
    let squares = if weighted {
        "The area of a square is the site's weight."
    } else {
        "The exact-binomial model gives sites no weights."
    };
    let bar = match &pooled.prediction_interval {
        Estimable::Estimated(_) => format!("Bar: {level} prediction interval."),
        Estimable::NotEstimable { not_estimable } => no_prediction(*not_estimable),
    };
    let mut text = format!(
        "{squares} Diamond: pooled mean with its {level} confidence interval ({}). {bar} {}",
        words::method(&pooled.method),
        heterogeneity(pooled)
    );
    for warning in &pooled.warnings {
        text.push(' ');
        text.push_str(warning.sentence());
    }
    text
}

/// τ², I² and Q in a sentence, whose parts hold together at a line's end.
fn heterogeneity(pooled: &Synthesis) -> String {
    let scale = words::scale(pooled.scale);
    let mut text =
        format!("Heterogeneity: τ²\u{a0}{} ({scale} scale)", number::fixed(pooled.tau2, 3));
    if let Some(i2) = pooled.i2.value() {
        let _ = write!(text, ", I²\u{a0}{}%", number::fixed(i2 * 100.0, 0));
    }
    if let (Some(q), Some(p)) = (pooled.q.value(), pooled.q_p.value()) {
        let sign = if *p < 0.001 { "" } else { "=\u{a0}" };
        let p = number::p_value(*p).replace(' ', "\u{a0}");
        let _ = write!(text, ", Q\u{a0}{}, p\u{a0}{sign}{p}", number::fixed(*q, 1));
    }
    text.push('.');
    text
}

/// Every number of the plot.
pub(super) fn description(report: &Report, shown: &Ranking<'_>, metric: &MetricId) -> String {
    let format = Format::of(metric);
    let mut text = String::new();
    for site in &shown.sites {
        let Some(value) = site.metrics.get(metric).and_then(Estimable::value) else { continue };
        let _ = write!(text, "{}: {}", site.id, format.value(value.estimate));
        if let Some(ci) = value.ci.value() {
            let _ = write!(text, " ({})", format.bare_limits(*ci));
        }
        text.push_str(". ");
    }
    if let Some(pooled) = report.synthesis_of(metric) {
        let _ = write!(text, "Pooled: {}", format.value(pooled.estimate));
        if let Some(ci) = pooled.ci.value() {
            let _ = write!(text, " ({})", format.bare_limits(*ci));
        }
        text.push('.');
    }
    text
}

/// Why there is no prediction interval.
fn no_prediction(reason: Reason) -> String {
    match reason {
        Reason::TooFewSites => "No prediction interval below three sites.".to_owned(),
        other => format!("No prediction interval: {}.", other.sentence()),
    }
}
