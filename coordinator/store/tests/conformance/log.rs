//! The transparency log.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::CosignatureRow;
use fedval_study::{Canonical, LogCheckpoint, LogEntry, LogEvent, Sha256Digest};

use super::{endorsement, enrolled, race};

/// A round was closed: the number makes it one of its kind.
pub(crate) fn entry(number: u8) -> LogEntry {
    let round = format!("chest-r{number}").parse().unwrap();
    LogEntry { at_ms: i64::from(number), event: LogEvent::RoundClosed { round } }
}

pub(crate) async fn cosigned(store: &dyn Store, site: &str, entries: u64) -> CosignatureRow {
    let site = match store.site_find(&super::site_id(site)).await.unwrap() {
        Some(row) => row.site,
        None => enrolled(store, site, 40).await,
    };
    let digest = |what: &str| Sha256Digest::of(what.as_bytes());
    let checkpoint =
        LogCheckpoint { log: digest("log"), entries, root: digest(&format!("root {entries}")) };
    CosignatureRow { site, checkpoint, endorsement: endorsement(1) }
}

fn bytes(entries: &[LogEntry]) -> Vec<Vec<u8>> {
    entries.iter().map(|entry| Canonical::new(entry.clone()).unwrap().into_bytes()).collect()
}

pub(crate) async fn an_entry_is_appended_once_and_stays_where_it_is(store: Arc<dyn Store>) {
    assert!(store.log_list(0).await.unwrap().is_empty());
    assert_eq!(store.log_append(&[entry(1), entry(2)]).await.unwrap(), 2);
    let again = LogEntry { at_ms: 99, ..entry(1) };
    assert_eq!(store.log_append(&[again, entry(3), entry(3)]).await.unwrap(), 1);
    assert_eq!(store.log_append(&[]).await.unwrap(), 0);
    let all = bytes(&[entry(1), entry(2), entry(3)]);
    assert_eq!(store.log_list(0).await.unwrap(), all);
    assert_eq!(store.log_list(2).await.unwrap(), all[2..]);
    assert!(store.log_list(3).await.unwrap().is_empty());
}

pub(crate) async fn of_many_who_append_at_once_no_entry_is_lost_or_doubled(store: Arc<dyn Store>) {
    let appended = race(|caller| {
        let store = Arc::clone(&store);
        async move {
            // One that all append, and one of each caller's own.
            store.log_append(&[entry(0), entry(caller + 1)]).await.unwrap()
        }
    })
    .await;
    let mut listed = store.log_list(0).await.unwrap();
    assert_eq!(listed.len(), appended.iter().sum::<usize>());
    assert_eq!(listed.len(), appended.len() + 1);
    assert_eq!(listed[0], bytes(&[entry(0)])[0], "whoever came first");
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), appended.len() + 1);
}

pub(crate) async fn whoever_reads_the_log_while_it_grows_sees_no_gap(store: Arc<dyn Store>) {
    race(|caller| {
        let store = Arc::clone(&store);
        async move {
            for number in 0..8 {
                if caller % 2 == 0 {
                    store.log_append(&[entry(caller * 8 + number)]).await.unwrap();
                    continue;
                }
                let seen = store.log_list(0).await.unwrap();
                let later = store.log_list(0).await.unwrap();
                assert!(later.starts_with(&seen), "the log was another a moment ago");
            }
        }
    })
    .await;
}

pub(crate) async fn the_longest_state_that_a_site_signed_is_kept(store: Arc<dyn Store>) {
    let second = cosigned(store.as_ref(), "site-a", 2).await;
    store.cosignature_put(&second).await.unwrap();
    let first = cosigned(store.as_ref(), "site-a", 1).await;
    store.cosignature_put(&first).await.unwrap();
    assert_eq!(store.cosignature_list().await.unwrap(), std::slice::from_ref(&second));
    let row = |caller: u8| CosignatureRow {
        checkpoint: LogCheckpoint { entries: u64::from(caller) + 2, ..second.checkpoint },
        ..second.clone()
    };
    let put = race(|caller| {
        let (store, row) = (Arc::clone(&store), row(caller));
        async move {
            store.cosignature_put(&row).await.unwrap();
            row.checkpoint.entries
        }
    })
    .await;
    let kept = store.cosignature_list().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(Some(kept[0].checkpoint.entries), put.into_iter().max());
}
