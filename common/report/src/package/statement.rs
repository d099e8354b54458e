//! What the coordinator states about a package: an in-toto Statement v1 in a DSSE envelope.
//!
//! Its subjects are all files of the package but itself and the archive, so that one signature binds even
//! those that do not follow from the evidence. Any in-toto tool reads it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fedval_study::{Canonical, Sha256Digest};
use fedval_trust::{Certificate, Endorsement, PayloadType, SecretKey, Signature, SignedDocument};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::layout;
use crate::report::Report;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// What the predicate is.
const PREDICATE: &str = "urn:fedval:validation-report:v1";

/// A DSSE envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Envelope {
    payload_type: String,
    /// Base64.
    payload: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    /// SHA-256 of the signer's certificate. It decides nothing, and says nothing else all the same.
    keyid: String,
    /// Base64.
    sig: String,
}

/// The statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    type_: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Sha256,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sha256 {
    sha256: String,
}

/// What the report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    study: String,
    round: String,
    as_of: String,
    protocol: Sha256,
    model: Sha256,
    software: String,
}

impl Statement {
    /// The statement about these files.
    pub(super) fn about(report: &Report, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let sha256 = |digest: String| Sha256 { sha256: digest };
        let bound: Vec<_> = files.iter().filter(|(path, _)| layout::is_stated(path)).collect();
        Self {
            type_: STATEMENT.to_owned(),
            subject: bound
                .into_par_iter()
                .map(|(path, bytes)| Subject {
                    name: path.clone(),
                    digest: sha256(Sha256Digest::of(bytes).to_string()),
                })
                .collect(),
            predicate_type: PREDICATE.to_owned(),
            predicate: Predicate {
                study: report.study.id.to_string(),
                round: report.round.id.to_string(),
                as_of: report.round.as_of.clone(),
                protocol: sha256(report.study.protocol_digest.to_string()),
                model: sha256(report.model.digest.to_string()),
                software: format!("{} {}", report.software.name, report.software.version),
            },
        }
    }

    /// Reads what was signed as a statement.
    ///
    /// # Errors
    ///
    /// What it is instead.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let statement: Self = Canonical::parse(bytes)
            .map(Canonical::into_value)
            .map_err(|error| error.to_string())?;
        if statement.type_ != STATEMENT || statement.predicate_type != PREDICATE {
            return Err("states something else".to_owned());
        }
        Ok(statement)
    }

    /// The files that it speaks of, each with the digest that is stated of it.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = (&str, &str)> {
        self.subject.iter().map(|subject| (subject.name.as_str(), subject.digest.sha256.as_str()))
    }
}

impl Envelope {
    /// Signs a statement; `None` where it has no canonical form, which no statement lacks.
    pub(super) fn seal(
        statement: &Statement,
        key: &SecretKey,
        certificate: &Certificate,
    ) -> Option<Self> {
        let payload = Canonical::new(statement.clone()).ok()?.bytes().to_vec();
        let signed = SignedDocument::sign(PayloadType::Statement, payload, key, certificate);
        let signature = &signed.endorsements.first()?.signature;
        Some(Self {
            payload_type: PayloadType::Statement.as_str().to_owned(),
            payload: BASE64.encode(&signed.bytes),
            signatures: vec![EnvelopeSignature {
                keyid: certificate.fingerprint().to_string(),
                sig: BASE64.encode(signature.as_bytes()),
            }],
        })
    }

    /// What the holder of `certificate` is said to have signed, to be verified before it is read.
    ///
    /// # Errors
    ///
    /// What is wrong with the envelope.
    pub(crate) fn open(&self, certificate: &str) -> Result<SignedDocument, String> {
        if self.payload_type != PayloadType::Statement.as_str() {
            return Err("is no in-toto statement".to_owned());
        }
        let [signature] = &self.signatures[..] else {
            return Err("has not exactly one signature".to_owned());
        };
        let decode = |text: &str| BASE64.decode(text).map_err(|_| "is not Base64".to_owned());
        let bytes = decode(&self.payload)?;
        let named = Certificate::from_pem(certificate).ok().map(|named| named.fingerprint());
        if named.is_none_or(|named| named.to_string() != signature.keyid) {
            return Err("names another key than report.sig.json does".to_owned());
        }
        let signature = Signature::try_from(decode(&signature.sig)?.as_slice())?;
        let endorsement = Endorsement { certificate: certificate.to_owned(), signature };
        Ok(SignedDocument {
            payload_type: PayloadType::Statement,
            bytes,
            endorsements: vec![endorsement],
        })
    }
}
