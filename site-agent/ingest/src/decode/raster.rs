//! Pixels as numbers for the model, before resizing.

use ndarray::Array3;

use super::MAX_SIDE;
use super::fault::ImageFault;

/// Height and width in pixels, both from 1 to [`MAX_SIDE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Size {
    /// Checks a size before anything is allocated for it.
    pub(super) fn new(height: usize, width: usize) -> Result<Self, ImageFault> {
        let readable = 1..=MAX_SIDE;
        if readable.contains(&height) && readable.contains(&width) {
            Ok(Self { height, width })
        } else {
            Err(ImageFault::Size)
        }
    }

    pub(super) const fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// Values of an image: one plane or three, then rows from the top, then columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raster(Array3<f32>);

impl Raster {
    /// Stacks planes that each hold every pixel of an image of `size`.
    pub(super) fn new(size: Size, planes: Vec<Vec<f32>>) -> Result<Self, ImageFault> {
        let shape = (planes.len(), size.height, size.width);
        let mut planes = planes.into_iter();
        let mut values = planes.next().unwrap_or_default();
        planes.for_each(|plane| values.extend_from_slice(&plane));
        let values = Array3::from_shape_vec(shape, values);
        values.map(Self).map_err(|_| ImageFault::PixelCount)
    }

    pub(super) fn size(&self) -> Size {
        let (_, height, width) = self.0.dim();
        Size { height, width }
    }

    pub(super) fn into_planes(self) -> Array3<f32> {
        self.0
    }
}
