//! A small study of each task but that of one condition. What its sites release, their gates let through.

#[path = "../../../study/tests/support/classes.rs"]
mod classes;
#[path = "../../../study/tests/support/conditions.rs"]
mod conditions;
#[path = "../../../study/tests/support/detection.rs"]
mod detection;
#[path = "../../../study/tests/support/masks.rs"]
mod masks;
#[path = "../../../study/tests/support/quantity.rs"]
mod quantity;

use fedval_stats::multiclass::{ClassScores, OneVersusRestSums};
use fedval_stats::segmentation::PresenceTally;
use fedval_study::classes::ClassAreas;
use fedval_study::conditions::ConditionFindings;
use fedval_study::detection::DetectionFindings;
use fedval_study::members::Member;
use fedval_study::protocol::{
    Class, Condition, OperatingPoint, PredictionTables, StudyProtocol, Task,
};
use fedval_study::summary::Findings;
use fedval_study::{
    ClassPerformance, CohortCommitment, Members, Outcome, Performance, ScoreSource, Sha256Digest,
    SiteSummary,
};
use ndarray::Array2;

use crate::cohort::{Case, performance};
use crate::consortium::{Answers, plan};
use crate::vetted::vetted;

/// A study, and what its sites answer.
pub(crate) struct Study {
    /// The task, as a draft names it.
    pub(crate) task: &'static str,
    pub(crate) plan: StudyProtocol,
    pub(crate) answers: Answers,
}

/// One of each task.
pub(crate) fn studies() -> [Study; 6] {
    [
        of_classes("multi_class", Task::MultiClass, "macro_auroc"),
        of_conditions(),
        of_classes("ordinal", Task::Ordinal, "quadratic_kappa"),
        of_findings(),
        of_masks(),
        of_a_quantity(),
    ]
}

/// Three sites release what they know, one is too small, one is silent.
fn study(task: &'static str, plan: StudyProtocol, summaries: [SiteSummary; 3]) -> Study {
    let scores = match plan.prediction_tables {
        PredictionTables::Accept => ScoreSource::PredictionTable,
        PredictionTables::Refuse => ScoreSource::Model,
    };
    let released = summaries.map(|summary| Some(vetted(&plan, summary, scores)));
    let mut answers: Answers = ["site-a", "site-b", "site-c"].into_iter().zip(released).collect();
    answers.push(("site-d", Some(Outcome::Insufficient)));
    answers.push(("site-e", None));
    Study { task, plan, answers }
}

fn summary(findings: Findings, members: Members) -> SiteSummary {
    SiteSummary {
        cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
        failures: Vec::new(),
        findings,
        members,
    }
}

fn of_classes(task: &'static str, of: fn(Vec<Class>) -> Task, metric: &str) -> Study {
    let mut plan = classes::three_classes(plan(), of, metric);
    plan.endpoints[0].limit = 0.3;
    let site = |first, patients, noise| class_summary(&plan, first, patients, noise);
    let summaries = [site(0, 120, 3), site(1_000, 150, 4), site(2_000, 135, 6)];
    study(task, plan, summaries)
}

/// Patients whose scores tell three classes apart the worse, the larger `noise` is.
fn class_summary(plan: &StudyProtocol, first: u32, patients: u32, noise: u32) -> SiteSummary {
    let class = |patient: u32| (patient * patient + patient / 4) % 3;
    let key = |patient: u32, of: u32| {
        let luck = (patient * 7_919 + of * 104_729) % 101;
        let own = class(patient);
        luck * noise + if own == of { 300 } else { 100 - 50 * own.abs_diff(of) }
    };
    let (mut members, mut confusion) = (Members::default(), vec![vec![0; 3]; 3]);
    for patient in 0..patients {
        let called = (0..3).max_by_key(|of| (key(patient, *of), 3 - of)).unwrap();
        confusion[place(class(patient))][place(called)] += 1;
        let mut case = [0; 16];
        case[..4].copy_from_slice(&(first + patient).to_le_bytes());
        members.patients.push(case);
        let cells = vec![u16::try_from(class(patient)).unwrap()];
        members.cases.extend([true, false].map(|positive| Member {
            patient,
            case,
            positive,
            cells: cells.clone().into(),
        }));
    }
    let areas = matches!(plan.task, Task::MultiClass(_)).then(|| {
        let keys = Array2::from_shape_fn((place(patients), 3), |(patient, of)| {
            let [patient, of] = [patient, of].map(|number| u32::try_from(number).unwrap());
            i64::from(key(patient, of))
        });
        let class = (0..patients).map(|patient| place(class(patient))).collect();
        let scores = ClassScores::new(class, keys).unwrap();
        Box::new(ClassAreas::of(&OneVersusRestSums::of(&scores)).unwrap())
    });
    summary(Findings::Classes(Some(ClassPerformance { areas, confusion })), members)
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap()
}

