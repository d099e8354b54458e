//! Packages that were handed out keep verifying, whatever the program becomes.
//!
//! `golden/` holds one package of each schema and revision. Where this program makes another package of the same
//! evidence than the last one there, a reader would be told that an honest package was changed: raise
//! `REPORT_REVISION`, and add the new package with `FEDVAL_WRITE_GOLDEN=1`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use consortium::signature::statement;
use consortium::{Consortium, answers, plan};
use fedval_report::{ARCHIVE, BuildError, REPORT_REVISION, unpack, verify};
use fedval_study::{Canonical, RoundRecord, SignatureMeaning};
use fedval_trust::PayloadType;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn name(revision: u32) -> String {
    format!("report-1.revision-{revision}.zip")
}

/// The evidence of every golden package: the smallest study with a group in it.
fn evidence(everyone: &Consortium) -> fedval_report::Evidence {
    let mut plan = plan();
    plan.subgroups.truncate(1);
    plan.operating_points.truncate(1);
    everyone.evidence(&plan, &answers(&plan))
}

#[test]
fn every_golden_package_verifies() {
    let root = Consortium::new(20).authority.root().fingerprint();
    let mut packages: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    packages.sort();
    assert_eq!(packages.len(), usize::try_from(REPORT_REVISION).unwrap(), "one of each revision");
    for package in packages {
        let files = unpack(Cursor::new(fs::read(&package).unwrap())).unwrap();
        let verification = verify(&files, Some(root));
        let failed = verification.first_failure();
        assert!(failed.is_none(), "{}: {failed:?}", package.display());
        assert!(verification.root_is_pinned);
    }
}

#[test]
fn this_revision_makes_the_package_that_was_handed_out() {
    let everyone = Consortium::new(20);
    let sign = |record: &RoundRecord, report| {
        vec![everyone.signed(statement(record, report, "ada", SignatureMeaning::Review))]
    };
    let package = everyone.seal_signed(evidence(&everyone), sign, |_, events| events).unwrap();
    let archive = package.files().remove(ARCHIVE).unwrap();
    let file = folder().join(name(REPORT_REVISION));
    if std::env::var_os("FEDVAL_WRITE_GOLDEN").is_some() {
        fs::write(&file, &archive).unwrap();
    }
    let golden = unpack(Cursor::new(fs::read(&file).unwrap())).unwrap();
    let now = unpack(Cursor::new(archive)).unwrap();
    let changed: Vec<&String> = now
        .iter()
        // What the software is made of changes with every dependency; it is signed, and not made again.
        .filter(|(path, bytes)| !is_signed_alone(path) && golden.get(*path) != Some(bytes))
        .map(|(path, _)| path)
        .collect();
    assert!(changed.is_empty(), "raise REPORT_REVISION and write a golden package: {changed:?}");
}

fn is_signed_alone(path: &str) -> bool {
    ["sbom.cdx.json", "README.txt", "model-card.md", "evidence/statement.json"].contains(&path)
}

#[test]
fn a_package_of_another_revision_is_held_to_its_numbers() {
    let everyone = Consortium::new(21);
    let of_another = |change: fn(String) -> String| {
        let mut evidence = evidence(&everyone);
        let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
        record.report_revision = REPORT_REVISION - 1;
        let bytes = Canonical::new(record).unwrap().into_bytes();
        evidence.round = everyone.by_coordinator(PayloadType::Round, &bytes);
        let files = everyone.seal(evidence).unwrap().files();
        let report = change(String::from_utf8(files["report.json"].clone()).unwrap());
        let signed = everyone.by_coordinator(PayloadType::Report, report.as_bytes());
        let mut files = files;
        let signatures = Canonical::new(&signed.endorsements[..]).unwrap().into_bytes();
        files.insert("report.json".to_owned(), report.into_bytes());
        files.insert("report.sig.json".to_owned(), signatures);
        verify(&files, None)
    };
    let numbers = |verification: &fedval_report::Verification| {
        let part = verification.parts.iter().find(|part| part.part == "report.json: numbers");
        part.unwrap().problem.clone()
    };
    let honest = of_another(|report| report);
    assert!(!honest.is_made_again && numbers(&honest).is_none(), "{:?}", honest.first_failure());
    let changed = of_another(|report| report.replacen("\"k\":3,", "\"k\":4,", 1));
    assert!(numbers(&changed).unwrap().contains("first at"), "{:?}", numbers(&changed));
    let drawn = of_another(|report| {
        let at = report.find("\"limits\":[\"").unwrap() + 11;
        format!("{}x{}", &report[..at], &report[at..])
    });
    assert!(numbers(&drawn).is_some());
}

#[test]
fn a_revision_that_nobody_knows_is_refused() {
    let everyone = Consortium::new(23);
    for revision in [0, REPORT_REVISION + 1, u32::MAX] {
        let mut evidence = evidence(&everyone);
        let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
        record.report_revision = revision;
        let bytes = Canonical::new(record).unwrap().into_bytes();
        evidence.round = everyone.by_coordinator(PayloadType::Round, &bytes);
        match everyone.seal(evidence) {
            Err(BuildError::DoesNotVerify { part, problem }) => {
                assert_eq!(part, "evidence/round.json");
                assert!(problem.contains(&revision.to_string()), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_page_of_another_revision_is_the_one_that_was_signed() {
    let everyone = Consortium::new(22);
    let mut evidence = evidence(&everyone);
    let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
    record.report_revision = REPORT_REVISION - 1;
    let bytes = Canonical::new(record).unwrap().into_bytes();
    evidence.round = everyone.by_coordinator(PayloadType::Round, &bytes);
    let package: Result<_, BuildError> = everyone.seal(evidence);
    let mut files = package.unwrap().files();
    assert!(verify(&files, None).holds());
    files.get_mut("report.html").unwrap().push(b' ');
    let verification = verify(&files, None);
    let failed = verification.first_failure().unwrap();
    assert_eq!(failed.part, "evidence/statement.json");
    assert!(failed.problem.as_deref().unwrap().contains("report.html"));
}
