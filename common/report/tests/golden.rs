//! Packages that were handed out keep verifying, whatever the program becomes.
//!
//! `golden/` holds one package of each schema and revision, of a study of one condition; `golden_tasks/` one of each
//! other task, packed, from the revision on in which they were first kept. Where this program makes another package
//! of the same evidence than the last one there, a reader would be told that an honest package was changed: raise
//! `REPORT_REVISION`, and add the new packages with `FEDVAL_WRITE_GOLDEN=1`, which writes those that are missing or made
//! otherwise and leaves the others as they are.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
mod tasks;
mod vetted;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use consortium::signature::statement;
use consortium::{Consortium, answers, plan};
use fedval_report::{
    ARCHIVE, BuildError, Gap, GapEstimate, REPORT_REVISION, Report, Verification, unpack, verify,
};
use fedval_study::{Canonical, RoundRecord, SignatureMeaning};
use fedval_trust::PayloadType;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// The first revision of which packages of the other tasks are kept.
const FIRST_OF_TASKS: u32 = 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn name(revision: u32) -> String {
    format!("report-1.revision-{revision}.zip")
}

/// The package of a study of another task. Packed it is a third as large; nothing in a package is.
fn of_task(task: &str, revision: u32) -> PathBuf {
    let name = format!("report-1.revision-{revision}.{task}.zip.gz");
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_tasks").join(name)
}

fn is_packed(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "gz")
}

/// A golden package, if it is there.
fn read(file: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(file).ok()?;
    if !is_packed(file) {
        return Some(bytes);
    }
    let mut archive = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut archive).unwrap();
    Some(archive)
}

