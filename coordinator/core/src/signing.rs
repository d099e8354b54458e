//! A person signs a report: with the person's own key, after the person's password (21 CFR 11.200: two
//! distinct components).

use fedval_ambient::Problem;
use fedval_report::SignedByPerson;
use fedval_study::{Canonical, ElectronicSignature, LogEntry, LogEvent, RoundId, Sha256Digest};
use fedval_trust::{Certificate, Endorsement, PayloadType, Role, SignatureProblem, SignedDocument};

use crate::credentials::CredentialError;
use crate::password::Password;
use crate::port::{PersonRow, SignatureRow, StoreError};
use crate::{Coordinator, ReportError};

/// How far a signer's clock may be from the coordinator's.
const CLOCK_MILLIS: u64 = 5 * 60 * 1000;

/// A signature is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// What was signed cannot be read.
    #[error("what was signed cannot be read")]
    Malformed,
    /// It is in another person's name.
    #[error("the signature is in another person's name or role than the caller's")]
    NotTheSigner,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature(#[source] SignatureProblem),
    /// The signer's clock is off.
    #[error("the signature's time is more than five minutes from the coordinator's")]
    Clock,
    /// Results may still come in.
    #[error("the round is still open: its report is an interim one")]
    RoundOpen,
    /// It is not the report as it is now.
    #[error("this is not the report of the study's latest round")]
    NotThisReport,
    /// The person signed before.
    #[error("you signed this report with this meaning before")]
    SignedBefore,
    /// The password does not do.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The report cannot be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for SignError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "SIGNATURE_MALFORMED",
            Self::NotTheSigner => "SIGNATURE_NOT_YOURS",
            Self::Signature(_) => "SIGNATURE_INVALID",
            Self::Clock => "SIGNATURE_CLOCK",
            Self::RoundOpen => "ROUND_OPEN",
            Self::NotThisReport => "REPORT_SUPERSEDED",
            Self::SignedBefore => "SIGNED_BEFORE",
            Self::Credential(error) => error.code(),
            Self::Report(error) => error.code(),
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Malformed | Self::Signature(_) => {
                "run the same release of fedval on both sides".to_owned()
            }
            Self::NotTheSigner => "sign with your own --home".to_owned(),
            Self::Clock => "set this machine's clock".to_owned(),
            Self::RoundOpen => "end the round first: `fedval study close STUDY`".to_owned(),
            Self::NotThisReport => {
                "build and read it anew: `fedval report build STUDY --out DIR`".to_owned()
            }
            Self::SignedBefore => {
                "nothing is left to do; `fedval report build STUDY --out DIR` prints it".to_owned()
            }
            Self::Credential(error) => return error.remedy(),
            Self::Report(error) => return error.remedy(),
            Self::Store(_) => "look at the log of `fedval serve`".to_owned(),
        })
    }
}

impl Coordinator {
    /// Keeps a person's signature under the report of a study's latest round, which must be closed.
    ///
    /// # Errors
    ///
    /// See [`SignError`].
    pub async fn report_sign(
        &self,
        caller: &PersonRow,
        bytes: Vec<u8>,
        endorsement: Endorsement,
        password: &Password,
    ) -> Result<(), SignError> {
        let statement = self.signature_read(caller, bytes, &endorsement)?;
        self.password_check(&caller.name, password).await?;
        let (study, round) = (&statement.study, &statement.round);
        let (latest, is_closed, unlogged) = self.report_assemble(study).await?;
        if latest != *round || unlogged != statement.report {
            return Err(SignError::NotThisReport);
        }
        if !is_closed {
            return Err(SignError::RoundOpen);
        }
        let (signer, meaning) = (statement.signer.clone(), statement.meaning);
        tracing::info!(%study, %signer, %meaning, "report signed");
        let row = SignatureRow { statement, endorsement };
        if !self.store.signature_insert(&row).await? {
            return Err(SignError::SignedBefore);
        }
        Ok(self.store.log_append(&[logged(&row)]).await.map(|_| ())?)
    }

    /// Reads what was signed, by whom it says and just now.
    fn signature_read(
        &self,
        caller: &PersonRow,
        bytes: Vec<u8>,
        endorsement: &Endorsement,
    ) -> Result<ElectronicSignature, SignError> {
        let read = Canonical::<ElectronicSignature>::parse(&bytes);
        let statement = read.map_err(|_| SignError::Malformed)?.into_value();
        let certificate = Certificate::from_pem(&endorsement.certificate);
        let key = certificate.map_err(|_| SignError::Malformed)?.public_key();
        if statement.signer != caller.name || statement.role != caller.role || key != caller.key {
            return Err(SignError::NotTheSigner);
        }
        let now = self.clock.now();
        if now.unix_millis().abs_diff(statement.signed_at_ms) > CLOCK_MILLIS {
            return Err(SignError::Clock);
        }
        let document = SignedDocument {
            payload_type: PayloadType::ElectronicSignature,
            bytes,
            endorsements: vec![endorsement.clone()],
        };
        let role = Role::Person(caller.role, caller.name.clone());
        // Verified as every reader will: at the moment that it states.
        let then = fedval_ambient::Timestamp::from_unix_millis(statement.signed_at_ms);
        document.verify(&role, self.root(), then).map_err(SignError::Signature)?;
        Ok(statement)
    }

    /// Who signed the report with this digest.
    pub(crate) async fn signatures_under(
        &self,
        round: &RoundId,
        report: Sha256Digest,
    ) -> Result<Vec<SignedByPerson>, StoreError> {
        let rows = self.store.signature_list(round).await?;
        Ok(rows
            .into_iter()
            .filter(|row| row.statement.report == report)
            .map(|SignatureRow { statement, endorsement }| SignedByPerson {
                statement,
                endorsement,
            })
            .collect())
    }
}

/// A signature as the log holds it.
pub(crate) fn logged(row: &SignatureRow) -> LogEntry {
    let SignatureRow { statement, endorsement } = row.clone();
    let (round, report, signer) =
        (statement.round.clone(), statement.report, statement.signer.clone());
    let at_ms = statement.signed_at_ms;
    let document = SignedByPerson { statement, endorsement }.document();
    let signature = Sha256Digest::of(&document.bytes);
    LogEntry { at_ms, event: LogEvent::ReportSigned { round, report, signer, signature } }
}
