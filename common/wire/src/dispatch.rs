//! Dispatches and endorsements.

use fedval_proto as proto;
use fedval_study::{Dispatch, ModelDigest, ProtocolDigest};
use fedval_trust::{Certificate, Endorsement, Signature};

use crate::WireError;
use crate::primitive::{digest, id};

/// Writes a dispatch for the wire.
#[must_use]
pub fn dispatch_to_wire(dispatch: &Dispatch) -> proto::Dispatch {
    proto::Dispatch {
        study: dispatch.study.to_string(),
        protocol_version: dispatch.protocol_version,
        round: dispatch.round.to_string(),
        site: dispatch.site.to_string(),
        protocol: dispatch.protocol.0.as_bytes().to_vec(),
        protocol_bytes: dispatch.protocol_bytes,
        model: dispatch.model.0.as_bytes().to_vec(),
        model_bytes: dispatch.model_bytes,
        issued_at_ms: dispatch.issued_at_ms,
        nonce: dispatch.nonce.as_bytes().to_vec(),
    }
}

/// Reads a dispatch from the wire.
///
/// # Errors
///
/// [`WireError`] names the first field that is out of range.
pub fn dispatch_from_wire(dispatch: &proto::Dispatch) -> Result<Dispatch, WireError> {
    Ok(Dispatch {
        study: id("dispatch.study", &dispatch.study)?,
        protocol_version: dispatch.protocol_version,
        round: id("dispatch.round", &dispatch.round)?,
        site: id("dispatch.site", &dispatch.site)?,
        protocol: ProtocolDigest(digest("dispatch.protocol", &dispatch.protocol)?),
        protocol_bytes: dispatch.protocol_bytes,
        model: ModelDigest(digest("dispatch.model", &dispatch.model)?),
        model_bytes: dispatch.model_bytes,
        issued_at_ms: dispatch.issued_at_ms,
        nonce: digest("dispatch.nonce", &dispatch.nonce)?,
    })
}

/// Writes an endorsement for the wire.
///
/// # Errors
///
/// [`WireError`] if its certificate is not one.
pub fn endorsement_to_wire(endorsement: &Endorsement) -> Result<proto::Endorsement, WireError> {
    let certificate = Certificate::from_pem(&endorsement.certificate)
        .map_err(|_| WireError::new("endorsement.certificate", "must be a certificate"))?;
    Ok(proto::Endorsement {
        certificate: certificate.der().to_vec(),
        signature: endorsement.signature.as_bytes().to_vec(),
    })
}

/// Reads a signature.
///
/// # Errors
///
/// [`WireError`] if the bytes are not 64.
pub fn signature_from_wire(bytes: &[u8]) -> Result<Signature, WireError> {
    Signature::try_from(bytes).map_err(|_| WireError::new("signature", "must be 64 bytes"))
}

/// Reads an endorsement from the wire.
///
/// # Errors
///
/// [`WireError`] if certificate or signature is malformed.
pub fn endorsement_from_wire(endorsement: &proto::Endorsement) -> Result<Endorsement, WireError> {
    let certificate = Certificate::from_der(&endorsement.certificate)
        .map_err(|_| WireError::new("endorsement.certificate", "must be a certificate"))?;
    let signature = Signature::try_from(endorsement.signature.as_slice())
        .map_err(|_| WireError::new("endorsement.signature", "must be 64 bytes"))?;
    Ok(Endorsement { certificate: certificate.to_pem(), signature })
}
