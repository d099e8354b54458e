//! The report of a study whose protocol was amended, and what a verifier finds where its history was changed.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;

use std::collections::BTreeMap;

use consortium::{Consortium, answers, plan};
use fedval_report::{BuildError, Evidence, Report, verify};
use fedval_study::{
    Canonical, LockedProtocol, LogEvent, ProtocolHistory, RoundRecord, StudyProtocol,
};
use fedval_trust::PayloadType;

type Files = BTreeMap<String, Vec<u8>>;

const EARLIER: &str = "evidence/earlier-protocols/version-1.json";
const REASON: &str = "=cmd|' /C calc'!A0 <b>the limit was a slip of the pen</b>";

fn small() -> StudyProtocol {
    let mut plan = plan();
    plan.subgroups.clear();
    plan.operating_points.truncate(1);
    plan
}

/// A first version with another limit, and the small study that amends it.
fn history() -> ProtocolHistory {
    let mut first = StudyProtocol { version: 1, ..small() };
    first.endpoints[0].limit -= 0.05;
    let first = LockedProtocol::new(first).unwrap();
    let second = LockedProtocol::new(small().amending(&first, REASON)).unwrap();
    ProtocolHistory::new(vec![first, second]).unwrap()
}

fn evidence(consortium: &Consortium) -> Evidence {
    consortium.evidence_under(&history(), &answers(&small()))
}

/// The evidence with another round record.
fn recorded(consortium: &Consortium, change: impl Fn(&mut RoundRecord)) -> Evidence {
    let mut evidence = evidence(consortium);
    let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
    change(&mut record);
    let bytes = Canonical::new(record).unwrap().into_bytes();
    evidence.round = consortium.by_coordinator(PayloadType::Round, &bytes);
    evidence
}

fn refused(consortium: &Consortium, evidence: Evidence) -> (String, String) {
    refused_with(consortium, evidence, |_, events| events)
}

fn refused_with(
    consortium: &Consortium,
    evidence: Evidence,
    change: impl Fn(&RoundRecord, Vec<LogEvent>) -> Vec<LogEvent>,
) -> (String, String) {
    match consortium.seal_with(evidence, change) {
        Err(BuildError::DoesNotVerify { part, problem }) => (part, problem),
        other => panic!("{other:?}"),
    }
}

fn first(files: &Files) -> (String, String) {
    let verification = verify(files, None);
    let part = verification.first_failure().expect("something fails").clone();
    (part.part, part.problem.unwrap())
}

fn text<'f>(files: &'f Files, path: &str) -> &'f str {
    std::str::from_utf8(&files[path]).unwrap()
}

