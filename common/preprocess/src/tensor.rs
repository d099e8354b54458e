//! Raster to tensor: resize, order the axes.

use fedval_study::protocol::{Layout, ModelInput, Resize};
use ndarray::{Array2, Array3, Axis};

use crate::resize::{bilinear, letterbox};
use crate::{Raster, Size, Unfit};

/// Resizes by the protocol's rule, repeats a grey plane for every channel and orders the axes: values in the
/// protocol's axis order, without the batch axis.
///
/// # Errors
///
/// [`Unfit`] where the protocol does not take the size, the channels, or a value that is no number.
pub fn from_raster(raster: Raster, input: &ModelInput) -> Result<Vec<f32>, Unfit> {
    let size = raster.size();
    let target = accept(size, input)?;
    let mut planes = raster.into_planes();
    if size != target {
        planes = resized(&planes, target, input.resize)?;
    }
    // An absurd slope or window in the file or the protocol.
    let tensor = ordered(planes, input.channels as usize, input.layout)?;
    if all_finite(&tensor) { Ok(tensor) } else { Err(Unfit::ValueMapping) }
}

/// Whether every value is a number that can be computed with.
#[must_use]
pub fn all_finite(values: &[f32]) -> bool {
    // Without an early end, so that many are looked at in one step.
    values.iter().fold(true, |all, value| all & value.is_finite())
}

fn resized(planes: &Array3<f32>, target: Size, rule: Resize) -> Result<Array3<f32>, Unfit> {
    let planes: Vec<Array2<f32>> = planes
        .outer_iter()
        .map(|plane| match rule {
            Resize::Letterbox => letterbox(&plane, target),
            Resize::Refuse | Resize::Bilinear => bilinear(&plane, target),
        })
        .collect();
    let views: Vec<_> = planes.iter().map(|plane| plane.view()).collect();
    ndarray::stack(Axis(0), &views).map_err(|_| Unfit::PixelCount)
}

/// The size that the model takes, where the protocol lets an image of `size` become that.
///
/// Readers ask before they decode: an image that is refused costs nothing.
///
/// # Errors
///
/// [`Unfit::Size`] where it does not.
pub fn accept(size: Size, input: &ModelInput) -> Result<Size, Unfit> {
    let target = Size::new(input.height as usize, input.width as usize)?;
    if input.resize == Resize::Refuse && size != target {
        return Err(Unfit::Size);
    }
    Ok(target)
}

/// One plane serves every channel; otherwise there is a plane for each.
fn ordered(planes: Array3<f32>, channels: usize, layout: Layout) -> Result<Vec<f32>, Unfit> {
    let (count, height, width) = planes.dim();
    if count == channels && layout == Layout::Nchw && planes.is_standard_layout() {
        return Ok(planes.into_raw_vec_and_offset().0);
    }
    let channels = planes.broadcast((channels, height, width)).ok_or(Unfit::Colour)?;
    let axes = match layout {
        Layout::Nchw => [0, 1, 2],
        Layout::Nhwc => [1, 2, 0],
    };
    Ok(channels.permuted_axes(axes).iter().copied().collect())
}
