//! The agent's folder: that it can be written, that what is written stays, and that there is room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use fedval_ambient::{Exit, Failure};

use crate::home::Home;

const MIB: u64 = 1 << 20;
/// For the vault, beside one model.
const VAULT_MIB: u64 = 256;

pub(super) fn check(home: &Home) -> Result<String, Failure> {
    home.enrolled()?;
    let folder = home.folder();
    // One name for each process, so that two checks do not meet.
    let probe = folder.join(format!("check-{}.probe", std::process::id()));
    let written = write_durably(folder, &probe);
    let removed = fs::remove_file(&probe);
    written.and(removed).map_err(|error| Failure::disk("write durably into", folder, &error))?;
    let free = free_mib(folder).map_err(|error| Failure::disk("look at", folder, &error))?;
    let needed = home.config()?.limits.inference().max_model_bytes / MIB + VAULT_MIB;
    if free >= needed {
        return Ok(format!("can be written and synced, {free} MiB free"));
    }
    Err(Failure::new(
        Exit::Machine,
        "DISK_LOW",
        format!(
            "{free} MiB are free in {}, and the largest model with the vault may need {needed} MiB",
            folder.display()
        ),
        "free disk space there, or lower max_model_mib in agent.toml",
    ))
}

/// Writes as the vault does: the bytes and the name reach the disk, or an error is told.
fn write_durably(folder: &Path, probe: &Path) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(probe)?;
    file.write_all(&[0; 4096])?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

fn free_mib(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize) / MIB)
}
