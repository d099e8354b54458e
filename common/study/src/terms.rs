//! The disclosure terms in force for one release: what a profile comes down to.

use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::protocol::Profile;

/// Field by field, larger is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The site's preset; terms may be stricter than it.
    pub profile: Profile,
    /// Smallest number of patients a denominator may hold.
    #[serde(serialize_with = "exact_u64")]
    pub k: u64,
    /// Response counts from 1 up to this stay on site; 0 where none does.
    #[serde(serialize_with = "exact_u64")]
    pub withheld_responses: u64,
    /// Whether a response count of 0 stays on site too: everybody answered alike.
    pub zeros_withheld: bool,
    /// Counts are rounded to multiples of this, and everything else stands on grids; 1 where
    /// numbers are exact.
    #[serde(serialize_with = "exact_u64")]
    pub rounding_base: u64,
    /// Discrete Gaussian noise on counts: its zCDP cost in 10⁻⁶; absent where counts carry none.
    pub noise_rho_micro: Option<u32>,
}

impl Terms {
    /// The loosest terms: exact counts behind denominators of `k` patients.
    #[must_use]
    pub const fn exact(profile: Profile, k: u64) -> Self {
        Self {
            profile,
            k,
            withheld_responses: 0,
            zeros_withheld: false,
            rounding_base: 1,
            noise_rho_micro: None,
        }
    }

    /// The stricter of both, field by field, under the name of `self`.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let noise = match (self.noise_rho_micro, other.noise_rho_micro) {
            // Less cost is more noise.
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self {
            profile: self.profile,
            k: self.k.max(other.k),
            withheld_responses: self.withheld_responses.max(other.withheld_responses),
            zeros_withheld: self.zeros_withheld || other.zeros_withheld,
            rounding_base: self.rounding_base.max(other.rounding_base),
            noise_rho_micro: noise,
        }
    }

    /// Whether no field is looser than in `floor`.
    #[must_use]
    pub fn keeps(self, floor: Self) -> bool {
        self.stricter(floor) == self
    }

    /// Whether counts and means are rounded.
    #[must_use]
    pub const fn is_rounded(&self) -> bool {
        self.rounding_base > 1
    }
}
