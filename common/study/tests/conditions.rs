//! Studies of several conditions: what an author writes, and what is refused; and what of them no cohort has.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/conditions.rs"]
mod conditions;
#[path = "support/mod.rs"]
mod support;

use conditions::{by_scanner, findings, patients, three_conditions};
use fedval_study::condition_groups::{self, ConditionGroup};
use fedval_study::draft::Draft;
use fedval_study::protocol::{ScoreScale, StudyProtocol, Task};
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Canonical, Cell, ConditionMetric, ConditionPerformance, LockedProtocol, MetricId, Sha256Digest,
};

/// The study of the other tests with two conditions in the place of one.
fn text() -> String {
    let study = support::STUDY;
    let from = |key: &str| study.find(key).unwrap();
    let model = &study[from("[model]")..from("[reference_standard]")];
    format!(
        r#"
id = "chest"
title = "Findings on chest radiographs"
target_condition = "findings on chest radiographs"
task = "multi_label"
{model}
[reference_standard]
description = "radiologists' reports"
[analysis]
unit = "patient"
combine = "maximum"
[[conditions]]
name = "effusion"
column = "effusion"
positive = ["1"]
negative = ["0"]
missing = ["-1"]
prevalences = [0.02, 0.1]
[[conditions.operating_points]]
name = "effusion-rule-out"
threshold = 0.2
[[conditions.operating_points]]
name = "effusion-rule-in"
threshold = 0.7
[[conditions]]
name = "nodule"
column = "nodule"
positive = ["1", "2"]
negative = ["0"]
[[conditions.operating_points]]
name = "nodule-call"
threshold = 0.7
[[endpoints]]
name = "all"
metric = "macro_auroc"
limit = 0.8
[[endpoints]]
name = "effusion"
metric = "auroc@effusion"
limit = 0.85
[[endpoints]]
name = "sure"
metric = "specificity@effusion-rule-in"
limit = 0.9
[[subgroups]]
dimension = "sex"
column = "sex"
categories = [
    {{ name = "female", values = ["F"] }},
    {{ name = "male", values = ["M"] }},
]
[disclosure]
k = 11
"#
    )
}

fn read(text: &str) -> StudyProtocol {
    Draft::parse(text).unwrap().pin_model(Sha256Digest::of(b"model"), 5).unwrap()
}

#[test]
fn each_condition_has_a_column_values_and_cut_offs_of_its_own() {
    let protocol = read(&text());
    let Task::MultiLabel(conditions) = &protocol.task else { panic!("conditions") };
    let names: Vec<&str> = conditions.iter().map(|of| of.name.as_str()).collect();
    assert_eq!(names, ["effusion", "nodule"]);
    assert_eq!(
        (&conditions[1].positive[..], conditions[1].missing.len()),
        (&["1".to_owned(), "2".to_owned()][..], 0)
    );
    let points: Vec<_> = conditions.iter().map(|of| of.operating_points.len()).collect();
    assert_eq!((points, protocol.operating_points.len()), (vec![2, 1], 3));
    assert_eq!(
        (&conditions[0].prevalences[..], conditions[1].prevalences.len()),
        (&[0.02, 0.1][..], 0)
    );
    assert_eq!(protocol.subgroups.len(), 1);
    let output = &protocol.model.output;
    assert_eq!((output.values, output.separate, protocol.task.scores()), (2, true, 2));
    assert!(output.holds(&[0.9, 0.8]) && !output.holds(&[0.9, 1.1]) && !output.holds(&[]));
    let metric = MetricId::OfCondition(ConditionMetric::Auroc, "effusion".parse().unwrap());
    assert_eq!(protocol.endpoints[1].metric, metric);
    // Locked and read again it is the same.
    let locked = LockedProtocol::new(protocol.clone()).unwrap();
    assert_eq!(LockedProtocol::parse(locked.bytes()).unwrap().protocol(), &protocol);
    let logits = read(&text().replace("scale = \"probability\"", "scale = \"logit\""));
    assert_eq!(logits.model.output.scale, ScoreScale::Logit);
}

