//! DICOM files, built byte by byte, so that a test can also build broken ones.

#![allow(dead_code, reason = "every test file that includes this module uses another part of it")]

use fedval_study::protocol::{FrameChoice, Layout, ModelInput, Monochrome1, Resize, ValueScaling};

pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(crate) const DEFLATED_FRAMES: &str = "1.2.840.10008.1.2.8.1";
pub(crate) const RLE: &str = "1.2.840.10008.1.2.5";
pub(crate) const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
pub(crate) const MPEG2: &str = "1.2.840.10008.1.2.4.100";

/// A grey image of 3 × 2 pixels unless changed.
#[derive(Clone)]
pub(crate) struct DicomFile {
    pub(crate) syntax: &'static str,
    pub(crate) photometric: &'static str,
    pub(crate) samples: u16,
    pub(crate) is_planar: bool,
    pub(crate) rows: u16,
    pub(crate) columns: u16,
    pub(crate) allocated: u16,
    pub(crate) stored: u16,
    pub(crate) is_signed: bool,
    pub(crate) rescale: Option<(&'static str, &'static str)>,
    pub(crate) frames: Option<&'static str>,
    /// The one fragment of an encapsulated image; `None` for `pixels` in run lengths.
    pub(crate) fragment: Option<Vec<u8>>,
    /// Elements before the pixel data, as they stand in the file.
    pub(crate) further: Vec<u8>,
    pub(crate) pixels: Vec<u8>,
}

impl DicomFile {
    /// Six pixels of 16 bits, of which `stored` count.
    pub(crate) fn grey16(stored: u16, pixels: [u16; 6]) -> Self {
        let pixels = pixels.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { allocated: 16, stored, pixels, ..Self::grey8([0; 6]) }
    }

