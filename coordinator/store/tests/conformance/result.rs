//! Results.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{Inserted, StoredResult};

use super::{at, connected, dispatched, race, site_id, stored_result};

pub(crate) async fn a_result_stands_for_good(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let first = stored_result(&round, &sites[0], "first");
    assert_eq!(store.result_insert(&first, 0).await.unwrap(), Inserted::New);
    let retried = StoredResult { recorded_at: at(200), ..first.clone() };
    let same = Inserted::SameAsBefore(first.recorded_at);
    assert_eq!(store.result_insert(&retried, 0).await.unwrap(), same);
    let other = stored_result(&round, &sites[0], "other");
    assert_eq!(store.result_insert(&other, 0).await.unwrap(), Inserted::DiffersFromBefore);
    assert_eq!(store.result_find(&round.round, &sites[0]).await.unwrap(), Some(first.clone()));
    assert_eq!(store.result_list(&round.round).await.unwrap(), [first]);
}

pub(crate) async fn a_result_under_an_older_lease_is_stale_unless_it_is_there(
    store: Arc<dyn Store>,
) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let older = connected(store.as_ref(), &sites[0], 1).await;
    let newer = connected(store.as_ref(), &sites[0], 1).await;
    assert!(store.lease_grant(&round.round, &sites[0], newer, at(10)).await.unwrap());
    let result = stored_result(&round, &sites[0], "result");
    for epoch in [0, older, newer + 1] {
        let stale = store.result_insert(&result, epoch).await.unwrap();
        assert_eq!(stale, Inserted::StaleLease, "epoch {epoch}");
    }
    assert_eq!(store.result_find(&round.round, &sites[0]).await.unwrap(), None);
    assert_eq!(store.result_insert(&result, newer).await.unwrap(), Inserted::New);
    let again = store.result_insert(&result, older).await.unwrap();
    assert_eq!(again, Inserted::SameAsBefore(result.recorded_at), "the bytes decide first");
    let unasked = stored_result(&round, &site_id("site-z"), "result");
    assert_eq!(store.result_insert(&unasked, 0).await.unwrap(), Inserted::StaleLease);
}

pub(crate) async fn a_closed_round_takes_no_result_but_acknowledges_the_recorded_one(
    store: Arc<dyn Store>,
) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    let in_time = stored_result(&round, &sites[0], "in time");
    store.result_insert(&in_time, 0).await.unwrap();
    store.round_close(&round.round, at(150)).await.unwrap();
    let late = stored_result(&round, &sites[1], "late");
    assert_eq!(store.result_insert(&late, 0).await.unwrap(), Inserted::RoundClosed);
    let again = store.result_insert(&in_time, 0).await.unwrap();
    assert_eq!(again, Inserted::SameAsBefore(in_time.recorded_at));
    assert_eq!(store.result_list(&round.round).await.unwrap(), [in_time]);
}

pub(crate) async fn of_many_who_hand_in_the_same_result_one_is_new(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let answers = race(|caller| {
        let recorded_at = at(100 + i64::from(caller));
        let result = StoredResult { recorded_at, ..stored_result(&round, &sites[0], "same") };
        let store = Arc::clone(&store);
        async move { store.result_insert(&result, 0).await.unwrap() }
    })
    .await;
    let listed = store.result_list(&round.round).await.unwrap();
    let [stored] = &listed[..] else { panic!("one result: {listed:?}") };
    let new = answers.iter().filter(|answer| **answer == Inserted::New).count();
    let same = Inserted::SameAsBefore(stored.recorded_at);
    let duplicates = answers.iter().filter(|answer| **answer == same).count();
    assert_eq!((new, duplicates), (1, answers.len() - 1), "{answers:?}");
}

pub(crate) async fn of_many_who_hand_in_different_results_one_stands(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let answers = race(|caller| {
        let result = stored_result(&round, &sites[0], &format!("result {caller}"));
        let store = Arc::clone(&store);
        async move { store.result_insert(&result, 0).await.unwrap() }
    })
    .await;
    let new: Vec<usize> =
        (0..answers.len()).filter(|caller| answers[*caller] == Inserted::New).collect();
    let differ = answers.iter().filter(|answer| **answer == Inserted::DiffersFromBefore).count();
    assert_eq!((new.len(), differ), (1, answers.len() - 1), "{answers:?}");
    let winner = stored_result(&round, &sites[0], &format!("result {}", new[0]));
    assert_eq!(store.result_list(&round.round).await.unwrap(), [winner]);
}

