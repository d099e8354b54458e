//! Reports of studies with several conditions.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
#[path = "../../study/tests/support/conditions.rs"]
mod conditions;
mod consortium;
mod published;

use conditions::{by_scanner, findings, patients, three_conditions};
use consortium::{Answers, Consortium, documents, plan};
use fedval_report::{
    AssembleError, PrevalenceSource, Reason, Report, WithheldWhat, assemble, render_html, verify,
};
use fedval_stats::aggregate::CalibrationFit;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::{OperatingPoint, Profile, StudyProtocol, Task};
use fedval_study::result::SubgroupCell;
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

/// The same study by scanner, with a second cut-off for effusion and the prevalences at which it is asked about.
fn by_group() -> StudyProtocol {
    let mut plan = by_scanner(of_conditions());
    let sure = OperatingPoint { name: "effusion-sure".parse().unwrap(), threshold: 0.6 };
    let Task::MultiLabel(conditions) = &mut plan.task else { panic!("conditions") };
    conditions[0].operating_points.push(sure.name.clone());
    conditions[0].prevalences = vec![0.02, 0.1];
    plan.operating_points.push(sure);
    plan
}

/// A site of so many patients, a third with each scanner, of which the last tells nothing of masses.
fn by_group_at(plan: &StudyProtocol, (first, count): (u32, u32)) -> Outcome {
    let mut patients = patients(first, count, [40, 30, 25]);
    for (place, patient) in (0_u16..).zip(&mut patients) {
        patient.group = Some(place % 3);
    }
    let mut counted = findings(plan, &patients);
    for (place, own) in (0_i64..).zip(counted.conditions.iter_mut().flatten()) {
        own.calibration = CalibrationOutcome::Fit(CalibrationFit {
            intercept_micro: 100_000 * place,
            slope_micro: 900_000,
            se_intercept_micro: 120_000,
            se_slope_micro: 90_000,
            correlation_micro: -300_000,
            citl_micro: 50_000,
            se_citl_micro: 80_000,
        });
    }
    let conditions = plan.task.conditions();
    let groups = ["a", "b", "c"].into_iter().zip(&counted.groups);
    let subgroups = groups.map(|(name, group)| SubgroupCell {
        category: name.parse().unwrap(),
        dimension: "scanner".parse().unwrap(),
        performance: group.shown(conditions, &[true, name != "c", true]),
    });
    Outcome::ReleasedConditions(Box::new(Release {
        attrition: Vec::new(),
        overall: counted.shown(conditions, &[true; 3]),
        subgroups: subgroups.collect(),
        terms: Terms::exact(Profile::Standard, 11),
    }))
}

fn answers_by_group(plan: &StudyProtocol) -> Answers {
    let at = |first, count| Some(by_group_at(plan, (first, count)));
    vec![
        ("site-a", at(0, 450)),
        ("site-b", at(1_000, 510)),
        ("site-c", at(2_000, 390)),
        ("site-d", at(3_000, 600)),
    ]
}

