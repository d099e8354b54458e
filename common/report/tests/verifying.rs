//! What a verifier finds in a package that somebody touched.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
#[path = "verifying/flipped.rs"]
mod flipped;
#[path = "verifying/stated.rs"]
mod stated;
#[path = "verifying/swapped.rs"]
mod swapped;
#[path = "verifying/told.rs"]
mod told;
#[path = "verifying/unsuppressed.rs"]
mod unsuppressed;

use std::collections::BTreeMap;

use consortium::{Consortium, answers, plan};
use fedval_report::{BuildError, Verification, verify};
use fedval_study::StudyProtocol;
use fedval_trust::{Endorsement, PayloadType};

type Files = BTreeMap<String, Vec<u8>>;

/// A plan whose report is quick to make again: tampering is the same with fewer numbers.
fn small() -> StudyProtocol {
    let mut plan = plan();
    plan.subgroups.clear();
    plan.operating_points.truncate(1);
    plan
}

fn untouched() -> (Consortium, Files) {
    let consortium = Consortium::new(1);
    let files = consortium.package(&small(), &answers(&small())).files();
    (consortium, files)
}

fn replace(files: &mut Files, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(from), "{path} does not hold {from}");
    files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
}

/// Changes the last digit in the file.
fn change_a_digit(files: &mut Files, path: &str) {
    let bytes = files.get_mut(path).unwrap();
    let at = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
    bytes[at] = if bytes[at] == b'9' { b'8' } else { bytes[at] + 1 };
}

fn failures(verification: &Verification) -> Vec<(&str, &str)> {
    verification
        .parts
        .iter()
        .filter_map(|part| Some((part.part.as_str(), part.problem.as_deref()?)))
        .collect()
}

/// The first failing part.
fn first_of(verification: &Verification) -> String {
    verification.first_failure().expect("something fails").part.clone()
}

/// The first failing part with its problem.
fn first(files: &Files) -> (String, String) {
    let verification = verify(files, None);
    let part = verification.first_failure().expect("something fails").clone();
    assert!(!verification.holds());
    (part.part, part.problem.unwrap())
}

/// What is checked of a package, in order.
const PARTS: [&str; 54] = [
    "files",
    "evidence/root.pem",
    "evidence/protocol.json",
    "evidence/round.json",
    "evidence/sites/site-a.json",
    "evidence/sites/site-b.json",
    "evidence/sites/site-c.json",
    "evidence/sites/site-d.json",
    "report.json",
    "report.json: model digest",
    "report.json: numbers",
    "figures/calibration.csv",
    "figures/calibration.svg",
    "figures/decision-curve.csv",
    "figures/decision-curve.svg",
    "figures/flow-site-a.csv",
    "figures/flow-site-a.svg",
    "figures/flow-site-b.csv",
    "figures/flow-site-b.svg",
    "figures/flow-site-c.csv",
    "figures/flow-site-c.svg",
    "figures/flow.csv",
    "figures/flow.svg",
    "figures/forest-auroc.csv",
    "figures/forest-auroc.svg",
    "figures/forest-sensitivity-balanced.csv",
    "figures/forest-sensitivity-balanced.svg",
    "figures/forest-sensitivity-rule-out.csv",
    "figures/forest-sensitivity-rule-out.svg",
    "figures/forest-specificity-balanced.csv",
    "figures/forest-specificity-balanced.svg",
    "figures/forest-specificity-rule-out.csv",
    "figures/forest-specificity-rule-out.svg",
    "figures/roc-space.csv",
    "figures/roc-space.svg",
    "report.html",
    "report.pdf",
    "tables/gaps.csv",
    "tables/metrics.csv",
    "tables/operating_points.csv",
    "tables/protocol_changes.csv",
    "tables/sites.csv",
    "tables/subgroup_sites.csv",
    "tables/subgroups.csv",
    "tables/synthesis.csv",
    "tables/withheld.csv",
    "evidence/log.jsonl",
    "evidence/log-checkpoint.json",
    "evidence/log-cosignatures.json",
    "README.txt",
    "model-card.md",
    "sbom.cdx.json",
    "evidence/statement.json",
    "evidence.zip",
];

#[test]
fn an_untouched_package_holds() {
    let consortium = Consortium::new(1);
    let files = consortium.package(&plan(), &answers(&plan())).files();
    let verification = verify(&files, Some(consortium.authority.root().fingerprint()));
    assert_eq!(failures(&verification), []);
    assert!(verification.holds() && verification.root_is_pinned);
    let parts: Vec<_> = verification.parts.iter().map(|part| part.part.as_str()).collect();
    assert_eq!(parts, PARTS);
}

#[test]
fn without_a_fingerprint_the_root_is_not_proven() {
    let (_, files) = untouched();
    let verification = verify(&files, None);
    assert!(verification.holds() && !verification.root_is_pinned);
}

#[test]
fn another_root_is_refused() {
    let (_, files) = untouched();
    let other = Consortium::new(2).authority.root().fingerprint();
    let verification = verify(&files, Some(other));
    assert_eq!(first_of(&verification), "evidence/root.pem");
    assert!(!verification.root_is_pinned);
}

