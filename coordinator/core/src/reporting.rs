//! From a study's latest round to its signed package.

use fedval_ambient::Problem;
use fedval_report::{BuildError, Evidence, Package, Unlogged};
use fedval_study::Outcome;
use fedval_study::protocol::LockError;
use fedval_study::{
    Canonical, CanonicalError, LockedProtocol, LogEvent, RoundId, RoundRecord, Sha256Digest,
    SiteId, SiteRecord, SiteResult, SiteStatus, StudyId, earlier_dispatches, protocol_records,
};
use fedval_trust::{PayloadType, SignedDocument};

use crate::Coordinator;
use crate::port::{LockedVersion, RoundRow, StoreError, StoredResult};

/// How often a report of an open round is tried while results come in.
const MOST_TRIES: u32 = 3;

/// A report cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// There is no such study.
    #[error("there is no study `{study}`")]
    NotFound {
        /// The study.
        study: StudyId,
    },
    /// The study was never dispatched.
    #[error("the study `{study}` was never dispatched")]
    NoRound {
        /// The study.
        study: StudyId,
    },
    /// The stored protocol is damaged.
    #[error("the stored protocol is damaged")]
    Protocol(#[from] LockError),
    /// A stored result is damaged.
    #[error("a stored result is damaged")]
    Result(#[from] CanonicalError),
    /// The evidence does not make a report.
    #[error("the evidence does not make a report")]
    Build(#[from] BuildError),
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for ReportError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "STUDY_NOT_FOUND",
            Self::NoRound { .. } => "STUDY_NOT_DISPATCHED",
            Self::Protocol(_) | Self::Result(_) => "STORE_DAMAGED",
            Self::Build(_) => "REPORT_NOT_BUILT",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "run `fedval study list` to see the studies".to_owned(),
            Self::NoRound { study } => format!("run `fedval study dispatch {study}`"),
            Self::Protocol(_) | Self::Result(_) => {
                "restore the coordinator from a backup".to_owned()
            }
            Self::Build(_) | Self::Store(_) => "look at the log of `fedval serve`".to_owned(),
        })
    }
}

impl Coordinator {
    /// Builds the package of the study's latest round: evidence, report, signatures.
    ///
    /// A pure function of what is stored: the same results give the same bytes.
    ///
    /// # Errors
    ///
    /// See [`ReportError`].
    pub async fn report_build(&self, study: &StudyId) -> Result<Package, ReportError> {
        let mut tries = 1;
        loop {
            match self.report_build_once(study).await {
                // A result arrived between the record and the log: both are read again.
                Err(ReportError::Build(BuildError::DoesNotVerify { .. })) if tries < MOST_TRIES => {
                    tries += 1;
                }
                built => return built,
            }
        }
    }

    async fn report_build_once(&self, study: &StudyId) -> Result<Package, ReportError> {
        let (locked, round, unlogged) = self.report_begin(study).await?;
        let (round, report) = (round.round, unlogged.digest());
        self.log(LogEvent::ReportBuilt { round: round.clone(), report }).await?;
        let signatures = self.signatures_under(&round, report).await?;
        let log = self.log_evidence(&round, &locked).await?;
        let identity = &self.identity;
        let (key, certificate) = (&identity.signing_key, &identity.signing_certificate);
        Ok(unlogged.seal(signatures, log, key, certificate)?)
    }

    /// The study's latest round, whether it is closed, and the digest of its report as it is now.
    pub(crate) async fn report_assemble(
        &self,
        study: &StudyId,
    ) -> Result<(RoundId, bool, Sha256Digest), ReportError> {
        let (_, round, unlogged) = self.report_begin(study).await?;
        Ok((round.round, round.closed_at.is_some(), unlogged.digest()))
    }

