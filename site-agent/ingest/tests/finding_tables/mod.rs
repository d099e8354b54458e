//! Files of findings as Parquet: what the same files would be as CSV.

use std::fs;

use fedval_ambient::Problem as _;
use fedval_ingest::{
    CaseFindings, ConceptCode, FindingsError, FindingsSource, ScanStatus, read_findings,
};
use fedval_study::protocol::Matching;
use libtest_mimic::Trial;
use parquet::basic::{Compression, ZstdLevel};

use crate::parquet_file::{Cells, bytes};
use crate::report_folder::cohort;

const REFERENCE: &str = "case_id,x,y,z,radius_mm,excluded\n\
                         A,1.5,2,-3.25,4.5,true\nA,0.1,-7,0,2,\nB,7,8,9,1,false\n";
const PREDICTED: &str = "case_id,x,y,z,score\nB,7,8,9.5,0.75\nA,1,1,1,1\n";

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 4] = [
        ("findings_are_the_same_as_csv_and_as_parquet", are_the_same),
        ("every_problem_of_findings_has_the_line_that_it_would_have_as_csv", have_the_lines),
        ("what_a_parquet_file_does_not_give_of_findings_is_said", is_said),
        ("a_damaged_file_of_findings_is_refused_and_harms_nobody", survives_damage),
    ];
    tests
        .into_iter()
        .map(|(name, test)| {
            Trial::test(name, move || {
                test();
                Ok(())
            })
        })
        .collect()
}

fn read(reference: &[u8], predicted: &[u8]) -> Result<Vec<CaseFindings>, FindingsError> {
    let folder = tempfile::tempdir().unwrap();
    // What a file is called says nothing.
    let path = |name: &str| folder.path().join(name);
    let source = FindingsSource {
        reference: path("reference.csv"),
        predicted: path("predicted.csv"),
        score: ConceptCode::default(),
        status: None,
    };
    fs::write(&source.reference, reference).unwrap();
    fs::write(&source.predicted, predicted).unwrap();
    let cohort =
        cohort(&[("A", ScanStatus::Read), ("B", ScanStatus::Read), ("C", ScanStatus::NoResult)]);
    Ok(read_findings(&source, &cohort, Matching::CentreInRadius)?.open_on_site().clone())
}

/// Code and line of each problem.
fn problems(error: &FindingsError) -> Vec<(&'static str, Option<u64>)> {
    error.problems().iter().map(|problem| (problem.code(), problem.line())).collect()
}

/// The same as [`REFERENCE`], with a column that nobody needs.
fn reference(compression: Compression) -> Vec<u8> {
    let columns = [
        ("seen_at", Cells::Other("INT64", "(TIMESTAMP_MILLIS)", 3)),
        ("case_id", Cells::text(&["A", "A", "B"])),
        ("x", Cells::Numbers(vec![Some(1.5), Some(0.1), Some(7.0)])),
        ("y", Cells::Integers(vec![Some(2), Some(-7), Some(8)])),
        ("z", Cells::Singles(vec![Some(-3.25), Some(0.0), Some(9.0)])),
        ("radius_mm", Cells::Numbers(vec![Some(4.5), Some(2.0), Some(1.0)])),
        ("excluded", Cells::Flags(vec![Some(true), None, Some(false)])),
    ];
    bytes(&columns, compression, 2)
}

/// The same as [`PREDICTED`], in another order of columns.
fn predicted(compression: Compression) -> Vec<u8> {
    let columns = [
        ("score", Cells::Numbers(vec![Some(0.75), Some(1.0)])),
        ("z", Cells::Numbers(vec![Some(9.5), Some(1.0)])),
        ("y", Cells::Integers(vec![Some(8), Some(1)])),
        ("x", Cells::text(&["7", "1"])),
        ("case_id", Cells::text(&["B", "A"])),
    ];
    bytes(&columns, compression, 1)
}

