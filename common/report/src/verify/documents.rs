//! The documents of a package, each read or with the reason why it cannot be.

use std::collections::BTreeMap;

use fedval_study::Timestamp;
use fedval_study::{
    Canonical, ElectronicSignature, LockedProtocol, RoundRecord, SiteId, SiteRecord, SiteResult,
};
use fedval_trust::{Certificate, Endorsement, PayloadType, Role, SignedDocument};

use rayon::prelude::*;

use super::{Files, Sites};
use crate::assemble::as_of;
use crate::package::layout;
use crate::report::REPORT_REVISION;

/// What later checks need from earlier ones.
pub(super) struct Documents<'f> {
    files: &'f Files,
    pub(super) root: Result<Certificate, String>,
    pub(super) protocol: Result<LockedProtocol, String>,
    pub(super) round: Result<RoundRecord, String>,
    /// Of every site that the round record has a result of.
    pub(super) results: BTreeMap<SiteId, Result<SiteResult, String>>,
    /// What people signed, by path.
    pub(super) signatures: BTreeMap<&'f str, Result<ElectronicSignature, String>>,
}

impl<'f> Documents<'f> {
    pub(super) fn read(files: &'f Files) -> Self {
        let round: Result<RoundRecord, String> = bytes(files, layout::ROUND).and_then(canonical);
        let records: Vec<&SiteRecord> = round.iter().flat_map(|round| &round.sites).collect();
        // A thousand results take their time; each stands for itself.
        let results = records
            .par_iter()
            .filter(|record| record.result.is_some())
            .map(|record| {
                let result = bytes(files, &layout::result(&record.site)).and_then(canonical);
                (record.site.clone(), result)
            })
            .collect();
        Self {
            files,
            root: root(files),
            protocol: bytes(files, layout::PROTOCOL)
                .and_then(|bytes| LockedProtocol::parse(bytes).map_err(|error| chain(&error))),
            round,
            results,
            signatures: files
                .iter()
                .filter(|(path, _)| layout::is_electronic_signature(path))
                .map(|(path, bytes)| (path.as_str(), canonical(bytes)))
                .collect(),
        }
    }

    /// Every site that the round record has a result of; none where the record cannot be read.
    pub(super) fn sites(&self) -> Sites<'_> {
        let records = self.round.iter().flat_map(|round| &round.sites);
        Box::new(records.filter(|record| record.result.is_some()).map(|record| &record.site))
    }

    /// The bytes at `path`.
    pub(super) fn bytes(&self, path: &str) -> Result<&'f [u8], String> {
        bytes(self.files, path)
    }

    /// The moment at which the round record and the report were signed.
    pub(super) fn as_of(&self) -> Result<Timestamp, String> {
        self.round_for_judging().map(|round| Timestamp::from_unix_millis(as_of(round)))
    }

    /// Whether the package was made as this program makes packages: then every byte can be made again.
    pub(super) fn is_of_this_revision(&self) -> bool {
        self.round.as_ref().is_ok_and(|round| round.report_revision == REPORT_REVISION)
    }

    pub(super) fn round_for_judging(&self) -> Result<&RoundRecord, String> {
        self.round.as_ref().map_err(|_| "cannot be judged without the round record".to_owned())
    }

    pub(super) fn protocol_for_judging(&self) -> Result<&LockedProtocol, String> {
        self.protocol.as_ref().map_err(|_| "cannot be judged without the protocol".to_owned())
    }

    /// Checks the signature of `role` over the document at `path`.
    pub(super) fn signed_by(
        &self,
        role: &Role,
        path: &str,
        payload_type: PayloadType,
        then: Timestamp,
    ) -> Result<(), String> {
        let root = self
            .root
            .as_ref()
            .map_err(|_| "cannot be judged without the root certificate".to_owned())?;
        let signatures = layout::signatures(path);
        let endorsements: Vec<Endorsement> = bytes(self.files, &signatures)
            .and_then(canonical)
            .map_err(|problem| format!("{signatures}: {problem}"))?;
        let bytes = bytes(self.files, path)?.to_vec();
        SignedDocument { payload_type, bytes, endorsements }
            .verify(role, root, then)
            .map_err(|problem| format!("signature of {role}: {}", chain(&problem)))
    }
}

fn root(files: &Files) -> Result<Certificate, String> {
    let text = std::str::from_utf8(bytes(files, layout::ROOT)?)
        .map_err(|_| "is not a certificate".to_owned())?;
    let root = Certificate::from_pem(text).map_err(|error| chain(&error))?;
    // PEM allows text around the certificate; nothing may ride along.
    if root.to_pem() == text { Ok(root) } else { Err("is not in canonical form".to_owned()) }
}

pub(super) fn bytes<'f>(files: &'f Files, path: &str) -> Result<&'f [u8], String> {
    files.get(path).map(Vec::as_slice).ok_or_else(|| "is missing".to_owned())
}

/// Reads a value from bytes that must be exactly its canonical form.
pub(super) fn canonical<T>(bytes: &[u8]) -> Result<T, String>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    Canonical::parse(bytes).map(Canonical::into_value).map_err(|error| chain(&error))
}

/// An error with its sources, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |source| source.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}
