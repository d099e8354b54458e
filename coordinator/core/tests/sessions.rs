//! One site, one running agent: sessions, leases, and what a restored coordinator is told.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench, chest, code, sign, vetted};
use fedval_core::port::{InstanceId, Phase};
use fedval_core::{AgentSession, Heard, LostPart, SESSION_SECONDS, Said, SessionError};
use fedval_study::{RoundId, Sha256Digest};
use support::large;

fn process(name: &str) -> InstanceId {
    InstanceId(Sha256Digest::of(name.as_bytes()))
}

async fn open(
    bench: &Bench,
    site: &Site,
    this: &str,
    previous: Option<&str>,
) -> Result<AgentSession, SessionError> {
    let opened = bench.coordinator.session_open(&site.id, process(this), previous.map(process));
    opened.await.map(|(session, _)| session)
}

/// What was said, in short.
fn words(said: &[Said]) -> Vec<String> {
    let word = |said: &Said| match said {
        Said::Welcome(epoch) => format!("welcome {epoch}"),
        Said::Offer(offer) => format!("offer {}", offer.dispatch.round),
        Said::Lease(round) => format!("lease {round}"),
        Said::Cancel(round) => format!("cancel {round}"),
        Said::Lost(round, LostPart::Result) => format!("lost the result of {round}"),
        Said::Lost(round, LostPart::Round) => format!("lost {round}"),
    };
    said.iter().map(word).collect()
}

async fn says(session: &mut AgentSession, round: &str, phase: Phase) -> Vec<String> {
    let round: RoundId = round.parse().unwrap();
    words(&session.hear(Heard::Phase(round, phase)).await.unwrap())
}

#[tokio::test]
async fn a_second_process_waits_until_the_first_is_gone_or_silent() {
    let bench = bench().await;
    let site = bench.enrol("site-a").await;
    let first = open(&bench, &site, "first", None).await.unwrap();
    let refused = open(&bench, &site, "second", None).await;
    assert_eq!(code(refused), "AGENT_ALREADY_CONNECTED");
    first.end().await.unwrap();
    let mut second = open(&bench, &site, "second", None).await.unwrap();
    // Heartbeats hold the session for longer than it lasts by itself.
    for _ in 0..4 {
        bench.clock.advance_seconds(i64::from(SESSION_SECONDS) / 2);
        second.hear(Heard::Heartbeat).await.unwrap();
    }
    assert_eq!(code(open(&bench, &site, "third", None).await), "AGENT_ALREADY_CONNECTED");
    bench.clock.advance_seconds(i64::from(SESSION_SECONDS));
    assert!(open(&bench, &site, "third", None).await.is_ok());
    bench.clock.advance_seconds(i64::from(SESSION_SECONDS) / 2);
    assert_eq!(code(second.hear(Heard::Heartbeat).await), "AGENT_ALREADY_CONNECTED");
}

