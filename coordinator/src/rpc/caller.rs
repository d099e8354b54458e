//! Who calls: the key of the client certificate, looked up in the registry at every call.
//!
//! Never a field of a message: a site must not be able to speak for another. And never the chain
//! alone: a revoked site's certificate is still valid to TLS.

use fedval_core::Coordinator;
use fedval_core::port::PersonRow;
use fedval_study::SiteId;
use fedval_trust::{Certificate, PublicKey, Role};
use tonic::{Request, Status};

use super::problem::{status_of, unauthenticated};

/// The certificate that the connection proves.
fn certificate<T>(request: &Request<T>) -> Result<Certificate, Status> {
    let certificates = request.peer_certs().ok_or_else(unauthenticated)?;
    let leaf = certificates.first().ok_or_else(unauthenticated)?;
    Certificate::from_der(leaf).map_err(|_| unauthenticated())
}

/// The key that the client certificate proves.
pub(super) fn key<T>(request: &Request<T>) -> Result<PublicKey, Status> {
    certificate(request).map(|shown| shown.public_key())
}

/// The enrolled site that calls.
pub(super) async fn site<T>(
    coordinator: &Coordinator,
    request: &Request<T>,
) -> Result<SiteId, Status> {
    let shown = certificate(request)?;
    let site = coordinator.store().site_by_key(&shown.public_key()).await;
    let site = site.map_err(|error| status_of(&error))?;
    // Registry and certificate must agree: neither alone makes a site.
    site.filter(|site| *shown.role() == Role::Site(site.clone())).ok_or_else(|| refused(&shown))
}

/// The person who calls.
pub(super) async fn person<T>(
    coordinator: &Coordinator,
    request: &Request<T>,
) -> Result<PersonRow, Status> {
    let shown = certificate(request)?;
    let person = coordinator.store().person_by_key(&shown.public_key()).await;
    let person = person.map_err(|error| status_of(&error))?;
    person
        .filter(|person| *shown.role() == Role::Person(person.role, person.name.clone()))
        .ok_or_else(|| refused(&shown))
}

/// Says in the log whose certificate was shown: it is one of ours, and no longer or not for this.
fn refused(shown: &Certificate) -> Status {
    tracing::warn!(code = "NOT_ENROLLED", certificate = %shown.role(), "call refused");
    unauthenticated()
}