    async fn report_begin(
        &self,
        study: &StudyId,
    ) -> Result<(LockedProtocol, RoundRow, Unlogged), ReportError> {
        let not_found = || ReportError::NotFound { study: study.clone() };
        let row = self.store.study_find(study).await?.ok_or_else(not_found)?;
        let no_round = || ReportError::NoRound { study: study.clone() };
        let round = self.store.round_list(study).await?.pop().ok_or_else(no_round)?;
        let in_force = row.version(round.protocol_version).ok_or_else(no_round)?;
        let locked = LockedProtocol::parse(&in_force.protocol)?;
        let earlier = row.locked.iter().filter(|other| other.version < in_force.version);
        self.log_settle_study(&row).await?;
        let results = self.store.result_list(&round.round).await?;
        let record = self.round_record(&locked, &round, &results).await?;
        let evidence = Evidence {
            root: self.root().clone(),
            protocol: signed_protocol(in_force),
            earlier_protocols: earlier.map(|of| (of.version, signed_protocol(of))).collect(),
            round: SignedDocument::sign(
                PayloadType::Round,
                Canonical::new(record)?.bytes().to_vec(),
                &self.identity.signing_key,
                &self.identity.signing_certificate,
            ),
            results: results.into_iter().map(signed_result).collect(),
        };
        let unlogged = Unlogged::assemble(evidence)?;
        Ok((locked, round, unlogged))
    }

    async fn round_record(
        &self,
        locked: &LockedProtocol,
        round: &RoundRow,
        results: &[StoredResult],
    ) -> Result<RoundRecord, ReportError> {
        let mut sites = Vec::new();
        let model = locked.protocol().model.digest;
        let log = self.log_entries().await?;
        let events = log.iter().map(|entry| &entry.event);
        let earlier = earlier_dispatches(events, &round.round, model);
        let protocols = protocol_records(&log, &round.study, locked.digest());
        for dispatch in self.store.dispatch_list(&round.round).await? {
            let stored = results.iter().find(|result| result.site == dispatch.site);
            let before = earlier.get(&dispatch.site).copied().unwrap_or_default();
            sites.push(SiteRecord {
                status: stored.map_or(Ok(SiteStatus::Missing), status_of)?,
                earlier_dispatches: before.of_model,
                earlier_dispatches_any_model: Some(before.of_any_model),
                site: dispatch.site,
                dispatched_at_ms: dispatch.dispatched_at.unix_millis(),
                result: stored.map(|stored| stored.digest),
                recorded_at_ms: stored.map(|stored| stored.recorded_at.unix_millis()),
            });
        }
        Ok(RoundRecord {
            software_version: env!("CARGO_PKG_VERSION").to_owned(),
            report_revision: fedval_report::REPORT_REVISION,
            study: round.study.clone(),
            round: round.round.clone(),
            protocol: locked.digest(),
            model,
            opened_at_ms: round.opened_at.unix_millis(),
            closed_at_ms: round.closed_at.map(fedval_ambient::Timestamp::unix_millis),
            protocols,
            sites,
        })
    }
}

fn signed_protocol(version: &LockedVersion) -> SignedDocument {
    SignedDocument {
        payload_type: PayloadType::Protocol,
        bytes: version.protocol.clone(),
        endorsements: version.endorsements.clone(),
    }
}

fn status_of(stored: &StoredResult) -> Result<SiteStatus, CanonicalError> {
    let result: Canonical<SiteResult> = Canonical::parse(&stored.bytes)?;
    Ok(match result.value().outcome {
        Outcome::Released(_)
        | Outcome::ReleasedCoarse(_)
        | Outcome::ReleasedNoisy(_)
        | Outcome::ReleasedClasses(_)
        | Outcome::ReleasedConditions(_)
        | Outcome::ReleasedMeasures(_)
        | Outcome::ReleasedDetection(_) => SiteStatus::Released,
        Outcome::Insufficient => SiteStatus::Insufficient,
        Outcome::Refused => SiteStatus::Refused,
        Outcome::Failed(_) => SiteStatus::Failed,
    })
}

fn signed_result(stored: StoredResult) -> (SiteId, SignedDocument) {
    let document = SignedDocument {
        payload_type: PayloadType::SiteResult,
        bytes: stored.bytes,
        endorsements: vec![stored.endorsement],
    };
    (stored.site, document)
}
