//! Raster to tensor: resize, order the axes.

use fedval_study::protocol::{Layout, ModelInput, Resize};
use ndarray::{Array2, Array3, Axis};

use super::fault::ImageFault;
use super::raster::{Raster, Size};
use super::resize::{bilinear, letterbox};

/// Resizes by the protocol's rule, repeats a grey plane for every channel and orders the axes.
pub(super) fn from_raster(raster: Raster, input: &ModelInput) -> Result<Vec<f32>, ImageFault> {
    let size = raster.size();
    let target = accept(size, input)?;
    let mut planes = raster.into_planes();
    if size != target {
        planes = resized(&planes, target, input.resize)?;
    }
    // An absurd slope or window in the file or the protocol.
    let tensor = ordered(planes, input.channels as usize, input.layout)?;
    if all_finite(&tensor) { Ok(tensor) } else { Err(ImageFault::ValueMapping) }
}

/// Subtracts the mean and divides by the standard deviation.
pub(super) fn standardised(value: f32, input: &ModelInput) -> f32 {
    narrowed((f64::from(value) - input.mean) / input.standard_deviation)
}

/// Whether every value is a number that can be computed with.
pub(super) fn all_finite(values: &[f32]) -> bool {
    // Without an early end, so that many are looked at in one step.
    values.iter().fold(true, |all, value| all & value.is_finite())
}

fn resized(planes: &Array3<f32>, target: Size, rule: Resize) -> Result<Array3<f32>, ImageFault> {
    let planes: Vec<Array2<f32>> = planes
        .outer_iter()
        .map(|plane| match rule {
            Resize::Letterbox => letterbox(&plane, target),
            Resize::Refuse | Resize::Bilinear => bilinear(&plane, target),
        })
        .collect();
    let views: Vec<_> = planes.iter().map(|plane| plane.view()).collect();
    ndarray::stack(Axis(0), &views).map_err(|_| ImageFault::PixelCount)
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

/// One plane serves every channel; otherwise there is a plane for each.
fn ordered(planes: Array3<f32>, channels: usize, layout: Layout) -> Result<Vec<f32>, ImageFault> {
    let (count, height, width) = planes.dim();
    if count == channels && layout == Layout::Nchw && planes.is_standard_layout() {
        return Ok(planes.into_raw_vec_and_offset().0);
    }
    let channels = planes.broadcast((channels, height, width)).ok_or(ImageFault::Colour)?;
    let axes = match layout {
        Layout::Nchw => [0, 1, 2],
        Layout::Nhwc => [1, 2, 0],
    };
    Ok(channels.permuted_axes(axes).iter().copied().collect())
}

/// To the precision that models compute in.
#[expect(clippy::cast_possible_truncation, reason = "the model's input is f32 by contract")]
pub(super) const fn narrowed(value: f64) -> f32 {
    value as f32
}
