//! Sites and their invitations.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{SiteRow, SiteState};

use super::{at, enrolled, key, race, site_id, token, winners};

async fn state(store: &dyn Store, name: &str) -> Option<SiteState> {
    store.site_find(&site_id(name)).await.unwrap().map(|row| row.state)
}

pub(crate) async fn an_invitation_works_until_it_expires_and_for_its_token_alone(
    store: Arc<dyn Store>,
) {
    let (site, hash) = (site_id("site-a"), token("a"));
    assert_eq!(store.site_find(&site).await.unwrap(), None);
    store.invitation_insert(&site, &hash, at(60)).await.unwrap();
    let invited = SiteRow { site: site.clone(), state: SiteState::Invited, certificate: None };
    assert_eq!(store.site_find(&site).await.unwrap(), Some(invited));
    assert_eq!(store.invitation_find(&hash, at(59)).await.unwrap(), Some(site));
    assert_eq!(store.invitation_find(&hash, at(60)).await.unwrap(), None);
    assert_eq!(store.invitation_find(&token("b"), at(0)).await.unwrap(), None);
}

pub(crate) async fn a_new_invitation_replaces_the_pending_one(store: Arc<dyn Store>) {
    let site = site_id("site-a");
    store.invitation_insert(&site, &token("old"), at(60)).await.unwrap();
    store.invitation_insert(&site, &token("new"), at(60)).await.unwrap();
    assert_eq!(store.invitation_find(&token("old"), at(0)).await.unwrap(), None);
    assert!(!store.invitation_redeem(&token("old"), at(0), &key(1), "pem").await.unwrap());
    assert!(store.invitation_redeem(&token("new"), at(0), &key(1), "pem").await.unwrap());
}

pub(crate) async fn an_invitation_is_redeemed_once(store: Arc<dyn Store>) {
    let (site, hash) = (site_id("site-a"), token("a"));
    store.invitation_insert(&site, &hash, at(60)).await.unwrap();
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None);
    assert!(store.invitation_redeem(&hash, at(0), &key(1), "pem 1").await.unwrap());
    assert_eq!(store.invitation_find(&hash, at(0)).await.unwrap(), None);
    assert!(!store.invitation_redeem(&hash, at(0), &key(2), "pem 2").await.unwrap());
    let row = SiteRow {
        site: site.clone(),
        state: SiteState::Enrolled,
        certificate: Some("pem 1".to_owned()),
    };
    assert_eq!(store.site_find(&site).await.unwrap(), Some(row));
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), Some(site));
    assert_eq!(store.site_by_key(&key(2)).await.unwrap(), None);
}

pub(crate) async fn an_expired_invitation_is_not_redeemed(store: Arc<dyn Store>) {
    store.invitation_insert(&site_id("site-a"), &token("a"), at(60)).await.unwrap();
    assert!(!store.invitation_redeem(&token("a"), at(60), &key(1), "pem").await.unwrap());
    assert_eq!(state(store.as_ref(), "site-a").await, Some(SiteState::Invited));
}

pub(crate) async fn of_many_who_race_for_one_invitation_exactly_one_wins(store: Arc<dyn Store>) {
    store.invitation_insert(&site_id("site-a"), &token("a"), at(60)).await.unwrap();
    let won = race(|caller| {
        let store = Arc::clone(&store);
        async move {
            let (hash, key, pem) = (token("a"), key(caller), format!("pem {caller}"));
            store.invitation_redeem(&hash, at(0), &key, &pem).await.unwrap()
        }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    for (caller, won) in (0..).zip(won) {
        let site = store.site_by_key(&key(caller)).await.unwrap();
        assert_eq!(site.is_some(), won, "the winner's key is the site's, and no other");
    }
}

pub(crate) async fn a_key_belongs_to_one_site(store: Arc<dyn Store>) {
    let first = enrolled(store.as_ref(), "site-a", 1).await;
    store.invitation_insert(&site_id("site-b"), &token("b"), at(60)).await.unwrap();
    assert!(store.invitation_redeem(&token("b"), at(0), &key(1), "pem").await.is_err());
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), Some(first));
    let still_works = store.invitation_redeem(&token("b"), at(0), &key(2), "pem").await.unwrap();
    assert!(still_works, "a refused redemption uses nothing up");
}

pub(crate) async fn a_revoked_site_is_known_and_its_key_works_no_more(store: Arc<dyn Store>) {
    assert!(!store.site_revoke(&site_id("nobody")).await.unwrap());
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    assert!(store.site_revoke(&site).await.unwrap());
    assert_eq!(state(store.as_ref(), "site-a").await, Some(SiteState::Revoked));
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None);

    store.invitation_insert(&site_id("site-b"), &token("b"), at(60)).await.unwrap();
    assert!(store.site_revoke(&site_id("site-b")).await.unwrap());
    assert!(!store.invitation_redeem(&token("b"), at(0), &key(2), "pem").await.unwrap());
}

pub(crate) async fn a_revoked_site_enrols_again_with_a_new_invitation(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    store.site_revoke(&site).await.unwrap();
    store.invitation_insert(&site, &token("again"), at(60)).await.unwrap();
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None, "inviting revives no old key");
    assert!(store.invitation_redeem(&token("again"), at(0), &key(2), "pem").await.unwrap());
    assert_eq!(store.site_by_key(&key(2)).await.unwrap(), Some(site));
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None);
}

pub(crate) async fn sites_are_listed_in_order(store: Arc<dyn Store>) {
    assert_eq!(store.site_list().await.unwrap(), []);
    for (number, name) in [(1, "site-b"), (2, "site-c"), (3, "site-a")] {
        enrolled(store.as_ref(), name, number).await;
    }
    let listed = store.site_list().await.unwrap();
    let names: Vec<_> = listed.iter().map(|row| row.site.as_str()).collect();
    assert_eq!(names, ["site-a", "site-b", "site-c"]);
}
