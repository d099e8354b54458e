//! Dispatches.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{DispatchRow, Inserted, Phase};

use super::{
    at, dispatch_row, dispatched, endorsement, enrolled, locked, opened, race, site_id,
    stored_result, winners,
};

pub(crate) async fn a_site_is_asked_once_in_a_round(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-b", "site-a"]).await;
    let again = DispatchRow {
        dispatch: b"other".to_vec(),
        endorsement: endorsement(9),
        ..dispatch_row(&round, &sites[0])
    };
    assert_eq!(store.dispatch_insert(&[again]).await.unwrap(), 0);
    let kept = store.dispatch_find(&round.round, &sites[0]).await.unwrap();
    assert_eq!(kept, Some(dispatch_row(&round, &sites[0])));
    assert_eq!(store.dispatch_find(&round.round, &site_id("site-z")).await.unwrap(), None);
    let listed = store.dispatch_list(&round.round).await.unwrap();
    assert_eq!(listed, [dispatch_row(&round, &sites[1]), dispatch_row(&round, &sites[0])]);
}

pub(crate) async fn many_are_recorded_at_once_and_the_new_ones_counted(store: Arc<dyn Store>) {
    let (round, _) = dispatched(store.as_ref(), &["site-b"]).await;
    let mut rows = vec![dispatch_row(&round, &site_id("site-b"))];
    for (number, name) in [(1, "site-c"), (2, "site-a")] {
        rows.push(dispatch_row(&round, &enrolled(store.as_ref(), name, number).await));
    }
    assert_eq!(store.dispatch_insert(&[]).await.unwrap(), 0);
    assert_eq!(store.dispatch_insert(&rows).await.unwrap(), 2);
    assert_eq!(store.dispatch_insert(&rows).await.unwrap(), 0);
    rows.sort_by_key(|row| row.site.clone());
    assert_eq!(store.dispatch_list(&round.round).await.unwrap(), rows);
}

pub(crate) async fn a_closed_round_takes_no_dispatch(store: Arc<dyn Store>) {
    let (round, _) = dispatched(store.as_ref(), &["site-a"]).await;
    let late = enrolled(store.as_ref(), "site-b", 1).await;
    store.round_close(&round.round, at(50)).await.unwrap();
    assert_eq!(store.dispatch_insert(&[dispatch_row(&round, &late)]).await.unwrap(), 0);
    assert_eq!(store.dispatch_find(&round.round, &late).await.unwrap(), None);
}

pub(crate) async fn a_batch_with_a_site_that_is_unknown_records_nothing(store: Arc<dyn Store>) {
    let (round, _) = dispatched(store.as_ref(), &["site-a"]).await;
    let known = enrolled(store.as_ref(), "site-b", 1).await;
    let rows = [dispatch_row(&round, &known), dispatch_row(&round, &site_id("site-z"))];
    let failed = store.dispatch_insert(&rows).await.unwrap_err();
    assert_eq!(failed.operation, "dispatch_insert");
    assert_eq!(store.dispatch_find(&round.round, &known).await.unwrap(), None);
}

