//! Slices of a series as DICOM files, whose values are a field that is linear in the patient's millimetres.

#![allow(dead_code, reason = "every test file that includes this module uses another part of it")]

use fedval_study::protocol::{GantryTilt, ModelInput, Monochrome1, ValueScaling, VolumeInput};

use crate::dicom_file::{DicomFile, element_bytes, input, padded};

pub(crate) type Vector = [f64; 3];

pub(crate) const AXIAL: [Vector; 2] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

/// A slice of 3 × 2 pixels, each a millimetre wide and high unless changed.
#[derive(Clone)]
pub(crate) struct SliceFile {
    /// To the left, to the back, to the head; absent where the file does not say it.
    pub(crate) position: Option<Vector>,
    /// Along a row, down a column.
    pub(crate) orientation: [Vector; 2],
    /// From row to row, from column to column.
    pub(crate) spacing: [f64; 2],
    pub(crate) series: &'static str,
    pub(crate) frame_of_reference: Option<&'static str>,
    pub(crate) kind: &'static str,
    pub(crate) instance: u32,
    pub(crate) columns: u16,
    /// Slope and intercept.
    pub(crate) rescale: Option<(&'static str, &'static str)>,
}

/// What stands at a place, in millimetres to the left, back and head.
pub(crate) fn field([left, back, head]: Vector) -> f64 {
    2000.0 + 4.0 * left + 40.0 * back + 100.0 * head
}

impl SliceFile {
    pub(crate) fn at(position: Vector, orientation: [Vector; 2]) -> Self {
        Self {
            position: Some(position),
            orientation,
            spacing: [1.0; 2],
            series: "1.2.3.5",
            frame_of_reference: Some("1.2.3.6"),
            kind: "ORIGINAL\\PRIMARY\\AXIAL",
            instance: 1,
            columns: 3,
            rescale: None,
        }
    }

    /// The middle of a pixel.
    pub(crate) fn place(&self, row: u16, column: u16) -> Vector {
        let [along, down] = self.orientation;
        let position = self.position.unwrap_or_default();
        let (row, column) = (f64::from(row), f64::from(column));
        [0, 1, 2].map(|part: usize| {
            position[part]
                + column * self.spacing[1] * along[part]
                + row * self.spacing[0] * down[part]
        })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let text = |numbers: &[f64]| {
            let texts: Vec<String> = numbers.iter().map(f64::to_string).collect();
            padded(&texts.join("\\"))
        };
        let put = |group, element, form: &str, value: &[u8]| {
            element_bytes(group, element, form, value, true)
        };
        let mut further = put(0x0008, 0x0008, "CS", &padded(self.kind));
        further.extend(put(0x0020, 0x000e, "UI", &padded(self.series)));
        further.extend(put(0x0020, 0x0013, "IS", &padded(&self.instance.to_string())));
        if let Some(position) = self.position {
            further.extend(put(0x0020, 0x0032, "DS", &text(&position)));
        }
        further.extend(put(0x0020, 0x0037, "DS", &text(self.orientation.as_flattened())));
        if let Some(frame_of_reference) = self.frame_of_reference {
            further.extend(put(0x0020, 0x0052, "UI", &padded(frame_of_reference)));
        }
        further.extend(put(0x0028, 0x0030, "DS", &text(&self.spacing)));
        let pixels = (0..2).flat_map(|row| (0..self.columns).map(move |column| (row, column)));
        let pixels = pixels.flat_map(|(row, column)| {
            let stored = field(self.place(row, column)).round();
            stored_bits(stored)
        });
        let pixels = pixels.collect();
        let (columns, rescale) = (self.columns, self.rescale);
        DicomFile { columns, rescale, further, pixels, ..DicomFile::grey16(16, [0; 6]) }.bytes()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "fields are small")]
fn stored_bits(stored: f64) -> [u8; 2] {
    (stored as u16).to_le_bytes()
}

/// Axial slices two millimetres apart, whose instance numbers count the other way.
pub(crate) fn axial(count: u32) -> Vec<SliceFile> {
    let slice = |index: u32| SliceFile {
        instance: count - index,
        ..SliceFile::at([-10.0, 5.0, 2.0 * f64::from(index)], AXIAL)
    };
    (0..count).map(slice).collect()
}

/// A model's input of so many voxels, which are what was measured.
pub(crate) fn volume_input(sides: [u32; 3], order: &str, spacing_mm: [f64; 3]) -> ModelInput {
    let [depth, height, width] = sides;
    let orientation = order.parse().expect("letters of an order");
    let gantry_tilt = GantryTilt::Refuse;
    let volume =
        VolumeInput { depth, gantry_tilt, orientation, spacing_mm, padding: -1.0, slab: None };
    ModelInput {
        scaling: ValueScaling::Modality,
        monochrome1: Monochrome1::Refuse,
        volume: Some(volume),
        ..input(height, width)
    }
}
