//! Who calls: the key of the client certificate, looked up in the registry at every call.
//!
//! Never a field of a message: a site must not be able to speak for another. And never the chain
//! alone: a revoked site's certificate is still valid to TLS.

use fedval_core::Coordinator;
use fedval_core::port::OperatorRow;
use fedval_study::SiteId;
use fedval_trust::{Certificate, PublicKey};
use tonic::{Request, Status};

use super::problem::{status_of, unauthenticated};

/// The key that the client certificate proves.
pub(super) fn key<T>(request: &Request<T>) -> Result<PublicKey, Status> {
    let certificates = request.peer_certs().ok_or_else(unauthenticated)?;
    let leaf = certificates.first().ok_or_else(unauthenticated)?;
    let certificate = Certificate::from_der(leaf).map_err(|_| unauthenticated())?;
    Ok(certificate.public_key())
}

/// The enrolled site that calls.
pub(super) async fn site<T>(
    coordinator: &Coordinator,
    request: &Request<T>,
) -> Result<SiteId, Status> {
    let key = key(request)?;
    let site = coordinator.store().site_by_key(&key).await.map_err(|error| status_of(&error))?;
    site.ok_or_else(unauthenticated)
}

/// The operator who calls.
pub(super) async fn operator<T>(
    coordinator: &Coordinator,
    request: &Request<T>,
) -> Result<OperatorRow, Status> {
    let key = key(request)?;
    let operator =
        coordinator.store().operator_by_key(&key).await.map_err(|error| status_of(&error))?;
    operator.ok_or_else(unauthenticated)
}
