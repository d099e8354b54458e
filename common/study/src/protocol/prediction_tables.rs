//! Scores that were made elsewhere.

use serde::{Deserialize, Serialize};

/// Whether a site may bring the scores of its cases instead of running the model: those of a device it
/// already has, or of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionTables {
    /// Every score is made by the protocol's model during the round.
    #[default]
    Refuse,
    /// Such sites take part, and the report marks them.
    Accept,
}

impl PredictionTables {
    // Protocols written before there was a choice have no such key, and keep their digest.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) const fn is_refuse(&self) -> bool {
        matches!(self, Self::Refuse)
    }
}
