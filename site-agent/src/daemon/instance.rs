//! Which process this is: proves to the coordinator that a restarted agent is no second one.

use std::fs;

use fedval_ambient::{Entropy, Failure};
use fedval_egress::Instance;
use fedval_study::Sha256Digest;

use crate::home::{Home, write};

/// Names this process. The folder holds the name of the last process that the coordinator let in:
/// one that never reached it took nothing over.
pub(super) fn begin(home: &Home, entropy: &dyn Entropy) -> Instance {
    // Unreadable is as good as absent: the earlier connection then has to run out first.
    let previous = fs::read_to_string(home.instance_file()).ok();
    let previous = previous.and_then(|text| text.trim().parse().ok());
    Instance { this: Sha256Digest::from_bytes(entropy.bytes32()), previous }
}

/// Leaves this process's name for the next one, once the coordinator has let it in.
pub(super) fn let_in(home: &Home, instance: &Instance) -> Result<(), Failure> {
    write(&home.instance_file(), &instance.this.to_string())
}
