//! What hospitals bring: a manifest, and findings as CSV or as DICOM SR.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::dicom_object::{element, object, sequence, text};

use super::{Found, Lesion, Scan};

pub(crate) fn write(folder: &Path, scans: &[Scan]) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut manifest = "case_id,patient_id,sex,seen\n".to_owned();
    let mut reference = "case_id,x,y,z,radius_mm,excluded\n".to_owned();
    let mut predicted = "case_id,x,y,z,score\n".to_owned();
    for (index, scan) in scans.iter().enumerate() {
        let sex = if scan.is_female { "F" } else { "M" };
        let seen = if scan.is_read { "" } else { "no_result" };
        writeln!(manifest, "CASEX{index},PATIENTX{},{sex},{seen}", scan.patient).expect("text");
        for Lesion { centre: [x, y, z], radius, open } in &scan.lesions {
            let open = if *open { "1" } else { "" };
            writeln!(reference, "CASEX{index},{x},{y},{z},{radius},{open}").expect("text");
        }
        for Found { place: [x, y, z], score } in &scan.found {
            writeln!(predicted, "CASEX{index},{x},{y},{z},{score}").expect("text");
        }
    }
    for (name, text) in
        [("manifest.csv", manifest), ("reference.csv", reference), ("predicted.csv", predicted)]
    {
        fs::write(folder.join(name), text).expect("a writable folder");
    }
}

/// Comprehensive 3D SR with a group for each finding (TID 1500): lesions are circles, findings points with a score.
pub(crate) fn reports(folder: &Path, scans: &[Scan]) {
    for side in ["reference", "predicted"] {
        fs::create_dir_all(folder.join(side)).expect("a writable folder");
    }
    for (index, scan) in scans.iter().enumerate() {
        let lesion = |of: &Lesion| {
            assert!(!of.open, "a report has no such finding");
            let [x, y, z] = of.centre;
            let ends = [[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]];
            let ends = ends.map(|[dx, dy]| [x + of.radius * dx, y + of.radius * dy, z]);
            group(region("ELLIPSE", &ends), Vec::new())
        };
        let found = |of: &Found| group(region("POINT", &[of.place]), score(of.score));
        let sides = [
            ("reference", scan.lesions.iter().map(lesion).collect::<Vec<_>>()),
            ("predicted", scan.found.iter().map(found).collect()),
        ];
        for (side, groups) in sides {
            let path = folder.join(side).join(format!("CASEX{index}.dcm"));
            fs::write(path, report(&groups)).expect("a writable folder");
        }
    }
}

fn report(groups: &[Vec<u8>]) -> Vec<u8> {
    let content = [value_type("CONTAINER"), sequence((0x0040, 0xa730), groups)];
    object("1.2.840.10008.5.1.4.1.1.88.34", &content)
}

/// A measurement group; `score` may be nothing.
fn group(region: Vec<u8>, score: Vec<u8>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = [region, score].into_iter().filter(|item| !item.is_empty()).collect();
    [value_type("CONTAINER"), concept("125007"), sequence((0x0040, 0xa730), &items)].concat()
}

#[expect(clippy::cast_possible_truncation, reason = "coordinates have single precision")]
fn region(kind: &str, points: &[[f64; 3]]) -> Vec<u8> {
    let data: Vec<u8> = points.iter().flatten().flat_map(|at| (*at as f32).to_le_bytes()).collect();
    [
        value_type("SCOORD3D"),
        element((0x0070, 0x0022), b"FL", &data),
        text((0x0070, 0x0023), b"CS", kind),
        text((0x3006, 0x0024), b"UI", "1.2.3.9"),
    ]
    .concat()
}

/// "Probability of cancer".
fn score(score: f64) -> Vec<u8> {
    let measured = text((0x0040, 0xa30a), b"DS", &score.to_string());
    [value_type("NUM"), concept("111047"), sequence((0x0040, 0xa300), &[measured])].concat()
}

fn value_type(kind: &str) -> Vec<u8> {
    text((0x0040, 0xa040), b"CS", kind)
}

fn concept(code: &str) -> Vec<u8> {
    let code = [text((0x0008, 0x0100), b"SH", code), text((0x0008, 0x0102), b"SH", "DCM")].concat();
    sequence((0x0040, 0xa043), &[code])
}
