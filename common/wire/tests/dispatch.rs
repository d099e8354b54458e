//! Dispatches and endorsements on the wire.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use fedval_ambient::{MockClock, Problem as _, SeededEntropy};
use fedval_proto as proto;
use fedval_study::{Dispatch, ModelDigest, ProtocolDigest, Sha256Digest};
use fedval_trust::{Authority, Endorsement, PayloadType, Role, SecretKey, SignedDocument};
use fedval_wire::{
    dispatch_from_wire, dispatch_to_wire, endorsement_from_wire, endorsement_to_wire,
};

fn dispatch() -> Dispatch {
    Dispatch {
        study: "chest".parse().unwrap(),
        protocol_version: 3,
        round: "chest-r2".parse().unwrap(),
        site: "site-a".parse().unwrap(),
        protocol: ProtocolDigest(Sha256Digest::of(b"protocol")),
        protocol_bytes: u64::MAX,
        model: ModelDigest(Sha256Digest::of(b"model")),
        model_bytes: 1,
        issued_at_ms: i64::MIN,
        nonce: Sha256Digest::of(b"nonce"),
    }
}

fn endorsement() -> Endorsement {
    let (clock, entropy) = (MockClock::default(), SeededEntropy::new(1));
    let authority = Authority::create(&clock, &entropy).unwrap();
    let key = SecretKey::generate(&entropy);
    let certificate = authority.issue(&Role::Coordinator, &key, &[], 90, &clock, &entropy).unwrap();
    let signed = SignedDocument::sign(PayloadType::Dispatch, b"{}".to_vec(), &key, &certificate);
    signed.endorsements.into_iter().next().unwrap()
}

#[test]
fn a_dispatch_survives_the_wire() {
    assert_eq!(dispatch_from_wire(&dispatch_to_wire(&dispatch())), Ok(dispatch()));
}

#[test]
fn a_malformed_dispatch_is_refused_by_the_field_that_is_wrong() {
    let refused = |change: fn(&mut proto::Dispatch)| {
        let mut message = dispatch_to_wire(&dispatch());
        change(&mut message);
        let error = dispatch_from_wire(&message).unwrap_err();
        assert_eq!(error.code(), "MESSAGE_INVALID");
        error.field
    };
    assert_eq!(refused(|d| d.study = "CHEST".to_owned()), "dispatch.study");
    assert_eq!(refused(|d| d.round.clear()), "dispatch.round");
    assert_eq!(refused(|d| d.site = "a/b".to_owned()), "dispatch.site");
    assert_eq!(refused(|d| d.protocol.truncate(31)), "dispatch.protocol");
    assert_eq!(refused(|d| d.model.clear()), "dispatch.model");
    assert_eq!(refused(|d| d.nonce.push(0)), "dispatch.nonce");
}

#[test]
fn an_endorsement_survives_the_wire() {
    let endorsement = endorsement();
    let message = endorsement_to_wire(&endorsement).unwrap();
    assert_eq!(endorsement_from_wire(&message), Ok(endorsement));
}

#[test]
fn a_malformed_endorsement_is_refused_by_the_field_that_is_wrong() {
    let refused = |change: fn(&mut proto::Endorsement)| {
        let mut message = endorsement_to_wire(&endorsement()).unwrap();
        change(&mut message);
        endorsement_from_wire(&message).unwrap_err().field
    };
    assert_eq!(refused(|e| e.certificate.clear()), "endorsement.certificate");
    assert_eq!(refused(|e| e.certificate.push(0)), "endorsement.certificate");
    assert_eq!(refused(|e| e.signature.truncate(63)), "endorsement.signature");
    assert_eq!(refused(|e| e.signature.push(0)), "endorsement.signature");
    let no_certificate = Endorsement { certificate: "none".to_owned(), ..endorsement() };
    let error = endorsement_to_wire(&no_certificate).unwrap_err();
    assert_eq!(error.field, "endorsement.certificate");
}
