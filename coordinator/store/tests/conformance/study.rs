//! Studies.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{DraftStored, StudyRow, StudyState};

use super::{endorsement, locked, race, study_id, winners};

pub(crate) async fn a_draft_is_replaced_until_it_is_locked(store: Arc<dyn Store>) {
    let study = study_id("chest");
    assert_eq!(store.study_find(&study).await.unwrap(), None);
    for draft in [b"one", b"two"] {
        assert_eq!(store.study_put_draft(&study, draft).await.unwrap(), DraftStored::Stored);
    }
    let draft = StudyRow {
        study: study.clone(),
        state: StudyState::Draft,
        protocol: b"two".to_vec(),
        endorsements: Vec::new(),
    };
    assert_eq!(store.study_find(&study).await.unwrap(), Some(draft.clone()));
    let signatures = [endorsement(1), endorsement(2)];
    assert!(store.study_lock(&study, b"two", &signatures).await.unwrap());
    let late = store.study_put_draft(&study, b"three").await.unwrap();
    assert_eq!(late, DraftStored::AlreadyLocked);
    let row = StudyRow { state: StudyState::Locked, endorsements: signatures.to_vec(), ..draft };
    assert_eq!(store.study_find(&study).await.unwrap(), Some(row));
}

pub(crate) async fn only_the_bytes_that_were_signed_are_locked(store: Arc<dyn Store>) {
    let study = study_id("chest");
    assert!(!store.study_lock(&study, b"one", &[]).await.unwrap(), "there is no such study");
    store.study_put_draft(&study, b"two").await.unwrap();
    assert!(!store.study_lock(&study, b"one", &[endorsement(1)]).await.unwrap());
    let row = store.study_find(&study).await.unwrap().unwrap();
    assert_eq!((row.state, row.endorsements), (StudyState::Draft, Vec::new()));
    assert!(store.study_lock(&study, b"two", &[endorsement(1)]).await.unwrap());
    assert!(!store.study_lock(&study, b"two", &[endorsement(2)]).await.unwrap(), "locked before");
    let row = store.study_find(&study).await.unwrap().unwrap();
    assert_eq!(row.endorsements, [endorsement(1)]);
}

pub(crate) async fn of_many_who_lock_exactly_one_wins(store: Arc<dyn Store>) {
    let study = study_id("chest");
    store.study_put_draft(&study, b"one").await.unwrap();
    let won = race(|caller| {
        let (store, study) = (Arc::clone(&store), study.clone());
        async move { store.study_lock(&study, b"one", &[endorsement(caller)]).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    let winner = u8::try_from(won.iter().position(|won| *won).unwrap()).unwrap();
    let row = store.study_find(&study).await.unwrap().unwrap();
    assert_eq!(row.endorsements, [endorsement(winner)]);
}

pub(crate) async fn a_draft_that_races_with_a_lock_never_changes_what_was_locked(
    store: Arc<dyn Store>,
) {
    for number in 0..10 {
        let study = study_id(&format!("study-{number}"));
        store.study_put_draft(&study, b"signed").await.unwrap();
        let locked = race(|caller| {
            let (store, study) = (Arc::clone(&store), study.clone());
            async move {
                if caller % 2 == 0 {
                    return store.study_lock(&study, b"signed", &[endorsement(1)]).await.unwrap();
                }
                store.study_put_draft(&study, b"other").await.unwrap();
                false
            }
        })
        .await;
        let row = store.study_find(&study).await.unwrap().unwrap();
        let expected = if winners(&locked) == 1 {
            (StudyState::Locked, &b"signed"[..])
        } else {
            (StudyState::Draft, &b"other"[..])
        };
        assert_eq!((row.state, &row.protocol[..]), expected);
    }
}

pub(crate) async fn whoever_reads_during_a_lock_sees_it_whole(store: Arc<dyn Store>) {
    let study = study_id("chest");
    store.study_put_draft(&study, b"one").await.unwrap();
    race(|caller| {
        let (store, study) = (Arc::clone(&store), study.clone());
        async move {
            if caller == 4 {
                assert!(store.study_lock(&study, b"one", &[endorsement(1)]).await.unwrap());
            }
            for _ in 0..5 {
                let listed = store.study_list().await.unwrap();
                let found = store.study_find(&study).await.unwrap().unwrap();
                for row in listed.iter().chain([&found]) {
                    let is_locked = row.state == StudyState::Locked;
                    assert_eq!(row.endorsements.is_empty(), !is_locked, "{row:?}");
                }
                let went_back =
                    listed[0].state == StudyState::Locked && found.state == StudyState::Draft;
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
    store.study_put_draft(&study_id("heart"), b"draft").await.unwrap();
    let listed = store.study_list().await.unwrap();
    let found: Vec<_> = listed.iter().map(|row| (row.study.as_str(), row.state)).collect();
    assert_eq!(
        found,
        [("chest", StudyState::Locked), ("heart", StudyState::Draft), ("knee", StudyState::Locked)]
    );
}
