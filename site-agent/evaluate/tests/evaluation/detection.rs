//! Evaluations of a study of findings with a place.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use fedval_ambient::Problem as _;
use fedval_evaluate::Progress;
use fedval_ingest::{ConceptCode, FindingsSource, IndexTestColumn};
use fedval_study::detection::DetectionFindings;
use fedval_study::protocol::{
    DetectionPlan, DetectionPoint, Matching, PredictionTables, ScoreScale, Task,
};
use fedval_study::summary::{FailureReason, Findings};
use fedval_study::{FailedStage, SiteSummary};

use crate::site::{CASES, Row, Site};

const POINTS: &str = "case_id,x,y,radius_mm\n";
const SCORES: &str = "case_id,x,y,score\n";

/// A site whose every second patient has a lesion in each of two scans; it is found with a score that falls from scan
/// to scan. Every third scan has a false positive of 0.5.
async fn with_findings() -> Site {
    let mut site = Site::new().await;
    site.protocol.task = Task::Detection(DetectionPlan {
        bins: 10,
        matching: Matching::CentreInRadius,
        most_candidates: 5,
        most_lesions: 1,
        point: DetectionPoint { edge: 5, name: "call".parse().unwrap() },
    });
    site.protocol.prediction_tables = PredictionTables::Accept;
    site.protocol.model.output.scale = ScoreScale::Probability;
    site.protocol.operating_points.clear();
    let folder = site.file(0).parent().unwrap().to_path_buf();
    let source = FindingsSource {
        reference: folder.join("reference.csv"),
        predicted: folder.join("predicted.csv"),
        score: ConceptCode::default(),
        status: Some("status".to_owned()),
    };
    let (mut reference, mut predicted) = (POINTS.to_owned(), SCORES.to_owned());
    for (index, row) in site.rows.iter().enumerate() {
        if row.is_positive() {
            writeln!(reference, "{},10,10,2", row.case_id).unwrap();
            let score = 0.95 - 0.1 * f64::from(u32::try_from(index % 10).unwrap());
            writeln!(predicted, "{},11,10,{score:.2}", row.case_id).unwrap();
        }
        if index % 3 == 0 {
            writeln!(predicted, "{},50,50,0.5", row.case_id).unwrap();
        }
    }
    fs::write(&source.reference, reference).unwrap();
    fs::write(&source.predicted, predicted).unwrap();
    site.columns.index_test = IndexTestColumn::Findings(source);
    write_manifest(&site, |_, _| "");
    site
}

fn write_manifest(site: &Site, status: impl Fn(usize, &Row) -> &'static str) {
    let mut text = "case_id,patient_id,status,scanner\n".to_owned();
    for (index, row) in site.rows.iter().enumerate() {
        let Row { case_id, patient, scanner, .. } = row;
        let status = status(index, row);
        writeln!(text, "{case_id},PATIENT{patient},{status},{scanner}").unwrap();
    }
    fs::write(site.file(0).with_file_name("manifest.csv"), text).unwrap();
}

fn counted(summary: &SiteSummary) -> &DetectionFindings {
    let Findings::Detection(found) = &summary.findings else { panic!("findings") };
    assert_eq!(found.scans.len(), summary.members.cases.len());
    found
}

