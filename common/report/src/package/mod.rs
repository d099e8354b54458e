//! The evidence package: a report with every signed document that it follows from.

mod archive;
mod build;
mod companions;
mod electronic_signature;
pub(crate) mod layout;
pub(crate) mod log;
pub(crate) mod statement;

use std::collections::BTreeMap;

use fedval_study::{Canonical, SiteId};
use fedval_trust::{Certificate, SignedDocument};
use serde::Serialize;

pub(crate) use archive::pack;
pub use archive::{ArchiveError, unpack};
pub use build::{BuildError, Unlogged};
pub use electronic_signature::SignedByPerson;
pub(crate) use electronic_signature::place;
pub use log::{Cosignature, LogEvidence};

/// The signed documents behind a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The consortium's root certificate.
    pub root: Certificate,
    /// The locked protocol, signed by sponsor and coordinator.
    pub protocol: SignedDocument,
    /// The round record, signed by the coordinator.
    pub round: SignedDocument,
    /// The result of every site that answered, each signed by its site.
    pub results: BTreeMap<SiteId, SignedDocument>,
}

/// A report with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What the report follows from.
    pub evidence: Evidence,
    /// Who signed the report, in order of time.
    pub signatures: Vec<SignedByPerson>,
    /// The log that holds all of it.
    pub log: LogEvidence,
    /// `report.json`, signed by the coordinator.
    pub report: SignedDocument,
    /// The report for people and spreadsheets: page, paper, tables, pictures, by path.
    pub forms: BTreeMap<String, Vec<u8>>,
    /// Instructions, model card, bill of materials, by path.
    pub companions: BTreeMap<String, Vec<u8>>,
    /// The coordinator's statement about all of them, in its envelope.
    pub statement: Vec<u8>,
    /// All files in one.
    pub archive: Vec<u8>,
}

impl Package {
    /// The package as files, by path.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = stated(
            (&self.evidence, &self.signatures, &self.log),
            &self.report,
            &self.forms,
            &self.companions,
        );
        files.insert(layout::STATEMENT.to_owned(), self.statement.clone());
        files.insert(layout::ARCHIVE.to_owned(), self.archive.clone());
        files
    }
}

/// The files that the statement speaks of.
fn stated(
    (evidence, signatures, log): (&Evidence, &[SignedByPerson], &LogEvidence),
    report: &SignedDocument,
    forms: &BTreeMap<String, Vec<u8>>,
    companions: &BTreeMap<String, Vec<u8>>,
) -> BTreeMap<String, Vec<u8>> {
    let Evidence { root, protocol, round, results } = evidence;
    let mut files = forms.clone();
    files.extend(companions.clone());
    files.insert(layout::ROOT.to_owned(), root.to_pem().into_bytes());
    files.insert(layout::LOG.to_owned(), log.file());
    files.insert(layout::LOG_COSIGNATURES.to_owned(), list(&log.cosignatures));
    {
        let mut add = |path: String, document: &SignedDocument| {
            files.insert(layout::signatures(&path), list(&document.endorsements));
            files.insert(path, document.bytes.clone());
        };
        add(layout::REPORT.to_owned(), report);
        add(layout::PROTOCOL.to_owned(), protocol);
        add(layout::ROUND.to_owned(), round);
        add(layout::LOG_CHECKPOINT.to_owned(), &log.checkpoint);
        for (site, result) in results {
            add(layout::result(site), result);
        }
        for signature in signatures {
            add(layout::electronic_signature(&signature.statement), &signature.document());
        }
    }
    files
}

/// Signatures in their canonical form.
fn list<T: Serialize>(signatures: &[T]) -> Vec<u8> {
    Canonical::new(signatures)
        .expect("signatures are strings and small numbers, which JSON carries exactly")
        .into_bytes()
}
