//! The only owner of a connection to the coordinator. It sends ids, digests, phases, and
//! [`Releasable`](fedval_disclosure::Releasable) results: it takes nothing else.

mod answer;
mod connection;
mod dial;
mod enrol;
mod error;
mod work;

pub use connection::Connection;
pub use dial::Coordinator;
pub use enrol::{Enrolment, enrol};
pub use error::EgressError;
pub use work::{Heard, Instance, JobPhase, LostPart, Offer, WorkStream};
