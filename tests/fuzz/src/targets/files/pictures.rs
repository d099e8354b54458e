//! Images: DICOM files that are mostly honest, and anything by any reader.

use fedval_ingest::{DecodeRequest, decode_image, decode_series};
use fedval_study::protocol::{
    AxisOrder, FrameChoice, GantryTilt, Layout, ModelInput, Monochrome1, Resize, ValueScaling,
    VolumeInput,
};

use super::{element, padded};
use crate::draw::Draw;
use crate::finite;

/// Ends of the transfer syntaxes that are read, and of one that is not.
const SYNTAXES: [&str; 19] = [
    "", ".1", ".1.98", ".1.99", ".2", ".5", ".4.50", ".4.51", ".4.57", ".4.70", ".4.80", ".4.81",
    ".4.90", ".4.91", ".4.201", ".4.202", ".4.203", ".8.1", ".4.100",
];
const PHOTOMETRIC: [&str; 8] = [
    "MONOCHROME1",
    "MONOCHROME2",
    "PALETTE COLOR",
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_RCT",
    "YBR_ICT",
];
/// Sides of an image, most of them small, so that the bytes at hand fill it.
const SIDES: [u16; 8] = [1, 2, 3, 8, 16, 17, 64, u16::MAX];
const BITS: [u16; 8] = [1, 8, 8, 12, 16, 16, 32, 24];

/// Preamble, meta information and a description of pixels; what `draw` has left are the pixels.
pub(super) fn dicom(draw: &mut Draw<'_>) -> Vec<u8> {
    let syntax = SYNTAXES[draw.below(SYNTAXES.len())];
    let uid = padded(&format!("1.2.840.10008.1.2{syntax}"))
        .iter()
        .map(|b| if *b == b' ' { 0 } else { *b })
        .collect::<Vec<u8>>();
    let meta = element(2, 0x10, *b"UI", &uid);
    let length = u32::try_from(meta.len()).expect("a short element").to_le_bytes();
    let photometric = PHOTOMETRIC[draw.below(PHOTOMETRIC.len())];
    let samples = if draw.flag() && !photometric.starts_with('M') { 3_u16 } else { 1 };
    let side = |draw: &mut Draw<'_>| SIDES[draw.below(SIDES.len())];
    let (rows, columns, allocated) = (side(draw), side(draw), BITS[draw.below(BITS.len())]);
    let mut file = [vec![0; 128], b"DICM".to_vec(), element(2, 0, *b"UL", &length), meta].concat();
    file.extend(element(0x28, 4, *b"CS", &padded(photometric)));
    let frames = if draw.flag() { "1" } else { "2" };
    file.extend(element(0x28, 8, *b"IS", &padded(frames)));
    let signed = u16::from(draw.flag());
    for (number, value) in [
        (2, samples),
        (0x10, rows),
        (0x11, columns),
        (0x100, allocated),
        (0x101, allocated),
        (0x102, allocated.wrapping_sub(1)),
        (0x103, signed),
    ] {
        file.extend(element(0x28, number, *b"US", &value.to_le_bytes()));
    }
    if photometric.starts_with('P') && draw.flag() {
        file.extend(segmented_palette(draw));
    }
    file.extend(if draw.flag() { draw.rest() } else { pixels(draw) });
    file
}

/// The same segments for each colour: mostly opcodes, and numbers that lie within the table.
fn segmented_palette(draw: &mut Draw<'_>) -> Vec<u8> {
    let count = u16::try_from(draw.below(24)).expect("below 24");
    let bits = if draw.flag() { 8 } else { 16 };
    let segments = draw.list(|draw| u16::try_from(draw.below(6)).expect("below 6"));
    let segments: Vec<u8> = segments
        .iter()
        .flat_map(|number| number.to_le_bytes().into_iter().take(usize::from(bits) / 8))
        .collect();
    let descriptor = [count, 0, bits].map(u16::to_le_bytes);
    let describe = |number| element(0x28, number, *b"US", descriptor.as_flattened());
    let hold = |number| {
        let length = u32::try_from(segments.len()).expect("segments here are short").to_le_bytes();
        let tag = [0x28_u16.to_le_bytes(), u16::to_le_bytes(number)].concat();
        [&tag[..], b"OW\0\0", &length, &segments].concat()
    };
    let descriptors = [0x1101, 0x1102, 0x1103].map(describe).concat();
    [descriptors, [0x1221, 0x1222, 0x1223].map(hold).concat()].concat()
}

/// Pixel data, in one fragment or as they are.
fn pixels(draw: &mut Draw<'_>) -> Vec<u8> {
    let tag = [0xe0, 0x7f, 0x10, 0, b'O', b'B', 0, 0];
    let (is_fragment, bytes) = (draw.flag(), draw.rest());
    let length = u32::try_from(bytes.len()).expect("inputs are short").to_le_bytes();
    let item = [0xfe, 0xff, 0x00, 0xe0];
    if is_fragment {
        [&tag[..], &[0xff; 4], &item, &[0; 4], &item, &length, &bytes].concat()
    } else {
        [&tag[..], &length, &bytes].concat()
    }
}

pub(super) fn input(draw: &mut Draw<'_>) -> ModelInput {
    let scalings = [
        ValueScaling::Unit,
        ValueScaling::Modality,
        ValueScaling::Window { low: -100.0, high: 200.0 },
        ValueScaling::Voi,
    ];
    let frames = [FrameChoice::Only, FrameChoice::Middle, FrameChoice::Number(2)];
    ModelInput {
        name: "image".to_owned(),
        layout: if draw.flag() { Layout::Nchw } else { Layout::Nhwc },
        height: 8,
        width: 9,
        channels: if draw.flag() { 1 } else { 3 },
        scaling: scalings[draw.below(scalings.len())],
        mean: 0.5,
        standard_deviation: 0.25,
        resize: if draw.flag() { Resize::Bilinear } else { Resize::Letterbox },
        monochrome1: Monochrome1::Invert,
        frame: frames[draw.below(frames.len())],
        volume: None,
    }
}

pub(super) fn decoded(input: &ModelInput, bytes: &[u8]) {
    let request = DecodeRequest { input, dicom_attributes: &[], bytes };
    if let Ok(image) = decode_image(&request) {
        finite(image.tensor.iter().map(|value| f64::from(*value)));
    }
    let volume = VolumeInput {
        depth: 4,
        gantry_tilt: GantryTilt::Refuse,
        orientation: AxisOrder::AXIAL,
        spacing_mm: [2.0, 1.0, 1.0],
        padding: 0.0,
        slab: None,
    };
    let input = ModelInput { volume: Some(volume), ..input.clone() };
    let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes };
    if let Ok(image) = decode_image(&request) {
        finite(image.tensor.iter().map(|value| f64::from(*value)));
    }
    if let Ok(volume) = decode_series(&input, &[], &[bytes.to_vec(), bytes.to_vec()]) {
        finite(volume.tensor.iter().map(|value| f64::from(*value)));
    }
}
