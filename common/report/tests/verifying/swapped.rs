//! What stands in another package, in the place of a package's own: one file, or a document with its signatures.

use fedval_report::{ARCHIVE, verify};
use fedval_study::{Canonical, ResultDigest, RoundRecord, Sha256Digest, SiteResult, StudyProtocol};
use fedval_trust::PayloadType;

use super::consortium::{Consortium, answers};
use super::{Files, first_of, is_named, small, untouched};

/// A package without its archive: whether what lies beside it is the same is no question here.
fn unpacked(mut files: Files) -> Files {
    files.remove(ARCHIVE);
    files
}

/// The package of another study of the same parties, under the same keys.
fn of_another_study(consortium: &Consortium) -> Files {
    let plan = StudyProtocol { id: "cxr-effusion".parse().unwrap(), ..small() };
    unpacked(consortium.package(&plan, &answers(&plan)).files())
}

/// The package of the next round of the same study, with the same answers, under the same keys.
fn of_another_round(consortium: &Consortium) -> Files {
    let mut evidence = consortium.evidence(&small(), &answers(&small()));
    let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
    record.round = "cxr-pneumonia-r2".parse().unwrap();
    for site in &mut record.sites {
        let Some(document) = evidence.results.get_mut(&site.site) else { continue };
        let mut result: SiteResult = Canonical::parse(&document.bytes).unwrap().into_value();
        result.header.round = record.round.clone();
        let bytes = Canonical::new(result).unwrap().into_bytes();
        site.result = Some(ResultDigest(Sha256Digest::of(&bytes)));
        *document = consortium.by_site(&site.site, bytes);
    }
    let bytes = Canonical::new(record).unwrap().into_bytes();
    evidence.round = consortium.by_coordinator(PayloadType::Round, &bytes);
    unpacked(consortium.seal(evidence).unwrap().files())
}

/// The package of the same study by parties with other keys.
fn of_other_keys() -> Files {
    unpacked(Consortium::new(9).package(&small(), &answers(&small())).files())
}

/// The signatures of the document at `path`, where it has any.
fn signatures<'f>(files: &'f Files, path: &str) -> Option<(String, &'f Vec<u8>)> {
    let beside = format!("{}.sig.json", path.strip_suffix(".json")?);
    let bytes = files.get(&beside)?;
    Some((beside, bytes))
}

#[test]
fn a49_a_file_of_another_package_is_found_and_named() {
    let (consortium, files) = untouched();
    let files = unpacked(files);
    let root = Some(consortium.authority.root().fingerprint());
    assert!(verify(&files, root).holds());
    let of_every = ["evidence/sites/site-a.sig.json", "evidence/statement.json"];
    let of_same_keys =
        ["evidence/round.json", "evidence/sites/site-a.json", "report.json", "report.pdf"];
    let of_keys = ["evidence/root.pem", "report.sig.json"];
    for (name, other, swapped) in [
        ("study", of_another_study(&consortium), &of_same_keys[..]),
        ("round", of_another_round(&consortium), &of_same_keys[..]),
        ("keys", of_other_keys(), &of_keys[..]),
    ] {
        let differ: Vec<_> = other
            .iter()
            .filter(|(path, theirs)| files.get(*path).is_some_and(|ours| ours != *theirs))
            .collect();
        for path in of_every.iter().chain(swapped) {
            assert!(
                differ.iter().any(|(other, _)| other == path),
                "{path} is that of another {name}"
            );
        }
        for (path, theirs) in differ {
            let mut files = files.clone();
            files.insert(path.clone(), theirs.clone());
            let verification = verify(&files, root);
            assert!(
                is_named(&verification, path),
                "{path} of another {name}: {:?}",
                verification.parts
            );
        }
    }
}

/// Each pair holds in itself. What it does not agree with is what fails first; where that is another part, the
/// statement still names the file that was swapped.
#[test]
fn a49_a_document_of_another_package_with_its_signatures_is_found_and_named() {
    let (consortium, files) = untouched();
    let files = unpacked(files);
    let root = Some(consortium.authority.root().fingerprint());
    let first_failure = |name: &str, path: &str| match (name, path) {
        ("study", "evidence/protocol.json") => "evidence/round.json".to_owned(),
        ("round", "evidence/round.json") => "evidence/sites/site-a.json".to_owned(),
        ("study" | "round", "report.json") => "report.json: numbers".to_owned(),
        _ => path.to_owned(),
    };
    for (name, other, pairs) in [
        ("study", of_another_study(&consortium), 8),
        ("round", of_another_round(&consortium), 7),
        ("keys", of_other_keys(), 8),
    ] {
        let mut swapped = 0;
        for (path, theirs) in &other {
            let Some((beside, signatures)) = signatures(&other, path) else { continue };
            let mut files = files.clone();
            let before = (
                files.insert(path.clone(), theirs.clone()),
                files.insert(beside.clone(), signatures.clone()),
            );
            if before == (Some(theirs.clone()), Some(signatures.clone())) {
                continue;
            }
            swapped += 1;
            let verification = verify(&files, root);
            assert_eq!(
                first_of(&verification),
                first_failure(name, path),
                "{path} of another {name}"
            );
            let is_told = is_named(&verification, path) || is_named(&verification, &beside);
            assert!(is_told, "{path} of another {name}: {:?}", verification.parts);
        }
        assert_eq!(swapped, pairs, "documents of another {name}");
    }
}

#[test]
fn a49_another_package_s_archive_is_found_and_named() {
    let (consortium, files) = untouched();
    let root = Some(consortium.authority.root().fingerprint());
    let other = Consortium::new(9).package(&small(), &answers(&small())).files();
    let swapped = Files::from([(ARCHIVE.to_owned(), other[ARCHIVE].clone())]);
    let verification = verify(&files.into_iter().chain(swapped).collect(), root);
    assert_eq!(first_of(&verification), ARCHIVE);
}
