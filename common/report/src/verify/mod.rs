//! Verification of an evidence package, offline and from its files alone.
//!
//! Everything in a package is untrusted until it was checked: whatever the bytes are, verification
//! answers with a list of parts and never panics. Later parts lean on earlier ones; where an
//! earlier part cannot be read, the later one says that it cannot be judged.

mod difference;
mod documents;
mod electronic_signature;
mod log;
mod report;
mod signature;
mod statement;
mod telling;

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::{LogCheckpoint, ProtocolHistory, ResultDigest, SiteId};
use fedval_trust::Fingerprint;

use crate::package::{Files, layout};
pub use log::LogSummary;

use documents::Documents;
use telling::Telling;

/// A problem is told in so many characters at most: what it quotes may be as long as a file.
const LONGEST_PROBLEM: usize = 600;

/// What verification says about one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartCheck {
    /// The part: a path, or a path with the aspect that was checked.
    pub part: String,
    /// What is wrong with it; absent where nothing is.
    pub problem: Option<String>,
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Every part, in the order in which it was checked.
    pub parts: Vec<PartCheck>,
    /// What the coordinator's log says.
    pub log: LogSummary,
    /// Whether the package was made by this revision of the program, so that every page was made again to the
    /// last byte. Of another one, numbers were computed again and agree to nine digits, and pages are those
    /// that the coordinator signed.
    pub is_made_again: bool,
    /// Whether the root certificate is the one that the caller pinned. Where it is not, the package
    /// is consistent in itself, and no more is proven.
    pub root_is_pinned: bool,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.first_failure().is_none()
    }

    /// The first part with a problem.
    #[must_use]
    pub fn first_failure(&self) -> Option<&PartCheck> {
        self.parts.iter().find(|part| part.problem.is_some())
    }
}

/// Verifies a package: its files by path, and the root's fingerprint if the caller knows it.
#[must_use]
pub fn verify(files: &BTreeMap<String, Vec<u8>>, pinned: Option<Fingerprint>) -> Verification {
    verify_against(files, pinned, None)
}

/// The same, and that the log is the one that was seen elsewhere: at a site, or in another package. Of two
/// histories that a coordinator shows to two readers, one fails.
#[must_use]
pub fn verify_against(
    files: &BTreeMap<String, Vec<u8>>,
    pinned: Option<Fingerprint>,
    seen: Option<&LogCheckpoint>,
) -> Verification {
    verify_files(&Files::from(files), pinned, seen)
}

/// The same of files that may lie on a disk.
#[must_use]
pub fn verify_files(
    files: &Files<'_>,
    pinned: Option<Fingerprint>,
    seen: Option<&LogCheckpoint>,
) -> Verification {
    verify_files_telling(files, pinned, seen, &mut |_| {})
}

/// The same, telling each part as soon as it is known: in the order in which they stand in the outcome, each before
/// the next ones are looked at. Files, signatures and results are told before the report is made again, its parts
/// before the log is read.
#[must_use]
pub fn verify_files_telling(
    files: &Files<'_>,
    pinned: Option<Fingerprint>,
    seen: Option<&LogCheckpoint>,
    tell: &mut dyn FnMut(&PartCheck),
) -> Verification {
    verify_with(files, pinned, seen, None, tell)
}

/// What was made in this process from results that were read, each from the bytes with the digest.
#[derive(Debug)]
pub(crate) struct Made<'m> {
    pub(crate) files: &'m BTreeMap<String, Vec<u8>>,
    pub(crate) results: &'m BTreeMap<SiteId, ResultDigest>,
}

impl Made<'_> {
    /// The file at `path`; nothing where none was made.
    fn file(&self, path: &str) -> &[u8] {
        self.files.get(path).map_or(&[], Vec::as_slice)
    }
}

/// The same where the report was `made` a moment ago: of the very same protocol, round and results it is not made a
/// second time. Everything else is judged as by a reader.
pub(crate) fn verify_with(
    files: &Files<'_>,
    pinned: Option<Fingerprint>,
    seen: Option<&LogCheckpoint>,
    made: Option<&Made<'_>>,
    tell: &mut dyn FnMut(&PartCheck),
) -> Verification {
    let mut telling = Telling::new(tell);
    let mut documents = Documents::read(files, pinned, made);
    let results = documents.take_results();
    let mut stated = documents.stated.take();
    let documents = documents;
    telling.of_all(signed(files, &documents));
    if !documents.is_worth_making {
        // Why nothing further is looked at stands first.
        telling.of_all(stated.replace(Vec::new()).unwrap_or_default());
    }
    let (again, (archive, found)) = rayon::join(
        || report::again(&documents, results, made),
        || {
            let archive = files.has(layout::ARCHIVE).then(|| statement::check_archive(files));
            (archive, report::Found::read(&documents))
        },
    );
    telling.of_all(report::check(files, &documents, &found, again.as_ref()));
    telling.of_all(foreign_form(files, &documents, again.as_ref().ok()));
    let report = found.digest.clone();
    let ((of_people, (of_log, log)), ()) = rayon::join(
        || {
            let of_people = electronic_signature::check(&documents, report.as_ref());
            (of_people, log::check(&documents, report, seen))
        },
        || drop((again, found)),
    );
    telling.of_all(of_people);
    telling.of_all(of_log);
    telling.of_all(stated.unwrap_or_else(|| statement::check(files, &documents)));
    telling.of_all(archive.map(|check| part(layout::ARCHIVE, check)));
    let fingerprint = documents.root.as_ref().ok().map(fedval_trust::Certificate::fingerprint);
    Verification {
        parts: telling.into_parts(),
        log,
        is_made_again: documents.is_of_this_revision(),
        root_is_pinned: pinned.is_some() && pinned == fingerprint,
    }
}

