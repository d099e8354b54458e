//! The only owner of a connection to the coordinator. It sends ids, digests, phases, and
//! [`Releasable`](fedval_disclosure::Releasable) results: it takes nothing else.

mod answer;
mod connection;
mod date;
mod dial;
mod dial_error;
mod enrol;
mod error;
mod first_bytes;
mod interceptor;
mod log;
mod part_file;
mod proxy;
mod tunnel;
mod work;

pub use connection::Connection;
pub use dial::Coordinator;
pub use dial_error::{DialError, DialStep, ProxyAsks};
pub use enrol::{Enrolment, enrol};
pub use error::EgressError;
pub use log::LogExtension;
pub use part_file::part_of;
pub use proxy::{Proxy, ProxyCredentials, ProxyError};
pub use work::{Heard, Instance, JobPhase, LostPart, Offer, WorkStream};
