//! The coordinator's statement, and what only it speaks of.

use std::collections::BTreeMap;

use fedval_study::Sha256Digest;
use fedval_trust::{Endorsement, Role};
use rayon::prelude::*;

use super::documents::{Documents, canonical, chain};
use super::{PartCheck, part};
use crate::package::statement::{Envelope, Statement};
use crate::package::{Files, layout, members};

/// Every file that nothing else judges, and the statement itself; first what the others hang on.
pub(super) fn check(files: &Files<'_>, documents: &Documents<'_>) -> Vec<PartCheck> {
    let statement = open(files, documents);
    let stated = statement.as_ref().map(|statement| statement.subjects().collect::<Stated<'_>>());
    let judged = stated.as_ref().map_err(|problem| (*problem).clone());
    let subjects = judged.and_then(|stated| check_subjects(files, documents, stated));
    let itself = part(layout::STATEMENT, subjects);
    let companions = layout::COMPANIONS.map(|path| {
        let stated = stated.as_ref().map_err(|_| "cannot be judged without the statement");
        let check = stated.map_err(str::to_owned).and_then(|stated| match stated.get(path) {
            Some(digest) if files.digest(path)?.to_string() == **digest => Ok(()),
            _ if !files.has(path) => Err("is missing".to_owned()),
            _ => Err("is not the file that the coordinator signed".to_owned()),
        });
        part(path, check)
    });
    let at = if stated.is_ok() { companions.len() } else { 0 };
    let mut parts = companions.to_vec();
    parts.insert(at, itself);
    parts
}

/// Digests that are stated, by path.
type Stated<'s> = BTreeMap<&'s str, &'s str>;

/// The statement, if the coordinator signed it.
fn open(files: &Files<'_>, documents: &Documents<'_>) -> Result<Statement, String> {
    let envelope: Envelope = canonical(&files.read(layout::STATEMENT)?)?;
    let signatures = layout::signatures(layout::REPORT);
    let endorsements: Vec<Endorsement> = canonical(&files.read(&signatures)?)?;
    let signer = endorsements.first().ok_or("cannot be judged without the report's signature")?;
    let document = envelope.open(&signer.certificate)?;
    let root =
        documents.root.as_ref().map_err(|_| "cannot be judged without the root certificate")?;
    document
        .verify(&Role::Coordinator, root, documents.as_of()?)
        .map_err(|problem| format!("signature of {}: {}", Role::Coordinator, chain(&problem)))?;
    Statement::parse(&document.bytes)
}

/// It speaks of every file, of nothing else, and says their digests.
fn check_subjects(
    files: &Files<'_>,
    documents: &Documents<'_>,
    stated: &Stated<'_>,
) -> Result<(), String> {
    let here: Vec<&str> = files.paths().filter(|path| layout::is_stated(path)).collect();
    let unstated = here.iter().find(|path| !stated.contains_key(*path));
    let absent = stated.keys().find(|path| !layout::is_stated(path) || !files.has(path));
    if let Some(path) = unstated.or(absent) {
        return Err(format!("is not about the files that are here: {}", super::printable(path)));
    }
    // What was digested when it was judged is not read again.
    let known: BTreeMap<String, Sha256Digest> = documents
        .results
        .iter()
        .filter_map(|(site, judged)| Some((layout::result(site), judged.digest?)))
        .collect();
    let differs = here.par_iter().with_max_len(1).find_first(|path| {
        let digest = known.get(**path).copied().map_or_else(|| files.digest(path), Ok);
        digest.map(|digest| digest.to_string()).ok().as_deref() != stated.get(**path).copied()
    });
    match differs {
        Some(path) => Err(format!("states another digest of {}", super::printable(path))),
        None => Ok(()),
    }
}

/// The archive holds what lies beside it.
pub(super) fn check_archive(files: &Files<'_>) -> Result<(), String> {
    let archive = files.open(layout::ARCHIVE)?;
    let packed = members(&archive).map_err(|error| chain(&error))?;
    let mut packed: BTreeMap<&str, _> =
        packed.iter().map(|member| (member.name.as_str(), member)).collect();
    for path in files.paths().filter(|path| *path != layout::ARCHIVE) {
        let beside = files.open(path)?;
        let is_same = match packed.remove(path) {
            Some(member) if member.length == beside.length() => {
                archive.holds_at(member.start, &beside)?
            }
            _ => false,
        };
        if !is_same {
            return Err(format!("holds another {}", super::printable(path)));
        }
    }
    if packed.is_empty() { Ok(()) } else { Err("holds more files".to_owned()) }
}
