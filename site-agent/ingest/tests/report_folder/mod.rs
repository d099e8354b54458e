//! Findings from folders of DICOM SR, each read in a box.

use std::fs;

use fedval_ambient::Problem as _;
use fedval_ingest::findings::Place;
use fedval_ingest::{
    Attributes, Case, Cohort, ConceptCode, FindingsProblem, FindingsSource, IndexTest,
    ReferenceFindings, ScanStatus, read_findings, read_reference_findings,
};
use fedval_study::protocol::Matching;
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::dicom_file::{EXPLICIT, bomb, element_bytes, header_of, padded, sequence};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a_folder_of_reports_stands_in_the_place_of_a_file", || {
            stands_in_the_place();
            Ok(())
        }),
        Trial::test("reports_of_the_reference_standard_alone_stand_beside_images", || {
            stand_beside_images();
            Ok(())
        }),
        Trial::test("every_report_that_is_wrong_is_named_by_its_case", || {
            names_every_problem();
            Ok(())
        }),
    ]
}

fn text(group: u16, element: u16, form: &str, value: &str) -> Vec<u8> {
    element_bytes(group, element, form, &padded(value), true)
}

/// A report of balls in the patient.
fn report(balls: &[[f32; 3]]) -> Vec<u8> {
    let ball = |centre: &[f32; 3]| {
        let ends = [[4.0, 0.0], [-4.0, 0.0], [0.0, 4.0], [0.0, -4.0]];
        let points = ends.map(|[dx, dy]| [centre[0] + dx, centre[1] + dy, centre[2]]);
        let data: Vec<u8> = points.iter().flatten().flat_map(|at| at.to_le_bytes()).collect();
        let region = [
            text(0x0040, 0xa040, "CS", "SCOORD3D"),
            text(0x0070, 0x0023, "CS", "ELLIPSE"),
            element_bytes(0x0070, 0x0022, "FL", &data, true),
        ];
        let kind = text(0x0040, 0xa040, "CS", "CONTAINER");
        [kind, sequence(0x0040, 0xa730, &[region.concat()])].concat()
    };
    let groups: Vec<Vec<u8>> = balls.iter().map(ball).collect();
    [
        header_of("1.2.840.10008.5.1.4.1.1.88.34", EXPLICIT),
        text(0x0040, 0xa040, "CS", "CONTAINER"),
        sequence(0x0040, 0xa730, &groups),
    ]
    .concat()
}

struct Site {
    folder: TempDir,
    source: FindingsSource,
}

/// A site with a folder of reports for the reference standard, and a file for the model.
fn site(reports: &[(&str, Vec<u8>)]) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let reference = folder.path().join("reference");
    fs::create_dir(&reference).unwrap();
    for (case, bytes) in reports {
        fs::write(reference.join(format!("{case}.dcm")), bytes).unwrap();
    }
    let predicted = folder.path().join("predicted.csv");
    fs::write(&predicted, "case_id,x,y,z,score\nA,1,2,3,0.5\n").unwrap();
    let source =
        FindingsSource { reference, predicted, score: ConceptCode::default(), status: None };
    Site { folder, source }
}

pub(crate) fn cohort(statuses: &[(&str, ScanStatus)]) -> Cohort {
    let case = |(case_id, status): &(&str, ScanStatus)| Case {
        case_id: (*case_id).to_owned(),
        patient: 0,
        index_test: IndexTest::Findings(*status),
        reference: None,
        attributes: Attributes::default(),
    };
    Cohort::new(statuses.iter().map(case), ["P".to_owned()], Vec::new())
}

fn stands_in_the_place() {
    let site = site(&[("A", report(&[[1.0, 2.0, 3.0], [50.0, 0.0, 0.0]])), ("B", report(&[]))]);
    let cohort =
        cohort(&[("A", ScanStatus::Read), ("B", ScanStatus::Read), ("C", ScanStatus::NoReference)]);
    let read = read_findings(&site.source, &cohort, Matching::CentreInRadius).unwrap();
    let [a, b, c] = &read.open_on_site()[..] else { panic!("three cases") };
    assert_eq!(a.reference.len(), 2);
    assert_eq!(a.reference[0].place, Place::Point([1.0, 2.0, 3.0]));
    assert!((a.reference[0].radius_mm - 4.0).abs() < 1e-9);
    assert_eq!((a.predicted.len(), b.reference.len(), c.reference.len()), (1, 0, 0));
    assert!(site.folder.path().is_dir());
}

fn stand_beside_images() {
    let site = site(&[("A", report(&[[1.0, 2.0, 3.0]])), ("B", report(&[]))]);
    let cohort =
        cohort(&[("A", ScanStatus::Read), ("B", ScanStatus::Read), ("C", ScanStatus::NoReference)]);
    let beside = |case: Case| {
        let status = case.index_test.status().unwrap();
        let image = Box::new(IndexTest::Image("image.png".into()));
        Case { index_test: IndexTest::Searched { image, status }, ..case }
    };
    let cohort = Cohort::new(cohort.cases().map(beside), ["P".to_owned()], Vec::new());
    let source = ReferenceFindings { reference: site.source.reference.clone(), status: None };
    let read = read_reference_findings(&source, &cohort, Matching::CentreInRadius).unwrap();
    let [a, b, c] = &read.open_on_site()[..] else { panic!("three cases") };
    assert_eq!(a.reference[0].place, Place::Point([1.0, 2.0, 3.0]));
    assert_eq!((a.predicted.len(), b.reference.len(), c.reference.len()), (0, 0, 0));
    // A scan that was read has a report, also where nothing was found.
    fs::remove_file(source.reference.join("B.dcm")).unwrap();
    let error = read_reference_findings(&source, &cohort, Matching::CentreInRadius).unwrap_err();
    assert_eq!(error.problems()[0].code(), "FINDINGS_REPORT_MISSING");
}

fn names_every_problem() {
    let site = site(&[
        ("A", b"a letter".to_vec()),
        ("B", bomb()),
        ("D", report(&[])),
        ("E", report(&[[0.0; 3]])),
    ]);
    let cohort = cohort(&[
        ("A", ScanStatus::Read),
        ("B", ScanStatus::Read),
        ("C", ScanStatus::Read),
        ("D", ScanStatus::NoReference),
        ("E", ScanStatus::Read),
        ("../predicted", ScanStatus::Read),
    ]);
    let error = read_findings(&site.source, &cohort, Matching::CentreInRadius).unwrap_err();
    let seen: Vec<(&str, u64)> = error
        .problems()
        .iter()
        .map(|problem| match problem {
            FindingsProblem::Report { case, .. } | FindingsProblem::ReportMissing { case, .. } => {
                (problem.code(), *case)
            }
            _ => (problem.code(), 0),
        })
        .collect();
    let (wrong, missing) = ("FINDINGS_REPORT", "FINDINGS_REPORT_MISSING");
    assert_eq!(seen, [(wrong, 1), (wrong, 2), (missing, 3), (wrong, 4), (missing, 6)]);
}
