//! A site's own policy. A study may tighten it, nobody outside may loosen it.

use fedval_study::protocol::{Profile, StudyProtocol};
use fedval_study::{LockedProtocol, PolicyDigest, Problem, ProtocolDigest, Sha256Digest, Terms};
use serde::Deserialize;

use crate::profiles;
use crate::rules::dc05_zeros::Absent;
use crate::rules::dc19_budgets::Budgets;
use crate::rules::dc24_exact_mode;

/// Smallest k that a site may choose, in patients.
const MIN_K: u64 = 5;

/// A site's policy, read from the exact bytes that the site signed.
///
/// There is no default and no empty policy: a site without one refuses every job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePolicy {
    digest: PolicyDigest,
    file: PolicyFile,
}

/// The file as a site writes it. What it leaves out is the preset's, or the usual.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    profile: Profile,
    k: u64,
    #[serde(default)]
    withheld_responses: u64,
    #[serde(default)]
    zeros_withheld: bool,
    noise_rho_micro: Option<u32>,
    #[serde(default = "usual::bit_budget")]
    bit_budget: u64,
    #[serde(default = "usual::models_per_cohort")]
    models_per_cohort: u64,
    #[serde(default = "usual::releases_per_year")]
    releases_per_year: u64,
    #[serde(default = "usual::failed_attempts")]
    failed_attempts: u64,
    #[serde(default = "usual::rho_micro_per_year")]
    rho_micro_per_year: u64,
    /// Columns and DICOM keywords that subgroups may use; absent for any that a protocol names.
    subgroup_attributes: Option<Vec<String>>,
    /// Values that nobody at this site has together.
    #[serde(default)]
    absent: Vec<Absent>,
    #[serde(default)]
    two_persons: bool,
    /// Protocols whose first result leaves with exact counts (DC-24).
    #[serde(default)]
    locked_exact: Vec<ProtocolDigest>,
    #[serde(default)]
    run_without_approval: Vec<ProtocolDigest>,
    #[serde(default)]
    release_without_steward: Vec<ProtocolDigest>,
}

/// What binds where a policy says nothing (DC-19).
mod usual {
    pub(super) const fn bit_budget() -> u64 {
        super::DEFAULT_BIT_BUDGET
    }

    pub(super) const fn models_per_cohort() -> u64 {
        3
    }

    pub(super) const fn releases_per_year() -> u64 {
        12
    }

    pub(super) const fn failed_attempts() -> u64 {
        2
    }

    pub(super) const fn rho_micro_per_year() -> u64 {
        500_000
    }
}

/// Bits that one job may release where the site says nothing else (32 Ki).
pub const DEFAULT_BIT_BUDGET: u64 = 32 * 1024;

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
    /// An exception that one person alone could make.
    #[error(
        "`locked_exact` lets counts leave unrounded, which needs `two_persons = true` and no entry in \
         `run_without_approval`"
    )]
    ExactByOnePerson,
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
            Self::ExactByOnePerson => "POLICY_EXACT_BY_ONE",
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
        let file: PolicyFile =
            toml::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        if file.k < MIN_K {
            return Err(PolicyError::KTooSmall { k: file.k });
        }
        let by_itself = |protocol| file.run_without_approval.contains(protocol);
        if file.locked_exact.iter().any(|protocol| !file.two_persons || by_itself(protocol)) {
            return Err(PolicyError::ExactByOnePerson);
        }
        if file.noise_rho_micro == Some(0) {
            return Err(unreadable("noise_rho_micro must be at least 1".to_owned()));
        }
        Ok(Self { digest: PolicyDigest(Sha256Digest::of(bytes)), file })
    }

    /// Digest of the signed bytes; reports print it.
    #[must_use]
    pub const fn digest(&self) -> PolicyDigest {
        self.digest
    }

    /// Whether the site approved running this protocol in advance.
    #[must_use]
    pub fn runs_without_approval(&self, protocol: ProtocolDigest) -> bool {
        self.file.run_without_approval.contains(&protocol)
    }

    /// Whether the site approved releasing what the gate lets through for this protocol.
    #[must_use]
    pub fn releases_without_steward(&self, protocol: ProtocolDigest) -> bool {
        self.file.release_without_steward.contains(&protocol)
    }

    /// Whether who releases a result must be somebody else than who let the job run.
    #[must_use]
    pub const fn asks_for_two_persons(&self) -> bool {
        self.file.two_persons
    }

    /// The policy in force for a study: field by field the strictest of preset, file and study.
    #[must_use]
    pub fn for_study(&self, protocol: &StudyProtocol) -> EffectivePolicy {
        let file = &self.file;
        let own = Terms {
            profile: file.profile,
            k: file.k,
            withheld_responses: file.withheld_responses,
            zeros_withheld: file.zeros_withheld,
            rounding_base: 1,
            noise_rho_micro: file.noise_rho_micro,
        };
        let terms = own.stricter(profiles::terms(file.profile));
        let is_excepted = LockedProtocol::new(protocol.clone())
            .is_ok_and(|locked| file.locked_exact.contains(&locked.digest()));
        EffectivePolicy {
            exact_terms: is_excepted
                .then(|| dc24_exact_mode::terms(terms, floor(protocol)))
                .flatten(),
            terms: own.stricter(profiles::terms(file.profile)).stricter(floor(protocol)),
            budgets: Budgets {
                bits_per_job: file.bit_budget,
                models_per_cohort: file.models_per_cohort,
                releases_per_year: file.releases_per_year,
                failed_attempts: file.failed_attempts,
                rho_micro_per_year: file.rho_micro_per_year,
            },
            subgroup_attributes: file.subgroup_attributes.clone(),
            absent: file.absent.clone(),
            noise_is_chosen: own.stricter(profiles::terms(file.profile)).noise_rho_micro.is_some(),
        }
    }
}

/// The least that a study asks of every site.
#[must_use]
pub fn floor(protocol: &StudyProtocol) -> Terms {
    let floor = protocol.disclosure;
    let preset = profiles::terms(floor.profile);
    Terms { k: floor.k.max(preset.k), ..preset }
}

/// The policy in force for one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectivePolicy {
    /// What may be shown, and how.
    pub terms: Terms,
    /// What may be shown where nothing was ever said about a cohort, if the site made an exception (DC-24).
    pub exact_terms: Option<Terms>,
    /// How often and how much.
    pub budgets: Budgets,
    /// Attributes that subgroups may use; `None` for any.
    pub subgroup_attributes: Option<Vec<String>>,
    /// What the site says of itself: nobody here has these values.
    pub absent: Vec<Absent>,
    /// Whether noise is the site's own choice, not only a study's: it takes the place of k.
    pub noise_is_chosen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_an_unknown_and_a_lax_policy_are_refused() {
        for bad in [
            "",
            "k = 11",
            "profile = \"none\"\nk = 11",
            "profile = \"standard\"\nk = 4",
            "profile = \"standard\"\nk = 11\nsubgroups = \"all\"",
            "profile = \"dp\"\nk = 11\nnoise_rho_micro = 0",
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
        assert!(!policy.asks_for_two_persons());
    }

    #[test]
    fn a_site_may_be_stricter_than_its_preset() {
        let policy = "profile = \"cms\"\nk = 15\nwithheld_responses = 20\nzeros_withheld = true";
        assert!(SitePolicy::parse(policy.as_bytes()).is_ok());
        assert!(SitePolicy::parse(b"profile = \"strict\"\nk = 11\nrounding_base = 1").is_err());
    }
}
