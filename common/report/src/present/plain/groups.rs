//! For whom: how groups of patients differ, and what this study could not have seen.

use super::{measured, plural};
use crate::present::number::{self, Format};
use crate::present::words;
use crate::report::{Gap, GapEstimate, Report};

/// A gap is told as found where its adjusted p-value is below.
const SIGNIFICANT: f64 = 0.05;
/// Differences that are told one by one, those with the smallest p-values.
const TOLD: usize = 3;

/// Everything about groups.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let mut sentences = if report.gaps.is_empty() {
        vec!["The study did not compare groups of patients.".to_owned()]
    } else {
        let mut compared = differences(report);
        compared.extend(no_differences(report));
        compared
    };
    sentences.extend(worst(report));
    sentences.extend(withheld(report));
    sentences
}

/// The adjusted p-value of a gap that is told as found.
fn significant(found: &GapEstimate) -> Option<f64> {
    found.p_holm.value().copied().filter(|p| *p < SIGNIFICANT)
}

fn differences(report: &Report) -> Vec<String> {
    let mut all: Vec<(f64, &Gap, &GapEstimate)> = report
        .gaps
        .iter()
        .filter_map(|gap| {
            let found = gap.result.value()?;
            Some((significant(found)?, gap, found))
        })
        .collect();
    // A stable sort: equals stay in the order of the report.
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let more = all.len().saturating_sub(TOLD);
    let first = all.into_iter().take(TOLD);
    let mut sentences: Vec<String> =
        first.map(|(_, gap, found)| different(report, gap, found)).collect();
    if more > 0 {
        let verb = if more == 1 { "was" } else { "were" };
        let differences = plural(more, "further difference");
        sentences
            .push(format!("{differences} {verb} found; the section on subgroups lists them all."));
    }
    sentences
}

fn different(report: &Report, gap: &Gap, found: &GapEstimate) -> String {
    let format = Format::of(&gap.metric);
    let direction = if found.estimate < 0.0 { "lower" } else { "higher" };
    let size = match format {
        Format::Percent => format!("{} points", number::fixed(found.estimate.abs() * 100.0, 1)),
        Format::Fixed(_) => number::fixed(found.estimate.abs(), 3),
        Format::Quantity => {
            let unit = words::unit_behind(report, &gap.metric);
            format!("{}{unit}", format.value(found.estimate.abs()))
        }
    };
    format!(
        "By {}, {} is {size} {direction} for {} than for {}.",
        gap.dimension,
        words::metric_in_text(&gap.metric),
        gap.category,
        gap.reference
    )
}

/// Comparisons without a finding: those that would have shown one, those that might not, and those that were not made.
fn no_differences(report: &Report) -> Vec<String> {
    let (mut seen, mut unseen, mut silent) = (0, 0, 0);
    for gap in &report.gaps {
        match gap.result.value() {
            None => silent += 1,
            Some(found) if significant(found).is_some() => {}
            Some(found) if found.powered => seen += 1,
            Some(_) => unseen += 1,
        }
    }
    let size = telling(report);
    let outcomes = [
        (
            seen,
            format!(
                "no difference was found, and one of {size} would have been in at least 80 of 100 such studies"
            ),
        ),
        (
            unseen,
            format!(
                "no difference was found, but one of {size} may well have gone unseen: patients or hospitals are \
                 too few"
            ),
        ),
        (silent, "no hospital could show both groups".to_owned()),
    ];
    let all = plural(report.gaps.len(), "comparison");
    let told =
        |(some, outcome): (usize, String)| format!("In {some} of {all} of groups {outcome}.");
    outcomes.into_iter().filter(|(some, _)| *some > 0).map(told).collect()
}

/// The difference that must not go unseen.
fn telling(report: &Report) -> String {
    report.quantity.as_ref().map_or_else(
        || "ten points".to_owned(),
        |quantity| {
            let size = Format::Quantity.value(GapEstimate::TELLING * quantity.largest_error);
            if quantity.unit.is_empty() { size } else { format!("{size}\u{a0}{}", quantity.unit) }
        },
    )
}

fn worst(report: &Report) -> Option<String> {
    let verdict = report.verdicts.first()?;
    let worst = verdict.worst_subgroup.value()?;
    Some(format!(
        "The least favourable group is {} ({}) at {}: {}.",
        worst.category,
        worst.dimension,
        worst.site,
        measured(report, &verdict.metric, &worst.value)
    ))
}

fn withheld(report: &Report) -> Option<String> {
    match report.disclosure.withheld.iter().filter(|item| item.what.is_of_a_group()).count() {
        0 => None,
        1 => Some(
            "1 result of a small group was withheld to protect patients: nothing is known about it here."
                .to_owned(),
        ),
        more => Some(format!(
            "{} of small groups were withheld to protect patients: nothing is known about them here.",
            plural(more, "result")
        )),
    }
}
