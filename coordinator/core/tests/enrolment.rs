//! How a site becomes known, and ceases to be.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{bench, code, site_id};
use fedval_ambient::Clock as _;
use fedval_core::port::SiteState;
use fedval_trust::authority::signing_request;
use fedval_trust::{Role, SecretKey};

#[tokio::test]
async fn a_site_enrols_with_its_token_and_is_certified_for_its_own_role() {
    let bench = bench().await;
    let site = bench.enrol("site-a").await;
    assert_eq!(site.certificate.role(), &Role::Site(site_id("site-a")));
    assert_eq!(site.certificate.public_key(), site.key.public());
    assert_eq!(site.certificate.verify(bench.coordinator.root(), bench.clock.now()), Ok(()));
    let store = bench.coordinator.store();
    assert_eq!(store.site_by_key(&site.key.public()).await.unwrap(), Some(site.id.clone()));
    let row = store.site_find(&site.id).await.unwrap().unwrap();
    assert_eq!(
        (row.state, row.certificate),
        (SiteState::Enrolled, Some(site.certificate.to_pem()))
    );
}

#[tokio::test]
async fn a_token_names_the_root_and_is_used_once() {
    let bench = bench().await;
    let invitation = bench.coordinator.site_invite(&site_id("site-a"), 24).await.unwrap();
    assert_eq!(invitation.token.root(), bench.coordinator.root().fingerprint());
    assert_eq!(invitation.expires_at, bench.clock.now().plus_seconds(24 * 3600));
    let request = signing_request(&SecretKey::generate(bench.entropy.as_ref())).unwrap();
    let (id, secret) = (invitation.token.id(), invitation.token.secret());
    let first = bench.coordinator.site_enrol(&id, secret, &request).await.unwrap();
    let again = bench.coordinator.site_enrol(&id, secret, &request).await.unwrap();
    assert_eq!(again.certificate, first.certificate, "a lost answer is given again");
    let other = signing_request(&SecretKey::generate(bench.entropy.as_ref())).unwrap();
    assert_eq!(code(bench.coordinator.site_enrol(&id, secret, &other).await), "TOKEN_REFUSED");
}

#[tokio::test]
async fn one_key_is_one_site() {
    let bench = bench().await;
    let first = bench.enrol("site-a").await;
    let second = bench.coordinator.site_invite(&site_id("site-b"), 24).await.unwrap();
    let (id, secret) = (second.token.id(), second.token.secret());
    let copied = signing_request(&first.key).unwrap();
    assert_eq!(code(bench.coordinator.site_enrol(&id, secret, &copied).await), "KEY_TAKEN");
    let own = signing_request(&SecretKey::generate(bench.entropy.as_ref())).unwrap();
    let enrolled = bench.coordinator.site_enrol(&id, secret, &own).await.unwrap();
    assert_eq!(enrolled.site, site_id("site-b"), "the invitation still works");
}

