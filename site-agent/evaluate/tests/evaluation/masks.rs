//! Evaluations of a study of masks.

use std::fmt::Write as _;
use std::fs;

use fedval_ingest::IndexTestColumn;
use fedval_stats::segmentation::PresenceTally;
use fedval_study::SiteSummary;
use fedval_study::protocol::{Border, Combine, PredictionTables, ScoreScale, Structure, Task};
use fedval_study::summary::{FailureReason, Findings, MeasureFindings};
use image::{GrayImage, Luma};

use crate::shards;
use crate::site::{CASES, Row, Site};

/// Pixels of the first column of a square of 3 × 3, or of no square.
type Square = Option<u32>;

/// The squares of both masks of a case: of ten patients one is missed in the first image, one has none in either mask,
/// and one is seen where there is none, in the first image alone.
fn squares(patient: usize, image: usize) -> (Square, Square) {
    let moved = u32::try_from((patient + image) % 3).unwrap();
    match (patient % 10, image) {
        (7, 0) => (Some(1), None),
        (9, 0) => (None, Some(1)),
        (8 | 9, _) => (None, None),
        _ => (Some(1), Some(1 + moved)),
    }
}

/// Of 18 pixels of both squares, three rows of those that they share.
fn dice(squares: (Square, Square)) -> Option<f64> {
    let (reference, predicted) = (squares.0?, squares.1?);
    let shared = 3 - i32::try_from(reference.abs_diff(predicted)).unwrap();
    Some(f64::from(shared) / 3.0)
}

async fn outlining(combine: Combine) -> Site {
    let mut site = Site::by_patient(combine).await;
    site.protocol.task = Task::Segmentation(Structure {
        labels: vec![255],
        other_labels: Vec::new(),
        rois: Vec::new(),
        border: Border::VoxelBorder,
        tolerance_um: 500,
        hd95_bound_um: 1_200,
        pixel_spacing_um: Some(1_000),
    });
    site.protocol.model.output.scale = ScoreScale::Value;
    site.protocol.prediction_tables = PredictionTables::Accept;
    let (reference, predicted) = ("truth".to_owned(), "model".to_owned());
    site.columns.index_test = IndexTestColumn::Masks { reference, predicted };
    let mut text = "case_id,patient_id,truth,model,scanner\n".to_owned();
    for (index, row) in site.rows.iter().enumerate() {
        let Row { case_id, patient, scanner, .. } = row;
        let (truth, model) = squares(*patient, index % 2);
        let names = [("truth", truth), ("model", model)].map(|(what, square)| {
            let name = format!("{case_id}-{what}.png");
            draw(square).save(site.file(index).with_file_name(&name)).unwrap();
            name
        });
        writeln!(text, "{case_id},PATIENT{patient},{},{},{scanner}", names[0], names[1]).unwrap();
    }
    fs::write(site.file(0).with_file_name("manifest.csv"), text).unwrap();
    site
}

fn draw(square: Square) -> GrayImage {
    GrayImage::from_fn(12, 8, |x, y| {
        let is_in = square.is_some_and(|first| (first..first + 3).contains(&x));
        Luma([if is_in && (2..5).contains(&y) { 255 } else { 0 }])
    })
}

fn counted(summary: &SiteSummary) -> &MeasureFindings {
    let Findings::Measures(found) = &summary.findings else { panic!("measures") };
    found
}

pub(crate) async fn measures_patients() {
    let site = outlining(Combine::Mean).await;
    assert_eq!(CASES, 60, "two images of thirty patients");
    let summary = site.run("chest-r1").await.unwrap();
    let found = counted(&summary);
    let tally = PresenceTally { both: 21, only_reference: 3, only_predicted: 3, neither: 3 };
    assert_eq!(found.empty_masks, Some(tally));
    let overall = found.overall.as_ref().unwrap();
    let expected: Vec<f64> = (0..30)
        .filter(|patient| patient % 10 < 7)
        .map(|patient| {
            let of = |image| dice(squares(patient, image)).unwrap();
            f64::midpoint(of(0), of(1))
        })
        .collect();
    assert_eq!((overall.patients, expected.len()), (21, 21));
    let mean = expected.iter().sum::<f64>() / 21.0;
    assert!((overall.measures[0].moments.mean().unwrap() - mean).abs() < 1e-5);
    // HD95 is the shift of the square, 0 to 2 pixels; the mean of two images is then cut to 1.2 mm.
    let shift =
        |patient: usize, image: usize| f64::from(u8::try_from((patient + image) % 3).unwrap());
    let hd95 = (0..30)
        .filter(|patient| patient % 10 < 7)
        .map(|patient| f64::midpoint(shift(patient, 0), shift(patient, 1)).min(1.2));
    let mean = hd95.sum::<f64>() / 21.0;
    assert!((overall.measures[1].moments.mean().unwrap() - mean).abs() < 1e-5);
    assert_eq!(overall.measures.len(), 3);
    // Everybody is a member, whoever is measured.
    assert_eq!((summary.members.patients.len(), summary.members.cases.len()), (30, 2 * CASES));
    assert!(summary.failures.is_empty());
}

pub(crate) async fn counts_the_first_image() {
    let site = outlining(Combine::First).await;
    let summary = site.run("chest-r1").await.unwrap();
    let found = counted(&summary);
    let expected = (0..30).filter_map(|patient| dice(squares(patient, 0)));
    let expected: Vec<f64> = expected.collect();
    let overall = found.overall.as_ref().unwrap();
    let mean = expected.iter().sum::<f64>() / 21.0;
    assert!((overall.measures[0].moments.mean().unwrap() - mean).abs() < 1e-5);
}

/// One process against two: the same summary to the last bit, and nothing is left for whoever brings them together.
pub(crate) async fn splits_masks() {
    let site = outlining(Combine::Mean).await;
    let alone = site.run("chest-r1").await.unwrap();
    let progress = shards::come_to(&site, "chest-r2", 2, &alone).await;
    assert_eq!(progress.get(), (CASES, CASES), "nothing is looked at again");
}

pub(crate) async fn fails_what_cannot_be_compared() {
    let mut site = outlining(Combine::First).await;
    site.protocol.analysis.failure_limit = 0.2;
    let name = |index: usize, what: &str| {
        site.file(index).with_file_name(format!("{}-{what}.png", site.rows[index].case_id))
    };
    // Of three patients both images: another size, an unlisted value, no image at all.
    for index in [0, 1] {
        GrayImage::new(12, 9).save(name(index, "model")).unwrap();
        GrayImage::from_pixel(12, 8, Luma([1])).save(name(2 + index, "model")).unwrap();
        fs::write(name(4 + index, "truth"), b"no image").unwrap();
    }
    let summary = site.run("chest-r1").await.unwrap();
    let mut reasons: Vec<_> = summary.failures.iter().flatten().copied().collect();
    reasons.sort_unstable();
    let expected =
        [FailureReason::Undecodable, FailureReason::Unsupported, FailureReason::WrongSize];
    assert_eq!(reasons, expected);
    assert_eq!(counted(&summary).overall.as_ref().unwrap().patients, 18);
    assert_eq!(summary.members.patients.len(), 27);
}
