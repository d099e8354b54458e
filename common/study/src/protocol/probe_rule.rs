//! Whether results must carry what became of the probe images.

use serde::{Deserialize, Serialize};

/// Whether a result that rests on images must carry what the site's preprocessing made of the probe images. What is
/// carried must agree either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeRule {
    /// Agents that know no probes take part, and the report says at which sites probes agreed.
    #[default]
    Accept,
    /// A release without is refused.
    Require,
}

impl ProbeRule {
    // Protocols written before there was a choice have no such key, and keep their digest.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) const fn is_accept(&self) -> bool {
        matches!(self, Self::Accept)
    }
}
