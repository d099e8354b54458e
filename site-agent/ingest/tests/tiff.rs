//! TIFF files to tensors, of bytes that are put together here by the specification's tables.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod reading;

use std::io::{Cursor, Write as _};

use fedval_ingest::decode::ImageFault;
use fedval_study::protocol::{FrameChoice, ModelInput, Monochrome1};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::{any, prop_assert, proptest};
use reading::{assert_close, tensor};
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::{ColorType, Gray8, RGB8, RGBA8};

const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const PLANAR_CONFIGURATION: u16 = 284;
const SAMPLE_FORMAT: u16 = 339;

/// An image of 3 × 2 pixels in one strip.
#[derive(Clone)]
struct Image {
    /// Further entries, or others in the place of the usual ones.
    tags: Vec<(u16, u32)>,
    strip: Vec<u8>,
}

impl Image {
    fn grey8(strip: &[u8]) -> Self {
        Self { tags: Vec::new(), strip: strip.to_vec() }
    }

    fn with(mut self, tag: u16, value: u32) -> Self {
        self.tags.push((tag, value));
        self
    }

    /// Entries in order of their tags, all of them LONG.
    fn entries(&self, strip_at: u32) -> Vec<(u16, u32)> {
        let length = u32::try_from(self.strip.len()).unwrap();
        let mut entries = vec![
            (256, 3),
            (257, 2),
            (BITS_PER_SAMPLE, 8),
            (COMPRESSION, 1),
            (PHOTOMETRIC, 1),
            (273, strip_at),
            (277, 1),
            (278, 2),
            (279, length),
        ];
        for (tag, value) in &self.tags {
            entries.retain(|(known, _)| known != tag);
            entries.push((*tag, *value));
        }
        entries.sort_unstable();
        entries
    }
}

