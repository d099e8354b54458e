//! The way back: from the frame that a model saw to the pixels of the image itself.
//!
//! The inverse of the protocol's resize. A pixel of the image takes what the frame shows at its middle, between four
//! pixels of the frame by bilinear interpolation, as the frame took its own from the image. Numbers are interpolated,
//! and not a mask that was made of them: a contour then runs between pixels where the numbers say so, and does not
//! follow the steps of the smaller grid. What a letterbox added around the image is cut off first and speaks of none.

use fedval_study::protocol::{Layout, ModelInput, Resize};

use crate::resize::{Tap, letterboxed, mixed, taps};
use crate::{Size, Unfit, accept};

/// Where an image lies in the frame that a model sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    image: Size,
    frame: Size,
    /// The part of the frame that shows the image.
    shown: Size,
    /// Rows above it, and columns to its left.
    top: usize,
    left: usize,
}

impl Placement {
    /// Where preprocessing puts an image of this size.
    ///
    /// # Errors
    ///
    /// [`Unfit::Size`] of one that the protocol does not take.
    pub fn of(image: Size, input: &ModelInput) -> Result<Self, Unfit> {
        let frame = accept(image, input)?;
        let (shown, top, left) = match input.resize {
            Resize::Letterbox if image != frame => letterboxed(image, frame),
            Resize::Refuse | Resize::Bilinear | Resize::Letterbox => (frame, 0, 0),
        };
        Ok(Self { image, frame, shown, top, left })
    }

    /// Hands each pixel of the image, by its place in C order, the numbers of all channels there. `values` are those of
    /// an output of batch one with the input's height, width and order of axes.
    ///
    /// # Errors
    ///
    /// [`Unfit::PixelCount`] where `values` are fewer or more than `channels` of the frame hold.
    pub fn each_pixel(
        &self,
        values: &[f32],
        layout: Layout,
        channels: usize,
        mut pixel: impl FnMut(usize, &[f32]),
    ) -> Result<(), Unfit> {
        if channels.checked_mul(self.frame.pixels()) != Some(values.len()) {
            return Err(Unfit::PixelCount);
        }
        let place = |channel: usize, row: usize, column: usize| {
            let at = (self.top + row) * self.frame.width + self.left + column;
            match layout {
                Layout::Nchw => channel * self.frame.pixels() + at,
                Layout::Nhwc => at * channels + channel,
            }
        };
        let between = |channel: usize, row: Tap, column: Tap| {
            let number = |row: usize, column: usize| values[place(channel, row, column)];
            let across =
                |row: usize| mixed(number(row, column.low), number(row, column.high), column.share);
            mixed(across(row.low), across(row.high), row.share)
        };
        let columns = taps(self.shown.width, self.image.width);
        let mut numbers = vec![0.0; channels];
        for (down, row) in taps(self.shown.height, self.image.height).into_iter().enumerate() {
            for (along, column) in columns.iter().enumerate() {
                for (channel, number) in numbers.iter_mut().enumerate() {
                    *number = between(channel, row, *column);
                }
                pixel(down * self.image.width + along, &numbers);
            }
        }
        Ok(())
    }