#[test]
fn one_digit_of_the_report_is_found_and_its_path_named() {
    let (_, mut files) = untouched();
    replace(&mut files, "report.json", "\"k\":3,", "\"k\":4,");
    assert_eq!(first(&files).0, "report.json");
    let verification = verify(&files, None);
    let numbers = failures(&verification)
        .into_iter()
        .find(|(part, _)| *part == "report.json: numbers")
        .unwrap();
    assert!(numbers.1.contains("$."), "{}", numbers.1);
}

#[test]
fn a_report_signed_anew_with_other_numbers_is_found() {
    let (consortium, mut files) = untouched();
    replace(&mut files, "report.json", "\"result\":\"inconclusive\"", "\"result\":\"met\"");
    let signed = consortium.by_coordinator(PayloadType::Report, &files["report.json"]);
    let endorsements = serde_json_of(&signed.endorsements);
    files.insert("report.sig.json".to_owned(), endorsements);
    let (part, problem) = first(&files);
    assert_eq!(part, "report.json: numbers");
    assert!(problem.contains("$.verdicts[") && problem.contains(".result"), "{problem}");
}

fn serde_json_of(endorsements: &[Endorsement]) -> Vec<u8> {
    fedval_study::Canonical::new(endorsements).unwrap().bytes().to_vec()
}

#[test]
fn a_digit_of_a_site_result_is_found() {
    let (_, mut files) = untouched();
    change_a_digit(&mut files, "evidence/sites/site-b.json");
    assert_eq!(first(&files).0, "evidence/sites/site-b.json");
}

#[test]
fn a_result_that_the_round_does_not_list_is_found() {
    let (consortium, mut files) = untouched();
    // Signed by the right site, but not what the coordinator recorded.
    let text = String::from_utf8(files["evidence/sites/site-b.json"].clone()).unwrap();
    let bytes = text.replacen("\"ece_micro\":", "\"ece_micro\":1", 1).into_bytes();
    let signed = consortium.by_site(&"site-b".parse().unwrap(), bytes.clone());
    files.insert("evidence/sites/site-b.json".to_owned(), bytes);
    let endorsements = serde_json_of(&signed.endorsements);
    files.insert("evidence/sites/site-b.sig.json".to_owned(), endorsements);
    let (part, problem) = first(&files);
    assert_eq!(part, "evidence/sites/site-b.json");
    assert!(problem.contains("round record"), "{problem}");
}

#[test]
fn another_model_digest_in_the_protocol_is_found() {
    let (_, mut files) = untouched();
    let digest = consortium::digest("model").to_string();
    let other = consortium::digest("other").to_string();
    replace(&mut files, "evidence/protocol.json", &digest, &other);
    assert_eq!(first(&files).0, "evidence/protocol.json");
}

#[test]
fn swapped_site_files_are_found() {
    let (_, mut files) = untouched();
    for suffix in ["json", "sig.json"] {
        let [a, b] = ["site-a", "site-b"].map(|site| format!("evidence/sites/{site}.{suffix}"));
        let (left, right) = (files[&a].clone(), files[&b].clone());
        files.insert(a, right);
        files.insert(b, left);
    }
    let (part, problem) = first(&files);
    assert_eq!(part, "evidence/sites/site-a.json");
    assert!(problem.contains("no signature by the expected party"), "{problem}");
}

#[test]
fn a_stripped_signature_is_found() {
    let (_, files) = untouched();
    for (path, part) in [
        ("evidence/protocol.sig.json", "evidence/protocol.json"),
        ("evidence/round.sig.json", "evidence/round.json"),
        ("evidence/sites/site-d.sig.json", "evidence/sites/site-d.json"),
        ("report.sig.json", "report.json"),
    ] {
        let mut files = files.clone();
        files.insert(path.to_owned(), b"[]".to_vec());
        assert_eq!(first(&files).0, part);
    }
}

#[test]
fn a_protocol_needs_both_signatures() {
    let (_, files) = untouched();
    let both: Vec<Endorsement> =
        serde_json::from_slice(&files["evidence/protocol.sig.json"]).unwrap();
    for kept in &both {
        let mut files = files.clone();
        let one = serde_json_of(std::slice::from_ref(kept));
        files.insert("evidence/protocol.sig.json".to_owned(), one);
        assert_eq!(first(&files).0, "evidence/protocol.json");
    }
}

/// Whether a page, paper, table or picture of the report stands at `path`: each is a part of its own.
fn is_form(path: &str) -> bool {
    let folders = ["tables/", "figures/"];
    ["report.html", "report.pdf"].contains(&path) || folders.iter().any(|of| path.starts_with(of))
}