/// Three scanners, a condition with two cut-offs and prevalences of its own. At the first site many of each group were not
/// assessed for nodules, at the last few: it tells of these as a whole alone.
fn of_conditions() -> Study {
    let mut plan = conditions::by_scanner(conditions::three_conditions(plan(), "macro_auroc"));
    let sure = OperatingPoint { name: "effusion-sure".parse().unwrap(), threshold: 0.6 };
    let Task::MultiLabel(of) = &mut plan.task else { panic!("conditions") };
    of[0].operating_points.push(sure.name.clone());
    of[0].prevalences = vec![0.02, 0.1];
    plan.operating_points.push(sure);
    let site = |first, count, lacking: usize| {
        let mut patients = conditions::patients(first, count, [40, 30, 25]);
        for (place, patient) in (0_u16..).zip(&mut patients) {
            patient.group = Some(place % 3);
        }
        patients[..lacking].iter_mut().for_each(|patient| patient.reference[2] = None);
        let members = conditions::members(&plan, &patients);
        summary(Findings::Conditions(condition_findings(&plan, &patients)), members)
    };
    let summaries = [site(0, 450, 45), site(1_000, 510, 0), site(2_000, 480, 12)];
    study("multi_label", plan, summaries)
}

/// What is counted of each condition is what a study of it alone counts, of all and of each group.
fn condition_findings(plan: &StudyProtocol, patients: &[conditions::Patient]) -> ConditionFindings {
    let alone = |of: usize, condition: &Condition, group: Option<u16>| {
        let mut own = plan.clone();
        own.operating_points.retain(|point| condition.operating_points.contains(&point.name));
        let case = |patient: &conditions::Patient| {
            let (positive, score) = (patient.reference[of]?, patient.scores[of]);
            Some(Case { patient: patient.key, positive, female: false, old: false, score })
        };
        let counted = patients.iter().filter(|patient| group.is_none() || patient.group == group);
        Some(performance(&counted.filter_map(case).collect::<Vec<_>>(), &own))
    };
    let counted = |group: Option<u16>| -> Vec<Option<Performance>> {
        let conditions = plan.task.conditions().iter().enumerate();
        conditions.map(|(of, condition)| alone(of, condition, group)).collect()
    };
    let mut found = conditions::findings(plan, patients);
    for (group, own) in (0..).zip(&mut found.groups) {
        own.conditions = counted(Some(group));
    }
    ConditionFindings { conditions: counted(None), ..found }
}

fn of_findings() -> Study {
    let mut plan = detection::of_findings(plan());
    plan.subgroups.truncate(1);
    plan.endpoints[0].limit = 0.6;
    let site = |patients, misses| {
        // Both sexes by turns.
        let (members, scans) = detection::evidence(&detection::scans(patients, &[2], misses));
        summary(Findings::Detection(DetectionFindings { scans }), members)
    };
    let summaries = [site(0..240, 3), site(1_000..1_300, 2), site(2_000..2_200, 4)];
    study("detection", plan, summaries)
}

fn of_masks() -> Study {
    let site = |patients, middle, [only_reference, only_predicted, neither]: [u64; 3]| {
        let tally = PresenceTally { both: 0, only_reference, only_predicted, neither };
        masks::summary(0, &masks::measured(patients, middle), tally)
    };
    let summaries =
        [site(220, 0.90, [4, 3, 12]), site(330, 0.74, [9, 1, 4]), site(110, 0.86, [0, 0, 0])];
    study("segmentation", masks::of_masks(plan(), 0.8), summaries)
}

fn of_a_quantity() -> Study {
    let mut plan = quantity::of_a_quantity(plan(), 8.0);
    plan.subgroups.truncate(1);
    let site = |first, count, bias| {
        let patients = quantity::patients((first, count), (bias, 5.0), |number| {
            vec![u16::from(number % 2 == 1)]
        });
        quantity::summary(&plan, &patients)
    };
    let summaries = [site(0, 240, 6.0), site(1_000, 310, 9.0), site(2_000, 190, 7.0)];
    study("regression", plan, summaries)
}
