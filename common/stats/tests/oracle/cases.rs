//! Where the oracle cases are found.
//!
//! Synthetic cases are committed beside the tests. Cases that carry data of other packages are not
//! ours to commit: they are read from the project's shared folder, which a working copy may lack.

use std::fs;
use std::path::Path;

use serde_json::Value;

const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/oracles/public");

/// All cases of a topic: the committed ones and, where the shared folder is present, the others.
///
/// In continuous integration a missing folder is a failure, elsewhere it is said and skipped.
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
pub(crate) fn of_topic(topic: &str) -> Vec<Value> {
    let mut cases = read(Path::new(OURS), topic);
    assert!(!cases.is_empty(), "no committed case of {topic}");
    let shared = Path::new(SHARED);
    if shared.is_dir() {
        let is_new = |case: &Value| !cases.iter().any(|ours| ours["id"] == case["id"]);
        let others: Vec<_> = read(shared, topic).into_iter().filter(is_new).collect();
        cases.extend(others);
    } else {
        assert!(std::env::var_os("CI").is_none(), "the shared oracle cases are missing");
        println!("skipped the shared cases of {topic}: no folder {SHARED}");
    }
    cases
}

/// The committed case with this id.
pub(crate) fn committed(id: &str) -> Value {
    parse(&Path::new(OURS).join(format!("{id}.json")))
}

fn read(folder: &Path, topic: &str) -> Vec<Value> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    let cases = paths.iter().map(|path| parse(path));
    cases.filter(|case| case["topic"] == topic).collect()
}

fn parse(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
