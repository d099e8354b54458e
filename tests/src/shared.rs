//! The shared data beside the repository.

use std::path::{Path, PathBuf};

/// A folder of the shared material; `None`, said aloud, where it is not there.
///
/// # Panics
///
/// In CI: a check that is skipped there would pass for ever.
#[must_use]
pub fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if let Ok(path) = path.canonicalize() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("skipped: {} is not here\n", path.display()),
    );
    None
}
