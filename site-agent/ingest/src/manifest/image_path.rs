//! Keeping image paths inside the root.

use std::path::{Component, Path, PathBuf};

use super::error::ManifestProblem;

/// Resolves `relative` below `root`, which must be canonical.
///
/// Both checks are needed: the first refuses what the text says without touching the file system,
/// the second what symbolic links make of it.
pub(crate) fn resolve(root: &Path, relative: &str, line: u64) -> Result<PathBuf, ManifestProblem> {
    let resolved = inside(root, relative, line)?;
    // A pipe or a device would block the reader, or never end.
    if resolved.is_file() { Ok(resolved) } else { Err(ManifestProblem::ImageMissing { line }) }
}

/// The same of what may also be a folder: the slices of a volume.
pub(super) fn resolve_volume(
    root: &Path,
    relative: &str,
    line: u64,
) -> Result<PathBuf, ManifestProblem> {
    let resolved = inside(root, relative, line)?;
    let is_there = resolved.is_file() || resolved.is_dir();
    if is_there { Ok(resolved) } else { Err(ManifestProblem::ImageMissing { line }) }
}

fn inside(root: &Path, relative: &str, line: u64) -> Result<PathBuf, ManifestProblem> {
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
    Ok(resolved)
}
