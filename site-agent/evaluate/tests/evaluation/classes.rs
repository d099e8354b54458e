//! Evaluations of a study of grades.

use std::collections::BTreeSet;

use fedval_study::protocol::{Class, Combine, ModelOutput, PredictionTables, Task};
use fedval_study::summary::{FailureReason, Findings};
use fedval_study::{ClassPerformance, SiteSummary};

use crate::site::{CASES, Row, Site};
use crate::{onnx_file, shards};

/// A site with a model of three grades, of which each patient has one, the first patient's second image a higher one.
async fn graded() -> Site {
    let mut site = Site::by_patient(Combine::Maximum).await;
    let class = |name: &str| Class {
        name: format!("c{name}").parse().unwrap(),
        values: vec![name.to_owned()],
    };
    site.protocol.task = Task::Ordinal(["0", "1", "2"].map(class).into());
    let output = ModelOutput { values: 3, ..onnx_file::specification(b"").output };
    site.bring_model(&onnx_file::bytes(onnx_file::three_classes()), output);
    for row in &mut site.rows {
        row.label = ["0", "1", "2"][row.patient % 3];
    }
    site.rows[1].label = "2";
    site.write_manifest();
    site
}

/// What was counted, which keeps every relation that data keep.
fn counted(summary: &SiteSummary) -> &ClassPerformance {
    let Findings::Classes(Some(found)) = &summary.findings else { panic!("classes") };
    found.check().unwrap();
    found
}

pub(crate) async fn counts_grades() {
    let site = graded().await;
    let summary = site.run("chest-r1").await.unwrap();
    let found = counted(&summary);
    let called = |row: &Row| {
        let of = |(weight, bias): (f32, f32)| weight * f32::from(row.grey) / 255.0 + bias;
        let sums = onnx_file::CLASSES.map(of);
        (0..3).max_by(|one, other| sums[*one].total_cmp(&sums[*other])).unwrap()
    };
    let mut expected = vec![vec![0; 3]; 3];
    for images in site.rows.chunks(2) {
        let class = images.iter().map(|row| row.label.parse::<usize>().unwrap()).max().unwrap();
        expected[class][images.iter().map(called).max().unwrap()] += 1;
    }
    assert_eq!(found.confusion, expected);
    assert_eq!((found.patients(), found.areas.is_some()), (30, false));
    assert!(expected.iter().all(|row| row.iter().sum::<u64>() > 0) && found.called()[2] > 0);
    // Each image under both labels, in the cell of its patient's class.
    assert_eq!((summary.members.patients.len(), summary.members.cases.len()), (30, 2 * CASES));
    assert!(summary.members.cases[..4].iter().all(|case| case.cells == [2]));
}

/// Were the class that of the images that could be scored, failing would make patients healthier.
pub(crate) async fn keeps_grades() {
    let site = graded().await;
    let whole = site.run("chest-r1").await.unwrap();
    // Of the first patient the image of the highest grade cannot be read, of the second none can.
    for index in [1, 2, 3] {
        site.damage(index);
    }
    let summary = site.run("chest-r2").await.unwrap();
    let mut expected = counted(&whole).sizes();
    expected[1] -= 1;
    assert_eq!(counted(&summary).sizes(), expected);
    let undecodable = BTreeSet::from([FailureReason::Undecodable]);
    assert_eq!(summary.failures, [undecodable.clone(), undecodable]);
}

pub(crate) async fn adds_up() {
    let mut site = graded().await;
    site.protocol.prediction_tables = PredictionTables::Accept;
    site.bring_scores(|row| {
        let cells = match row.case_id.as_str() {
            // As far from 1 as decimals may lead.
            "CASE0" => "0.02,0.5,0.5",
            "CASE2" => "0.9,0.8,0.7",
            "CASE3" => "0.1,0.1,0.1",
            "CASE4" => ",0.5,0.5",
            _ => "0.1,0.2,0.7",
        };
        cells.to_owned()
    });
    let summary = site.run("chest-r1").await.unwrap();
    let invalid = BTreeSet::from([FailureReason::InvalidOutput]);
    assert_eq!(summary.failures, [invalid.clone(), invalid], "of two patients");
    // Both images of the second patient are invalid, one of the third.
    assert_eq!(counted(&summary).called(), [0, 0, 29]);
}

pub(crate) async fn splits_grades() {
    let site = graded().await;
    let alone = site.run("chest-r1").await.unwrap();
    shards::come_to(&site, "chest-r2", 3, &alone).await;
}
