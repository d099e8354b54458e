//! A square grey image.

/// Width and height of every image, in pixels.
pub const SIDE: u32 = 96;

/// Brightness by row and column; 0 is black, 1 is white, anything between and beyond may occur
/// before a scanner clips it.
#[derive(Debug, Clone, PartialEq)]
pub struct Radiograph {
    /// Row-major, `SIDE` × `SIDE`.
    pub pixels: Vec<f64>,
}

impl Radiograph {
    /// An image whose brightness at column `x` and row `y` is `brightness(x, y)`.
    pub fn from_fn(mut brightness: impl FnMut(f64, f64) -> f64) -> Self {
        let mut pixels = Vec::with_capacity(SIDE as usize * SIDE as usize);
        for row in 0..SIDE {
            for column in 0..SIDE {
                pixels.push(brightness(f64::from(column), f64::from(row)));
            }
        }
        Self { pixels }
    }

    /// Adds a Gaussian blob.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both bounds are clamped to the image"
    )]
    pub fn add_blob(&mut self, blob: Blob) {
        // Beyond three standard deviations a blob is 1 % of its height.
        let reach = 3.0 * blob.scale;
        let range = |centre: f64| {
            let last = f64::from(SIDE) - 1.0;
            let from = (centre - reach).clamp(0.0, last) as u32;
            let to = (centre + reach).clamp(0.0, last) as u32;
            from..=to
        };
        for row in range(blob.y) {
            for column in range(blob.x) {
                let (dx, dy) = (f64::from(column) - blob.x, f64::from(row) - blob.y);
                let fall = libm::exp(-(dx * dx + dy * dy) / (2.0 * blob.scale * blob.scale));
                self.pixels[(row * SIDE + column) as usize] += blob.contrast * fall;
            }
        }
    }

    /// The image seen through a Gaussian blur; the border is extended outwards.
    #[must_use]
    pub fn blurred(&self, scale: f64) -> Self {
        let weights = blur_weights(scale);
        // Rows, then columns: a transposed pass twice.
        Self { pixels: blur_rows(&blur_rows(&self.pixels, &weights), &weights) }
    }
}

/// A Gaussian spot: peak `contrast` at (`x`, `y`), standard deviation `scale`, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blob {
    /// Column of the centre.
    pub x: f64,
    /// Row of the centre.
    pub y: f64,
    /// Standard deviation.
    pub scale: f64,
    /// Brightness added at the centre.
    pub contrast: f64,
}

/// Weights at distance 0, 1, 2, …; those on both sides sum to 1.
fn blur_weights(scale: f64) -> Vec<f64> {
    let fall = |distance: u32| {
        let distance = f64::from(distance);
        libm::exp(-distance * distance / (2.0 * scale * scale))
    };
    let mut weights: Vec<f64> = (0..SIDE).map(fall).take_while(|weight| *weight > 0.005).collect();
    let sum = 2.0 * weights.iter().sum::<f64>() - weights[0];
    for weight in &mut weights {
        *weight /= sum;
    }
    weights
}

/// Blurs along rows and transposes.
fn blur_rows(pixels: &[f64], weights: &[f64]) -> Vec<f64> {
    let side = SIDE as usize;
    let reach = weights.len() - 1;
    let mut blurred = vec![0.0; pixels.len()];
    let mut padded = vec![0.0; side + 2 * reach];
    for (row, line) in pixels.chunks_exact(side).enumerate() {
        padded[..reach].fill(line[0]);
        padded[reach..reach + side].copy_from_slice(line);
        padded[reach + side..].fill(line[side - 1]);
        for column in 0..side {
            let centre = column + reach;
            let mut sum = weights[0] * padded[centre];
            for (distance, weight) in weights.iter().enumerate().skip(1) {
                sum += weight * (padded[centre - distance] + padded[centre + distance]);
            }
            blurred[column * side + row] = sum;
        }
    }
    blurred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_lowers_a_blob_as_theory_says_and_keeps_its_place() {
        let mut image = Radiograph::from_fn(|_, _| 0.0);
        image.add_blob(Blob { x: 40.0, y: 60.0, scale: 3.0, contrast: 1.0 });
        let blurred = image.blurred(2.0);
        let peak = blurred.pixels[60 * SIDE as usize + 40];
        // Variances add: 9 / (9 + 4). The kernel is cut at half a per cent.
        assert!((peak - 9.0 / 13.0).abs() < 0.02, "{peak}");
        let largest = blurred.pixels.iter().copied().fold(f64::MIN, f64::max);
        assert!((largest - peak).abs() < 1e-12);
    }

    #[test]
    fn a_flat_image_stays_flat() {
        let flat = Radiograph::from_fn(|_, _| 0.4).blurred(1.5);
        assert!(flat.pixels.iter().all(|pixel| (pixel - 0.4).abs() < 1e-12));
    }
}
