//! Which process this is: proves to the coordinator that a restarted agent is no second one.

use std::fs;

use fedval_ambient::{Entropy, Failure};
use fedval_egress::Instance;
use fedval_study::Sha256Digest;

use crate::home::{Home, write};

/// Makes this process's name and leaves it for the next one. Only while the folder is locked.
pub(super) fn begin(home: &Home, entropy: &dyn Entropy) -> Result<Instance, Failure> {
    let file = home.instance_file();
    // Unreadable is as good as absent: the earlier connection then has to run out first.
    let previous = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
    let this = Sha256Digest::from_bytes(entropy.bytes32());
    write(&file, &this.to_string())?;
    Ok(Instance { this, previous })
}