/// A little-endian file of these images.
fn file(images: &[Image]) -> Vec<u8> {
    let mut bytes = b"II*\0".to_vec();
    let mut link = bytes.len();
    bytes.extend([0; 4]);
    for image in images {
        let strip_at = u32::try_from(bytes.len()).unwrap();
        bytes.extend(&image.strip);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        let directory = u32::try_from(bytes.len()).unwrap();
        bytes[link..link + 4].copy_from_slice(&directory.to_le_bytes());
        let entries = image.entries(strip_at);
        bytes.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
        for (tag, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(4_u16.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        link = bytes.len();
        bytes.extend([0; 4]);
    }
    bytes
}

/// What another program writes.
fn written<C: ColorType<Inner = u8>>(pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    TiffEncoder::new(&mut bytes).unwrap().write_image::<C>(3, 2, pixels).unwrap();
    bytes.into_inner()
}

fn input() -> ModelInput {
    dicom_file::input(2, 3)
}

const EIGHT: [u8; 6] = [0, 51, 102, 153, 204, 255];
const FIFTHS: [f32; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];

#[test]
fn grey_of_8_or_16_bits_is_divided_by_the_largest_value() {
    assert_close(&tensor(&file(&[Image::grey8(&EIGHT)]), &input()).unwrap(), &FIFTHS);
    let wide: Vec<u8> =
        EIGHT.iter().flat_map(|value| (u16::from(*value) * 257).to_le_bytes()).collect();
    let wide = Image::grey8(&wide).with(BITS_PER_SAMPLE, 16);
    assert_close(&tensor(&file(&[wide]), &input()).unwrap(), &FIFTHS);
}

#[test]
fn deflated_and_packed_strips_are_read_and_another_compression_is_refused() {
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&EIGHT).unwrap();
    let deflated = Image::grey8(&deflated.finish().unwrap()).with(COMPRESSION, 8);
    assert_close(&tensor(&file(&[deflated]), &input()).unwrap(), &FIFTHS);
    // PackBits: six literal bytes.
    let packed = Image::grey8(&[&[5][..], &EIGHT].concat()).with(COMPRESSION, 32_773);
    assert_close(&tensor(&file(&[packed]), &input()).unwrap(), &FIFTHS);
    let jpeg = Image::grey8(&EIGHT).with(COMPRESSION, 7);
    assert_eq!(tensor(&file(&[jpeg]), &input()), Err(ImageFault::TransferSyntax));
}

#[test]
fn white_is_zero_follows_the_rule_for_monochrome1() {
    let negative = file(&[Image::grey8(&EIGHT.map(|value| 255 - value)).with(PHOTOMETRIC, 0)]);
    assert_close(&tensor(&negative, &input()).unwrap(), &FIFTHS);
    let refusing = ModelInput { monochrome1: Monochrome1::Refuse, ..input() };
    assert_eq!(tensor(&negative, &refusing), Err(ImageFault::Monochrome1));
    assert!(tensor(&file(&[Image::grey8(&EIGHT)]), &refusing).is_ok());
}

#[test]
fn colour_needs_three_channels_and_an_alpha_channel_must_hide_nothing() {
    let colour = written::<RGB8>(&[0, 51, 255].repeat(6));
    assert_eq!(tensor(&colour, &input()), Err(ImageFault::Colour));
    let three = ModelInput { channels: 3, ..input() };
    let expected: Vec<f32> = [0.0, 0.2, 1.0].iter().flat_map(|value| [*value; 6]).collect();
    assert_close(&tensor(&colour, &three).unwrap(), &expected);
    let opaque = written::<RGBA8>(&[0, 51, 255, 255].repeat(6));
    assert_close(&tensor(&opaque, &three).unwrap(), &expected);
    let thin = written::<RGBA8>(&[0, 51, 255, 254].repeat(6));
    assert_eq!(tensor(&thin, &three), Err(ImageFault::Transparent));
}

#[test]
fn of_several_images_the_protocol_says_which() {
    let of = |value| Image::grey8(&[value; 6]);
    let stack = file(&[of(0), of(51), of(102), of(153)]);
    assert_eq!(tensor(&stack, &input()), Err(ImageFault::MultiFrame));
    for (frame, value) in
        [(FrameChoice::Middle, 0.2), (FrameChoice::Number(1), 0.0), (FrameChoice::Number(4), 0.6)]
    {
        let input = ModelInput { frame, ..input() };
        assert_close(&tensor(&stack, &input).unwrap(), &[value; 6]);
    }
    for number in [0, 5, u32::MAX] {
        let input = ModelInput { frame: FrameChoice::Number(number), ..input() };
        assert_eq!(tensor(&stack, &input), Err(ImageFault::FrameAbsent));
    }
}

#[test]
fn an_image_that_ends_before_its_last_pixel_is_refused() {
    let short = file(&[Image::grey8(&EIGHT[..3])]);
    assert_eq!(tensor(&short, &input()), Err(ImageFault::PixelCount));
    let packed = [&[5][..], &EIGHT].concat();
    let packed = Image::grey8(&packed[..4]).with(COMPRESSION, 32_773);
    assert!(tensor(&file(&[packed]), &input()).is_err());
    let apart = Image::grey8(&EIGHT).with(PLANAR_CONFIGURATION, 2);
    assert_eq!(tensor(&file(&[apart]), &input()), Err(ImageFault::TransferSyntax));
}

/// Images of which each follows the other have no end, and no middle.
#[test]
fn a_circle_of_images_ends() {
    let mut circle = file(&[Image::grey8(&EIGHT)]);
    let first = circle[4..8].to_vec();
    let end = circle.len();
    circle[end - 4..].copy_from_slice(&first);
    let middle = ModelInput { frame: FrameChoice::Middle, ..input() };
    assert!(tensor(&circle, &middle).is_err());
}

#[test]
fn samples_that_are_no_plain_numbers_are_refused() {
    let signed = Image::grey8(&EIGHT).with(SAMPLE_FORMAT, 2);
    assert_eq!(tensor(&file(&[signed]), &input()), Err(ImageFault::Signed));
    let float = Image::grey8(&[0; 24]).with(BITS_PER_SAMPLE, 32).with(SAMPLE_FORMAT, 3);
    assert_eq!(tensor(&file(&[float]), &input()), Err(ImageFault::BitDepth));
    let palette = Image::grey8(&EIGHT).with(PHOTOMETRIC, 3);
    assert!(tensor(&file(&[palette]), &input()).is_err());
    let small = Image::grey8(&EIGHT).with(256, 2);
    assert_eq!(tensor(&file(&[small]), &input()), Err(ImageFault::Size));
}

#[test]
fn a_size_that_lies_costs_nothing() {
    for tag in [256, 257] {
        let huge = file(&[Image::grey8(&EIGHT).with(tag, u32::MAX)]);
        let read = tensor(&huge, &input());
        assert!(matches!(read, Err(ImageFault::Size | ImageFault::Corrupt)), "{read:?}");
    }
}

#[test]
fn a_file_of_another_writer_is_read() {
    assert_close(&tensor(&written::<Gray8>(&EIGHT), &input()).unwrap(), &FIFTHS);
}

#[test]
fn a_dicom_file_may_begin_as_a_tiff_does() {
    let mut dicom = file(&[Image::grey8(&EIGHT)]);
    dicom.resize(128, 0);
    dicom.extend(b"DICM");
    assert_ne!(tensor(&dicom, &input()).map(|tensor| tensor.len()), Ok(6));
}

proptest! {
    #[test]
    fn changed_bytes_are_read_or_refused(at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>()) {
        let mut bytes = file(&[Image::grey8(&EIGHT), Image::grey8(&EIGHT)]);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(cut % (bytes.len() + 1));
        for frame in [FrameChoice::Only, FrameChoice::Middle] {
            let read = tensor(&bytes, &ModelInput { frame, ..input() });
            prop_assert!(read.map_or(true, |tensor| tensor.iter().all(|value| value.is_finite())));
        }
    }
}
