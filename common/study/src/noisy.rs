//! What a site says of one group under differential privacy: one noisy histogram of scores.
//!
//! Every other number is computed from it at the coordinator, which costs no more privacy.

use serde::{Deserialize, Serialize};

use crate::canonical::exact_i64;
use crate::performance::{ContradictoryPerformance, holds};
use crate::protocol::StudyProtocol;

/// Equal bins on the probability scale, before operating points cut some of them.
const EQUAL_BINS: u32 = 20;

/// Upper edges of a protocol's histogram on the probability scale, in 10⁻⁶; the last is 1.
///
/// Twenty equal bins, cut at the locked operating points. A score belongs to the first bin whose
/// edge it lies below; the last bin holds the rest.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a threshold is a probability, in millionths"
)]
pub fn edges_micro(protocol: &StudyProtocol) -> Vec<u32> {
    let equal = (1..=EQUAL_BINS).map(|bin| bin * (1_000_000 / EQUAL_BINS));
    let points = protocol.operating_points.iter().map(|p| (p.threshold * 1e6).round() as u32);
    let mut edges: Vec<u32> = equal.chain(points).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// A count with noise; it may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoisyCount(#[serde(serialize_with = "exact_i64")] pub i64);

/// One group of patients, each counted once: the first of the patient's cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoisyPerformance {
    /// Patients with the target condition, by bin of [`edges_micro`].
    pub positives: Vec<NoisyCount>,
    /// Patients without.
    pub negatives: Vec<NoisyCount>,
}

impl NoisyPerformance {
    /// Whether both histograms have the protocol's bins.
    ///
    /// # Errors
    ///
    /// [`ContradictoryPerformance`] where they have not.
    pub fn check(&self, protocol: &StudyProtocol) -> Result<(), ContradictoryPerformance> {
        let bins = edges_micro(protocol).len();
        holds(
            self.positives.len() == bins && self.negatives.len() == bins,
            "a histogram has the protocol's bins",
        )
    }
}