#[tokio::test]
async fn an_unknown_an_expired_and_a_replaced_token_look_alike() {
    let bench = bench().await;
    let request = signing_request(&SecretKey::generate(bench.entropy.as_ref())).unwrap();
    let site = site_id("site-a");
    let replaced = bench.coordinator.site_invite(&site, 1).await.unwrap();
    let expired = bench.coordinator.site_invite(&site, 1).await.unwrap();
    bench.clock.advance_seconds(3600);
    let (old, late) = (&replaced.token, &expired.token);
    let nobodys = fedval_core::port::InvitationId::from_bytes([0; 8]);
    for (id, secret) in [
        (late.id(), &[0; 32][..]),
        (late.id(), &[]),
        (nobodys, late.secret()),
        (old.id(), old.secret()),
        (late.id(), late.secret()),
    ] {
        let refused = bench.coordinator.site_enrol(&id, secret, &request).await.unwrap_err();
        assert_eq!(refused.to_string(), "the invitation is unknown, was used, or has expired");
    }
    let in_time = bench.coordinator.site_invite(&site, 1).await.unwrap();
    bench.clock.advance_seconds(3599);
    assert!(
        bench
            .coordinator
            .site_enrol(&in_time.token.id(), in_time.token.secret(), &request)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_invitation_lives_one_to_72_hours() {
    let bench = bench().await;
    for hours in [0, 73, u32::MAX] {
        let refused = bench.coordinator.site_invite(&site_id("site-a"), hours).await;
        assert_eq!(code(refused), "INVITATION_LIFE");
    }
    assert!(bench.coordinator.site_invite(&site_id("site-a"), 72).await.is_ok());
}

#[tokio::test]
async fn a_bad_signing_request_is_refused_and_does_not_use_the_token_up() {
    let bench = bench().await;
    let invitation = bench.coordinator.site_invite(&site_id("site-a"), 24).await.unwrap();
    let good = signing_request(&SecretKey::generate(bench.entropy.as_ref())).unwrap();
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    let (id, secret) = (invitation.token.id(), invitation.token.secret());
    for bad in [&forged[..], b"not a request", b""] {
        let refused = bench.coordinator.site_enrol(&id, secret, bad).await;
        assert_eq!(code(refused), "CSR_INVALID");
    }
    assert!(bench.coordinator.site_enrol(&id, secret, &good).await.is_ok());
}

#[tokio::test]
async fn an_enrolled_site_is_not_invited_until_it_is_revoked() {
    let bench = bench().await;
    let old = bench.enrol("site-a").await;
    let refused = bench.coordinator.site_invite(&old.id, 24).await;
    assert_eq!(code(refused), "SITE_ALREADY_ENROLLED");
    let store = bench.coordinator.store();
    assert!(store.site_revoke(&old.id).await.unwrap());
    let new = bench.enrol("site-a").await;
    assert_eq!(store.site_by_key(&old.key.public()).await.unwrap(), None);
    assert_eq!(store.site_by_key(&new.key.public()).await.unwrap(), Some(new.id));
}

#[tokio::test]
async fn ten_wrong_tokens_lock_an_invitation_and_no_other() {
    let bench = bench().await;
    let (a, b) = (site_id("site-a"), site_id("site-b"));
    let guessed = bench.coordinator.site_invite(&a, 24).await.unwrap().token;
    let other = bench.coordinator.site_invite(&b, 24).await.unwrap().token;
    let request = signing_request(&SecretKey::generate(bench.entropy.as_ref())).unwrap();
    let enrol = async |token: &fedval_trust::InviteToken, secret: &[u8]| {
        bench.coordinator.site_enrol(&token.id(), secret, &request).await
    };
    for guess in 0..10 {
        assert_eq!(code(enrol(&guessed, &[guess; 32]).await), "TOKEN_REFUSED");
    }
    assert_eq!(code(enrol(&guessed, guessed.secret()).await), "INVITATION_LOCKED");
    assert!(enrol(&other, other.secret()).await.is_ok());
    let anew = bench.coordinator.site_invite(&a, 24).await.unwrap().token;
    let of_a = signing_request(&SecretKey::generate(bench.entropy.as_ref())).unwrap();
    assert!(bench.coordinator.site_enrol(&anew.id(), anew.secret(), &of_a).await.is_ok());
}

#[tokio::test]
async fn a_renewed_certificate_is_of_the_same_key_and_a_revoked_site_gets_none() {
    let bench = bench().await;
    let site = bench.enrol("site-a").await;
    bench.clock.advance_seconds(15 * 24 * 3600);
    let key = site.key.public();
    let renewed = bench.coordinator.site_renew(&site.id, &key).await.unwrap();
    assert_eq!(renewed.public_key(), key);
    assert_eq!(renewed.not_after(), site.certificate.not_after().plus_seconds(15 * 24 * 3600));
    let row = bench.coordinator.store().site_find(&site.id).await.unwrap().unwrap();
    assert_eq!(row.certificate, Some(renewed.to_pem()));
    let stranger = SecretKey::generate(bench.entropy.as_ref()).public();
    assert_eq!(code(bench.coordinator.site_renew(&site.id, &stranger).await), "NOT_ENROLLED");
    assert!(bench.coordinator.store().site_revoke(&site.id).await.unwrap());
    assert_eq!(code(bench.coordinator.site_renew(&site.id, &key).await), "NOT_ENROLLED");
}
