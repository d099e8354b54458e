//! Operators.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::OperatorRow;

use super::{enrolled, key};

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
