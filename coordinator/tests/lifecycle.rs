//! A study from its file to its verified report, with sites that speak the contract over real TLS.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../common/disclosure/tests/support/mod.rs"]
mod gate;
mod server;
#[path = "../../common/study/tests/support/mod.rs"]
mod support;

use std::fs;

use fedval_proto as proto;
use fedval_proto::agent_event::Event as AgentEvent;
use fedval_proto::artifact_service_client::ArtifactServiceClient;
use fedval_proto::coordinator_event::Event;
use fedval_proto::result_service_client::ResultServiceClient;
use fedval_proto::work_service_client::WorkServiceClient;
use fedval_study::{Canonical, LockedProtocol, SiteResult};
use fedval_trust::{PayloadType, dsse};
use server::{Coordinator, Party, arg, write_study};
use support::{MODEL, STUDY, cases, group};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

/// A server with a locked study and sites, the study sent to all of them.
async fn dispatched(names: &[&str]) -> (Coordinator, Vec<Party>) {
    let coordinator = Coordinator::serve();
    let mut sites = Vec::new();
    for name in names {
        sites.push(coordinator.enrol(name).await);
    }
    let file = write_study(&coordinator.beside("study"), STUDY, MODEL);
    coordinator.run(&["study", "create", arg(&file)]).done();
    coordinator.run(&["study", "lock", "chest"]).done();
    let sent = coordinator.json(&["study", "dispatch", "chest"]);
    assert_eq!(sent["round"], "chest-r1");
    (coordinator, sites)
}

