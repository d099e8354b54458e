//! Reading files of findings: every problem in one pass, and no cell in any of them.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;

use fedval_ambient::Problem as _;
use fedval_ingest::findings::Place;
use fedval_ingest::{
    CaseFindings, Cohort, ColumnMapping, ConceptCode, FindingsError, FindingsSource, IndexTest,
    IndexTestColumn, ManifestError, ManifestSource, ScanStatus, read_findings, read_manifest,
};
use fedval_study::protocol::{
    DetectionPlan, DetectionPoint, Labels, Matching, OutputForm, ReferenceStandard, Task,
};
use tempfile::TempDir;

const MANIFEST: &str =
    "case_id,patient_id,status\nA,P1,\nB,P1,read\nC,P2,no_result\nD,P3,no_reference\n";
const REFERENCE: &str =
    "case_id,x,y,z,radius_mm,excluded\nA,1,2,3,4.5,\nA,-1.5,0,0,2,yes\nB,7,8,9,1,0\n";
const PREDICTED: &str = "case_id,x,y,z,score\nB,7,8,9.5,0.75\nA,1,1,1,1\n";

struct Site(TempDir);

impl Site {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn source(&self, status: Option<&str>) -> FindingsSource {
        FindingsSource {
            reference: self.0.path().join("reference.csv"),
            predicted: self.0.path().join("predicted.csv"),
            score: ConceptCode::default(),
            status: status.map(str::to_owned),
        }
    }

    fn cohort(&self, manifest: &str, task: &Task) -> Result<Cohort, ManifestError> {
        let path = self.0.path().join("manifest.csv");
        fs::write(&path, manifest).unwrap();
        let index_test = IndexTestColumn::Findings(self.source(Some("status")));
        let columns = ColumnMapping { index_test, ..ColumnMapping::default() };
        let source = ManifestSource { manifest: path, root: self.0.path().to_path_buf(), columns };
        let standard = ReferenceStandard {
            description: "two readers".to_owned(),
            positive: Vec::new(),
            negative: Vec::new(),
        };
        let labels =
            Labels { task, standard: &standard, takes_folders: false, form: OutputForm::Scores };
        Ok(read_manifest(&source, labels, &[])?.open_on_site().clone())
    }

    fn read(
        &self,
        matching: Matching,
        reference: impl AsRef<[u8]>,
        predicted: impl AsRef<[u8]>,
    ) -> Result<Vec<CaseFindings>, FindingsError> {
        let cohort = self.cohort(MANIFEST, &task()).unwrap();
        let source = self.source(Some("status"));
        fs::write(&source.reference, reference).unwrap();
        fs::write(&source.predicted, predicted).unwrap();
        Ok(read_findings(&source, &cohort, matching)?.open_on_site().clone())
    }
}

fn task() -> Task {
    Task::Detection(DetectionPlan {
        bins: 20,
        matching: Matching::CentreInRadius,
        most_candidates: 20,
        most_lesions: 10,
        point: DetectionPoint { edge: 10, name: "call".parse().unwrap() },
    })
}

/// Code and line of each problem.
fn problems(error: &FindingsError) -> Vec<(&'static str, Option<u64>)> {
    error.problems().iter().map(|problem| (problem.code(), problem.line())).collect()
}

#[test]
fn the_manifest_says_which_scans_were_read_and_needs_no_label() {
    let site = Site::new();
    let cohort = site.cohort(MANIFEST, &task()).unwrap();
    let status: Vec<ScanStatus> = cohort
        .cases()
        .map(|case| {
            let IndexTest::Findings(status) = case.index_test else { panic!("findings") };
            status
        })
        .collect();
    assert_eq!(
        status,
        [ScanStatus::Read, ScanStatus::Read, ScanStatus::NoResult, ScanStatus::NoReference]
    );
    assert!(cohort.cases().all(|case| case.reference.is_none()));
    let odd = site.cohort("case_id,patient_id,status\nA,P1,maybe\n", &task()).unwrap_err();
    let odd = &odd.problems()[0];
    assert_eq!((odd.code(), odd.line()), ("MANIFEST_STATUS_UNKNOWN", Some(2)));
    assert!(!odd.to_string().contains("maybe"));
    let other = site.cohort(MANIFEST, &Task::Binary).unwrap_err();
    assert_eq!(other.problems()[0].code(), "MANIFEST_OTHER_TASK");
}

#[test]
fn points_are_read_to_the_cases_they_belong_to() {
    let found = Site::new().read(Matching::CentreInRadius, REFERENCE, PREDICTED).unwrap();
    let sizes: Vec<_> = found.iter().map(|of| (of.reference.len(), of.predicted.len())).collect();
    assert_eq!(sizes, [(2, 1), (1, 1), (0, 0), (0, 0)]);
    let [first, second] = found[0].reference[..] else { panic!("two") };
    assert_eq!(first.place, Place::Point([1.0, 2.0, 3.0]));
    assert_eq!((first.radius_mm.to_bits(), first.excluded), (4.5_f64.to_bits(), false));
    assert!(second.excluded);
    assert_eq!(found[1].predicted[0].score.to_bits(), 0.75_f64.to_bits());
    assert_eq!(format!("{:?}", found[0]), "CaseFindings(..)");
}