pub(crate) async fn of_many_who_dispatch_to_one_site_exactly_one_wins(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let round = opened(store.as_ref(), &study, 1).await;
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let won = race(|caller| {
        let (store, mut row) = (Arc::clone(&store), dispatch_row(&round, &site));
        row.dispatch = vec![caller];
        async move { store.dispatch_insert(&[row]).await.unwrap() == 1 }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    let winner = u8::try_from(won.iter().position(|won| *won).unwrap()).unwrap();
    let row = store.dispatch_find(&round.round, &site).await.unwrap().unwrap();
    assert_eq!(row.dispatch, [winner]);
}

pub(crate) async fn batches_that_overlap_record_each_site_once(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let round = opened(store.as_ref(), &study, 1).await;
    let mut sites = Vec::new();
    for number in 0..12 {
        sites.push(enrolled(store.as_ref(), &format!("site-{number}"), number).await);
    }
    let counted = race(|caller| {
        // Half of the sites, from a place of its own, in an order of its own.
        let from = usize::from(caller);
        let mut rows: Vec<_> =
            (from..from + 6).map(|site| dispatch_row(&round, &sites[site % 12])).collect();
        if caller % 2 == 0 {
            rows.reverse();
        }
        let store = Arc::clone(&store);
        async move { store.dispatch_insert(&rows).await.unwrap() }
    })
    .await;
    assert_eq!(counted.iter().sum::<usize>(), 12, "{counted:?}");
    assert_eq!(store.dispatch_list(&round.round).await.unwrap().len(), 12);
}

pub(crate) async fn a_dispatch_that_races_with_the_close_is_recorded_or_refused_whole(
    store: Arc<dyn Store>,
) {
    let mut sites = Vec::new();
    for number in 0..4 {
        sites.push(enrolled(store.as_ref(), &format!("site-{number}"), number).await);
    }
    let study = locked(store.as_ref(), "chest").await;
    for number in 1..=5 {
        let round = opened(store.as_ref(), &study, number).await;
        let rows: Vec<_> = sites.iter().map(|site| dispatch_row(&round, site)).collect();
        let counted = race(|caller| {
            let (store, round, rows) = (Arc::clone(&store), round.round.clone(), rows.clone());
            async move {
                if caller == 4 {
                    assert!(store.round_close(&round, at(50)).await.unwrap());
                    let late = store.dispatch_insert(&rows).await.unwrap();
                    assert_eq!(late, 0, "it is closed");
                    return 0;
                }
                let seen = store.dispatch_list(&round).await.unwrap().len();
                assert!(seen == 0 || seen == 4, "a batch is seen whole, not {seen}");
                store.dispatch_insert(&rows).await.unwrap()
            }
        })
        .await;
        let listed = store.dispatch_list(&round.round).await.unwrap().len();
        assert_eq!(counted.iter().sum::<usize>(), listed, "{counted:?}");
        assert!(listed == 0 || listed == 4);
        for site in &sites {
            assert_eq!(store.dispatch_pending(site).await.unwrap(), [], "it is closed");
        }
    }
}

pub(crate) async fn what_waits_for_a_site_is_open_and_unanswered(store: Arc<dyn Store>) {
    let (chest, sites) = dispatched(store.as_ref(), &["site-a", "site-b"]).await;
    let knee = locked(store.as_ref(), "knee").await;
    let knee = opened(store.as_ref(), &knee, 1).await;
    store.dispatch_insert(&[dispatch_row(&knee, &sites[0])]).await.unwrap();
    let waiting = async |site| {
        let rows = store.dispatch_pending(site).await.unwrap();
        rows.into_iter().map(|row| row.round.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&sites[0]).await, ["chest-r1", "knee-r1"]);
    let answer = stored_result(&chest, &sites[0], "answer");
    assert_eq!(store.result_insert(&answer, 0).await.unwrap(), Inserted::New);
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

pub(crate) async fn of_many_phases_at_once_one_stands(store: Arc<dyn Store>) {
    let (round, sites) = dispatched(store.as_ref(), &["site-a"]).await;
    let phases = [Phase::Queued, Phase::Approved, Phase::Downloading, Phase::Evaluating];
    race(|caller| {
        let (store, round, site) = (Arc::clone(&store), round.round.clone(), sites[0].clone());
        async move {
            let phase = phases[usize::from(caller) % phases.len()];
            store.dispatch_set_phase(&round, &site, phase).await.unwrap();
            let found = store.dispatch_find(&round, &site).await.unwrap().unwrap().phase;
            assert!(found.is_some_and(|phase| phases.contains(&phase)), "{found:?}");
        }
    })
    .await;
    assert_eq!(store.dispatch_list(&round.round).await.unwrap().len(), 1);
}
