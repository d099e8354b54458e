//! Passwords of people, and what opens the pages.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{CredentialRow, PassHolder, PassRow, PersonRow, Try, TryLimit};
use fedval_study::{Name, PersonRole, Sha256Digest};

use super::{at, key, locked, race, winners};

const LIMIT: TryLimit = TryLimit { tries: 3, window_seconds: 60 };

fn name(name: &str) -> Name {
    name.parse().unwrap()
}

async fn admitted(store: &dyn Store, person: &str, number: u8) -> Name {
    let row = PersonRow { name: name(person), role: PersonRole::Reviewer, key: key(number) };
    store.person_put(&row).await.unwrap();
    row.name
}

pub(crate) fn credential(name: &Name, hash: &str, is_issued: bool) -> CredentialRow {
    CredentialRow { name: name.clone(), password_hash: hash.to_owned(), is_issued }
}

fn pass(secret: &str, holder: PassHolder, until: i64) -> PassRow {
    let secret_hash = Sha256Digest::of(secret.as_bytes());
    PassRow { secret_hash, holder, expires_at: at(until) }
}

pub(crate) async fn a_password_belongs_to_somebody_who_is_there(store: Arc<dyn Store>) {
    let ada = name("ada");
    assert!(!store.credential_put(&credential(&ada, "one", true)).await.unwrap());
    assert_eq!(store.credential_try(&ada, at(0), LIMIT).await.unwrap(), Try::Unknown);
    admitted(store.as_ref(), "ada", 1).await;
    for (hash, is_issued) in [("one", true), ("two", false)] {
        let row = credential(&ada, hash, is_issued);
        assert!(store.credential_put(&row).await.unwrap());
        assert_eq!(store.credential_try(&ada, at(0), LIMIT).await.unwrap(), Try::Counted(row));
    }
    assert!(store.person_remove(&ada).await.unwrap());
    admitted(store.as_ref(), "ada", 2).await;
    assert_eq!(store.credential_try(&ada, at(0), LIMIT).await.unwrap(), Try::Unknown);
}

pub(crate) async fn tries_are_counted_in_a_window_that_ends(store: Arc<dyn Store>) {
    let ada = admitted(store.as_ref(), "ada", 1).await;
    store.credential_put(&credential(&ada, "hash", false)).await.unwrap();
    let counted = |seconds| {
        let (store, ada) = (Arc::clone(&store), ada.clone());
        async move {
            let tried = store.credential_try(&ada, at(seconds), LIMIT).await.unwrap();
            matches!(tried, Try::Counted(_))
        }
    };
    for second in 0..3 {
        assert!(counted(second).await);
    }
    assert!(!counted(3).await && !counted(59).await);
    assert!(counted(60).await, "the window began with its first try");
    store.credential_clear(&ada).await.unwrap();
    for second in 61..64 {
        assert!(counted(second).await);
    }
    assert!(!counted(64).await);
    store.credential_put(&credential(&ada, "new", true)).await.unwrap();
    assert!(counted(65).await, "a new password was never tried");
}

pub(crate) async fn of_many_tries_at_once_no_more_are_counted_than_may_be(store: Arc<dyn Store>) {
    let ada = admitted(store.as_ref(), "ada", 1).await;
    store.credential_put(&credential(&ada, "hash", false)).await.unwrap();
    let counted = race(|_| {
        let (store, ada) = (Arc::clone(&store), ada.clone());
        async move {
            let tried = store.credential_try(&ada, at(0), LIMIT).await.unwrap();
            matches!(tried, Try::Counted(_))
        }
    })
    .await;
    assert_eq!(counted.iter().filter(|counted| **counted).count(), 3, "{counted:?}");
}

