//! How sure the answers are: what they rest on, and what to expect elsewhere.

use super::{ends, limit};
use crate::present::number::{self, Format};
use crate::present::words;
use crate::report::{Domain, Estimable, Judgement, Report, Synthesis, Verdict};

/// Warnings of the synthesis that are told.
const TOLD: usize = 2;

/// Everything about certainty.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let sum = &report.participants;
    let mut sentences = vec![format!(
        "The answers rest on {} in {} of {} asked.",
        words::plural(sum.patients, "patient"),
        number::count(sum.sites.released),
        words::plural(sum.sites.dispatched, "hospital")
    )];
    if let Some(first) = report.verdicts.first()
        && let Some(pooled) = report.synthesis_of(&first.metric)
    {
        sentences.push(mean(report, first, pooled));
        sentences.push(elsewhere(report, first, pooled));
        let warnings = pooled.warnings.iter().take(TOLD);
        sentences.extend(warnings.map(|warning| warning.sentence().to_owned()));
    }
    sentences.extend(bias(report));
    sentences.push(
        "Numbers were computed at the hospitals and signed by them; whether their data are right, no report can \
         prove."
            .to_owned(),
    );
    sentences
}

fn mean(report: &Report, verdict: &Verdict, pooled: &Synthesis) -> String {
    let metric = &verdict.metric;
    let estimate = Format::of(metric).value(pooled.estimate);
    let text = format!(
        "On average over {}, {} is {estimate}{}",
        words::plural(pooled.k, "hospital"),
        words::metric_in_text(metric),
        words::unit_behind(report, metric)
    );
    match &pooled.ci {
        Estimable::Estimated(ci) => format!(
            "{text}; averages from {} fit the data ({} confidence interval).",
            ends(report, metric, *ci),
            number::level(report.study.level)
        ),
        Estimable::NotEstimable { .. } => format!("{text}."),
    }
}

/// What to expect of a hospital that took no part.
fn elsewhere(report: &Report, verdict: &Verdict, pooled: &Synthesis) -> String {
    let Some(interval) = pooled.prediction_interval.value() else {
        return format!(
            "What to expect in a hospital that took no part cannot be said from {}.",
            words::plural(pooled.k, "hospital")
        );
    };
    let expected = format!(
        "In a hospital that took no part, {} from {} is to be expected",
        words::metric_in_text(&verdict.metric),
        ends(report, &verdict.metric, *interval)
    );
    match verdict.new_site_probability.value() {
        Some(probability) => format!(
            "{expected}; it would be {} {} with a probability of {}.",
            words::direction(verdict.direction),
            limit(report, verdict),
            number::probability(*probability)
        ),
        None => format!("{expected}."),
    }
}

fn bias(report: &Report) -> Option<String> {
    let at_risk = report
        .risk_of_bias
        .iter()
        .filter(|site| Domain::ALL.iter().any(|domain| site.judgement(*domain) == Judgement::High));
    let at_risk = at_risk.count();
    (at_risk > 0).then(|| {
        let hospitals = super::plural(at_risk, "hospital");
        format!("The data of {hospitals} have a high risk of bias in at least one respect.")
    })
}
