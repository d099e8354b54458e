//! Accepting a site's result: once, from whom it says, about what was asked, free of contradiction.

use std::collections::BTreeMap;

use fedval_ambient::{Problem, Timestamp};
use fedval_disclosure::floor;
use fedval_disclosure::rules::{
    dc01_closed_schema, dc02_cohort_minimum, dc11_variance, dc14_per_case,
};
use fedval_study::protocol::PredictionTables;
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Canonical, Cell, ClassPerformance, Dispatch, LockedProtocol, LogEvent, MeasurePerformance,
    Name, Outcome, PatientCounts, Release, ResultDigest, ScoreSource, SiteId, SiteResult,
};
use fedval_trust::{Endorsement, PayloadType, Role, Signature, SignatureProblem, SignedDocument};

use crate::Coordinator;
use crate::port::{Inserted, StoreError, StoredResult};

/// A result that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Digest of the recorded bytes.
    pub digest: ResultDigest,
    /// Whether an earlier call had recorded it.
    pub duplicate: bool,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// A result is refused; nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// No such round was dispatched to this site: the caller may not learn whether it exists.
    #[error("no round with this identifier was dispatched to this site")]
    NotFound,
    /// The result speaks for another site.
    #[error("the result speaks for another site than the certificate")]
    WrongSite,
    /// The result is about another protocol, model or study than was dispatched.
    #[error("the result is not about the protocol and model that were dispatched")]
    NotWhatWasAsked,
    /// The signature does not hold.
    #[error("the result's signature is refused")]
    Signature(#[source] SignatureProblem),
    /// The aggregates contradict each other.
    #[error("the result contradicts itself: {relation}")]
    Contradiction {
        /// The relation that all data keep.
        relation: &'static str,
    },
    /// The result cannot be written in canonical form.
    #[error("the result holds a number out of range")]
    NotCanonical,
    /// Another result stands for this round and site.
    #[error("another result of this site was recorded for this round")]
    Conflict,
    /// The round is closed.
    #[error("the round is closed")]
    RoundClosed,
    /// A later connection of the site got the lease.
    #[error("the result comes under a lease that another connection of this site has taken over")]
    StaleLease,
    /// A stored document is damaged.
    #[error("a stored document is damaged")]
    Damaged,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for SubmitError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "ROUND_NOT_FOUND",
            Self::WrongSite => "WRONG_SITE",
            Self::NotWhatWasAsked => "NOT_WHAT_WAS_ASKED",
            Self::Signature(_) => "RESULT_SIGNATURE",
            Self::Contradiction { .. } => "RESULT_CONTRADICTION",
            Self::NotCanonical => "RESULT_OUT_OF_RANGE",
            Self::Conflict => "CONFLICT",
            Self::RoundClosed => "ROUND_CLOSED",
            Self::StaleLease => "STALE_LEASE",
            Self::Damaged => "STORE_DAMAGED",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::NotFound | Self::NotWhatWasAsked => "run `fedval-agent jobs` to see what was dispatched",
                Self::WrongSite | Self::Signature(_) => "enrol this machine as the site it is",
                Self::Contradiction { .. } | Self::NotCanonical => {
                    "report this to the maintainers: the agent's arithmetic and the coordinator's disagree"
                }
                Self::Conflict => "the recorded result stands; ask the operator for a new round",
                Self::RoundClosed => "ask the coordinator's operator for a new round",
                Self::StaleLease | Self::Damaged | Self::Store(_) => "the agent tries again by itself",
            }
            .to_owned(),
        )
    }
}

