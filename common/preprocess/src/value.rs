//! One value, one plane, one frame: the small rules that every format shares.

use fedval_study::protocol::{FrameChoice, ModelInput, ValueScaling};

use crate::Unfit;

/// A file without rescale or window: the stored value is the modality value, and all of it is shown. `max` is the
/// largest storable value.
pub fn scale(max: u16, scaling: ValueScaling) -> impl Fn(u16) -> f32 {
    move |value| match scaling {
        ValueScaling::Unit | ValueScaling::Voi => f32::from(value) / f32::from(max),
        ValueScaling::Modality => f32::from(value),
        ValueScaling::Window { low, high } => narrowed(windowed(f64::from(value), low, high)),
    }
}

/// Clips `value` to `low`…`high` and maps it to 0…1.
#[must_use]
pub fn windowed(value: f64, low: f64, high: f64) -> f64 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}

/// Subtracts the mean and divides by the standard deviation.
#[must_use]
pub fn standardised(value: f32, input: &ModelInput) -> f32 {
    narrowed((f64::from(value) - input.mean) / input.standard_deviation)
}

/// To the precision that models compute in.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the model's input is f32 by contract")]
pub const fn narrowed(value: f64) -> f32 {
    value as f32
}

/// One plane for a grey image that is stored as colour; three only where the model takes three.
///
/// # Errors
///
/// [`Unfit::Colour`] for colour where the model takes none.
pub fn coloured_planes<S: Eq>(planes: [Vec<S>; 3], wanted: u32) -> Result<Vec<Vec<S>>, Unfit> {
    let [red, green, blue] = planes;
    if red == green && green == blue {
        return Ok(vec![red]);
    }
    if wanted == 3 { Ok(vec![red, green, blue]) } else { Err(Unfit::Colour) }
}

/// The place, counted from 0, of the frame that the protocol asks for among `frames`, which are at least one.
///
/// # Errors
///
/// [`Unfit::MultiFrame`] where there are several and the protocol names none; [`Unfit::FrameAbsent`] where the one
/// that it names is not there.
pub fn chosen_frame(frames: u32, choice: FrameChoice) -> Result<u32, Unfit> {
    match choice {
        FrameChoice::Only if frames > 1 => Err(Unfit::MultiFrame),
        FrameChoice::Only => Ok(0),
        FrameChoice::Middle => Ok(frames.saturating_sub(1) / 2),
        FrameChoice::Number(number) => {
            number.checked_sub(1).filter(|index| *index < frames).ok_or(Unfit::FrameAbsent)
        }
    }
}
