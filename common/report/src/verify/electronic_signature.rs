//! Each person's signature: about this report, by the person whose name it gives.
//!
//! That none was left out is the log's to say.

use std::collections::BTreeMap;

use fedval_study::{ElectronicSignature, Sha256Digest, Timestamp};
use fedval_trust::{PayloadType, Role};

use super::documents::{Documents, canonical};
use super::{PartCheck, part, printable};
use crate::package::{self, Files, layout};

/// Nobody has so many people sign one report; each signature takes its time.
const MOST: usize = 1000;
const TOO_MANY: &str = "are more than any report has";

/// Signatures by path.
type Signatures = BTreeMap<String, Result<ElectronicSignature, String>>;

/// Every signature that is there. Of more than anybody gives, none is looked at.
pub(super) fn read(files: &Files<'_>) -> Signatures {
    let paths: Vec<&str> =
        files.paths().filter(|path| layout::is_electronic_signature(path)).collect();
    let read = |path: &str| match paths.len() {
        ..=MOST => files.read(path).and_then(|bytes| canonical(&bytes)),
        _ => Err(TOO_MANY.to_owned()),
    };
    paths.iter().map(|path| ((*path).to_owned(), read(path))).collect()
}

/// One part for each signature, by path.
pub(super) fn check(
    documents: &Documents<'_>,
    report: Result<&Sha256Digest, &String>,
) -> Vec<PartCheck> {
    documents
        .signatures
        .iter()
        .map(|(path, signature)| {
            let read = signature.as_ref().map_err(Clone::clone);
            part(&printable(path), read.and_then(|read| hold(documents, path, read, report)))
        })
        .collect()
}

fn hold(
    documents: &Documents<'_>,
    path: &str,
    signature: &ElectronicSignature,
    report: Result<&Sha256Digest, &String>,
) -> Result<(), String> {
    let round = documents.round_for_judging()?;
    if layout::electronic_signature(signature) != path {
        return Err("stands where another signature belongs".to_owned());
    }
    if signature.study != round.study || signature.round != round.round {
        return Err("is about another round".to_owned());
    }
    if signature.report != *report.map_err(Clone::clone)? {
        return Err("is about another report".to_owned());
    }
    let role = Role::Person(signature.role, signature.signer.clone());
    let then = Timestamp::from_unix_millis(signature.signed_at_ms);
    documents.signed_by(&role, path, PayloadType::ElectronicSignature, then)
}

/// What pages print of them, in the order in which they stand there.
pub(super) fn shown(documents: &Documents<'_>) -> Result<Vec<ElectronicSignature>, String> {
    let all = documents.signatures.values().cloned().collect::<Result<Vec<_>, _>>();
    let mut all = all.map_err(|_| "cannot be judged without every signature".to_owned())?;
    all.sort_by_key(package::place);
    Ok(all)
}
