//! Control charts over rounds: has a number drifted from where it was?
//!
//! [`cusum`] and [`ewma`] for any number with a known centre and spread (an AUROC with its baseline),
//! [`p_chart`] and [`log_likelihood_cusum`] for counts (sensitivity by round), [`funnel_limits`] for sites of
//! different sizes beside each other. A signal is named by its round, counted from 1.

mod cusum;
mod ewma;
mod proportion;

pub use cusum::{Cusum, cusum, log_likelihood_cusum, shewhart_signal};
pub use ewma::{Ewma, ewma};
pub use proportion::{PChartPoint, funnel_limits, p_chart};

use crate::NotEstimable;

/// A baseline: where a number was, and how much it varied. Both finite, the spread above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    centre: f64,
    sd: f64,
}

impl Baseline {
    /// Accepts a baseline.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where a number is not finite, [`NotEstimable::ZeroVariance`] where
    /// the spread is not above 0.
    pub fn new(centre: f64, sd: f64) -> Result<Self, NotEstimable> {
        if !centre.is_finite() || !sd.is_finite() {
            return Err(NotEstimable::InvalidInput);
        }
        if sd > 0.0 { Ok(Self { centre, sd }) } else { Err(NotEstimable::ZeroVariance) }
    }

    /// Each number in standard deviations from the centre.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where one is not finite.
    fn standardised(&self, series: &[f64]) -> Result<Vec<f64>, NotEstimable> {
        if series.iter().any(|x| !x.is_finite()) {
            return Err(NotEstimable::InvalidInput);
        }
        Ok(series.iter().map(|x| (x - self.centre) / self.sd).collect())
    }
}

/// The first round that signals.
fn first_signal(signals: impl IntoIterator<Item = bool>) -> Option<usize> {
    signals.into_iter().position(|signals| signals).map(|place| place + 1)
}

/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number overflowed.
fn all_finite<'n>(mut numbers: impl Iterator<Item = &'n f64>) -> Result<(), NotEstimable> {
    if numbers.all(|x| x.is_finite()) { Ok(()) } else { Err(NotEstimable::InvalidInput) }
}
