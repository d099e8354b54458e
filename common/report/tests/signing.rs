//! People's signatures under a report: printed with it, bound to it, and none of them made up or left out.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;

use std::collections::BTreeMap;

use consortium::signature::statement;
use consortium::{Consortium, answers, plan};
use fedval_report::{BuildError, Package, SignedByPerson, verify};
use fedval_study::{
    Canonical, LogEvent, PersonRole, RoundRecord, Sha256Digest, SignatureMeaning, StudyProtocol,
    Timestamp,
};
use fedval_trust::Role;

type Files = BTreeMap<String, Vec<u8>>;

const APPROVAL: &str = "evidence/signatures/ada-approval.json";
const REVIEW: &str = "evidence/signatures/ada-review.json";

fn small() -> StudyProtocol {
    let mut plan = plan();
    plan.subgroups.clear();
    plan.operating_points.truncate(1);
    plan
}

fn sealed(
    consortium: &Consortium,
    sign: impl Fn(&RoundRecord, Sha256Digest) -> Vec<SignedByPerson>,
) -> Result<Package, BuildError> {
    let evidence = consortium.evidence(&small(), &answers(&small()));
    consortium.seal_signed(evidence, sign, |_, events| events)
}

/// A package that one person signed twice, with two meanings.
fn signed_twice(consortium: &Consortium) -> Files {
    let sign = |record: &RoundRecord, report| {
        [SignatureMeaning::Review, SignatureMeaning::Approval]
            .map(|meaning| consortium.signed(statement(record, report, "ada", meaning)))
            .to_vec()
    };
    sealed(consortium, sign).unwrap().files()
}

/// What keeps a package from being handed out.
fn refused(built: Result<Package, BuildError>) -> (String, String) {
    match built {
        Err(BuildError::DoesNotVerify { part, problem }) => (part, problem),
        other => panic!("{other:?}"),
    }
}

fn first(files: &Files) -> (String, String) {
    let verification = verify(files, None);
    let part = verification.first_failure().expect("something fails").clone();
    (part.part, part.problem.unwrap())
}

#[test]
fn name_meaning_and_time_are_printed_with_the_record() {
    let consortium = Consortium::new(1);
    let files = signed_twice(&consortium);
    let verification = verify(&files, Some(consortium.authority.root().fingerprint()));
    assert!(verification.holds(), "{:?}", verification.first_failure());
    for path in [APPROVAL, REVIEW] {
        assert!(verification.parts.iter().any(|part| part.part == path), "{path} is not checked");
    }
    let page = String::from_utf8(files["report.html"].clone()).unwrap();
    assert!(page.contains("Ada &lt;b&gt;King"), "the name is printed as text");
    let round: RoundRecord = Canonical::parse(&files["evidence/round.json"]).unwrap().into_value();
    let signed_at = Timestamp::from_unix_millis(round.closed_at_ms.unwrap() + 1_000).to_string();
    for word in ["statistician ada", "approval", "review", &signed_at] {
        assert!(page.contains(word), "{word} is not printed");
    }
    let digest = Sha256Digest::of(&files["report.json"]).to_string();
    assert!(page.contains(&digest), "which record was signed is not printed");
}

#[test]
fn a_report_says_so_where_nobody_signed() {
    let consortium = Consortium::new(1);
    let files = sealed(&consortium, |_, _| Vec::new()).unwrap().files();
    let page = String::from_utf8(files["report.html"].clone()).unwrap();
    assert!(page.contains("No person has signed this report"));
}

#[test]
fn signatures_change_pages_and_no_number() {
    let consortium = Consortium::new(1);
    let unsigned = sealed(&consortium, |_, _| Vec::new()).unwrap().files();
    let signed = signed_twice(&consortium);
    assert_eq!(signed["report.json"], unsigned["report.json"]);
    assert_ne!(signed["report.html"], unsigned["report.html"]);
    assert_ne!(signed["report.pdf"], unsigned["report.pdf"]);
}

