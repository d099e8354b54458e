//! Calibration: the calibration line, calibration-in-the-large, and summary measures.
//!
//! [`fit`] gives the weak calibration of TRIPOD+AI (intercept and slope of the outcome on the
//! logit of the probability, and calibration-in-the-large); [`log_oe`] the ratio of observed to
//! expected events for synthesis; [`ece`] and [`ici_loess`] summarise a curve; [`brier_score`],
//! [`brier_scaled`], [`brier_decomposition`], [`log_loss`] and [`spiegelhalter`] are overall measures.

mod bins;
mod brier;
mod brier_decomposition;
mod in_the_large;
mod line;
mod loess;
mod log_loss;
mod observed_expected;
mod recalibration;
mod sandwich;
mod smooth;
mod spiegelhalter;

pub use bins::{CalibrationBin, bin_table, ece, mce};
pub use brier::{brier_scaled, brier_score};
pub use brier_decomposition::{BrierDecomposition, brier_decomposition};
pub use in_the_large::{InTheLarge, citl};
pub use line::fit;
pub use log_loss::log_loss;
pub use observed_expected::log_oe;
pub use recalibration::{RecalibrationTest, recalibration_test};
pub use smooth::{SmoothCalibration, ici_loess};
pub use spiegelhalter::{Spiegelhalter, spiegelhalter};

use crate::NotEstimable;
use crate::count::len_to_f64;

/// One case as the calibration models see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationCase {
    /// The log-odds that the model gave; finite.
    pub logit: f64,
    /// Whether the target condition is present.
    pub event: bool,
    /// The patient's index: cases of one patient share it.
    pub cluster: u32,
}

/// How the covariance of coefficients is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Covariance {
    /// The inverse information: for independent cases.
    ModelBased,
    /// The sandwich over clusters with the factor G / (G − 1): for several cases of one patient.
    ClusterRobust,
}

/// A fitted calibration line, on the logit scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Intercept of `logit P(y = 1) = intercept + slope · logit p`; 0 is ideal (with slope 1).
    pub intercept: f64,
    /// Slope of the same model; 1 is ideal, below 1 is overconfident.
    pub slope: f64,
    /// Covariance matrix of intercept and slope, in this order.
    pub covariance: [[f64; 2]; 2],
    /// Calibration-in-the-large: the intercept with the slope fixed at 1; 0 is ideal.
    pub citl: f64,
    /// Standard error of `citl`.
    pub se_citl: f64,
}

/// The number of events, for cases that hold both classes and finite logits.
fn events_of_both_classes(rows: &[CalibrationCase]) -> Result<f64, NotEstimable> {
    if rows.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    if rows.iter().any(|row| !row.logit.is_finite()) {
        return Err(NotEstimable::InvalidInput);
    }
    let events = rows.iter().filter(|row| row.event).count();
    if events == 0 || events == rows.len() {
        return Err(NotEstimable::OneClassOnly);
    }
    Ok(len_to_f64(events))
}

/// Refuses an empty set of probabilities and numbers that are no probabilities.
fn require_probabilities(rows: &[(f64, bool)]) -> Result<(), NotEstimable> {
    if rows.is_empty() {
        Err(NotEstimable::EmptyInput)
    } else if rows.iter().any(|(p, _)| !(0.0..=1.0).contains(p)) {
        Err(NotEstimable::InvalidInput)
    } else {
        Ok(())
    }
}

/// 1 for an event, 0 for none.
fn outcome(event: bool) -> f64 {
    f64::from(u8::from(event))
}
