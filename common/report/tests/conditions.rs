//! Reports of studies with several conditions.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
#[path = "../../study/tests/support/conditions.rs"]
mod conditions;
mod consortium;
mod published;

use conditions::{findings, patients, three_conditions};
use consortium::{Answers, Consortium, documents, plan};
use fedval_report::{AssembleError, Reason, Report, WithheldWhat, assemble, render_html, verify};
use fedval_study::protocol::{Profile, StudyProtocol};
use fedval_study::{
    Cell, ConditionMetric, ConditionPerformance, MetricId, Outcome, Release, Terms,
};
use published::Published;
use serde_json::Value;

const OPENED: i64 = 1_760_000_000_000;

fn of_conditions() -> StudyProtocol {
    three_conditions(plan(), "macro_auroc")
}

/// What a site of so many patients tells, each condition where `is_shown` says so.
fn overall(
    plan: &StudyProtocol,
    (first, count, lacking): (u32, u32, usize),
    is_shown: [bool; 3],
) -> ConditionPerformance {
    let mut patients = patients(first, count, [40, 30, 25]);
    patients[..lacking].iter_mut().for_each(|patient| patient.reference[2] = None);
    findings(plan, &patients).shown(plan.task.conditions(), &is_shown)
}

fn released(overall: ConditionPerformance) -> Outcome {
    Outcome::ReleasedConditions(Box::new(Release {
        attrition: Vec::new(),
        overall,
        subgroups: Vec::new(),
        terms: Terms::exact(Profile::Standard, 11),
    }))
}

fn answers(plan: &StudyProtocol) -> Answers {
    let all = [true; 3];
    vec![
        ("site-a", Some(released(overall(plan, (0, 240, 30), all)))),
        ("site-b", Some(released(overall(plan, (1_000, 310, 0), all)))),
        ("site-c", Some(released(overall(plan, (2_000, 190, 12), all)))),
        ("site-d", Some(released(overall(plan, (3_000, 150, 0), [true, false, true])))),
        ("site-e", Some(Outcome::Insufficient)),
    ]
}

