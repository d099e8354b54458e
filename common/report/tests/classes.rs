//! Reports of studies with several classes or grades.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../study/tests/support/classes.rs"]
mod classes;
mod cohort;
mod consortium;
mod published;

use consortium::{Answers, Consortium, documents, plan};
use fedval_report::{AssembleError, Reason, Report, assemble, render_html, verify};
use fedval_stats::multiclass::{ClassScores, OneVersusRestSums};
use fedval_study::classes::ClassAreas;
use fedval_study::protocol::{Class, Profile, StudyProtocol, Task};
use fedval_study::{ClassPerformance, MetricId, Outcome, Release, Terms};
use ndarray::Array2;
use published::Published;
use serde_json::Value;

const OPENED: i64 = 1_760_000_000_000;

fn of_classes(task: fn(Vec<Class>) -> Task, metric: &str) -> StudyProtocol {
    let mut plan = classes::three_classes(plan(), task, metric);
    plan.endpoints[0].limit = 0.3;
    plan
}

/// A release of patients whose scores tell classes apart the worse, the larger `noise` is.
fn released(plan: &StudyProtocol, patients: usize, noise: usize) -> Outcome {
    let class: Vec<usize> =
        (0..patients).map(|patient| (patient * patient + patient / 4) % 3).collect();
    let key = |patient: usize, of: usize| {
        let luck = (patient * 7_919 + of * 104_729) % 101;
        luck * noise
            + if class[patient] == of { 300 } else { 100 - 50 * class[patient].abs_diff(of) }
    };
    let called = |patient: usize| (0..3).max_by_key(|of| (key(patient, *of), 3 - of)).unwrap();
    let mut confusion = vec![vec![0; 3]; 3];
    for patient in 0..patients {
        confusion[class[patient]][called(patient)] += 1;
    }
    let areas = matches!(plan.task, Task::MultiClass(_)).then(|| {
        let keys = Array2::from_shape_fn((patients, 3), |(patient, of)| {
            i64::try_from(key(patient, of)).unwrap()
        });
        let scores = ClassScores::new(class.clone(), keys).unwrap();
        Box::new(ClassAreas::of(&OneVersusRestSums::of(&scores)).unwrap())
    });
    Outcome::ReleasedClasses(Box::new(Release {
        attrition: Vec::new(),
        overall: ClassPerformance { areas, confusion },
        subgroups: Vec::new(),
        terms: Terms::exact(Profile::Standard, 11),
    }))
}

fn answers(plan: &StudyProtocol) -> Answers {
    vec![
        ("site-a", Some(released(plan, 240, 3))),
        ("site-b", Some(released(plan, 310, 4))),
        ("site-c", Some(released(plan, 190, 6))),
        ("site-d", Some(Outcome::Insufficient)),
        ("site-e", None),
    ]
}

fn both() -> [StudyProtocol; 2] {
    [of_classes(Task::Ordinal, "quadratic_kappa"), of_classes(Task::MultiClass, "macro_auroc")]
}

