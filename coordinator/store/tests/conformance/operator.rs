//! Operators.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::OperatorRow;

use super::{CALLERS, enrolled, key, race};

pub(crate) async fn an_operator_is_found_by_key_and_replaced_by_name(store: Arc<dyn Store>) {
    let operator =
        |name: &str, number| OperatorRow { name: name.parse().unwrap(), key: key(number) };
    store.operator_put(&operator("ada", 1)).await.unwrap();
    store.operator_put(&operator("bea", 2)).await.unwrap();
    assert_eq!(store.operator_by_key(&key(1)).await.unwrap(), Some(operator("ada", 1)));
    store.operator_put(&operator("ada", 3)).await.unwrap();
    assert_eq!(store.operator_by_key(&key(1)).await.unwrap(), None);
    assert_eq!(store.operator_by_key(&key(3)).await.unwrap(), Some(operator("ada", 3)));
    assert_eq!(store.operator_by_key(&key(2)).await.unwrap(), Some(operator("bea", 2)));

    enrolled(store.as_ref(), "site-a", 9).await;
    assert_eq!(store.operator_by_key(&key(9)).await.unwrap(), None, "a site is no operator");
    assert_eq!(store.site_by_key(&key(2)).await.unwrap(), None, "an operator is no site");
}

pub(crate) async fn of_many_keys_put_at_once_one_works(store: Arc<dyn Store>) {
    let ada = |number| OperatorRow { name: "ada".parse().unwrap(), key: key(number) };
    race(|caller| {
        let store = Arc::clone(&store);
        async move { store.operator_put(&ada(caller)).await.unwrap() }
    })
    .await;
    let mut found = Vec::new();
    for caller in 0..CALLERS {
        found.extend(store.operator_by_key(&key(caller)).await.unwrap());
    }
    assert_eq!(found.len(), 1, "{found:?}");
}
