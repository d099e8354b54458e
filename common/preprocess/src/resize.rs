//! Bilinear resizing with half-pixel centres and clamped borders, as ONNX `Resize` with
//! `coordinate_transformation_mode = half_pixel` and no antialiasing.

use ndarray::{Array2, ArrayView2};

use crate::Size;

/// Where a target pixel lies between two source pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    pub(crate) low: usize,
    pub(crate) high: usize,
    /// Weight of `high`.
    pub(crate) share: f32,
}

/// Stretches `plane` to `target`; the aspect ratio is not kept.
pub(crate) fn bilinear(plane: &ArrayView2<'_, f32>, target: Size) -> Array2<f32> {
    let (height, width) = plane.dim();
    let (rows, columns) = (taps(height, target.height), taps(width, target.width));
    Array2::from_shape_fn((target.height, target.width), |(row, column)| {
        let (row, column) = (rows[row], columns[column]);
        let across =
            |line| mixed(plane[[line, column.low]], plane[[line, column.high]], column.share);
        mixed(across(row.low), across(row.high), row.share)
    })
}

/// Shrinks or grows `plane` until it fits `target`, centres it, and fills the border with 0.
pub(crate) fn letterbox(plane: &ArrayView2<'_, f32>, target: Size) -> Array2<f32> {
    let (height, width) = plane.dim();
    let (inner, top, left) = letterboxed(Size { height, width }, target);
    let fitted = bilinear(plane, inner);
    Array2::from_shape_fn((target.height, target.width), |(row, column)| {
        let inside = row.checked_sub(top).zip(column.checked_sub(left));
        inside.and_then(|(row, column)| fitted.get((row, column))).copied().unwrap_or(0.0)
    })
}

/// The size that an image of `from` has inside `target`, and how many rows are above it and columns to its left.
pub(crate) fn letterboxed(from: Size, target: Size) -> (Size, usize, usize) {
    let inner = fitting(from, target);
    (inner, (target.height - inner.height) / 2, (target.width - inner.width) / 2)
}

/// The largest size inside `target` with the aspect ratio of `from`, rounded half up, in integers
/// so that every machine agrees.
fn fitting(from: Size, target: Size) -> Size {
    let scaled = |side: usize, numerator: usize, denominator: usize| {
        ((2 * side * numerator + denominator) / (2 * denominator)).max(1)
    };
    if target.width * from.height <= target.height * from.width {
        let height = scaled(from.height, target.width, from.width);
        Size { height: height.min(target.height), width: target.width }
    } else {
        let width = scaled(from.width, target.height, from.height);
        Size { height: target.height, width: width.min(target.width) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides are at most 16,384")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the position is clamped to 0 and the last pixel; the share is an input of f32"
)]
pub(crate) fn taps(from: usize, target: usize) -> Vec<Tap> {
    let scale = from as f64 / target as f64;
    let last = from - 1;
    (0..target)
        .map(|pixel| {
            let position = ((pixel as f64 + 0.5) * scale - 0.5).clamp(0.0, last as f64);
            let low = (position.floor() as usize).min(last);
            Tap { low, high: (low + 1).min(last), share: (position - low as f64) as f32 }
        })
        .collect()
}

pub(crate) fn mixed(low: f32, high: f32, share: f32) -> f32 {
    low + (high - low) * share
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn size(height: usize, width: usize) -> Size {
        Size { height, width }
    }

    #[test]
    fn doubling_a_ramp_gives_the_half_pixel_values_of_onnx() {
        // ONNX operator tests, Resize, test_resize_upsample_scales_linear (half_pixel).
        let doubled = bilinear(&array![[1.0, 2.0], [3.0, 4.0]].view(), size(4, 4));
        let expected = [
            1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3.0, 3.25, 3.75, 4.0,
        ];
        assert!(doubled.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{doubled:?}");
    }

    #[test]
    fn a_constant_image_stays_constant() {
        let resized = bilinear(&Array2::from_elem((5, 7), 0.7).view(), size(16, 3));
        assert!(resized.iter().all(|v| (v - 0.7).abs() < 1e-6));
        assert_eq!(resized.len(), 48);
    }

    #[test]
    fn a_wide_image_is_centred_between_two_bars() {
        let boxed = letterbox(&Array2::ones((2, 4)).view(), size(4, 4));
        for (row, expected) in [0.0_f32, 1.0, 1.0, 0.0].into_iter().enumerate() {
            assert!(boxed.row(row).iter().all(|v| (v - expected).abs() < 1e-6), "{boxed}");
        }
    }

    #[test]
    fn a_very_narrow_image_keeps_at_least_one_column() {
        assert_eq!(fitting(size(10_000, 1), size(16, 16)), size(16, 1));
    }
}