/// A work stream whose first event is the agent's greeting.
async fn work(
    coordinator: &Coordinator,
    site: &Party,
) -> (mpsc::Sender<proto::AgentEvent>, Streaming<proto::CoordinatorEvent>) {
    let (sender, receiver) = mpsc::channel(8);
    let hello = AgentEvent::Hello(proto::Hello {
        agent_build: vec![1; 32],
        instance: vec![2; 32],
        previous_instance: Vec::new(),
    });
    sender.send(proto::AgentEvent { event: Some(hello) }).await.unwrap();
    let mut client = WorkServiceClient::new(coordinator.channel(site));
    let mut events = client.work(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    assert!(matches!(next(&mut events).await, Event::Welcome(_)), "a welcome comes first");
    (sender, events)
}

async fn next(events: &mut Streaming<proto::CoordinatorEvent>) -> Event {
    let waited = tokio::time::timeout(std::time::Duration::from_mins(1), events.message());
    waited.await.expect("an event comes").unwrap().unwrap().event.unwrap()
}

async fn download(
    coordinator: &Coordinator,
    site: &Party,
    digest: &[u8],
    offset: u64,
) -> Result<Vec<u8>, Status> {
    let mut client = ArtifactServiceClient::new(coordinator.channel(site));
    let request = proto::DownloadRequest { digest: digest.to_vec(), offset };
    let mut chunks = client.download(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend(chunk.data);
    }
    Ok(bytes)
}

/// What the gate of a site lets through.
fn vetted(locked: &LockedProtocol, name: &str, seed: u64) -> SiteResult {
    let groups = [group("a", 40, 60), group("b", 30, 40), group("c", 20, 25)];
    let (protocol, header) = (locked.protocol(), support::header(locked, name));
    gate::vetted(header, protocol, support::summary(&cases(seed, &groups), protocol))
        .value()
        .clone()
}

async fn submit(
    coordinator: &Coordinator,
    site: &Party,
    result: &SiteResult,
) -> Result<proto::SubmitResultResponse, Status> {
    let canonical = Canonical::new(result.clone()).unwrap();
    let signature = dsse::sign(&site.key, PayloadType::SiteResult, canonical.bytes());
    let mut client = ResultServiceClient::new(coordinator.channel(site));
    let request = proto::SubmitResultRequest {
        result: Some(fedval_wire::site_result_to_wire(result)),
        signature: signature.as_bytes().to_vec(),
        lease_epoch: 0,
        ..Default::default()
    };
    client.submit_result(request).await.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_goes_from_its_file_to_a_report_that_a_stranger_verifies() {
    let names = ["site-a", "site-b", "site-c"];
    let (coordinator, sites) = dispatched(&names).await;
    for (seed, (name, site)) in (1..).zip(names.iter().zip(&sites)) {
        let (_sender, mut events) = work(&coordinator, site).await;
        let Event::Offer(offer) = next(&mut events).await else { panic!("an offer comes first") };
        let order = offer.dispatch.unwrap();
        let protocol = download(&coordinator, site, &order.protocol, 0).await.unwrap();
        let locked = LockedProtocol::parse(&protocol).unwrap();
        assert_eq!(download(&coordinator, site, &order.model, 0).await.unwrap(), MODEL);
        let rest = download(&coordinator, site, &order.model, 7).await.unwrap();
        assert_eq!(rest, &MODEL[7..], "an interrupted download goes on where it stopped");
        let result = vetted(&locked, name, seed);
        let first = submit(&coordinator, site, &result).await.unwrap();
        let retry = submit(&coordinator, site, &result).await.unwrap();
        assert_eq!((first.duplicate, retry.duplicate), (false, true));
        assert_eq!(first.recorded_at_ms, retry.recorded_at_ms);
    }
    let status = coordinator.json(&["study", "status", "chest", "--watch"]);
    for site in status["rounds"][0]["sites"].as_array().unwrap() {
        assert_eq!(site["status"], "released");
    }
    assert_eq!(coordinator.json(&["study", "close", "chest"])["round"], "chest-r1");

    let out = coordinator.beside("package");
    let built = coordinator.json(&["report", "build", "chest", "--out", arg(&out)]);
    let root = built["root_fingerprint"].as_str().unwrap();
    let verified = coordinator.json(&["verify", arg(&out), "--root", root]);
    assert_eq!((&verified["holds"], &verified["root_is_pinned"]), (&true.into(), &true.into()));
    let unpinned = coordinator.run(&["verify", arg(&out)]).done();
    assert!(unpinned.contains("not proven"), "{unpinned}");
    coordinator.run(&["report", "build", "chest", "--out", arg(&out)]).refused(2, "OUT_NOT_EMPTY");

    let again = coordinator.beside("again");
    coordinator.run(&["report", "build", "chest", "--out", arg(&again)]).done();
    let report = |folder: &std::path::Path| fs::read(folder.join("report.json")).unwrap();
    assert_eq!(report(&out), report(&again));

    // Of a whole study the log holds ids and codes; not its words, not its numbers, not its bytes.
    let log = coordinator.log();
    assert!(log.contains("result recorded") && log.contains("site-b"), "{log}");
    for canary in ["Pneumonia", "radiograph", "n_pos", "auroc", "threshold", "BEGIN"] {
        assert!(!log.contains(canary), "{canary} is in {log}");
    }

    let evidence = out.join("evidence/sites/site-b.json");
    let text = fs::read_to_string(&evidence).unwrap();
    fs::write(&evidence, text.replacen("\"n_pos\":", "\"n_pos\":1", 1)).unwrap();
    let said = coordinator.run(&["verify", arg(&out), "--root", root]);
    assert!(said.refused(1, "VERIFICATION_FAILED").contains("site-b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_hears_of_a_dispatch_a_lease_and_a_close_as_they_happen() {
    let (coordinator, sites) = dispatched(&["site-a"]).await;
    let (sender, mut events) = work(&coordinator, &sites[0]).await;
    assert!(matches!(next(&mut events).await, Event::Offer(_)));
    let says = |event| {
        let sender = sender.clone();
        async move { sender.send(proto::AgentEvent { event: Some(event) }).await.unwrap() }
    };
    let phase = |phase: proto::Phase| {
        let round = "chest-r1".to_owned();
        AgentEvent::PhaseChange(proto::PhaseChange { round, phase: phase.into() })
    };
    says(phase(proto::Phase::Approved)).await;
    let Event::Lease(lease) = next(&mut events).await else { panic!("approval grants a lease") };
    assert_eq!((lease.round.as_str(), lease.epoch), ("chest-r1", 1));
    says(AgentEvent::Heartbeat(proto::Heartbeat {})).await;
    coordinator.run(&["study", "close", "chest"]).done();
    let Event::Cancel(cancel) = next(&mut events).await else { panic!("a close cancels") };
    assert_eq!(cancel.round, "chest-r1");
    coordinator.run(&["study", "dispatch", "chest"]).done();
    let Event::Offer(offer) = next(&mut events).await else { panic!("the next round is offered") };
    assert_eq!(offer.dispatch.unwrap().round, "chest-r2");
    says(phase(proto::Phase::Unspecified)).await;
    let ended = events.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_downloads_what_was_dispatched_to_it_and_nothing_else() {
    let (coordinator, sites) = dispatched(&["site-a"]).await;
    let outsider = coordinator.enrol("site-z").await;
    let model = fedval_study::Sha256Digest::of(MODEL);
    assert!(download(&coordinator, &sites[0], model.as_bytes(), 0).await.is_ok());
    let not_asked = download(&coordinator, &outsider, model.as_bytes(), 0).await.unwrap_err();
    let absent = download(&coordinator, &sites[0], &[7; 32], 0).await.unwrap_err();
    assert_eq!((not_asked.code(), not_asked.message()), (absent.code(), absent.message()));
    assert_eq!(not_asked.code(), Code::NotFound);
    for path in [&b"../../pki/root.key"[..], b"", &[7; 31]] {
        let refused = download(&coordinator, &sites[0], path, 0).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_result_says_why_and_is_not_recorded() {
    let (coordinator, sites) = dispatched(&["site-a", "site-b"]).await;
    let locked = support::locked();
    let reason = |refused: Status| {
        assert!(refused.get_details_help().is_some(), "a refusal carries a remedy");
        (refused.code(), refused.get_details_error_info().unwrap().reason)
    };
    let of_a = vetted(&locked, "site-a", 1);
    let for_another = submit(&coordinator, &sites[1], &of_a).await.unwrap_err();
    assert_eq!(reason(for_another), (Code::PermissionDenied, "WRONG_SITE".to_owned()));
    let mut other_model = of_a.clone();
    other_model.header.model.0 = fedval_study::Sha256Digest::of(b"other");
    let refused = submit(&coordinator, &sites[0], &other_model).await.unwrap_err();
    assert_eq!(reason(refused), (Code::FailedPrecondition, "NOT_WHAT_WAS_ASKED".to_owned()));
    submit(&coordinator, &sites[0], &of_a).await.unwrap();
    let conflict = submit(&coordinator, &sites[0], &vetted(&locked, "site-a", 2)).await;
    assert_eq!(reason(conflict.unwrap_err()), (Code::AlreadyExists, "CONFLICT".to_owned()));
    let status = coordinator.json(&["study", "status", "chest"]);
    assert_eq!(status["rounds"][0]["sites"][1]["status"], "missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_is_refused_and_the_server_goes_on() {
    let (coordinator, sites) = dispatched(&["site-a"]).await;
    let mut client = ResultServiceClient::new(coordinator.channel(&sites[0]));
    let signature = vec![0; 8 << 20];
    let request = proto::SubmitResultRequest { signature, ..Default::default() };
    let refused = client.submit_result(request).await.unwrap_err();
    assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{refused}");
    submit(&coordinator, &sites[0], &vetted(&support::locked(), "site-a", 1)).await.unwrap();
}
