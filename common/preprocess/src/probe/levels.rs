//! Which stored values a protocol shows as black and white, and how they are rescaled.

use fedval_study::protocol::{ModelInput, ValueScaling};

use super::file::{Decimal, STORED_BITS};

/// The values of grey probes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    /// Below everything that is shown, or the smallest storable value.
    pub(super) black: i16,
    /// Above everything that is shown, or the largest storable value.
    pub(super) white: i16,
    pub(super) is_signed: bool,
    /// Slope and intercept.
    pub(super) rescale: [Decimal; 2],
    /// The file's own window.
    pub(super) window: [Decimal; 2],
}

/// Half of a window is between this many stored steps and ten times as many.
const FINEST: f64 = 100.0;
/// Centre and width, of soft tissue: from −160 to 239 by the function LINEAR.
const WINDOW: [Decimal; 2] = [Decimal::whole(40), Decimal::whole(400)];
/// Largest storable value, without a sign.
const LARGEST: i16 = (1 << STORED_BITS) - 1;

impl Levels {
    pub(super) fn of(input: &ModelInput) -> Self {
        match input.scaling {
            // Of the stored value: what the file says of rescaling is not asked.
            ValueScaling::Unit => Self {
                black: 0,
                white: LARGEST,
                is_signed: false,
                rescale: [Decimal::whole(2), Decimal::whole(-7)],
                window: WINDOW,
            },
            ValueScaling::Modality => Self {
                black: -LARGEST / 2 - 1,
                white: LARGEST / 2,
                is_signed: true,
                rescale: [Decimal::whole(2), Decimal::whole(-24)],
                window: WINDOW,
            },
            // Half a width beyond both ends of −160…239, from an intercept of −1024.
            ValueScaling::Voi => Self {
                black: 664,
                white: 1464,
                is_signed: true,
                rescale: [Decimal::whole(1), Decimal::whole(-1024)],
                window: WINDOW,
            },
            ValueScaling::Window { low, high } => Self::around(low, high),
        }
    }

    /// Values from a quarter of the window's width below it to as much above it.
    fn around(low: f64, high: f64) -> Self {
        let half = (high - low) / 2.0;
        let slope = step(half);
        let reach = whole(half / slope.value() * 1.5).saturating_add(1);
        let reach = i16::try_from(reach).unwrap_or(LARGEST / 2).clamp(1, LARGEST / 2);
        let digits = whole(f64::midpoint(low, high) / slope.value());
        Self {
            black: -reach,
            white: reach,
            is_signed: true,
            rescale: [slope, Decimal { digits, exponent: slope.exponent }],
            window: WINDOW,
        }
    }

    /// How far black and white are apart in the numbers of the protocol, before mean and standard deviation.
    pub(super) fn span(self, scaling: ValueScaling) -> f64 {
        match scaling {
            ValueScaling::Modality => {
                (f64::from(self.white) - f64::from(self.black)) * self.rescale[0].value()
            }
            ValueScaling::Unit | ValueScaling::Window { .. } | ValueScaling::Voi => 1.0,
        }
    }
}

/// The power of ten of which half of a window has from 100 to 1000. Found by trying: a logarithm is the machine's.
fn step(half: f64) -> Decimal {
    let mut step = Decimal { digits: 1, exponent: 0 };
    if !half.is_finite() || half <= 0.0 {
        return step;
    }
    while half / step.value() >= FINEST * 10.0 {
        step.exponent += 1;
    }
    while half / step.value() < FINEST {
        step.exponent -= 1;
    }
    step
}

#[expect(clippy::cast_possible_truncation, reason = "what is out of range ends at its end")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lies_inside_what_its_ramp_holds_with_hundreds_of_steps() {
        for (low, high) in [(-1350.0, 150.0), (0.0, 1.0), (0.0, 80.0), (-1e-9, 2e-9), (1e6, 9e6)] {
            let levels = Levels::around(low, high);
            let [slope, intercept] = levels.rescale.map(Decimal::value);
            let value = |stored: i16| f64::from(stored) * slope + intercept;
            let quarter = (high - low) / 5.0;
            assert!(value(levels.black) < low - quarter, "{low} {high}");
            assert!(value(levels.white) > high + quarter, "{low} {high}");
            let steps = (high - low) / slope;
            assert!((200.0..2000.0).contains(&steps), "{low} {high}: {steps}");
        }
    }

    #[test]
    fn the_window_of_a_lung_has_values_worked_out_by_hand() {
        // Half is 750, in steps of 1; the middle is −600; 750 · 1.5 + 1 = 1126.
        let levels = Levels::around(-1350.0, 150.0);
        assert_eq!((levels.black, levels.white), (-1126, 1126));
        assert_eq!(levels.rescale.map(|number| number.to_string()), ["1", "-600"]);
        // Half is 0.5, in steps of 0.001; the middle is 500 of them.
        let levels = Levels::around(0.0, 1.0);
        assert_eq!(levels.rescale.map(|number| number.to_string()), ["1E-3", "500E-3"]);
    }

    #[test]
    fn windows_that_are_none_end_the_search() {
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f64::MIN, f64::MAX), (0.0, f64::MIN_POSITIVE)]
        {
            let levels = Levels::around(low, high);
            assert!(levels.black < levels.white, "{low} {high}");
        }
    }
}
