//! The counter of changes.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::Phase;

use super::{
    CALLERS, at, connected, dispatch_row, dispatched, enrolled, invitation, locked, opened, race,
    round_row, stored_result,
};

pub(crate) async fn dispatching_closing_and_revoking_are_changes_and_nothing_else_is(
    store: Arc<dyn Store>,
) {
    let mut seen = store.change_count().await.unwrap();
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let mut rises = async || {
        let before = std::mem::replace(&mut seen, store.change_count().await.unwrap());
        assert!(seen >= before, "it never falls");
        seen > before
    };
    assert!(rises().await, "a dispatch");
    let result = stored_result(&round, &sites[0], "result");
    let again = [dispatch_row(&round, &sites[0])];
    assert_eq!(store.dispatch_insert(&again).await.unwrap(), 0);
    let epoch = connected(store.as_ref(), &sites[0], 1).await;
    store.session_extend(&sites[0], epoch, at(90)).await.unwrap();
    store.lease_grant(&round.round, &sites[0], epoch, at(90)).await.unwrap();
    store.dispatch_set_phase(&round.round, &sites[0], Phase::Queued).await.unwrap();
    store.round_set_deadline(&round.round, at(90)).await.unwrap();
    store.result_insert(&result, epoch).await.unwrap();
    store.invitation_insert(&invitation("site-b", 2)).await.unwrap();
    assert!(!rises().await, "none of these is news to an open connection");

    assert!(store.round_close(&round.round, at(100)).await.unwrap());
    assert!(rises().await, "a close");
    assert!(!store.round_close(&round.round, at(100)).await.unwrap());
    assert!(!rises().await, "it was closed before");
    assert!(store.site_revoke(&sites[0]).await.unwrap());
    assert!(rises().await, "a revocation");
    assert!(!store.site_revoke(&super::site_id("nobody")).await.unwrap());
    let unknown = round_row(&round.study, 7).round;
    assert!(!store.round_close(&unknown, at(100)).await.unwrap());
    assert!(!rises().await, "nothing was written");
}

pub(crate) async fn changes_at_once_are_all_counted(store: Arc<dyn Store>) {
    let mut prepared = Vec::new();
    for caller in 0..CALLERS {
        let study = locked(store.as_ref(), &format!("study-{caller}")).await;
        let round = opened(store.as_ref(), &study, 1).await;
        prepared.push((round, enrolled(store.as_ref(), &format!("site-{caller}"), caller).await));
    }
    let before = store.change_count().await.unwrap();
    race(|caller| {
        let (round, site) = prepared[usize::from(caller)].clone();
        let store = Arc::clone(&store);
        async move {
            let mut seen = store.change_count().await.unwrap();
            let mut rises = async || {
                let last = std::mem::replace(&mut seen, store.change_count().await.unwrap());
                assert!(seen > last, "a change is seen once it was acknowledged");
            };
            store.dispatch_insert(&[dispatch_row(&round, &site)]).await.unwrap();
            rises().await;
            store.round_close(&round.round, at(50)).await.unwrap();
            rises().await;
            store.site_revoke(&site).await.unwrap();
            rises().await;
        }
    })
    .await;
    let after = store.change_count().await.unwrap();
    assert_eq!(after - before, u64::from(CALLERS) * 3);
}