fn report(plan: &StudyProtocol) -> Report {
    let (protocol, round, results) = documents(plan, &answers(plan), OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

fn of(metric: ConditionMetric, condition: &str) -> MetricId {
    MetricId::OfCondition(metric, condition.parse().unwrap())
}

#[test]
fn a_report_of_conditions_keeps_to_the_schema_and_its_package_verifies() {
    let plan = of_conditions();
    let value: Value = serde_json::from_slice(report(&plan).canonical().unwrap().bytes()).unwrap();
    Published::read().check(&value).unwrap();
    let everyone = Consortium::new(20);
    let files = everyone.package(&plan, &answers(&plan)).files();
    let verification = verify(&files, Some(everyone.authority.root().fingerprint()));
    assert!(verification.first_failure().is_none(), "{:?}", verification.first_failure());
    let table = String::from_utf8(files["tables/conditions.csv"].clone()).unwrap();
    assert_eq!(table.lines().count(), 1 + 4 * 3);
    assert!(table.contains("site-d,mass,S,S,S"), "{table}");
}

#[test]
fn each_condition_has_the_metrics_of_a_study_of_it_alone() {
    let report = report(&of_conditions());
    let site = &report.sites[0];
    let names: Vec<String> = site.metrics.keys().map(ToString::to_string).collect();
    for name in
        ["macro_auroc", "auroc@effusion", "brier@mass", "ece@nodule", "sensitivity@nodule-call"]
    {
        assert!(names.iter().any(|of| of == name), "{name} in {names:?}");
    }
    assert!(!names.iter().any(|name| name == "auroc" || name == "accuracy"));
    assert_eq!(names.len(), 1 + 3 * 7 + 2 * 2);
    let area = |name| site.metrics[&of(ConditionMetric::Auroc, name)].value().unwrap().estimate;
    let mean = site.metrics[&MetricId::MacroAuroc].value().unwrap().estimate;
    assert!((mean - (area("effusion") + area("mass") + area("nodule")) / 3.0).abs() < 1e-12);
    let slope = &site.metrics[&of(ConditionMetric::CalibrationSlope, "mass")];
    assert_eq!(slope.reason(), Some(Reason::Separation));
    assert_eq!(site.operating_points.len(), 2);
    assert!(site.operating_points.iter().all(|row| row.tp.released().is_some()));
    let nodule = &site.conditions[2];
    let counts = [nodule.n_pos, nodule.n_neg, nodule.missing].map(|n| *n.released().unwrap());
    assert_eq!((counts.iter().sum::<u64>(), counts[2]), (240, 30));
}

#[test]
fn a_condition_that_stayed_is_named_and_leaves_the_mean_and_its_own_synthesis() {
    let report = report(&of_conditions());
    let synthesis = |id: &MetricId| report.synthesis_of(id).unwrap();
    let k = |metric, name| synthesis(&of(metric, name)).k;
    assert_eq!(synthesis(&MetricId::MacroAuroc).k, 3);
    assert_eq!(k(ConditionMetric::Auroc, "mass"), 3);
    assert_eq!(k(ConditionMetric::Auroc, "effusion"), 4);
    let excluded = &synthesis(&MetricId::MacroAuroc).excluded;
    assert_eq!((excluded.len(), excluded[0].reason), (1, Reason::Withheld));
    let withheld = &report.disclosure.withheld;
    let is_it = |what: &WithheldWhat| matches!(what, WithheldWhat::Condition { condition } if condition.as_str() == "mass");
    assert_eq!(withheld.iter().filter(|item| is_it(&item.what)).count(), 1);
    let names: Vec<_> = report.conditions.iter().map(|of| (of.name.as_str(), of.sites)).collect();
    assert_eq!(names, [("effusion", 4), ("mass", 3), ("nodule", 4)]);
    assert_eq!(report.conditions[2].missing, 42);
    assert_eq!((report.participants.patients, report.participants.n_pos), (890, None));
}

#[test]
fn the_page_shows_every_condition_and_no_single_one_as_the_whole() {
    let page = render_html(&report(&of_conditions()), &[]).unwrap();
    for words in [
        "Macro AUROC",
        "Patients by condition and site",
        "Discrimination and calibration of each condition by site",
        "Forest plot of AUROC of effusion by site",
        "at least one of 3 conditions",
        "Conditions do not exclude each other",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for words in ["Without pneumonia", "NaN", "Decision curve over"] {
        assert!(!page.contains(words), "{words}");
    }
}

#[test]
fn a_release_of_another_task_or_that_no_cohort_has_is_refused() {
    let plan = of_conditions();
    let assembled = |plan: &StudyProtocol, outcome: Outcome| {
        let (protocol, round, results) = documents(plan, &vec![("site-a", Some(outcome))], OPENED);
        assemble(&protocol, &round, &results).map(|_| ())
    };
    let good = || overall(&plan, (0, 240, 30), [true; 3]);
    let binary = consortium::plan();
    let refused = assembled(&binary, released(good()));
    assert!(matches!(refused, Err(AssembleError::Schema { .. })), "{refused:?}");
    let of_binary = consortium::answers(&binary).remove(0).1.unwrap();
    assert!(matches!(assembled(&plan, of_binary), Err(AssembleError::Schema { .. })));
    let contradictory: [fn(&mut ConditionPerformance); 4] = [
        |p| p.patients = 100,
        |p| p.macro_se_nano = Cell::Released(900_000_000),
        |p| p.conditions[0].performance = Cell::Suppressed,
        |p| p.conditions.truncate(1),
    ];
    for (place, change) in contradictory.into_iter().enumerate() {
        let mut overall = good();
        change(&mut overall);
        let refused = assembled(&plan, released(overall));
        assert!(matches!(refused, Err(AssembleError::Contradictory { .. })), "{place} {refused:?}");
    }
    let of_others: [fn(&mut ConditionPerformance); 3] = [
        |p| p.conditions.swap(0, 1),
        |p| {
            let Cell::Released(own) = &mut p.conditions[1].performance else { panic!("mass") };
            own.operating_points.push(own_point());
        },
        |p| {
            let Cell::Released(own) = &mut p.conditions[0].performance else { panic!("effusion") };
            own.operating_points.clear();
        },
    ];
    for (place, change) in of_others.into_iter().enumerate() {
        let mut overall = good();
        change(&mut overall);
        let refused = assembled(&plan, released(overall));
        assert!(refused.is_err(), "{place}");
    }
}

/// A cut-off of effusion's score.
fn own_point() -> fedval_study::OperatingPointCounts {
    let plan = of_conditions();
    let found = overall(&plan, (0, 240, 30), [true; 3]);
    found.conditions[0].performance.released().unwrap().operating_points[0].clone()
}
