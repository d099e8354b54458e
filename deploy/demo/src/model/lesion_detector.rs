//! A detector of round lesions: matched filters, their largest response, a logistic curve.
//!
//! It is the textbook method for a blob of known size on a smooth background, and it fails the way
//! larger models do: its threshold was set on one scanner.

use prost::Message;

use super::onnx::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use crate::radiograph::SIDE;

/// Name of the graph's input, float32 [1, 1, SIDE, SIDE] between 0 and 1.
pub const INPUT: &str = "image";
/// Name of the graph's output, float32 [1, 1]: the probability of a lesion.
pub const OUTPUT: &str = "probability";

/// Standard deviations of the lesions looked for, in pixels.
const SCALES: [f64; 3] = [1.6, 2.2, 3.0];
/// The surround is wider by this factor: a difference of Gaussians then comes closest to the
/// Laplacian of Gaussian (Marr and Hildreth 1980).
const SURROUND: f64 = 1.6;
/// Kernels reach this many pixels to each side: two standard deviations of the widest surround.
const RADIUS: u32 = 10;

/// Slope of log odds on the largest response.
///
/// Both constants are a logistic regression of lesion on response, rounded, over patients like
/// Northgate's that are not in the study; `tests/discrimination.rs` makes them and repeats it.
const GAIN: f64 = 148.0;
/// Log odds at response 0.
const BIAS: f64 = -9.8;

/// The bytes of the ONNX file.
#[must_use]
pub fn lesion_detector() -> Vec<u8> {
    let side = i64::from(SIDE);
    let graph = GraphProto {
        node: nodes(),
        name: "lesion-detector".to_owned(),
        initializer: constants(),
        input: vec![ValueInfoProto::of_floats(INPUT, &[1, 1, side, side])],
        output: vec![ValueInfoProto::of_floats(OUTPUT, &[1, 1])],
    };
    let purpose = "Invented lesions on invented radiographs. Not for any use on people.";
    ModelProto::new(graph, purpose).encode_to_vec()
}

fn nodes() -> Vec<NodeProto> {
    let kernel = i64::from(2 * RADIUS + 1);
    vec![
        // Without padding: a frame of zeros around the image would look like an edge.
        NodeProto::new("Conv", &[INPUT, "filters"], "responses")
            .with_ints("kernel_shape", &[kernel, kernel])
            .with_ints("pads", &[0, 0, 0, 0])
            .with_ints("strides", &[1, 1]),
        NodeProto::new("GlobalMaxPool", &["responses"], "largest_by_scale"),
        NodeProto::new("Flatten", &["largest_by_scale"], "scales").with_int("axis", 1),
        NodeProto::new("ReduceMax", &["scales"], "largest")
            .with_ints("axes", &[1])
            .with_int("keepdims", 1),
        NodeProto::new("Mul", &["largest", "gain"], "scaled"),
        NodeProto::new("Add", &["scaled", "bias"], "log_odds"),
        NodeProto::new("Sigmoid", &["log_odds"], OUTPUT),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "the file holds 32-bit floats")]
fn constants() -> Vec<TensorProto> {
    let kernel = i64::from(2 * RADIUS + 1);
    let filters: Vec<f32> =
        SCALES.iter().flat_map(|&scale| matched_filter(scale)).map(|w| w as f32).collect();
    vec![
        TensorProto::of_floats("filters", &[3, 1, kernel, kernel], &filters),
        TensorProto::of_floats("gain", &[1, 1], &[GAIN as f32]),
        TensorProto::of_floats("bias", &[1, 1], &[BIAS as f32]),
    ]
}

/// A Gaussian less two wider ones, in row-major order: 0 on whatever is flat, sloped or evenly
/// bent over the kernel, and the peak contrast on a Gaussian blob of this scale.
///
/// One surround would answer to the lungs themselves, which are bright bowls ten times as wide.
/// The weights of two follow from the sum and the second moment, which both must vanish.
fn matched_filter(scale: f64) -> Vec<f64> {
    let centre = gaussian(scale);
    let [near, far] = [gaussian(SURROUND * scale), gaussian(SURROUND * SURROUND * scale)];
    let ([s0, m0], [s1, m1], [s2, m2]) = (moments(&centre), moments(&near), moments(&far));
    let determinant = s1 * m2 - s2 * m1;
    let (a, b) = ((s0 * m2 - s2 * m0) / determinant, (s1 * m0 - s0 * m1) / determinant);
    let weights: Vec<f64> =
        centre.iter().zip(&near).zip(&far).map(|((c, n), f)| c - a * n - b * f).collect();
    let response: f64 = weights.iter().zip(&centre).map(|(w, c)| w * c).sum();
    weights.into_iter().map(|weight| weight / response).collect()
}

/// Sum, and sum weighted by the squared distance from the centre.
fn moments(kernel: &[f64]) -> [f64; 2] {
    let second = kernel.iter().zip(squared_distances()).map(|(weight, r2)| weight * r2).sum();
    [kernel.iter().sum(), second]
}

/// Of each place of the kernel's square from its centre.
fn squared_distances() -> impl Iterator<Item = f64> {
    let radius = f64::from(RADIUS);
    let offsets = move || (0..=2 * RADIUS).map(move |place| f64::from(place) - radius);
    offsets().flat_map(move |y| offsets().map(move |x| x * x + y * y))
}

/// exp(−r²/2σ²) on the kernel's square.
fn gaussian(scale: f64) -> Vec<f64> {
    squared_distances().map(|r2| libm::exp(-r2 / (2.0 * scale * scale))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_ignores_slopes_and_measures_the_contrast_of_its_blob() {
        let side = 2 * RADIUS + 1;
        for scale in SCALES {
            let filter = matched_filter(scale);
            let plane: f64 = filter
                .iter()
                .zip(0_u32..)
                .map(|(w, i)| {
                    let (x, y) = (f64::from(i % side), f64::from(i / side));
                    w * (0.3 + 0.01 * x - 0.02 * y + 0.001 * (x * x + y * y))
                })
                .sum();
            assert!(plane.abs() < 1e-12, "{plane}");
            let blob: f64 = filter.iter().zip(gaussian(scale)).map(|(w, b)| w * b * 0.2).sum();
            assert!((blob - 0.2).abs() < 1e-12, "{blob}");
        }
    }

    #[test]
    fn the_file_is_the_same_every_time() {
        assert_eq!(lesion_detector(), lesion_detector());
    }
}
