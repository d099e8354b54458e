//! What surrounds every crate: time, randomness, problem codes with remedies, telemetry
//! set-up, how both binaries print, and what each problem code means.
//!
//! Time and randomness are values that are handed in, so that a test owns them.

pub mod clock;
pub mod entropy;
pub mod explain;
#[cfg(feature = "exposition")]
pub mod exposition;
mod plain;
pub mod problem;
pub mod telemetry;
pub mod terminal;

pub use clock::{Clock, MockClock, SystemClock, Timestamp};
pub use entropy::{Entropy, OsEntropy, SeededEntropy};
pub use plain::{is_plain, plain};
pub use problem::{Exit, Failure, Problem};
