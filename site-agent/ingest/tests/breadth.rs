//! The forms of pixels and of value mappings that DICOM knows, each in a file built for it.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod reading;

use dicom_file::{DicomFile, element_bytes, input, padded, sequence as items};
use fedval_ingest::decode::ImageFault;
use fedval_study::protocol::{FrameChoice, ModelInput, ValueScaling};
use reading::{assert_close, tensor};

/// Stored values as they are, of a model with `channels`.
fn stored(height: u32, width: u32, channels: u32) -> ModelInput {
    ModelInput { channels, scaling: ValueScaling::Modality, ..input(height, width) }
}

fn words(element: u16, values: &[u16]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    element_bytes(0x0028, element, "US", &bytes, true)
}

fn decimal(element: u16, text: &str) -> Vec<u8> {
    element_bytes(0x0028, element, "DS", text.as_bytes(), true)
}

/// A sequence with one item.
fn sequence(element: u16, item: &[u8]) -> Vec<u8> {
    let length = u32::try_from(item.len()).unwrap();
    let item = [&[0xfe, 0xff, 0x00, 0xe0], &length.to_le_bytes()[..], item].concat();
    let length = u32::try_from(item.len()).unwrap();
    let head = [&[0x28, 0x00], &element.to_le_bytes()[..], b"SQ\0\0"].concat();
    [head, length.to_le_bytes().to_vec(), item].concat()
}

/// Two pixels of three samples.
fn colour(photometric: &'static str, pixels: &[u8]) -> DicomFile {
    let pixels = pixels.to_vec();
    let rows = 1;
    DicomFile { photometric, samples: 3, rows, columns: 2, pixels, ..DicomFile::grey8([0; 6]) }
}

#[test]
fn colour_is_the_same_by_pixel_and_by_plane_and_needs_a_model_for_it() {
    let by_pixel = colour("RGB", &[1, 2, 3, 4, 5, 6]);
    let by_plane = DicomFile { is_planar: true, ..colour("RGB", &[1, 4, 2, 5, 3, 6]) };
    for file in [by_pixel, by_plane] {
        let planes = tensor(&file.bytes(), &stored(1, 2, 3)).unwrap();
        assert_close(&planes, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(tensor(&file.bytes(), &stored(1, 2, 1)), Err(ImageFault::Colour));
    }
    let grey = colour("RGB", &[7, 7, 7, 9, 9, 9]).bytes();
    assert_close(&tensor(&grey, &stored(1, 2, 1)).unwrap(), &[7.0, 9.0]);
}

#[test]
fn luminance_and_differences_become_red_green_and_blue() {
    let red = [255.0, 255.0, 0.0, 0.0, 0.0, 0.0];
    let full = colour("YBR_FULL", &[76, 85, 255, 76, 85, 255]).bytes();
    let shared = colour("YBR_FULL_422", &[76, 76, 85, 255]).bytes();
    for file in [full, shared] {
        let planes = tensor(&file, &stored(1, 2, 3)).unwrap();
        assert!(planes.iter().zip(red).all(|(a, b)| (a - b).abs() <= 1.0), "{planes:?}");
    }
}

#[test]
fn a_palette_is_looked_up_beyond_its_ends_too() {
    let table = |element, values: &[u16]| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        element_bytes(0x0028, element, "OW", &bytes, true)
    };
    let further = [
        words(0x1101, &[2, 10, 16]),
        words(0x1102, &[2, 10, 16]),
        words(0x1103, &[2, 10, 16]),
        table(0x1201, &[1000, 2000]),
        table(0x1202, &[3000, 4000]),
        table(0x1203, &[5000, 65_535]),
    ]
    .concat();
    let grey = DicomFile::grey8([0, 10, 11, 12, 255, 10]);
    let file = DicomFile { photometric: "PALETTE COLOR", further, ..grey };
    let planes = tensor(&file.bytes(), &stored(2, 3, 3)).unwrap();
    assert_close(&planes[..6], &[1000.0, 1000.0, 2000.0, 2000.0, 2000.0, 1000.0]);
    let unit = ModelInput { channels: 3, ..input(2, 3) };
    assert_close(&tensor(&file.bytes(), &unit).unwrap()[14..15], &[1.0]);
    let without = DicomFile { further: Vec::new(), ..file };
    assert_eq!(tensor(&without.bytes(), &unit), Err(ImageFault::ValueMapping));
}

