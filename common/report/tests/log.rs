//! What a verifier finds in the log of a coordinator that changed its history and signed it anew.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;

use std::collections::BTreeMap;

use consortium::{Consortium, answers, plan};
use fedval_report::{BuildError, Package, verify, verify_against};
use fedval_study::{
    Canonical, LogCheckpoint, LogEvent, RoundRecord, Sha256Digest, SiteId, StudyProtocol,
};
use fedval_trust::PayloadType;

type Files = BTreeMap<String, Vec<u8>>;

const LOG: &str = "evidence/log.jsonl";
const CHECKPOINT: &str = "evidence/log-checkpoint.json";
const COSIGNATURES: &str = "evidence/log-cosignatures.json";

fn small() -> StudyProtocol {
    let mut plan = plan();
    plan.subgroups.clear();
    plan.operating_points.truncate(1);
    plan
}

/// A package whose log holds these events.
fn package(
    consortium: &Consortium,
    change: impl Fn(&RoundRecord, Vec<LogEvent>) -> Vec<LogEvent>,
) -> Result<Package, BuildError> {
    consortium.seal_with(consortium.evidence(&small(), &answers(&small())), change)
}

/// The model was at this site before, in another study's name.
fn earlier_dispatch(record: &RoundRecord) -> LogEvent {
    LogEvent::Dispatched {
        study: "rehearsal".parse().unwrap(),
        round: "rehearsal-r1".parse().unwrap(),
        site: "site-a".parse().unwrap(),
        protocol: record.protocol,
        model: record.model,
    }
}

/// Another model was at this site before, in the name of `study`.
fn dispatch_of_another_model(record: &RoundRecord, study: &str) -> LogEvent {
    let mut model = record.model;
    model.0 = Sha256Digest::of(b"the model before it was tuned");
    LogEvent::Dispatched {
        study: study.parse().unwrap(),
        round: format!("{study}-r7").parse().unwrap(),
        site: "site-a".parse().unwrap(),
        protocol: record.protocol,
        model,
    }
}

/// The package of a round before which something was dispatched to site-a, and whose record says so often of its
/// model and of any.
fn recorded(
    consortium: &Consortium,
    [of_model, of_any_model]: [u64; 2],
    before: impl Fn(&RoundRecord) -> LogEvent,
) -> Result<Package, BuildError> {
    let mut evidence = consortium.evidence(&small(), &answers(&small()));
    let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
    record.sites[0].earlier_dispatches = of_model;
    record.sites[0].earlier_dispatches_any_model = Some(of_any_model);
    let bytes = Canonical::new(record).unwrap().into_bytes();
    evidence.round = consortium.by_coordinator(PayloadType::Round, &bytes);
    consortium.seal_with(evidence, |record, mut events| {
        events.insert(2, before(record));
        events
    })
}

/// The package of a round in which it had been there before, as the round record says.
fn with_earlier_dispatch(consortium: &Consortium) -> Files {
    recorded(consortium, [1, 1], earlier_dispatch).unwrap().files()
}

/// The first failing part, with its problem.
fn first(files: &Files) -> (String, String) {
    let verification = verify(files, None);
    let part = verification.first_failure().expect("something fails").clone();
    (part.part, part.problem.unwrap())
}

fn checkpoint(files: &Files) -> LogCheckpoint {
    Canonical::parse(&files[CHECKPOINT]).unwrap().into_value()
}

/// What the coordinator hands out, with the signatures that sites gave the honest log.
fn with_signatures_of(honest: &Files, mut told: Files) -> Files {
    told.insert(COSIGNATURES.to_owned(), honest[COSIGNATURES].clone());
    told
}

#[test]
fn the_log_says_who_signed_it_and_how_often_the_model_was_where() {
    let files = with_earlier_dispatch(&Consortium::new(1));
    let verification = verify(&files, None);
    assert!(verification.holds(), "{:?}", verification.first_failure());
    let log = verification.log;
    let names: Vec<&str> = log.cosigned_by.iter().map(fedval_study::SiteId::as_str).collect();
    assert_eq!(names, ["site-a"], "site-b signed a state without its own answer");
    let times: Vec<(&str, u64)> =
        log.dispatches.iter().map(|(site, times)| (site.as_str(), *times)).collect();
    let once = ["site-b", "site-c", "site-d", "site-e"].map(|site| (site, 1));
    assert_eq!(times, [&[("site-a", 2)][..], &once].concat());
    assert_eq!(log.entries, checkpoint(&files).entries);
    let report = String::from_utf8(files["report.json"].clone()).unwrap();
    assert!(report.contains("The model had been dispatched before to site-a (1)"), "{report}");
}

