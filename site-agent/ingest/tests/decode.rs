//! Image bytes to tensors, in this process: every byte here is the test's own.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod reading;

use std::io::Cursor;

use dicom_file::{DicomFile, EXPLICIT, IMPLICIT, JPEG_2000, MPEG2, RLE, input};
use fedval_ingest::decode::ImageFault;
use fedval_ingest::{DecodeRequest, decode_image};
use fedval_study::protocol::{Layout, ModelInput, Monochrome1, Resize, ValueScaling};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use proptest::prelude::{any, prop_assert, proptest};
use reading::{assert_close, tensor};

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

const EIGHT: [u8; 6] = [0, 51, 102, 153, 204, 255];

#[test]
fn a_png_of_8_or_16_bits_is_divided_by_the_largest_value() {
    let fifths = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
    let eight = GrayImage::from_raw(3, 2, EIGHT.to_vec()).unwrap();
    assert_close(&tensor(&encoded(eight, ImageFormat::Png), &input(2, 3)).unwrap(), &fifths);
    let wide = EIGHT.map(|value| u16::from(value) * 257).to_vec();
    let sixteen = image::ImageBuffer::<Luma<u16>, _>::from_raw(3, 2, wide).unwrap();
    assert_close(&tensor(&encoded(sixteen, ImageFormat::Png), &input(2, 3)).unwrap(), &fifths);
}

#[test]
fn a_jpeg_is_read() {
    let grey = GrayImage::from_pixel(16, 8, Luma([128]));
    let tensor = tensor(&encoded(grey, ImageFormat::Jpeg), &input(8, 16)).unwrap();
    assert!(tensor.iter().all(|v| (v - 128.0 / 255.0).abs() < 0.01));
}

#[test]
fn grey_stored_as_colour_is_grey_and_colour_needs_three_channels() {
    let grey = encoded(RgbImage::from_pixel(3, 2, Rgb([51; 3])), ImageFormat::Png);
    assert_close(&tensor(&grey, &input(2, 3)).unwrap(), &[0.2; 6]);
    let colour = encoded(RgbImage::from_pixel(1, 1, Rgb([0, 51, 255])), ImageFormat::Png);
    assert_eq!(tensor(&colour, &input(1, 1)), Err(ImageFault::Colour));
    let three = ModelInput { channels: 3, ..input(1, 1) };
    assert_close(&tensor(&colour, &three).unwrap(), &[0.0, 0.2, 1.0]);
    let last = ModelInput { channels: 3, layout: Layout::Nhwc, ..input(2, 3) };
    assert_close(&tensor(&grey, &last).unwrap(), &[0.2; 18]);
}

#[test]
fn dicom_gives_the_same_in_every_transfer_syntax() {
    for file in [DicomFile::grey8(EIGHT), DicomFile::grey16(12, [0, 1, 255, 256, 4094, 4095])] {
        let [explicit, implicit, rle] = [EXPLICIT, IMPLICIT, RLE].map(|syntax| {
            tensor(&DicomFile { syntax, ..file.clone() }.bytes(), &input(2, 3)).unwrap()
        });
        assert_close(&implicit, &explicit);
        assert_close(&rle, &explicit);
        assert!((explicit[5] - 1.0).abs() < 1e-6, "the largest storable value is 1");
    }
}

#[test]
fn monochrome1_is_the_negative_of_monochrome2() {
    let values = [0, 100, 200, 300, 400, 4095];
    let two = DicomFile::grey16(12, values);
    let one =
        DicomFile { photometric: "MONOCHROME1", ..DicomFile::grey16(12, values.map(|v| 4095 - v)) };
    for scaling in [
        ValueScaling::Unit,
        ValueScaling::Modality,
        ValueScaling::Window { low: 0.0, high: 4095.0 },
    ] {
        let input = ModelInput { scaling, ..input(2, 3) };
        let two = tensor(&two.bytes(), &input).unwrap();
        assert_close(&tensor(&one.bytes(), &input).unwrap(), &two);
    }
    let refusing = ModelInput { monochrome1: Monochrome1::Refuse, ..input(2, 3) };
    assert_eq!(tensor(&one.bytes(), &refusing), Err(ImageFault::Monochrome1));
}

#[test]
fn signed_pixels_are_mapped_by_slope_and_intercept() {
    let values = [-1024_i16, -1, 0, 1, 976, 1000].map(i16::cast_unsigned);
    let file = DicomFile {
        is_signed: true,
        rescale: Some(("2", "-1000")),
        ..DicomFile::grey16(16, values)
    };
    let modality = ModelInput { scaling: ValueScaling::Modality, ..input(2, 3) };
    let expected = [-3048.0, -1002.0, -1000.0, -998.0, 952.0, 1000.0];
    assert_close(&tensor(&file.bytes(), &modality).unwrap(), &expected);
    let window = ValueScaling::Window { low: -1000.0, high: 1000.0 };
    let window = ModelInput { scaling: window, ..input(2, 3) };
    let expected = [0.0, 0.0, 0.0, 0.001, 0.976, 1.0];
    assert_close(&tensor(&file.bytes(), &window).unwrap(), &expected);
    assert_eq!(tensor(&file.bytes(), &input(2, 3)), Err(ImageFault::Signed));
    let absurd = DicomFile { rescale: Some(("1E300", "0")), ..file }.bytes();
    assert_eq!(tensor(&absurd, &modality), Err(ImageFault::ValueMapping));
}