/// Six pixels of 8 bits with a palette of segments, the same for each colour.
fn segmented(descriptor: [u16; 3], segments: &[u8], pixels: [u8; 6]) -> DicomFile {
    let data = |element| element_bytes(0x0028, element, "OW", segments, true);
    let descriptors = [0x1101, 0x1102, 0x1103].map(|element| words(element, &descriptor)).concat();
    let further = [descriptors, [0x1221, 0x1222, 0x1223].map(data).concat()].concat();
    DicomFile { photometric: "PALETTE COLOR", further, ..DicomFile::grey8(pixels) }
}

#[test]
fn a_palette_of_segments_is_the_table_that_they_make() {
    // A run of 10 and 200, a line down to 0 in four steps, and both once more.
    let eight = [0, 2, 10, 200, 1, 4, 0, 2, 2, 0, 0, 0, 0, 0];
    let pixels = [0, 1, 2, 5, 6, 11];
    let file = segmented([12, 0, 8], &eight, pixels);
    let planes = tensor(&file.bytes(), &stored(2, 3, 3)).unwrap();
    assert_close(&planes, &[10.0, 200.0, 150.0, 0.0, 10.0, 0.0].repeat(3));
    let sixteen = [0_u16, 1, 1000, 1, 2, 0, 2, 1, 0, 0].map(u16::to_le_bytes);
    let file = segmented([4, 1, 16], sixteen.as_flattened(), [0, 1, 2, 3, 4, 9]);
    let planes = tensor(&file.bytes(), &stored(2, 3, 3)).unwrap();
    assert_close(&planes[..6], &[1000.0, 1000.0, 500.0, 0.0, 1000.0, 1000.0]);
}

#[test]
fn a_palette_of_segments_that_make_another_table_is_refused_by_its_name() {
    let input = stored(2, 3, 3);
    let read = |file: &DicomFile| tensor(&file.bytes(), &input);
    let refused = Err(ImageFault::PaletteSegments);
    let run = [0, 2, 10, 200];
    assert!(read(&segmented([2, 0, 8], &run, [0; 6])).is_ok());
    assert_eq!(read(&segmented([3, 0, 8], &run, [0; 6])), refused);
    assert_eq!(read(&segmented([2, 0, 12], &run, [0; 6])), refused);
    assert_eq!(read(&segmented([2, 0, 16], &run, [0; 6])), refused);
    assert_eq!(read(&segmented([2, 0, 8], &[1, 2, 9, 0], [0; 6])), refused);
    // A plain table goes first, as where there are no segments.
    let plain = [0x1201, 0x1202, 0x1203].map(|at| element_bytes(0x0028, at, "OW", &[7, 8], true));
    let both = segmented([2, 0, 8], &[1, 2, 9, 0], [0, 1, 0, 1, 0, 1]);
    let further = [plain.concat(), both.further.clone()].concat();
    let planes = tensor(&DicomFile { further, ..both }.bytes(), &input).unwrap();
    assert_close(&planes[..2], &[7.0, 8.0]);
}

#[test]
fn a_modality_table_takes_the_place_of_slope_and_intercept() {
    let item = [words(0x3002, &[3, 100, 16]), words(0x3006, &[7, 70, 700])].concat();
    let further = sequence(0x3000, &item);
    let grey = DicomFile::grey8([99, 100, 101, 102, 103, 0]);
    let file = DicomFile { further, rescale: Some(("2", "0")), ..grey };
    let mapped = tensor(&file.bytes(), &stored(2, 3, 1)).unwrap();
    assert_close(&mapped, &[7.0, 7.0, 70.0, 700.0, 700.0, 7.0]);
}