/// How often any model was at site-a, this round included, in a package that holds.
fn any_model_at_site_a(files: &Files) -> u64 {
    let verification = verify(files, None);
    assert!(verification.holds(), "{:?}", verification.first_failure());
    let site: SiteId = "site-a".parse().unwrap();
    verification.log.dispatches_any_model[&site]
}

#[test]
fn another_model_of_an_earlier_version_is_counted_and_cannot_be_denied() {
    let consortium = Consortium::new(1);
    let own = small().id.to_string();
    let says =
        |times| recorded(&consortium, [0, times], |record| dispatch_of_another_model(record, &own));
    let files = says(1).unwrap().files();
    assert_eq!(any_model_at_site_a(&files), 2);
    let report = String::from_utf8(files["report.json"].clone()).unwrap();
    assert!(report.contains("\"earlier_dispatches_any_model\":1"), "{report}");
    assert!(report.contains("in this study or others, before to site-a (1)"), "{report}");
    assert!(report.contains("what other coordinators, or the sites themselves, did"), "{report}");
    assert!(!report.contains("The model had been dispatched before"), "{report}");
    // One entry is hidden before it: another study's.
    for times in [0, 3] {
        let Err(BuildError::DoesNotVerify { part, problem }) = says(times) else {
            panic!("{times} was taken")
        };
        assert_eq!(part, LOG);
        assert!(
            problem.contains("has room for 1 to 2 earlier dispatches of any model"),
            "{problem}"
        );
    }
}

#[test]
fn another_model_of_another_study_is_counted_within_what_the_hidden_entries_leave_open() {
    let consortium = Consortium::new(1);
    let says = |times| {
        let before = |record: &RoundRecord| dispatch_of_another_model(record, "rehearsal");
        recorded(&consortium, [0, times], before)
    };
    let files = says(1).unwrap().files();
    let log = String::from_utf8(files[LOG].clone()).unwrap();
    assert!(!log.contains("rehearsal"), "readers need not know what others ask");
    assert_eq!(any_model_at_site_a(&files), 2);
    let Err(BuildError::DoesNotVerify { problem, .. }) = says(3) else { panic!("it was taken") };
    assert!(problem.contains("has room for 0 to 2 earlier dispatches of any model"), "{problem}");
}

#[test]
fn a_round_of_an_earlier_release_says_nothing_of_other_models() {
    let consortium = Consortium::new(1);
    let mut evidence = consortium.evidence(&small(), &answers(&small()));
    let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
    for site in &mut record.sites {
        site.earlier_dispatches_any_model = None;
    }
    record.report_revision = 3;
    let bytes = Canonical::new(record).unwrap().into_bytes();
    assert!(!String::from_utf8(bytes.clone()).unwrap().contains("any_model"));
    evidence.round = consortium.by_coordinator(PayloadType::Round, &bytes);
    let files = consortium.seal(evidence).unwrap().files();
    let verification = verify(&files, None);
    assert!(verification.holds(), "{:?}", verification.first_failure());
    assert!(verification.log.dispatches_any_model.is_empty());
    let report = String::from_utf8(files["report.json"].clone()).unwrap();
    assert!(!report.contains("any_model") && !report.contains("other coordinators"), "{report}");
}

#[test]
fn an_earlier_look_that_the_round_record_denies_shows() {
    let before = |record: &RoundRecord, mut events: Vec<LogEvent>| {
        events.insert(2, earlier_dispatch(record));
        events
    };
    let Err(BuildError::DoesNotVerify { part, problem }) = package(&Consortium::new(1), before)
    else {
        panic!("an earlier dispatch was denied")
    };
    assert_eq!(part, LOG);
    assert!(problem.contains("1 earlier dispatches of the model to site-a"), "{problem}");
}

#[test]
fn what_concerns_other_studies_is_hidden_and_still_counts() {
    let files = package(&Consortium::new(1), |_, events| events).unwrap().files();
    let text = String::from_utf8(files[LOG].clone()).unwrap();
    assert!(!text.contains("another-study") && text.lines().next().unwrap().contains("leaf"));
    let mut changed = files;
    let hidden = text.find("leaf\":\"").unwrap() + 7;
    let other = if text.as_bytes()[hidden] == b'0' { "1" } else { "0" };
    let text = [&text[..hidden], other, &text[hidden + 1..]].concat();
    changed.insert(LOG.to_owned(), text.into_bytes());
    assert_eq!(first(&changed).0, CHECKPOINT);
}

#[test]
fn a50_an_entry_taken_from_the_middle_shows() {
    let consortium = Consortium::new(1);
    let honest = with_earlier_dispatch(&consortium);
    let told = package(&consortium, |_, events| events).unwrap().files();
    let (part, problem) = first(&with_signatures_of(&honest, told));
    assert_eq!(part, COSIGNATURES);
    assert!(problem.contains("site-a signed another log"), "{problem}");
}