#[test]
fn a_signature_cannot_be_lifted_to_another_report() {
    let consortium = Consortium::new(1);
    let other = Sha256Digest::of(b"another report");
    let sign = |record: &RoundRecord, _| {
        vec![consortium.signed(statement(record, other, "ada", SignatureMeaning::Approval))]
    };
    let (part, problem) = refused(sealed(&consortium, sign));
    assert_eq!((part.as_str(), problem.as_str()), (APPROVAL, "is about another report"));
}

#[test]
fn nobody_signs_in_the_name_of_somebody_else() {
    let consortium = Consortium::new(1);
    for role in [
        Role::Person(PersonRole::Statistician, "eve".parse().unwrap()),
        Role::Person(PersonRole::Operator, "ada".parse().unwrap()),
        Role::Coordinator,
        Role::Sponsor,
    ] {
        let sign = |record: &RoundRecord, report| {
            let statement = statement(record, report, "ada", SignatureMeaning::Approval);
            vec![consortium.signed_as(&role, statement)]
        };
        let (part, problem) = refused(sealed(&consortium, sign));
        assert_eq!(part, APPROVAL, "{role}");
        assert!(problem.contains("signature of statistician/ada"), "{problem}");
    }
}

#[test]
fn a_signature_that_was_logged_is_not_left_out_and_none_is_made_up() {
    let consortium = Consortium::new(1);
    let evidence = || consortium.evidence(&small(), &answers(&small()));
    let sign = |record: &RoundRecord, report| {
        vec![consortium.signed(statement(record, report, "ada", SignatureMeaning::Review))]
    };
    let unlogged = |_: &RoundRecord, mut events: Vec<LogEvent>| {
        events.retain(|event| !matches!(event, LogEvent::ReportSigned { .. }));
        events
    };
    let (part, problem) = refused(consortium.seal_signed(evidence(), sign, unlogged));
    assert_eq!(part, "evidence/log.jsonl");
    assert!(problem.contains(REVIEW), "{problem}");

    let more = |_: &RoundRecord, mut events: Vec<LogEvent>| {
        let report = events.iter().rev().find_map(|event| match event {
            LogEvent::ReportBuilt { round, report } => Some((round.clone(), *report)),
            _ => None,
        });
        let (round, report) = report.unwrap();
        let signature = Sha256Digest::of(b"a refusal");
        let signer = "bea".parse().unwrap();
        events.push(LogEvent::ReportSigned { round, report, signer, signature });
        events
    };
    let (part, problem) = refused(consortium.seal_signed(evidence(), sign, more));
    assert_eq!(part, "evidence/log.jsonl");
    assert!(problem.contains("left out"), "{problem}");
}

#[test]
fn a_signature_that_somebody_touched_is_found() {
    let consortium = Consortium::new(1);
    let untouched = signed_twice(&consortium);
    let changed = |from: &str, to: &str| {
        let mut files = untouched.clone();
        let text = String::from_utf8(files[APPROVAL].clone()).unwrap();
        assert!(text.contains(from));
        files.insert(APPROVAL.to_owned(), text.replacen(from, to, 1).into_bytes());
        files
    };
    let (part, _) = first(&changed("Countess", "Duchess"));
    assert_eq!(part, "report.html", "the page prints another name");
    let failing = |files: &Files| {
        let parts = verify(files, None).parts.into_iter();
        parts.filter(|part| part.problem.is_some()).map(|part| part.part).collect::<Vec<_>>()
    };
    assert!(failing(&changed("\"approval\"", "\"review\"")).contains(&APPROVAL.to_owned()));
    assert!(failing(&changed("{", "{ ")).contains(&APPROVAL.to_owned()));

    let mut swapped = untouched.clone();
    let (one, other) = (untouched[APPROVAL].clone(), untouched[REVIEW].clone());
    swapped.insert(APPROVAL.to_owned(), other);
    swapped.insert(REVIEW.to_owned(), one);
    assert!(failing(&swapped).contains(&APPROVAL.to_owned()));

    let mut removed = untouched;
    removed.remove(APPROVAL);
    assert_eq!(first(&removed).0, "files", "its signature file is left over");
    removed.remove("evidence/signatures/ada-approval.sig.json");
    assert_ne!(first(&removed).0, "");
}
