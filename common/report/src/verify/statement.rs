//! The coordinator's statement, and what only it speaks of.

use std::collections::BTreeSet;
use std::io::Cursor;

use fedval_study::Sha256Digest;
use fedval_trust::{Endorsement, Role};

use super::documents::{Documents, bytes, canonical, chain};
use super::{Files, PartCheck, part};
use crate::package::statement::{Envelope, Statement};
use crate::package::{layout, unpack};

/// Every file that nothing else judges, and the statement itself; first what the others hang on.
pub(super) fn check(files: &Files, documents: &Documents<'_>) -> Vec<PartCheck> {
    let statement = open(files, documents);
    let judged = statement.as_ref().map_err(Clone::clone);
    let itself = part(layout::STATEMENT, judged.and_then(|s| check_subjects(files, s)));
    let companions =
        layout::COMPANIONS.map(|path| part(path, check_digest(files, path, &statement)));
    let at = if statement.is_ok() { companions.len() } else { 0 };
    let mut parts = companions.to_vec();
    parts.insert(at, itself);
    parts
}

/// The statement, if the coordinator signed it.
fn open(files: &Files, documents: &Documents<'_>) -> Result<Statement, String> {
    let envelope: Envelope = canonical(bytes(files, layout::STATEMENT)?)?;
    let signatures = layout::signatures(layout::REPORT);
    let endorsements: Vec<Endorsement> = canonical(bytes(files, &signatures)?)?;
    let signer = endorsements.first().ok_or("cannot be judged without the report's signature")?;
    let (statement, document) = envelope.open(&signer.certificate)?;
    let root =
        documents.root.as_ref().map_err(|_| "cannot be judged without the root certificate")?;
    document
        .verify(&Role::Coordinator, root, documents.as_of()?)
        .map_err(|problem| format!("signature of {}: {}", Role::Coordinator, chain(&problem)))?;
    Ok(statement)
}

/// It speaks of every file, of nothing else, and says their digests.
fn check_subjects(files: &Files, statement: &Statement) -> Result<(), String> {
    let stated: BTreeSet<&str> = statement.subjects().collect();
    let here: BTreeSet<&str> =
        files.keys().map(String::as_str).filter(|path| layout::is_stated(path)).collect();
    if let Some(path) = stated.symmetric_difference(&here).next() {
        return Err(format!("is not about the files that are here: {}", super::printable(path)));
    }
    match here.iter().find(|path| !has_digest(files, path, statement)) {
        Some(path) => Err(format!("states another digest of {}", super::printable(path))),
        None => Ok(()),
    }
}

fn check_digest(
    files: &Files,
    path: &str,
    statement: &Result<Statement, String>,
) -> Result<(), String> {
    let statement = statement.as_ref().map_err(|_| "cannot be judged without the statement")?;
    bytes(files, path)?;
    if has_digest(files, path, statement) {
        Ok(())
    } else {
        Err("is not the file that the coordinator signed".to_owned())
    }
}

fn has_digest(files: &Files, path: &str, statement: &Statement) -> bool {
    let digest = files.get(path).map(|bytes| Sha256Digest::of(bytes).to_string());
    digest.is_some() && digest.as_deref() == statement.digest_of(path)
}

/// The archive holds what lies beside it.
pub(super) fn check_archive(files: &Files) -> Result<(), String> {
    let packed =
        unpack(Cursor::new(bytes(files, layout::ARCHIVE)?)).map_err(|error| chain(&error))?;
    let beside = || files.iter().filter(|(path, _)| *path != layout::ARCHIVE);
    if let Some((path, _)) = beside().find(|(path, bytes)| packed.get(*path) != Some(bytes)) {
        return Err(format!("holds another {}", super::printable(path)));
    }
    if packed.len() == beside().count() { Ok(()) } else { Err("holds more files".to_owned()) }
}
