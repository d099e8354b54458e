//! The only translator between the wire contract and the domain. Whatever is not in its declared
//! range is refused here, with the field's name and never its content.

mod classes;
mod coarse;
mod conditions;
mod detection;
mod dispatch;
mod error;
mod measures;
mod noisy;
mod performance;
mod primitive;
mod probes;
mod release;
mod result;
mod terms;

pub use dispatch::{
    dispatch_from_wire, dispatch_to_wire, endorsement_from_wire, endorsement_to_wire,
    signature_from_wire,
};
pub use error::WireError;
pub use primitive::{digest, id, wide_from_wire, wide_to_wire};
pub use result::{site_result_from_wire, site_result_to_wire};
