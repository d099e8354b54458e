//! Manifests and prediction tables as Parquet files: what the same table would be as CSV.

use std::fs;

use fedval_ambient::Problem as _;
use fedval_disclosure::SiteLocal;
use fedval_ingest::{
    Cohort, ColumnMapping, IndexTest, IndexTestColumn, ManifestError, ManifestSource, read_manifest,
};
use fedval_study::protocol::{Labels, OutputForm, Reference, ReferenceStandard, Task};
use libtest_mimic::{Failed, Trial};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use proptest::test_runner::{Config, TestRunner};

use crate::parquet_file::{Cells, bytes};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 10] = [
        ("a_table_is_the_same_cohort_as_csv_and_as_parquet", is_the_same),
        ("what_others_write_is_what_pandas_writes_as_csv", reads_what_others_write),
        ("a_table_of_several_row_groups_and_batches_is_read_in_order", is_read_in_order),
        ("every_problem_has_the_line_that_it_would_have_as_csv", has_the_same_problems),
        ("numbers_and_flags_have_the_text_that_csv_has", has_their_text),
        ("a_column_that_has_no_text_is_named_and_one_that_is_not_needed_is_not_read", names_types),
        ("bytes_that_are_no_text_are_found_in_their_line", finds_bytes),
        ("a_row_longer_than_any_honest_one_is_refused_with_its_line", refuses_long_rows),
        ("a_compression_that_is_not_read_is_said", says_compression),
        ("what_is_cut_or_only_begins_like_parquet_is_damaged", refuses_what_is_cut),
    ];
    let mut trials: Vec<Trial> = tests
        .into_iter()
        .map(|(name, test)| {
            Trial::test(name, move || {
                test();
                Ok(())
            })
        })
        .collect();
    trials.push(Trial::test("a_damaged_table_never_harms_the_parent", survives_damage));
    trials
}

fn read(
    file: &[u8],
    index_test: IndexTestColumn,
    attributes: &[&str],
) -> Result<SiteLocal<Cohort>, ManifestError> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.png"), b"image").unwrap();
    // What a file is called says nothing.
    let manifest = folder.path().join("manifest.csv");
    fs::write(&manifest, file).unwrap();
    let columns = ColumnMapping { index_test, ..ColumnMapping::default() };
    let source = ManifestSource { manifest, root: folder.path().to_owned(), columns };
    let standard = ReferenceStandard {
        description: "two radiologists".to_owned(),
        positive: vec!["1".to_owned()],
        negative: vec!["0".to_owned()],
    };
    let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    read_manifest(
        &source,
        Labels {
            task: &Task::Binary,
            standard: &standard,
            takes_folders: false,
            form: OutputForm::Scores,
        },
        &attributes,
    )
}

fn score() -> IndexTestColumn {
    IndexTestColumn::Score("score".to_owned())
}

fn image() -> IndexTestColumn {
    IndexTestColumn::Image("image".to_owned())
}

fn codes(error: &ManifestError) -> Vec<(&'static str, Option<u64>)> {
    error.problems().iter().map(|problem| (problem.code(), problem.line())).collect()
}

fn gzip() -> Compression {
    Compression::GZIP(GzipLevel::default())
}

fn zstd(level: i32) -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(level).unwrap())
}

/// Five scores, with a column of times that no study needs.
fn scores() -> Vec<(&'static str, Cells)> {
    vec![
        ("case_id", Cells::Integers([101, 102, 103, 104, 105].map(Some).to_vec())),
        ("taken_at", Cells::Other("INT64", "(TIMESTAMP_MILLIS)", 5)),
        ("patient_id", Cells::text(&["p1", "p2", "p1", "pä", " p5 "])),
        ("score", Cells::Numbers(vec![Some(0.1 + 0.2), Some(1.0), None, Some(1e-7), Some(0.5)])),
        ("label", Cells::Integers(vec![Some(1), Some(0), Some(1), None, Some(0)])),
        ("sex", Cells::text(&["F", "M", "", "F", "M"])),
    ]
}

fn is_the_same() {
    let csv = "case_id,taken_at,patient_id,score,label,sex\n\
               101,,p1,0.30000000000000004,1,F\n102,,p2,1.0,0,M\n103,,p1,,1,\n\
               104,,pä,0.0000001,,F\n105,, p5 ,0.5,0,M\n";
    let expected = read(csv.as_bytes(), score(), &["sex", "age"]).unwrap();
    assert_eq!(expected.open_on_site().len(), 5);
    assert_eq!(expected.open_on_site().unrecorded, ["age"]);
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, gzip(), zstd(3), zstd(22)] {
        for group in [1, 2, 5] {
            let table = bytes(&scores(), compression, group);
            let cohort = read(&table, score(), &["sex", "age"]).unwrap();
            assert!(cohort.open_on_site() == expected.open_on_site(), "{compression:?} {group}");
        }
    }
}