#[test]
fn flat_points_and_boxes_have_columns_of_their_own() {
    let flat = Site::new().read(
        Matching::CentreInRadius,
        "case_id,x,y,radius_mm\nA,1,2,3\n",
        "score,case_id,y,x\n0.5,A,2,1\n",
    );
    assert_eq!(flat.unwrap()[0].predicted[0].place, Place::Point([1.0, 2.0, 0.0]));
    let boxes = Site::new().read(
        Matching::Iou(500),
        "case_id,x0,y0,x1,y1\nA,1,2,3,4\n",
        "case_id,x0,y0,x1,y1,score\nA,1,2,3,4,0\n",
    );
    assert_eq!(boxes.unwrap()[0].reference[0].place, Place::Box([1.0, 2.0, 3.0, 4.0]));
}

#[test]
fn every_problem_is_found_with_its_line_and_no_cell_is_quoted() {
    let reference = "case_id,x,y,z,radius_mm,excluded\n\
                     A,SECRET1,2,3,4,\nZSECRET,1,2,3,4,\nA,1,2,3,-4,\nA,1,2,3\nD,1,2,3,4,\nA,1,2,inf,4,perhaps\n";
    let predicted =
        "case_id,x,y,z,score\nA,1,2,3,1.01\nA,1,2,3,SECRET2\nC,1,2,3,0.5\nA,1,2,3,nan\n";
    let error = Site::new().read(Matching::CentreInRadius, reference, predicted).unwrap_err();
    assert_eq!(
        problems(&error),
        [
            ("FINDINGS_NUMBER", Some(2)),
            ("FINDINGS_CASE_UNKNOWN", Some(3)),
            ("FINDINGS_NUMBER", Some(4)),
            ("FINDINGS_LINE", Some(5)),
            ("FINDINGS_NOT_READ", Some(6)),
            ("FINDINGS_NUMBER", Some(7)),
            ("FINDINGS_NUMBER", Some(7)),
            ("FINDINGS_NUMBER", Some(2)),
            ("FINDINGS_NUMBER", Some(3)),
            ("FINDINGS_NOT_READ", Some(4)),
            ("FINDINGS_NUMBER", Some(5)),
        ]
    );
    let told = format!("{error} {} {error:?}", error.remedy().unwrap());
    for cell in ["SECRET", "1.01", "perhaps"] {
        assert!(!told.contains(cell), "{told}");
    }
    let turned = Site::new().read(
        Matching::Iou(500),
        "case_id,x0,y0,x1,y1\nA,3,2,1,4\nA,1,4,3,2\n",
        "case_id,x0,y0,x1,y1,score\n",
    );
    let turned = problems(&turned.unwrap_err());
    assert_eq!(turned, [("FINDINGS_NUMBER", Some(2)), ("FINDINGS_NUMBER", Some(3))]);
}

#[test]
fn numbers_that_no_body_has_are_refused_by_line() {
    let reference = "case_id,x,y,z,radius_mm,excluded\n\
                     A,1e308,2,3,4,\nA,1000000000,-1e9,3,1e9,\nA,1,-1000000001,3,4,\nA,1,2,3,1e10,\n";
    let predicted = "case_id,x,y,z,score\nA,1,2,-1e308,0.5\n";
    let error = Site::new().read(Matching::CentreInRadius, reference, predicted).unwrap_err();
    assert_eq!(
        problems(&error),
        [
            ("FINDINGS_NUMBER", Some(2)),
            ("FINDINGS_NUMBER", Some(4)),
            ("FINDINGS_NUMBER", Some(5)),
            ("FINDINGS_NUMBER", Some(2)),
        ]
    );
    let boxes = Site::new().read(
        Matching::Iou(500),
        "case_id,x0,y0,x1,y1\nA,-1e308,-1e308,1e308,1e308\n",
        "case_id,x0,y0,x1,y1,score\n",
    );
    assert_eq!(problems(&boxes.unwrap_err()), [("FINDINGS_NUMBER", Some(2))]);
}

#[test]
fn files_that_are_not_there_or_have_other_columns_are_named() {
    let site = Site::new();
    let cohort = site.cohort(MANIFEST, &task()).unwrap();
    let missing = read_findings(&site.source(None), &cohort, Matching::CentreInRadius);
    assert_eq!(
        problems(&missing.unwrap_err()),
        [("FINDINGS_MISSING", None), ("FINDINGS_MISSING", None)]
    );
    let columns = [
        // No radius; a score twice; nothing at all; a depth in one file alone.
        ("case_id,x,y,z\n", PREDICTED),
        (REFERENCE, "case_id,x,y,z,score,score\n"),
        ("", PREDICTED),
        ("case_id,x,y,radius_mm\n", PREDICTED),
    ];
    for (reference, predicted) in columns {
        let error = site.read(Matching::CentreInRadius, reference, predicted).unwrap_err();
        assert_eq!(problems(&error), [("FINDINGS_COLUMN", None)], "{reference} {predicted}");
    }
    let not_utf8 = site.read(Matching::CentreInRadius, REFERENCE, b"case_id,\xff\n").unwrap_err();
    assert_eq!(problems(&not_utf8), [("FINDINGS_LINE", Some(1))]);
}

#[test]
fn of_a_thousand_problems_fifty_are_told_one_by_one() {
    let mut predicted = PREDICTED.to_owned();
    predicted.push_str(&"A,1,2,3,2\n".repeat(1_000));
    let error = Site::new().read(Matching::CentreInRadius, REFERENCE, predicted).unwrap_err();
    assert_eq!((error.problems().len(), error.more()), (50, 950));
}
