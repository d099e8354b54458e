//! Raster to tensor: standardise, resize, order the axes.

use fedval_study::protocol::{Layout, ModelInput, Resize};

use super::fault::ImageFault;
use super::raster::{Raster, Size};
use super::resize::{bilinear, letterbox};

/// Subtracts the mean, divides by the standard deviation, resizes by the protocol's rule, repeats
/// a grey plane for every channel and orders the axes.
pub(super) fn from_raster(raster: Raster, input: &ModelInput) -> Result<Vec<f32>, ImageFault> {
    let target = accept(raster.size, input)?;
    let planes: Vec<Vec<f32>> = raster
        .planes
        .into_iter()
        .map(|plane| {
            let plane = standardised(plane, input);
            match input.resize {
                _ if raster.size == target => plane,
                Resize::Letterbox => letterbox(&plane, raster.size, target),
                Resize::Refuse | Resize::Bilinear => bilinear(&plane, raster.size, target),
            }
        })
        .collect();
    // An absurd slope or window in the file or the protocol.
    if !planes.iter().flatten().all(|value| value.is_finite()) {
        return Err(ImageFault::ValueMapping);
    }
    Ok(ordered(&planes, input.channels as usize, target, input.layout))
}

/// The size that the model takes, where the protocol lets an image of `size` become that.
///
/// Readers ask before they decode: an image that is refused costs nothing.
pub(super) fn accept(size: Size, input: &ModelInput) -> Result<Size, ImageFault> {
    let target = Size::new(input.height as usize, input.width as usize)?;
    if input.resize == Resize::Refuse && size != target {
        return Err(ImageFault::Size);
    }
    Ok(target)
}

fn standardised(mut plane: Vec<f32>, input: &ModelInput) -> Vec<f32> {
    for value in &mut plane {
        let standard = (f64::from(*value) - input.mean) / input.standard_deviation;
        *value = narrowed(standard);
    }
    plane
}

fn ordered(planes: &[Vec<f32>], channels: usize, size: Size, layout: Layout) -> Vec<f32> {
    // One plane serves every channel; otherwise there is a plane for each.
    let plane = |channel: usize| &planes[channel % planes.len()];
    match layout {
        Layout::Nchw => (0..channels).flat_map(|c| plane(c).iter().copied()).collect(),
        Layout::Nhwc => {
            let mut values = Vec::with_capacity(size.pixels() * channels);
            for place in 0..size.pixels() {
                values.extend((0..channels).map(|c| plane(c)[place]));
            }
            values
        }
    }
}

/// To the precision that models compute in.
#[expect(clippy::cast_possible_truncation, reason = "the model's input is f32 by contract")]
pub(super) const fn narrowed(value: f64) -> f32 {
    value as f32
}
