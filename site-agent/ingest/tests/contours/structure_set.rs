//! RT Structure Sets on the grid of the volume of [`a_box`](crate::mask_file::a_box).

use crate::dicom_file::{EXPLICIT, element_bytes, header_of, padded, sequence};
use crate::segment_file::decimal;

const RT_STRUCTURE_SET: &str = "1.2.840.10008.5.1.4.1.1.481.3";

/// Corners in voxels: to the left, to the back, to the head.
pub(crate) type Line = Vec<[f64; 3]>;

/// A name, as it stands in the file, and contours.
pub(crate) type Region = (&'static [u8], Vec<Line>);

pub(crate) const fn region(name: &'static [u8], lines: Vec<Line>) -> Region {
    (name, lines)
}

pub(crate) const SPACE: &str = "1.2.34";

/// A file with one region unless changed.
#[derive(Clone)]
pub(crate) struct StructureSet {
    pub(crate) regions: Vec<Region>,
    pub(crate) kind: &'static str,
    pub(crate) character_set: &'static str,
    /// Points that a contour announces beyond those that it has.
    pub(crate) further: usize,
    /// What stands in the place of the first number.
    pub(crate) first: Option<&'static str>,
    /// UID of the frame of reference of every region.
    pub(crate) space: Option<&'static str>,
}

impl StructureSet {
    pub(crate) fn of(lines: Vec<Line>) -> Self {
        Self {
            regions: vec![region(b"Heart ", lines)],
            kind: "CLOSED_PLANAR",
            character_set: "ISO_IR 100",
            further: 0,
            first: None,
            space: None,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let of = |place: usize| padded(&(place + 1).to_string());
        let number_and_name = |(place, (name, _)): (usize, &Region)| {
            let number = element_bytes(0x3006, 0x0022, "IS", &of(place), true);
            let space =
                self.space.map(|uid| element_bytes(0x3006, 0x0024, "UI", &padded(uid), true));
            let name = element_bytes(0x3006, 0x0026, "LO", name, true);
            [number, space.unwrap_or_default(), name].concat()
        };
        let drawn = |(place, (_, lines)): (usize, &Region)| {
            let contours: Vec<Vec<u8>> = lines.iter().map(|line| self.contour(line)).collect();
            let number = element_bytes(0x3006, 0x0084, "IS", &of(place), true);
            [sequence(0x3006, 0x0040, &contours), number].concat()
        };
        let names: Vec<Vec<u8>> = self.regions.iter().enumerate().map(number_and_name).collect();
        let contours: Vec<Vec<u8>> = self.regions.iter().enumerate().map(drawn).collect();
        [
            header_of(RT_STRUCTURE_SET, EXPLICIT),
            element_bytes(0x0008, 0x0005, "CS", &padded(self.character_set), true),
            sequence(0x3006, 0x0020, &names),
            sequence(0x3006, 0x0039, &contours),
        ]
        .concat()
    }

    fn contour(&self, line: &Line) -> Vec<u8> {
        let mut numbers: Vec<String> =
            line.iter().flat_map(|corner| millimetres(*corner)).map(|mm| mm.to_string()).collect();
        if let Some(first) = self.first {
            first.clone_into(&mut numbers[0]);
        }
        let count = padded(&(line.len() + self.further).to_string());
        [
            element_bytes(0x3006, 0x0042, "CS", &padded(self.kind), true),
            element_bytes(0x3006, 0x0046, "IS", &count, true),
            decimal(0x3006, 0x0050, &numbers.join("\\")),
        ]
        .concat()
    }
}

/// To the patient's left, back and head, as DICOM has them.
fn millimetres([left, back, head]: [f64; 3]) -> [f64; 3] {
    let rounded = |mm: f64| (mm * 1e4).round() / 1e4;
    [-10.0 + 0.8 * left, -20.0 + back, -30.0 + 2.5 * head].map(rounded)
}

/// A rectangle in a slice, from one corner to the other.
pub(crate) fn rectangle([left, front]: [f64; 2], [right, back]: [f64; 2], slice: f64) -> Line {
    vec![[left, front, slice], [right, front, slice], [right, back, slice], [left, back, slice]]
}

/// Round the voxels of the box.
pub(crate) fn round_the_box() -> StructureSet {
    let of = |slice| rectangle([0.5, 0.5], [3.5, 3.5], slice);
    StructureSet::of(vec![of(1.0), of(2.0)])
}

pub(crate) fn in_space(space: &'static str) -> StructureSet {
    StructureSet { space: Some(space), ..round_the_box() }
}
