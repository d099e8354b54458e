//! The documents of a package, each read or with the reason why it cannot be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fedval_preprocess::probe::Expected;
use fedval_study::{
    Canonical, ElectronicSignature, LockedProtocol, ProtocolHistory, ResultDigest, RoundRecord,
    Sha256Digest, SiteId, SiteRecord, SiteResult, Timestamp,
};
use fedval_trust::signed::verify;
use fedval_trust::{Certificate, Endorsement, Fingerprint, PayloadType, Role};
use rayon::prelude::*;

use super::{Made, PartCheck, Sites, electronic_signature, signature, statement};
use crate::assemble::as_of;
use crate::package::{Files, layout};
use crate::report::REPORT_REVISION;

/// So many sites are judged beside each other.
const BESIDE: usize = 64;
/// After so many results that do not hold, the others are not looked at: nobody relies on this package.
const MOST_FAILURES: usize = 20;

/// Results that take no more room together than this are held from the check of their signatures until they are
/// read; of more, each is fetched a second time.
const MOST_HELD: u64 = 144 << 20;

/// No document has so many signatures; each takes its time.
const MOST_ENDORSEMENTS: usize = 32;

/// What later checks need from earlier ones.
pub(super) struct Documents<'f> {
    files: &'f Files<'f>,
    pub(super) root: Result<Certificate, String>,
    pub(super) protocol: Result<LockedProtocol, String>,
    /// The protocol with every version that it amends.
    pub(super) history: Result<ProtocolHistory, String>,
    pub(super) round: Result<RoundRecord, String>,
    /// Of every site that the round record has a result of.
    pub(super) results: BTreeMap<SiteId, Judged<'f>>,
    /// What people signed, by path.
    pub(super) signatures: BTreeMap<String, Result<ElectronicSignature, String>>,
    /// What the probe images of the protocol come out as.
    pub(super) probes: Expected,
    /// Whether the report is worth making again: of a large package only where every file is the one that the
    /// coordinator signed. Of a small one it is made all the same, to say where it differs.
    pub(super) is_worth_making: bool,
    /// What the statement says of all files, where that was asked first.
    pub(super) stated: Option<Vec<PartCheck>>,
}

/// The value of each site's result, with its digest.
pub(super) type Values = BTreeMap<SiteId, (SiteResult, ResultDigest)>;

/// A site's result: its signature is judged first, and then what it says.
pub(super) struct Judged<'f> {
    /// What is wrong with it.
    pub(super) check: Result<(), String>,
    /// SHA-256 of the bytes that were judged.
    pub(super) digest: Option<Sha256Digest>,
    /// These bytes, until they are read.
    pub(super) held: Option<Cow<'f, [u8]>>,
    /// The value, until the report is made again; none once anything does not hold.
    pub(super) value: Option<SiteResult>,
}

impl<'f> Documents<'f> {
    /// Reads all of them. Of a package under another root than the `pinned` one no result is looked at.
    pub(super) fn read(
        files: &'f Files<'f>,
        pinned: Option<Fingerprint>,
        made: Option<&Made<'_>>,
    ) -> Self {
        let protocol = protocol_at(files, layout::PROTOCOL);
        let mut documents = Self {
            files,
            root: root(files, pinned),
            history: history(files, &protocol),
            protocol,
            round: files.read(layout::ROUND).and_then(|bytes| canonical(&bytes)),
            results: BTreeMap::new(),
            signatures: electronic_signature::read(files),
            probes: Expected::default(),
            is_worth_making: true,
            stated: None,
        };
        documents.results = documents.signed_results();
        let is_free = files.is_small() || made.is_some();
        if !is_free {
            let stated = statement::check(files, &documents);
            documents.is_worth_making = stated.iter().all(|part| part.problem.is_none());
            documents.stated = Some(stated);
        }
        let made = made.filter(|made| documents.is_of(made));
        let signed = std::mem::take(&mut documents.results);
        documents.results = documents.read_results(signed, made);
        documents
    }