pub(crate) async fn counts_findings() {
    let site = with_findings().await;
    let progress = Progress::default();
    let summary = site.run_watched("chest-r1", &progress).await.unwrap();
    assert_eq!(progress.get(), (CASES, CASES));
    let found = counted(&summary);
    // Of each patient one lesion counts, that of the first scan; a second scan that has one is left out.
    let counts = |index: &usize| !(site.rows[*index].is_positive() && index % 2 == 1);
    let places: Vec<usize> = (0..CASES).filter(counts).collect();
    assert_eq!((found.scans.len(), places.len()), (CASES - CASES / 4, CASES - CASES / 4));
    for (place, (index, scan)) in places.into_iter().zip(&found.scans).enumerate() {
        let has_lesion = site.rows[index].is_positive();
        assert_eq!(scan.lesions, u16::from(has_lesion), "{index}");
        let score = 95 - 10 * (index % 10);
        for edge in 0..10 {
            let is_hit = has_lesion && score >= 10 * edge;
            let is_other = index % 3 == 0 && 50 >= 10 * edge;
            assert_eq!(scan.hits[edge], u16::from(is_hit), "{index} {edge}");
            assert_eq!(scan.false_positives[edge], u16::from(is_other), "{index} {edge}");
        }
        assert_eq!(summary.members.cases[place].positive, has_lesion);
    }
    assert_eq!(summary.members.patients.len(), CASES / 2);
    // Scanners `a`, `b`, `c`, one that nobody listed and one that nobody knows.
    let cells: BTreeSet<u16> = summary.members.cases.iter().map(|case| case.cells[0]).collect();
    assert_eq!(cells, BTreeSet::from([0, 1, 2, u16::MAX]));
    assert!(summary.failures.is_empty());
    // The commitment binds findings as it binds images.
    let again = site.run("chest-r2").await.unwrap();
    assert_eq!(again.cohort, summary.cohort);
    let IndexTestColumn::Findings(source) = &site.columns.index_test else { panic!("findings") };
    let text = fs::read_to_string(&source.predicted).unwrap();
    fs::write(&source.predicted, text.replacen("0.5\n", "0.4\n", 1)).unwrap();
    let other = site.run("chest-r3").await.unwrap();
    assert_ne!(other.cohort, summary.cohort);
}

pub(crate) async fn leaves_out_unread_scans() {
    let site = with_findings().await;
    write_manifest(&site, |index, _| match index {
        // Scans without findings in the files: a negative patient's, no third one.
        1 | 5 => "no_result",
        4 => "no_reference",
        _ => "",
    });
    let summary = site.run("chest-r1").await.unwrap();
    // Beside these the second scan of each patient who has lesions.
    assert_eq!(counted(&summary).scans.len(), CASES - 3 - CASES / 4);
    let of = |reasons: &[FailureReason]| reasons.iter().copied().collect::<BTreeSet<_>>();
    let [no_result, no_reference] = [FailureReason::InvalidOutput, FailureReason::NoReference];
    assert_eq!(summary.failures, [of(&[no_result]), of(&[no_result, no_reference])]);
}

/// The only lesion of the first patient who has some was left open in both scans, and nothing is known of them.
pub(crate) async fn leaves_out_scans_whose_lesions_do_not_count() {
    let site = with_findings().await;
    let IndexTestColumn::Findings(source) = &site.columns.index_test else { panic!("findings") };
    let patient = site.rows.iter().find(|row| row.is_positive()).unwrap().patient;
    let mut reference = POINTS.replace('\n', ",excluded\n");
    for row in site.rows.iter().filter(|row| row.is_positive()) {
        let open = u8::from(row.patient == patient);
        writeln!(reference, "{},10,10,2,{open}", row.case_id).unwrap();
    }
    fs::write(&source.reference, reference).unwrap();
    let summary = site.run("chest-r1").await.unwrap();
    assert_eq!(counted(&summary).scans.len(), CASES - CASES / 4 - 1);
    assert_eq!(summary.members.patients.len(), CASES / 2 - 1);
    assert!(summary.failures.is_empty(), "nothing failed");
}

pub(crate) async fn refuses_other_files() {
    let mut site = with_findings().await;
    let IndexTestColumn::Findings(source) = &site.columns.index_test else { panic!("findings") };
    let predicted = source.predicted.clone();
    fs::write(&predicted, format!("{SCORES}CASE0,1,1,1.5\n")).unwrap();
    let error = site.run("chest-r1").await.unwrap_err();
    assert_eq!((error.code(), error.stage()), ("FINDINGS_INVALID", Some(FailedStage::DataSource)));
    // Four of sixty are more than one in twenty.
    fs::write(&predicted, SCORES).unwrap();
    write_manifest(&site, |index, _| if index < 4 { "no_result" } else { "" });
    let error = site.run("chest-r2").await.unwrap_err();
    assert_eq!(error.code(), "TOO_MANY_FAILED_CASES");
    site.protocol.prediction_tables = PredictionTables::Refuse;
    let error = site.run("chest-r3").await.unwrap_err();
    assert_eq!(error.code(), "PREDICTIONS_NOT_ACCEPTED");
    site.protocol.prediction_tables = PredictionTables::Accept;
    site.protocol.task = Task::Binary;
    let error = site.run("chest-r4").await.unwrap_err();
    assert_eq!((error.code(), error.stage()), ("MANIFEST_INVALID", Some(FailedStage::DataSource)));
}