    /// Six pixels of 8 bits.
    pub(crate) fn grey8(pixels: [u8; 6]) -> Self {
        Self {
            syntax: EXPLICIT,
            photometric: "MONOCHROME2",
            samples: 1,
            is_planar: false,
            rows: 2,
            columns: 3,
            allocated: 8,
            stored: 8,
            is_signed: false,
            rescale: None,
            frames: None,
            fragment: None,
            further: Vec::new(),
            pixels: pixels.to_vec(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = header(self.syntax);
        let explicit = self.syntax != IMPLICIT;
        let mut put = |group, element, vr, value: &[u8]| {
            file.extend(element_bytes(group, element, vr, value, explicit));
        };
        put(0x0010, 0x0010, "PN", b"ZZCANARY^PATIENT");
        put(0x0010, 0x0040, "CS", b"F ");
        put(0x0010, 0x1010, "AS", b"045Y");
        put(0x0028, 0x0002, "US", &self.samples.to_le_bytes());
        put(0x0028, 0x0004, "CS", &padded(self.photometric));
        if let Some(frames) = self.frames {
            put(0x0028, 0x0008, "IS", &padded(frames));
        }
        if self.samples > 1 {
            put(0x0028, 0x0006, "US", &u16::from(self.is_planar).to_le_bytes());
        }
        for (element, value) in [
            (0x0010, self.rows),
            (0x0011, self.columns),
            (0x0100, self.allocated),
            (0x0101, self.stored),
            (0x0102, self.stored - 1),
            (0x0103, u16::from(self.is_signed)),
        ] {
            put(0x0028, element, "US", &value.to_le_bytes());
        }
        if let Some((slope, intercept)) = self.rescale {
            put(0x0028, 0x1052, "DS", &padded(intercept));
            put(0x0028, 0x1053, "DS", &padded(slope));
        }
        file.extend(&self.further);
        let mut put = |group, element, vr, value: &[u8]| {
            file.extend(element_bytes(group, element, vr, value, explicit));
        };
        match (self.syntax, &self.fragment) {
            (_, Some(fragment)) => file.extend(encapsulated(fragment)),
            (RLE | JPEG_2000 | MPEG2, None) => file.extend(encapsulated(&self.run_lengths())),
            _ => put(0x7fe0, 0x0010, "OW", &self.pixels),
        }
        file
    }

    /// Each byte a literal run of its own.
    fn run_lengths(&self) -> Vec<u8> {
        let sample_bytes = usize::from(self.allocated / 8);
        let mut frame = vec![0; 64];
        frame[0] = u8::try_from(sample_bytes).unwrap();
        for segment in 0..sample_bytes {
            let offset = u32::try_from(frame.len()).unwrap();
            frame[4 + 4 * segment..][..4].copy_from_slice(&offset.to_le_bytes());
            let place = sample_bytes - 1 - segment;
            frame.extend(self.pixels[place..].iter().step_by(sample_bytes).flat_map(|b| [0, *b]));
        }
        frame
    }
}

/// Pixel data of one fragment.
fn encapsulated(frame: &[u8]) -> Vec<u8> {
    fragments(&[frame.to_vec()])
}

/// Pixel data of some fragments, without a table of their places.
pub(crate) fn fragments(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0xe0, 0x7f, 0x10, 0, b'O', b'B', 0, 0, 0xff, 0xff, 0xff, 0xff];
    bytes.extend(item(&[]));
    bytes.extend(frames.iter().flat_map(|frame| item(frame)));
    bytes.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    bytes
}

/// Preamble and file meta information of an image.
pub(crate) fn header(syntax: &str) -> Vec<u8> {
    header_of("1.2.840.10008.5.1.4.1.1.1", syntax)
}

/// Preamble and file meta information of an object of a SOP class.
pub(crate) fn header_of(class: &str, syntax: &str) -> Vec<u8> {
    let meta: Vec<u8> = [
        element_bytes(2, 1, "OB", &[0, 1], true),
        element_bytes(2, 2, "UI", &padded_uid(class), true),
        element_bytes(2, 3, "UI", &padded_uid("1.2.3.4"), true),
        element_bytes(2, 0x10, "UI", &padded_uid(syntax), true),
        element_bytes(2, 0x12, "UI", &padded_uid("1.2.3"), true),
    ]
    .concat();
    let length = u32::try_from(meta.len()).unwrap().to_le_bytes();
    [vec![0; 128], b"DICM".to_vec(), element_bytes(2, 0, "UL", &length, true), meta].concat()
}

/// A file of a few hundred bytes whose elements of unknown form announce gigabytes.
pub(crate) fn bomb() -> Vec<u8> {
    let mut file = header(EXPLICIT);
    // UN of undefined length: a sequence in implicit form, in which an element announces 3.7 GB.
    file.extend([0x09, 0, 0x10, 0x10, b'U', b'N', 0, 0, 0xff, 0xff, 0xff, 0xff]);
    file.extend([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]);
    file.extend([0x10, 0, 0x10, 0, 0xfe, 0xff, 0xff, 0xdf]);
    file.resize(674, 0x20);
    file
}

/// One data element.
pub(crate) fn element_bytes(
    group: u16,
    element: u16,
    vr: &str,
    value: &[u8],
    explicit: bool,
) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap();
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes()].concat();
    match vr {
        _ if !explicit => bytes.extend(length.to_le_bytes()),
        "OB" | "OW" | "UN" => {
            bytes.extend(vr.as_bytes());
            bytes.extend([0, 0]);
            bytes.extend(length.to_le_bytes());
        }
        _ => {
            bytes.extend(vr.as_bytes());
            bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
        }
    }
    bytes.extend(value);
    bytes
}

/// A sequence of items.
pub(crate) fn sequence(group: u16, element: u16, items: &[Vec<u8>]) -> Vec<u8> {
    let items: Vec<u8> = items.iter().flat_map(|of| item(of)).collect();
    let length = u32::try_from(items.len()).unwrap();
    let tag = [group.to_le_bytes(), element.to_le_bytes()].concat();
    [&tag[..], b"SQ\0\0", &length.to_le_bytes(), &items].concat()
}

pub(crate) fn item(value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap();
    [&[0xfe, 0xff, 0x00, 0xe0], length.to_le_bytes().as_slice(), value].concat()
}

pub(crate) fn padded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), b' ');
    bytes
}

fn padded_uid(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// A model's input of `height` × `width` grey values from 0 to 1.
pub(crate) fn input(height: u32, width: u32) -> ModelInput {
    ModelInput {
        name: "image".to_owned(),
        layout: Layout::Nchw,
        height,
        width,
        channels: 1,
        scaling: ValueScaling::Unit,
        mean: 0.0,
        standard_deviation: 1.0,
        resize: Resize::Refuse,
        monochrome1: Monochrome1::Invert,
        frame: FrameChoice::Only,
        volume: None,
    }
}
