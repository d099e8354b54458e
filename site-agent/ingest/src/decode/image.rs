//! PNG and JPEG.

use std::io::Cursor;

use fedval_preprocess::{Raster, Size, accept, coloured_planes, mapped, scale, standardised};
use fedval_study::protocol::ModelInput;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::MAX_SIDE;
use super::fault::ImageFault;

pub(super) fn read_png(bytes: &[u8], input: &ModelInput) -> Result<Raster, ImageFault> {
    read(bytes, ImageFormat::Png, input)
}

pub(super) fn read_jpeg(bytes: &[u8], input: &ModelInput) -> Result<Raster, ImageFault> {
    read(bytes, ImageFormat::Jpeg, input)
}

/// Largest decoded image: a grey one of 16 bits with the longest sides.
pub(super) const MAX_DECODED_BYTES: usize = MAX_SIDE * MAX_SIDE * 2;

fn read(bytes: &[u8], format: ImageFormat, input: &ModelInput) -> Result<Raster, ImageFault> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES as u64);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|_| ImageFault::Corrupt)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(height as usize, width as usize)?;
    accept(size, input)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES as u64 {
        return Err(ImageFault::Corrupt);
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|_| ImageFault::Corrupt)?;
    Ok(Raster::new(size, planes(image, size, input)?)?)
}

/// The image's planes as the model's numbers.
fn planes(
    image: DynamicImage,
    size: Size,
    input: &ModelInput,
) -> Result<Vec<Vec<f32>>, ImageFault> {
    match image {
        DynamicImage::ImageLuma8(grey) => Samples::grey(grey.into_raw()).planes(size, input),
        DynamicImage::ImageLuma16(grey) => Samples::grey(grey.into_raw()).planes(size, input),
        DynamicImage::ImageRgb8(rgb) => Samples::colour(rgb.into_raw()).planes(size, input),
        DynamicImage::ImageRgb16(rgb) => Samples::colour(rgb.into_raw()).planes(size, input),
        DynamicImage::ImageLumaA8(grey) => {
            Samples::grey(grey.into_raw()).opaque()?.planes(size, input)
        }
        DynamicImage::ImageLumaA16(grey) => {
            Samples::grey(grey.into_raw()).opaque()?.planes(size, input)
        }
        DynamicImage::ImageRgba8(rgb) => {
            Samples::colour(rgb.into_raw()).opaque()?.planes(size, input)
        }
        DynamicImage::ImageRgba16(rgb) => {
            Samples::colour(rgb.into_raw()).opaque()?.planes(size, input)
        }
        _ => Err(ImageFault::BitDepth),
    }
}

/// A sample as a file stores it, of one byte or two.
pub(super) trait Sample: Copy + Eq + Into<u16> {
    /// Largest storable value.
    const MAX: Self;
}

impl Sample for u8 {
    const MAX: Self = Self::MAX;
}

impl Sample for u16 {
    const MAX: Self = Self::MAX;
}

/// Interleaved samples as stored.
pub(super) struct Samples<S> {
    pub(super) values: Vec<S>,
    /// 1 for grey, 3 for colour.
    pub(super) channels: usize,
}

impl<S: Sample> Samples<S> {
    pub(super) const fn grey(values: Vec<S>) -> Self {
        Self { values, channels: 1 }
    }

    pub(super) const fn colour(values: Vec<S>) -> Self {
        Self { values, channels: 3 }
    }

    /// The same without the alpha channel behind each pixel, which must hide nothing.
    pub(super) fn opaque(self) -> Result<Self, ImageFault> {
        let Self { values, channels } = self;
        let mut kept = Vec::with_capacity(values.len() / (channels + 1) * channels);
        for pixel in values.chunks_exact(channels + 1) {
            let (colour, alpha) = pixel.split_at(channels);
            if *alpha != [S::MAX] {
                return Err(ImageFault::Transparent);
            }
            kept.extend_from_slice(colour);
        }
        Ok(Self { values: kept, channels })
    }

    pub(super) fn planes(
        self,
        size: Size,
        input: &ModelInput,
    ) -> Result<Vec<Vec<f32>>, ImageFault> {
        let max = S::MAX.into();
        let number = scale(max, input.scaling);
        let number = |value| standardised(number(value), input);
        let planes = self.separate(size, input.channels)?;
        Ok(planes.iter().map(|plane| mapped(plane, usize::from(max) + 1, number)).collect())
    }

    pub(super) fn separate(self, size: Size, wanted: u32) -> Result<Vec<Vec<S>>, ImageFault> {
        if self.values.len() != size.pixels() * self.channels {
            return Err(ImageFault::PixelCount);
        }
        if self.channels == 1 {
            return Ok(vec![self.values]);
        }
        let plane =
            |channel| self.values[channel..].iter().step_by(self.channels).copied().collect();
        Ok(coloured_planes([plane(0), plane(1), plane(2)], wanted)?)
    }
}