    /// Judges the signature of every result. A thousand take their time; each stands for itself.
    fn signed_results(&self) -> BTreeMap<SiteId, Judged<'f>> {
        let answered: Vec<&SiteRecord> = self.answered().collect();
        let lengths =
            answered.iter().map(|record| self.files.length(&layout::result(&record.site)));
        let is_held = lengths.fold(0, u64::saturating_add) <= MOST_HELD;
        let mut all = BTreeMap::new();
        let mut failures = 0;
        for some in answered.chunks(BESIDE) {
            let judge = |record: &&SiteRecord| {
                let judged = if failures > MOST_FAILURES {
                    Judged::failed("is not judged: too many others do not hold".to_owned())
                } else {
                    signature::judge_signature(self, record, is_held)
                };
                (record.site.clone(), judged)
            };
            let judged: Vec<_> = some.par_iter().with_max_len(1).map(judge).collect();
            failures += judged.iter().filter(|(_, judged)| judged.check.is_err()).count();
            all.extend(judged);
        }
        all
    }

    /// Reads every result that its site signed.
    fn read_results(
        &self,
        signed: BTreeMap<SiteId, Judged<'f>>,
        made: Option<&Made<'_>>,
    ) -> BTreeMap<SiteId, Judged<'f>> {
        let mut waiting = signed.into_iter();
        let mut all: BTreeMap<SiteId, Judged<'f>> = BTreeMap::new();
        let mut failures = 0;
        loop {
            let some: Vec<_> = waiting.by_ref().take(BESIDE).collect();
            if some.is_empty() {
                break;
            }
            let read = |(site, signed): (SiteId, Judged<'f>)| {
                let judged = if failures > MOST_FAILURES && signed.check.is_ok() {
                    Judged::failed("is not judged: too many others do not hold".to_owned())
                } else {
                    signature::judge_content(self, &site, signed, made)
                };
                (site, judged)
            };
            let judged: Vec<_> = some.into_par_iter().with_max_len(1).map(read).collect();
            failures += judged.iter().filter(|(_, judged)| judged.check.is_err()).count();
            all.extend(judged);
            if failures > 0 {
                // Without every result there is no report to make again.
                for judged in all.values_mut() {
                    judged.value = None;
                }
            }
        }
        all
    }

    /// Every site that the round record has a result of, as recorded; none where the record cannot be read.
    fn answered(&self) -> impl Iterator<Item = &SiteRecord> {
        let records = self.round.iter().flat_map(|round| &round.sites);
        records.filter(|record| record.result.is_some())
    }

    /// Every site that the round record has a result of; none where the record cannot be read.
    pub(super) fn sites(&self) -> Sites<'_> {
        Box::new(self.answered().map(|record| &record.site))
    }

    /// The bytes at `path`.
    pub(super) fn bytes(&self, path: &str) -> Result<Cow<'f, [u8]>, String> {
        self.files.read(path)
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

    pub(super) fn history_for_judging(&self) -> Result<&ProtocolHistory, String> {
        self.protocol_for_judging()?;
        self.history
            .as_ref()
            .map_err(|_| "cannot be judged without the earlier protocols".to_owned())
    }

    /// Checks the signature of `role` over the document at `path`.
    pub(super) fn signed_by(
        &self,
        role: &Role,
        path: &str,
        payload_type: PayloadType,
        then: Timestamp,
    ) -> Result<(), String> {
        self.signed(role, path, payload_type, then, self.bytes(path)?).map(|_| ())
    }

    /// The same over bytes that were read, which come back.
    pub(super) fn signed<'b>(
        &self,
        role: &Role,
        path: &str,
        payload_type: PayloadType,
        then: Timestamp,
        bytes: Cow<'b, [u8]>,
    ) -> Result<Cow<'b, [u8]>, String> {
        let root = self
            .root
            .as_ref()
            .map_err(|_| "cannot be judged without the root certificate".to_owned())?;
        let signatures = layout::signatures(path);
        let endorsements: Vec<Endorsement> = self
            .bytes(&signatures)
            .and_then(|bytes| canonical(&bytes))
            .map_err(|problem| format!("{signatures}: {problem}"))?;
        if endorsements.len() > MOST_ENDORSEMENTS {
            return Err(format!("{signatures}: has more signatures than any"));
        }
        verify((payload_type, &bytes), &endorsements, role, root, then)
            .map_err(|problem| format!("signature of {role}: {}", chain(&problem)))?;
        Ok(bytes)
    }

    /// Whether protocol and round are those that something was made of.
    pub(super) fn is_of(&self, made: &Made<'_>) -> bool {
        let is = |path, bytes: &[u8]| self.bytes(path).is_ok_and(|found| *found == *bytes);
        [layout::PROTOCOL, layout::ROUND].iter().all(|path| is(path, made.file(path)))
    }

    /// Whether every result holds and is one of those that something was made of.
    pub(super) fn has_all_of(&self, made: &Made<'_>) -> bool {
        let digests = self.results.iter().map(|(site, judged)| {
            (site, judged.check.is_ok().then_some(judged.digest).flatten().map(ResultDigest))
        });
        digests.eq(made.results.iter().map(|(site, digest)| (site, Some(*digest))))
    }

    /// Takes every value out, with its digest; nothing where one is missing.
    pub(super) fn take_results(&mut self) -> Option<Values> {
        self.results
            .iter_mut()
            .map(|(site, judged)| {
                let digest = ResultDigest(judged.digest?);
                Some((site.clone(), (judged.value.take()?, digest)))
            })
            .collect()
    }
}

impl Judged<'_> {
    pub(super) fn failed(problem: String) -> Self {
        Self { check: Err(problem), digest: None, held: None, value: None }
    }
}

fn root(files: &Files<'_>, pinned: Option<Fingerprint>) -> Result<Certificate, String> {
    let bytes = files.read(layout::ROOT)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not a certificate".to_owned())?;
    let root = Certificate::from_pem(text).map_err(|error| chain(&error))?;
    // PEM allows text around the certificate; nothing may ride along.
    if root.to_pem() != text {
        return Err("is not in canonical form".to_owned());
    }
    match pinned {
        Some(pinned) if pinned != root.fingerprint() => {
            Err(format!("has the fingerprint {}, not the one given", root.fingerprint()))
        }
        _ => Ok(root),
    }
}

fn protocol_at(files: &Files<'_>, path: &str) -> Result<LockedProtocol, String> {
    let bytes = files.read(path)?;
    LockedProtocol::parse(&bytes).map_err(|error| chain(&error))
}

/// Versions are looked for as long as the last one found amends an earlier one.
fn history(
    files: &Files<'_>,
    in_force: &Result<LockedProtocol, String>,
) -> Result<ProtocolHistory, String> {
    let mut versions = vec![in_force.clone()?];
    while let Some(version) = versions.last().and_then(version_before) {
        let path = layout::earlier_protocol(version);
        let earlier = protocol_at(files, &path).map_err(|problem| format!("{path}: {problem}"))?;
        if earlier.protocol().version != version {
            return Err(format!("{path}: is version {}", earlier.protocol().version));
        }
        versions.push(earlier);
    }
    versions.reverse();
    ProtocolHistory::new(versions).map_err(|error| chain(&error))
}

fn version_before(protocol: &LockedProtocol) -> Option<u32> {
    let protocol = protocol.protocol();
    protocol.amends.as_ref().and_then(|_| protocol.version.checked_sub(1))
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
