//! Pixels as numbers for the model, before resizing.

use ndarray::Array3;

use crate::Unfit;

/// Longest side of an image, in pixels; no larger one is allocated.
pub const MAX_SIDE: usize = 16_384;

/// Height and width in pixels, both from 1 to [`MAX_SIDE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Size {
    /// Checks a size before anything is allocated for it.
    ///
    /// # Errors
    ///
    /// [`Unfit::Size`] of one that is not read.
    pub fn new(height: usize, width: usize) -> Result<Self, Unfit> {
        let readable = 1..=MAX_SIDE;
        if readable.contains(&height) && readable.contains(&width) {
            Ok(Self { height, width })
        } else {
            Err(Unfit::Size)
        }
    }

    /// Pixels of a plane.
    #[must_use]
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// Values of an image: one plane or three, then rows from the top, then columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster(Array3<f32>);

impl Raster {
    /// Stacks planes that each hold every pixel of an image of `size`.
    ///
    /// # Errors
    ///
    /// [`Unfit::PixelCount`] where one does not.
    pub fn new(size: Size, planes: Vec<Vec<f32>>) -> Result<Self, Unfit> {
        let shape = (planes.len(), size.height, size.width);
        let mut planes = planes.into_iter();
        let mut values = planes.next().unwrap_or_default();
        planes.for_each(|plane| values.extend_from_slice(&plane));
        let values = Array3::from_shape_vec(shape, values);
        values.map(Self).map_err(|_| Unfit::PixelCount)
    }

    /// Height and width.
    #[must_use]
    pub fn size(&self) -> Size {
        let (_, height, width) = self.0.dim();
        Size { height, width }
    }

    /// Planes, rows, columns.
    #[must_use]
    pub fn into_planes(self) -> Array3<f32> {
        self.0
    }
}
