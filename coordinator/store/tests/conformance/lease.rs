//! Leases.

use std::sync::Arc;

use fedval_ambient::Timestamp;
use fedval_core::Store;
use fedval_core::port::RoundRow;
use fedval_study::SiteId;

use super::{at, connected, dispatched, locked, opened, race, round_row, study_id};

async fn lease(store: &dyn Store, round: &RoundRow, site: &SiteId) -> (u64, Option<Timestamp>) {
    let row = store.dispatch_find(&round.round, site).await.unwrap().unwrap();
    (row.lease_epoch, row.lease_ends_at)
}

pub(crate) async fn a_lease_belongs_to_the_current_session(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    let grant = async |epoch, seconds| {
        store.lease_grant(&round.round, &sites[0], epoch, at(seconds)).await.unwrap()
    };
    assert!(!grant(0, 10).await, "nobody is connected");
    assert!(!grant(1, 10).await, "nobody is connected");
    let first = connected(store.as_ref(), &sites[0], 1).await;
    assert!(grant(first, 10).await);
    assert_eq!(lease(store.as_ref(), &round, &sites[0]).await, (first, Some(at(10))));
    let second = connected(store.as_ref(), &sites[0], 1).await;
    assert!(!grant(first, 20).await, "a later session is current");
    assert_eq!(lease(store.as_ref(), &round, &sites[0]).await, (first, Some(at(10))));
    assert!(grant(second, 30).await);
    assert_eq!(lease(store.as_ref(), &round, &sites[0]).await, (second, Some(at(30))));
    assert_eq!(lease(store.as_ref(), &round, &sites[1]).await, (0, None));

    store.session_end(&sites[0], second).await.unwrap();
    assert!(!grant(second, 40).await, "the session was ended");
    let third = connected(store.as_ref(), &sites[0], 1).await;
    let elsewhere = round_row(&study_id("knee"), 1).round;
    assert!(!store.lease_grant(&elsewhere, &sites[0], third, at(10)).await.unwrap());
}

pub(crate) async fn leases_of_a_site_are_extended_with_its_session(store: Arc<dyn Store>) {
    let (chest, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    let knee = locked(store.as_ref(), "knee").await;
    let knee = opened(store.as_ref(), &knee, 1).await;
    let asked = super::dispatch_row(&knee, &sites[0]);
    store.dispatch_insert(&[asked]).await.unwrap();
    let epoch = connected(store.as_ref(), &sites[0], 1).await;
    let other = connected(store.as_ref(), &sites[1], 2).await;
    assert!(store.lease_grant(&chest.round, &sites[0], epoch, at(10)).await.unwrap());
    assert!(store.lease_grant(&chest.round, &sites[1], other, at(10)).await.unwrap());

    assert!(!store.session_extend(&sites[0], epoch + 1, at(30)).await.unwrap());
    assert_eq!(lease(store.as_ref(), &chest, &sites[0]).await, (epoch, Some(at(10))));
    assert!(store.session_extend(&sites[0], epoch, at(30)).await.unwrap());
    assert_eq!(lease(store.as_ref(), &chest, &sites[0]).await, (epoch, Some(at(30))));
    assert_eq!(lease(store.as_ref(), &knee, &sites[0]).await, (0, None), "never leased");
    assert_eq!(lease(store.as_ref(), &chest, &sites[1]).await, (other, Some(at(10))));
}

pub(crate) async fn a_lease_that_races_with_a_takeover_never_goes_back(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    for _ in 0..5 {
        let before = connected(store.as_ref(), &sites[0], 1).await;
        race(|caller| {
            let (store, round, site) = (Arc::clone(&store), round.round.clone(), sites[0].clone());
            async move {
                if caller != 4 {
                    store.lease_grant(&round, &site, before, at(10)).await.unwrap();
                    return;
                }
                let after = connected(store.as_ref(), &site, 1).await;
                assert!(store.lease_grant(&round, &site, after, at(20)).await.unwrap());
                let late = store.lease_grant(&round, &site, before, at(10)).await.unwrap();
                assert!(!late, "the session before is over");
            }
        })
        .await;
        let after = (before + 1, Some(at(20)));
        assert_eq!(lease(store.as_ref(), &round, &sites[0]).await, after);
    }
}