#[test]
fn the_files_own_window_is_shown_and_its_absence_refused() {
    let voi = ModelInput { scaling: ValueScaling::Voi, ..input(2, 3) };
    let grey =
        DicomFile { rescale: Some(("1", "-100")), ..DicomFile::grey8([0, 50, 100, 150, 200, 255]) };
    assert_eq!(tensor(&grey.bytes(), &voi), Err(ImageFault::ValueMapping));
    let window = |function: &[u8]| {
        let function = element_bytes(0x0028, 0x1056, "CS", function, true);
        [decimal(0x1050, "0\\40"), decimal(0x1051, "100\\400 "), function].concat()
    };
    let exact = DicomFile { further: window(b"LINEAR_EXACT"), ..grey.clone() };
    assert_close(&tensor(&exact.bytes(), &voi).unwrap(), &[0.0, 0.0, 0.5, 1.0, 1.0, 1.0]);
    let inverted = DicomFile { photometric: "MONOCHROME1", ..exact };
    assert_close(&tensor(&inverted.bytes(), &voi).unwrap(), &[1.0, 1.0, 0.5, 0.0, 0.0, 0.0]);
    let sigmoid = DicomFile { further: window(b"SIGMOID "), ..grey.clone() };
    let middle = tensor(&sigmoid.bytes(), &voi).unwrap();
    assert_close(&middle[2..4], &[0.5, 1.0 / (1.0 + (-2.0_f32).exp())]);
    let item = [words(0x3002, &[2, 0, 8]), words(0x3006, &[51, 255])].concat();
    let table = DicomFile { further: sequence(0x3010, &item), ..grey };
    assert_close(&tensor(&table.bytes(), &voi).unwrap(), &[0.2, 0.2, 0.2, 1.0, 1.0, 1.0]);
}

#[test]
fn the_protocol_says_which_frame_of_several() {
    let pixels = (0..18).collect();
    let file = DicomFile { frames: Some("3"), pixels, ..DicomFile::grey8([0; 6]) }.bytes();
    let first = |frame| tensor(&file, &ModelInput { frame, ..stored(2, 3, 1) }).map(|t| t[0]);
    assert_eq!(first(FrameChoice::Only), Err(ImageFault::MultiFrame));
    assert_eq!(first(FrameChoice::Middle), Ok(6.0));
    assert_eq!(first(FrameChoice::Number(3)), Ok(12.0));
    assert_eq!(first(FrameChoice::Number(4)), Err(ImageFault::FrameAbsent));
    assert_eq!(first(FrameChoice::Number(0)), Err(ImageFault::FrameAbsent));
    let absurd = DicomFile { frames: Some("4294967295"), ..DicomFile::grey8([0; 6]) }.bytes();
    let last = ModelInput { frame: FrameChoice::Number(u32::MAX), ..stored(2, 3, 1) };
    assert_eq!(tensor(&absurd, &last), Err(ImageFault::PixelCount));
}

/// A functional group with two numbers.
fn group(element: u16, numbers: [(u16, &str); 2]) -> Vec<u8> {
    let number =
        |(element, text): (u16, &str)| element_bytes(0x0028, element, "DS", &padded(text), true);
    items(0x0028, element, &[numbers.map(number).concat()])
}

/// Pixel Value Transformation.
fn rescaled(slope: &str, intercept: &str) -> Vec<u8> {
    group(0x9145, [(0x1052, intercept), (0x1053, slope)])
}

/// Frame VOI LUT.
fn shown(centre: &str, width: &str) -> Vec<u8> {
    group(0x9132, [(0x1050, centre), (0x1051, width)])
}

/// An enhanced image of two frames with the values 0 to 5 and 6 to 11.
fn enhanced(shared: &[u8], frames: &[Vec<u8>]) -> DicomFile {
    let further = [items(0x5200, 0x9229, &[shared.to_vec()]), items(0x5200, 0x9230, frames)];
    let (further, pixels) = (further.concat(), (0..12).collect());
    DicomFile { frames: Some("2"), further, pixels, ..DicomFile::grey8([0; 6]) }
}

/// A frame's first value after its modality mapping, of both frames.
fn firsts(file: &DicomFile) -> [Result<f32, ImageFault>; 2] {
    [1, 2].map(|number| {
        let input = ModelInput { frame: FrameChoice::Number(number), ..stored(2, 3, 1) };
        tensor(&file.bytes(), &input).map(|values| values[0])
    })
}

