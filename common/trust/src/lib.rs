//! Who is who, and who said what: certificates, enrolment tokens, signatures, TLS.
//!
//! One Ed25519 key serves each party for TLS and for signing; the DSSE payload type keeps the two
//! uses and every kind of document apart. Every key is certified by the consortium's root, so that
//! one pinned fingerprint proves a whole evidence package.

pub mod authority;
pub mod certificate;
pub mod dsse;
pub mod key;
pub mod ledger_mark;
pub mod log_checkpoint;
pub mod pages;
pub mod server;
pub mod signed;
pub mod tls;
pub mod token;

pub use authority::{Authority, AuthorityError};
pub use certificate::{Certificate, CertificateError, Fingerprint, Role};
pub use dsse::PayloadType;
pub use key::{KeyError, PublicKey, SecretKey, Signature};
pub use server::{RefusedServer, ServerProblem};
pub use signed::{Endorsement, SignatureProblem, SignedDocument};
pub use token::{InvitationId, InviteToken, TokenError};
