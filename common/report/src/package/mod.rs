//! The evidence package: a report with every signed document that it follows from.

mod archive;
mod build;
mod companions;
mod content;
mod electronic_signature;
pub(crate) mod layout;
pub(crate) mod log;
pub(crate) mod statement;

use std::borrow::Cow;
use std::collections::BTreeMap;

use fedval_study::{Canonical, SiteId};
use fedval_trust::{Certificate, SignedDocument};
use serde::Serialize;

pub use archive::{ArchiveError, unpack};
pub(crate) use archive::{members, pack};
pub use build::{BuildError, Unlogged};
pub use content::Files;
pub use electronic_signature::SignedByPerson;
pub(crate) use electronic_signature::place;
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
        self.contents().into_iter().map(|(path, bytes)| (path, bytes.into_owned())).collect()
    }

    /// The same where the package is not needed any longer: never more than the archive is held beside them.
    ///
    /// # Panics
    ///
    /// Never: the archive was read when the package was verified.
    #[must_use]
    pub fn into_files(mut self) -> BTreeMap<String, Vec<u8>> {
        let archive = std::mem::take(&mut self.archive);
        drop(self);
        let mut files = archive::unpacked(&archive).expect("a package that was verified unpacks");
        files.insert(layout::ARCHIVE.to_owned(), archive);
        files
    }

    /// The same without their bytes a second time.
    fn contents(&self) -> BTreeMap<String, Cow<'_, [u8]>> {
        let mut files = stated(
            (&self.evidence, &self.signatures, &self.log),
            &self.report,
            &self.forms,
            &self.companions,
        );
        files.insert(layout::STATEMENT.to_owned(), Cow::Borrowed(&self.statement));
        files.insert(layout::ARCHIVE.to_owned(), Cow::Borrowed(&self.archive));
        files
    }
}

/// The files that the statement speaks of.
fn stated<'p>(
    (evidence, signatures, log): (&'p Evidence, &'p [SignedByPerson], &'p LogEvidence),
    report: &'p SignedDocument,
    forms: &'p BTreeMap<String, Vec<u8>>,
    companions: &'p BTreeMap<String, Vec<u8>>,
) -> BTreeMap<String, Cow<'p, [u8]>> {
    let Evidence { root, protocol, earlier_protocols, round, results } = evidence;
    let as_is = |(path, bytes): (&String, &'p Vec<u8>)| (path.clone(), bytes.into());
    let mut files: BTreeMap<String, Cow<'p, [u8]>> =
        forms.iter().chain(companions).map(as_is).collect();
    files.insert(layout::ROOT.to_owned(), root.to_pem().into_bytes().into());
    files.insert(layout::LOG.to_owned(), log.file().into());
    files.insert(layout::LOG_COSIGNATURES.to_owned(), list(&log.cosignatures).into());
    {
        let mut add = |path: String, document: &'p SignedDocument| {
            files.insert(layout::signatures(&path), list(&document.endorsements).into());
            files.insert(path, document.bytes.as_slice().into());
        };
        add(layout::REPORT.to_owned(), report);
        add(layout::PROTOCOL.to_owned(), protocol);
        add(layout::ROUND.to_owned(), round);
        add(layout::LOG_CHECKPOINT.to_owned(), &log.checkpoint);
        for (version, protocol) in earlier_protocols {
            add(layout::earlier_protocol(*version), protocol);
        }
        for (site, result) in results {
            add(layout::result(site), result);
        }
    }
    for signature in signatures {
        let path = layout::electronic_signature(&signature.statement);
        let SignedDocument { bytes, endorsements, .. } = signature.document();
        files.insert(layout::signatures(&path), list(&endorsements).into());
        files.insert(path, bytes.into());
    }
    files
}

/// Signatures in their canonical form.
fn list<T: Serialize>(signatures: &[T]) -> Vec<u8> {
    Canonical::new(signatures)
        .expect("signatures are strings and small numbers, which JSON carries exactly")
        .into_bytes()
}
