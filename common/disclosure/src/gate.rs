//! The gate: from exact evidence to a value that may be shown to a steward.

use fedval_study::protocol::StudyProtocol;
use fedval_study::result::SubgroupCell;
use fedval_study::summary::{DimensionSummary, GroupSummary};
use fedval_study::{
    Canonical, CanonicalError, Cell, FailedStage, Outcome, Performance, Problem, Release,
    ResultDigest, ResultHeader, SiteResult, SiteSummary, Suppression,
};

use crate::rules::{
    Rule, dc01_closed_schema, dc02_cohort_minimum, dc04_attrition, dc14_per_case, dc17_partner,
};
use crate::{EffectivePolicy, SiteLocal, bound_bits};

/// Whether a quantity goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes out.
    Released,
    /// It stays.
    Withheld(Suppression),
}

/// One line of the preview: a quantity, what was decided, and the rule that decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The quantity, in the protocol's names.
    pub quantity: String,
    /// What was decided.
    pub verdict: Verdict,
    /// The rule.
    pub rule: Rule,
}

/// Why no aggregate leaves.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Withheld {
    /// The cohort is below the minimum.
    #[error("the cohort rests on too few patients of one label or in all")]
    Insufficient,
    /// The result does not fit the protocol.
    #[error("the result does not fit the protocol's schema: {0}")]
    Schema(dc01_closed_schema::SchemaBreach),
    /// A table rests on too few patients.
    #[error("a table rests on too few patients")]
    PerCase,
    /// The result could carry more than the site's budget.
    #[error("the result could carry {bits} bits, but the site's budget is {budget}")]
    Budget {
        /// Upper bound of the result.
        bits: u64,
        /// The site's budget.
        budget: u64,
    },
    /// The result has no canonical form.
    #[error("the result has no canonical form")]
    NotCanonical(#[source] CanonicalError),
}

impl Withheld {
    /// All that the coordinator hears of it.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Insufficient => Outcome::Insufficient,
            _ => Outcome::Refused,
        }
    }
}

impl Problem for Withheld {
    fn code(&self) -> &'static str {
        match self {
            Self::Insufficient => "INSUFFICIENT",
            Self::Schema(_) | Self::NotCanonical(_) => "RESULT_SCHEMA",
            Self::PerCase => "RESULT_PER_CASE",
            Self::Budget { .. } => "BIT_BUDGET",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Insufficient => Some(
                "add cases, or leave the round as it is: the report says `insufficient`".to_owned(),
            ),
            Self::Budget { .. } => Some(
                "raise `bit_budget` in policy.toml on purpose and sign it, or keep refusing"
                    .to_owned(),
            ),
            _ => Some("report this to the study's sponsor: agent and protocol disagree".to_owned()),
        }
    }
}

/// A value that the rules let through. Private fields; only [`Gate`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Vetted<T> {
    value: Canonical<T>,
    decisions: Vec<Decision>,
}

impl<T> Vetted<T> {
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
}

/// Applies one policy to the results of one protocol.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'p> {
    policy: EffectivePolicy,
    protocol: &'p StudyProtocol,
}

impl<'p> Gate<'p> {
    /// A gate for one job.
    #[must_use]
    pub const fn new(policy: EffectivePolicy, protocol: &'p StudyProtocol) -> Self {
        Self { policy, protocol }
    }

    /// Vets the evidence of an evaluation.
    ///
    /// # Errors
    ///
    /// [`Withheld`] if nothing but its outcome may leave.
    pub fn vet(
        &self,
        header: ResultHeader,
        summary: &SiteLocal<SiteSummary>,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let k = self.policy.k;
        let summary = summary.open_on_site();
        let overall = summary
            .overall
            .as_ref()
            .filter(|overall| dc02_cohort_minimum::is_sufficient(overall.by_case.patients, k))
            .ok_or(Withheld::Insufficient)?;
        let mut decisions = vec![Decision {
            quantity: "whole cohort".to_owned(),
            verdict: Verdict::Released,
            rule: Rule::Dc02,
        }];
        let by_patient = dc14_per_case::sums_by_patient_are_safe(overall.patients_with_several, k);
        let overall = chosen("whole cohort", overall, by_patient, &mut decisions);
        let release = Release {
            profile: self.policy.profile,
            k,
            attrition: dc04_attrition::shown(&summary.failures, k),
            overall,
            subgroups: summary
                .dimensions
                .iter()
                .flat_map(|dimension| subgroup_cells(dimension, k, &mut decisions))
                .collect(),
        };
        note_attrition(&release, &mut decisions);
        dc01_closed_schema::check(&release, self.protocol).map_err(Withheld::Schema)?;
        if !dc14_per_case::rests_on_groups(&release, k) {
            return Err(Withheld::PerCase);
        }
        self.within_budget(
            SiteResult { header, outcome: Outcome::Released(Box::new(release)) },
            decisions,
        )
    }