#[test]
fn what_several_conditions_do_not_have_is_refused_with_its_place() {
    for (from, to, path) in [
        ("name = \"nodule\"\ncolumn", "name = \"effusion\"\ncolumn", "conditions[1].name"),
        ("column = \"nodule\"", "column = \"effusion\"", "conditions[1].column"),
        ("column = \"nodule\"", "column = \"\"", "conditions[1].column"),
        ("[\"1\", \"2\"]", "[\"1\", \"0\"]", "conditions[1].negative"),
        ("missing = [\"-1\"]", "missing = [\"0\"]", "conditions[0].missing"),
        ("missing = [\"-1\"]", "missing = [\"\"]", "conditions[0].missing"),
        ("name = \"nodule-call\"", "name = \"effusion-rule-in\"", "operating_points[2].name"),
        ("threshold = 0.2", "threshold = 0.7", "operating_points[1].threshold"),
        ("unit = \"patient\"\ncombine = \"maximum\"", "unit = \"image\"", "analysis.unit"),
        (
            "combine = \"maximum\"",
            "combine = \"maximum\"\nprevalences = [0.1]",
            "analysis.prevalences",
        ),
        ("prevalences = [0.02, 0.1]", "prevalences = [1.0]", "conditions[0].prevalences"),
        (
            "[[conditions.operating_points]]\nname = \"nodule-call\"\nthreshold = 0.7",
            "prevalences = [0.1]",
            "conditions[1].prevalences",
        ),
        (
            "[[subgroups]]",
            "[[subgroups]]\ndimension = \"age\"\ncolumn = \"age\"\nbands = [\n{ name = \"young\", from = 0, \
             below = 50 },\n{ name = \"old\", from = 50, below = 130 },\n]\n[[subgroups]]",
            "subgroups",
        ),
        ("k = 11", "k = 11\nprofile = \"strict\"", "disclosure.profile"),
        ("auroc@effusion", "auroc@mass", "endpoints[1].metric"),
        ("auroc@effusion", "auroc", "endpoints[1].metric"),
        ("auroc@effusion", "class_auroc@effusion", "endpoints[1].metric"),
        ("auroc@effusion", "ece@effusion", "endpoints[1].metric"),
        ("limit = 0.85", "limit = 1.2", "endpoints[1].limit"),
        ("task = \"multi_label\"", "task = \"binary\"", "conditions"),
        (
            "[disclosure]",
            "[[operating_points]]\nname = \"x\"\nthreshold = 0.4\n[disclosure]",
            "operating_points[3]",
        ),
    ] {
        let changed = text().replace(from, to);
        assert_ne!(changed, text(), "{from}");
        let error = Draft::parse(&changed).unwrap_err();
        let paths: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert!(paths.contains(&path), "{to}: {path} is not among {paths:?}");
    }
}

/// Two conditions by seventeen categories and of the whole are thirty-six.
#[test]
fn more_conditions_by_group_than_a_site_would_let_out_are_refused() {
    for (categories, is_read) in [(17, true), (18, false)] {
        let listed: Vec<String> = (0..categories)
            .map(|place| format!("{{ name = \"c{place}\", values = [\"{place}\"] }},\n"))
            .collect();
        let own = "{ name = \"female\", values = [\"F\"] },\n    { name = \"male\", values = [\"M\"] },\n";
        let changed = text().replace(own, &listed.concat());
        assert_ne!(changed, text());
        match Draft::parse(&changed) {
            Ok(_) => assert!(is_read, "{categories}"),
            Err(error) => {
                assert!(!is_read, "{categories}: {error:?}");
                assert_eq!(error.problems[0].path, "subgroups[0]");
            }
        }
    }
}

#[test]
fn a_study_of_one_condition_has_no_metric_of_several() {
    let metric = support::STUDY.replace("metric = \"auroc\"", "metric = \"auroc@effusion\"");
    let error = Draft::parse(&metric).unwrap_err();
    assert_eq!(error.problems[0].path, "endpoints[0].metric");
}

fn performance(plan: &StudyProtocol) -> ConditionPerformance {
    let mut patients = patients(0, 200, [40, 30, 25]);
    patients[..20].iter_mut().for_each(|patient| patient.reference[1] = None);
    findings(plan, &patients).shown(plan.task.conditions(), &[true; 3])
}