fn report(plan: &StudyProtocol) -> Report {
    let (protocol, round, results) = documents(plan, &answers(plan), OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

#[test]
fn a_report_of_classes_keeps_to_the_schema_and_its_package_verifies() {
    for plan in both() {
        let value: Value =
            serde_json::from_slice(report(&plan).canonical().unwrap().bytes()).unwrap();
        Published::read().check(&value).unwrap();
        let everyone = Consortium::new(20);
        let package = everyone.package(&plan, &answers(&plan));
        let files = package.files();
        let verification = verify(&files, Some(everyone.authority.root().fingerprint()));
        assert!(verification.first_failure().is_none(), "{:?}", verification.first_failure());
        let table = String::from_utf8(files["tables/confusion.csv"].clone()).unwrap();
        assert_eq!(table.lines().count(), 1 + 3 * 9);
    }
}

#[test]
fn every_metric_of_the_task_is_there_and_no_other() {
    for plan in both() {
        let report = report(&plan);
        let site = &report.sites[0];
        let names: Vec<String> = site.metrics.keys().map(ToString::to_string).collect();
        let is_ordinal = matches!(plan.task, Task::Ordinal(_));
        assert_eq!(names.contains(&"quadratic_kappa".to_owned()), is_ordinal);
        assert_eq!(names.contains(&"class_auroc@mild".to_owned()), !is_ordinal);
        assert!(!names.iter().any(|name| name == "auroc" || name == "brier"));
        assert!(site.metrics.values().all(|metric| metric.value().is_some()), "{names:?}");
        let main: MetricId = plan.endpoints[0].metric.clone();
        let pooled = report.synthesis_of(&main).unwrap();
        assert_eq!(pooled.k, 3);
        assert!(pooled.prediction_interval.value().is_some());
        let classes = report.classes.as_ref().unwrap();
        let all: u64 = classes.confusion.iter().flatten().sum();
        assert_eq!((all, classes.sites), (740, 3));
        assert_eq!(report.participants.patients, 740);
        assert_eq!(report.participants.n_pos, None);
    }
}

/// What a site says that calls its grades so.
fn called(confusion: [[u64; 3]; 3]) -> Outcome {
    let confusion = confusion.map(Vec::from).into();
    Outcome::ReleasedClasses(Box::new(Release {
        attrition: Vec::new(),
        overall: ClassPerformance { areas: None, confusion },
        subgroups: Vec::new(),
        terms: Terms::exact(Profile::Standard, 11),
    }))
}

#[test]
fn every_class_has_the_same_say_in_balanced_accuracy() {
    let [plan, _] = both();
    let answers = vec![("site-a", Some(called([[40, 10, 0], [1, 18, 1], [11, 10, 9]])))];
    let (protocol, round, results) = documents(&plan, &answers, OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    let metric = |id: MetricId| report.sites[0].metrics[&id].value().unwrap().clone();
    assert!((metric(MetricId::Accuracy).estimate - 0.67).abs() < 1e-12);
    let balanced = metric(MetricId::BalancedAccuracy);
    assert!((balanced.estimate - (0.8 + 0.9 + 0.3) / 3.0).abs() < 1e-12);
    let variance = |right: f64, of: f64| {
        let share = (right + 0.5) / (of + 1.0);
        share * (1.0 - share) / of
    };
    let variance = variance(40.0, 50.0) + variance(18.0, 20.0) + variance(9.0, 30.0);
    assert!((balanced.se.value().unwrap() - variance.sqrt() / 3.0).abs() < 1e-12);
}

#[test]
fn an_agreement_without_an_error_is_told_without_one() {
    let [plan, _] = both();
    let one_grade = called([[40, 0, 0], [30, 0, 0], [20, 0, 0]]);
    let all_right = called([[40, 0, 0], [0, 30, 0], [0, 0, 20]]);
    let answers = vec![
        ("site-a", Some(one_grade)),
        ("site-b", Some(all_right)),
        ("site-c", Some(released(&plan, 240, 3))),
        ("site-d", Some(released(&plan, 310, 4))),
    ];
    let (protocol, round, results) = documents(&plan, &answers, OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    let kappa = |site: usize| {
        report.sites[site].metrics[&MetricId::QuadraticKappa].value().unwrap().clone()
    };
    for (site, estimate, reason) in
        [(0, 0.0, Reason::ConstantScore), (1, 1.0, Reason::ZeroVariance)]
    {
        assert!((kappa(site).estimate - estimate).abs() < 1e-12);
        assert_eq!(kappa(site).se.reason(), Some(reason));
        assert_eq!(kappa(site).ci.reason(), Some(reason));
    }
    let pooled = report.synthesis_of(&MetricId::QuadraticKappa).unwrap();
    let left_out: Vec<_> = pooled.excluded.iter().map(|site| site.reason).collect();
    assert_eq!((pooled.k, left_out), (2, vec![Reason::ConstantScore, Reason::ZeroVariance]));
}

#[test]
fn the_page_shows_classes_calls_and_the_plot_of_the_metric() {
    for (plan, name) in both().into_iter().zip(["Quadratic weighted kappa", "Macro AUROC"]) {
        let page = render_html(&report(&plan), &[]).unwrap();
        for words in [
            name,
            "Patients of each class of the reference standard",
            "Called severe",
            &format!("Forest plot of {name} by site"),
            "740 patients of 3",
        ] {
            assert!(page.contains(words), "{words}");
        }
        for words in ["With condition", "Without pneumonia", "NaN"] {
            assert!(!page.contains(words), "{words}");
        }
    }
}

#[test]
fn a_release_of_another_task_or_that_no_cohort_has_is_refused() {
    let [ordinal, multi_class] = both();
    let binary = plan();
    let assembled = |plan: &StudyProtocol, outcome: Outcome| {
        let (protocol, round, results) = documents(plan, &vec![("site-a", Some(outcome))], OPENED);
        assemble(&protocol, &round, &results).map(|_| ())
    };
    for (plan, of) in [(&ordinal, &multi_class), (&multi_class, &ordinal), (&binary, &ordinal)] {
        let refused = assembled(plan, released(of, 240, 3));
        assert!(matches!(refused, Err(AssembleError::Schema { .. })), "{refused:?}");
    }
    let of_binary = consortium::answers(&binary).remove(0).1.unwrap();
    assert!(matches!(assembled(&ordinal, of_binary), Err(AssembleError::Schema { .. })));
    let Outcome::ReleasedClasses(mut release) = released(&ordinal, 240, 3) else {
        panic!("classes")
    };
    release.overall.confusion[1].pop();
    let refused = assembled(&ordinal, Outcome::ReleasedClasses(release.clone()));
    assert!(matches!(refused, Err(AssembleError::Contradictory { .. })), "{refused:?}");
    release.overall.confusion = vec![vec![20, 1], vec![1, 20]];
    let refused = assembled(&ordinal, Outcome::ReleasedClasses(release));
    assert!(matches!(refused, Err(AssembleError::Schema { .. })), "{refused:?}");
}
