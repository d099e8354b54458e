//! Making a package from the evidence.

use std::collections::BTreeMap;

use fedval_study::protocol::LockError;
use fedval_study::{Canonical, CanonicalError, LockedProtocol, RoundRecord, SiteResult};
use fedval_trust::{Certificate, PayloadType, SecretKey, SignedDocument};

use super::statement::{Envelope, Statement};
use super::{ArchiveError, Evidence, Package, companions, layout, pack, stated};
use crate::assemble::{AssembleError, assemble};
use crate::forms::{self, FormError};
use crate::verify::verify;

/// A package cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The protocol document is not a locked protocol.
    #[error("the protocol cannot be read")]
    Protocol(#[source] LockError),
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

impl Package {
    /// Assembles, renders and signs the report of `evidence`.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the evidence makes no report, or none that would verify.
    pub fn build(
        evidence: Evidence,
        coordinator_key: &SecretKey,
        coordinator_certificate: &Certificate,
    ) -> Result<Self, BuildError> {
        let protocol =
            LockedProtocol::parse(&evidence.protocol.bytes).map_err(BuildError::Protocol)?;
        let round = read::<RoundRecord>("the round record", &evidence.round.bytes)?;
        let results = evidence
            .results
            .iter()
            .map(|(site, document)| {
                let part = format!("the result of {site}");
                Ok((site.clone(), read::<SiteResult>(&part, &document.bytes)?))
            })
            .collect::<Result<BTreeMap<_, _>, BuildError>>()?;
        let report = assemble(&protocol, &round, &results).map_err(BuildError::Assemble)?;
        let forms = forms::render(&report).map_err(BuildError::Render)?;
        let numbers = report.clone();
        let canonical = report
            .canonical()
            .map_err(|source| BuildError::Document { part: "the report".to_owned(), source })?;
        let report = SignedDocument::sign(
            PayloadType::Report,
            canonical.bytes().to_vec(),
            coordinator_key,
            coordinator_certificate,
        );
        let companions = companions::all(protocol.protocol());
        let mut files = stated(&evidence, &report, &forms, &companions);
        let statement = Statement::about(&numbers, &files);
        let statement = Envelope::seal(&statement, coordinator_key, coordinator_certificate)
            .and_then(|envelope| Canonical::new(envelope).ok())
            .ok_or(BuildError::Statement)?
            .bytes()
            .to_vec();
        files.insert(layout::STATEMENT.to_owned(), statement.clone());
        let archive = pack(&files).map_err(BuildError::Archive)?;
        Self { evidence, report, forms, companions, statement, archive }.verified()
    }

    fn verified(self) -> Result<Self, BuildError> {
        let verification = verify(&self.files(), None);
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