#[test]
fn aggregates_of_conditions_survive_their_form_and_keep_every_relation() {
    let found = performance(&three_conditions(support::protocol(), "macro_auroc"));
    assert_eq!(found.check(), Ok(()));
    let canonical = Canonical::new(found.clone()).unwrap();
    let read: Canonical<ConditionPerformance> = Canonical::parse(canonical.bytes()).unwrap();
    assert_eq!(read.value(), &found);
    let mass = found.of(&"mass".parse().unwrap()).unwrap();
    assert_eq!(found.missing(mass), 20);
    assert!(found.macro_area().is_some_and(|(area, se)| area > 0.5 && se > 0.0));
}

#[test]
fn what_no_cohort_has_is_refused() {
    let plan = three_conditions(support::protocol(), "macro_auroc");
    let wrong: [fn(&mut ConditionPerformance); 8] = [
        |p| p.conditions.truncate(1),
        |p| p.patients = 199,
        |p| p.patients = u64::MAX,
        |p| p.macro_se_nano = Cell::Released(500_000_000),
        |p| p.macro_se_nano = Cell::Released(0),
        |p| p.macro_se_nano = Cell::Released(*p.macro_se_nano.released().unwrap() + 1),
        |p| p.conditions[1].performance = Cell::Suppressed,
        |p| {
            let Cell::Released(own) = &mut p.conditions[0].performance else { panic!("effusion") };
            own.patients.total -= 1;
        },
    ];
    for (place, wrong) in wrong.into_iter().enumerate() {
        let mut found = performance(&plan);
        wrong(&mut found);
        assert!(found.check().is_err(), "{place}");
    }
    // Where its error stayed, the mean has the largest that it can have.
    let mut found = performance(&plan);
    let (mean, se) = found.macro_area().unwrap();
    found.macro_se_nano = Cell::Suppressed;
    assert_eq!(found.check(), Ok(()));
    let (same, most) = found.macro_area().unwrap();
    assert!(same.to_bits() == mean.to_bits() && most > se);
    // A condition stays with the mean.
    let mut found = performance(&plan);
    found.conditions[1].performance = Cell::Suppressed;
    found.macro_se_nano = Cell::Suppressed;
    assert_eq!((found.check(), found.macro_area()), (Ok(()), None));
}

#[test]
fn groups_that_are_no_part_of_the_whole_are_refused() {
    let plan = by_scanner(three_conditions(support::protocol(), "macro_auroc"));
    let mut patients = patients(0, 300, [40, 30, 25]);
    for (place, patient) in (0_u16..).zip(&mut patients) {
        patient.group = Some(place % 3);
    }
    let counted = findings(&plan, &patients);
    let conditions = plan.task.conditions();
    let overall = || counted.shown(conditions, &[true; 3]);
    let groups = || -> Vec<SubgroupCell<ConditionPerformance>> {
        let cell = |(name, group): (&str, &ConditionGroup)| SubgroupCell {
            category: name.parse().unwrap(),
            dimension: "scanner".parse().unwrap(),
            performance: group.shown(conditions, &[true; 3]),
        };
        ["a", "b", "c"].into_iter().zip(&counted.groups).map(cell).collect()
    };
    assert_eq!(condition_groups::check(&overall(), &groups()), Ok(()));
    let wrong: [fn(&mut ConditionPerformance); 4] = [
        |group| group.patients = 250,
        |group| group.macro_se_nano = Cell::Released(20_000_000),
        |group| {
            for own in &mut group.conditions {
                own.performance = Cell::Suppressed;
            }
        },
        |group| {
            let Cell::Released(own) = &mut group.conditions[0].performance else { panic!("told") };
            own.patients.total -= 1;
        },
    ];
    for (place, wrong) in wrong.into_iter().enumerate() {
        let mut groups = groups();
        let Cell::Released(group) = &mut groups[1].performance else { panic!("told") };
        wrong(group);
        assert!(condition_groups::check(&overall(), &groups).is_err(), "{place}");
    }
    // A condition that stays of the whole.
    let without = counted.shown(conditions, &[true, false, true]);
    assert!(condition_groups::check(&without, &groups()).is_err());
    let nothing = counted.groups[0].shown(conditions, &[false; 3]);
    assert_eq!(nothing, Cell::Suppressed);
}
