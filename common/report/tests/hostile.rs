//! Packages that are made to cost their reader something: refused, the part named, before much is read of them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use consortium::{Consortium, answers, plan};
use fedval_report::{Files, Verification, verify, verify_files};
use fedval_study::StudyProtocol;

type Held = BTreeMap<String, Vec<u8>>;

const SITE: &str = "evidence/sites/site-a.json";

fn small() -> StudyProtocol {
    let mut plan = plan();
    plan.subgroups.clear();
    plan.operating_points.truncate(1);
    plan
}

fn untouched() -> (Consortium, Held) {
    let consortium = Consortium::new(1);
    let files = consortium.package(&small(), &answers(&small())).files();
    (consortium, files)
}

/// The problem of a part, in a package with other bytes in one file.
fn problem(files: &Held, path: &str, bytes: Vec<u8>, part: &str) -> String {
    let mut files = files.clone();
    files.insert(path.to_owned(), bytes);
    of_part(&verify(&files, None), part)
}

fn of_part(verification: &Verification, part: &str) -> String {
    let found = verification.parts.iter().find(|check| check.part == part);
    found.and_then(|check| check.problem.clone()).unwrap_or_else(|| panic!("{part} holds"))
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_result_is_not_read_unless_its_site_signed_it() {
    let (_, files) = untouched();
    let nested = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let number = [&b"{\"header\":"[..], &vec![b'7'; 1 << 20], b"}"].concat();
    for bytes in [nested, number, b"{\"header\":1,\"header\":1}".to_vec()] {
        let problem = problem(&files, SITE, bytes, SITE);
        assert!(problem.starts_with("signature of site"), "{problem}");
    }
}

#[test]
fn under_another_root_no_result_is_looked_at() {
    let (_, files) = untouched();
    let other = Consortium::new(2).authority.root().fingerprint();
    let verification = verify(&files, Some(other));
    let problem = of_part(&verification, "evidence/root.pem");
    assert!(problem.contains("not the one given"), "{problem}");
    assert!(of_part(&verification, SITE).contains("without the root"));
    assert!(of_part(&verification, "report.json: numbers").contains("without every site result"));
}

#[test]
fn what_is_larger_than_any_is_not_read() {
    let (_, files) = untouched();
    for (path, part, mebibytes) in [
        (SITE, SITE, 5),
        ("evidence/protocol.json", "evidence/protocol.json", 3),
        ("evidence/round.json", "evidence/round.json", 17),
        ("evidence/sites/site-a.sig.json", SITE, 1),
        ("report.sig.json", "report.json", 1),
        ("evidence/log-cosignatures.json", "evidence/log-cosignatures.json", 17),
        ("evidence/statement.json", "evidence/statement.json", 17),
    ] {
        let problem = problem(&files, path, vec![b'['; mebibytes << 20], part);
        assert!(problem.contains("larger than any"), "{path}: {problem}");
    }
}

#[test]
fn deep_nesting_long_numbers_and_double_keys_are_named() {
    let (_, files) = untouched();
    let nested = || vec![b'['; 1 << 20];
    let long = [&b"{\"opened_at_ms\":"[..], &vec![b'7'; 1 << 20], b"}"].concat();
    let twice = [&b"{"[..], &b"\"round\":\"x\",".repeat(50_000), b"\"a\":1}"].concat();
    for path in ["evidence/round.json", "evidence/protocol.json", "report.json"] {
        for bytes in [nested(), long.clone(), twice.clone()] {
            let problem = problem(&files, path, bytes, path);
            assert!(problem.len() < 1000, "{path}: {problem}");
        }
    }
}

/// Nobody waits for the report of a large package to be made again of which a file was changed.
#[test]
fn a_large_package_is_made_again_only_where_every_file_was_signed() {
    let (_, mut files) = untouched();
    files.insert("report.html".to_owned(), vec![b' '; 17 << 20]);
    let verification = verify(&files, None);
    assert_eq!(verification.first_failure().unwrap().part, "evidence/statement.json");
    assert!(of_part(&verification, "report.json: numbers").contains("not made again"));
    assert!(of_part(&verification, "evidence/statement.json").contains("report.html"));
}

#[test]
fn a_round_record_that_cannot_be_read_is_what_is_named() {
    let (_, mut files) = untouched();
    files.insert("evidence/round.json".to_owned(), b"{\"round\":\"x\",\"round\":\"x\"}".to_vec());
    let verification = verify(&files, None);
    // The files of sites are not held against it, and the root says what it wants for.
    assert_eq!(verification.parts[0].problem, None);
    assert!(of_part(&verification, "evidence/root.pem").contains("without the round record"));
    assert!(of_part(&verification, "evidence/round.json").contains("schema"));
}

/// What a problem quotes may be as long as a file.
#[test]
fn a_problem_is_told_in_few_words() {
    let (_, files) = untouched();
    let text = [&b"{\""[..], &vec![b'x'; 1 << 20], b"\":1}"].concat();
    for path in ["evidence/round.json", "evidence/protocol.json", "evidence/log-checkpoint.json"] {
        assert!(problem(&files, path, text.clone(), path).len() < 1000);
    }
}

#[test]
fn more_signatures_than_any_document_has_are_not_tried() {
    let (_, files) = untouched();
    let text = String::from_utf8(files["report.sig.json"].clone()).unwrap();
    let one = text.trim_start_matches('[').trim_end_matches(']');
    let many = format!("[{}]", vec![one; 40].join(","));
    let problem = problem(&files, "report.sig.json", many.into_bytes(), "report.json");
    assert!(problem.contains("more signatures"), "{problem}");
}

#[test]
fn a_log_of_hidden_leaves_is_no_log_of_this_round() {
    let (_, files) = untouched();
    let leaves = format!("{{\"leaf\":\"{}\"}}\n", "ab".repeat(32)).repeat(20_000);
    let log = "evidence/log.jsonl";
    let problem = problem(&files, log, leaves.into_bytes(), log);
    assert!(problem.contains("does not hold"), "{problem}");
}

#[test]
fn an_archive_is_verified_where_it_lies() {
    let (consortium, files) = untouched();
    let folder = folder("archive");
    let path = folder.join("evidence.zip");
    fs::write(&path, &files["evidence.zip"]).unwrap();
    let root = Some(consortium.authority.root().fingerprint());
    let lying = Files::of_archive(File::open(&path).unwrap()).unwrap();
    let verification = verify_files(&lying, root, None);
    assert!(verification.holds(), "{:?}", verification.first_failure());
    // One bit of a result, where the archive has it.
    let mut archive = files["evidence.zip"].clone();
    let result = &files[SITE];
    let at = archive.windows(result.len()).position(|bytes| bytes == result).unwrap();
    archive[at + result.len() / 2] ^= 1;
    fs::write(&path, &archive).unwrap();
    let lying = Files::of_archive(File::open(&path).unwrap()).unwrap();
    let verification = verify_files(&lying, root, None);
    assert_eq!(verification.first_failure().unwrap().part, SITE);
}

#[test]
fn a_folder_is_verified_where_it_lies() {
    let (consortium, files) = untouched();
    let folder = folder("folder");
    let mut lying = Files::default();
    for (name, bytes) in &files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        lying.add_file(name.clone(), path, bytes.len() as u64);
    }
    let root = Some(consortium.authority.root().fingerprint());
    let verification = verify_files(&lying, root, None);
    assert!(verification.holds(), "{:?}", verification.first_failure());
    let mut archive = files["evidence.zip"].clone();
    let page = archive.windows(9).position(|bytes| bytes == b"<!doctype").unwrap();
    archive[page + 20] ^= 1;
    fs::write(folder.join("evidence.zip"), &archive).unwrap();
    let verification = verify_files(&lying, root, None);
    let failure = verification.first_failure().unwrap();
    assert_eq!(failure.part, "evidence.zip");
    assert!(failure.problem.as_deref().unwrap().contains("report.html"));
}

/// A sparse file of four gibibytes takes no room on the disk, and none here.
#[test]
fn a_sparse_file_is_no_archive() {
    let path = folder("sparse").join("evidence.zip");
    File::create(&path).unwrap().set_len(4 << 30).unwrap();
    let refused = Files::of_archive(File::open(&path).unwrap());
    assert!(refused.unwrap_err().to_string().contains("no readable ZIP"));
}
