//! Masks of any format, and contours.

use fedval_ingest::{MaskComparison, MaskRequest, compare_masks};
use fedval_study::protocol::{Border, Structure};

use super::{element, padded};
use crate::draw::Draw;
use crate::finite;

/// An RT Structure Set with a region of the name that is looked for: what `draw` has are corners, and then anything.
fn structure_set(draw: &mut Draw<'_>) -> Vec<u8> {
    let sequence = |group, number, items: &[Vec<u8>]| {
        let item = |of: &Vec<u8>| {
            let length = u32::try_from(of.len()).expect("inputs are short").to_le_bytes();
            [&[0xfe, 0xff, 0x00, 0xe0][..], &length, of.as_slice()].concat()
        };
        let items: Vec<u8> = items.iter().flat_map(item).collect();
        let length = u32::try_from(items.len()).expect("inputs are short").to_le_bytes();
        let tag = [u16::to_le_bytes(group), u16::to_le_bytes(number)].concat();
        [&tag[..], b"SQ\0\0", &length, &items].concat()
    };
    let kinds = ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "POINT"];
    let mut contours = Vec::new();
    for _ in 0..draw.below(5) {
        let corner = |draw: &mut Draw<'_>| {
            let plane = draw.below(4).to_string();
            format!("{:e}\\{:e}\\{plane}", draw.number(), draw.number())
        };
        let corners = draw.list(corner);
        let kind = padded(kinds[draw.below(kinds.len())]);
        contours.push(
            [
                element(0x3006, 0x42, *b"CS", &kind),
                element(0x3006, 0x46, *b"IS", &padded(&corners.len().to_string())),
                element(0x3006, 0x50, *b"DS", &padded(&corners.join("\\"))),
            ]
            .concat(),
        );
    }
    let number = padded("1");
    let named = [element(0x3006, 0x22, *b"IS", &number), element(0x3006, 0x26, *b"LO", b"A ")];
    let drawn = [sequence(0x3006, 0x40, &contours), element(0x3006, 0x84, *b"IS", &number)];
    let meta = [
        element(2, 2, *b"UI", b"1.2.840.10008.5.1.4.1.1.481.3\0"),
        element(2, 0x10, *b"UI", b"1.2.840.10008.1.2.1\0"),
    ]
    .concat();
    let length = u32::try_from(meta.len()).expect("a short element").to_le_bytes();
    [
        vec![0; 128],
        b"DICM".to_vec(),
        element(2, 0, *b"UL", &length),
        meta,
        sequence(0x3006, 0x20, &[named.concat()]),
        sequence(0x3006, 0x39, &[drawn.concat()]),
        if draw.flag() { draw.rest() } else { Vec::new() },
    ]
    .concat()
}

/// A volume of 8 × 8 × 4 voxels of a millimetre, of which a few are in the mask.
fn volume() -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
    put(0, &348_i32.to_le_bytes());
    for (axis, length) in [3_i16, 8, 8, 4, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * axis, &length.to_le_bytes());
    }
    put(70, &2_i16.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(123, &[2]);
    put(254, &1_i16.to_le_bytes());
    for (axis, step) in [-1.0_f32, -1.0, 1.0].into_iter().enumerate() {
        put(280 + 20 * axis, &step.to_le_bytes());
    }
    put(344, b"n+1\0");
    bytes.extend((0..256).map(|place| u8::from(place % 8 < 5)));
    bytes
}

/// Contours on the grid of a volume.
pub(super) fn contours(draw: &mut Draw<'_>) {
    let structure = Structure {
        labels: vec![1],
        other_labels: Vec::new(),
        rois: vec!["A".to_owned()],
        border: Border::VoxelBorder,
        tolerance_um: 2_000,
        hd95_bound_um: 50_000,
        pixel_spacing_um: None,
    };
    let (file, volume) = (structure_set(draw), volume());
    let request = MaskRequest { structure: &structure, reference: &file, predicted: &volume };
    if let Ok(MaskComparison { measures: Some(of), .. }) = compare_masks(&request) {
        finite([of.dice, of.hd95_mm, of.nsd]);
    }
}

/// Two masks of any format, of which the second is often the first.
pub(super) fn masks(draw: &mut Draw<'_>) {
    let borders = [Border::VoxelBorder, Border::Surfel];
    let structure = Structure {
        labels: vec![1, 255],
        other_labels: (2..60).collect(),
        rois: vec!["A".to_owned()],
        border: borders[draw.below(2)],
        tolerance_um: 2_000,
        hd95_bound_um: 50_000,
        pixel_spacing_um: draw.flag().then_some(1_000),
    };
    let (start, is_twice): (&[u8], bool) = match draw.below(4) {
        0 => (b"\x89PNG\r\n\x1a\n", draw.flag()),
        _ => (b"", draw.flag()),
    };
    let mut file = [start, &draw.rest()].concat();
    if let Some(name) = file.get_mut(344..348).filter(|_| start.is_empty()) {
        name.copy_from_slice(b"n+1\0");
    }
    let predicted = if is_twice { &file[..] } else { &file[..file.len() / 2] };
    let request = MaskRequest { structure: &structure, reference: &file, predicted };
    if let Ok(MaskComparison { measures: Some(of), .. }) = compare_masks(&request) {
        finite([of.dice, of.hd95_mm, of.nsd]);
    }
}