pub(crate) async fn a_pass_ends_with_its_time_its_holder_or_a_new_password(store: Arc<dyn Store>) {
    let ada = admitted(store.as_ref(), "ada", 1).await;
    let person = |secret: &str, until| pass(secret, PassHolder::Person(name("ada")), until);
    assert!(store.pass_insert(&person("one", 100), at(0)).await.unwrap());
    let found = |secret: &str, seconds| {
        let (store, secret) = (Arc::clone(&store), Sha256Digest::of(secret.as_bytes()));
        async move { store.pass_find(&secret, at(seconds)).await.unwrap() }
    };
    assert_eq!(found("one", 99).await, Some(person("one", 100)));
    assert_eq!(found("one", 100).await, None);
    assert_eq!(found("two", 0).await, None);
    store.pass_end(&Sha256Digest::of(b"one")).await.unwrap();
    assert_eq!(found("one", 0).await, None);

    assert!(store.pass_insert(&person("two", 100), at(0)).await.unwrap());
    store.credential_put(&credential(&ada, "new", false)).await.unwrap();
    assert_eq!(found("two", 0).await, None);
    assert!(store.pass_insert(&person("three", 100), at(0)).await.unwrap());
    store.person_remove(&ada).await.unwrap();
    assert_eq!(found("three", 0).await, None);
    assert!(!store.pass_insert(&person("four", 100), at(0)).await.unwrap());
}

pub(crate) async fn another_key_ends_the_password_and_another_role_the_passes(
    store: Arc<dyn Store>,
) {
    let ada = admitted(store.as_ref(), "ada", 1).await;
    let kept = credential(&ada, "hash", false);
    store.credential_put(&kept).await.unwrap();
    let open = pass("one", PassHolder::Person(ada.clone()), 100);
    store.pass_insert(&open, at(0)).await.unwrap();
    let is_open = || async { store.pass_find(&open.secret_hash, at(0)).await.unwrap().is_some() };
    let put = |role, number| {
        let (store, name) = (Arc::clone(&store), ada.clone());
        async move { store.person_put(&PersonRow { name, role, key: key(number) }).await.unwrap() }
    };
    put(PersonRole::Reviewer, 1).await;
    assert!(is_open().await, "nothing was changed");
    put(PersonRole::Operator, 1).await;
    assert!(!is_open().await);
    assert_eq!(store.credential_try(&ada, at(0), LIMIT).await.unwrap(), Try::Counted(kept));
    put(PersonRole::Operator, 2).await;
    assert_eq!(store.credential_try(&ada, at(0), LIMIT).await.unwrap(), Try::Unknown);
}

pub(crate) async fn links_to_a_study_end_together(store: Arc<dyn Store>) {
    let study = locked(store.as_ref(), "chest").await;
    let other = locked(store.as_ref(), "head").await;
    let link = |secret: &str, study: &fedval_study::StudyId| {
        pass(secret, PassHolder::Reader(study.clone()), 100)
    };
    let made = race(|caller| {
        let (store, link) = (Arc::clone(&store), link(&format!("link {caller}"), &study));
        async move { store.pass_insert(&link, at(0)).await.unwrap() }
    })
    .await;
    assert!(made.iter().all(|made| *made));
    assert!(store.pass_insert(&link("other", &other), at(0)).await.unwrap());
    let gone = "gone".parse().unwrap();
    assert!(!store.pass_insert(&link("gone", &gone), at(0)).await.unwrap());
    assert_eq!(store.pass_end_of_study(&study).await.unwrap(), made.len() as u64);
    assert_eq!(store.pass_end_of_study(&study).await.unwrap(), 0);
    let secret = Sha256Digest::of(b"other");
    assert_eq!(store.pass_find(&secret, at(0)).await.unwrap(), Some(link("other", &other)));
}

pub(crate) async fn of_many_new_passwords_at_once_one_stands(store: Arc<dyn Store>) {
    let ada = admitted(store.as_ref(), "ada", 1).await;
    let kept = race(|caller| {
        let (store, row) =
            (Arc::clone(&store), credential(&ada, &format!("hash {caller}"), caller == 0));
        async move { store.credential_put(&row).await.unwrap() }
    })
    .await;
    assert_eq!(winners(&kept), kept.len());
    let Try::Counted(row) = store.credential_try(&ada, at(0), LIMIT).await.unwrap() else {
        panic!("the password is gone");
    };
    assert_eq!(row.is_issued, row.password_hash == "hash 0", "{row:?}");
}
