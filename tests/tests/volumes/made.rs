//! Volumes whose values grow evenly, as NIfTI and as DICOM slices, and a model of them whose scores follow from their
//! definition.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::dice::Dice;
use tract_onnx::pb::GraphProto;

use crate::dicom_file::{EXPLICIT, element_bytes, header, padded};
use crate::onnx_file;

/// Voxels of a file to the left, to the back and to the head, and how far they are apart in millimetres.
pub(crate) const VOXELS: [i16; 3] = [8, 8, 6];
const APART: [f64; 3] = [2.0, 2.0, 4.0];
/// The same of the tensor: depth, height, width.
const TENSOR: [u8; 3] = [6, 8, 8];
const SPACING: [f64; 3] = [3.0, 1.5, 1.5];
pub(crate) const SERIES: &str = "1.2.826.0.1.3680043.9.7777.31";

/// A volume whose values grow evenly along each axis: between two voxels it is known without a filter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Volume {
    pub(crate) is_positive: bool,
    /// Of the first voxel.
    pub(crate) base: i16,
    /// From voxel to voxel to the left, to the back and to the head.
    pub(crate) growth: [i16; 3],
}

impl Volume {
    fn at(self, place: [i16; 3]) -> i16 {
        (0..3).fold(self.base, |value, axis| value + self.growth[axis] * place[axis])
    }

    /// What is measured so many millimetres to the left, back and head of the middle.
    fn measured(self, way: [f64; 3]) -> f64 {
        (0..3).fold(f64::from(self.base), |value, axis| {
            let voxel = f64::from(VOXELS[axis] - 1) / 2.0 + way[axis] / APART[axis];
            value + f64::from(self.growth[axis]) * voxel
        })
    }

    /// The model's log odds of slices of the tensor, by the definition of both.
    pub(crate) fn logit(self, slices: std::ops::Range<u8>) -> f64 {
        let middle = TENSOR.map(|side| f64::from(side - 1) / 2.0);
        let first = slices.start;
        let (mut sum, mut count) = (0.0, 0.0);
        for depth in slices {
            for row in 0..TENSOR[1] {
                for column in 0..TENSOR[2] {
                    let at = [depth, row, column].map(f64::from);
                    let [head, back, left] =
                        [0, 1, 2].map(|axis: usize| (at[axis] - middle[axis]) * SPACING[axis]);
                    let shown = (self.measured([left, back, head]) + 1000.0) / 2000.0;
                    sum += shown.clamp(0.0, 1.0) * f64::from(weight([depth - first, row, column]));
                    count += 1.0;
                }
            }
        }
        sum / count + f64::from(BIAS)
    }
}

/// Before the curve.
const BIAS: f32 = -3.6;

