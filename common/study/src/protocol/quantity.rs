//! The quantity that a regression estimates.

use serde::{Deserialize, Serialize};

use crate::canonical::{exact_i64, exact_u64};
use crate::id::Name;
use crate::measures::{Measure, MeasureRange};

/// Units of 10⁻⁶ in one.
const MICRO: f64 = 1e6;

/// A quantity with its bounds, in 10⁻⁶ of its unit.
///
/// References and predictions beyond the bounds count as the bound, and a patient's error beyond the largest counts as
/// the largest: what one patient can do to a mean is known before the first is seen. The closer the bounds are to what
/// is plausible, the finer are the grids on which means are released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// No difference smaller than this is told, whatever the number of patients.
    #[serde(serialize_with = "exact_u64")]
    pub grid_micro: u64,
    /// The largest error that a patient counts with, in either direction.
    #[serde(serialize_with = "exact_i64")]
    pub largest_error_micro: i64,
    /// Its least value.
    #[serde(serialize_with = "exact_i64")]
    pub lower_micro: i64,
    /// Its name.
    pub name: Name,
    /// Its unit for people, in UCUM where it has one there; empty of a plain number.
    pub unit: String,
    /// Its largest value.
    #[serde(serialize_with = "exact_i64")]
    pub upper_micro: i64,
}

impl Quantity {
    /// A number in 10⁻⁶, to the nearest; `None` of one that is not finite. Beyond what 64 bits hold, it is beyond all
    /// bounds as well.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded, and held to the ends of its type"
    )]
    pub fn micro(value: f64) -> Option<i64> {
        value.is_finite().then(|| (value * MICRO).round() as i64)
    }

    /// The nearest value between the bounds.
    #[must_use]
    pub fn clip(&self, value_micro: i64) -> i64 {
        value_micro.max(self.lower_micro).min(self.upper_micro)
    }

    /// What is measured of each patient, in the order in which it is released.
    #[must_use]
    pub fn measures(&self) -> Vec<MeasureRange> {
        let range = |measure, lower_micro, upper_micro| MeasureRange {
            measure,
            lower_micro,
            upper_micro,
            finest_micro: self.grid_micro,
        };
        vec![
            range(Measure::AbsoluteError, 0, self.largest_error_micro),
            range(Measure::Error, -self.largest_error_micro, self.largest_error_micro),
            range(Measure::Level, self.lower_micro, self.upper_micro),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_integers_or_nothing() {
        assert_eq!(Quantity::micro(-1.234_567_8), Some(-1_234_568));
        assert_eq!(Quantity::micro(1e300), Some(i64::MAX));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Quantity::micro(value), None);
        }
    }

    #[test]
    fn an_error_has_twice_the_room_of_its_size() {
        let quantity = Quantity {
            grid_micro: 10,
            largest_error_micro: 300,
            lower_micro: -100,
            name: "q".parse().unwrap(),
            unit: String::new(),
            upper_micro: 900,
        };
        let spans = quantity.measures().iter().map(MeasureRange::span_micro).collect::<Vec<_>>();
        assert_eq!(spans, [300, 600, 1_000]);
        assert_eq!((quantity.clip(-101), quantity.clip(901)), (-100, 900));
    }
}
