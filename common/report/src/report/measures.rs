//! What a report of measures holds beside metrics.

use fedval_study::protocol::Quantity;
use fedval_study::{Measure, Name};
use serde::{Deserialize, Serialize};

/// Units of 10⁻⁶ in one.
const MICRO: f64 = 1e6;

/// The quantity that a regression estimates, in its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantitySection {
    /// No difference smaller than this was told.
    pub grid: f64,
    /// The largest error that a patient counts with.
    pub largest_error: f64,
    /// Its least value; lesser ones count as it.
    pub lower: f64,
    /// Its name.
    pub name: Name,
    /// Its unit; empty of a plain number.
    pub unit: String,
    /// Its largest value; larger ones count as it.
    pub upper: f64,
}

/// One measure of one site as it was released, in its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteMeasure {
    /// Distance of two means that can be told apart.
    pub grid: f64,
    /// Mean over patients.
    pub mean: f64,
    /// The measure.
    pub measure: Measure,
    /// Standard deviation over patients, in two figures.
    pub sd: f64,
}

impl QuantitySection {
    /// That of a protocol.
    #[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
    pub(crate) fn of(quantity: &Quantity) -> Self {
        Self {
            grid: quantity.grid_micro as f64 / MICRO,
            largest_error: quantity.largest_error_micro as f64 / MICRO,
            lower: quantity.lower_micro as f64 / MICRO,
            name: quantity.name.clone(),
            unit: quantity.unit.clone(),
            upper: quantity.upper_micro as f64 / MICRO,
        }
    }
}