fn are_the_same() {
    let expected = read(REFERENCE.as_bytes(), PREDICTED.as_bytes()).unwrap();
    let sizes: Vec<_> =
        expected.iter().map(|of| (of.reference.len(), of.predicted.len())).collect();
    assert_eq!(sizes, [(2, 1), (1, 1), (0, 0)]);
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd] {
        let (reference, predicted) = (reference(compression), predicted(compression));
        for (reference, predicted) in [
            (&reference[..], &predicted[..]),
            (&reference[..], PREDICTED.as_bytes()),
            (REFERENCE.as_bytes(), &predicted[..]),
        ] {
            assert!(read(reference, predicted).unwrap() == expected, "{compression:?}");
        }
    }
}

fn have_the_lines() {
    let header = ["case_id", "x", "y", "z", "score"];
    let rows = [
        ["A", "1", "2", "3", "0.5"],
        ["SECRET", "1", "2", "3", "0.5"],
        ["A", "1", "2", "inf", "1.5"],
        ["C", "1", "2", "3", "0.5"],
        ["B", "", "2", "3", "0.5"],
    ];
    let lines: String = rows.iter().map(|row| row.join(",") + "\n").collect();
    let csv = format!("{}\n{lines}", header.join(","));
    let column = |place: usize| Cells::text(&rows.map(|row| row[place]));
    let columns: Vec<_> =
        header.into_iter().enumerate().map(|(place, name)| (name, column(place))).collect();
    let expected = read(REFERENCE.as_bytes(), csv.as_bytes()).unwrap_err();
    let table = bytes(&columns, Compression::SNAPPY, 2);
    let found = read(REFERENCE.as_bytes(), &table).unwrap_err();
    assert_eq!(found, expected);
    assert_eq!(
        problems(&found),
        [
            ("FINDINGS_CASE_UNKNOWN", Some(3)),
            ("FINDINGS_NUMBER", Some(4)),
            ("FINDINGS_NUMBER", Some(4)),
            ("FINDINGS_NOT_READ", Some(5)),
            ("FINDINGS_NUMBER", Some(6)),
        ]
    );
    assert!(!format!("{found} {}", found.remedy().unwrap()).contains("SECRET"));
}

fn is_said() {
    let of = |x: Cells, case_id: Cells| {
        let columns = [
            ("case_id", case_id),
            ("x", x),
            ("y", Cells::Integers(vec![Some(1), Some(2)])),
            ("z", Cells::Integers(vec![Some(1), Some(2)])),
            ("score", Cells::Numbers(vec![Some(0.5); 2])),
        ];
        read(REFERENCE.as_bytes(), &bytes(&columns, Compression::SNAPPY, 2)).unwrap_err()
    };
    let numbers = || Cells::Integers(vec![Some(1), Some(2)]);
    let dates = of(Cells::Other("INT32", "(DATE)", 2), Cells::text(&["A", "B"]));
    assert_eq!(problems(&dates), [("FINDINGS_COLUMN", None)]);
    assert!(dates.to_string().contains("`x` of the file of predicted findings"), "{dates}");
    let odd = of(numbers(), Cells::Bytes(vec![b"A".to_vec(), vec![0xff, 0xfe]]));
    assert_eq!(problems(&odd), [("FINDINGS_LINE", Some(3))]);
    let lacking = [("case_id", Cells::text(&["A"])), ("x", Cells::Integers(vec![Some(1)]))];
    let lacking = bytes(&lacking, Compression::SNAPPY, 1);
    let lacking = read(REFERENCE.as_bytes(), &lacking).unwrap_err();
    assert_eq!(problems(&lacking), [("FINDINGS_COLUMN", None), ("FINDINGS_COLUMN", None)]);
}

fn survives_damage() {
    let whole = predicted(Compression::SNAPPY);
    for odd in [&whole[..4], &whole[..whole.len() / 2], &whole[..whole.len() - 1]] {
        let error = read(REFERENCE.as_bytes(), odd).unwrap_err();
        assert_eq!(problems(&error), [("FINDINGS_PARQUET", None)], "{} bytes", odd.len());
    }
    // Most of what can be wrong stands at the end, where sizes and places are.
    for place in (whole.len() / 2..whole.len()).step_by(7) {
        let mut copy = whole.clone();
        copy[place] ^= 0x55;
        // Read or refused: what counts is that the parent gets an answer.
        let _ = read(REFERENCE.as_bytes(), &copy);
    }
}
