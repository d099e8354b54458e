//! Snapshots.

use std::collections::BTreeSet;
use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{PersonRow, Phase, RoundRow, Snapshot};
use fedval_study::PersonRole;

use super::{
    at, connected, credential, dispatch_row, dispatched, draft, embedded, enrolled, invitation,
    key, lock_version, locked, log, opened, race, redeem, review, round_row, stored_result,
    study_id, winners,
};

/// A store with a row of every kind in every state.
async fn fill(store: &dyn Store) {
    let (round, sites) = dispatched(store, &["site-a", "site-b"]).await;
    let epoch = connected(store, &sites[0], 1).await;
    store.dispatch_set_phase(&round.round, &sites[0], Phase::Sent).await.unwrap();
    store.round_set_deadline(&round.round, at(500)).await.unwrap();
    store.lease_grant(&round.round, &sites[0], epoch, at(5)).await.unwrap();
    store.result_insert(&stored_result(&round, &sites[0], "result"), epoch).await.unwrap();
    store.round_close(&round.round, at(200)).await.unwrap();
    let second = opened(store, &round.study, 2).await;
    store.dispatch_insert(&[dispatch_row(&second, &sites[0])]).await.unwrap();
    store.study_put_draft(&study_id("draft"), None, &draft(1, b"draft")).await.unwrap();
    store.round_close(&second.round, at(70)).await.unwrap();
    lock_version(store, &round.study, Some(1), draft(2, b"amended")).await;
    let third = RoundRow { protocol_version: 2, ..round_row(&round.study, 3) };
    assert!(store.round_open(&third).await.unwrap());
    store.study_put_draft(&round.study, Some(2), &draft(3, b"again")).await.unwrap();
    store.site_revoke(&sites[1]).await.unwrap();
    for number in [1, 2] {
        store.invitation_insert(&invitation("site-c", number)).await.unwrap();
    }
    store.invitation_count_wrong(&invitation("site-c", 2).id).await.unwrap();
    let operator =
        PersonRow { name: "ada".parse().unwrap(), role: PersonRole::Operator, key: key(99) };
    store.person_put(&operator).await.unwrap();
    let credential = credential::credential(&operator.name, "$argon2id$", true);
    store.credential_put(&credential).await.unwrap();
    assert!(store.signature_insert(&review(&round.round, "ada", 7)).await.unwrap());
    store.log_append(&[log::entry(1), log::entry(2)]).await.unwrap();
    store.cosignature_put(&log::cosigned(store, "site-a", 2).await).await.unwrap();
}

/// How many rows of each kind.
fn counts(snapshot: &Snapshot) -> [usize; 12] {
    [
        snapshot.sites.len(),
        snapshot.invitations.len(),
        snapshot.people.len(),
        snapshot.studies.len(),
        snapshot.rounds.len(),
        snapshot.dispatches.len(),
        snapshot.results.len(),
        snapshot.epochs.len(),
        snapshot.log.len(),
        snapshot.cosignatures.len(),
        snapshot.credentials.len(),
        snapshot.signatures.len(),
    ]
}

/// A snapshot of what `fill` makes.
async fn taken(store: &dyn Store) -> Snapshot {
    fill(store).await;
    let snapshot = store.snapshot_read().await.unwrap();
    assert_eq!(counts(&snapshot), [3, 4, 1, 2, 3, 3, 1, 1, 2, 1, 1, 1]);
    snapshot
}

pub(crate) async fn what_was_read_is_written_and_read_again(store: Arc<dyn Store>) {
    assert_eq!(store.snapshot_read().await.unwrap(), Snapshot::default());
    let snapshot = taken(embedded().await.store.as_ref()).await;
    let before = store.change_count().await.unwrap();
    assert!(store.snapshot_write(&snapshot).await.unwrap());
    assert_eq!(store.snapshot_read().await.unwrap(), snapshot);
    assert!(store.change_count().await.unwrap() > before);

    let site = &snapshot.epochs[0].0;
    assert_eq!(connected(store.as_ref(), site, 7).await, snapshot.epochs[0].1 + 1);
    assert_eq!(store.site_by_key(&key(10)).await.unwrap().as_ref(), Some(site));
    assert!(redeem(store.as_ref(), &invitation("site-c", 2), 50).await);
    assert!(!redeem(store.as_ref(), &invitation("site-c", 1), 51).await);
}

pub(crate) async fn a_store_that_holds_something_is_not_overwritten(store: Arc<dyn Store>) {
    let snapshot = taken(embedded().await.store.as_ref()).await;
    let operator =
        PersonRow { name: "bea".parse().unwrap(), role: PersonRole::Operator, key: key(98) };
    store.person_put(&operator).await.unwrap();
    let before = store.snapshot_read().await.unwrap();
    assert!(!store.snapshot_write(&snapshot).await.unwrap());
    assert_eq!(store.snapshot_read().await.unwrap(), before);
    assert_eq!(counts(&before), [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

pub(crate) async fn of_many_who_fill_an_empty_store_exactly_one_does(store: Arc<dyn Store>) {
    let snapshot = taken(embedded().await.store.as_ref()).await;
    let won = race(|_| {
        let (store, snapshot) = (Arc::clone(&store), snapshot.clone());
        async move { store.snapshot_write(&snapshot).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    assert_eq!(store.snapshot_read().await.unwrap(), snapshot);
}

pub(crate) async fn a_snapshot_while_others_write_shows_one_moment(store: Arc<dyn Store>) {
    race(|caller| {
        let store = Arc::clone(&store);
        async move {
            if caller % 2 == 0 {
                let study = locked(store.as_ref(), &format!("study-{caller}")).await;
                let round = opened(store.as_ref(), &study, 1).await;
                for number in 0..4 {
                    let name = format!("site-{caller}-{number}");
                    let site = enrolled(store.as_ref(), &name, caller * 10 + number).await;
                    store.dispatch_insert(&[dispatch_row(&round, &site)]).await.unwrap();
                    let result = stored_result(&round, &site, "result");
                    store.result_insert(&result, 0).await.unwrap();
                }
                return;
            }
            for _ in 0..4 {
                shows_one_moment(&store.snapshot_read().await.unwrap());
            }
        }
    })
    .await;
    let last = store.snapshot_read().await.unwrap();
    shows_one_moment(&last);
    assert_eq!((last.results.len(), last.sites.len()), (16, 16));
}

/// Nothing refers to what is not there: sites are read first, results last, and written in that
/// order too, so that reading at several moments would show.
fn shows_one_moment(snapshot: &Snapshot) {
    let sites: BTreeSet<_> = snapshot.sites.iter().map(|(row, _)| &row.site).collect();
    let rounds: BTreeSet<_> = snapshot.rounds.iter().map(|row| &row.round).collect();
    let asked: BTreeSet<_> =
        snapshot.dispatches.iter().map(|row| (&row.round, &row.site)).collect();
    for result in &snapshot.results {
        assert!(asked.contains(&(&result.round, &result.site)), "a result without its dispatch");
    }
    for (round, site) in asked {
        assert!(rounds.contains(round) && sites.contains(site), "a dispatch without its row");
    }
}
