//! Sites.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::SiteState;

use super::{MOST_WRONG, at, enrolled, invitation, key, race, redeem, site_id, winners};

async fn state(store: &dyn Store, name: &str) -> Option<SiteState> {
    store.site_find(&site_id(name)).await.unwrap().map(|row| row.state)
}

pub(crate) async fn a_key_belongs_to_one_site(store: Arc<dyn Store>) {
    let first = enrolled(store.as_ref(), "site-a", 1).await;
    let second = invitation("site-b", 2);
    store.invitation_insert(&second).await.unwrap();
    let taken = store.invitation_redeem(&second.id, at(0), MOST_WRONG, &key(1), "pem").await;
    assert_eq!(taken.unwrap_err().operation, "invitation_redeem");
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), Some(first));
    assert!(redeem(store.as_ref(), &second, 2).await, "a refused redemption uses nothing up");
}

pub(crate) async fn a_revoked_site_is_known_and_its_key_works_no_more(store: Arc<dyn Store>) {
    assert!(!store.site_revoke(&site_id("nobody")).await.unwrap());
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    assert!(store.site_revoke(&site).await.unwrap());
    assert_eq!(state(store.as_ref(), "site-a").await, Some(SiteState::Revoked));
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None);

    let pending = invitation("site-b", 2);
    store.invitation_insert(&pending).await.unwrap();
    assert!(store.site_revoke(&pending.site).await.unwrap());
    assert!(!redeem(store.as_ref(), &pending, 2).await);
}

pub(crate) async fn a_revoked_site_enrols_again_with_a_new_invitation(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    store.site_revoke(&site).await.unwrap();
    let again = invitation("site-a", 2);
    store.invitation_insert(&again).await.unwrap();
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None, "inviting revives no old key");
    assert!(redeem(store.as_ref(), &again, 2).await);
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

pub(crate) async fn a_certificate_is_renewed_for_the_key_that_enrolled(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let certificate = async || store.site_find(&site).await.unwrap().unwrap().certificate.unwrap();
    assert!(!store.site_renew(&site, &key(2), "theirs").await.unwrap());
    assert!(!store.site_renew(&site_id("nobody"), &key(1), "theirs").await.unwrap());
    assert_eq!(certificate().await, "certificate 1");
    assert!(store.site_renew(&site, &key(1), "renewed").await.unwrap());
    assert_eq!(certificate().await, "renewed");
    store.site_revoke(&site).await.unwrap();
    assert!(!store.site_renew(&site, &key(1), "revived").await.unwrap());
    assert_eq!(certificate().await, "renewed");
}

pub(crate) async fn of_many_renewals_at_once_one_stands(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let renewed = race(|caller| {
        let (store, site) = (Arc::clone(&store), site.clone());
        async move { store.site_renew(&site, &key(1), &format!("renewed {caller}")).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&renewed), renewed.len(), "each was asked by the key that enrolled");
    let row = store.site_find(&site).await.unwrap().unwrap();
    assert!(row.certificate.unwrap().starts_with("renewed "));
}

pub(crate) async fn a_renewal_that_races_with_a_revocation_revives_nothing(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    race(|caller| {
        let (store, site) = (Arc::clone(&store), site.clone());
        async move {
            if caller == 4 {
                assert!(store.site_revoke(&site).await.unwrap());
                let renewed = store.site_renew(&site, &key(1), "after").await.unwrap();
                assert!(!renewed, "a revocation bites on the next call");
            } else {
                store.site_renew(&site, &key(1), "renewed").await.unwrap();
            }
        }
    })
    .await;
    assert_eq!(state(store.as_ref(), "site-a").await, Some(SiteState::Revoked));
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None);
}

pub(crate) async fn many_who_revoke_one_site_all_find_it_revoked(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let revoked = race(|_| {
        let (store, site) = (Arc::clone(&store), site.clone());
        async move {
            let revoked = store.site_revoke(&site).await.unwrap();
            assert_eq!(state(store.as_ref(), "site-a").await, Some(SiteState::Revoked));
            revoked
        }
    })
    .await;
    assert_eq!(winners(&revoked), revoked.len());
}
