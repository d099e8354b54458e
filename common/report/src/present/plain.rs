//! The report in plain language: where it works, where it does not, for whom, and how sure we are.

use fedval_study::SiteId;

use super::number::{self, Format};
use super::performance::released;
use super::words;
use crate::report::{Estimable, Gap, GapEstimate, Judgement, Report, Verdict, VerdictResult};

/// Names in a sentence before it says how many more there are.
const NAMED: usize = 5;
/// A gap is told as found where its adjusted p-value is below.
const SIGNIFICANT: f64 = 0.05;

/// A question with its answer, sentence by sentence.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) question: &'static str,
    pub(crate) sentences: Vec<String>,
}

/// The four questions.
pub(super) fn answers(report: &Report) -> Vec<Answer> {
    vec![
        Answer { question: "Where does it work?", sentences: works(report) },
        Answer { question: "Where does it not, or not surely?", sentences: fails(report) },
        Answer { question: "For whom?", sentences: groups(report) },
        Answer { question: "How sure are we?", sentences: certainty(report) },
    ]
}

fn works(report: &Report) -> Vec<String> {
    let mut sentences = of_result(report, VerdictResult::Met, "was shown");
    if let Some(first) = report.verdicts.first() {
        let sites = sites_where(report, first, VerdictResult::Met);
        if !sites.is_empty() {
            sentences.push(format!(
                "Taken alone, {} of {} hospitals show it: {}.",
                sites.len(),
                report.participants.sites.released,
                named(&sites)
            ));
        }
    }
    or_else(sentences, "Nothing that was asked beforehand was shown.")
}

fn fails(report: &Report) -> Vec<String> {
    let mut sentences = of_result(report, VerdictResult::NotMet, "was shown not to hold");
    sentences.extend(of_result(report, VerdictResult::Inconclusive, "remains open"));
    if let Some(first) = report.verdicts.first() {
        let sites = sites_where(report, first, VerdictResult::NotMet);
        if !sites.is_empty() {
            sentences.push(format!("It was shown not to hold at {}.", named(&sites)));
        }
        if let Some(worst) = first.worst_site.value() {
            sentences.push(format!(
                "Of all hospitals {} has the least favourable result, {} {}{}.",
                worst.site,
                words::metric_in_text(&first.metric),
                Format::of(&first.metric).value(worst.value.estimate),
                words::unit_behind(report, &first.metric)
            ));
        }
    }
    or_else(sentences, "Everything that was asked beforehand was shown.")
}

/// One sentence for each endpoint with this result.
fn of_result(report: &Report, result: VerdictResult, verb: &str) -> Vec<String> {
    report
        .verdicts
        .iter()
        .filter(|verdict| verdict.result == result)
        .map(|verdict| format!("{} {verb}.", super::verdicts::question(report, verdict)))
        .collect()
}

fn sites_where<'r>(
    report: &'r Report,
    verdict: &Verdict,
    result: VerdictResult,
) -> Vec<&'r SiteId> {
    let answers = |site: &&crate::report::Site| {
        site.metrics.get(&verdict.metric).and_then(Estimable::value).is_some_and(|metric| {
            VerdictResult::of(&metric.ci, verdict.direction, verdict.limit) == result
        })
    };
    released(report).filter(answers).map(|site| &site.id).collect()
}

fn groups(report: &Report) -> Vec<String> {
    if report.gaps.is_empty() {
        return vec!["The study did not ask about groups of patients.".to_owned()];
    }
    let estimated: Vec<(&Gap, &GapEstimate)> =
        report.gaps.iter().filter_map(|gap| Some((gap, gap.result.value()?))).collect();
    let differs = |gap: &GapEstimate| gap.p_holm.value().is_some_and(|p| *p < SIGNIFICANT);
    let mut sentences: Vec<String> = estimated
        .iter()
        .filter(|(_, found)| differs(found))
        .map(|(gap, found)| different(report, gap, found))
        .collect();
    let quiet = |powered| {
        let same =
            estimated.iter().filter(|(_, found)| !differs(found) && found.powered == powered);
        same.count()
    };
    let (alike, unseen) = (quiet(true), quiet(false));
    if alike > 0 {
        sentences.push(format!(
            "In {alike} of {} comparisons of groups no difference was found, and one of {} would \
             have been.",
            report.gaps.len(),
            telling(report)
        ));
    }
    if unseen > 0 {
        sentences.push(format!(
            "In {unseen} no difference was found, but these groups are too small to rule one out."
        ));
    }
    let silent = report.gaps.len() - estimated.len();
    if silent > 0 {
        sentences.push(format!("In {silent} no hospital could show both groups."));
    }
    let withheld = report.disclosure.withheld.iter();
    let groups = withheld.filter(|item| item.what.is_of_a_group()).count();
    if groups > 0 {
        sentences.push(format!(
            "{groups} results of small groups were withheld to protect patients: about them nothing is known \
             here."
        ));
    }
    sentences
}

/// The difference that would not have gone unseen.
fn telling(report: &Report) -> String {
    report.quantity.as_ref().map_or_else(
        || "ten points".to_owned(),
        |quantity| {
            let size = Format::Quantity.value(GapEstimate::TELLING * quantity.largest_error);
            if quantity.unit.is_empty() { size } else { format!("{size}\u{a0}{}", quantity.unit) }
        },
    )
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
        "{} is {size} {direction} for {} {} than for {}.",
        words::metric(&gap.metric),
        gap.dimension,
        gap.category,
        gap.reference
    )
}

fn certainty(report: &Report) -> Vec<String> {
    let sum = &report.participants;
    let mut sentences = vec![format!(
        "The answer rests on {} and {} of {} hospitals that were asked.",
        words::plural(sum.patients, "patient"),
        sum.sites.released,
        sum.sites.dispatched
    )];
    if let Some(pooled) = report.verdicts.first().and_then(|v| report.synthesis_of(&v.metric)) {
        sentences.extend(pooled.warnings.iter().map(|warning| warning.sentence().to_owned()));
    }
    let at_risk = report.risk_of_bias.iter().filter(|site| {
        crate::report::Domain::ALL.iter().any(|domain| site.judgement(*domain) == Judgement::High)
    });
    let at_risk = at_risk.count();
    if at_risk > 0 {
        let plural = u64::try_from(at_risk).unwrap_or(u64::MAX);
        sentences.push(format!(
            "The data of {} have a high risk of bias in at least one respect.",
            words::plural(plural, "hospital")
        ));
    }
    sentences.push(
        "Numbers were computed at the hospitals and signed by them; whether their data are right, no report can \
         prove."
            .to_owned(),
    );
    sentences
}

fn named(sites: &[&SiteId]) -> String {
    let names: Vec<&str> = sites.iter().take(NAMED).map(|site| site.as_str()).collect();
    match sites.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn or_else(sentences: Vec<String>, none: &str) -> Vec<String> {
    if sentences.is_empty() { vec![none.to_owned()] } else { sentences }
}