#[test]
fn a_frame_is_rescaled_as_it_says_itself_or_as_all_share_it() {
    let own = [rescaled("2", "-10"), rescaled("0.5", "100")];
    assert_eq!(firsts(&enhanced(&[], &own)), [Ok(-10.0), Ok(103.0)]);
    assert_eq!(firsts(&enhanced(&rescaled("3", "1"), &[])), [Ok(1.0), Ok(19.0)]);
    let mixed = [Vec::new(), rescaled("0.5", "100")];
    assert_eq!(firsts(&enhanced(&rescaled("3", "1"), &mixed)), [Ok(1.0), Ok(103.0)]);
    // What real-world values are is another quantity.
    let real = |number: &str| items(0x0040, 0x9096, &[decimal(0x1053, number)]);
    assert_eq!(firsts(&enhanced(&[], &[real("7 "), real("9 ")])), [Ok(0.0), Ok(6.0)]);
}

#[test]
fn a_frame_whose_mapping_is_not_told_in_full_is_refused() {
    let refused: Result<f32, ImageFault> = Err(ImageFault::ValueMapping);
    let own = rescaled("0.5", "100");
    let without = enhanced(&[], &[Vec::new(), own.clone()]);
    assert_eq!(firsts(&without), [refused, Ok(103.0)]);
    let half = items(0x0028, 0x9145, &[decimal(0x1053, "2 ")]);
    // Half of a group is not filled up from what all share.
    let half = enhanced(&rescaled("3", "1"), &[half, own.clone()]);
    assert_eq!(firsts(&half), [refused, Ok(103.0)]);
    let empty = items(0x0028, 0x9145, &[Vec::new()]);
    assert_eq!(firsts(&enhanced(&[], &[empty, own.clone()])), [refused, Ok(103.0)]);
    // Groups of one frame for two, or of three.
    assert_eq!(firsts(&enhanced(&[], std::slice::from_ref(&own))), [refused, refused]);
    let three = [own.clone(), own.clone(), own.clone()];
    assert_eq!(firsts(&enhanced(&[], &three)), [refused, refused]);
    // A table for all beside a line of each.
    let item = [words(0x3002, &[1, 0, 16]), words(0x3006, &[7])].concat();
    let plain = enhanced(&[], &[own.clone(), own]);
    let further = [sequence(0x3000, &item), plain.further.clone()].concat();
    assert_eq!(firsts(&DicomFile { further, ..plain }), [refused, refused]);
}

#[test]
fn a_frame_is_shown_through_its_own_window() {
    let voi = |number| ModelInput {
        scaling: ValueScaling::Voi,
        frame: FrameChoice::Number(number),
        ..input(2, 3)
    };
    let read = |file: &DicomFile, number| tensor(&file.bytes(), &voi(number));
    // From 0 to 5 and from 6 to 11: what either frame holds.
    let whole = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
    let own = enhanced(&[], &[shown("3", "6"), shown("9", "6")]);
    let mixed = enhanced(&shown("9", "6"), &[shown("3", "6"), Vec::new()]);
    for file in [own, mixed] {
        assert_close(&read(&file, 1).unwrap(), &whole);
        assert_close(&read(&file, 2).unwrap(), &whole);
    }
    // After the frame's own rescale, from -10 to 0.
    let both = enhanced(&shown("-4.5", "11"), &[rescaled("2", "-10"), rescaled("2", "-22")]);
    assert_close(&read(&both, 1).unwrap(), &whole);
    assert_close(&read(&both, 2).unwrap(), &whole);
    let without = enhanced(&[], &[shown("3", "6"), Vec::new()]);
    assert_eq!(read(&without, 2), Err(ImageFault::ValueMapping));
    // Windows say nothing of what was measured.
    assert_eq!(firsts(&without), [Ok(0.0), Ok(6.0)]);
}

#[test]
fn wide_samples_are_read() {
    let pixels = [0_u32, 1, 70_000, u32::MAX, 5, 6].iter().flat_map(|v| v.to_le_bytes()).collect();
    let file = DicomFile { allocated: 32, stored: 32, pixels, ..DicomFile::grey8([0; 6]) };
    let values = tensor(&file.bytes(), &stored(2, 3, 1)).unwrap();
    assert_close(&values[..3], &[0.0, 1.0, 70_000.0]);
    assert!((tensor(&file.bytes(), &input(2, 3)).unwrap()[3] - 1.0).abs() < 1e-6);
}
