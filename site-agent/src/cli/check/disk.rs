//! The agent's folder: that it can be written, that what is written stays, and that there is room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use fedval_ambient::{Exit, Failure};
use fedval_ingest::LARGEST_SERIES;
use fedval_study::protocol::StudyProtocol;

use crate::config::{DataSource, Limits};
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
    let note = has_room(folder, needed_mib(&home.config()?.limits), &OF_A_MODEL)?;
    Ok(format!("can be written and synced, {note}"))
}

/// Whether the agent's folder has room for the series of a study, one for each lane; `None` where none is fetched.
pub(super) fn check_series(
    home: &Home,
    protocol: &StudyProtocol,
    source: &DataSource,
) -> Option<Result<String, Failure>> {
    let is_fetched = source.has_pacs() && protocol.model.input.volume.is_some();
    is_fetched.then(|| {
        let limits = home.config()?.limits;
        let needed = needed_mib(&limits).saturating_add(series_mib(&limits));
        has_room(home.folder(), needed, &OF_SERIES)
    })
}

/// What needs room, and what else than freeing it helps.
struct Use {
    what: &'static str,
    lower: &'static str,
}

const OF_A_MODEL: Use = Use { what: "the largest model with the vault", lower: "max_model_mib" };
const OF_SERIES: Use = Use {
    what: "a series from the PACS for each lane, the largest model and the vault",
    lower: "lanes or max_image_mib",
};

/// For the largest model and the vault.
const fn needed_mib(limits: &Limits) -> u64 {
    limits.inference().max_model_bytes / MIB + VAULT_MIB
}

/// For the largest series of each lane.
fn series_mib(limits: &Limits) -> u64 {
    let each = LARGEST_SERIES.saturating_mul(limits.decode().max_file_bytes / MIB);
    each.saturating_mul(u64::try_from(limits.lanes).unwrap_or(u64::MAX))
}

fn has_room(folder: &Path, needed: u64, of: &Use) -> Result<String, Failure> {
    let free = free_mib(folder).map_err(|error| Failure::disk("look at", folder, &error))?;
    if free >= needed {
        return Ok(format!("{free} MiB free"));
    }
    let (what, folder) = (of.what, folder.display());
    Err(Failure::new(
        Exit::Machine,
        "DISK_LOW",
        format!("{free} MiB are free in {folder}, and {what} may need {needed} MiB"),
        &format!("free disk space there, or lower {} in agent.toml", of.lower),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_has_room_for_the_largest_series() {
        let limits: Limits = toml::from_str("lanes = 3\nmax_image_mib = 100").unwrap();
        assert_eq!(series_mib(&limits), 3 * 16 * 100);
        let other: Limits = toml::from_str("max_model_mib = 7").unwrap();
        assert_eq!(needed_mib(&other), 7 + VAULT_MIB);
    }

    #[test]
    fn a_disk_without_room_is_told_of_with_what_would_need_less() {
        let folder = std::env::temp_dir();
        assert!(has_room(&folder, 0, &OF_SERIES).is_ok());
        let refused = has_room(&folder, u64::MAX, &OF_SERIES).unwrap_err();
        assert_eq!(refused.code, "DISK_LOW");
        assert!(refused.remedy.unwrap().contains("lanes or max_image_mib"));
    }
}
