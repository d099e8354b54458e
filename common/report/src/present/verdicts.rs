//! The verdict banner: one card for each endpoint.

use super::markup::{Markup, escape};
use super::number::{self, Format};
use super::words;
use crate::report::{AgainstLimit, Estimable, Report, Verdict, VerdictResult};

/// One card.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    /// Style: `met`, `not-met` or `inconclusive`.
    pub(crate) class: &'static str,
    /// The verdict in a word.
    pub(crate) word: String,
    /// A sign that says the same without colour.
    pub(crate) icon: &'static str,
    /// The endpoint.
    pub(crate) endpoint: String,
    /// What was asked.
    pub(crate) question: String,
    /// The number that answers.
    pub(crate) answer: Markup,
    /// Further facts.
    pub(crate) facts: Vec<Markup>,
}

/// The cards, in the protocol's order.
pub(super) fn cards(report: &Report) -> Vec<Card> {
    report.verdicts.iter().map(|verdict| card(report, verdict)).collect()
}

fn card(report: &Report, verdict: &Verdict) -> Card {
    let (class, icon) = match verdict.result {
        VerdictResult::Met => ("met", "✓"),
        VerdictResult::NotMet => ("not-met", "✕"),
        VerdictResult::Inconclusive => ("inconclusive", "?"),
    };
    Card {
        class,
        word: words::capitalised(verdict.result.words()),
        icon,
        endpoint: verdict.endpoint.to_string(),
        question: question(report, verdict),
        answer: answer(report, verdict),
        facts: facts(report, verdict),
    }
}

/// What the endpoint asks, in words.
pub(super) fn question(report: &Report, verdict: &Verdict) -> String {
    format!(
        "{} {} {}{} {}",
        words::metric(&verdict.metric),
        words::direction(verdict.direction),
        number::limit(&verdict.metric, verdict.limit),
        words::unit_behind(report, &verdict.metric),
        words::basis(verdict.basis)
    )
}

fn answer(report: &Report, verdict: &Verdict) -> Markup {
    let format = Format::of(&verdict.metric);
    let level = number::level(report.study.level);
    let interval = words::interval(verdict.basis);
    let unit = words::unit_behind(report, &verdict.metric);
    match (&verdict.estimate, &verdict.interval) {
        (Estimable::Estimated(estimate), Estimable::Estimated(limits)) => Markup::text(format!(
            "{}{unit}, {level} {interval} {}, k = {}",
            format.value(*estimate),
            format.bare_limits(*limits),
            verdict.k
        )),
        (Estimable::Estimated(estimate), Estimable::NotEstimable { not_estimable }) => {
            Markup::text(format!(
                "{}{unit}, k = {}; no {interval}: {}",
                format.value(*estimate),
                verdict.k,
                not_estimable.sentence()
            ))
        }
        (Estimable::NotEstimable { not_estimable }, _) => {
            Markup::text(format!("not estimable: {}", not_estimable.sentence()))
        }
    }
}

fn facts(report: &Report, verdict: &Verdict) -> Vec<Markup> {
    let format = Format::of(&verdict.metric);
    let unit = words::unit_behind(report, &verdict.metric);
    let mut facts = Vec::new();
    if let Some(probability) = verdict.new_site_probability.value() {
        let probability = number::probability(*probability);
        facts.push(fact("New site meets the limit", &format!("probability {probability}")));
    }
    if let Some(worst) = verdict.worst_site.value() {
        let text = format!("{}, {}", worst.site, against(format, &unit, &worst.value));
        facts.push(fact("Least favourable site", &text));
    }
    if let Some(worst) = verdict.worst_subgroup.value() {
        let group = format!("{} {} at {}", worst.dimension, worst.category, worst.site);
        let text = format!("{group}, {}", against(format, &unit, &worst.value));
        facts.push(fact("Least favourable subgroup", &text));
    }
    facts
}

fn fact(label: &str, text: &str) -> Markup {
    Markup::trusted(format!("<b>{}</b> {}", escape(label), escape(text)))
}

fn against(format: Format, unit: &str, value: &AgainstLimit) -> String {
    let limits =
        value.ci.value().map(|ci| format!(" ({})", format.bare_limits(*ci))).unwrap_or_default();
    format!("{}{unit}{limits}; {}", format.value(value.estimate), words::against(value.result))
}
