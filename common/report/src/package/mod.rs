//! The evidence package: a report with every signed document that it follows from.

mod archive;
mod build;
mod companions;
mod content;
mod electronic_signature;
pub(crate) mod layout;
pub(crate) mod log;
pub(crate) mod statement;

use std::collections::BTreeMap;

use fedval_study::{Canonical, SiteId};
use fedval_trust::{Certificate, SignedDocument};
use serde::Serialize;

pub(crate) use archive::members;
pub use archive::{Archive, ArchiveError, Piece, unpack};
pub use build::{BuildError, Unlogged};
pub use content::Files;
pub use electronic_signature::SignedByPerson;
pub(crate) use electronic_signature::place;
pub use layout::ARCHIVE;
pub use log::{Cosignature, LogEvidence};

/// The signed documents behind a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The consortium's root certificate.
    pub root: Certificate,
    /// The locked protocol in force, signed by sponsor and coordinator.
    pub protocol: SignedDocument,
    /// The versions that it amends, by number, signed in the same way.
    pub earlier_protocols: BTreeMap<u32, SignedDocument>,
    /// The round record, signed by the coordinator.
    pub round: SignedDocument,
    /// The result of every site that answered, each signed by its site.
    pub results: BTreeMap<SiteId, SignedDocument>,
}

/// A report with its evidence, and everything that a reader needs besides, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// By path, without the archive.
    files: BTreeMap<String, Vec<u8>>,
    archive: Archive,
}

impl Package {
    /// Every file by path, the archive of all of them included: twice the room. Who sends or saves them takes
    /// [`Package::into_parts`].
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files.clone();
        files.insert(layout::ARCHIVE.to_owned(), self.archive.whole(&self.files));
        files
    }

    /// Every file by path but the archive, and what that is made of. It belongs at [`ARCHIVE`].
    #[must_use]
    pub fn into_parts(self) -> (BTreeMap<String, Vec<u8>>, Archive) {
        (self.files, self.archive)
    }
}

/// What a package is of.
struct Parts {
    evidence: Evidence,
    signatures: Vec<SignedByPerson>,
    log: LogEvidence,
    /// `report.json`, signed by the coordinator.
    report: SignedDocument,
    /// The report for people and spreadsheets: page, paper, tables, pictures, by path.
    forms: BTreeMap<String, Vec<u8>>,
    /// Instructions, model card, bill of materials, by path.
    companions: BTreeMap<String, Vec<u8>>,
}

impl Parts {
    /// The files that the statement speaks of.
    fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        let Evidence { root, protocol, earlier_protocols, round, results } = self.evidence;
        let mut files = self.forms;
        files.extend(self.companions);
        files.insert(layout::ROOT.to_owned(), root.to_pem().into_bytes());
        files.insert(layout::LOG.to_owned(), self.log.file());
        files.insert(layout::LOG_COSIGNATURES.to_owned(), list(&self.log.cosignatures));
        let fixed = [
            (layout::REPORT, self.report),
            (layout::PROTOCOL, protocol),
            (layout::ROUND, round),
            (layout::LOG_CHECKPOINT, self.log.checkpoint),
        ];
        let fixed = fixed.into_iter().map(|(path, document)| (path.to_owned(), document));
        let earlier = earlier_protocols.into_iter();
        let earlier = earlier.map(|(version, of)| (layout::earlier_protocol(version), of));
        let results = results.into_iter().map(|(site, result)| (layout::result(&site), result));
        let by_people = self
            .signatures
            .into_iter()
            .map(|signed| (layout::electronic_signature(&signed.statement), signed.document()));
        for (path, document) in fixed.chain(earlier).chain(results).chain(by_people) {
            files.insert(layout::signatures(&path), list(&document.endorsements));
            files.insert(path, document.bytes);
        }
        files
    }
}

/// Signatures in their canonical form.
fn list<T: Serialize>(signatures: &[T]) -> Vec<u8> {
    Canonical::new(signatures)
        .expect("signatures are strings and small numbers, which JSON carries exactly")
        .into_bytes()
}