#[tokio::test]
async fn a_restarted_agent_takes_over_at_once_and_a_copy_of_its_folder_only_once() {
    let bench = bench().await;
    let site = bench.enrol("site-a").await;
    open(&bench, &site, "first", None).await.unwrap();
    open(&bench, &site, "second", Some("first")).await.unwrap();
    let copied = open(&bench, &site, "copy", Some("second")).await.unwrap();
    assert_eq!(code(open(&bench, &site, "second", Some("first")).await), "AGENT_ALREADY_CONNECTED");
    assert_eq!(copied.epoch(), 3);
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_nobody_out() {
    let bench = bench().await;
    let site = bench.enrol("site-a").await;
    open(&bench, &site, "first", None).await.unwrap();
    bench.clock.jump_seconds(-3600);
    assert!(open(&bench, &site, "second", None).await.is_ok());
}

#[tokio::test]
async fn approval_gets_the_lease_of_the_session_and_a_result_under_an_older_one_is_stale() {
    let bench = bench().await;
    let (locked, sites, _) = bench.dispatch(&["site-a"]).await;
    let site = &sites[0];
    let mut asleep = open(&bench, site, "first", None).await.unwrap();
    assert!(says(&mut asleep, "chest-r1", Phase::Queued).await.is_empty());
    assert_eq!(says(&mut asleep, "chest-r1", Phase::Approved).await, ["lease chest-r1"]);
    bench.clock.advance_seconds(2 * i64::from(SESSION_SECONDS));
    let mut awake = open(&bench, site, "second", None).await.unwrap();
    says(&mut awake, "chest-r1", Phase::Approved).await;
    let asleep_says = asleep.hear(Heard::Phase("chest-r1".parse().unwrap(), Phase::Approved)).await;
    assert_eq!(code(asleep_says), "AGENT_ALREADY_CONNECTED");

    let result = vetted(&locked, site, &large());
    let signature = sign(site, &result);
    let submit = async |epoch| {
        bench.coordinator.result_submit(&site.id, result.clone(), signature, epoch).await
    };
    assert_eq!(code(submit(asleep.epoch()).await), "STALE_LEASE");
    assert!(!submit(awake.epoch()).await.unwrap().duplicate);
    assert!(submit(asleep.epoch()).await.unwrap().duplicate, "the same bytes are acknowledged");
}

#[tokio::test]
async fn a_close_is_news_to_who_is_connected_and_to_who_was_not() {
    let bench = bench().await;
    let (_, sites, _) = bench.dispatch(&["site-a", "site-b"]).await;
    let (mut here, said) = bench.connect(&sites[0]).await.unwrap();
    assert_eq!(words(&said), ["welcome 1", "offer chest-r1"]);
    assert!(here.look().await.unwrap().is_empty(), "an offer is made once");
    bench.coordinator.study_close(&chest()).await.unwrap();
    assert_eq!(words(&here.look().await.unwrap()), ["cancel chest-r1"]);
    let (mut late, said) = bench.connect(&sites[1]).await.unwrap();
    assert_eq!(words(&said), ["welcome 1"]);
    assert_eq!(says(&mut late, "chest-r1", Phase::Evaluating).await, ["cancel chest-r1"]);
}

#[tokio::test]
async fn what_was_answered_is_not_cancelled() {
    let bench = bench().await;
    let (locked, sites, _) = bench.dispatch(&["site-a"]).await;
    let (mut session, _) = bench.connect(&sites[0]).await.unwrap();
    bench.submit(&sites[0], vetted(&locked, &sites[0], &large())).await.unwrap();
    assert!(session.look().await.unwrap().is_empty());
    bench.coordinator.study_close(&chest()).await.unwrap();
    assert!(session.look().await.unwrap().is_empty());
    assert!(says(&mut session, "chest-r1", Phase::Sent).await.is_empty());
}

#[tokio::test]
async fn a_coordinator_that_lost_a_result_or_a_round_says_so() {
    let bench = bench().await;
    let (_, sites, _) = bench.dispatch(&["site-a"]).await;
    let (mut session, _) = bench.connect(&sites[0]).await.unwrap();
    let said = says(&mut session, "chest-r1", Phase::Sent).await;
    assert_eq!(said, ["lease chest-r1", "lost the result of chest-r1"]);
    assert_eq!(says(&mut session, "chest-r7", Phase::Sent).await, ["lost chest-r7"]);
}

#[tokio::test]
async fn a_revoked_site_hears_nothing_more_on_an_open_stream() {
    let bench = bench().await;
    let site = bench.enrol("site-a").await;
    let (mut session, _) = bench.connect(&site).await.unwrap();
    let before = bench.coordinator.store().change_count().await.unwrap();
    assert!(bench.coordinator.store().site_revoke(&site.id).await.unwrap());
    assert!(bench.coordinator.store().change_count().await.unwrap() > before);
    assert_eq!(code(session.look().await), "NOT_ENROLLED");
    assert_eq!(code(session.hear(Heard::Heartbeat).await), "NOT_ENROLLED");
}