#[test]
fn a_removed_or_added_file_is_found_and_named() {
    let (_, files) = untouched();
    // A package that was unpacked from its archive has none beside it.
    for path in files.keys().filter(|path| *path != "evidence.zip") {
        let mut files = files.clone();
        files.remove(path);
        let (part, problem) = first(&files);
        if is_form(path) {
            assert_eq!((part.as_str(), problem.as_str()), (path.as_str(), "is missing"));
            continue;
        }
        assert_eq!(part, "files", "{path}");
        // Without the round record nobody knows which sites belong here.
        assert!(problem.contains(path.as_str()) || path == "evidence/round.json", "{problem}");
    }
    for extra in ["evidence/sites/site-x.json", "README", "evidence/\u{202e}gpj.\u{1b}[2J"] {
        let mut files = files.clone();
        files.insert(extra.to_owned(), b"{}".to_vec());
        let (part, problem) = first(&files);
        assert_eq!(part, "files");
        assert!(problem.is_ascii(), "{problem}");
    }
    for (extra, named) in [
        ("tables/virus.exe", "tables/virus.exe"),
        ("figures/\u{202e}gvs.\u{1b}[2J", "figures/\\u{202e}gvs.\\u{1b}[2J"),
    ] {
        let mut files = files.clone();
        files.insert(extra.to_owned(), b"{}".to_vec());
        assert_eq!(first(&files), (named.to_owned(), "does not belong here".to_owned()));
    }
}

/// The part that speaks of the file at `path`.
fn part_of(path: &str) -> String {
    path.strip_suffix(".sig.json").map_or_else(|| path.to_owned(), |stem| format!("{stem}.json"))
}

/// Whether what fails names the file at `path`: as a part, an aspect of one, or in the words of a problem.
fn is_named(verification: &Verification, path: &str) -> bool {
    let own = part_of(path);
    let is_it = |part: &str| {
        part.strip_prefix(&*own).is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
    };
    failures(verification).iter().any(|(part, problem)| is_it(part) || problem.contains(path))
}

#[test]
fn the_archive_is_the_package() {
    let (consortium, files) = untouched();
    let packed = fedval_report::unpack(std::io::Cursor::new(&files["evidence.zip"])).unwrap();
    let root = Some(consortium.authority.root().fingerprint());
    assert!(verify(&packed, root).holds(), "{:?}", verify(&packed, root).first_failure());
    assert_eq!(packed.len() + 1, files.len());
}

#[test]
fn a_digit_of_the_page_is_found() {
    let (_, mut files) = untouched();
    change_a_digit(&mut files, "report.html");
    let (part, problem) = first(&files);
    assert_eq!(part, "report.html");
    assert!(problem.contains("line"), "{problem}");
}

#[test]
fn duplicate_keys_and_other_forms_of_the_same_json_are_found() {
    let (_, files) = untouched();
    for (path, part) in [
        ("report.json", "report.json"),
        ("evidence/round.json", "evidence/round.json"),
        ("evidence/protocol.json", "evidence/protocol.json"),
        ("evidence/sites/site-a.json", "evidence/sites/site-a.json"),
    ] {
        for change in ["{\"schema\":\"x\",", "{ "] {
            let mut files = files.clone();
            replace(&mut files, path, "{", change);
            let verification = verify(&files, None);
            let found: Vec<_> = failures(&verification).into_iter().map(|(part, _)| part).collect();
            assert!(found.contains(&part), "{path} {change}: {found:?}");
        }
    }
}

#[test]
fn hostile_bytes_never_panic() {
    let (_, files) = untouched();
    let hostile: [&[u8]; 6] = [
        b"",
        b"\xff\xfe",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        b"{\"opened_at_ms\":-9223372036854775808}",
        b"null",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    ];
    for path in files.keys() {
        for bytes in hostile {
            let mut files = files.clone();
            files.insert(path.clone(), bytes.to_vec());
            assert!(!verify(&files, None).holds(), "{path}");
        }
        // A flipped bit anywhere in the middle, and a cut.
        let mut flipped = files.clone();
        let bytes = flipped.get_mut(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert!(!verify(&flipped, None).holds(), "{path}");
        let mut cut = files.clone();
        cut.get_mut(path).unwrap().truncate(middle);
        assert!(!verify(&cut, None).holds(), "{path}");
    }
    assert!(!verify(&Files::new(), None).holds());
}

#[test]
fn times_that_no_calendar_has_are_found() {
    let consortium = Consortium::new(1);
    let mut evidence = consortium.evidence(&small(), &answers(&small()));
    let text = String::from_utf8(evidence.round.bytes.clone()).unwrap();
    let absurd = text.replacen("\"closed_at_ms\":10", "\"closed_at_ms\":-9999999999999910", 1);
    evidence.round = consortium.by_coordinator(PayloadType::Round, absurd.as_bytes());
    let refused = consortium.seal(evidence);
    assert!(refused.is_err());
}

#[test]
fn a_package_that_would_not_verify_is_not_built() {
    let consortium = Consortium::new(1);
    let mut evidence = consortium.evidence(&small(), &answers(&small()));
    evidence.protocol.endorsements.truncate(1);
    let refused = consortium.seal(evidence);
    assert!(
        matches!(&refused, Err(BuildError::DoesNotVerify { part, .. }) if part == "evidence/protocol.json"),
        "{refused:?}"
    );
}

#[test]
fn results_stay_verifiable_after_certificates_expired() {
    let (consortium, files) = untouched();
    consortium.clock.advance_seconds(10 * 365 * 24 * 3600);
    assert!(verify(&files, Some(consortium.authority.root().fingerprint())).holds());
}
