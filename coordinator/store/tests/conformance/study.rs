//! Studies and the versions of their protocols.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{DraftLocked, DraftStored, LockedVersion, RoundRow, StudyRow};

use super::{at, draft, endorsement, lock_version, locked, race, round_row, study_id, winners};

async fn put(store: &dyn Store, study: &str, protocol: &[u8]) -> DraftStored {
    store.study_put_draft(&study_id(study), None, &draft(1, protocol)).await.unwrap()
}

pub(crate) async fn a_draft_is_replaced_until_it_is_locked(store: Arc<dyn Store>) {
    let study = study_id("chest");
    assert_eq!(store.study_find(&study).await.unwrap(), None);
    for protocol in [b"one", b"two"] {
        assert_eq!(put(store.as_ref(), "chest", protocol).await, DraftStored::Stored);
    }
    let row = StudyRow { study: study.clone(), locked: Vec::new(), draft: Some(draft(1, b"two")) };
    assert_eq!(store.study_find(&study).await.unwrap(), Some(row.clone()));
    let endorsements = vec![endorsement(1), endorsement(2)];
    let outcome = store.study_lock(&study, b"two", &endorsements).await.unwrap();
    assert_eq!(outcome, DraftLocked::Locked);
    assert_eq!(put(store.as_ref(), "chest", b"three").await, DraftStored::DoesNotFollow);
    let version = LockedVersion { version: 1, protocol: b"two".to_vec(), endorsements };
    let row = StudyRow { locked: vec![version], draft: None, ..row };
    assert_eq!(store.study_find(&study).await.unwrap(), Some(row));
}

pub(crate) async fn only_the_bytes_that_were_signed_are_locked(store: Arc<dyn Store>) {
    let study = study_id("chest");
    let lock = async |protocol: &[u8], by| {
        store.study_lock(&study, protocol, &[endorsement(by)]).await.unwrap()
    };
    assert_eq!(lock(b"one", 1).await, DraftLocked::DraftChanged, "there is no such study");
    put(store.as_ref(), "chest", b"two").await;
    assert_eq!(lock(b"one", 1).await, DraftLocked::DraftChanged);
    assert!(store.study_find(&study).await.unwrap().unwrap().in_force().is_none());
    assert_eq!(lock(b"two", 1).await, DraftLocked::Locked);
    assert_eq!(lock(b"two", 2).await, DraftLocked::DraftChanged, "locked before");
    let row = store.study_find(&study).await.unwrap().unwrap();
    assert_eq!(row.locked[0].endorsements, [endorsement(1)]);
}

pub(crate) async fn a_version_follows_the_one_in_force_and_none_other(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let amend = async |follows, version, protocol: &[u8]| {
        let draft = draft(version, protocol);
        store.study_put_draft(&study, follows, &draft).await.unwrap()
    };
    assert_eq!(amend(None, 1, b"another").await, DraftStored::DoesNotFollow);
    assert_eq!(amend(Some(2), 3, b"third").await, DraftStored::DoesNotFollow);
    assert_eq!(amend(Some(1), 2, b"second").await, DraftStored::Stored);
    let row = store.study_find(&study).await.unwrap().unwrap();
    assert_eq!(row.in_force().unwrap().version, 1, "a draft binds nobody");
    assert_eq!(row.newest(), b"second");
    let lock = async |protocol: &[u8]| {
        store.study_lock(&study, protocol, &[endorsement(2)]).await.unwrap()
    };
    assert_eq!(lock(b"second").await, DraftLocked::Locked);
    let row = store.study_find(&study).await.unwrap().unwrap();
    assert_eq!(row.in_force().unwrap().version, 2);
    assert_eq!(row.version(1).unwrap().protocol, b"protocol", "the first version stays");
}

pub(crate) async fn nothing_is_amended_while_a_round_is_open(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let first = round_row(&study, 1);
    assert!(store.round_open(&first).await.unwrap());
    store.study_put_draft(&study, Some(1), &draft(2, b"second")).await.unwrap();
    let lock = async || store.study_lock(&study, b"second", &[endorsement(1)]).await.unwrap();
    assert_eq!(lock().await, DraftLocked::RoundOpen);
    assert_eq!(store.study_find(&study).await.unwrap().unwrap().locked.len(), 1);
    store.round_close(&first.round, at(50)).await.unwrap();
    assert_eq!(lock().await, DraftLocked::Locked);
    let under_first = round_row(&study, 2);
    assert!(!store.round_open(&under_first).await.unwrap(), "version 1 is not in force");
    let under_second = RoundRow { protocol_version: 2, ..under_first };
    assert!(store.round_open(&under_second).await.unwrap());
    assert_eq!(store.round_list(&study).await.unwrap()[1], under_second);
}