#[test]
fn each_condition_has_predictive_values_a_calibration_and_a_decision_curve_of_its_own() {
    let plan = by_group();
    let (protocol, round, results) = documents(&plan, &answers_by_group(&plan), OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    let stated = |place: usize| -> Vec<f64> {
        let joint = report.operating_points[place].joint.value().unwrap();
        let values = joint.predictive_values.iter();
        values
            .filter(|of| of.source == PrevalenceSource::Protocol)
            .map(|of| of.prevalence)
            .collect()
    };
    let names: Vec<&str> =
        report.operating_points.iter().map(|point| point.name.as_str()).collect();
    assert_eq!(names, ["effusion-call", "nodule-call", "effusion-sure"]);
    assert_eq!([0, 1, 2].map(stated), [vec![0.02, 0.1], vec![], vec![0.02, 0.1]]);
    // PPV = Se π / (Se π + (1 − Sp)(1 − π)).
    let joint = report.operating_points[0].joint.value().unwrap();
    let (se, sp) = (joint.sensitivity.estimate, joint.specificity.estimate);
    let ppv = se * 0.1 / (se * 0.1 + (1.0 - sp) * 0.9);
    assert!((joint.predictive_values[1].positive.estimate - ppv).abs() < 1e-9);
    let line = report.sites[0].conditions[1].calibration_line.value().unwrap();
    assert!((line.intercept - 0.1).abs() < 1e-12 && (line.slope - 0.9).abs() < 1e-12);
    let page = render_html(&report, &[]).unwrap();
    for words in [
        "Calibration of effusion by site",
        "Calibration of nodule by site",
        "effusion: Decision curve over",
        "effusion: effusion-sure",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("nodule: Decision curve"), "one cut-off is no curve");
}

#[test]
fn conditions_by_group_are_synthesised_compared_and_shown() {
    let plan = by_group();
    let (protocol, round, results) = documents(&plan, &answers_by_group(&plan), OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    assert_eq!(report.subgroups.len(), 3);
    let k = |group: usize, name| {
        let found = report.subgroups[group].synthesis.get(&of(ConditionMetric::Auroc, name));
        found.and_then(|found| found.value()).map(|pooled| pooled.k)
    };
    assert_eq!((k(0, "effusion"), k(0, "mass"), k(2, "mass")), (Some(4), Some(4), None));
    let cell = report.subgroups[2].sites[0].performance.released().unwrap();
    assert_eq!((cell.patients, cell.n_pos, cell.conditions.len()), (150, None, 3));
    assert_eq!(cell.conditions[1].n_pos.released(), None);
    assert!(cell.conditions[0].n_pos.released().is_some_and(|with| *with > 30));
    assert!(cell.response[0].tp.released().is_some());
    // Three areas and both rates at three cut-offs, of two groups against the first.
    assert_eq!(report.gaps.len(), (3 + 2 * 3) * 2);
    let told = report.gaps.iter().filter(|gap| gap.result.value().is_some());
    assert!(told.clone().all(|gap| gap.result.value().unwrap().p_holm.value().is_some()));
    assert_eq!(told.count(), 17, "all but that of masses where they stay");
    let stays = |what: &WithheldWhat| matches!(what, WithheldWhat::GroupCondition { category, .. } if category.as_str() == "c");
    assert_eq!(report.disclosure.withheld.iter().filter(|item| stays(&item.what)).count(), 4);
    let page = render_html(&report, &[]).unwrap();
    for words in ["AUROC of mass by scanner", "mass in scanner: c", "Gaps between groups"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("NaN"));
}

#[test]
fn a_report_by_group_keeps_to_the_schema_and_its_package_verifies() {
    let plan = by_group();
    let (protocol, round, results) = documents(&plan, &answers_by_group(&plan), OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    let value: Value = serde_json::from_slice(report.canonical().unwrap().bytes()).unwrap();
    Published::read().check(&value).unwrap();
    let everyone = Consortium::new(20);
    let files = everyone.package(&plan, &answers_by_group(&plan)).files();
    let verification = verify(&files, Some(everyone.authority.root().fingerprint()));
    assert!(verification.first_failure().is_none(), "{:?}", verification.first_failure());
    let table = String::from_utf8(files["tables/subgroup_sites.csv"].clone()).unwrap();
    assert_eq!(table.lines().count(), 1 + 3 * 4 * 3);
    let columns = table.lines().map(|line| line.split(',').count());
    assert_eq!(columns.collect::<std::collections::BTreeSet<_>>().len(), 1, "{table}");
    let withheld = String::from_utf8(files["tables/withheld.csv"].clone()).unwrap();
    assert!(withheld.contains("site-a,condition@mass,scanner,c,S"), "{withheld}");
}

/// A cut-off of effusion's score.
fn own_point() -> fedval_study::OperatingPointCounts {
    let plan = of_conditions();
    let found = overall(&plan, (0, 240, 30), [true; 3]);
    found.conditions[0].performance.released().unwrap().operating_points[0].clone()
}
