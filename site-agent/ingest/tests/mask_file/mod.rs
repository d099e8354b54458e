//! Masks as NIfTI-1 and PNG files, put together here by the specification's offsets.

#![allow(dead_code, reason = "every test file that includes this module uses another part of it")]

use fedval_study::protocol::{Border, Structure};
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};

/// Voxels by the patient: from right to left, from front to back, from feet to head.
pub(crate) const LENGTHS: [usize; 3] = [6, 5, 4];
/// Millimetres from one to the next.
pub(crate) const SPACING: [f32; 3] = [0.8, 1.0, 2.5];

/// Which of the patient's directions each axis of the file goes along, and whether the other way round.
pub(crate) type Storage = [(usize, bool); 3];

/// As most programs write it: to the right, to the front, to the head.
pub(crate) const RAS: Storage = [(0, true), (1, true), (2, false)];

/// All orders of axes, each of them either way.
pub(crate) fn every_storage() -> Vec<Storage> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let ways = (0..8).map(|way| [0, 1, 2].map(|axis| way >> axis & 1 == 1));
    ways.flat_map(|way| {
        orders.map(|order| [(order[0], way[0]), (order[1], way[1]), (order[2], way[2])])
    })
    .collect()
}

pub(crate) fn structure() -> Structure {
    Structure {
        labels: vec![1],
        other_labels: Vec::new(),
        rois: Vec::new(),
        border: Border::VoxelBorder,
        tolerance_um: 500,
        hd95_bound_um: 50_000,
        pixel_spacing_um: None,
    }
}

/// A volume of bytes and where it lies.
#[derive(Clone)]
pub(crate) struct MaskFile {
    pub(crate) lengths: [usize; 3],
    pub(crate) storage: Storage,
    /// The middle of the voxel furthest right, front and foot, in millimetres to the right, front and head.
    pub(crate) origin: [f32; 3],
    /// The label at a place by the patient.
    pub(crate) label: fn([usize; 3]) -> u8,
}

/// A box of 3 × 3 × 2 voxels.
pub(crate) fn a_box() -> MaskFile {
    let label = |at| u8::from(is_in(at, [1, 1, 1]));
    MaskFile { lengths: LENGTHS, storage: RAS, origin: [10.0, 20.0, -30.0], label }
}

/// Whether a place lies in the box that begins at another.
pub(crate) fn is_in(at: [usize; 3], begin: [usize; 3]) -> bool {
    let sides = [3, 3, 2];
    (0..3).all(|axis| (begin[axis]..begin[axis] + sides[axis]).contains(&at[axis]))
}

impl MaskFile {
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut bytes = vec![0; 352];
        put(&mut bytes, 0, &348_i32.to_le_bytes());
        put(&mut bytes, 40, &3_i16.to_le_bytes());
        for (axis, (direction, _)) in self.storage.into_iter().enumerate() {
            let length = i16::try_from(self.lengths[direction]).expect("a short side");
            put(&mut bytes, 42 + 2 * axis, &length.to_le_bytes());
        }
        for axis in 4..8 {
            put(&mut bytes, 40 + 2 * axis, &1_i16.to_le_bytes());
        }
        put(&mut bytes, 70, &2_i16.to_le_bytes());
        put(&mut bytes, 72, &8_i16.to_le_bytes());
        put(&mut bytes, 108, &352_f32.to_le_bytes());
        // Millimetres.
        bytes[123] = 2;
        put(&mut bytes, 254, &1_i16.to_le_bytes());
        for (axis, (direction, is_reversed)) in self.storage.into_iter().enumerate() {
            let way = if direction == 2 { 1.0 } else { -1.0 };
            let step = way * SPACING[direction];
            let last = f32::from(u16::try_from(self.lengths[direction] - 1).expect("a short side"));
            let row = 280 + 16 * direction;
            let along = if is_reversed { -step } else { step };
            put(&mut bytes, row + 4 * axis, &along.to_le_bytes());
            let start = self.origin[direction] + if is_reversed { step * last } else { 0.0 };
            put(&mut bytes, row + 12, &start.to_le_bytes());
        }
        put(&mut bytes, 344, b"n+1\0");
        bytes
    }

    /// Labels in the order in which they are stored.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let lengths = self.storage.map(|(direction, _)| self.lengths[direction]);
        let mut labels = Vec::new();
        for place in 0..lengths.iter().product() {
            let along = [
                place % lengths[0],
                place / lengths[0] % lengths[1],
                place / lengths[0] / lengths[1],
            ];
            let mut at = [0; 3];
            for (axis, (direction, is_reversed)) in self.storage.into_iter().enumerate() {
                let last = lengths[axis] - 1;
                at[direction] = if is_reversed { last - along[axis] } else { along[axis] };
            }
            labels.push((self.label)(at));
        }
        labels
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.header(), self.stored()].concat()
    }
}

pub(crate) fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// A grey picture of 8 bits.
pub(crate) fn png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(pixels, width, height, ExtendedColorType::L8)
        .expect("it is written to memory");
    file
}
