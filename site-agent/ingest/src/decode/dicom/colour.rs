//! Luminance and differences to red, green and blue (PS3.3 C.7.6.3.1.2, ITU-T T.871).

use super::description::SampleForm;
use super::samples::{Samples, narrow};
use crate::decode::fault::ImageFault;

/// Weight of red in luminance; green has what red and blue leave.
const RED: f64 = 0.299;
/// Weight of blue.
const BLUE: f64 = 0.114;

/// Converts planes of Y, Cb and Cr, whose differences are counted from the middle of the range.
pub(super) fn rgb(planes: [Samples; 3], form: SampleForm) -> Result<[Samples; 3], ImageFault> {
    let [Samples::Narrow(y), Samples::Narrow(b), Samples::Narrow(r)] = planes else {
        return Err(ImageFault::BitDepth);
    };
    let largest = f64::from((1_u32 << form.stored()) - 1);
    let middle = f64::from(1_u32 << (form.stored() - 1));
    let green = 1.0 - RED - BLUE;
    let pixels = || {
        y.iter()
            .zip(&b)
            .zip(&r)
            .map(|((y, b), r)| (f64::from(*y), f64::from(*b) - middle, f64::from(*r) - middle))
    };
    let stored = |value: f64| nearest(value, largest);
    Ok([
        pixels().map(|(y, _, r)| stored(y + 2.0 * (1.0 - RED) * r)).collect(),
        pixels()
            .map(|(y, b, r)| {
                let blue = BLUE * 2.0 * (1.0 - BLUE) / green * b;
                stored(y - blue - RED * 2.0 * (1.0 - RED) / green * r)
            })
            .collect(),
        pixels().map(|(y, b, _)| stored(y + 2.0 * (1.0 - BLUE) * b)).collect(),
    ]
    .map(Samples::Narrow))
}

/// The storable value nearest to `value`, halves upwards.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of 16 bits"
)]
fn nearest(value: f64, largest: f64) -> u16 {
    narrow((value + 0.5).floor().clamp(0.0, largest) as u32)
}

#[cfg(test)]
mod tests {
    use super::super::description::Allocated;
    use super::*;

    #[test]
    fn grey_stays_grey_and_the_corners_of_the_standard_are_met() {
        let form = SampleForm::new(Allocated::Eight, 8, 7, false).unwrap();
        let planes = [[0, 255, 76, 150, 29], [128, 128, 85, 44, 255], [128, 128, 255, 21, 107]];
        let planes = planes.map(|plane| Samples::Narrow(plane.to_vec()));
        let expected = [[0, 255, 254, 0, 0], [0, 255, 0, 255, 0], [0, 255, 0, 1, 254]];
        let expected = expected.map(|plane| Samples::Narrow(plane.to_vec()));
        assert_eq!(rgb(planes, form), Ok(expected));
    }
}
