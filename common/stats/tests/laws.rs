//! Algebraic laws that hold for any data.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the counts of a test are small"
)]

#[path = "laws/aggregates.rs"]
mod aggregates;
#[path = "laws/estimates.rs"]
mod estimates;
#[path = "laws/hostile.rs"]
mod hostile;
#[path = "laws/surfaces.rs"]
mod surfaces;
#[path = "laws/synthesis.rs"]
mod synthesis;
