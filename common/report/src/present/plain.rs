//! The report in plain language: what a clinician reads, on one page of its own.
//!
//! Where the model works, where it does not, for whom, how sure that is, and what the numbers mean. Lists are cut and
//! what is left out is counted, so that a page stays a page with a thousand hospitals.

mod certainty;
mod endpoints;
mod groups;
mod meaning;

use fedval_study::{MetricId, SiteId};

use super::number::Format;
use super::words;
use crate::report::{AgainstLimit, Report, Verdict};

/// Names in a sentence before it says how many more there are.
const NAMED: usize = 5;
/// Letters of a text from the protocol before it is cut.
const LONGEST_TEXT: usize = 160;

/// The page.
#[derive(Debug, Clone)]
pub(crate) struct PlainPage {
    /// What the page is about, for whoever holds it alone.
    pub(crate) lead: String,
    pub(crate) answers: Vec<Answer>,
}

/// A question with its answer, sentence by sentence.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) question: &'static str,
    pub(crate) sentences: Vec<String>,
}

/// The page of a report.
pub(super) fn page(report: &Report) -> PlainPage {
    let all = if report.participants.sites.released == 0 {
        let nothing = "No hospital released a result, so this study says nothing about where the model works, \
                       where it does not, or for whom.";
        vec![("Where does the model work?", vec![nothing.to_owned()])]
    } else {
        vec![
            ("Where does the model work?", endpoints::shown(report)),
            ("Where does it not work, or not surely?", endpoints::not_shown(report)),
            ("For whom?", groups::sentences(report)),
            ("How sure is this?", certainty::sentences(report)),
            ("What do the numbers mean?", meaning::sentences(report)),
        ]
    };
    let answer = |(question, sentences)| Answer { question, sentences };
    PlainPage { lead: lead(report), answers: all.into_iter().map(answer).collect() }
}

fn lead(report: &Report) -> String {
    let day = report.round.as_of.split('T').next().unwrap_or_default();
    let interim = if report.round.closed_at.is_none() {
        " The round is still open: these answers may change."
    } else {
        ""
    };
    format!(
        "What the study “{}” says about the model {}, as of {day}.{interim} Every number behind this page stands in \
         the rest of the report.",
        clipped(&report.study.title),
        clipped(&report.model.name)
    )
}

/// A text as far as a page has room for it.
fn clipped(text: &str) -> String {
    if text.chars().count() <= LONGEST_TEXT {
        return text.to_owned();
    }
    text.chars().take(LONGEST_TEXT).chain(['…']).collect()
}

/// So many of a thing: "1 comparison", "3 comparisons".
fn plural(count: usize, thing: &str) -> String {
    words::plural(u64::try_from(count).unwrap_or(u64::MAX), thing)
}

/// Hospitals by name, the first of many.
fn named(sites: &[&SiteId]) -> String {
    let names: Vec<&str> = sites.iter().take(NAMED).map(|site| site.as_str()).collect();
    let more = sites.len().saturating_sub(NAMED);
    match (&names[..], more) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (all, 0) => all.concat(),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}

/// A verdict's limit as the protocol states it, with its unit.
fn limit(report: &Report, verdict: &Verdict) -> String {
    let limit = super::number::limit(&verdict.metric, verdict.limit);
    format!("{limit}{}", words::unit_behind(report, &verdict.metric))
}

/// A metric with its value: "AUROC 0.805 (0.736–0.860)".
fn measured(report: &Report, metric: &MetricId, value: &AgainstLimit) -> String {
    let format = Format::of(metric);
    let limits =
        value.ci.value().map(|ci| format!(" ({})", format.bare_limits(*ci))).unwrap_or_default();
    format!(
        "{} {}{}{limits}",
        words::metric_in_text(metric),
        format.value(value.estimate),
        words::unit_behind(report, metric)
    )
}

/// Two ends inside a sentence: "0.654 to 0.985". Some intervals reach further than the metric itself can.
fn ends(report: &Report, metric: &MetricId, [lower, upper]: [f64; 2]) -> String {
    let is_of_agreement =
        matches!(metric, MetricId::QuadraticKappa | MetricId::IntraclassCorrelation);
    let end = |value: f64| {
        Format::of(metric).value(if is_of_agreement { value.clamp(-1.0, 1.0) } else { value })
    };
    format!("{} to {}{}", end(lower), end(upper), words::unit_behind(report, metric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_are_a_list_and_of_many_the_first_stand_with_a_count() {
        let sites: Vec<SiteId> = ('a'..='h').map(|c| c.to_string().parse().unwrap()).collect();
        let sites: Vec<&SiteId> = sites.iter().collect();
        let named = [0, 1, 2, 3, 5, 6, 8].map(|count| named(&sites[..count]));
        let known = ["", "a", "a and b", "a, b and c", "a, b, c, d and e"];
        assert_eq!(named[..5], known);
        assert_eq!(named[5..], ["a, b, c, d, e and 1 more", "a, b, c, d, e and 3 more"]);
    }

    #[test]
    fn a_long_text_is_cut_where_a_letter_ends() {
        let long = "ä".repeat(LONGEST_TEXT + 1);
        assert_eq!(clipped(&long).chars().count(), LONGEST_TEXT + 1);
        assert!(clipped(&long).ends_with("ä…"));
        assert_eq!(clipped("short"), "short");
    }
}