/// See `make.py`: dictionaries, pages of both versions, and every encoding that these write.
fn reads_what_others_write() {
    let expected = read(include_bytes!("pandas.csv"), score(), &["sex", "kvp"]).unwrap();
    let expected = expected.open_on_site();
    let with = |column: &str| {
        expected.cases().filter(|case| case.attributes.get(column).is_some()).count()
    };
    assert_eq!((expected.len(), with("sex"), with("kvp")), (40, 32, 40));
    for (name, file) in [
        ("pandas", &include_bytes!("pandas.parquet")[..]),
        ("arrow", include_bytes!("arrow.parquet")),
        ("polars", include_bytes!("polars.parquet")),
        ("polars with nothing said", include_bytes!("polars-zstd.parquet")),
    ] {
        let cohort = read(file, score(), &["sex", "kvp"]).unwrap();
        assert!(cohort.open_on_site() == expected, "{name}");
    }
}

fn is_read_in_order() {
    // More than two batches of the box in the first group, and a group that ends in the middle of one.
    let many = 4_000_usize;
    let score = |index: usize| f64::from(u32::try_from(index).unwrap()) / 4_000.0;
    let columns = [
        ("case_id", Cells::Text((0..many).map(|index| Some(format!("c{index}"))).collect())),
        (
            "patient_id",
            Cells::Text((0..many).map(|index| Some(format!("p{}", index / 2))).collect()),
        ),
        ("score", Cells::Numbers((0..many).map(|index| Some(score(index))).collect())),
        (
            "label",
            Cells::Integers(
                (0..many).map(|index| Some(i64::from(index.is_multiple_of(3)))).collect(),
            ),
        ),
    ];
    let of = |compression| read(&bytes(&columns, compression, 2_500), self::score(), &[]).unwrap();
    let (cohort, packed) = (of(Compression::SNAPPY), of(zstd(3)));
    let cohort = cohort.open_on_site();
    assert!(packed.open_on_site() == cohort);
    assert_eq!((cohort.len(), cohort.patients()), (many, many / 2));
    for (index, case) in cohort.cases().enumerate() {
        assert_eq!(case.case_id, format!("c{index}"));
        assert_eq!(case.patient as usize, index / 2);
        assert!(case.index_test == IndexTest::Score(Some(score(index))));
        assert_eq!(case.reference, Some(Reference::Condition(index.is_multiple_of(3))));
    }
}

fn has_the_same_problems() {
    let rows = [
        ["c1", "p1", "a.png", "1"],
        ["c1", "p2", "a.png", "1"],
        ["c3", "", "a.png", "0"],
        ["c4", "p4", "/etc/passwd", "0"],
        ["c5", "p5", "gone.png", "maybe"],
    ];
    let header = ["case_id", "patient_id", "image", "label"];
    let lines: String = rows.iter().map(|row| row.join(",") + "\n").collect();
    let csv = format!("{}\n{lines}", header.join(","));
    let column = |place: usize| Cells::text(&rows.map(|row| row[place]));
    let columns: Vec<_> =
        header.into_iter().enumerate().map(|(place, name)| (name, column(place))).collect();
    let expected = read(csv.as_bytes(), image(), &[]).unwrap_err();
    let found = read(&bytes(&columns, Compression::SNAPPY, 2), image(), &[]).unwrap_err();
    assert_eq!(found, expected);
    assert_eq!(codes(&found)[0], ("MANIFEST_DUPLICATE_CASE", Some(3)));
    assert_eq!(found.problems().len(), 5);

    let nobody: Vec<_> = header.into_iter().map(|name| (name, Cells::text(&[]))).collect();
    let found = read(&bytes(&nobody, Compression::SNAPPY, 1), image(), &[]).unwrap_err();
    assert_eq!(codes(&found), [("MANIFEST_EMPTY", None)]);
    let found = read(&bytes(&columns[..2], Compression::SNAPPY, 2), image(), &[]).unwrap_err();
    assert_eq!(
        codes(&found),
        [("MANIFEST_COLUMN_MISSING", None), ("MANIFEST_COLUMN_MISSING", None)]
    );
}

