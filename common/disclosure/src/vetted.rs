//! What the rules let through, and waits for a steward.

use fedval_study::{
    Canonical, CanonicalError, FailedStage, Outcome, ResultDigest, ResultHeader, SiteResult,
};

use crate::decision::Decision;
use crate::{Footprint, SiteLocal};

/// A value that the rules let through. Private fields; only [`crate::Gate`] makes one with aggregates.
#[derive(Debug, Clone, PartialEq)]
pub struct Vetted<T> {
    value: Canonical<T>,
    decisions: Vec<Decision>,
    footprint: Option<SiteLocal<Footprint>>,
    rho_micro: u64,
    beside: Option<u64>,
}

impl<T> Vetted<T> {
    /// Only the gate's own: everything was decided.
    pub(crate) const fn new(
        value: Canonical<T>,
        decisions: Vec<Decision>,
        footprint: Option<SiteLocal<Footprint>>,
        rho_micro: u64,
    ) -> Self {
        Self { value, decisions, footprint, rho_micro, beside: None }
    }

    /// It was held against so many earlier answers about opened cohorts.
    pub(crate) fn beside(self, earlier: u64) -> Self {
        Self { beside: Some(earlier), ..self }
    }

    /// The exact bytes that would leave.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.value.bytes()
    }

    /// Their digest, to which a steward's approval binds.
    #[must_use]
    pub fn digest(&self) -> ResultDigest {
        ResultDigest(self.value.digest())
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        self.value.value()
    }

    /// What was decided on each quantity.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// What the ledger will remember; absent where no cohort was opened.
    #[must_use]
    pub const fn footprint(&self) -> Option<&SiteLocal<Footprint>> {
        self.footprint.as_ref()
    }

    /// How many earlier answers about opened cohorts it was held against: with any more it must be
    /// vetted again. Absent where it holds no aggregate.
    #[must_use]
    pub const fn earlier_answers(&self) -> Option<u64> {
        self.beside
    }

    /// What it costs in privacy, in 10⁻⁶ zCDP; 0 where counts carry no noise.
    #[must_use]
    pub const fn rho_micro(&self) -> u64 {
        self.rho_micro
    }
}

/// An answer that holds no aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAggregates {
    /// Denominators are too small.
    Insufficient,
    /// Policy, ledger, budget or steward refused.
    Refused,
    /// The evaluation did not finish.
    Failed(FailedStage),
}

impl Vetted<SiteResult> {
    /// The answer that holds no aggregate: insufficient, refused or failed. It is charged to
    /// `footprint`, the cohort that it is about, where one was opened.
    ///
    /// # Errors
    ///
    /// [`CanonicalError`] never for a header made of ids and digests.
    pub fn without_aggregates(
        header: ResultHeader,
        answer: NoAggregates,
        footprint: Option<SiteLocal<Footprint>>,
    ) -> Result<Self, CanonicalError> {
        let outcome = match answer {
            NoAggregates::Insufficient => Outcome::Insufficient,
            NoAggregates::Refused => Outcome::Refused,
            NoAggregates::Failed(stage) => Outcome::Failed(stage),
        };
        let value = Canonical::new(SiteResult { header, outcome })?;
        Ok(Self::new(value, Vec::new(), footprint, 0))
    }
}
