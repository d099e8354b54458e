//! Rounds, dispatches, leases.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{Inserted, Phase, RoundRow};

use super::{
    at, dispatch_row, dispatched, endorsement, enrolled, locked, opened, race, round_row, site_id,
    stored_result, study_id, winners,
};

pub(crate) async fn a_study_has_one_open_round(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    assert_eq!(store.round_list(&study).await.unwrap(), []);
    let first = opened(store.as_ref(), &study, 1).await;
    assert_eq!(store.round_find(&first.round).await.unwrap(), Some(first.clone()));
    assert!(!store.round_open(&round_row(&study, 1)).await.unwrap(), "it is open");
    assert!(!store.round_open(&round_row(&study, 2)).await.unwrap(), "another is open");
    let other = locked(store.as_ref(), "knee").await;
    opened(store.as_ref(), &other, 1).await;

    store.round_close(&first.round, at(50)).await.unwrap();
    assert!(!store.round_open(&round_row(&study, 1)).await.unwrap(), "its number is taken");
    let second = opened(store.as_ref(), &study, 2).await;
    let first = RoundRow { closed_at: Some(at(50)), ..first };
    assert_eq!(store.round_list(&study).await.unwrap(), [first, second]);
}

pub(crate) async fn of_many_who_open_a_round_exactly_one_wins(store: Arc<dyn Store>) {
    let (same, different) =
        (locked(store.as_ref(), "same").await, locked(store.as_ref(), "different").await);
    for (study, numbers_differ) in [(same, false), (different, true)] {
        let won = race(|caller| {
            let number = if numbers_differ { u32::from(caller) + 1 } else { 1 };
            let (store, round) = (Arc::clone(&store), round_row(&study, number));
            async move { store.round_open(&round).await.unwrap() }
        })
        .await;
        assert_eq!(winners(&won), 1, "{won:?}");
        assert_eq!(store.round_list(&study).await.unwrap().len(), 1);
    }
}

pub(crate) async fn a_round_is_closed_once(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let round = opened(store.as_ref(), &study, 1).await;
    assert!(!store.round_close(&round_row(&study, 7).round, at(1)).await.unwrap());
    let won = race(|caller| {
        let (store, round) = (Arc::clone(&store), round.round.clone());
        async move { store.round_close(&round, at(100 + i64::from(caller))).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    let winner = i64::try_from(won.iter().position(|won| *won).unwrap()).unwrap();
    let row = store.round_find(&round.round).await.unwrap().unwrap();
    assert_eq!(row.closed_at, Some(at(100 + winner)));
}

pub(crate) async fn a_site_is_asked_once_in_a_round(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-b", "site-a"]).await;
    let again = super::DispatchRow {
        dispatch: b"other".to_vec(),
        endorsement: endorsement(9),
        ..dispatch_row(&round, &sites[0])
    };
    assert!(!store.dispatch_insert(&again).await.unwrap());
    let kept = store.dispatch_find(&round.round, &sites[0]).await.unwrap();
    assert_eq!(kept, Some(dispatch_row(&round, &sites[0])));
    assert_eq!(store.dispatch_find(&round.round, &site_id("site-z")).await.unwrap(), None);
    let listed = store.dispatch_list(&round.round).await.unwrap();
    assert_eq!(listed, [dispatch_row(&round, &sites[1]), dispatch_row(&round, &sites[0])]);
}

pub(crate) async fn of_many_who_dispatch_to_one_site_exactly_one_wins(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let round = opened(store.as_ref(), &study, 1).await;
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let won = race(|caller| {
        let (store, mut row) = (Arc::clone(&store), dispatch_row(&round, &site));
        row.dispatch = vec![caller];
        async move { store.dispatch_insert(&row).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    let winner = u8::try_from(won.iter().position(|won| *won).unwrap()).unwrap();
    let row = store.dispatch_find(&round.round, &site).await.unwrap().unwrap();
    assert_eq!(row.dispatch, [winner]);
}

pub(crate) async fn what_waits_for_a_site_is_open_and_unanswered(store: Arc<dyn Store>) {
    let (chest, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    let knee = locked(store.as_ref(), "knee").await;
    let knee = opened(store.as_ref(), &knee, 1).await;
    store.dispatch_insert(&dispatch_row(&knee, &sites[0])).await.unwrap();
    let waiting = async |site| {
        let rows = store.dispatch_pending(site).await.unwrap();
        rows.into_iter().map(|row| row.round.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&sites[0]).await, ["chest-r1", "knee-r1"]);
    let answer = stored_result(&chest, &sites[0], "answer");
    assert_eq!(store.result_insert(&answer).await.unwrap(), Inserted::New);
    assert_eq!(waiting(&sites[0]).await, ["knee-r1"]);
    assert_eq!(waiting(&sites[1]).await, ["chest-r1"], "another site's answer is not its own");
    store.round_close(&knee.round, at(1)).await.unwrap();
    assert!(waiting(&sites[0]).await.is_empty());
    assert!(waiting(&site_id("nobody")).await.is_empty());
}

pub(crate) async fn every_phase_is_kept(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    let phase = async |site| store.dispatch_find(&round.round, site).await.unwrap().unwrap().phase;
    assert_eq!(phase(&sites[0]).await, None);
    for named in [
        Phase::Queued,
        Phase::Approved,
        Phase::Downloading,
        Phase::Evaluating,
        Phase::AwaitingRelease,
        Phase::Sent,
    ] {
        store.dispatch_set_phase(&round.round, &sites[0], named).await.unwrap();
        assert_eq!(phase(&sites[0]).await, Some(named));
    }
    assert_eq!(phase(&sites[1]).await, None);
}

pub(crate) async fn leases_rise_and_extend_together(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    let lease = async |site| {
        let row = store.dispatch_find(&round.round, site).await.unwrap().unwrap();
        (row.lease_epoch, row.lease_ends_at)
    };
    assert_eq!(lease(&sites[0]).await, (0, None));
    assert_eq!(store.lease_grant(&round.round, &sites[0], at(10)).await.unwrap(), 1);
    assert_eq!(store.lease_grant(&round.round, &sites[0], at(20)).await.unwrap(), 2);
    assert_eq!(lease(&sites[0]).await, (2, Some(at(20))));

    store.lease_extend(&sites[0], at(30)).await.unwrap();
    store.lease_extend(&sites[1], at(30)).await.unwrap();
    assert_eq!(lease(&sites[0]).await, (2, Some(at(30))));
    assert_eq!(lease(&sites[1]).await, (0, None), "what was never leased is not extended");

    let elsewhere = round_row(&study_id("knee"), 1).round;
    assert_eq!(store.lease_grant(&elsewhere, &sites[0], at(10)).await.unwrap(), 0);
}

pub(crate) async fn of_many_who_lease_each_gets_an_epoch_of_its_own(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let mut epochs = race(|caller| {
        let (store, round, site) = (Arc::clone(&store), round.round.clone(), sites[0].clone());
        async move { store.lease_grant(&round, &site, at(i64::from(caller))).await.unwrap() }
    })
    .await;
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=u64::from(super::CALLERS)).collect::<Vec<_>>());
}
