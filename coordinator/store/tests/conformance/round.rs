//! Rounds.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::RoundRow;

use super::{CALLERS, at, locked, opened, race, round_row, winners};

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

pub(crate) async fn a_deadline_is_set_while_the_round_is_open(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let round = opened(store.as_ref(), &study, 1).await;
    let deadline = async || {
        let found = store.round_find(&round.round).await.unwrap().unwrap();
        assert_eq!(store.round_list(&study).await.unwrap(), std::slice::from_ref(&found));
        found.deadline_at
    };
    assert_eq!(deadline().await, None);
    assert!(store.round_set_deadline(&round.round, at(70)).await.unwrap());
    assert_eq!(deadline().await, Some(at(70)));
    assert!(store.round_set_deadline(&round.round, at(60)).await.unwrap(), "it may be moved");
    assert_eq!(deadline().await, Some(at(60)));
    store.round_close(&round.round, at(50)).await.unwrap();
    assert!(!store.round_set_deadline(&round.round, at(80)).await.unwrap());
    assert_eq!(deadline().await, Some(at(60)));
    assert!(!store.round_set_deadline(&round_row(&study, 7).round, at(1)).await.unwrap());

    let with_deadline = RoundRow { deadline_at: Some(at(9)), ..round_row(&study, 2) };
    assert!(store.round_open(&with_deadline).await.unwrap());
    assert_eq!(store.round_find(&with_deadline.round).await.unwrap(), Some(with_deadline));
}

pub(crate) async fn of_many_deadlines_at_once_one_stands(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let round = opened(store.as_ref(), &study, 1).await;
    let set = race(|caller| {
        let (store, round) = (Arc::clone(&store), round.round.clone());
        async move {
            if caller == 0 {
                return store.round_close(&round, at(50)).await.unwrap();
            }
            store.round_set_deadline(&round, at(100 + i64::from(caller))).await.unwrap()
        }
    })
    .await;
    let row = store.round_find(&round.round).await.unwrap().unwrap();
    assert_eq!((set[0], row.closed_at), (true, Some(at(50))));
    let stands = (1..CALLERS).find(|caller| row.deadline_at == Some(at(100 + i64::from(*caller))));
    match stands {
        Some(caller) => assert!(set[usize::from(caller)], "{set:?}"),
        None => assert_eq!((winners(&set), row.deadline_at), (1, None), "closed before them all"),
    }
}

pub(crate) async fn whoever_reads_during_a_close_never_sees_it_open_again(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let round = opened(store.as_ref(), &study, 1).await;
    race(|caller| {
        let (store, round) = (Arc::clone(&store), round.clone());
        async move {
            if caller == 4 {
                assert!(store.round_close(&round.round, at(50)).await.unwrap());
            }
            let mut closed = caller == 4;
            for _ in 0..5 {
                let listed = store.round_list(&round.study).await.unwrap()[0].closed_at.is_some();
                let found = store.round_find(&round.round).await.unwrap().unwrap();
                assert!(!closed || listed, "what was seen once stays");
                assert!(!listed || found.closed_at == Some(at(50)));
                closed = found.closed_at.is_some();
            }
        }
    })
    .await;
}