fn write(file: &Path, archive: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    if !is_packed(file) {
        return fs::write(file, archive).unwrap();
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(archive).unwrap();
    fs::write(file, packed.finish().unwrap()).unwrap();
}

fn missing(file: &Path) -> ! {
    panic!("{} is missing: run these tests once with FEDVAL_WRITE_GOLDEN=1", file.display())
}

/// The evidence of every golden package: the smallest study with a group in it.
fn evidence(everyone: &Consortium) -> fedval_report::Evidence {
    let mut plan = plan();
    plan.subgroups.truncate(1);
    plan.operating_points.truncate(1);
    everyone.evidence(&plan, &answers(&plan))
}

/// The same, of a round that another revision recorded.
fn recorded_by(everyone: &Consortium, revision: u32) -> fedval_report::Evidence {
    let mut evidence = evidence(everyone);
    let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
    record.report_revision = revision;
    let bytes = Canonical::new(record).unwrap().into_bytes();
    evidence.round = everyone.by_coordinator(PayloadType::Round, &bytes);
    evidence
}

/// Makes the package of some evidence, under the signature of a person.
fn archive(everyone: &Consortium, evidence: fedval_report::Evidence) -> Vec<u8> {
    let sign = |record: &RoundRecord, report| {
        vec![everyone.signed(statement(record, report, "ada", SignatureMeaning::Review))]
    };
    let package = everyone.seal_signed(evidence, sign, |_, events| events).unwrap();
    package.files().remove(ARCHIVE).unwrap()
}

/// The files of two archives that are in one alone or not the same in both.
fn changed(golden: &[u8], now: &[u8]) -> Vec<String> {
    let [golden, now] = [golden, now].map(|archive| unpack(Cursor::new(archive)).unwrap());
    let mut paths: Vec<&String> = golden.keys().chain(now.keys()).collect();
    paths.sort();
    paths.dedup();
    // What the software is made of changes with every dependency; it is signed, and not made again.
    paths.retain(|path| !is_signed_alone(path) && golden.get(*path) != now.get(*path));
    paths.into_iter().cloned().collect()
}

/// Holds a package that was made now against the one that was handed out.
fn hold(file: &Path, now: &[u8]) {
    let is_held = read(file).is_some_and(|golden| changed(&golden, now).is_empty());
    if std::env::var_os("FEDVAL_WRITE_GOLDEN").is_some() && !is_held {
        write(file, now);
    }
    let golden = read(file).unwrap_or_else(|| missing(file));
    let changed = changed(&golden, now);
    assert!(
        changed.is_empty(),
        "{}: raise REPORT_REVISION and write golden packages: {changed:?}",
        file.display()
    );
}

fn verifies(file: &Path) {
    let root = Consortium::new(20).authority.root().fingerprint();
    let archive = read(file).unwrap_or_else(|| missing(file));
    let verification = verify(&unpack(Cursor::new(archive)).unwrap(), Some(root));
    let failed = verification.first_failure();
    assert!(failed.is_none(), "{}: {failed:?}", file.display());
    assert!(verification.root_is_pinned);
}

#[test]
fn every_golden_package_verifies() {
    let mut packages: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    packages.sort();
    assert_eq!(packages.len(), usize::try_from(REPORT_REVISION).unwrap(), "one of each revision");
    for package in &packages {
        verifies(package);
    }
}

#[test]
fn this_revision_makes_the_package_that_was_handed_out() {
    let everyone = Consortium::new(20);
    let now = archive(&everyone, evidence(&everyone));
    hold(&folder().join(name(REPORT_REVISION)), &now);
}

#[test]
fn this_revision_makes_the_packages_of_the_other_tasks_and_those_of_every_revision_verify() {
    for study in tasks::studies() {
        let everyone = Consortium::new(20);
        let now = archive(&everyone, everyone.evidence(&study.plan, &study.answers));
        hold(&of_task(study.task, REPORT_REVISION), &now);
        for revision in FIRST_OF_TASKS..=REPORT_REVISION {
            verifies(&of_task(study.task, revision));
        }
    }
}

fn is_signed_alone(path: &str) -> bool {
    ["sbom.cdx.json", "README.txt", "model-card.md", "evidence/statement.json"].contains(&path)
}

/// The files of a package that another revision made, with another report under the coordinator's signature.
fn told_by(
    everyone: &Consortium,
    revision: u32,
    change: impl Fn(String) -> String,
) -> BTreeMap<String, Vec<u8>> {
    let mut files = everyone.seal(recorded_by(everyone, revision)).unwrap().files();
    let report = change(String::from_utf8(files["report.json"].clone()).unwrap());
    let signed = everyone.by_coordinator(PayloadType::Report, report.as_bytes());
    let signatures = Canonical::new(&signed.endorsements[..]).unwrap().into_bytes();
    files.insert("report.json".to_owned(), report.into_bytes());
    files.insert("report.sig.json".to_owned(), signatures);
    files
}

/// What is wrong with the numbers of a package.
fn numbers(verification: &Verification) -> Option<String> {
    let part = verification.parts.iter().find(|part| part.part == "report.json: numbers");
    part.unwrap().problem.clone()
}

#[test]
fn a_package_of_another_revision_is_held_to_its_numbers() {
    let everyone = Consortium::new(21);
    let of_another = |change: fn(String) -> String| {
        verify(&told_by(&everyone, REPORT_REVISION - 1, change), None)
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

/// Revisions before the fourth took every gap for one of infinitely many sites.
#[test]
fn the_power_of_gaps_is_the_one_that_the_package_s_own_revision_tells() {
    let everyone = Consortium::new(24);
    let gaps = |revision| -> Vec<Gap> {
        let files = everyone.seal(recorded_by(&everyone, revision)).unwrap().files();
        assert!(verify(&files, None).holds(), "revision {revision}");
        serde_json::from_slice::<Report>(&files["report.json"]).unwrap().gaps
    };
    let (before, now) = (gaps(3), gaps(4));
    assert_eq!(before.len(), now.len());
    let mut at_two_sites = 0;
    for (before, now) in before.iter().zip(&now) {
        let (told, tells) = (before.result.value().unwrap(), now.result.value().unwrap());
        let as_told = GapEstimate { detectable: told.detectable, powered: told.powered, ..*tells };
        assert_eq!((as_told, before.k), (*told, now.k), "nothing else is told otherwise");
        let half = (tells.ci[1] - tells.ci[0]) / 2.0;
        assert!(tells.detectable > half, "{tells:?}");
        assert_eq!(tells.powered, tells.detectable <= GapEstimate::TELLING);
        if now.k == 1 {
            assert!((told.detectable - tells.detectable).abs() < 1e-12);
        } else {
            assert!(told.powered && !tells.powered && told.detectable < half, "{told:?}");
            at_two_sites += 1;
        }
    }
    assert!(at_two_sites > 0, "a gap of two sites");
    let modest =
        told_by(&everyone, 3, |report| report.replacen("\"powered\":true", "\"powered\":false", 1));
    let problem = numbers(&verify(&modest, None)).unwrap();
    assert!(problem.contains("first at $.gaps[0].result.powered"), "{problem}");
}

#[test]
fn a_revision_that_nobody_knows_is_refused() {
    let everyone = Consortium::new(23);
    for revision in [0, REPORT_REVISION + 1, u32::MAX] {
        match everyone.seal(recorded_by(&everyone, revision)) {
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
    let package: Result<_, BuildError> = everyone.seal(recorded_by(&everyone, REPORT_REVISION - 1));
    let mut files = package.unwrap().files();
    assert!(verify(&files, None).holds());
    files.get_mut("report.html").unwrap().push(b' ');
    let verification = verify(&files, None);
    let failed = verification.first_failure().unwrap();
    assert_eq!(failed.part, "evidence/statement.json");
    assert!(failed.problem.as_deref().unwrap().contains("report.html"));
}
