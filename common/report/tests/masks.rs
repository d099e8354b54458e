//! Reports of studies of masks.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
#[path = "../../study/tests/support/masks.rs"]
mod masks;
mod published;
mod vetted;

use consortium::{Answers, Consortium, documents};
use fedval_report::{Report, VerdictResult, assemble, render_html, verify};
use fedval_stats::segmentation::PresenceTally;
use fedval_study::protocol::{EndpointDirection, StudyProtocol};
use fedval_study::{MetricId, Outcome, ScoreSource};
use published::Published;
use serde_json::Value;
use vetted::vetted;

const OPENED: i64 = 1_760_000_000_000;

fn plan(limit: f64) -> StudyProtocol {
    masks::of_masks(consortium::plan(), limit)
}

/// Patients with both masks, their middle Dice, and those with an empty one.
const HOSPITALS: [(&str, u32, f64, [u64; 3]); 3] = [
    ("site-a", 220, 0.90, [4, 3, 12]),
    ("site-b", 330, 0.74, [9, 1, 4]),
    ("site-c", 110, 0.86, [0, 0, 0]),
];

/// What the gate of a hospital lets through.
fn released(plan: &StudyProtocol, patients: u32, middle: f64, others: [u64; 3]) -> Outcome {
    let [only_reference, only_predicted, neither] = others;
    let tally = PresenceTally { both: 0, only_reference, only_predicted, neither };
    let summary = masks::summary(0, &masks::measured(patients, middle), tally);
    vetted(plan, summary, ScoreSource::PredictionTable)
}

fn answers(plan: &StudyProtocol) -> Answers {
    let mut answers: Answers = HOSPITALS
        .iter()
        .map(|(name, patients, middle, others)| {
            (*name, Some(released(plan, *patients, *middle, *others)))
        })
        .collect();
    answers.push(("site-d", Some(Outcome::Insufficient)));
    answers.push(("site-e", None));
    answers
}

fn report(plan: &StudyProtocol) -> Report {
    let (protocol, round, results) = documents(plan, &answers(plan), OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

#[test]
fn a_report_of_masks_keeps_to_the_schema_and_its_package_verifies() {
    let plan = plan(0.8);
    let value: Value = serde_json::from_slice(report(&plan).canonical().unwrap().bytes()).unwrap();
    Published::read().check(&value).unwrap();
    assert_eq!(value["segmentation"]["border"], "voxel_border");
    assert_eq!(value["participants"].get("n_pos"), None);
    let everyone = Consortium::new(21);
    let package = everyone.package(&plan, &answers(&plan));
    let files = package.files();
    let verification = verify(&files, Some(everyone.authority.root().fingerprint()));
    assert!(verification.first_failure().is_none(), "{:?}", verification.first_failure());
    let table = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    assert_eq!(table("tables/measures.csv").lines().count(), 1 + 3 * 3);
    let empty = table("tables/empty_masks.csv");
    let lines: Vec<&str> = empty.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "site,both,missed,spurious,neither",
            "site-a,220,4,3,12",
            "site-b,330,9,,",
            "site-c,110,0,,"
        ]
    );
}

#[test]
fn every_number_of_a_site_is_that_of_its_patients_within_the_rounding() {
    let report = report(&plan(0.8));
    for (site, (name, patients, middle, _)) in HOSPITALS.iter().enumerate() {
        let measured = masks::measured(*patients, *middle);
        let n = f64::from(*patients);
        for (place, id, room) in
            [(0, MetricId::Dice, 1.0), (1, MetricId::Hd95, 40.0), (2, MetricId::Nsd, 1.0)]
        {
            let mean = measured.iter().map(|of| of[place]).sum::<f64>() / n;
            let found = report.sites[site].metrics[&id].value().unwrap().clone();
            // A step is at most five halves of one patient's share.
            let half_a_step = 1.25 * room / n;
            assert!((found.estimate - mean).abs() <= half_a_step + 1e-6, "{name} {id}");
            let [lower, upper] = *found.ci.value().unwrap();
            assert!(lower < found.estimate && found.estimate < upper);
            assert!(upper <= 1.0 || id == MetricId::Hd95);
        }
    }
    let section = report.segmentation.as_ref().unwrap();
    assert_eq!((section.measured, section.missed), (660, 13));
    assert_eq!((section.spurious, section.neither), (3, 12));
    assert_eq!(report.synthesis[&MetricId::Dice].value().unwrap().k, 3);
}

#[test]
fn an_overlap_is_the_better_the_larger_and_a_distance_the_smaller() {
    // Of three hospitals between 0.74 and 0.90 the interval reaches from 0.6 to beyond 1.
    for (limit, result) in [(0.3, VerdictResult::Met), (0.99, VerdictResult::Inconclusive)] {
        let verdict = report(&plan(limit)).verdicts.remove(0);
        assert_eq!((verdict.result, verdict.direction), (result, EndpointDirection::AtLeast));
        assert_eq!(verdict.worst_site.value().unwrap().site.as_str(), "site-b");
    }
    let mut plan = plan(0.8);
    plan.endpoints[0].metric = MetricId::Hd95;
    plan.endpoints[0].limit = 20.0;
    plan.endpoints[0].direction = EndpointDirection::AtMost;
    assert_eq!(report(&plan).verdicts[0].result, VerdictResult::Met);
}

#[test]
fn the_page_says_who_is_in_no_mean() {
    let page = render_html(&report(&plan(0.8)), &[]).unwrap();
    for words in [
        "Dice coefficient at least 0.80 on average across sites",
        "in whom both the reference standard and the model outlined",
        "In 13 of 673 patients who have it",
        "Forest plot of Dice coefficient by site",
        "Forest plot of HD95 by site",
        "HD95, mm",
        "Patients by which of their masks hold the structure",
        "beyond 40.0 mm counts as that",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("Discrimination and calibration by site"));
}
