//! Each person's signature: about this report, by the person whose name it gives.
//!
//! That none was left out is the log's to say.

use fedval_study::{ElectronicSignature, Sha256Digest, Timestamp};
use fedval_trust::{PayloadType, Role};

use super::documents::Documents;
use super::{PartCheck, part, printable};
use crate::package::{self, layout};

/// One part for each signature, by path.
pub(super) fn check(documents: &Documents<'_>) -> Vec<PartCheck> {
    documents
        .signatures
        .iter()
        .map(|(path, signature)| {
            let checked = signature.as_ref().map_err(Clone::clone);
            part(&printable(path), checked.and_then(|signature| hold(documents, path, signature)))
        })
        .collect()
}

fn hold(
    documents: &Documents<'_>,
    path: &str,
    signature: &ElectronicSignature,
) -> Result<(), String> {
    let round = documents.round_for_judging()?;
    if layout::electronic_signature(signature) != path {
        return Err("stands where another signature belongs".to_owned());
    }
    if signature.study != round.study || signature.round != round.round {
        return Err("is about another round".to_owned());
    }
    if signature.report != Sha256Digest::of(documents.bytes(layout::REPORT)?) {
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
