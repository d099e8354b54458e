//! The model's input as a picture for people, on the scale that the protocol describes.

use std::io::Cursor;

use fedval_study::protocol::{Layout, ModelInput, ValueScaling};
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};

/// A tensor (values in the protocol's axis order, without the batch axis) as a PNG of 8 bits: grey for one channel
/// or equal ones, colour for three; of a volume its middle slice. `None` where the values are not those of the input.
///
/// Mean and standard deviation are undone. Where the protocol scales to 0…1 the picture is exactly that, so that an
/// image that the model sees too dark is too dark here; modality values go from their least to their greatest.
#[must_use]
pub fn picture(tensor: &[f32], input: &ModelInput) -> Option<Vec<u8>> {
    let channels = input.channels as usize;
    if tensor.len() != input.values() || !matches!(channels, 1 | 3) {
        return None;
    }
    // Of an even number the earlier of two, as of frames.
    let middle = input.volume.map_or(0, |volume| (volume.depth as usize).saturating_sub(1) / 2);
    let slice = tensor.get(middle * input.slice_values()..)?.get(..input.slice_values())?;
    let shown = shown(slice, input);
    let pixels = shown.len() / channels;
    let at = |pixel: usize, channel: usize| match input.layout {
        Layout::Nchw => shown[channel * pixels + pixel],
        Layout::Nhwc => shown[pixel * channels + channel],
    };
    let is_grey = (0..pixels).all(|pixel| (1..channels).all(|c| at(pixel, c) == at(pixel, 0)));
    let drawn = if is_grey { 1 } else { channels };
    let bytes: Vec<u8> = (0..pixels)
        .flat_map(|pixel| (0..drawn).map(move |c| (pixel, c)))
        .map(|(p, c)| at(p, c))
        .collect();
    let colour = if is_grey { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let mut file = Cursor::new(Vec::new());
    PngEncoder::new(&mut file).write_image(&bytes, input.width, input.height, colour).ok()?;
    Some(file.into_inner())
}

/// Each value as a shade.
fn shown(tensor: &[f32], input: &ModelInput) -> Vec<u8> {
    let scaled = |value: &f32| f64::from(*value) * input.standard_deviation + input.mean;
    let (low, high) = match input.scaling {
        ValueScaling::Unit | ValueScaling::Window { .. } | ValueScaling::Voi => (0.0, 1.0),
        ValueScaling::Modality => {
            let values = || tensor.iter().map(scaled);
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
        }
    };
    let range = if high > low { high - low } else { 1.0 };
    tensor.iter().map(|value| shade((scaled(value) - low) / range)).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
fn shade(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use fedval_study::protocol::{
        AxisOrder, FrameChoice, GantryTilt, Monochrome1, Resize, VolumeInput,
    };

    fn input(channels: u32, layout: Layout, scaling: ValueScaling) -> ModelInput {
        ModelInput {
            name: "image".to_owned(),
            layout,
            height: 1,
            width: 2,
            channels,
            scaling,
            mean: 0.5,
            standard_deviation: 0.5,
            resize: Resize::Refuse,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
            volume: None,
        }
    }

    fn pixels(tensor: &[f32], input: &ModelInput) -> Vec<u8> {
        let png = picture(tensor, input).expect("it fits");
        image::load_from_memory(&png).expect("it is a PNG").into_bytes()
    }

    #[test]
    fn an_image_that_is_too_dark_is_shown_too_dark() {
        let input = input(1, Layout::Nchw, ValueScaling::Unit);
        assert_eq!(pixels(&[-1.0, -0.9], &input), [0, 13]);
    }

    #[test]
    fn modality_values_go_from_the_least_to_the_greatest() {
        let input = input(1, Layout::Nchw, ValueScaling::Modality);
        assert_eq!(pixels(&[-2000.0, 4000.0], &input), [0, 255]);
        assert_eq!(pixels(&[7.0, 7.0], &input), [0, 0]);
    }

    #[test]
    fn colour_is_told_from_three_equal_channels_in_either_order_of_axes() {
        let nchw = input(3, Layout::Nchw, ValueScaling::Unit);
        assert_eq!(pixels(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0], &nchw), [255, 0]);
        let red_and_blue = [255, 0, 0, 0, 0, 255];
        assert_eq!(pixels(&[1.0, -1.0, -1.0, -1.0, -1.0, 1.0], &nchw), red_and_blue);
        let nhwc = input(3, Layout::Nhwc, ValueScaling::Unit);
        assert_eq!(pixels(&[1.0, -1.0, -1.0, -1.0, -1.0, 1.0], &nhwc), red_and_blue);
    }

    #[test]
    fn a_volume_is_shown_by_its_middle_slice() {
        let volume = VolumeInput {
            depth: 3,
            gantry_tilt: GantryTilt::Refuse,
            orientation: AxisOrder::AXIAL,
            spacing_mm: [1.0; 3],
            padding: 0.0,
            slab: None,
        };
        let input =
            ModelInput { volume: Some(volume), ..input(1, Layout::Nchw, ValueScaling::Unit) };
        assert_eq!(pixels(&[1.0, 1.0, -1.0, 1.0, 1.0, 1.0], &input), [0, 255]);
        assert_eq!(picture(&[1.0, 1.0], &input), None);
    }

    #[test]
    fn values_that_are_no_input_are_no_picture() {
        assert_eq!(picture(&[0.0], &input(1, Layout::Nchw, ValueScaling::Unit)), None);
        assert_eq!(picture(&[0.0; 4], &input(2, Layout::Nchw, ValueScaling::Unit)), None);
    }
}
