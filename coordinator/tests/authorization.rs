//! Every call of the contract, by every kind of caller: who is let in.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod server;

use std::collections::BTreeSet;
use std::time::Duration;

use fedval_ambient::{MockClock, OsEntropy, SystemClock};
use fedval_study::PersonRole;
use fedval_trust::{Authority, Role, SecretKey};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use server::{Coordinator, Party, certified};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

/// Who may call what. A call that is not here is not covered, and fails the test.
const CALLS: &[(&str, &[Caller])] = &[
    ("ArtifactService/Download", &[Caller::Site]),
    ("CertificateService/Check", &[Caller::Site]),
    ("CertificateService/Renew", &[Caller::Site]),
    ("EnrolmentService/Enrol", ANY_HANDSHAKE),
    ("LogService/Cosign", &[Caller::Site]),
    ("LogService/Extend", &[Caller::Site]),
    ("OperatorService/AdmitPerson", &[Caller::Operator]),
    ("OperatorService/BuildReport", EVERYBODY),
    ("OperatorService/ChangePassword", EVERYBODY),
    ("OperatorService/CloseStudy", &[Caller::Operator]),
    ("OperatorService/CreateStudy", AUTHORS),
    ("OperatorService/DismissPerson", &[Caller::Operator]),
    ("OperatorService/DispatchStudy", &[Caller::Operator]),
    ("OperatorService/FetchProtocol", EVERYBODY),
    ("OperatorService/InviteSite", &[Caller::Operator]),
    ("OperatorService/IssuePassword", &[Caller::Operator]),
    ("OperatorService/ListPeople", &[Caller::Operator]),
    ("OperatorService/ListSites", EVERYBODY),
    ("OperatorService/ListStudies", EVERYBODY),
    ("OperatorService/LockStudy", AUTHORS),
    ("OperatorService/RevokeSite", &[Caller::Operator]),
    ("OperatorService/ShareStudy", &[Caller::Operator]),
    ("OperatorService/SignReport", EVERYBODY),
    ("OperatorService/StudyStatus", EVERYBODY),
    ("OperatorService/UnshareStudy", &[Caller::Operator]),
    ("ResultService/SubmitResult", &[Caller::Site]),
    ("WorkService/Work", &[Caller::Site]),
];

/// People who read.
const EVERYBODY: &[Caller] = &[Caller::Operator, Caller::Statistician, Caller::Reviewer];
/// People who write studies.
const AUTHORS: &[Caller] = &[Caller::Operator, Caller::Statistician];

/// Whoever gets through the handshake may present a token.
const ANY_HANDSHAKE: &[Caller] = &[
    Caller::Anonymous,
    Caller::Unregistered,
    Caller::Revoked,
    Caller::Site,
    Caller::Operator,
    Caller::Statistician,
    Caller::Reviewer,
    Caller::Dismissed,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// Shows no certificate.
    Anonymous,
    /// Certified as a site by an authority of its own.
    ForeignSite,
    /// Certified as an operator by an authority of its own.
    ForeignOperator,
    /// Certified by the consortium, long ago.
    Expired,
    /// Certified by the consortium, for later.
    NotYetValid,
    /// The server's own certificate, which is no client's.
    WrongUse,
    /// Certified by the consortium, but not in the registry.
    Unregistered,
    /// Was enrolled once.
    Revoked,
    /// Is enrolled.
    Site,
    /// Operates the coordinator.
    Operator,
    /// Writes studies.
    Statistician,
    /// Reads.
    Reviewer,
    /// Was a statistician once.
    Dismissed,
}

const CALLERS: [Caller; 13] = [
    Caller::Anonymous,
    Caller::ForeignSite,
    Caller::ForeignOperator,
    Caller::Expired,
    Caller::NotYetValid,
    Caller::WrongUse,
    Caller::Unregistered,
    Caller::Revoked,
    Caller::Site,
    Caller::Operator,
    Caller::Statistician,
    Caller::Reviewer,
    Caller::Dismissed,
];

/// What became of a call.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The service did its work, or found fault with the message.
    LetIn,
    /// The caller is known, and this is not for them.
    NotAllowed,
    /// The service asked for another certificate.
    NotEnrolled,
    /// The connection was refused.
    NoHandshake,
}

fn person(name: &str) -> Role {
    Role::Person(PersonRole::Operator, name.parse().unwrap())
}

fn site(name: &str) -> Role {
    Role::Site(name.parse().unwrap())
}

async fn channel_of(caller: Caller, coordinator: &Coordinator) -> Channel {
    let foreign = || Authority::create(&SystemClock, &OsEntropy).unwrap();
    let certified_then = |clock: &MockClock| {
        let key = SecretKey::generate(&OsEntropy);
        let authority = coordinator.authority();
        let certificate = authority.issue(&site("past"), &key, &[], 30, clock, &OsEntropy).unwrap();
        Party { key, certificate }
    };
    let party = match caller {
        Caller::Anonymous => return coordinator.anonymous(),
        Caller::ForeignSite => certified(&foreign(), &site("site-a")),
        Caller::ForeignOperator => certified(&foreign(), &person("admin")),
        Caller::Expired => certified_then(&MockClock::default()),
        Caller::NotYetValid => {
            let clock = MockClock::default();
            clock.advance_seconds(100 * 365 * 24 * 3600);
            certified_then(&clock)
        }
        Caller::WrongUse => coordinator.party("server"),
        Caller::Unregistered => certified(&coordinator.authority(), &site("site-a")),
        Caller::Revoked => {
            let party = coordinator.enrol("revoked").await;
            coordinator.run(&["site", "revoke", "revoked"]).done();
            party
        }
        Caller::Site => coordinator.enrol("site-a").await,
        Caller::Operator => coordinator.party("operator"),
        Caller::Statistician => coordinator.admit("ada", "statistician"),
        Caller::Reviewer => coordinator.admit("rae", "reviewer"),
        Caller::Dismissed => {
            let party = coordinator.admit("dee", "statistician");
            coordinator.run(&["person", "dismiss", "dee"]).done();
            party
        }
    };
    coordinator.channel(&party)
}