fn has_their_text() {
    let columns = [
        ("case_id", Cells::text(&["c1", "c2"])),
        ("patient_id", Cells::Small(vec![Some(-1), Some(7)])),
        ("score", Cells::Singles(vec![Some(0.1), Some(0.25)])),
        ("label", Cells::text(&["1", "0"])),
        ("flag", Cells::Flags(vec![Some(true), Some(false)])),
        ("ratio", Cells::Numbers(vec![Some(2.0), Some(f64::NAN)])),
        ("grams", Cells::Integers(vec![Some(-3), None])),
        ("site", Cells::Bytes(vec![b"left".to_vec(), "ö".into()])),
    ];
    let asked = ["flag", "ratio", "grams", "site"];
    let cohort = read(&bytes(&columns, gzip(), 2), score(), &asked).unwrap();
    let cohort = cohort.open_on_site();
    // Without a sign, as the column says; the shortest number that is this one in single precision.
    assert_eq!(cohort.patient_ids().collect::<Vec<_>>(), ["4294967295", "7"]);
    assert!(cohort.case(0).unwrap().index_test == IndexTest::Score(Some(0.1)));
    let of = |case: usize| {
        let case = cohort.case(case).unwrap();
        let attribute = |name: &&str| case.attributes.get(name).map(ToString::to_string);
        asked.iter().map(attribute).map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    assert_eq!(of(0), ["true", "2.0", "-3", "left"]);
    assert_eq!(of(1), ["false", "NaN", "", "ö"]);
}

fn names_types() {
    let mut columns = scores();
    let error = read(&bytes(&columns, Compression::SNAPPY, 5), score(), &["taken_at"]).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_COLUMN_TYPE", None)]);
    assert!(error.to_string().contains("`taken_at`"));
    for (form, annotation) in
        [("INT32", "(DATE)"), ("INT32", "(DECIMAL(9,2))"), ("INT64", "(TIME_MICROS)")]
    {
        columns[1].1 = Cells::Other(form, annotation, 5);
        let error = read(&bytes(&columns, Compression::SNAPPY, 5), score(), &["taken_at"]);
        assert_eq!(codes(&error.unwrap_err()), [("MANIFEST_COLUMN_TYPE", None)], "{annotation}");
        assert!(read(&bytes(&columns, Compression::SNAPPY, 5), score(), &["sex"]).is_ok());
    }
}

fn finds_bytes() {
    let columns = [
        ("case_id", Cells::Bytes(vec![b"c1".to_vec(), vec![0xff, 0xfe]])),
        ("patient_id", Cells::text(&["p1", "p2"])),
        ("score", Cells::Numbers(vec![Some(0.1), Some(0.2)])),
        ("label", Cells::text(&["1", "0"])),
    ];
    let error = read(&bytes(&columns, Compression::SNAPPY, 2), score(), &[]).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_NOT_UTF8", Some(3))]);
}

fn refuses_long_rows() {
    let long = "x".repeat(64 * 1024);
    let columns = |sex: [&str; 3]| {
        vec![
            ("case_id", Cells::text(&["c1", "c2", "c3"])),
            ("patient_id", Cells::text(&["p1", "p2", "p3"])),
            ("score", Cells::Numbers(vec![Some(0.1); 3])),
            ("label", Cells::text(&["1", "0", "2"])),
            ("sex", Cells::text(&sex)),
        ]
    };
    let table = bytes(&columns(["F", &long, "M"]), Compression::SNAPPY, 3);
    let error = read(&table, score(), &["sex"]).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_LINE_TOO_LONG", Some(3))]);
    // The first row has its line too.
    let table = bytes(&columns([&long, "F", "M"]), Compression::SNAPPY, 3);
    let error = read(&table, score(), &["sex"]).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_LINE_TOO_LONG", Some(2))]);
    // Nobody reads a column that is not needed, and the row after it has its own problem.
    let error = read(&table, score(), &[]).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_LABEL_UNKNOWN", Some(4))]);
}

fn says_compression() {
    let mut table = bytes(&scores(), Compression::SNAPPY, 5);
    // In the description of the column: its path, then a field of type i32, then Snappy; 4 is Brotli, doubled in the file.
    let snappy = b"label\x15\x02";
    let at = table.windows(snappy.len()).rposition(|part| part == snappy).expect("a codec");
    table[at + snappy.len() - 1] = 8;
    let error = read(&table, score(), &[]).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_COMPRESSION", None)]);
}

fn refuses_what_is_cut() {
    refuses_what_is_cut_of(&bytes(&scores(), Compression::SNAPPY, 5));
    refuses_what_is_cut_of(&bytes(&scores(), zstd(3), 5));
}

fn refuses_what_is_cut_of(table: &[u8]) {
    let middle = [&table[..40], &vec![0xff; 200][..], &table[240..]].concat();
    for odd in [
        b"PAR1".to_vec(),
        b"PAR1case_id,patient_id\n".to_vec(),
        table[..table.len() - 9].to_vec(),
        middle,
    ] {
        let error = read(&odd, score(), &[]).unwrap_err();
        assert_eq!(codes(&error), [("MANIFEST_PARQUET_DAMAGED", None)], "{} bytes", odd.len());
    }
}

fn survives_damage() -> Result<(), Failed> {
    survives_damage_of(&bytes(&scores(), Compression::SNAPPY, 2))?;
    survives_damage_of(&bytes(&scores(), zstd(3), 2))
}

fn survives_damage_of(whole: &[u8]) -> Result<(), Failed> {
    // Most of what can be wrong stands at the end, where sizes and places are.
    let damage = (4..whole.len(), proptest::num::u64::ANY, 0..8_usize);
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(60) })
        .run(&damage, |(place, noise, width)| {
            let mut bytes = whole.to_vec();
            for (byte, noise) in bytes[place..].iter_mut().zip(noise.to_le_bytes()).take(width) {
                *byte = noise;
            }
            // Read or refused: what counts is that the parent gets an answer.
            let _ = read(&bytes, score(), &["sex"]);
            Ok(())
        })
        .map_err(|error| error.to_string().into())
}