impl Coordinator {
    /// Records a result on behalf of `site`, as its certificate proves it.
    ///
    /// The same bytes again give the stored acknowledgement: an agent that lost its connection
    /// cannot know whether the first attempt arrived. `lease_epoch` fences an agent that was replaced
    /// while it slept; it stands beside the signed bytes, not in them.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`].
    pub async fn result_submit(
        &self,
        site: &SiteId,
        result: SiteResult,
        signature: Signature,
        lease_epoch: u64,
    ) -> Result<Accepted, SubmitError> {
        if result.header.site != *site {
            return Err(SubmitError::WrongSite);
        }
        let round = result.header.round.clone();
        self.check_asked(site, &result).await?;
        match &result.outcome {
            Outcome::Released(release) => check_consistency(release)?,
            Outcome::ReleasedClasses(release) => check_classes(release)?,
            Outcome::ReleasedMeasures(release) => check_measures(release)?,
            _ => {}
        }
        let canonical = Canonical::new(result).map_err(|_| SubmitError::NotCanonical)?;
        let row = self.store.site_find(site).await?.ok_or(SubmitError::NotFound)?;
        let endorsement =
            Endorsement { certificate: row.certificate.ok_or(SubmitError::NotFound)?, signature };
        let document = SignedDocument {
            payload_type: PayloadType::SiteResult,
            bytes: canonical.bytes().to_vec(),
            endorsements: vec![endorsement.clone()],
        };
        let now = self.clock.now();
        document
            .verify(&Role::Site(site.clone()), self.root(), now)
            .map_err(SubmitError::Signature)?;
        let digest = ResultDigest(canonical.digest());
        let stored = StoredResult {
            round,
            site: site.clone(),
            bytes: document.bytes,
            digest,
            endorsement,
            recorded_at: now,
        };
        match self.store.result_insert(&stored, lease_epoch).await? {
            Inserted::New => {
                let (round, site) = (stored.round, stored.site);
                self.log(LogEvent::ResultRecorded { round, site, result: digest }).await?;
                Ok(Accepted { digest, duplicate: false, recorded_at: now })
            }
            Inserted::SameAsBefore(recorded_at) => {
                Ok(Accepted { digest, duplicate: true, recorded_at })
            }
            Inserted::DiffersFromBefore => Err(SubmitError::Conflict),
            Inserted::RoundClosed => Err(SubmitError::RoundClosed),
            Inserted::StaleLease => Err(SubmitError::StaleLease),
        }
    }

    async fn check_asked(&self, site: &SiteId, result: &SiteResult) -> Result<(), SubmitError> {
        let header = &result.header;
        let row =
            self.store.dispatch_find(&header.round, site).await?.ok_or(SubmitError::NotFound)?;
        let asked: Canonical<Dispatch> =
            Canonical::parse(&row.dispatch).map_err(|_| SubmitError::Damaged)?;
        let asked = asked.value();
        if (&asked.study, asked.protocol, asked.model)
            != (&header.study, header.protocol, header.model)
        {
            return Err(SubmitError::NotWhatWasAsked);
        }
        let Some(terms) = result.outcome.terms() else { return Ok(()) };
        let study = self.store.study_find(&asked.study).await?.ok_or(SubmitError::Damaged)?;
        let version = study.version_of(asked.protocol).ok_or(SubmitError::Damaged)?;
        let locked = LockedProtocol::parse(&version.protocol).map_err(|_| SubmitError::Damaged)?;
        let plan = locked.protocol();
        if header.scores == ScoreSource::PredictionTable
            && plan.prediction_tables == PredictionTables::Refuse
        {
            return Err(SubmitError::Contradiction {
                relation: "scores come from the model where the protocol accepts no others",
            });
        }
        if !terms.keeps(floor(plan)) {
            return Err(SubmitError::Contradiction {
                relation: "a site may tighten the floor, not loosen it",
            });
        }
        let schema = match &result.outcome {
            Outcome::Released(release) => dc01_closed_schema::check(release, plan),
            Outcome::ReleasedCoarse(release) => dc01_closed_schema::check_coarse(release, plan),
            Outcome::ReleasedNoisy(release) => dc01_closed_schema::check_noisy(release, plan),
            Outcome::ReleasedClasses(release) => dc01_closed_schema::check_classes(release, plan),
            Outcome::ReleasedMeasures(release) => dc01_closed_schema::check_measures(release, plan),
            Outcome::Insufficient | Outcome::Refused | Outcome::Failed(_) => Ok(()),
        };
        schema.map_err(|_| SubmitError::Contradiction {
            relation: "a result holds what the protocol names",
        })
    }
}

