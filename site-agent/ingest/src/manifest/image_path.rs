//! Keeping image paths inside the root.

use std::path::{Component, Path, PathBuf};

use super::error::ManifestProblem;

/// Resolves `relative` below `root`, which must be canonical.
///
/// Both checks are needed: the first refuses what the text says without touching the file system,
/// the second what symbolic links make of it.
pub(crate) fn resolve(root: &Path, relative: &str, line: u64) -> Result<PathBuf, ManifestProblem> {
    let path = Path::new(relative);
    let stays = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.components().all(stays) {
        return Err(ManifestProblem::PathOutside { line });
    }
    let resolved =
        root.join(path).canonicalize().map_err(|_| ManifestProblem::ImageMissing { line })?;
    if !resolved.starts_with(root) {
        return Err(ManifestProblem::PathOutside { line });
    }
    // A pipe or a device would block the reader, or never end.
    if !resolved.is_file() {
        return Err(ManifestProblem::ImageMissing { line });
    }
    Ok(resolved)
}