pub(crate) async fn a_result_that_races_with_the_close_is_recorded_or_refused(
    store: Arc<dyn Store>,
) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let result = stored_result(&round, &sites[0], "result");
    let answers = race(|caller| {
        let (store, result) = (Arc::clone(&store), result.clone());
        async move {
            if caller == 0 {
                assert!(store.round_close(&result.round, at(150)).await.unwrap());
                return None;
            }
            Some(store.result_insert(&result, 0).await.unwrap())
        }
    })
    .await;
    let listed = store.result_list(&round.round).await.unwrap();
    let new = answers.iter().filter(|answer| **answer == Some(Inserted::New)).count();
    assert_eq!(new, listed.len(), "acknowledged as new means recorded: {answers:?}");
    let after = if new == 1 { Inserted::SameAsBefore(at(100)) } else { Inserted::RoundClosed };
    assert_eq!(store.result_insert(&result, 0).await.unwrap(), after);
}

pub(crate) async fn a_result_that_races_with_a_later_lease_is_recorded_or_stale(
    store: Arc<dyn Store>,
) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let older = connected(store.as_ref(), &sites[0], 1).await;
    assert!(store.lease_grant(&round.round, &sites[0], older, at(10)).await.unwrap());
    let newer = connected(store.as_ref(), &sites[0], 1).await;
    let result = stored_result(&round, &sites[0], "result");
    let answers = race(|caller| {
        let (store, result) = (Arc::clone(&store), result.clone());
        async move {
            if caller == 4 {
                let (round, site) = (&result.round, &result.site);
                assert!(store.lease_grant(round, site, newer, at(20)).await.unwrap());
                return None;
            }
            Some(store.result_insert(&result, older).await.unwrap())
        }
    })
    .await;
    let new = answers.iter().filter(|answer| **answer == Some(Inserted::New)).count();
    let listed = store.result_list(&round.round).await.unwrap().len();
    assert_eq!(new, listed, "acknowledged as new means recorded: {answers:?}");
    let after = if new == 1 { Inserted::SameAsBefore(at(100)) } else { Inserted::StaleLease };
    assert_eq!(store.result_insert(&result, older).await.unwrap(), after);
}

pub(crate) async fn whoever_reads_while_results_come_in_sees_whole_ones(store: Arc<dyn Store>) {
    let (round, sites) =
        dispatched(store.as_ref(), &["site-a", "site-b", "site-c", "site-d"]).await;
    race(|caller| {
        let site = sites[usize::from(caller) % sites.len()].clone();
        let (store, result) = (Arc::clone(&store), stored_result(&round, &site, "result"));
        async move {
            if caller < 4 {
                assert_eq!(store.result_insert(&result, 0).await.unwrap(), Inserted::New);
            }
            let mut seen = 0;
            for _ in 0..5 {
                let found = store.result_find(&result.round, &site).await.unwrap();
                assert!(found.is_none_or(|found| found == result));
                let listed = store.result_list(&result.round).await.unwrap();
                assert!(listed.len() >= seen, "what was seen once stays");
                seen = listed.len();
            }
        }
    })
    .await;
    assert_eq!(store.result_list(&round.round).await.unwrap().len(), 4);
}

pub(crate) async fn results_are_listed_in_order_of_sites(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-c", "site-a", "site-b"]).await;
    assert_eq!(store.result_list(&round.round).await.unwrap(), []);
    for site in &sites {
        store.result_insert(&stored_result(&round, site, site.as_str()), 0).await.unwrap();
    }
    let listed = store.result_list(&round.round).await.unwrap();
    let names: Vec<_> = listed.iter().map(|result| result.site.as_str()).collect();
    assert_eq!(names, ["site-a", "site-b", "site-c"]);
}
