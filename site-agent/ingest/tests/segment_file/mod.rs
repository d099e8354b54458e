//! Masks as DICOM SEG, of bytes that are put together here.

#![allow(dead_code, reason = "every test file that includes this module uses another part of it")]

use std::io::Write as _;

use flate2::{Compression, write::DeflateEncoder};

use crate::dicom_file::{
    DEFLATED_FRAMES, EXPLICIT, element_bytes, fragments, header, padded, sequence,
};
use crate::mask_file::{LENGTHS, is_in};

/// Frames of the volume of [`a_box`], from right to left and from front to back unless they are turned.
#[derive(Clone)]
pub(crate) struct Segments {
    /// Which slice each frame shows, of which segment.
    pub(crate) frames: Vec<(usize, u16)>,
    pub(crate) is_in: fn([usize; 3]) -> bool,
    pub(crate) between: Option<&'static str>,
    pub(crate) kind: &'static str,
    /// Millimetres that every second frame lies too high.
    pub(crate) slip: f64,
    /// Rows from left to right, so that slices are counted to the feet.
    pub(crate) is_turned: bool,
    /// Each frame deflated by itself.
    pub(crate) is_deflated: bool,
    /// UID of the frame of reference.
    pub(crate) space: Option<&'static str>,
}

/// The box in the two slices that hold any of it.
pub(crate) fn boxed() -> Segments {
    Segments {
        frames: vec![(1, 1), (2, 1)],
        is_in: |at| is_in(at, [1, 1, 1]),
        between: Some("2.5"),
        kind: "BINARY",
        slip: 0.0,
        is_turned: false,
        is_deflated: false,
        space: Some("1.2.34"),
    }
}

pub(crate) fn decimal(group: u16, element: u16, text: &str) -> Vec<u8> {
    element_bytes(group, element, "DS", &padded(text), true)
}

fn short(group: u16, element: u16, value: u16) -> Vec<u8> {
    element_bytes(group, element, "US", &value.to_le_bytes(), true)
}

impl Segments {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let frames = padded(&self.frames.len().to_string());
        let space = |uid: &str| element_bytes(0x0020, 0x0052, "UI", &padded(uid), true);
        [
            header(if self.is_deflated { DEFLATED_FRAMES } else { EXPLICIT }),
            self.space.map(space).unwrap_or_default(),
            short(0x0028, 0x0002, 1),
            element_bytes(0x0028, 0x0008, "IS", &frames, true),
            short(0x0028, 0x0010, 5),
            short(0x0028, 0x0011, 6),
            short(0x0028, 0x0100, 1),
            short(0x0028, 0x0101, 1),
            short(0x0028, 0x0102, 0),
            short(0x0028, 0x0103, 0),
            element_bytes(0x0062, 0x0001, "CS", &padded(self.kind), true),
            sequence(0x5200, 0x9229, &[self.shared()]),
            sequence(0x5200, 0x9230, &self.of_frames()),
            self.pixel_data(),
        ]
        .concat()
    }

    fn shared(&self) -> Vec<u8> {
        let orientation = if self.is_turned { "-1\\0\\0\\0\\1\\0" } else { "1\\0\\0\\0\\1\\0" };
        let between = self.between.map(|mm| decimal(0x0018, 0x0088, mm)).unwrap_or_default();
        let measures = [decimal(0x0018, 0x0050, "5"), between, decimal(0x0028, 0x0030, "1\\0.8")];
        [
            sequence(0x0020, 0x9116, &[decimal(0x0020, 0x0037, orientation)]),
            sequence(0x0028, 0x9110, &[measures.concat()]),
        ]
        .concat()
    }

    fn of_frames(&self) -> Vec<Vec<u8>> {
        let frame = |(index, (slice, segment)): (usize, &(usize, u16))| {
            let slip = if index % 2 == 1 { self.slip } else { 0.0 };
            let height = -30.0 + 2.5 * f64::from(u16::try_from(*slice).unwrap()) + slip;
            let left = if self.is_turned { "-6" } else { "-10" };
            let position = format!("{left}\\-20\\{height}");
            [
                sequence(0x0020, 0x9113, &[decimal(0x0020, 0x0032, &position)]),
                sequence(0x0062, 0x000a, &[short(0x0062, 0x000b, *segment)]),
            ]
            .concat()
        };
        self.frames.iter().enumerate().map(frame).collect()
    }

    pub(crate) fn pixel_data(&self) -> Vec<u8> {
        if self.is_deflated {
            fragments(&self.deflated())
        } else {
            element_bytes(0x7fe0, 0x0010, "OB", &self.pixels(), true)
        }
    }

    /// The first pixel in the lowest bit, frames without a gap: 30 pixels are no whole bytes.
    pub(crate) fn pixels(&self) -> Vec<u8> {
        let bits = self.frames.iter().flat_map(|(slice, _)| self.bits(*slice)).collect::<Vec<_>>();
        let mut bytes = packed(&bits);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    }

    /// Each frame begins with a byte of its own.
    pub(crate) fn deflated(&self) -> Vec<Vec<u8>> {
        let deflate = |(slice, _): &(usize, u16)| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&packed(&self.bits(*slice))).unwrap();
            let mut bytes = encoder.finish().unwrap();
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            bytes
        };
        self.frames.iter().map(deflate).collect()
    }

    fn bits(&self, slice: usize) -> Vec<bool> {
        let bit = |pixel: usize| {
            let column = if self.is_turned { LENGTHS[0] - 1 - pixel % 6 } else { pixel % 6 };
            (self.is_in)([column, pixel / 6, slice])
        };
        (0..30).map(bit).collect()
    }
}

fn packed(bits: &[bool]) -> Vec<u8> {
    let mut bytes = vec![0; bits.len().div_ceil(8)];
    for (place, bit) in bits.iter().enumerate() {
        bytes[place / 8] |= u8::from(*bit) << (place % 8);
    }
    bytes
}