/// What hangs on no report: which files there are, and who signed the documents.
fn signed(files: &Files<'_>, documents: &Documents<'_>) -> Vec<PartCheck> {
    let mut parts = vec![
        part("files", check_files(files, documents)),
        part(layout::ROOT, signature::check_root(documents)),
        part(layout::PROTOCOL, signature::check_protocol(documents)),
    ];
    parts.extend(signature::check_earlier_protocols(documents));
    parts.push(part(layout::ROUND, signature::check_round(documents)));
    let judged = documents.results.iter();
    parts.extend(judged.map(|(site, judged)| part(&layout::result(site), judged.check.clone())));
    parts
}

fn part(name: &str, check: Result<(), String>) -> PartCheck {
    let problem = check.err().map(|problem| problem.chars().take(LONGEST_PROBLEM).collect());
    PartCheck { part: name.to_owned(), problem }
}

/// Every file that must be there is, and nothing else. Which forms of the report belong here is known when it was
/// made again: each of them is a part of its own.
fn check_files(files: &Files<'_>, documents: &Documents<'_>) -> Result<(), String> {
    let mut expected = BTreeSet::from([
        layout::ROOT.to_owned(),
        layout::STATEMENT.to_owned(),
        layout::LOG.to_owned(),
        layout::LOG_COSIGNATURES.to_owned(),
    ]);
    expected.extend(layout::COMPANIONS.map(str::to_owned));
    expected.extend(files.paths().filter(|path| layout::is_form(path)).map(str::to_owned));
    let fixed = [layout::REPORT, layout::PROTOCOL, layout::ROUND, layout::LOG_CHECKPOINT];
    let fixed = fixed.map(str::to_owned);
    let signatures = documents.signatures.keys().cloned();
    let results = documents.sites().map(layout::result);
    let earlier = documents.history.iter().flat_map(ProtocolHistory::earlier);
    let earlier = earlier.map(|locked| layout::earlier_protocol(locked.protocol().version));
    let signed = fixed.into_iter().chain(earlier).chain(results).chain(signatures);
    for path in signed {
        expected.insert(layout::signatures(&path));
        expected.insert(path);
    }
    if documents.round.is_err() {
        // Without its record nobody knows which sites belong here.
        let of_sites = files.paths().filter(|path| path.starts_with(layout::SITES));
        expected.extend(of_sites.map(str::to_owned));
    }
    if documents.history.is_err() {
        // Which of them is missing or wrong is said where they are judged.
        let earlier = files.paths().filter(|path| path.starts_with(layout::EARLIER_PROTOCOLS));
        expected.extend(earlier.map(str::to_owned));
    }
    if let Some(absent) = expected.iter().find(|path| !files.has(path)) {
        return Err(format!("{} is missing", printable(absent)));
    }
    // A package that was unpacked has no archive in it.
    expected.insert(layout::ARCHIVE.to_owned());
    match files.paths().find(|path| !expected.contains(*path)) {
        Some(extra) => Err(format!("{} does not belong here", printable(extra))),
        None => Ok(()),
    }
}

/// The first form that does not follow from the evidence, as a part of its own. Without evidence nobody knows which
/// forms belong here; another revision has forms of its own, which the statement names.
fn foreign_form(
    files: &Files<'_>,
    documents: &Documents<'_>,
    again: Option<&report::Again<'_>>,
) -> Option<PartCheck> {
    let again = again.filter(|_| documents.is_of_this_revision())?;
    let is_foreign = |path: &&str| layout::is_form(path) && !again.forms.contains_key(*path);
    let path = files.paths().find(is_foreign)?;
    Some(part(&printable(path), Err("does not belong here".to_owned())))
}

/// A path from outside, safe to print on a terminal.
fn printable(path: &str) -> String {
    path.chars().take(120).flat_map(char::escape_default).collect()
}

/// Sites in the order of the round record.
type Sites<'a> = Box<dyn Iterator<Item = &'a SiteId> + 'a>;
