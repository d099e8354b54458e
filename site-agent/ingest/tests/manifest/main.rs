//! Reading a site's manifest: every problem in one pass, and no cell in any of them.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod masks;
mod paths;
mod tasks;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;

use fedval_ambient::Problem as _;
use fedval_disclosure::SiteLocal;
use fedval_ingest::{
    Case, Cohort, ColumnMapping, IndexTest, IndexTestColumn, InstanceKey, InstanceName,
    ManifestError, ManifestProblem, ManifestSource, read_manifest,
};
use fedval_study::protocol::{Class, Labels, OutputForm, Reference, ReferenceStandard, Task};
use tempfile::TempDir;

/// A folder with a manifest, two images, and an image outside the root.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        for file in ["root/a.png", "root/b.png", "outside.png"] {
            fs::write(folder.path().join(file), b"image").unwrap();
        }
        symlink(folder.path().join("outside.png"), folder.path().join("root/link.png")).unwrap();
        Self(folder)
    }

    fn read(&self, manifest: impl AsRef<[u8]>) -> Result<SiteLocal<Cohort>, ManifestError> {
        self.read_with(manifest, ColumnMapping::default(), &[])
    }

    fn read_with(
        &self,
        manifest: impl AsRef<[u8]>,
        columns: ColumnMapping,
        attributes: &[&str],
    ) -> Result<SiteLocal<Cohort>, ManifestError> {
        let path = self.0.path().join("manifest.csv");
        fs::write(&path, manifest).unwrap();
        let source = ManifestSource { manifest: path, root: self.0.path().join("root"), columns };
        let attributes: Vec<_> = attributes.iter().map(|&a| a.to_owned()).collect();
        read_manifest(&source, binary(&standard()), &attributes)
    }
}

fn standard() -> ReferenceStandard {
    ReferenceStandard {
        description: "two radiologists".to_owned(),
        positive: vec!["1".to_owned()],
        negative: vec!["0".to_owned()],
    }
}

const fn binary(standard: &ReferenceStandard) -> Labels<'_> {
    Labels { task: &Task::Binary, standard, takes_folders: false, form: OutputForm::Scores }
}

fn codes(error: &ManifestError) -> Vec<(&'static str, Option<u64>)> {
    error.problems().iter().map(|problem| (problem.code(), problem.line())).collect()
}

const HEADER: &str = "case_id,patient_id,image,label\n";

#[test]
fn a_manifest_becomes_a_cohort() {
    let site = Site::new();
    let manifest = "\u{feff}case,patient_id,image,label,Geschlecht,extra\r\n\
                    c1,p1,a.png,1,F,\r\nc2,p2,./b.png,,,\r\nc3,p1,\"a.png\",0, M ,x\r\n";
    let attributes = [("sex".to_owned(), "Geschlecht".to_owned())].into();
    let columns =
        ColumnMapping { case_id: "case".to_owned(), attributes, ..ColumnMapping::default() };
    let cohort = site.read_with(manifest, columns, &["sex"]).unwrap();
    let cohort = cohort.open_on_site();
    assert_eq!(cohort.patient_ids().collect::<Vec<_>>(), ["p1", "p2"]);
    let cases: Vec<Case> = cohort.cases().collect();
    let summary =
        |case: &Case| (case.patient, case.reference, case.attributes.get("sex").map(str::to_owned));
    assert_eq!(
        cases.iter().map(summary).collect::<Vec<_>>(),
        [
            (0, Some(Reference::Condition(true)), Some("F".to_owned())),
            (1, None, None),
            (0, Some(Reference::Condition(false)), Some("M".to_owned())),
        ]
    );
    assert!(cases.iter().all(|case| match &case.index_test {
        IndexTest::Image(image) => image.is_absolute() && image.is_file(),
        IndexTest::Score(_)
        | IndexTest::Scores(_)
        | IndexTest::Instance(_)
        | IndexTest::Findings(_)
        | IndexTest::Masks { .. }
        | IndexTest::Outlined { .. }
        | IndexTest::Searched { .. } => false,
    }));
    assert_eq!(format!("{:?}", cases[0]), "Case(..)");
}

#[test]
fn every_problem_of_every_line_is_found_in_one_pass() {
    let manifest = format!(
        "{HEADER}c1,p1,a.png,1\nc1,p2,a.png,1\nc3,,b.png,0\nc4,p4,/etc/passwd,0\n\
         c5,p5,../outside.png,0\nc6,p6,link.png,0\nc7,p7,gone.png,maybe\nc8,p8,a.png\n"
    );
    let error = Site::new().read(manifest).unwrap_err();
    assert_eq!(
        codes(&error),
        [
            ("MANIFEST_DUPLICATE_CASE", Some(3)),
            ("MANIFEST_VALUE_MISSING", Some(4)),
            ("MANIFEST_PATH_OUTSIDE", Some(5)),
            ("MANIFEST_PATH_OUTSIDE", Some(6)),
            ("MANIFEST_PATH_OUTSIDE", Some(7)),
            ("MANIFEST_IMAGE_MISSING", Some(8)),
            ("MANIFEST_LABEL_UNKNOWN", Some(8)),
            ("MANIFEST_FIELD_COUNT", Some(9)),
        ]
    );
    assert_eq!(
        (error.code(), error.to_string()),
        ("MANIFEST_INVALID", "the manifest has 8 problems".to_owned())
    );
    assert!(error.remedy().unwrap().contains("line 8 is none of the protocol's"));
}

