//! Making a package from the evidence.

use std::collections::BTreeMap;

use fedval_study::protocol::{HistoryError, LockError};
use fedval_study::{
    Canonical, CanonicalError, LockedProtocol, ProtocolHistory, ResultDigest, RoundRecord,
    Sha256Digest, SiteId, SiteResult,
};
use fedval_trust::{Certificate, PayloadType, SecretKey, SignedDocument};
use rayon::prelude::*;

use super::statement::{Envelope, Statement};
use super::{
    Archive, ArchiveError, Evidence, Files, LogEvidence, Package, Parts, SignedByPerson,
    companions, layout,
};
use crate::assemble::{AssembleError, Given, assemble_given};
use crate::forms::{self, FormError};
use crate::report::{Report, written};
use crate::verify::{Made, verify_with};

/// A package cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The protocol document is not a locked protocol.
    #[error("the protocol cannot be read")]
    Protocol(#[source] LockError),
    /// The protocols are not the versions of one.
    #[error("the versions of the protocol do not follow each other")]
    History(#[source] HistoryError),
    /// A document is not canonical.
    #[error("{part} cannot be read")]
    Document {
        /// The document.
        part: String,
        /// Why.
        #[source]
        source: CanonicalError,
    },
    /// The documents do not make a report.
    #[error("the documents do not make a report")]
    Assemble(#[source] AssembleError),
    /// The report cannot be shown.
    #[error("the report cannot be rendered")]
    Render(#[source] FormError),
    /// The coordinator's statement has no canonical form.
    #[error("the statement about the package cannot be written")]
    Statement,
    /// The package does not fit an archive.
    #[error("the archive cannot be written")]
    Archive(#[source] ArchiveError),
    /// The finished package does not verify: a package that fails at the reader's is not handed
    /// out.
    #[error("the package would not verify: {part}: {problem}")]
    DoesNotVerify {
        /// The part.
        part: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A report that was assembled and that the log does not hold yet.
#[derive(Debug)]
pub struct Unlogged {
    evidence: Evidence,
    protocols: ProtocolHistory,
    /// What was read: SHA-256 of every result.
    results: BTreeMap<SiteId, ResultDigest>,
    report: Report,
    /// `report.json`.
    numbers: Vec<u8>,
}

impl Unlogged {
    /// Assembles the report of `evidence`.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the evidence makes no report.
    pub fn assemble(evidence: Evidence) -> Result<Self, BuildError> {
        let protocols = evidence.protocols()?;
        let round = read::<RoundRecord>("the round record", &evidence.round.bytes)?;
        // A thousand results take their time; each stands for itself.
        let results = evidence
            .results
            .par_iter()
            .map(|(site, document)| {
                let part = format!("the result of {site}");
                let result = read::<SiteResult>(&part, &document.bytes)?;
                Ok((site, result, ResultDigest(Sha256Digest::of(&document.bytes))))
            })
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<Vec<_>, BuildError>>()?;
        let given: BTreeMap<&SiteId, Given<'_>> = results
            .iter()
            .map(|(site, result, digest)| {
                (*site, Given { result, digest: Some(*digest), is_checked: false })
            })
            .collect();
        let report = assemble_given(&protocols, &round, &given).map_err(BuildError::Assemble)?;
        drop(given);
        let digests = results.iter().map(|(site, _, digest)| ((*site).clone(), *digest)).collect();
        let ((), numbers) = rayon::join(|| drop(results), || written(&report));
        let numbers = numbers
            .map_err(|source| BuildError::Document { part: "the report".to_owned(), source })?;
        Ok(Self { evidence, protocols, results: digests, report, numbers })
    }

    /// What the log must hold of it: SHA-256 of `report.json`.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        Sha256Digest::of(&self.numbers)
    }

    /// Renders and signs the report, and packs it with its evidence, the signatures of people under it, and the
    /// log.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the report cannot be shown, or the package would not verify.
    pub fn seal(
        self,
        signatures: Vec<SignedByPerson>,
        log: LogEvidence,
        coordinator_key: &SecretKey,
        coordinator_certificate: &Certificate,
    ) -> Result<Package, BuildError> {
        let Self { evidence, protocols, results, report: value, numbers } = self;
        let signatures = SignedByPerson::order(signatures);
        let shown: Vec<_> = signatures.iter().map(|signed| signed.statement.clone()).collect();
        let sign = || {
            let kind = PayloadType::Report;
            SignedDocument::sign(kind, numbers, coordinator_key, coordinator_certificate)
        };
        let (forms, signed) = rayon::join(|| forms::render(&value, &shown), sign);
        let forms = forms.map_err(BuildError::Render)?;
        let companions = companions::all(protocols.in_force().protocol());
        let parts = Parts { evidence, signatures, log, report: signed, forms, companions };
        let mut files = parts.into_files();
        let statement = Statement::about(&value, &files);
        drop(value);
        let statement = Envelope::seal(&statement, coordinator_key, coordinator_certificate)
            .and_then(|envelope| Canonical::new(envelope).ok())
            .ok_or(BuildError::Statement)?;
        files.insert(layout::STATEMENT.to_owned(), statement.into_bytes());
        let archive = Archive::of(&files).map_err(BuildError::Archive)?;
        Package { files, archive }.verified(&results)
    }
}

impl Evidence {
    fn protocols(&self) -> Result<ProtocolHistory, BuildError> {
        let documents = self.earlier_protocols.values().chain([&self.protocol]);
        let versions = documents.map(|document| LockedProtocol::parse(&document.bytes));
        let versions = versions.collect::<Result<_, _>>().map_err(BuildError::Protocol)?;
        ProtocolHistory::new(versions).map_err(BuildError::History)
    }
}

impl Package {
    /// The package, if a reader finds that it holds. What was made of `results` a moment ago is not made again.
    fn verified(self, results: &BTreeMap<SiteId, ResultDigest>) -> Result<Self, BuildError> {
        let made = Made { files: &self.files, results };
        let files = Files::from(&self.files);
        let verification = verify_with(&files, None, None, Some(&made), &mut |_| {});
        match verification.first_failure() {
            None => Ok(self),
            Some(part) => Err(BuildError::DoesNotVerify {
                part: part.part.clone(),
                problem: part.problem.clone().unwrap_or_default(),
            }),
        }
    }
}

fn read<T: serde::Serialize + serde::de::DeserializeOwned>(
    part: &str,
    bytes: &[u8],
) -> Result<T, BuildError> {
    Canonical::parse(bytes)
        .map(Canonical::into_value)
        .map_err(|source| BuildError::Document { part: part.to_owned(), source })
}
