//! libFuzzer over one target: `FUZZ_ENTRY` names it. Built and started by `run.sh`.

#![no_main]

use std::sync::OnceLock;

use fedval_fuzz::{Target, targets};
use libfuzzer_sys::fuzz_target;

/// The chosen target.
static TARGET: OnceLock<Target> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "libFuzzer reads the arguments")]
fn chosen() -> Target {
    let entry = std::env::var("FUZZ_ENTRY").unwrap_or_default();
    let found = targets().into_iter().find(|target| target.entry == entry);
    found.unwrap_or_else(|| panic!("FUZZ_ENTRY names no target: `{entry}`"))
}

fuzz_target!(|bytes: &[u8]| TARGET.get_or_init(chosen).run(bytes));
