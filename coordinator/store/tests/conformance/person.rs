//! People.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::PersonRow;
use fedval_study::PersonRole;

use super::{CALLERS, enrolled, key, race};

pub(crate) async fn a_person_is_found_by_key_and_replaced_by_name(store: Arc<dyn Store>) {
    let operator = |name: &str, number| PersonRow {
        name: name.parse().unwrap(),
        role: PersonRole::Operator,
        key: key(number),
    };
    store.person_put(&operator("ada", 1)).await.unwrap();
    store.person_put(&operator("bea", 2)).await.unwrap();
    assert_eq!(store.person_by_key(&key(1)).await.unwrap(), Some(operator("ada", 1)));
    store.person_put(&operator("ada", 3)).await.unwrap();
    assert_eq!(store.person_by_key(&key(1)).await.unwrap(), None);
    assert_eq!(store.person_by_key(&key(3)).await.unwrap(), Some(operator("ada", 3)));
    assert_eq!(store.person_by_key(&key(2)).await.unwrap(), Some(operator("bea", 2)));

    enrolled(store.as_ref(), "site-a", 9).await;
    assert_eq!(store.person_by_key(&key(9)).await.unwrap(), None, "a site is no person");
    assert_eq!(store.site_by_key(&key(2)).await.unwrap(), None, "a person is no site");
}

pub(crate) async fn of_many_keys_put_at_once_one_works(store: Arc<dyn Store>) {
    let ada = |number| PersonRow {
        name: "ada".parse().unwrap(),
        role: PersonRole::Operator,
        key: key(number),
    };
    race(|caller| {
        let store = Arc::clone(&store);
        async move { store.person_put(&ada(caller)).await.unwrap() }
    })
    .await;
    let mut found = Vec::new();
    for caller in 0..CALLERS {
        found.extend(store.person_by_key(&key(caller)).await.unwrap());
    }
    assert_eq!(found.len(), 1, "{found:?}");
}

pub(crate) async fn a_person_has_one_role_and_is_forgotten_once(store: Arc<dyn Store>) {
    let person = |role, number| PersonRow { name: "ada".parse().unwrap(), role, key: key(number) };
    for role in PersonRole::ALL {
        store.person_put(&person(role, 1)).await.unwrap();
        assert_eq!(store.person_by_key(&key(1)).await.unwrap(), Some(person(role, 1)));
    }
    let bea = PersonRow { name: "bea".parse().unwrap(), ..person(PersonRole::Reviewer, 2) };
    store.person_put(&bea).await.unwrap();
    let ada = person(PersonRole::Reviewer, 1);
    assert_eq!(store.person_list().await.unwrap(), [ada.clone(), bea.clone()]);
    let forgotten = race(|_| {
        let (store, name) = (Arc::clone(&store), ada.name.clone());
        async move { store.person_remove(&name).await.unwrap() }
    })
    .await;
    assert_eq!(super::winners(&forgotten), 1);
    assert_eq!(store.person_list().await.unwrap(), [bea]);
    assert_eq!(store.person_by_key(&key(1)).await.unwrap(), None);
}