#[test]
fn a50_a_tail_that_was_cut_off_shows() {
    let consortium = Consortium::new(1);
    let longer = |record: &RoundRecord, mut events: Vec<LogEvent>| {
        events.push(earlier_dispatch(record));
        events
    };
    let honest = package(&consortium, longer).unwrap().files();
    let told = package(&consortium, |_, events| events).unwrap().files();
    assert_eq!(first(&with_signatures_of(&honest, told)).0, COSIGNATURES);
}

#[test]
fn a50_a_history_that_was_rewritten_and_hashed_anew_shows() {
    let consortium = Consortium::new(1);
    let honest = package(&consortium, |_, events| events).unwrap().files();
    let swapped = |_: &RoundRecord, mut events: Vec<LogEvent>| {
        events.swap(2, 3);
        events
    };
    let told = package(&consortium, swapped).unwrap().files();
    assert_eq!(first(&with_signatures_of(&honest, told)).0, COSIGNATURES);
}

#[test]
fn a50_of_two_histories_told_to_two_readers_one_fails() {
    let consortium = Consortium::new(1);
    let one = with_earlier_dispatch(&consortium);
    let other = package(&consortium, |_, events| events).unwrap().files();
    assert!(verify(&one, None).holds() && verify(&other, None).holds(), "each holds by itself");
    let seen = checkpoint(&one);
    assert!(verify_against(&one, None, Some(&seen)).holds());
    let verification = verify_against(&other, None, Some(&seen));
    let failed = verification.first_failure().unwrap();
    assert_eq!(failed.part, "evidence/log.jsonl: the checkpoint given");
}

#[test]
fn a_log_that_lacks_what_the_report_rests_on_makes_no_package() {
    type Is = fn(&LogEvent) -> bool;
    let consortium = Consortium::new(1);
    let without = |what: Is| {
        move |_: &RoundRecord, mut events: Vec<LogEvent>| {
            let at = events.iter().rposition(what).unwrap();
            events.remove(at);
            events
        }
    };
    let missing: [(Is, &str); 5] = [
        (|event| matches!(event, LogEvent::ProtocolLocked { .. }), "the locking of the protocol"),
        (|event| matches!(event, LogEvent::Dispatched { .. }), "the dispatch to site-e"),
        (|event| matches!(event, LogEvent::ResultRecorded { .. }), "the result of site-d"),
        (|event| matches!(event, LogEvent::RoundClosed { .. }), "the closing of the round"),
        (|event| matches!(event, LogEvent::ReportBuilt { .. }), "this report"),
    ];
    for (what, name) in missing {
        let refused = package(&consortium, without(what));
        let Err(BuildError::DoesNotVerify { part, problem }) = refused else {
            panic!("a log without {name} was taken")
        };
        assert_eq!((part.as_str(), problem), (LOG, format!("does not hold {name}")));
    }
}

#[test]
fn a_result_that_arrived_and_is_kept_silent_about_shows() {
    let consortium = Consortium::new(1);
    let more = |record: &RoundRecord, mut events: Vec<LogEvent>| {
        let result = record.sites[0].result.unwrap();
        let (round, site) = (record.round.clone(), "site-e".parse().unwrap());
        events.push(LogEvent::ResultRecorded { round, site, result });
        events
    };
    let Err(BuildError::DoesNotVerify { part, problem }) = package(&consortium, more) else {
        panic!("a result was left out")
    };
    assert_eq!(part, LOG);
    assert!(problem.contains("site-e"), "{problem}");
}

#[test]
fn a_site_counts_once() {
    let files = package(&Consortium::new(1), |_, events| events).unwrap().files();
    let mut all: Vec<serde_json::Value> = serde_json::from_slice(&files[COSIGNATURES]).unwrap();
    all.insert(0, all[0].clone());
    let mut changed = files;
    changed.insert(COSIGNATURES.to_owned(), Canonical::new(all).unwrap().into_bytes());
    let (part, problem) = first(&changed);
    assert_eq!(
        (part.as_str(), problem.as_str()),
        (COSIGNATURES, "are not in order of sites, one of each")
    );
}

#[test]
fn a_state_signed_by_another_than_the_named_site_does_not_count() {
    let files = package(&Consortium::new(1), |_, events| events).unwrap().files();
    let text = String::from_utf8(files[COSIGNATURES].clone()).unwrap();
    let renamed = text.replace("\"site\":\"site-a\"", "\"site\":\"site-c\"");
    let mut changed = files;
    changed.insert(COSIGNATURES.to_owned(), renamed.into_bytes());
    assert_eq!(first(&changed).0, COSIGNATURES);
}
