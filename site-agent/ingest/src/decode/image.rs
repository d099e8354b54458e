//! PNG and JPEG.

use std::io::Cursor;

use fedval_study::protocol::{ModelInput, ValueScaling};
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::MAX_SIDE;
use super::fault::ImageFault;
use super::lookup::mapped;
use super::raster::{Raster, Size};
use super::tensor::{accept, narrowed, standardised};

pub(super) fn read_png(bytes: &[u8], input: &ModelInput) -> Result<Raster, ImageFault> {
    read(bytes, ImageFormat::Png, input)
}

pub(super) fn read_jpeg(bytes: &[u8], input: &ModelInput) -> Result<Raster, ImageFault> {
    read(bytes, ImageFormat::Jpeg, input)
}

/// Largest decoded image: a grey one of 16 bits with the longest sides.
const MAX_DECODED_BYTES: u64 = (MAX_SIDE * MAX_SIDE * 2) as u64;

fn read(bytes: &[u8], format: ImageFormat, input: &ModelInput) -> Result<Raster, ImageFault> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|_| ImageFault::Corrupt)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(height as usize, width as usize)?;
    accept(size, input)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(ImageFault::Corrupt);
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|_| ImageFault::Corrupt)?;
    let samples = Samples::of(image)?;
    let values = usize::from(samples.max) + 1;
    let number = scale(samples.max, input.scaling);
    let planes = samples.planes(size, input.channels)?;
    let planes = planes
        .iter()
        .map(|plane| mapped(plane, values, |value| standardised(number(value), input)))
        .collect();
    Raster::new(size, planes)
}

/// Interleaved samples as stored.
struct Samples {
    values: Vec<u16>,
    /// 1 for grey, 3 for colour.
    channels: usize,
    /// Largest storable value.
    max: u16,
}

impl Samples {
    fn of(image: DynamicImage) -> Result<Self, ImageFault> {
        let wide = |values: Vec<u8>| values.into_iter().map(u16::from).collect();
        let (values, channels, max) = match image {
            DynamicImage::ImageLuma8(grey) => (wide(grey.into_raw()), 1, u16::from(u8::MAX)),
            DynamicImage::ImageLuma16(grey) => (grey.into_raw(), 1, u16::MAX),
            DynamicImage::ImageRgb8(rgb) => (wide(rgb.into_raw()), 3, u16::from(u8::MAX)),
            DynamicImage::ImageRgb16(rgb) => (rgb.into_raw(), 3, u16::MAX),
            DynamicImage::ImageLumaA8(grey) => {
                (opaque(&wide(grey.into_raw()), 1, u8::MAX.into())?, 1, u8::MAX.into())
            }
            DynamicImage::ImageLumaA16(grey) => {
                (opaque(&grey.into_raw(), 1, u16::MAX)?, 1, u16::MAX)
            }
            DynamicImage::ImageRgba8(rgb) => {
                (opaque(&wide(rgb.into_raw()), 3, u8::MAX.into())?, 3, u8::MAX.into())
            }
            DynamicImage::ImageRgba16(rgb) => (opaque(&rgb.into_raw(), 3, u16::MAX)?, 3, u16::MAX),
            _ => return Err(ImageFault::BitDepth),
        };
        Ok(Self { values, channels, max })
    }

    /// One plane for a grey image, also where it is stored as colour; three only where the model
    /// takes three.
    fn planes(self, size: Size, wanted: u32) -> Result<Vec<Vec<u16>>, ImageFault> {
        if self.values.len() != size.pixels() * self.channels {
            return Err(ImageFault::PixelCount);
        }
        if self.channels == 1 {
            return Ok(vec![self.values]);
        }
        let plane =
            |channel| self.values[channel..].iter().step_by(self.channels).copied().collect();
        if self.values.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]) {
            return Ok(vec![plane(0)]);
        }
        if wanted != 3 {
            return Err(ImageFault::Colour);
        }
        Ok((0..3).map(plane).collect())
    }
}

/// Removes an alpha channel that hides nothing.
fn opaque(values: &[u16], channels: usize, max: u16) -> Result<Vec<u16>, ImageFault> {
    let mut kept = Vec::with_capacity(values.len() / (channels + 1) * channels);
    for pixel in values.chunks_exact(channels + 1) {
        let (colour, alpha) = pixel.split_at(channels);
        if *alpha != [max] {
            return Err(ImageFault::Transparent);
        }
        kept.extend_from_slice(colour);
    }
    Ok(kept)
}

/// A file without rescale: the stored value is the modality value.
fn scale(max: u16, scaling: ValueScaling) -> impl Fn(u16) -> f32 {
    move |value| match scaling {
        ValueScaling::Unit => f32::from(value) / f32::from(max),
        ValueScaling::Modality => f32::from(value),
        ValueScaling::Window { low, high } => narrowed(windowed(f64::from(value), low, high)),
    }
}

/// Clips `value` to `low`…`high` and maps it to 0…1.
pub(super) fn windowed(value: f64, low: f64, high: f64) -> f64 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}
