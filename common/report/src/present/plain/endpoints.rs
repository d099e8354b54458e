//! Where the model works and where not: what was asked beforehand, and each hospital taken by itself.

use fedval_study::SiteId;
use fedval_study::protocol::{EndpointBasis, EndpointDirection};

use super::{ends, limit, measured, named, plural};
use crate::present::performance::released;
use crate::present::words;
use crate::report::{Estimable, Report, Site, Verdict, VerdictResult};

/// Endpoints of one verdict that are told one by one.
const TOLD: usize = 2;

/// What was shown, on the whole and by which hospitals alone.
pub(super) fn shown(report: &Report) -> Vec<String> {
    let mut sentences = told(report, VerdictResult::Met, |verdict| {
        let side = words::direction(verdict.direction);
        format!("It was shown that {}.", clause(report, verdict, side))
    });
    if sentences.is_empty() {
        sentences.push("Nothing that the study asked beforehand was shown.".to_owned());
    }
    sentences.extend(report.verdicts.first().and_then(|first| keeping(report, first)));
    sentences
}

/// What was not, and at which hospitals.
pub(super) fn not_shown(report: &Report) -> Vec<String> {
    let mut sentences = told(report, VerdictResult::NotMet, |verdict| {
        let (side, asked) = beyond(verdict.direction);
        format!("It was shown that {}, {asked}.", clause(report, verdict, side))
    });
    sentences.extend(told(report, VerdictResult::Inconclusive, |verdict| open(report, verdict)));
    if sentences.is_empty() {
        sentences.push("Everything that the study asked beforehand was shown.".to_owned());
    }
    if let Some(first) = report.verdicts.first() {
        sentences.extend(missing(report, first));
        sentences.extend(worst(report, first));
    }
    sentences
}

/// One sentence for each of the first endpoints with this result, and one for all others.
fn told(
    report: &Report,
    result: VerdictResult,
    sentence: impl Fn(&Verdict) -> String,
) -> Vec<String> {
    let all: Vec<&Verdict> = report.verdicts.iter().filter(|of| of.result == result).collect();
    let more = all.len().saturating_sub(TOLD);
    let mut sentences: Vec<String> = all.into_iter().take(TOLD).map(sentence).collect();
    if more > 0 {
        let endpoints = plural(more, "further endpoint");
        sentences.push(format!("The verdict on {endpoints} is the same."));
    }
    sentences
}

/// An endpoint as a clause, with the metric on one side of the limit.
fn clause(report: &Report, verdict: &Verdict, side: &str) -> String {
    let (of_whom, verb) = match verdict.basis {
        EndpointBasis::PooledMean => ("on average over hospitals", "is"),
        EndpointBasis::NewSite => ("in a new hospital", "would be"),
    };
    let metric = words::metric_in_text(&verdict.metric);
    format!("{of_whom} {metric} {verb} {side} {}", limit(report, verdict))
}

/// The wrong side of a limit, and what the limit was.
const fn beyond(direction: EndpointDirection) -> (&'static str, &'static str) {
    match direction {
        EndpointDirection::AtLeast => ("below", "the least that was asked"),
        EndpointDirection::AtMost => ("above", "the most that was allowed"),
    }
}

fn open(report: &Report, verdict: &Verdict) -> String {
    let clause = clause(report, verdict, words::direction(verdict.direction));
    match &verdict.interval {
        Estimable::Estimated(interval) => format!(
            "It remains open whether {clause}: values from {} fit the data.",
            ends(report, &verdict.metric, *interval)
        ),
        Estimable::NotEstimable { not_estimable } => {
            format!("It remains open whether {clause}: {}.", not_estimable.sentence())
        }
    }
}

/// Which hospitals keep an endpoint's limit by themselves. A single one is told of as the worst.
fn keeping(report: &Report, verdict: &Verdict) -> Option<String> {
    let all = released(report).count();
    let what = format!(
        "{} of {} {}",
        words::metric_in_text(&verdict.metric),
        words::direction(verdict.direction),
        limit(report, verdict)
    );
    let sites = sites_where(report, verdict, VerdictResult::Met);
    match sites.len() {
        _ if all < 2 => None,
        0 => Some(format!(
            "Taken one by one, none of the {all} hospitals with results shows {what} beyond chance."
        )),
        some => Some(format!(
            "Taken one by one, {some} of the {all} hospitals with results {} {what} beyond chance: {}.",
            if some == 1 { "shows" } else { "show" },
            named(&sites)
        )),
    }
}

/// Which hospitals do not, beyond chance.
fn missing(report: &Report, verdict: &Verdict) -> Option<String> {
    let sites = sites_where(report, verdict, VerdictResult::NotMet);
    let place = match (released(report).count(), sites.len()) {
        (_, 0) => return None,
        (1, _) => "At the only hospital with results".to_owned(),
        (all, some) => format!("At {some} of the {all} hospitals with results"),
    };
    let (side, _) = beyond(verdict.direction);
    Some(format!(
        "{place} {} was shown to be {side} {}: {}.",
        words::metric_in_text(&verdict.metric),
        limit(report, verdict),
        named(&sites)
    ))
}

fn worst(report: &Report, verdict: &Verdict) -> Option<String> {
    let worst = verdict.worst_site.value()?;
    let what = measured(report, &verdict.metric, &worst.value);
    Some(if released(report).count() < 2 {
        format!("The only hospital with results is {}: {what}.", worst.site)
    } else {
        format!("The least favourable result is that of {}: {what}.", worst.site)
    })
}

/// The hospitals whose own interval has this verdict.
fn sites_where<'r>(
    report: &'r Report,
    verdict: &Verdict,
    result: VerdictResult,
) -> Vec<&'r SiteId> {
    let answers = |site: &&Site| {
        site.metrics.get(&verdict.metric).and_then(Estimable::value).is_some_and(|metric| {
            VerdictResult::of(&metric.ci, verdict.direction, verdict.limit) == result
        })
    };
    released(report).filter(answers).map(|site| &site.id).collect()
}
