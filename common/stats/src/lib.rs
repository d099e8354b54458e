//! Pure mathematics of validation: estimators and synthesis.
//!
//! A site reduces its cases to integer aggregates ([`aggregate`]); the coordinator computes estimates from
//! them and synthesises those of several sites.
//!
//! - **Discrimination**: [`auroc`], [`pooled_roc`], [`multiclass`], [`multilabel`], [`mrmc`]; at thresholds
//!   [`proportion`], [`paired`], [`decision_curve`]; [`detection`] and [`segmentation`] for lesions and masks.
//! - **Calibration**: [`calibration`].
//! - **Across sites**: [`synthesis`], [`binomial_glmm`], [`bivariate`].
//! - **Across groups, time and conditions**: [`fairness`], [`multiplicity`], [`shift`], [`control_chart`],
//!   [`robustness`], [`localisation`]; among readers [`agreement`].
//! - **Before a study**: [`sample_size`].
//!
//! Three rules hold throughout, and other crates rely on them:
//!
//! - **No I/O, clock or randomness.** A result is a function of its arguments.
//! - **No NaN, no infinity.** What cannot be estimated is a [`NotEstimable`] reason.
//! - **The same bytes on every machine.** Every transcendental function is the pure-Rust one of
//!   `libm`, and every sum runs left to right in input order.

pub mod aggregate;
pub mod agreement;
pub mod auroc;
pub mod binomial_glmm;
pub mod bivariate;
pub mod calibration;
pub mod control_chart;
pub mod decision_curve;
pub mod detection;
pub mod fairness;
pub mod grid;
pub mod interval;
pub mod localisation;
pub mod mrmc;
pub mod multiclass;
pub mod multilabel;
pub mod multiplicity;
pub mod not_estimable;
pub mod paired;
pub mod pooled_roc;
pub mod proportion;
pub mod robustness;
pub mod sample_size;
pub mod scale;
pub mod segmentation;
pub mod shift;
pub mod synthesis;

mod count;
mod descent;
mod linear;
mod pairwise;
mod predictive;
mod root;
mod special;
mod wide;

pub use interval::Interval;
pub use not_estimable::NotEstimable;
