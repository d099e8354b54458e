//! A site's own policy. A study may tighten it, nobody outside may loosen it.

use fedval_study::protocol::{DisclosureFloor, Profile};
use fedval_study::{PolicyDigest, Problem, ProtocolDigest, Sha256Digest};
use serde::Deserialize;

/// Smallest k that a site may choose, in patients.
const MIN_K: u64 = 5;
/// Bits that one job may release where the site says nothing else (32 Ki).
pub const DEFAULT_BIT_BUDGET: u64 = 32 * 1024;

/// A site's policy, read from the exact bytes that the site signed.
///
/// There is no default and no empty policy: a site without one refuses every job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePolicy {
    digest: PolicyDigest,
    terms: Terms,
}

/// The file as a site writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    profile: Profile,
    k: u64,
    #[serde(default = "default_bit_budget")]
    bit_budget: u64,
    #[serde(default)]
    run_without_approval: Vec<ProtocolDigest>,
    #[serde(default)]
    release_without_steward: Vec<ProtocolDigest>,
}

const fn default_bit_budget() -> u64 {
    DEFAULT_BIT_BUDGET
}

/// A policy file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The bytes are not a policy.
    #[error("the policy cannot be read: {detail}")]
    Unreadable {
        /// What the parser says, with the line.
        detail: String,
    },
    /// k is smaller than any site may choose.
    #[error("k is {k}, but no site may choose less than {MIN_K}")]
    KTooSmall {
        /// The value in the file.
        k: u64,
    },
}

impl Problem for PolicyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "POLICY_UNREADABLE",
            Self::KTooSmall { .. } => "POLICY_K_TOO_SMALL",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some("correct policy.toml, then run `fedval-agent policy sign`".to_owned())
    }
}

impl SitePolicy {
    /// Reads a policy from the bytes of its file.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if the bytes are not a policy or allow what no policy may.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let unreadable = |detail: String| PolicyError::Unreadable { detail };
        let text = std::str::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
        let terms: Terms = toml::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        if terms.k < MIN_K {
            return Err(PolicyError::KTooSmall { k: terms.k });
        }
        Ok(Self { digest: PolicyDigest(Sha256Digest::of(bytes)), terms })
    }

    /// Digest of the signed bytes; reports print it.
    #[must_use]
    pub const fn digest(&self) -> PolicyDigest {
        self.digest
    }

    /// Whether the site approved running this protocol in advance.
    #[must_use]
    pub fn runs_without_approval(&self, protocol: ProtocolDigest) -> bool {
        self.terms.run_without_approval.contains(&protocol)
    }

    /// Whether the site approved releasing what the gate lets through for this protocol.
    #[must_use]
    pub fn releases_without_steward(&self, protocol: ProtocolDigest) -> bool {
        self.terms.release_without_steward.contains(&protocol)
    }

    /// The policy in force for a study: field by field the stricter of the site's and the study's.
    #[must_use]
    pub fn with_floor(&self, floor: DisclosureFloor) -> EffectivePolicy {
        EffectivePolicy {
            profile: self.terms.profile.max(floor.profile),
            k: self.terms.k.max(floor.k),
            bit_budget: self.terms.bit_budget,
        }
    }
}

/// The policy in force for one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectivePolicy {
    /// Disclosure profile.
    pub profile: Profile,
    /// Smallest number of patients a denominator may hold.
    pub k: u64,
    /// Most bits the job may release.
    pub bit_budget: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(k: u64) -> DisclosureFloor {
        DisclosureFloor { profile: Profile::Standard, k }
    }

    #[test]
    fn a_study_tightens_and_never_loosens() {
        let policy = SitePolicy::parse(b"profile = \"standard\"\nk = 8\n").unwrap();
        assert_eq!(policy.with_floor(floor(11)).k, 11);
        assert_eq!(policy.with_floor(floor(5)).k, 8);
    }

    #[test]
    fn an_empty_an_unknown_and_a_lax_policy_are_refused() {
        for bad in [
            "",
            "k = 11",
            "profile = \"none\"\nk = 11",
            "profile = \"standard\"\nk = 4",
            "profile = \"standard\"\nk = 11\nsubgroups = \"all\"",
        ] {
            assert!(SitePolicy::parse(bad.as_bytes()).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn nothing_is_automatic_unless_named() {
        let policy = SitePolicy::parse(b"profile = \"standard\"\nk = 11\n").unwrap();
        let protocol = ProtocolDigest(Sha256Digest::of(b"p"));
        assert!(!policy.runs_without_approval(protocol));
        assert!(!policy.releases_without_steward(protocol));
    }
}