#[test]
fn values_are_standardised_and_resized() {
    let file = DicomFile::grey8([51; 6]).bytes();
    let standardised = ModelInput { mean: 0.1, standard_deviation: 0.5, ..input(2, 3) };
    assert_close(&tensor(&file, &standardised).unwrap(), &[0.2; 6]);
    assert_eq!(tensor(&file, &input(3, 3)), Err(ImageFault::Size));
    let stretched = ModelInput { resize: Resize::Bilinear, ..input(5, 4) };
    assert_close(&tensor(&file, &stretched).unwrap(), &[0.2; 20]);
    let boxed = ModelInput { resize: Resize::Letterbox, ..input(4, 3) };
    let bars = [[0.0; 3], [0.2; 3], [0.2; 3], [0.0; 3]].concat();
    assert_close(&tensor(&file, &boxed).unwrap(), &bars);
}

#[test]
fn what_is_not_read_is_refused_by_its_own_code() {
    let file = DicomFile::grey8(EIGHT);
    let cases = [
        (DicomFile { syntax: MPEG2, ..file.clone() }, "TRANSFER_SYNTAX_UNSUPPORTED"),
        (DicomFile { syntax: JPEG_2000, ..file.clone() }, "IMAGE_CORRUPT"),
        (DicomFile { photometric: "RGB", ..file.clone() }, "IMAGE_PHOTOMETRIC"),
        (DicomFile { photometric: "YBR_PARTIAL_420", ..file.clone() }, "IMAGE_PHOTOMETRIC"),
        (DicomFile { frames: Some("2"), ..file.clone() }, "IMAGE_MULTI_FRAME"),
        (DicomFile { allocated: 24, ..file.clone() }, "IMAGE_BIT_DEPTH"),
        (DicomFile { stored: 9, ..file.clone() }, "IMAGE_BIT_DEPTH"),
        (DicomFile { rows: 3, ..file.clone() }, "IMAGE_TRUNCATED"),
        (DicomFile { rows: 65_535, columns: 65_535, ..file.clone() }, "IMAGE_SIZE"),
        (DicomFile { syntax: RLE, columns: 4, ..file.clone() }, "IMAGE_TRUNCATED"),
    ];
    let any_size = ModelInput { resize: Resize::Bilinear, ..input(2, 3) };
    for (file, code) in cases {
        assert_eq!(tensor(&file.bytes(), &any_size).map_err(ImageFault::code), Err(code));
    }
    let bytes = file.bytes();
    let short = &bytes[..bytes.len() - 3];
    assert_eq!(tensor(short, &input(2, 3)), Err(ImageFault::PixelCount));
    assert_eq!(tensor(b"GIF89a", &input(2, 3)), Err(ImageFault::FormatUnknown));
    assert_eq!(tensor(b"", &input(2, 3)), Err(ImageFault::FormatUnknown));
    let png = encoded(GrayImage::new(64, 64), ImageFormat::Png);
    assert_eq!(tensor(&png[..png.len() / 2], &input(64, 64)), Err(ImageFault::Corrupt));
}

#[test]
fn only_attributes_that_were_asked_for_and_are_allowed_are_read() {
    let asked = ["PatientSex", "PatientAge", "PatientName", "KVP"].map(str::to_owned);
    let file = DicomFile::grey8(EIGHT).bytes();
    let request = DecodeRequest { input: &input(2, 3), dicom_attributes: &asked, bytes: &file };
    let read = decode_image(&request).unwrap();
    let expected = [("PatientAge", "045Y"), ("PatientSex", "F")];
    assert_eq!(read.attributes, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert!(!format!("{read:?}").contains("045"));
}

#[test]
fn real_radiographs_are_read() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cxr");
    for (site, count) in [("nih-a", 6), ("nih-b", 20)] {
        let Ok(images) = std::fs::read_dir(format!("{data}/{site}/images")) else { return };
        for image in images.take(count) {
            let bytes = std::fs::read(image.unwrap().path()).unwrap();
            let tensor = tensor(&bytes, &input(256, 256)).unwrap();
            let mean = tensor.iter().sum::<f32>() / 65_536.0;
            assert!(tensor.iter().all(|v| (0.0..=1.0).contains(v)) && (0.05..0.95).contains(&mean));
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_behind_a_known_beginning_are_a_fault(
        beginning in 0_usize..3,
        noise in proptest::collection::vec(any::<u8>(), 0..512),
    ) {
        let beginning: &[u8] = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0xff, 0xd8, 0xff], b""][beginning];
        let bytes = [beginning, &noise].concat();
        prop_assert!(tensor(&bytes, &input(2, 3)).is_err());
    }

    #[test]
    fn a_damaged_png_is_read_or_refused(place in 8_usize..60, value in any::<u8>()) {
        let grey = GrayImage::from_raw(3, 2, EIGHT.to_vec()).unwrap();
        let mut bytes = encoded(grey, ImageFormat::Png);
        if let Some(byte) = bytes.get_mut(place) {
            *byte = value;
        }
        let _ = tensor(&bytes, &input(2, 3));
    }
}