    fn within_budget(
        &self,
        result: SiteResult,
        decisions: Vec<Decision>,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let (bits, budget) = (bound_bits(&result), self.policy.bit_budget);
        if bits > budget {
            return Err(Withheld::Budget { bits, budget });
        }
        let value = Canonical::new(result).map_err(Withheld::NotCanonical)?;
        Ok(Vetted { value, decisions })
    }
}

impl Vetted<SiteResult> {
    /// The answer that holds no aggregate: insufficient, refused or failed.
    ///
    /// # Errors
    ///
    /// [`CanonicalError`] never for a header made of ids and digests.
    pub fn without_aggregates(
        header: ResultHeader,
        answer: NoAggregates,
    ) -> Result<Self, CanonicalError> {
        let outcome = match answer {
            NoAggregates::Insufficient => Outcome::Insufficient,
            NoAggregates::Refused => Outcome::Refused,
            NoAggregates::Failed(stage) => Outcome::Failed(stage),
        };
        Ok(Self { value: Canonical::new(SiteResult { header, outcome })?, decisions: Vec::new() })
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

fn subgroup_cells(
    summary: &DimensionSummary,
    k: u64,
    decisions: &mut Vec<Decision>,
) -> Vec<SubgroupCell> {
    let suppressions = dc17_partner::suppressions(&summary.leaves, k);
    let by_patient = sums_by_patient(summary, &suppressions, k);
    let mut cells = Vec::new();
    for ((leaf, suppression), by_patient) in summary.leaves.iter().zip(suppressions).zip(by_patient)
    {
        let Some(category) = &leaf.category else { continue };
        let quantity = format!("{} = {category}", summary.dimension);
        let performance = match (&leaf.group, suppression) {
            (Some(group), None) => Cell::Released(chosen(&quantity, group, by_patient, decisions)),
            (_, Some(suppression)) => Cell::Suppressed(suppression),
            (None, None) => Cell::Suppressed(Suppression::Primary),
        };
        let (verdict, rule) = match &performance {
            Cell::Released(_) => (Verdict::Released, Rule::Dc03),
            Cell::Suppressed(why @ Suppression::Primary) => (Verdict::Withheld(*why), Rule::Dc03),
            Cell::Suppressed(why) => (Verdict::Withheld(*why), Rule::Dc17),
        };
        decisions.push(Decision { quantity, verdict, rule });
        cells.push(SubgroupCell {
            dimension: summary.dimension.clone(),
            category: category.clone(),
            performance,
        });
    }
    cells
}

/// For each leaf, whether its sums by patient may be shown beside the others'.
fn sums_by_patient(
    summary: &DimensionSummary,
    suppressions: &[Option<Suppression>],
    k: u64,
) -> Vec<bool> {
    let leaves: Vec<(u64, bool)> = summary
        .leaves
        .iter()
        .zip(suppressions)
        .map(|(leaf, suppressed)| {
            let several = leaf.group.as_ref().map_or(0, |group| group.patients_with_several);
            (several, suppressed.is_none())
        })
        .collect();
    dc14_per_case::leaves_by_patient(&leaves, k)
}

/// The form of a group's aggregates that may be shown.
fn chosen(
    quantity: &str,
    group: &GroupSummary,
    by_patient: bool,
    decisions: &mut Vec<Decision>,
) -> Performance {
    if by_patient {
        return group.by_patient.clone();
    }
    decisions.push(Decision {
        quantity: format!("{quantity}: sums by patient"),
        verdict: Verdict::Withheld(Suppression::Primary),
        rule: Rule::Dc14,
    });
    group.by_case.clone()
}

fn note_attrition(release: &Release, decisions: &mut Vec<Decision>) {
    for row in &release.attrition {
        let verdict = match row.patients {
            Cell::Released(_) => Verdict::Released,
            Cell::Suppressed(why) => Verdict::Withheld(why),
        };
        decisions.push(Decision {
            quantity: format!("failed cases, {:?}", row.reason),
            verdict,
            rule: Rule::Dc04,
        });
    }
}