#[test]
fn no_cell_of_the_manifest_is_quoted() {
    let canary = "ZZCANARY";
    let manifest = format!(
        "{HEADER}{canary},{canary},{canary}.png,{canary}\n{canary},,/{canary},{canary}\n\
         {canary},{canary}\n"
    );
    let error = Site::new().read(manifest).unwrap_err();
    let said = format!("{error} {error:?} {:?}", error.remedy());
    assert!(error.problems().len() >= 4 && !said.contains(canary), "{said}");
}

#[test]
fn missing_and_repeated_columns_are_named() {
    let site = Site::new();
    let attributes = [("sex".to_owned(), "sex".to_owned())].into();
    let columns = ColumnMapping { attributes, ..ColumnMapping::default() };
    let error = site.read_with("case_id,image,label,label\n", columns, &["sex"]);
    let error = error.unwrap_err();
    let said: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "the manifest has no column `patient_id`",
            "the manifest has more than one column `label`",
            "the manifest has no column `sex`",
        ]
    );
}

#[test]
fn an_attribute_that_the_site_does_not_record_is_missing_in_every_case_and_named() {
    let site = Site::new();
    let manifest = "case_id,patient_id,image,label\na,p,a.png,1\n";
    let cohort = site.read_with(manifest, ColumnMapping::default(), &["sex"]).unwrap();
    let cohort = cohort.open_on_site();
    assert_eq!(cohort.unrecorded, ["sex"]);
    assert!(cohort.case(0).unwrap().attributes.is_empty());
}

#[test]
fn a_prediction_table_has_scores_where_others_have_images() {
    let site = Site::new();
    let columns = || ColumnMapping {
        index_test: IndexTestColumn::Score("score".to_owned()),
        ..ColumnMapping::default()
    };
    let manifest = "case_id,patient_id,score,label\na,p,0.25,1\nb,p,,0\nc,q,1e-3,1\n";
    let cohort = site.read_with(manifest, columns(), &[]).unwrap();
    let cases: Vec<Case> = cohort.open_on_site().cases().collect();
    let scores = [Some(0.25), None, Some(0.001)].map(IndexTest::Score);
    assert!(cases.iter().zip(scores).all(|(case, score)| case.index_test == score));
    let commas = "case_id,patient_id,score,label\na,p,\"0,25\",1\n";
    let error = site.read_with(commas, columns(), &[]).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_SCORE_UNREADABLE", Some(2))]);
}

/// What is held of a line to find it again does not depend on how far apart lines are, nor on lines that are left out.
#[test]
fn a_case_that_comes_again_thousands_of_lines_later_is_told_with_both_lines() {
    let site = Site::new();
    let columns = ColumnMapping {
        index_test: IndexTestColumn::Score("score".to_owned()),
        ..ColumnMapping::default()
    };
    let mut manifest = "case_id,patient_id,score,label\n".to_owned();
    for number in 0..3_000 {
        // The reader of lines skips the empty one.
        let gap = if number == 999 { "\n" } else { "" };
        write!(manifest, "c{number},p{},0.5,1\n{gap}", number / 2).unwrap();
    }
    let good = site.read_with(&manifest, columns.clone(), &[]).unwrap();
    let good = good.open_on_site();
    assert_eq!((good.len(), good.patients()), (3_000, 1_500));
    assert_eq!((good.case_id(2_999), good.patient(2_999)), (Some("c2999"), Some(1_499)));
    // A line that is wrong otherwise has its case, too.
    manifest.push_str("c7,p,0.5,1\nc2000,p,0.5,1\nx,,0.5,1\nx,p,0.5,1\nc7,p,,\n");
    let error = site.read_with(&manifest, columns, &[]).unwrap_err();
    let repeated = |line, first| ManifestProblem::DuplicateCase { line, first };
    let missing = ManifestProblem::ValueMissing { line: 3_005, column: "patient_id".to_owned() };
    let expected = [
        repeated(3_003, 9),
        repeated(3_004, 2_003),
        missing,
        repeated(3_006, 3_005),
        repeated(3_007, 9),
    ];
    assert_eq!(error.problems(), expected);
}

