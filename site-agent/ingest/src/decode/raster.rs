//! Pixels after value scaling, before resizing.

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

/// Values of an image, one plane after the other (1 or 3), rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raster {
    pub(super) size: Size,
    pub(super) planes: Vec<Vec<f32>>,
}
