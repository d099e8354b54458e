//! What people signed.

use std::sync::Arc;

use fedval_core::Store;
use fedval_study::{Sha256Digest, SignatureMeaning};

use super::{dispatched, race, review, winners};

pub(crate) async fn signatures_stand_in_order_of_time_one_of_each_meaning(store: Arc<dyn Store>) {
    let (round, _) = dispatched(store.as_ref(), &["site-a"]).await;
    let round = round.round;
    let mut rows =
        vec![review(&round, "bea", 2), review(&round, "ada", 3), review(&round, "ada", 1)];
    rows[2].statement.meaning = SignatureMeaning::Approval;
    for row in &rows {
        assert!(store.signature_insert(row).await.unwrap());
    }
    let again = review(&round, "ada", 9);
    assert!(!store.signature_insert(&again).await.unwrap(), "the first stands");
    let mut other_report = again.clone();
    other_report.statement.report = Sha256Digest::of(b"another report");
    assert!(store.signature_insert(&other_report).await.unwrap());
    rows.push(other_report);
    rows.sort_by_key(|row| row.statement.signed_at_ms);
    assert_eq!(store.signature_list(&round).await.unwrap(), rows);
    assert!(store.signature_list(&"chest-r9".parse().unwrap()).await.unwrap().is_empty());
}

pub(crate) async fn of_many_who_sign_alike_at_once_one_does(store: Arc<dyn Store>) {
    let (round, _) = dispatched(store.as_ref(), &["site-a"]).await;
    let signed_at_once = race(|caller| {
        let (store, row) = (Arc::clone(&store), review(&round.round, "ada", caller.into()));
        async move { store.signature_insert(&row).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&signed_at_once), 1);
    assert_eq!(store.signature_list(&round.round).await.unwrap().len(), 1);
}