#[test]
fn a_manifest_for_a_pacs_names_instances_where_others_have_paths() {
    let site = Site::new();
    let columns = |key| ColumnMapping {
        index_test: IndexTestColumn::Instance(key, "name".to_owned()),
        ..ColumnMapping::default()
    };
    for (key, good, bad) in [
        (InstanceKey::SopInstanceUid, "1.2.840.17", "a.png"),
        (InstanceKey::StudyInstanceUid, "1.2.840", "1.2.*"),
        (InstanceKey::AccessionNumber, "A 17", "A*"),
    ] {
        let manifest = format!("case_id,patient_id,name,label\na,p,{good},1\nb,q,{good},0\n");
        let cohort = site.read_with(manifest, columns(key), &[]).unwrap();
        let name = IndexTest::Instance(InstanceName::parse(key, good).unwrap());
        assert!(cohort.open_on_site().cases().all(|case| case.index_test == name));
        let manifest = format!("case_id,patient_id,name,label\na,p,{bad},1\nb,q,,0\n");
        let error = site.read_with(manifest, columns(key), &[]).unwrap_err();
        let problems =
            [("MANIFEST_INSTANCE_INVALID", Some(2)), ("MANIFEST_VALUE_MISSING", Some(3))];
        assert_eq!(codes(&error), problems);
        assert!(!format!("{error} {error:?} {:?}", error.remedy()).contains(bad));
    }
}

/// A manifest of millions of lines is given up at the limit; what came before it is not kept either.
#[test]
fn a33_a_manifest_without_an_end_is_given_up() {
    let site = Site::new();
    let mut manifest = HEADER.to_owned();
    for _ in 0..=fedval_ingest::manifest::MAX_CASES {
        manifest.push_str("c,p,,\n");
    }
    let error = site.read(manifest).unwrap_err();
    // No image and, after the first, the same case again: two problems a line. The last one is that
    // there are too many lines.
    let lines = fedval_ingest::manifest::MAX_CASES as u64;
    assert_eq!(error.problems().len() as u64 + error.more(), 2 * lines - 1 + 1);
}

#[test]
fn what_cannot_be_read_at_all_has_its_own_code() {
    let site = Site::new();
    let code = |manifest: &[u8]| codes(&site.read(manifest).unwrap_err())[0];
    assert_eq!(code(b""), ("MANIFEST_EMPTY", None));
    assert_eq!(code(HEADER.as_bytes()), ("MANIFEST_EMPTY", None));
    let latin = [HEADER.as_bytes(), b"c1,p\xe9,a.png,1\n"].concat();
    assert_eq!(code(&latin), ("MANIFEST_NOT_UTF8", Some(2)));
    let long = [HEADER.as_bytes(), b"c1,p1,a.png,1\nc2,", &vec![b'x'; 1 << 20]].concat();
    assert_eq!(code(&long), ("MANIFEST_LINE_TOO_LONG", Some(3)));

    let missing = |manifest: &str, root: &str| {
        let source = ManifestSource {
            manifest: site.0.path().join(manifest),
            root: site.0.path().join(root),
            columns: ColumnMapping::default(),
        };
        codes(&read_manifest(&source, binary(&standard()), &[]).unwrap_err())[0].0
    };
    assert_eq!(missing("absent.csv", "root"), "MANIFEST_MISSING");
    assert_eq!(missing("root", "root"), "MANIFEST_UNREADABLE");
    assert_eq!(missing("manifest.csv", "absent"), "MANIFEST_ROOT_MISSING");
}

#[test]
fn only_the_first_fifty_problems_are_kept() {
    let lines: String = (0..60).map(|_| "c,p,a.png\n").collect();
    let error = Site::new().read(format!("{HEADER}{lines}")).unwrap_err();
    assert_eq!((error.problems().len(), error.more()), (50, 10));
    assert!(error.remedy().unwrap().ends_with("and 10 more"));
}

/// A study of three grades.
fn grades() -> Task {
    let class = |(name, value): (&str, &str)| Class {
        name: name.parse().unwrap(),
        values: vec![value.to_owned()],
    };
    Task::Ordinal([("none", "0"), ("some", "1"), ("much", "2")].map(class).into())
}

fn read_classes(
    task: &Task,
    column: IndexTestColumn,
    manifest: &str,
) -> Result<SiteLocal<Cohort>, ManifestError> {
    read_as(task, OutputForm::Scores, column, manifest)
}

fn read_as(
    task: &Task,
    form: OutputForm,
    column: IndexTestColumn,
    manifest: &str,
) -> Result<SiteLocal<Cohort>, ManifestError> {
    let site = Site::new();
    let path = site.0.path().join("manifest.csv");
    fs::write(&path, manifest).unwrap();
    let columns = ColumnMapping { index_test: column, ..ColumnMapping::default() };
    let source = ManifestSource { manifest: path, root: site.0.path().join("root"), columns };
    let standard = standard();
    read_manifest(&source, Labels { task, standard: &standard, takes_folders: false, form }, &[])
}