#[test]
fn an_amendment_is_told_in_every_form_with_its_reason_and_what_it_changed() {
    let consortium = Consortium::new(1);
    let files = consortium.seal(evidence(&consortium)).unwrap().files();
    let verification = verify(&files, None);
    assert!(verification.holds(), "{:?}", verification.first_failure());
    assert!(verification.parts.iter().any(|part| part.part == EARLIER));
    let report: Report = serde_json::from_slice(&files["report.json"]).unwrap();
    let [one, two] = &report.study.history[..] else { panic!("two versions") };
    assert_eq!((one.version, two.version, one.results_before), (1, 2, 0));
    assert_eq!((one.reason.as_deref(), two.reason.as_deref()), (None, Some(REASON)));
    let paths: Vec<_> = two.changes.iter().map(|change| change.path.as_str()).collect();
    let limit = format!("endpoints[{}].limit", small().endpoints[0].name);
    assert_eq!(paths, [limit.as_str()]);
    let page = text(&files, "report.html");
    for part in ["Versions of the protocol", "amended once", limit.as_str(), "slip of the pen"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<b>the limit"), "a reason is text");
    let table = text(&files, "tables/protocol_changes.csv");
    assert!(table.contains("'=cmd") && table.contains(&limit), "{table}");
}

#[test]
fn what_was_amended_after_results_is_named_in_the_limits() {
    let consortium = Consortium::new(2);
    let late = recorded(&consortium, |record| record.protocols[1].results_before = 1);
    // A result of an earlier round of the study, before the second version.
    let with_result = |record: &RoundRecord, mut events: Vec<LogEvent>| {
        let LogEvent::ResultRecorded { site, result, .. } =
            events.iter().find(|e| matches!(e, LogEvent::ResultRecorded { .. })).unwrap().clone()
        else {
            panic!("it was found as one")
        };
        let round = format!("{}-r7", record.study).parse().unwrap();
        // In place of the entry of another study, so that the others stay where they are.
        events.swap(0, 1);
        events[1] = LogEvent::ResultRecorded { round, site, result };
        events
    };
    let moved = recorded(&consortium, |record| {
        record.protocols[1].results_before = 1;
        record.protocols[0].locked_at_ms -= 1;
    });
    let files = consortium.seal_with(moved, with_result).unwrap().files();
    let report: Report = serde_json::from_slice(&files["report.json"]).unwrap();
    let named = report.limits.iter().find(|limit| limit.contains("amended when results"));
    assert!(named.unwrap().contains("version 2 after one result"), "{named:?}");
    // The log knows of none, so that the record says what nobody saw.
    let (part, problem) = refused(&consortium, late);
    assert_eq!(part, "evidence/log.jsonl");
    assert!(problem.contains("another history"), "{problem}");
}

#[test]
fn results_that_were_known_cannot_be_kept_silent() {
    let consortium = Consortium::new(3);
    let (part, problem) = refused_with(&consortium, evidence(&consortium), |record, mut events| {
        let round = format!("{}-r7", record.study).parse().unwrap();
        let found = events.iter().find_map(|event| match event {
            LogEvent::ResultRecorded { site, result, .. } => Some((site.clone(), *result)),
            _ => None,
        });
        let (site, result) = found.unwrap();
        events[0] = LogEvent::ResultRecorded { round, site, result };
        events
    });
    assert_eq!(part, "evidence/log.jsonl");
    assert!(problem.contains("another history"), "{problem}");
}

#[test]
fn the_version_in_force_is_the_one_that_was_dispatched() {
    let consortium = Consortium::new(4);
    let (part, problem) = refused_with(&consortium, evidence(&consortium), |record, mut events| {
        let mut protocol = record.protocol;
        protocol.0 = fedval_study::Sha256Digest::of(b"a third version");
        let study = record.study.clone();
        events.insert(3, LogEvent::ProtocolLocked { study, protocol, model: record.model });
        events
    });
    assert_eq!(part, "evidence/log.jsonl");
    assert!(problem.contains("another version was in force"), "{problem}");
}

#[test]
fn no_version_can_be_left_out_changed_or_added() {
    let consortium = Consortium::new(5);
    let files = consortium.seal(evidence(&consortium)).unwrap().files();
    let mut without = files.clone();
    without.remove(EARLIER);
    assert!(first(&without).1.contains(EARLIER), "{:?}", first(&without));
    let mut changed = files.clone();
    let other = text(&files, EARLIER).replacen("slip", "slap", 1).replacen("0.", "1.", 1);
    changed.insert(EARLIER.to_owned(), other.into_bytes());
    let (part, _) = first(&changed);
    assert!(part.starts_with("evidence/earlier-protocols/"), "{part}");
    let mut added = files.clone();
    let path = "evidence/earlier-protocols/version-0.json".to_owned();
    added.insert(path.clone(), files[EARLIER].clone());
    assert!(first(&added).1.contains(&path), "{:?}", first(&added));
    // The record of a round must name the versions.
    let silent = recorded(&consortium, |record| record.protocols.clear());
    assert!(matches!(
        consortium.seal(silent),
        Err(BuildError::Assemble(fedval_report::AssembleError::RoundDisagrees { .. }))
    ));
}

/// A version that is kept under the number of another would be looked for for ever.
#[test]
fn versions_that_point_in_a_circle_are_refused() {
    let consortium = Consortium::new(6);
    let mut files = consortium.seal(evidence(&consortium)).unwrap().files();
    let in_force = files["evidence/protocol.json"].clone();
    files.insert(EARLIER.to_owned(), in_force);
    let (part, problem) = first(&files);
    assert!(part.starts_with("evidence/earlier-protocols/"), "{part}");
    assert!(problem.contains("is version 2"), "{problem}");
}