    /// A point of the frame in the image, both in pixels from their left and upper outer edges; one beside the image,
    /// in what a letterbox added, goes to the nearest edge.
    #[must_use]
    pub fn point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let along = |at: f64, before: usize, shown: usize, side: usize| {
            let share = (at - count(before)) / count(shown);
            (share * count(side)).clamp(0.0, count(side))
        };
        [
            along(x, self.left, self.shown.width, self.image.width),
            along(y, self.top, self.shown.height, self.image.height),
        ]
    }

    /// Width and height of the frame in pixels.
    #[must_use]
    pub fn frame_sides(&self) -> [f64; 2] {
        [count(self.frame.width), count(self.frame.height)]
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides are at most 16,384")]
const fn count(pixels: usize) -> f64 {
    pixels as f64
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::{FrameChoice, Monochrome1, ValueScaling};

    use super::*;
    use crate::{Raster, from_raster};

    fn input(height: u32, width: u32, resize: Resize) -> ModelInput {
        ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height,
            width,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
            volume: None,
        }
    }

    fn back(image: Size, input: &ModelInput, channels: usize, values: &[f32]) -> Vec<Vec<f32>> {
        let mut found = vec![Vec::new(); image.pixels()];
        let placement = Placement::of(image, input).unwrap();
        let each = |place: usize, numbers: &[f32]| found[place] = numbers.to_vec();
        placement.each_pixel(values, input.layout, channels, each).unwrap();
        found
    }

    #[test]
    fn an_image_of_the_frames_size_comes_back_as_it_is() {
        let values = [0.1, 0.9, 0.5, 0.25, 0.75, 0.0];
        let image = Size { height: 2, width: 3 };
        for resize in [Resize::Refuse, Resize::Bilinear, Resize::Letterbox] {
            let found = back(image, &input(2, 3, resize), 1, &values).concat();
            assert!(found.iter().zip(values).all(|(one, other)| one.to_bits() == other.to_bits()));
        }
    }

    #[test]
    fn channels_are_found_in_either_order_of_axes() {
        let image = Size { height: 1, width: 2 };
        let first = back(image, &input(1, 2, Resize::Refuse), 2, &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(first, [[1.0, 3.0], [2.0, 4.0]]);
        let last = ModelInput { layout: Layout::Nhwc, ..input(1, 2, Resize::Refuse) };
        assert_eq!(back(image, &last, 2, &[1.0, 2.0, 3.0, 4.0]), [[1.0, 2.0], [3.0, 4.0]]);
    }

    /// A ramp is a straight line on either grid, all but at its ends, where the frame shows nothing beyond.
    #[test]
    fn a_ramp_goes_to_the_frame_and_comes_back() {
        for (image, resize) in [
            (Size { height: 40, width: 60 }, Resize::Bilinear),
            (Size { height: 40, width: 60 }, Resize::Letterbox),
            (Size { height: 10, width: 7 }, Resize::Letterbox),
        ] {
            let input = input(20, 20, resize);
            let ramp = |row: usize, column: usize| 3.0 * count(row) - 2.0 * count(column);
            let places = (0..image.pixels()).map(|at| (at / image.width, at % image.width));
            let ramp: Vec<f32> = places.map(|(row, column)| single(ramp(row, column))).collect();
            let raster = Raster::new(image, vec![ramp.clone()]).unwrap();
            let frame = from_raster(raster, &input).unwrap();
            let found = back(image, &input, 1, &frame).concat();
            let (inner_rows, inner_columns) = (3..image.height - 3, 3..image.width - 3);
            for row in inner_rows {
                for column in inner_columns.clone() {
                    let at = row * image.width + column;
                    assert!((found[at] - ramp[at]).abs() < 1e-3, "{resize:?} {row} {column}");
                }
            }
        }
    }

    #[test]
    fn points_come_back_from_between_the_bars() {
        let image = Size { height: 20, width: 40 };
        let placement = Placement::of(image, &input(10, 10, Resize::Letterbox)).unwrap();
        // Five rows show the image, below two.
        assert_eq!(placement.point([0.0, 2.0]).to_vec(), [0.0, 0.0]);
        assert_eq!(placement.point([5.0, 4.5]).to_vec(), [20.0, 10.0]);
        assert_eq!(placement.point([10.0, 7.0]).to_vec(), [40.0, 20.0]);
        assert_eq!(placement.point([10.0, 10.0]).to_vec(), [40.0, 20.0]);
        let stretched = Placement::of(image, &input(10, 10, Resize::Bilinear)).unwrap();
        assert_eq!(stretched.point([5.0, 4.5]).to_vec(), [20.0, 9.0]);
        assert_eq!(stretched.frame_sides().to_vec(), [10.0, 10.0]);
    }

    #[test]
    fn an_output_of_another_size_is_refused() {
        let image = Size { height: 2, width: 3 };
        let input = input(2, 3, Resize::Refuse);
        let placement = Placement::of(image, &input).unwrap();
        for count in [0, 5, 7, 12] {
            let refused = placement.each_pixel(&vec![0.0; count], input.layout, 1, |_, _| ());
            assert_eq!(refused, Err(Unfit::PixelCount));
        }
        assert_eq!(Placement::of(Size { height: 3, width: 2 }, &input), Err(Unfit::Size));
    }

    #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
    const fn single(number: f64) -> f32 {
        number as f32
    }
}
