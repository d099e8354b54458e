//! What is asked of the operating system.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;

/// Descriptors beside those of connections: database, artifacts, files of the process.
const OTHER_DESCRIPTORS: u64 = 256;
/// A peer that acknowledges nothing for so long is gone.
const UNACKNOWLEDGED: Duration = Duration::from_mins(1);

/// Raises the limit of open files to what the configured connections need, as far as this user may.
pub(super) fn allow_descriptors(connections: u32) {
    let needed = u64::from(connections) + OTHER_DESCRIPTORS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return;
    }
    let allowed = maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum });
    if raised.is_err() || allowed < needed {
        tracing::warn!(
            needed,
            allowed,
            "open files are limited below max_connections: raise LimitNOFILE"
        );
    }
}

/// Small messages leave at once, and a peer that vanished is noticed.
pub(super) fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let millis = u32::try_from(UNACKNOWLEDGED.as_millis()).unwrap_or(u32::MAX);
    Ok(rustix::net::sockopt::set_tcp_user_timeout(stream, millis)?)
}
