//! Bilinear resizing with half-pixel centres and clamped borders, as ONNX `Resize` with
//! `coordinate_transformation_mode = half_pixel` and no antialiasing.

use super::raster::Size;

/// Where a target pixel lies between two source pixels.
#[derive(Debug, Clone, Copy)]
struct Tap {
    low: usize,
    high: usize,
    /// Weight of `high`.
    share: f32,
}

/// Stretches `plane` to `target`; the aspect ratio is not kept.
pub(super) fn bilinear(plane: &[f32], from: Size, target: Size) -> Vec<f32> {
    let columns = taps(from.width, target.width);
    let mut values = Vec::with_capacity(target.pixels());
    for row in taps(from.height, target.height) {
        let low = &plane[row.low * from.width..][..from.width];
        let high = &plane[row.high * from.width..][..from.width];
        values.extend(columns.iter().map(|column| {
            let across = |line: &[f32]| mixed(line[column.low], line[column.high], column.share);
            mixed(across(low), across(high), row.share)
        }));
    }
    values
}

/// Shrinks or grows `plane` until it fits `target`, centres it, and fills the border with 0.
pub(super) fn letterbox(plane: &[f32], from: Size, target: Size) -> Vec<f32> {
    let inner = fitting(from, target);
    let resized = if inner == from { plane.to_vec() } else { bilinear(plane, from, inner) };
    let top = (target.height - inner.height) / 2;
    let left = (target.width - inner.width) / 2;
    let mut values = vec![0.0; target.pixels()];
    for (row, line) in resized.chunks_exact(inner.width).enumerate() {
        values[(top + row) * target.width + left..][..inner.width].copy_from_slice(line);
    }
    values
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
fn taps(from: usize, target: usize) -> Vec<Tap> {
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

fn mixed(low: f32, high: f32, share: f32) -> f32 {
    low + (high - low) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(height: usize, width: usize) -> Size {
        Size { height, width }
    }

    #[test]
    fn doubling_a_ramp_gives_the_half_pixel_values_of_onnx() {
        // ONNX operator tests, Resize, test_resize_upsample_scales_linear (half_pixel).
        let doubled = bilinear(&[1.0, 2.0, 3.0, 4.0], size(2, 2), size(4, 4));
        let expected = [
            1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3.0, 3.25, 3.75, 4.0,
        ];
        assert!(doubled.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{doubled:?}");
    }

    #[test]
    fn a_constant_image_stays_constant() {
        let resized = bilinear(&[0.7; 35], size(5, 7), size(16, 3));
        assert!(resized.iter().all(|v| (v - 0.7).abs() < 1e-6));
        assert_eq!(resized.len(), 48);
    }

    #[test]
    fn a_wide_image_is_centred_between_two_bars() {
        let boxed = letterbox(&[1.0; 8], size(2, 4), size(4, 4));
        assert!(boxed[..4].iter().chain(&boxed[12..]).all(|v| v.abs() < 1e-6));
        assert!(boxed[4..12].iter().all(|v| (v - 1.0).abs() < 1e-6));
    }

    #[test]
    fn a_very_narrow_image_keeps_at_least_one_column() {
        assert_eq!(fitting(size(10_000, 1), size(16, 16)), size(16, 1));
    }
}