/// Of a voxel of what the model sees: another one for each turn and mirror.
fn weight([depth, row, column]: [u8; 3]) -> f32 {
    let [depth, row, column] = [depth, row, column].map(f32::from);
    8.0 + 2.4 * (depth - 2.5) + 0.9 * (row - 3.5) - 0.6 * (column - 3.5)
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn whole(value: f64) -> i16 {
    value.round() as i16
}

pub(crate) fn volumes(count: usize) -> Vec<Volume> {
    let mut dice = Dice(11);
    (0..count)
        .map(|index| {
            let is_positive = index % 2 == 1;
            let mut spread = |width: f64| width * (dice.roll() - 0.5);
            let of_condition = if is_positive { 25.0 } else { -25.0 };
            let head = of_condition + spread(120.0);
            let growth = [whole(spread(40.0)), whole(spread(40.0)), whole(head)];
            let middle = -100.0 + spread(30.0);
            let beside = (0..3).fold(0.0, |sum, axis| {
                sum + f64::from(growth[axis]) * f64::from(VOXELS[axis] - 1) / 2.0
            });
            Volume { is_positive, base: whole(middle - beside), growth }
        })
        .collect()
}

/// NIfTI as most programs write it: to the right, to the front, to the head.
fn nifti(volume: Volume) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    for (place, length) in [3, VOXELS[0], VOXELS[1], VOXELS[2], 1, 1, 1, 1].into_iter().enumerate()
    {
        put(40 + 2 * place, &length.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    put(123, &[2]);
    put(148, b"ZZCANARY of a scan");
    put(254, &1_i16.to_le_bytes());
    for (at, step) in [(280, 2_f32), (300, 2.0), (320, 4.0)] {
        put(at, &step.to_le_bytes());
    }
    put(344, b"n+1\0");
    for head in 0..VOXELS[2] {
        for front in 0..VOXELS[1] {
            for right in 0..VOXELS[0] {
                let value = volume.at([VOXELS[0] - 1 - right, VOXELS[1] - 1 - front, head]);
                bytes.extend(value.to_le_bytes());
            }
        }
    }
    bytes
}

/// An element of a header: group, element, form and text.
pub(crate) type Element = (u16, u16, &'static str, String);

/// One axial slice with `further` elements in its header. What is stored is 1024 more than what was measured. With a tilted
/// gantry each lies half a millimetre further to the back than the one below it.
fn slice(volume: Volume, head: i16, is_tilted: bool, further: &[Element]) -> Vec<u8> {
    let mut file = header(EXPLICIT);
    let mut put = |group, element, form: &str, value: &[u8]| {
        file.extend(element_bytes(group, element, form, value, true));
    };
    let back = if is_tilted { 35.0 + 0.5 * f64::from(head) } else { 35.0 };
    let position = format!("-20\\{back}\\{}", 4 * i32::from(head) - 700);
    let number = (VOXELS[2] - head).to_string();
    let told = [
        (0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        (0x0010, 0x0010, "PN", "ZZCANARY^PATIENT"),
        (0x0020, 0x000e, "UI", SERIES),
        (0x0020, 0x0013, "IS", number.as_str()),
        (0x0020, 0x0032, "DS", position.as_str()),
        (0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
        (0x0020, 0x0052, "UI", "1.2.3.4.5"),
        (0x0028, 0x0004, "CS", "MONOCHROME2"),
        (0x0028, 0x0030, "DS", "2\\2"),
        (0x0028, 0x1052, "DS", "-1024"),
        (0x0028, 0x1053, "DS", "1"),
    ];
    let further =
        further.iter().map(|(group, element, form, text)| (*group, *element, *form, text.as_str()));
    let mut told: Vec<(u16, u16, &str, &str)> = told.into_iter().chain(further).collect();
    told.sort_unstable();
    for (group, element, form, text) in told {
        put(group, element, form, &padded(text));
    }
    for (element, value) in [
        (0x0002, 1_u16),
        (0x0010, VOXELS[1].cast_unsigned()),
        (0x0011, VOXELS[0].cast_unsigned()),
        (0x0100, 16),
        (0x0101, 16),
        (0x0102, 15),
        (0x0103, 1),
    ] {
        put(0x0028, element, "US", &value.to_le_bytes());
    }
    let places = (0..VOXELS[1]).flat_map(|back| (0..VOXELS[0]).map(move |left| [left, back, head]));
    // As far from the middle of all slices, in eighths of a voxel.
    let eighths = if is_tilted { 2 * head - (VOXELS[2] - 1) } else { 0 };
    let beside = volume.growth[1] * eighths / 8;
    let pixels: Vec<u8> =
        places.flat_map(|place| (volume.at(place) + beside + 1024).to_le_bytes()).collect();
    put(0x7fe0, 0x0010, "OW", &pixels);
    file
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Nifti,
    Slices,
    TiltedSlices,
}

pub(crate) fn write(folder: &Path, volumes: &[Volume], kept: Kept) {
    write_with(folder, volumes, kept, |_| Vec::new());
}

/// The same where the header of each patient's slices says more.
pub(crate) fn write_with(
    folder: &Path,
    volumes: &[Volume],
    kept: Kept,
    further: impl Fn(usize) -> Vec<Element>,
) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut manifest = "case_id,patient_id,image,label\n".to_owned();
    for (index, volume) in volumes.iter().enumerate() {
        let image = format!("VOLUMEX{index}");
        let path = folder.join(&image);
        match kept {
            Kept::Nifti => fs::write(path, nifti(*volume)).expect("a writable folder"),
            Kept::Slices | Kept::TiltedSlices => {
                fs::create_dir(&path).expect("a writable folder");
                let further = further(index);
                for head in 0..VOXELS[2] {
                    // Names count in another order than the slices lie.
                    let name = format!("IM{}", (head * 5 + 2) % VOXELS[2]);
                    let slice = slice(*volume, head, kept == Kept::TiltedSlices, &further);
                    fs::write(path.join(name), slice).expect("a writable folder");
                }
            }
        }
        let label = u8::from(volume.is_positive);
        writeln!(manifest, "CASEX{index},PATIENTX{index},{image},{label}").expect("text");
    }
    fs::write(folder.join("manifest.csv"), manifest).expect("a writable folder");
}

/// A model of so many slices: the mean of the weighted voxels, and a curve.
pub(crate) fn model(depth: u8) -> Vec<u8> {
    let sides = [depth, TENSOR[1], TENSOR[2]].map(i64::from);
    let [depth, height, width] = sides;
    let mut weights = Vec::new();
    for slice in 0..u8::try_from(depth).expect("few") {
        for row in 0..TENSOR[1] {
            weights.extend((0..TENSOR[2]).map(|column| weight([slice, row, column])));
        }
    }
    let shape = [1, 1, depth, height, width];
    let nodes = vec![
        onnx_file::node("Mul", &["image", "weight"], "weighted"),
        onnx_file::node("GlobalAveragePool", &["weighted"], "pooled"),
        onnx_file::node("Flatten", &["pooled"], "flat"),
        onnx_file::node("Add", &["flat", "bias"], "logit"),
        onnx_file::node("Sigmoid", &["logit"], "score"),
    ];
    let stored = vec![
        onnx_file::floats("weight", &shape, &weights),
        onnx_file::floats("bias", &[1, 1], &[BIAS]),
    ];
    let input = vec![onnx_file::value("image", &shape.map(Some))];
    onnx_file::bytes(GraphProto { input, ..onnx_file::graph(nodes, stored) })
}
