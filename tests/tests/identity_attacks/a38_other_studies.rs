//! A38: a certificate that is good for one study, used on another.

use fedval_proto as proto;
use fedval_proto::agent_event::Event as AgentEvent;
use fedval_proto::coordinator_event::Event;
use fedval_tests::raw_client::{Work, download, reason, submit};
use tonic::Code;

use crate::scene::Scene;

/// Says that the site works on `round`.
async fn claim(work: &Work, round: &str, phase: proto::Phase) {
    let change = proto::PhaseChange { round: round.to_owned(), phase: phase.into() };
    let event = proto::AgentEvent { event: Some(AgentEvent::PhaseChange(change)) };
    work.say.send(event).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a38_a_site_of_one_study_gets_nothing_of_another_and_adds_nothing_to_it() {
    let scene = Scene::start();
    let site_a = scene.enrol("site-a").await;
    scene.enrol("site-b").await;
    let chest = scene.dispatch("chest", &["site-a"]);
    let hand = scene.dispatch("hand", &["site-b"]);
    let channel = || scene.target.channel(&site_a);

    let protocol = hand.locked.digest().0;
    let model = hand.locked.protocol().model.digest.0;
    for digest in [protocol, model] {
        let refused = download(channel(), digest.as_bytes()).await.unwrap_err();
        assert_eq!(reason(&refused), "ARTIFACT_NOT_FOUND");
        let absent = download(channel(), &[7; 32]).await.unwrap_err();
        assert_eq!(refused.message(), absent.message(), "it does not say that it is there");
    }

    // One offer, its own; what it claims of the other study is unknown here, and gets no lease.
    let mut work = Work::open(channel(), [1; 32]).await.unwrap();
    let Event::Offer(offer) = work.next().await.unwrap() else { panic!("its offer comes first") };
    assert_eq!(offer.dispatch.unwrap().study, "chest");
    for phase in [proto::Phase::Queued, proto::Phase::Approved, proto::Phase::Sent] {
        claim(&work, &hand.round, phase).await;
        let Event::Lost(lost) = work.next().await.unwrap() else { panic!("{phase:?}") };
        assert_eq!((lost.round.as_str(), lost.part()), ("hand-r1", proto::LostPart::Round));
    }

    let key = &site_a.key;
    let uninvited = submit(channel(), key, &hand.result("site-a", 1)).await.unwrap_err();
    assert_eq!(
        (uninvited.code(), reason(&uninvited).as_str()),
        (Code::NotFound, "ROUND_NOT_FOUND")
    );
    let mut wrong_study = hand.result("site-a", 1);
    wrong_study.header.round = chest.round.parse().unwrap();
    let wrong_study = submit(channel(), key, &wrong_study).await.unwrap_err();
    assert_eq!(reason(&wrong_study), "NOT_WHAT_WAS_ASKED");
    let mut wrong_round = chest.result("site-a", 1);
    wrong_round.header.round = hand.round.parse().unwrap();
    let wrong_round = submit(channel(), key, &wrong_round).await.unwrap_err();
    assert_eq!(reason(&wrong_round), "ROUND_NOT_FOUND");

    submit(channel(), key, &chest.result("site-a", 1)).await.unwrap();
    let sites = scene.consortium.status("hand")["sites"].clone();
    assert_eq!(sites.as_array().unwrap().len(), 1, "{sites}");
    assert_eq!(scene.status_of("hand", "site-b"), "missing");
    for code in ["ARTIFACT_NOT_FOUND", "ROUND_NOT_FOUND", "NOT_WHAT_WAS_ASKED"] {
        assert!(scene.says(code) > 0, "{code} is not in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a38_a_certificate_of_another_consortium_opens_nothing() {
    let (ours, theirs) = (Scene::start(), Scene::start());
    ours.enrol("site-a").await;
    let study = ours.dispatch("chest", &["site-a"]);
    let namesake = theirs.enrol("site-a").await;
    let refused = Work::open(ours.target.channel(&namesake), [1; 32]).await;
    assert!(refused.is_err(), "it is not let in");
    let model = study.locked.protocol().model.digest.0;
    let refused = download(ours.target.channel(&namesake), model.as_bytes()).await;
    assert!(refused.is_err(), "it gets no model");
    ours.says_again("\"client_certificate_forged\"", 0);
}
