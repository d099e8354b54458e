//! Evaluations of a study of a quantity.

use std::collections::BTreeSet;

use fedval_study::SiteSummary;
use fedval_study::members::UNLISTED;
use fedval_study::protocol::{Combine, PredictionTables, Quantity, ScoreScale, Task};
use fedval_study::summary::{FailureReason, Findings, MeasureFindings, MeasureGroup};

use crate::site::{CASES, Row, Site};

/// The model says a number between −3 and 0 of each image.
const LABELS: [&str; 4] = ["-1.5", "-0.75", "-2.25", "-7"];
const LEAST: f64 = -2.0;
const LARGEST_ERROR: f64 = 0.8;

async fn measuring(combine: Combine) -> Site {
    let mut site = Site::by_patient(combine).await;
    site.protocol.task = Task::Regression(Quantity {
        grid_micro: 1_000,
        largest_error_micro: 800_000,
        lower_micro: -2_000_000,
        name: "darkness".parse().unwrap(),
        unit: String::new(),
        upper_micro: 0,
    });
    site.protocol.model.output.scale = ScoreScale::Value;
    for row in &mut site.rows {
        row.label = LABELS[row.patient % 4];
    }
    site.write_manifest();
    site
}

fn counted(summary: &SiteSummary) -> &MeasureFindings {
    let Findings::Measures(found) = &summary.findings else { panic!("measures") };
    found
}

/// Absolute error, error and middle of a patient, computed from the grey values of the images.
fn measures(images: &[Row], combine: Combine) -> [f64; 3] {
    let counted = if combine == Combine::First { &images[..1] } else { images };
    let clip = |value: f64| value.clamp(LEAST, 0.0);
    let mean = |of: &dyn Fn(&Row) -> f64| {
        let sum: f64 = counted.iter().map(of).sum();
        sum / f64::from(u32::try_from(counted.len()).unwrap())
    };
    let prediction = mean(&|row| clip(row.logit()));
    let reference = mean(&|row| clip(row.label.parse().unwrap()));
    let error = (prediction - reference).clamp(-LARGEST_ERROR, LARGEST_ERROR);
    [error.abs(), error, f64::midpoint(prediction, reference)]
}

fn check(found: Option<&MeasureGroup>, expected: &[[f64; 3]]) {
    let Some(found) = found else { return assert_eq!(expected.len(), 0) };
    assert_eq!(found.patients, expected.len() as u64);
    let n = f64::from(u32::try_from(expected.len()).unwrap());
    for (place, sums) in found.measures.iter().enumerate() {
        let mean = expected.iter().map(|of| of[place]).sum::<f64>() / n;
        assert!((sums.moments.mean().unwrap() - mean).abs() < 1e-5, "{place}");
        let largest = expected.iter().map(|of| of[place].abs()).fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
        let two = sums.two_largest_micro as f64 / 1e6;
        assert!((largest - 1e-5..=2.0 * largest + 1e-5).contains(&two), "{place}");
    }
    assert_eq!(found.measures.len(), 3);
}

pub(crate) async fn measures_patients() {
    for combine in [Combine::Mean, Combine::First] {
        let site = measuring(combine).await;
        let summary = site.run("chest-r1").await.unwrap();
        let found = counted(&summary);
        let of = |images: &[Row]| measures(images, combine);
        let all: Vec<[f64; 3]> = site.rows.chunks(2).map(of).collect();
        assert_eq!(all.len(), 30);
        check(found.overall.as_ref(), &all);
        assert!(all.iter().any(|of| (of[0] - LARGEST_ERROR).abs() < 1e-9), "some are cut off");
        // The protocol lists three scanners; others and none are in no cell.
        assert_eq!(found.tables.len(), 1);
        for (cell, group) in found.tables[0].iter().enumerate() {
            let scanner = ["a", "b", "c"][cell];
            let here = site.rows.chunks(2).filter(|images| images[0].scanner == scanner);
            check(group.as_ref(), &here.map(of).collect::<Vec<_>>());
        }
        // Each image under both labels, in the cell of its patient.
        let members = &summary.members;
        assert_eq!((members.patients.len(), members.cases.len()), (30, 2 * CASES));
        assert!(members.cases[..4].iter().all(|case| case.cells == [0]));
        assert!(members.cases.iter().any(|case| case.cells == [UNLISTED]));
        assert!(summary.failures.is_empty());
    }
}

/// A prediction that is no number is a case without a result; one beyond all bounds counts as the bound.
pub(crate) async fn fails_what_is_no_number() {
    let mut site = measuring(Combine::Mean).await;
    site.protocol.prediction_tables = PredictionTables::Accept;
    site.bring_scores(|row| match row.case_id.as_str() {
        "CASE0" => "NaN".to_owned(),
        "CASE1" => String::new(),
        "CASE2" => "-1e300".to_owned(),
        "CASE3" => "inf".to_owned(),
        _ => row.logit().to_string(),
    });
    site.protocol.analysis.failure_limit = 0.5;
    let summary = site.run("chest-r1").await.unwrap();
    let invalid = BTreeSet::from([FailureReason::InvalidOutput]);
    assert_eq!(summary.failures, [invalid.clone(), invalid], "of the first two patients");
    let overall = counted(&summary).overall.as_ref().unwrap();
    assert_eq!(overall.patients, 29, "the second has another image");
    let least = overall.measures[1].moments.mean().unwrap();
    assert!(least.abs() <= LARGEST_ERROR);
}
