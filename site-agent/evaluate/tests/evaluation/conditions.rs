//! Evaluations of a study of several conditions.

use fedval_study::SiteSummary;
use fedval_study::conditions::ConditionFindings;
use fedval_study::members::UNLISTED;
use fedval_study::protocol::{
    AttributeSource, Category, Combine, Condition, Dimension, Grouping, ModelOutput,
    PredictionTables, Task,
};
use fedval_study::summary::{FailureReason, Findings};

use crate::onnx_file;
use crate::site::{CASES, Row, Site};

/// A site with a model of two conditions, of which the second is known by the scanner's column.
async fn labelled() -> Site {
    let mut site = Site::by_patient(Combine::Mean).await;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let condition = |name: &str, column: &str, [positive, negative]: [&[&str]; 2]| Condition {
        name: name.parse().unwrap(),
        column: column.to_owned(),
        missing: texts(&["u"]),
        negative: texts(negative),
        operating_points: Vec::new(),
        positive: texts(positive),
        prevalences: Vec::new(),
    };
    site.protocol.task = Task::MultiLabel(vec![
        condition("effusion", "label", [&["1"], &["0"]]),
        condition("nodule", "scanner", [&["yes"], &["no"]]),
    ]);
    site.protocol.operating_points.clear();
    site.protocol.subgroups.clear();
    let one = onnx_file::specification(b"").output;
    let output = ModelOutput { values: 2, separate: true, ..one };
    site.bring_model(&onnx_file::bytes(onnx_file::three_classes()), output);
    for row in &mut site.rows {
        row.label = ["0", "1"][row.patient % 2];
        row.scanner = ["yes", "no", "no"][row.patient % 3];
    }
    site.write_manifest();
    site
}

fn counted(summary: &SiteSummary) -> &ConditionFindings {
    let Findings::Conditions(found) = &summary.findings else { panic!("conditions") };
    for performance in found.conditions.iter().flatten() {
        performance.check().unwrap();
    }
    found
}

/// Patients with and without the condition at `place`.
fn sides(found: &ConditionFindings, place: usize) -> (u64, u64) {
    let patients = found.conditions[place].as_ref().unwrap().patients;
    (patients.with_positive, patients.with_negative)
}

pub(crate) async fn counts_each() {
    let site = labelled().await;
    let summary = site.run("chest-r1").await.unwrap();
    let found = counted(&summary);
    assert_eq!(found.patients, 30);
    assert_eq!((sides(found, 0), sides(found, 1)), ((15, 15), (10, 20)));
    assert!(found.macro_se_nano.is_some());
    // Each image under both labels, in a cell of each condition.
    assert_eq!((summary.members.patients.len(), summary.members.cases.len()), (30, 2 * CASES));
    let cells = |row: &Row| {
        let of = [u16::from(row.label == "0"), u16::from(row.scanner == "no")];
        of.to_vec()
    };
    for row in &site.rows {
        let is_there = summary.members.cases.iter().any(|case| case.cells == cells(row));
        assert!(is_there, "{}", row.case_id);
    }
}

/// By the column of the second condition, which splits the first and none of the second; images of a patient in no category
/// are in no group.
pub(crate) async fn counts_groups() {
    let mut site = labelled().await;
    let category =
        |name: &str| Category { name: name.parse().unwrap(), values: vec![name.to_owned()] };
    site.protocol.subgroups = vec![Dimension {
        name: "scanner".parse().unwrap(),
        source: AttributeSource::Column("scanner".to_owned()),
        grouping: Grouping::Categories(["yes", "other"].map(category).into()),
    }];
    let summary = site.run("chest-r1").await.unwrap();
    let found = counted(&summary);
    let patients: Vec<u64> = found.groups.iter().map(|group| group.patients).collect();
    assert_eq!((found.patients, patients), (30, vec![10, 0]));
    let [with, nobody] = &found.groups[..] else { panic!("two categories") };
    assert!(nobody.conditions.iter().all(Option::is_none));
    let of = |place: usize| with.conditions[place].as_ref().unwrap().patients;
    assert_eq!((of(0).with_positive, of(0).with_negative), (5, 5));
    assert_eq!((of(1).with_positive, of(1).with_negative), (10, 0));
    // Two conditions, the scanner, and each of both by it.
    for row in &site.rows {
        let (one, other) = (u16::from(row.label == "0"), u16::from(row.scanner == "no"));
        let by_group = |cell: u16| if other == 0 { 2 * cell } else { UNLISTED };
        let cells =
            [one, other, if other == 0 { 0 } else { UNLISTED }, by_group(one), by_group(other)];
        assert!(summary.members.cases.iter().any(|case| case.cells == cells), "{}", row.case_id);
    }
    assert!(summary.members.cases.iter().all(|case| case.cells.len() == 5));
}

/// One reference that is missing takes its patient out of that condition alone; few of them out of all.
pub(crate) async fn leaves_out() {
    let mut site = labelled().await;
    let lacking = |site: &mut Site, patients: usize| {
        for row in &mut site.rows {
            if row.patient < patients {
                row.scanner = "u";
            }
        }
        site.write_manifest();
    };
    lacking(&mut site, 4);
    let few = site.run("chest-r1").await.unwrap();
    let found = counted(&few);
    assert_eq!((found.patients, sides(found, 0)), (26, (13, 13)));
    let aside = few.failures.iter().filter(|of| of.contains(&FailureReason::NoReference)).count();
    assert_eq!((aside, few.members.patients.len()), (4, 26));
    lacking(&mut site, 12);
    let many = site.run("chest-r2").await.unwrap();
    let found = counted(&many);
    assert_eq!((found.patients, sides(found, 0)), (30, (15, 15)));
    assert_eq!(sides(found, 1), (6, 12));
    assert!(many.failures.is_empty());
}

/// Scores of conditions are no distribution: they need not add up to 1.
pub(crate) async fn does_not_add_up() {
    let mut site = labelled().await;
    site.protocol.prediction_tables = PredictionTables::Accept;
    site.bring_scores(|row| {
        let cells = match row.case_id.as_str() {
            "CASE0" => "0.9,0.8",
            "CASE2" | "CASE3" => "1.2,0.5",
            _ => "0.1,0.1",
        };
        cells.to_owned()
    });
    let summary = site.run("chest-r1").await.unwrap();
    let invalid = summary.failures.iter();
    let invalid = invalid.filter(|of| of.contains(&FailureReason::InvalidOutput)).count();
    assert_eq!((invalid, counted(&summary).patients), (1, 29));
}
