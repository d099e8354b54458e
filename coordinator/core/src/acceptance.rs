//! Accepting a site's result: once, from whom it says, about what was asked, free of contradiction.

mod conditions;

use std::collections::BTreeMap;

use fedval_ambient::{Problem, Timestamp};
use fedval_disclosure::floor;
use fedval_disclosure::rules::{
    dc01_closed_schema, dc02_cohort_minimum, dc03_identifying_cells, dc11_variance, dc14_per_case,
};
use fedval_preprocess::probe::{Expected, ProbesRefused};
use fedval_study::protocol::{PredictionTables, StudyProtocol};
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Canonical, Cell, ClassPerformance, DetectionPerformance, Dispatch, LockedProtocol, LogEvent,
    MeasurePerformance, Name, Outcome, PatientCounts, Release, ResultDigest, ResultHeader,
    ScoreSource, SiteId, SiteResult,
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
    /// The site does not preprocess images as the protocol says, or does not show that it does.
    #[error("{0}")]
    Preprocessing(ProbesRefused),
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
            Self::Contradiction { .. } | Self::Preprocessing(ProbesRefused::NoImages) => {
                "RESULT_CONTRADICTION"
            }
            Self::Preprocessing(ProbesRefused::Drift(_)) => "PREPROCESSING_DIFFERS",
            Self::Preprocessing(ProbesRefused::Absent) => "PREPROCESSING_UNPROVEN",
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
                Self::Preprocessing(ProbesRefused::Drift(_) | ProbesRefused::Absent) => {
                    "install the coordinator's release of fedval-agent, run `fedval-agent check --study STUDY`, \
                     then ask the operator for a new round"
                }
                Self::Contradiction { .. } | Self::Preprocessing(_) | Self::NotCanonical => {
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
            Outcome::ReleasedConditions(release) => conditions::check(release)?,
            Outcome::ReleasedMeasures(release) => check_measures(release)?,
            Outcome::ReleasedDetection(release) => check_detection(release)?,
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
        let terms = result.outcome.terms();
        if terms.is_none() && header.preprocessing.is_empty() {
            return Ok(());
        }
        let study = self.store.study_find(&asked.study).await?.ok_or(SubmitError::Damaged)?;
        let version = study.version_of(asked.protocol).ok_or(SubmitError::Damaged)?;
        let locked = LockedProtocol::parse(&version.protocol).map_err(|_| SubmitError::Damaged)?;
        let plan = locked.protocol();
        check_preprocessing(plan, header, terms.is_some()).await?;
        let Some(terms) = terms else { return Ok(()) };
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
            Outcome::ReleasedConditions(release) => {
                dc01_closed_schema::check_conditions(release, plan)
            }
            Outcome::ReleasedMeasures(release) => dc01_closed_schema::check_measures(release, plan),
            Outcome::ReleasedDetection(release) => {
                dc01_closed_schema::check_detection(release, plan)
            }
            Outcome::Insufficient | Outcome::Refused | Outcome::Failed(_) => Ok(()),
        };
        schema.map_err(|_| SubmitError::Contradiction {
            relation: "a result holds what the protocol names",
        })
    }
}

/// Holds what the site's preprocessing made of the probe images against what it must. Beside everything else: making
/// them takes a while.
async fn check_preprocessing(
    plan: &StudyProtocol,
    header: &ResultHeader,
    is_release: bool,
) -> Result<(), SubmitError> {
    let judged = if header.preprocessing.is_empty() {
        Expected::default().judge(plan, header, is_release)
    } else {
        let (plan, header) = (plan.clone(), header.clone());
        let judge = move || Expected::default().judge(&plan, &header, is_release);
        tokio::task::spawn_blocking(judge).await.expect("comparing digests does not panic")
    };
    judged.map_err(SubmitError::Preprocessing)
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
    // Where too few were outlined, what is told rests on all who have the structure.
    let own = &release.overall;
    let of_misses = own.having_structure().filter(|_| own.is_of_misses());
    let all = most(of_misses.unwrap_or(own.patients));
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

/// The same of findings with a place; that counts keep their bounds was tested with the schema.
fn check_detection(release: &Release<DetectionPerformance>) -> Result<(), SubmitError> {
    let contradiction = |relation| SubmitError::Contradiction { relation };
    let (k, overall) = (release.terms.k, &release.overall);
    let shown = || release.subgroups.iter().filter_map(|cell| cell.performance.released());
    let all = || std::iter::once(overall).chain(shown());
    let errors_rest_on_enough = |group: &DetectionPerformance| {
        let bears = |se: Cell<u64>, patients| {
            se.released().is_none() || dc11_variance::has_enough(patients, k)
        };
        bears(group.point.rate_se_micro, group.patients.total)
            && bears(group.point.sensitivity_se_micro, group.patients.with_positive)
            && (group.average_precision.is_none()
                || dc11_variance::has_enough(group.patients.with_positive, k))
    };
    let enough = dc02_cohort_minimum::is_sufficient(overall.patients, k)
        && shown().all(|group| dc03_identifying_cells::is_safe(group.patients, k))
        && all().all(errors_rest_on_enough)
        && release.attrition.iter().all(|row| row.patients.released().is_none_or(|n| *n >= k));
    if !enough {
        return Err(contradiction("every count that is shown rests on k patients"));
    }
    if !all().all(errors_fit_their_counts) {
        return Err(contradiction("an error is nothing where its count leaves no other"));
    }
    if are_parts(release) {
        Ok(())
    } else {
        Err(contradiction("subgroups are part of the whole cohort"))
    }
}

/// The gate tells an error of nothing where all or no lesions are found, or no scan has a false positive: there it has
/// no other value, and elsewhere nothing would say that all patients are alike.
fn errors_fit_their_counts(group: &DetectionPerformance) -> bool {
    let fits = |se: Cell<u64>, has_no_other: bool| {
        se.released().is_none_or(|se| (*se == 0) == has_no_other)
    };
    let point = &group.point;
    fits(point.sensitivity_se_micro, point.hits == 0 || point.hits == group.lesions)
        && fits(point.rate_se_micro, point.false_positives == Cell::Released(0))
}

/// Whether the shown cells of each table hold no more than the whole; false positives leave of no group where those of
/// the whole stay.
fn are_parts(release: &Release<DetectionPerformance>) -> bool {
    let parts: [fn(&DetectionPerformance) -> u64; 5] = [
        |p| p.lesions,
        |p| p.point.hits,
        |p| p.scans_with,
        |p| p.scans_without,
        |p| p.point.false_positives.released().copied().unwrap_or(0),
    ];
    let mut sums: BTreeMap<&Name, [u64; 5]> = BTreeMap::new();
    for cell in &release.subgroups {
        let Some(group) = cell.performance.released() else { continue };
        let sums = sums.entry(&cell.dimension).or_default();
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum = sum.saturating_add(part(group));
        }
    }
    let whole = parts.map(|part| part(&release.overall));
    let told = |group: &DetectionPerformance| group.point.false_positives.released().is_some();
    let mut groups = release.subgroups.iter().filter_map(|cell| cell.performance.released());
    (told(&release.overall) || !groups.any(told))
        && sums.values().all(|sums| sums.iter().zip(whole).all(|(sum, whole)| *sum <= whole))
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
