//! What differs between two versions of a protocol.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::LockedProtocol;

/// One place at which two versions differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Where: keys by dots, entries of a list by their name or, where they have none, by their place from 0.
    pub path: String,
    /// What stood there; absent where nothing did.
    pub before: Option<String>,
    /// What stands there; absent where nothing does.
    pub after: Option<String>,
}

/// Every place at which `after` says something else than `before`, in order of paths. What makes it another version
/// is no change: its number, and what it says of the version before.
#[must_use]
pub fn changes(before: &LockedProtocol, after: &LockedProtocol) -> Vec<Change> {
    let (before, mut after) = (leaves(before), leaves(after));
    let mut changes = Vec::new();
    for (path, old) in before {
        let new = after.remove(&path);
        if new.as_ref() != Some(&old) {
            changes.push(Change { path, before: Some(old), after: new });
        }
    }
    let added = after.into_iter();
    changes.extend(added.map(|(path, new)| Change { path, before: None, after: Some(new) }));
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    changes
}

/// Every value of the document that holds no others, by its path; a list without entries says nothing.
fn leaves(protocol: &LockedProtocol) -> BTreeMap<String, String> {
    let mut document: Value = serde_json::from_slice(protocol.bytes()).unwrap_or_default();
    if let Value::Object(fields) = &mut document {
        fields.remove("version");
        fields.remove("amends");
    }
    let mut found = BTreeMap::new();
    collect(String::new(), &document, &mut found);
    found
}

fn collect(path: String, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                collect(format!("{path}{dot}{key}"), value, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(format!("{path}[{}]", entry(index, item)), item, found);
            }
        }
        Value::String(text) => {
            found.insert(path, text.clone());
        }
        plain => {
            found.insert(path, plain.to_string());
        }
    }
}

/// What an entry of a list is called. Plain values are told by themselves, so that one that is added does not
/// seem to change those behind it.
fn entry(index: usize, item: &Value) -> String {
    match item {
        Value::Object(fields) => fields
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| index.to_string(), str::to_owned),
        Value::String(text) => text.clone(),
        _ => index.to_string(),
    }
}
