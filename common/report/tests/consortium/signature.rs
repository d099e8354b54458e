//! People who sign reports.

use fedval_report::SignedByPerson;
use fedval_study::{
    Canonical, ElectronicSignature, LogEvent, PersonRole, RoundRecord, Sha256Digest,
    SignatureMeaning,
};
use fedval_trust::{PayloadType, Role, SecretKey, SignedDocument};

use super::Consortium;

/// What the log says of a signature.
pub(crate) fn logged(signed: &SignedByPerson) -> LogEvent {
    let ElectronicSignature { round, report, signer, .. } = signed.statement.clone();
    let signature = Sha256Digest::of(&signed.document().bytes);
    LogEvent::ReportSigned { round, report, signer, signature }
}

/// What `signer`, a statistician, states of a report.
pub(crate) fn statement(
    record: &RoundRecord,
    report: Sha256Digest,
    signer: &str,
    meaning: SignatureMeaning,
) -> ElectronicSignature {
    ElectronicSignature {
        study: record.study.clone(),
        round: record.round.clone(),
        report,
        signer: signer.parse().unwrap(),
        role: PersonRole::Statistician,
        printed_name: "Ada <b>King</b>, Countess of Lovelace".parse().unwrap(),
        meaning,
        signed_at_ms: record.closed_at_ms.unwrap() + 1_000,
    }
}

impl Consortium {
    /// Signs a statement with a key that the root certified for `role`.
    pub(crate) fn signed_as(&self, role: &Role, statement: ElectronicSignature) -> SignedByPerson {
        let key = SecretKey::generate(&self.entropy);
        let certificate =
            self.authority.issue(role, &key, &[], 90, &self.clock, &self.entropy).unwrap();
        let bytes = Canonical::new(statement.clone()).unwrap().into_bytes();
        let kind = PayloadType::ElectronicSignature;
        let document = SignedDocument::sign(kind, bytes, &key, &certificate);
        SignedByPerson { statement, endorsement: document.endorsements[0].clone() }
    }

    /// Signs in the signer's own name.
    pub(crate) fn signed(&self, statement: ElectronicSignature) -> SignedByPerson {
        let role = Role::Person(statement.role, statement.signer.clone());
        self.signed_as(&role, statement)
    }
}
