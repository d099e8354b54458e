//! Rows and stores for tests.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use fedval_ambient::Timestamp;
use fedval_core::Store;
use fedval_core::port::{
    DispatchRow, DraftLocked, DraftStored, DraftVersion, InstanceId, InvitationId, NewInvitation,
    NewSession, RoundRow, SessionOpened, SignatureRow, StoredResult,
};
use fedval_store::SqlStore;
use fedval_study::{
    ElectronicSignature, PersonRole, ResultDigest, RoundId, Sha256Digest, SignatureMeaning, SiteId,
    StudyId,
};
use fedval_trust::{Endorsement, PublicKey, Signature};
use tempfile::TempDir;
use tokio::sync::Barrier;

/// Callers that race for one thing.
pub(crate) const CALLERS: u8 = 8;

/// A store in a folder that lives as long as it.
pub(crate) struct Embedded {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) folder: TempDir,
}

/// An embedded store: one backend of the suite, and where snapshots for the others come from.
pub(crate) async fn embedded() -> Embedded {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&folder.path().join("fedval.db")).await.unwrap();
    Embedded { store: Arc::new(store), folder }
}

/// A moment, in seconds after an arbitrary one.
pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_000_000_000_000).plus_seconds(seconds)
}

pub(crate) fn site_id(name: &str) -> SiteId {
    name.parse().unwrap()
}

pub(crate) fn study_id(name: &str) -> StudyId {
    name.parse().unwrap()
}

/// A key that nobody holds: stores compare keys, they do not use them.
pub(crate) const fn key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32])
}

pub(crate) fn endorsement(number: u8) -> Endorsement {
    Endorsement {
        certificate: format!("certificate {number}"),
        signature: Signature::try_from(&[number; 64][..]).unwrap(),
    }
}

/// A review of the report of `round`, signed by nobody's key.
pub(crate) fn review(round: &RoundId, signer: &str, at_ms: i64) -> SignatureRow {
    let statement = ElectronicSignature {
        study: study_id("chest"),
        round: round.clone(),
        report: Sha256Digest::of(b"report"),
        signer: signer.parse().unwrap(),
        role: PersonRole::Statistician,
        printed_name: "Ada Lovelace".parse().unwrap(),
        meaning: SignatureMeaning::Review,
        signed_at_ms: at_ms,
    };
    SignatureRow { statement, endorsement: endorsement(1) }
}

/// Calls `call` from several tasks at once, with the caller's number.
pub(crate) async fn race<T, F, R>(call: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(u8) -> R,
    R: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(CALLERS.into()));
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (start, called) = (Arc::clone(&start), call(caller));
            tokio::spawn(async move {
                start.wait().await;
                called.await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no caller panics"));
    }
    answers
}

/// How many of `answers` are `true`.
pub(crate) fn winners(answers: &[bool]) -> usize {
    answers.iter().filter(|won| **won).count()
}

/// Wrong tries that lock an invitation.
pub(crate) const MOST_WRONG: u32 = 3;

/// An invitation of a site, told from its others by `number`.
pub(crate) fn invitation(site: &str, number: u8) -> NewInvitation {
    let token_hash = Sha256Digest::of(format!("{site} {number}").as_bytes());
    let mut id = [0; 8];
    id.copy_from_slice(&token_hash.as_bytes()[..8]);
    NewInvitation {
        id: InvitationId::from_bytes(id),
        site: site_id(site),
        token_hash,
        expires_at: at(60),
    }
}

/// Redeems an invitation at moment 0 with key `number`.
pub(crate) async fn redeem(store: &dyn Store, invitation: &NewInvitation, number: u8) -> bool {
    let (key, pem) = (key(number), format!("certificate {number}"));
    store.invitation_redeem(&invitation.id, at(0), MOST_WRONG, &key, &pem).await.unwrap()
}

/// Enrols a site under key `number`.
pub(crate) async fn enrolled(store: &dyn Store, name: &str, number: u8) -> SiteId {
    let invitation = invitation(name, number);
    store.invitation_insert(&invitation).await.unwrap();
    assert!(redeem(store, &invitation, number).await);
    invitation.site
}

/// A process, by number.
pub(crate) fn instance(number: u8) -> InstanceId {
    InstanceId(Sha256Digest::of(&[number]))
}

/// A process asks at `seconds` to speak for a site, for a minute.
pub(crate) fn session(site: &SiteId, process: u8, seconds: i64) -> NewSession {
    NewSession {
        site: site.clone(),
        instance: instance(process),
        previous: None,
        now: at(seconds),
        ends_at: at(seconds + 60),
    }
}

/// Opens a session of process `process` at moment 0.
pub(crate) async fn connected(store: &dyn Store, site: &SiteId, process: u8) -> u64 {
    match store.session_open(&session(site, process, 0)).await.unwrap() {
        SessionOpened::Granted(epoch) => epoch,
        SessionOpened::HeldByAnother => panic!("another process holds {site}"),
    }
}

pub(crate) async fn locked(store: &dyn Store, name: &str) -> StudyId {
    let study = study_id(name);
    lock_version(store, &study, None, draft(1, b"protocol")).await;
    study
}

pub(crate) fn draft(version: u32, protocol: &[u8]) -> DraftVersion {
    DraftVersion { version, protocol: protocol.to_vec() }
}

/// Stores and locks a version.
pub(crate) async fn lock_version(
    store: &dyn Store,
    study: &StudyId,
    follows: Option<u32>,
    draft: DraftVersion,
) {
    let stored = store.study_put_draft(study, follows, &draft).await.unwrap();
    assert_eq!(stored, DraftStored::Stored);
    let locked = store.study_lock(study, &draft.protocol, &[endorsement(1)]).await.unwrap();
    assert_eq!(locked, DraftLocked::Locked);
}

pub(crate) fn round_row(study: &StudyId, number: u32) -> RoundRow {
    RoundRow {
        round: format!("{study}-r{number}").parse().unwrap(),
        study: study.clone(),
        number,
        protocol_version: 1,
        opened_at: at(i64::from(number)),
        closed_at: None,
        deadline_at: None,
    }
}

pub(crate) async fn opened(store: &dyn Store, study: &StudyId, number: u32) -> RoundRow {
    let round = round_row(study, number);
    assert!(store.round_open(&round).await.unwrap());
    round
}

pub(crate) fn dispatch_row(round: &RoundRow, site: &SiteId) -> DispatchRow {
    DispatchRow {
        round: round.round.clone(),
        site: site.clone(),
        dispatch: format!("order for {site}").into_bytes(),
        endorsement: endorsement(2),
        dispatched_at: at(10),
        phase: None,
        lease_epoch: 0,
        lease_ends_at: None,
    }
}

/// A round that was dispatched to `sites`, which it enrols.
pub(crate) async fn dispatched(store: &dyn Store, sites: &[&str]) -> (RoundRow, Vec<SiteId>) {
    let study = locked(store, "chest").await;
    let round = opened(store, &study, 1).await;
    let mut asked = Vec::new();
    for (number, name) in (10..).zip(sites) {
        let site = enrolled(store, name, number).await;
        assert_eq!(store.dispatch_insert(&[dispatch_row(&round, &site)]).await.unwrap(), 1);
        asked.push(site);
    }
    (round, asked)
}

pub(crate) fn stored_result(round: &RoundRow, site: &SiteId, text: &str) -> StoredResult {
    StoredResult {
        round: round.round.clone(),
        site: site.clone(),
        bytes: text.as_bytes().to_vec(),
        digest: ResultDigest(Sha256Digest::of(text.as_bytes())),
        endorsement: endorsement(3),
        recorded_at: at(100),
    }
}