pub(crate) async fn a_round_and_an_amendment_never_both_win(store: Arc<dyn Store>) {
    for number in 0..10 {
        let study = locked(store.as_ref(), &format!("study-{number}")).await;
        store.study_put_draft(&study, Some(1), &draft(2, b"second")).await.unwrap();
        let won = race(|caller| {
            let (store, study) = (Arc::clone(&store), study.clone());
            async move {
                if caller % 2 == 0 {
                    return store.round_open(&round_row(&study, 1)).await.unwrap();
                }
                let locked = store.study_lock(&study, b"second", &[endorsement(1)]).await;
                locked.unwrap() == DraftLocked::Locked
            }
        })
        .await;
        assert_eq!(winners(&won), 1, "{won:?}");
    }
}

pub(crate) async fn of_many_who_lock_exactly_one_wins(store: Arc<dyn Store>) {
    let study = study_id("chest");
    put(store.as_ref(), "chest", b"one").await;
    let won = race(|caller| {
        let (store, study) = (Arc::clone(&store), study.clone());
        async move {
            let locked = store.study_lock(&study, b"one", &[endorsement(caller)]).await.unwrap();
            locked == DraftLocked::Locked
        }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    let winner = u8::try_from(won.iter().position(|won| *won).unwrap()).unwrap();
    let row = store.study_find(&study).await.unwrap().unwrap();
    assert_eq!(row.locked[0].endorsements, [endorsement(winner)]);
}

pub(crate) async fn a_draft_that_races_with_a_lock_never_changes_what_was_locked(
    store: Arc<dyn Store>,
) {
    for number in 0..10 {
        let name = format!("study-{number}");
        let study = study_id(&name);
        put(store.as_ref(), &name, b"signed").await;
        let locked = race(|caller| {
            let (store, study) = (Arc::clone(&store), study.clone());
            async move {
                if caller % 2 == 0 {
                    let locked = store.study_lock(&study, b"signed", &[endorsement(1)]).await;
                    return locked.unwrap() == DraftLocked::Locked;
                }
                store.study_put_draft(&study, None, &draft(1, b"other")).await.unwrap();
                false
            }
        })
        .await;
        let row = store.study_find(&study).await.unwrap().unwrap();
        let expected = if winners(&locked) == 1 { &b"signed"[..] } else { &b"other"[..] };
        assert_eq!((row.newest(), row.locked.len()), (expected, winners(&locked)));
    }
}

pub(crate) async fn whoever_reads_during_a_lock_sees_it_whole(store: Arc<dyn Store>) {
    let study = study_id("chest");
    put(store.as_ref(), "chest", b"one").await;
    race(|caller| {
        let (store, study) = (Arc::clone(&store), study.clone());
        async move {
            if caller == 4 {
                let locked = store.study_lock(&study, b"one", &[endorsement(1)]).await.unwrap();
                assert_eq!(locked, DraftLocked::Locked);
            }
            for _ in 0..5 {
                let listed = store.study_list().await.unwrap();
                let found = store.study_find(&study).await.unwrap().unwrap();
                for row in listed.iter().chain([&found]) {
                    assert_ne!(row.draft.is_some(), row.in_force().is_some(), "{row:?}");
                }
                let went_back = listed[0].in_force().is_some() && found.in_force().is_none();
                assert!(!went_back, "what was seen once stays");
            }
        }
    })
    .await;
}

pub(crate) async fn studies_are_listed_in_order(store: Arc<dyn Store>) {
    assert_eq!(store.study_list().await.unwrap(), []);
    for name in ["knee", "chest"] {
        locked(store.as_ref(), name).await;
    }
    put(store.as_ref(), "heart", b"draft").await;
    lock_version(store.as_ref(), &study_id("knee"), Some(1), draft(2, b"amended")).await;
    let listed = store.study_list().await.unwrap();
    let found: Vec<_> = listed.iter().map(|row| (row.study.as_str(), row.locked.len())).collect();
    assert_eq!(found, [("chest", 1), ("heart", 0), ("knee", 2)]);
}
