//! Sessions.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{NewSession, SessionOpened};

use super::{CALLERS, at, connected, enrolled, instance, race, session};

pub(crate) async fn the_first_session_is_granted_and_epochs_rise(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let other = enrolled(store.as_ref(), "site-b", 2).await;
    for epoch in 1..=3 {
        assert_eq!(connected(store.as_ref(), &site, 1).await, epoch);
    }
    assert_eq!(connected(store.as_ref(), &other, 1).await, 1, "each site counts for itself");
}

pub(crate) async fn another_process_waits_until_the_session_ran_out(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    connected(store.as_ref(), &site, 1).await;
    let other = async |seconds| store.session_open(&session(&site, 2, seconds)).await.unwrap();
    assert_eq!(other(59).await, SessionOpened::HeldByAnother);
    assert_eq!(other(60).await, SessionOpened::Granted(2));
    let back = store.session_open(&session(&site, 1, 61)).await.unwrap();
    assert_eq!(back, SessionOpened::HeldByAnother, "now the other one holds it");
}

pub(crate) async fn a_session_from_a_clock_that_jumped_has_run_out(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    store.session_open(&session(&site, 1, 86_400)).await.unwrap();
    let other = store.session_open(&session(&site, 2, 0)).await.unwrap();
    assert_eq!(other, SessionOpened::Granted(2));
}

pub(crate) async fn a_restarted_process_takes_over_at_once(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    connected(store.as_ref(), &site, 1).await;
    let after = |previous| NewSession { previous: Some(previous), ..session(&site, 2, 1) };
    let stranger = store.session_open(&after(instance(3))).await.unwrap();
    assert_eq!(stranger, SessionOpened::HeldByAnother);
    let restarted = store.session_open(&after(instance(1))).await.unwrap();
    assert_eq!(restarted, SessionOpened::Granted(2));
}

pub(crate) async fn an_ended_session_makes_room(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let epoch = connected(store.as_ref(), &site, 1).await;
    let other = async || store.session_open(&session(&site, 2, 1)).await.unwrap();
    store.session_end(&site, epoch + 1).await.unwrap();
    assert_eq!(other().await, SessionOpened::HeldByAnother, "that was not the session's epoch");
    store.session_end(&site, epoch).await.unwrap();
    let ended = store.session_extend(&site, epoch, at(500)).await.unwrap();
    assert!(!ended, "what was ended is not revived");
    assert_eq!(other().await, SessionOpened::Granted(epoch + 1));
}

pub(crate) async fn only_the_current_session_is_extended(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    assert!(!store.session_extend(&site, 1, at(100)).await.unwrap(), "there is none yet");
    connected(store.as_ref(), &site, 1).await;
    let epoch = connected(store.as_ref(), &site, 1).await;
    assert!(!store.session_extend(&site, epoch - 1, at(100)).await.unwrap());
    assert!(store.session_extend(&site, epoch, at(100)).await.unwrap());
    let other = async |seconds| store.session_open(&session(&site, 2, seconds)).await.unwrap();
    assert_eq!(other(99).await, SessionOpened::HeldByAnother);
    assert_eq!(other(100).await, SessionOpened::Granted(epoch + 1));
}

pub(crate) async fn a_revocation_ends_the_session(store: Arc<dyn Store>) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let epoch = connected(store.as_ref(), &site, 1).await;
    store.site_revoke(&site).await.unwrap();
    assert!(!store.session_extend(&site, epoch, at(100)).await.unwrap());
    let site = enrolled(store.as_ref(), "site-a", 2).await;
    assert_eq!(connected(store.as_ref(), &site, 2).await, epoch + 1, "its machine was replaced");
}

pub(crate) async fn of_many_processes_that_connect_at_once_exactly_one_is_granted(
    store: Arc<dyn Store>,
) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    // Nobody was there; then the last one ran out.
    for (epoch, seconds) in [(1, 0), (2, 60), (3, 120)] {
        let granted = race(|caller| {
            let (store, asked) = (Arc::clone(&store), session(&site, caller, seconds));
            async move { store.session_open(&asked).await.unwrap() }
        })
        .await;
        let won: Vec<_> =
            granted.iter().filter(|granted| **granted == SessionOpened::Granted(epoch)).collect();
        let others = granted.iter().filter(|granted| **granted == SessionOpened::HeldByAnother);
        assert_eq!((won.len(), others.count()), (1, granted.len() - 1), "{granted:?}");
    }
}

pub(crate) async fn one_process_that_connects_many_times_gets_an_epoch_for_each(
    store: Arc<dyn Store>,
) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let mut epochs = race(|_| {
        let (store, site) = (Arc::clone(&store), site.clone());
        async move { connected(store.as_ref(), &site, 1).await }
    })
    .await;
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=u64::from(CALLERS)).collect::<Vec<_>>());
}

pub(crate) async fn extending_and_ending_race_with_a_takeover_and_only_one_is_current(
    store: Arc<dyn Store>,
) {
    let site = enrolled(store.as_ref(), "site-a", 1).await;
    let before = connected(store.as_ref(), &site, 1).await;
    race(|caller| {
        let (store, site) = (Arc::clone(&store), site.clone());
        async move {
            match caller {
                4 => {
                    connected(store.as_ref(), &site, 1).await;
                }
                5 => store.session_end(&site, before).await.unwrap(),
                _ => {
                    store.session_extend(&site, before, at(90)).await.unwrap();
                }
            }
        }
    })
    .await;
    let mut current = Vec::new();
    for epoch in before..before + 3 {
        current.push(store.session_extend(&site, epoch, at(90)).await.unwrap());
    }
    assert_eq!(current, [false, true, false], "the takeover's");
}
