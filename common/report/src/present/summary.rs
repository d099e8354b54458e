//! The results in plain language, written from the numbers.

use fedval_study::{ConditionMetric, MetricId};

use super::number::{self, Format};
use super::words;
use crate::report::{Disclosed, Estimable, Report, Synthesis, VerdictResult};

/// The paragraph, sentence by sentence.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let mut sentences = vec![who(report)];
    sentences.extend(not_released(report));
    sentences.push(endpoints(report));
    sentences.extend(discrimination(report));
    sentences.extend(worst_site(report));
    sentences.extend(one_sided(report));
    sentences.extend(withheld(report));
    sentences
}

fn who(report: &Report) -> String {
    let sum = &report.participants;
    if sum.sites.released == 0 {
        return format!(
            "The study was dispatched to {}; none released a result, so nothing can be said about \
             the model.",
            sites(sum.sites.dispatched)
        );
    }
    let released = format!(
        "The study was dispatched to {}, of which {} released results: {} patients",
        sites(sum.sites.dispatched),
        sum.sites.released,
        number::count(sum.patients),
    );
    match (sum.n_pos, &report.classes) {
        (Some(n_pos), _) => format!(
            "{released} with {} cases, {} of them ({}) with {}.",
            number::count(sum.n),
            number::count(n_pos),
            number::share(n_pos, sum.n),
            report.study.target_condition
        ),
        (None, Some(classes)) => {
            let what = if classes.ordered { "grades" } else { "classes" };
            format!(
                "{released} of {} {what} of {}.",
                classes.names.len(),
                report.study.target_condition
            )
        }
        (None, None) => match &report.quantity {
            Some(quantity) => format!("{released}, in whom the model estimates {}.", quantity.name),
            None if report.segmentation.is_some() => format!(
                "{released}, in whom both the reference standard and the model outlined {}.{}",
                report.study.target_condition,
                super::masks::sentence(report)
            ),
            None if !report.conditions.is_empty() => format!(
                "{released} who were assessed for at least one of {} conditions.",
                report.conditions.len()
            ),
            None => format!("{released}."),
        },
    }
}

fn not_released(report: &Report) -> Option<String> {
    let sum = &report.participants.sites;
    let parts: Vec<String> = [
        (sum.insufficient, "had too few patients to release anything"),
        (sum.refused, "refused"),
        (sum.failed, "could not finish the evaluation"),
        (sum.missing, "did not answer"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", sites(count)))
    .collect();
    (!parts.is_empty()).then(|| format!("{}.", words::capitalised(&parts.join(", "))))
}

fn endpoints(report: &Report) -> String {
    let count = |result| report.verdicts.iter().filter(|v| v.result == result).count();
    let (met, not_met, open) = (
        count(VerdictResult::Met),
        count(VerdictResult::NotMet),
        count(VerdictResult::Inconclusive),
    );
    match report.verdicts.len() {
        1 => match (met, not_met) {
            (1, _) => "The pre-specified endpoint was met.".to_owned(),
            (_, 1) => "The pre-specified endpoint was not met.".to_owned(),
            _ => "For the pre-specified endpoint the study is inconclusive.".to_owned(),
        },
        all => format!(
            "Of {all} pre-specified endpoints, {met} {} met, {not_met} not met and {open} \
             inconclusive.",
            if met == 1 { "was" } else { "were" }
        ),
    }
}

/// The metric that the first endpoint asks about, across sites and in a new one.
fn discrimination(report: &Report) -> Option<String> {
    let metric = &report.verdicts.first()?.metric;
    let pooled = report.synthesis_of(metric)?;
    let format = Format::of(metric);
    let level = number::level(report.study.level);
    let name = words::metric_in_text(metric);
    let ci = pooled
        .ci
        .value()
        .map(|ci| format!(" ({level} CI {})", format.bare_limits(*ci)))
        .unwrap_or_default();
    let unit = words::unit_behind(report, metric);
    let pooled_text = format!(
        "Pooled over {} sites, {name} was {}{unit}{ci}",
        pooled.k,
        format.value(pooled.estimate)
    );
    Some(match &pooled.prediction_interval {
        Estimable::Estimated(ends) => format!(
            "{pooled_text}; in a new hospital like these it is expected between {}{unit}{}.{}",
            format.between(*ends),
            caveat(metric, pooled, *ends),
            beyond_nothing(metric, pooled)
        ),
        Estimable::NotEstimable { .. } => {
            format!(
                "{pooled_text}; what to expect in a new hospital cannot be said from {} sites.",
                pooled.k
            )
        }
    })
}

/// Says so where a prediction interval covers nearly everything.
fn caveat(metric: &MetricId, pooled: &Synthesis, [lower, upper]: [f64; 2]) -> &'static str {
    if metric.is_share() && upper - lower > 0.5 && pooled.k < 5 {
        ", a range so wide that these few sites say little about a new one"
    } else {
        ""
    }
}

/// Says so where normal theory puts an end of an interval where no value of the metric lies.
fn beyond_nothing(metric: &MetricId, pooled: &Synthesis) -> &'static str {
    let is_never_negative = matches!(
        metric,
        MetricId::MeanAbsoluteError
            | MetricId::Brier
            | MetricId::OfCondition(ConditionMetric::Brier, _)
    );
    let intervals = [&pooled.ci, &pooled.prediction_interval];
    let mut ends = intervals.into_iter().filter_map(Estimable::value);
    if is_never_negative && ends.any(|[lower, _]| *lower < 0.0) {
        " No value of it lies below 0: an end there says no more than 0 would."
    } else {
        ""
    }
}

fn worst_site(report: &Report) -> Option<String> {
    let verdict = report.verdicts.first()?;
    let worst = verdict.worst_site.value()?;
    // The extreme of one site is that site.
    if report.participants.sites.released < 2 {
        return None;
    }
    let format = Format::of(&verdict.metric);
    let limits = worst
        .value
        .ci
        .value()
        .map(|ci| format!(" ({})", format.bare_limits(*ci)))
        .unwrap_or_default();
    Some(format!(
        "The least favourable site was {}, with {} {}{}{limits}.",
        worst.site,
        words::metric_in_text(&verdict.metric),
        format.value(worst.value.estimate),
        words::unit_behind(report, &verdict.metric)
    ))
}

/// Sites where a locked threshold no longer tells patients apart: ranks may survive there, calls do
/// not.
fn one_sided(report: &Report) -> Vec<String> {
    let rows = report
        .sites
        .iter()
        .flat_map(|site| site.operating_points.iter().map(move |row| (&site.id, row)));
    rows.filter_map(|(site, row)| {
        let sum = |one: Disclosed<u64>, other: Disclosed<u64>| {
            Some(one.released()?.saturating_add(*other.released()?))
        };
        let call = match (sum(row.tp, row.fp)?, sum(row.tn, row.fn_)?) {
            (_, 0) => "positive",
            (0, _) => "negative",
            _ => return None,
        };
        Some(format!("At {site} every case was called {call} at the threshold of {}.", row.name))
    })
    .collect()
}

fn withheld(report: &Report) -> Option<String> {
    let groups = report.disclosure.withheld.iter().filter(|item| item.what.is_of_a_group()).count();
    let verb = if groups == 1 { "result was" } else { "results were" };
    (groups > 0).then(|| format!("{groups} subgroup {verb} withheld to protect small groups."))
}

fn sites(count: u64) -> String {
    if count == 1 { "one site".to_owned() } else { format!("{count} sites") }
}