/// Calls with one empty message, and reads until the first answer.
async fn call(channel: &Channel, call: &str) -> Answer {
    let mut client = tonic::client::Grpc::new(channel.clone());
    let path = format!("/fedval.v1.{call}").parse().unwrap();
    let answered = async {
        if let Err(error) = client.ready().await {
            return Err(Status::unavailable(error.to_string()));
        }
        let request = Request::new(tokio_stream::once(()));
        let answer = client.streaming(request, path, ProstCodec::<(), ()>::default()).await?;
        answer.into_inner().message().await
    };
    let answered = tokio::time::timeout(Duration::from_mins(1), answered).await;
    match answered.expect("every call is answered") {
        Ok(_) => Answer::LetIn,
        Err(status) => match status.get_details_error_info().map(|info| info.reason).as_deref() {
            Some("ROLE_NOT_ALLOWED") => {
                assert_eq!(status.code(), Code::PermissionDenied);
                Answer::NotAllowed
            }
            Some("NOT_ENROLLED") => {
                assert_eq!(status.code(), Code::Unauthenticated);
                Answer::NotEnrolled
            }
            Some(_) => Answer::LetIn,
            None if status.code() == Code::InvalidArgument => Answer::LetIn,
            None => Answer::NoHandshake,
        },
    }
}

fn calls_of_the_contract() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(fedval_proto::DESCRIPTORS).unwrap();
    let services = set.file.into_iter().flat_map(|file| file.service);
    let calls = services.flat_map(|service| {
        let name = service.name().to_owned();
        service.method.into_iter().map(move |method| format!("{name}/{}", method.name()))
    });
    calls.collect()
}

#[test]
fn the_matrix_covers_every_call_of_the_contract() {
    let covered: BTreeSet<String> = CALLS.iter().map(|(call, _)| (*call).to_owned()).collect();
    let contract = calls_of_the_contract();
    let uncovered: Vec<_> = contract.difference(&covered).collect();
    assert!(uncovered.is_empty(), "decide who may call {uncovered:?}");
    let gone: Vec<_> = covered.difference(&contract).collect();
    assert!(gone.is_empty(), "the contract has no {gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_is_let_in_to_its_own_calls_and_to_no_other() {
    let coordinator = Coordinator::serve();
    let mut wrong = Vec::new();
    for caller in CALLERS {
        let channel = channel_of(caller, &coordinator).await;
        let shakes_hands = ANY_HANDSHAKE.contains(&caller);
        for (path, allowed) in CALLS {
            let expected = match (allowed.contains(&caller), shakes_hands) {
                (true, _) => Answer::LetIn,
                (false, _)
                    if EVERYBODY.contains(&caller) && path.starts_with("OperatorService/") =>
                {
                    Answer::NotAllowed
                }
                (false, true) => Answer::NotEnrolled,
                (false, false) => Answer::NoHandshake,
            };
            let found = call(&channel, path).await;
            if found != expected {
                wrong.push(format!("{caller:?} {path}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_operator_stays_and_a_person_works_from_a_folder_of_their_own() {
    let coordinator = Coordinator::serve();
    coordinator.run(&["person", "dismiss", "admin"]).refused(2, "PERSON_LAST_OPERATOR");
    coordinator.admit("rae", "reviewer");
    let listed = coordinator.run(&["person", "list", "--json"]).done();
    assert!(listed.contains("rae") && listed.contains("reviewer"), "{listed}");
    let theirs = coordinator.beside("rae");
    Coordinator::run_at(&theirs, &["study", "list"]).done();
    Coordinator::run_at(&theirs, &["site", "invite", "site-x"]).refused(4, "ROLE_NOT_ALLOWED");
    coordinator.admit("ola", "operator");
    let out = coordinator.beside("new");
    let admit = ["person", "admit", "new", "--role", "reviewer", "--out", out.to_str().unwrap()];
    Coordinator::run_at(&coordinator.beside("ola"), &admit).refused(2, "ROOT_KEY_ABSENT");
    coordinator.run(&["person", "dismiss", "admin"]).done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_site_is_turned_away_on_the_connection_it_has() {
    let coordinator = Coordinator::serve();
    let channel = channel_of(Caller::Site, &coordinator).await;
    assert_eq!(call(&channel, "ResultService/SubmitResult").await, Answer::LetIn);
    coordinator.run(&["site", "revoke", "site-a"]).done();
    assert_eq!(call(&channel, "ResultService/SubmitResult").await, Answer::NotEnrolled);
    assert_eq!(call(&channel, "WorkService/Work").await, Answer::NotEnrolled);
}