/// The same of several classes; that counts add up was tested with the schema.
fn check_classes(release: &Release<ClassPerformance>) -> Result<(), SubmitError> {
    let k = release.terms.k;
    let enough = dc02_cohort_minimum::classes_are_sufficient(&release.overall.sizes(), k)
        && release.attrition.iter().all(|row| row.patients.released().is_none_or(|n| *n >= k));
    let relation = "every count that is shown rests on k patients";
    if enough { Ok(()) } else { Err(SubmitError::Contradiction { relation }) }
}

/// The same of measures. Counts may have been rounded, by less than one base in either direction.
fn check_measures(release: &Release<MeasurePerformance>) -> Result<(), SubmitError> {
    let contradiction = |relation| SubmitError::Contradiction { relation };
    let (k, room) = (release.terms.k, release.terms.rounding_base.saturating_sub(1));
    let most = |count: u64| count.saturating_add(room);
    let all = most(release.overall.patients);
    let whole = PatientCounts { total: all, with_negative: all, with_positive: all };
    let cells = || {
        let shown = |cell: &'_ SubgroupCell<MeasurePerformance>| {
            Some((cell.dimension.clone(), cell.performance.released()?.patients))
        };
        release.subgroups.iter().filter_map(shown)
    };
    let enough = dc02_cohort_minimum::is_sufficient(whole, k)
        && cells().all(|(_, patients)| dc11_variance::has_enough(most(patients), k))
        && release
            .attrition
            .iter()
            .all(|row| row.patients.released().is_none_or(|n| most(*n) >= k));
    if !enough {
        return Err(contradiction("every count that is shown rests on k patients"));
    }
    let mut sums: BTreeMap<Name, (u64, u64)> = BTreeMap::new();
    for (dimension, patients) in cells() {
        let (sum, rounded) = sums.entry(dimension).or_default();
        *sum = sum.saturating_add(patients);
        *rounded = rounded.saturating_add(room);
    }
    // Every patient is in one cell of a table.
    if sums.values().any(|(sum, rounded)| sum.saturating_sub(*rounded) > all) {
        return Err(contradiction("subgroups are part of the whole cohort"));
    }
    Ok(())
}

/// What can be tested without the data: counts add up, statistics keep their bounds, groups are part
/// of the whole.
fn check_consistency(release: &Release) -> Result<(), SubmitError> {
    let contradiction = |relation| SubmitError::Contradiction { relation };
    let overall = &release.overall;
    let enough = dc02_cohort_minimum::is_sufficient(overall.patients, release.terms.k)
        && dc14_per_case::rests_on_groups(release, release.terms.k)
        && release
            .attrition
            .iter()
            .all(|row| row.patients.released().is_none_or(|n| *n >= release.terms.k));
    if !enough {
        return Err(contradiction("every count that is shown rests on k patients"));
    }
    overall.check().map_err(|error| contradiction(error.relation))?;
    let shown: Vec<_> = release
        .subgroups
        .iter()
        .filter_map(|cell| match &cell.performance {
            Cell::Released(performance) => Some((&cell.dimension, performance)),
            Cell::Suppressed => None,
        })
        .collect();
    for (dimension, performance) in &shown {
        performance.check().map_err(|error| contradiction(error.relation))?;
        let same = shown.iter().filter(|(other, _)| other == dimension);
        let (mut n_pos, mut n_neg) = (0_u64, 0_u64);
        for (_, leaf) in same {
            n_pos = n_pos.saturating_add(leaf.ranks.n_pos);
            n_neg = n_neg.saturating_add(leaf.ranks.n_neg);
        }
        if n_pos > overall.ranks.n_pos || n_neg > overall.ranks.n_neg {
            return Err(contradiction("subgroups are part of the whole cohort"));
        }
    }
    Ok(())
}
