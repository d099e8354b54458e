//! Files that the configuration names: secrets, and the authorities that certify others.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fedval_ambient::{Exit, Failure};

/// Where systems keep the authorities they trust: Debian and Alpine, Red Hat, SUSE.
const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];
/// More is neither a line with a password nor a key.
const MOST_SECRET_BYTES: u64 = 16 * 1024;

/// Reads a secret; `None` if it is not text. A file that others may read is refused with the code
/// `open`. What it holds is never quoted.
pub(crate) fn read_secret(file: &Path, open: &str) -> Result<Option<String>, Failure> {
    let disk = |error| Failure::disk("read", file, &error);
    let opened = File::open(absolute(file)?).map_err(disk)?;
    let mode = opened.metadata().map_err(disk)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::new(
            Exit::Usage,
            open,
            format!("{} may be read by others than its owner", file.display()),
            &format!("chmod 600 {}", file.display()),
        ));
    }
    let mut text = String::new();
    // What is not text is told like any other wrong content: the library's error is about bytes.
    let read = opened.take(MOST_SECRET_BYTES).read_to_string(&mut text);
    Ok(read.ok().map(|_| text))
}

/// The authorities in `file`, or those that this system trusts; `None` where there are none.
pub(crate) fn authorities(file: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    match file {
        Some(file) => {
            let bytes = std::fs::read(absolute(file)?);
            bytes.map(Some).map_err(|error| Failure::disk("read", file, &error))
        }
        None => Ok(SYSTEM_AUTHORITIES.into_iter().find_map(|file| std::fs::read(file).ok())),
    }
}

/// A service does not start in the folder that a person had in mind.
pub(crate) fn absolute(path: &Path) -> Result<&Path, Failure> {
    if path.is_absolute() { Ok(path) } else { Err(invalid("a path in agent.toml is relative")) }
}

/// What stands in `agent.toml` cannot be.
pub(crate) fn invalid(message: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "CONFIG_INVALID",
        message,
        "correct the file; deploy/config/agent.toml documents every key",
    )
}
