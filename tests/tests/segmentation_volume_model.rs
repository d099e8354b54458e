//! Hospitals at which the model itself gives masks of volumes, whole or slab by slab: the report's numbers are those that
//! follow from voxels by definition, whether the reference standard is NIfTI, DICOM SEG or contours, and although the
//! model sees another grid than the images'. A reference on another grid counts as failed, and nothing of a case leaves.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../site-agent/ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
#[path = "../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use dicom_file::{EXPLICIT, element_bytes, header, padded};
use fedval_tests::by_definition::{mean_and_sd, step};
use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::dicom_object::{element, object, sequence, text};
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use onnx_file::{floats, graph, node, value};
use serde_json::Value;
use tract_onnx::pb::GraphProto;

/// Voxels of a file to the left, to the back and to the head, and millimetres from one to the next.
const SIDES: [usize; 3] = [12, 11, 8];
const APART: [f64; 3] = [1.5, 1.2, 3.0];
/// The same of what the model sees: as it is to the left, padded to the back, and cut off at head and feet.
const SEEN: [usize; 3] = [12, 10, 10];
const SEEN_APART: [f64; 3] = [1.5, 2.0, 2.0];
/// Up to which distance surfaces agree, in millimetres.
const TOLERANCE: f64 = 1.5;
/// Distances are cut to this, in millimetres.
const BOUND: f64 = 10.0;
const FRAME: &str = "1.2.826.0.1.3680043.9.7777.41";
/// The name of the region that structure sets outline.
const ROI: &str = "Organ";

/// Voxels by head, then back, then left.
type Mask = Vec<bool>;

/// A patient with a volume, and the mask of the reference standard.
struct Patient {
    measured: Vec<i16>,
    reference: Mask,
    /// Whether the reference's file says another place than the image's.
    is_misplaced: bool,
}

/// Places to the left, to the back and to the head, in C order.
fn places(sides: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    let [width, height, depth] = sides;
    (0..depth).flat_map(move |z| (0..height).flat_map(move |y| (0..width).map(move |x| [x, y, z])))
}

/// Voxels nearer than `radius` millimetres to a point.
fn ball(middle: [f64; 3], radius: f64) -> Mask {
    let is_near = |at: [usize; 3]| {
        let apart = |axis: usize| real(at[axis]) * APART[axis] - middle[axis];
        (0..3).map(|axis| apart(axis).powi(2)).sum::<f64>() < radius * radius
    };
    places(SIDES).map(is_near).collect()
}

/// Patients whose reference lies up to `error` millimetres beside what is bright in the image. Of the first ones nothing
/// is bright in `missed`, then there is no reference in `spurious`, and in `neither` there is none and nothing is bright.
fn patients(
    seed: u64,
    count: usize,
    error: f64,
    [missed, spurious, neither]: [usize; 3],
) -> Vec<Patient> {
    let mut dice = Dice(seed);
    let empty = || vec![false; SIDES.iter().product()];
    (0..count)
        .map(|index| {
            let middle = [7.5 + 1.5 * dice.roll(), 5.5 + dice.roll(), 9.5 + 2.0 * dice.roll()];
            let radius = 4.0 + 1.5 * dice.roll();
            let moved = middle.map(|part| part + error * (2.0 * dice.roll() - 1.0));
            let (bright, reference) =
                (ball(middle, radius), ball(moved, radius + 0.5 * dice.roll()));
            let kinds = [missed, missed + spurious, missed + spurious + neither];
            let (bright, reference) = match kinds.iter().position(|end| index < *end) {
                Some(0) => (empty(), reference),
                Some(1) => (bright, empty()),
                Some(_) => (empty(), empty()),
                None => (bright, reference),
            };
            let mut value = |is_bright: &bool| {
                let least = if *is_bright { 150 } else { -600 };
                least + i16::try_from(dice.below(300)).unwrap()
            };
            let measured = bright.iter().map(&mut value).collect();
            Patient { measured, reference, is_misplaced: false }
        })
        .collect()
}

/// A NIfTI-1 file to the right, front and head; or, turned, to the left, back and head. It may lie too high.
fn nifti(form: i16, is_turned: bool, slip: f32, voxel: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let bits = if form == 2 { 8_i16 } else { 16 };
    let mut bytes = vec![0_u8; 352];
    let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
    put(0, &348_i32.to_le_bytes());
    put(40, &3_i16.to_le_bytes());
    for (axis, side) in SIDES.iter().enumerate() {
        put(42 + 2 * axis, &i16::try_from(*side).unwrap().to_le_bytes());
    }
    for axis in 4..8 {
        put(40 + 2 * axis, &1_i16.to_le_bytes());
    }
    put(70, &form.to_le_bytes());
    put(72, &bits.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(123, &[2]);
    put(148, b"ZZCANARY of a scan");
    put(254, &1_i16.to_le_bytes());
    // The first voxel to the left and back lies 20 mm to the right and 35 to the back of nothing.
    let rows = if is_turned {
        [[-1.5, 20.0], [-1.2, -35.0], [3.0, -700.0 + slip]]
    } else {
        [[1.5, 3.5], [1.2, -47.0], [3.0, -700.0 + slip]]
    };
    for (axis, [step, start]) in rows.into_iter().enumerate() {
        put(280 + 20 * axis, &f32::to_le_bytes(step));
        put(292 + 16 * axis, &f32::to_le_bytes(start));
    }
    put(344, b"n+1\0");
    let [width, height, _] = SIDES;
    for [first, second, head] in places(SIDES) {
        let [left, back] =
            if is_turned { [first, second] } else { [width - 1 - first, height - 1 - second] };
        bytes.extend(voxel((head * height + back) * width + left));
    }
    bytes
}

/// One axial slice. What is stored is 1024 more than what was measured.
fn slice(patient: &Patient, head: usize) -> Vec<u8> {
    let mut file = header(EXPLICIT);
    let mut put = |group, element, form: &str, value: &[u8]| {
        file.extend(element_bytes(group, element, form, value, true));
    };
    let (position, number) = (position(head), (SIDES[2] - head).to_string());
    for (group, element, form, text) in [
        (0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        (0x0010, 0x0010, "PN", "ZZCANARY^PATIENT"),
        (0x0020, 0x000e, "UI", "1.2.826.0.1.3680043.9.7777.42"),
        (0x0020, 0x0013, "IS", number.as_str()),
        (0x0020, 0x0032, "DS", position.as_str()),
        (0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
        (0x0020, 0x0052, "UI", FRAME),
        (0x0028, 0x0004, "CS", "MONOCHROME2"),
        // From row to row, then from column to column.
        (0x0028, 0x0030, "DS", "1.2\\1.5"),
        (0x0028, 0x1052, "DS", "-1024"),
        (0x0028, 0x1053, "DS", "1"),
    ] {
        put(group, element, form, &padded(text));
    }
    let [columns, rows, _] = SIDES.map(|side| u16::try_from(side).unwrap());
    for (element, value) in [
        (0x0002, 1_u16),
        (0x0010, rows),
        (0x0011, columns),
        (0x0100, 16),
        (0x0101, 16),
        (0x0102, 15),
        (0x0103, 1),
    ] {
        put(0x0028, element, "US", &value.to_le_bytes());
    }
    let pixels = SIDES[0] * SIDES[1];
    let own = &patient.measured[head * pixels..][..pixels];
    let stored: Vec<u8> = own.iter().flat_map(|value| (value + 1024).to_le_bytes()).collect();
    put(0x7fe0, 0x0010, "OW", &stored);
    file
}

/// Of the first pixel of a slice: to the left, back and head.
fn position(head: usize) -> String {
    format!("-20\\35\\{}", 3.0 * real(head) - 700.0)
}

/// An RT Structure Set of a mask: of each row in each slice a rectangle round its voxels, edge to edge with those of the
/// rows beside it. A region without a contour is an empty mask.
fn structure_set(mask: &Mask) -> Vec<u8> {
    let [width, height, _] = SIDES;
    let mut contours = Vec::new();
    for (row, voxels) in mask.chunks(width).enumerate() {
        let (y, z) = (real(row % height), real(row / height));
        let Some(begin) = voxels.iter().position(|is_in| *is_in) else { continue };
        let end = voxels.iter().rposition(|is_in| *is_in).map_or(begin, |last| last + 1);
        assert!(voxels[begin..end].iter().all(|is_in| *is_in), "a ball has no hole");
        let (x0, x1) = (real(begin) - 0.5, real(end) - 0.5);
        let corners = [[x0, y - 0.5], [x1, y - 0.5], [x1, y + 0.5], [x0, y + 0.5]];
        let numbers = corners.iter().flat_map(|[x, y]| {
            [1.5 * x - 20.0, 1.2 * y + 35.0, 3.0 * z - 700.0].map(|mm| format!("{mm:.4}"))
        });
        let data = numbers.collect::<Vec<_>>().join("\\");
        let kind = text((0x3006, 0x0042), b"CS", "CLOSED_PLANAR");
        let count = text((0x3006, 0x0046), b"IS", "4");
        contours.push([kind, count, text((0x3006, 0x0050), b"DS", &data)].concat());
    }
    let named = [
        text((0x3006, 0x0022), b"IS", "7"),
        text((0x3006, 0x0024), b"UI", FRAME),
        text((0x3006, 0x0026), b"LO", ROI),
    ];
    let drawn = [sequence((0x3006, 0x0040), &contours), text((0x3006, 0x0084), b"IS", "7")];
    object(
        "1.2.840.10008.5.1.4.1.1.481.3",
        &[
            sequence((0x3006, 0x0020), &[named.concat()]),
            sequence((0x3006, 0x0039), &[drawn.concat()]),
        ],
    )
}

/// A DICOM SEG of a mask, without the slices that hold nothing; of an empty one the first stays.
fn segments(mask: &Mask) -> Vec<u8> {
    let pixels = SIDES[0] * SIDES[1];
    let slices: Vec<&[bool]> = mask.chunks(pixels).collect();
    let mut held: Vec<usize> =
        (0..slices.len()).filter(|head| slices[*head].contains(&true)).collect();
    if held.is_empty() {
        held.push(0);
    }
    let short = |tag, value: u16| element(tag, b"US", &value.to_le_bytes());
    let decimal = |tag, value: &str| text(tag, b"DS", value);
    let frame = |head: &usize| {
        let place = decimal((0x0020, 0x0032), &position(*head));
        let segment = short((0x0062, 0x000b), 1);
        [sequence((0x0020, 0x9113), &[place]), sequence((0x0062, 0x000a), &[segment])].concat()
    };
    let measures = [
        decimal((0x0018, 0x0050), "3"),
        decimal((0x0018, 0x0088), "3"),
        decimal((0x0028, 0x0030), "1.2\\1.5"),
    ];
    let shared = [
        sequence((0x0020, 0x9116), &[decimal((0x0020, 0x0037), "1\\0\\0\\0\\1\\0")]),
        sequence((0x0028, 0x9110), &[measures.concat()]),
    ];
    let mut bits = vec![0_u8; (held.len() * pixels).div_ceil(8).next_multiple_of(2)];
    let voxels = held.iter().flat_map(|head| slices[*head]);
    for (place, is_in) in voxels.enumerate() {
        bits[place / 8] |= u8::from(*is_in) << (place % 8);
    }
    let [columns, rows, _] = SIDES.map(|side| u16::try_from(side).unwrap());
    object(
        "1.2.840.10008.5.1.4.1.1.66.4",
        &[
            text((0x0020, 0x0052), b"UI", FRAME),
            short((0x0028, 0x0002), 1),
            text((0x0028, 0x0008), b"IS", &held.len().to_string()),
            short((0x0028, 0x0010), rows),
            short((0x0028, 0x0011), columns),
            short((0x0028, 0x0100), 1),
            short((0x0028, 0x0101), 1),
            short((0x0028, 0x0102), 0),
            short((0x0028, 0x0103), 0),
            text((0x0062, 0x0001), b"CS", "BINARY"),
            sequence((0x5200, 0x9229), &[shared.concat()]),
            sequence((0x5200, 0x9230), &held.iter().map(frame).collect::<Vec<_>>()),
            element((0x7fe0, 0x0010), b"OB", &bits),
        ],
    )
}

/// How a hospital keeps images and masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Both as NIfTI, the masks the other way round.
    Nifti,
    /// Slices, and contours.
    Contours,
    /// Slices, and segments.
    Segments,
}

fn write(folder: &Path, patients: &[Patient], kept: Kept) {
    fs::create_dir_all(folder).unwrap();
    let mut table = "case_id,patient_id,image,truth\n".to_owned();
    for (index, patient) in patients.iter().enumerate() {
        let [image, truth] = ["VOLUMEX", "TRUTHX"].map(|what| format!("{what}{index}"));
        let path = folder.join(&image);
        if kept == Kept::Nifti {
            let voxel = |place: usize| patient.measured[place].to_le_bytes().to_vec();
            fs::write(path, nifti(4, false, 0.0, voxel)).unwrap();
        } else {
            fs::create_dir(&path).unwrap();
            for head in 0..SIDES[2] {
                // Names count in another order than the slices lie.
                let name = format!("IM{}", (head * 5 + 2) % SIDES[2]);
                fs::write(path.join(name), slice(patient, head)).unwrap();
            }
        }
        let slip = if patient.is_misplaced { 1.5 } else { 0.0 };
        let reference = match kept {
            Kept::Nifti => nifti(2, true, slip, |place| vec![u8::from(patient.reference[place])]),
            Kept::Contours => structure_set(&patient.reference),
            Kept::Segments => segments(&patient.reference),
        };
        fs::write(folder.join(&truth), reference).unwrap();
        writeln!(table, "CASEX{index},PATIENTX{index},{image},{truth}").unwrap();
    }
    fs::write(folder.join("manifest.csv"), table).unwrap();
}

/// A graph from a volume of these sides to numbers of as many channels as there are weights: of each voxel, from 0 to 1,
/// `weight · voxel + bias`, with a bias for each channel or for each slice.
fn model(sides: [i64; 3], weights: &[f32], biases: &[f32], of_each: [i64; 2]) -> Vec<u8> {
    let channels = i64::try_from(weights.len()).unwrap();
    let [depth, height, width] = sides;
    let [of_channels, of_slices] = of_each;
    let stored = vec![
        floats("weight", &[1, channels, 1, 1, 1], weights),
        floats("bias", &[1, of_channels, of_slices, 1, 1], biases),
    ];
    let nodes = vec![
        node("Mul", &["image", "weight"], "weighed"),
        node("Add", &["weighed", "bias"], "mask"),
    ];
    let shape = |channels| [1, channels, depth, height, width].map(Some);
    onnx_file::bytes(GraphProto {
        input: vec![value("image", &shape(1))],
        output: vec![value("mask", &shape(channels))],
        ..graph(nodes, stored)
    })
}

fn study(id: &str, model: &Path, volume: &str, output: &str) -> String {
    let table = format!(
        "[[endpoints]]\nname = \"misses\"\nmetric = \"dice_misses_zero\"\nlimit = 0.4\n\
         [segmentation]\nlabels = [1]\nborder = \"voxel_border\"\ntolerance_mm = {TOLERANCE:?}\n\
         hd95_bound_mm = {BOUND:?}\nrois = [\"{ROI}\"]\n"
    );
    let mut text = small_site::study(id, model) + &table;
    for (what, with) in [
        ("[model]\n", "preprocessing_probes = \"require\"\ntask = \"segmentation\"\n[model]\n"),
        // A sixth of a hospital's masks lie elsewhere.
        ("[analysis]\n", "[analysis]\nfailure_limit = 0.2\n"),
        ("height = 8", "height = 10"),
        ("width = 8", "width = 12"),
        ("scaling = \"unit\"\n", "scaling = \"window\"\nwindow_low = -1000\nwindow_high = 1000\n"),
        ("resize = \"refuse\"\nmonochrome1 = \"invert\"\n", volume),
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", ""),
        ("name = \"probability\"\nscale = \"probability\"\n", output),
        ("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", ""),
        ("metric = \"auroc\"\nlimit = 0.8", "metric = \"dice\"\nlimit = 0.5"),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replacen(what, with, 1);
    }
    text
}

/// Along an axis, where a voxel of one grid lies in another whose middle is the same.
fn across(at: usize, sides: [usize; 2], apart: [f64; 2]) -> f64 {
    (real(at) - real(sides[0] - 1) / 2.0) * apart[0] / apart[1] + real(sides[1] - 1) / 2.0
}

/// The trilinear value at a place, which is held to the outermost voxels.
fn sampled(values: &[f64], sides: [usize; 3], place: [f64; 3]) -> f64 {
    let mut sum = 0.0;
    for corner in 0..8 {
        let (mut weight, mut voxel, mut stride) = (1.0, 0, 1);
        for axis in 0..3 {
            let at = place[axis].clamp(0.0, real(sides[axis] - 1));
            let (low, is_high) = (whole(at), corner >> axis & 1 == 1);
            let share = at - real(low);
            weight *= if is_high { share } else { 1.0 - share };
            voxel += stride * if is_high { (low + 1).min(sides[axis] - 1) } else { low };
            stride *= sides[axis];
        }
        sum += weight * values[voxel];
    }
    sum
}

/// The first and the last voxel of what the model sees along an axis that show the file.
fn shown(axis: usize) -> [usize; 2] {
    let is_shown = |at: &usize| {
        let place = across(*at, [SEEN[axis], SIDES[axis]], [SEEN_APART[axis], APART[axis]]);
        (-0.5..=real(SIDES[axis]) - 0.5).contains(&place)
    };
    let [first, last] = [(0..SEEN[axis]).find(is_shown), (0..SEEN[axis]).rfind(is_shown)];
    [first.unwrap(), last.unwrap()]
}

/// The mask of a model whose number of a voxel is `margin` of what it sees there, in a slice from the feet.
fn predicted(patient: &Patient, margin: impl Fn(f64, usize) -> f64) -> Mask {
    let measured: Vec<f64> = patient.measured.iter().map(|value| f64::from(*value)).collect();
    let numbers: Vec<f64> = places(SEEN)
        .map(|at| {
            let place = [0, 1, 2].map(|axis: usize| {
                across(at[axis], [SEEN[axis], SIDES[axis]], [SEEN_APART[axis], APART[axis]])
            });
            margin((sampled(&measured, SIDES, place) + 1000.0) / 2000.0, at[2])
        })
        .collect();
    let is_in = |at: [usize; 3]| {
        let mut place = [0.0; 3];
        for axis in 0..3 {
            let sides = [SIDES[axis], SEEN[axis]];
            let own = across(at[axis], sides, [APART[axis], SEEN_APART[axis]]);
            let ([first, last], end) = (shown(axis), real(SEEN[axis]) - 0.5);
            let is_cut = (first == 0 && own < -0.5) || (last + 1 == SEEN[axis] && own > end);
            if is_cut {
                return false;
            }
            place[axis] = own.clamp(real(first), real(last));
        }
        sampled(&numbers, SEEN, place) >= 0.0
    };
    places(SIDES).map(is_in).collect()
}

/// Dice, the 95th percentile of distances and normalised surface Dice; `None` where a mask is empty.
fn measured(reference: &Mask, predicted: &Mask) -> Option<[f64; 3]> {
    let size = |mask: &Mask| mask.iter().filter(|is_in| **is_in).count();
    if size(reference) == 0 || size(predicted) == 0 {
        return None;
    }
    let common = reference.iter().zip(predicted).filter(|(one, other)| **one && **other).count();
    let dice = 2.0 * real(common) / real(size(reference) + size(predicted));
    let (one, other) = (border(reference), border(predicted));
    let (there, back) = (nearest(&one, &other), nearest(&other, &one));
    let within = there.iter().chain(&back).filter(|mm| **mm <= TOLERANCE).count();
    let hd95 = percentile(&there).max(percentile(&back)).min(BOUND);
    Some([dice, hd95, real(within) / real(there.len() + back.len())])
}

/// Voxels with a neighbour across a face that is not in the mask.
fn border(mask: &Mask) -> Vec<[usize; 3]> {
    let is_in = |[x, y, z]: [usize; 3]| {
        let is_there = x < SIDES[0] && y < SIDES[1] && z < SIDES[2];
        is_there && mask[(z * SIDES[1] + y) * SIDES[0] + x]
    };
    let is_open = |at: [usize; 3]| {
        (0..3).any(|axis| {
            let (mut before, mut after) = (at, at);
            before[axis] = at[axis].wrapping_sub(1);
            after[axis] += 1;
            !is_in(before) || !is_in(after)
        })
    };
    places(SIDES).filter(|at| is_in(*at) && is_open(*at)).collect()
}

/// Millimetres from each of these to the nearest of those, sorted.
fn nearest(from: &[[usize; 3]], to: &[[usize; 3]]) -> Vec<f64> {
    let distance = |one: &[usize; 3], other: &[usize; 3]| {
        let apart = |axis: usize| real(one[axis].abs_diff(other[axis])) * APART[axis];
        (0..3).map(|axis| apart(axis).powi(2)).sum::<f64>().sqrt()
    };
    let least =
        |at: &[usize; 3]| to.iter().map(|of| distance(at, of)).fold(f64::INFINITY, f64::min);
    let mut distances: Vec<f64> = from.iter().map(least).collect();
    distances.sort_by(f64::total_cmp);
    distances
}

/// The 95th, between order statistics.
fn percentile(sorted: &[f64]) -> f64 {
    let place = 0.95 * real(sorted.len() - 1);
    let low = whole(place);
    let high = (low + 1).min(sorted.len() - 1);
    (place - place.floor()).mul_add(sorted[high] - sorted[low], sorted[low])
}

#[expect(clippy::cast_precision_loss, reason = "voxels and patients")]
const fn real(of: usize) -> f64 {
    of as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn whole(of: f64) -> usize {
    of.floor() as usize
}

type Hospital = (&'static str, Kept, Vec<Patient>);

fn hospitals() -> [Hospital; 3] {
    let mut north = patients(1, 80, 1.0, [4, 3, 12]);
    // Whose masks were made on another grid.
    let mut misplaced = patients(4, 14, 1.0, [0, 0, 0]);
    for patient in &mut misplaced {
        patient.is_misplaced = true;
    }
    north.extend(misplaced);
    [
        ("north", Kept::Nifti, north),
        ("south", Kept::Contours, patients(2, 60, 2.5, [2, 0, 0])),
        ("west", Kept::Segments, patients(3, 60, 1.5, [0, 0, 0])),
    ]
}

/// A round over `hospitals`, and its report.
fn round(consortium: &Consortium, text: &str, hospitals: &[Hospital]) -> Value {
    let mut sites: Vec<Site> = hospitals
        .iter()
        .map(|(name, kept, patients)| {
            let data = consortium.path(&format!("data-{name}"));
            write(&data, patients, *kept);
            let site = consortium.enrol(name, &data);
            site.configure_also("[data_sources.columns]\nreference_mask = \"truth\"\n");
            site
        })
        .collect();
    let (_, report) = consortium.complete("volumes", text, &mut sites);
    for (site, (_, _, patients)) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        assert!(canaries.len() >= 3 * patients.len(), "case, patient and image of every line");
        let outgoing = site.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        for word in ["VOLUMEX", "TRUTHX", FRAME] {
            assert!(!stands_in(word, &outgoing), "{}: {word} left", site.name);
        }
        let job = report["round"]["id"].as_str().unwrap();
        let shown = site.agent(&["preview", job]);
        assert_eq!(shown.code, 0, "{}", shown.err);
        assert!(shown.out.contains("dice: mean"), "{}", shown.out);
    }
    report
}

/// Means with their errors, within the rounding of mean and spread.
fn check(report: &Value, (name, _, patients): &Hospital, of: impl Fn(&Patient) -> Mask) {
    let site = site(report, name);
    assert_eq!(site["status"], "released", "{site}");
    let placed = patients.iter().filter(|patient| !patient.is_misplaced);
    let measured: Vec<[f64; 3]> =
        placed.filter_map(|patient| measured(&patient.reference, &of(patient))).collect();
    assert_eq!(site["patients"], measured.len(), "{name}: each but those on another grid");
    for (place, (id, room)) in
        [("dice", 1.0), ("hd95", BOUND), ("nsd", 1.0)].into_iter().enumerate()
    {
        let values: Vec<f64> = measured.iter().map(|of| of[place]).collect();
        let ((mean, sd), step) = (mean_and_sd(&values), step(room, values.len(), 0.001));
        let metrics = &site["metrics"];
        near(name, number(metrics, &format!("/{id}/estimate")), mean, step / 2.0 + 1e-6);
        let se = (sd * sd / real(values.len()) + step * step / 12.0).sqrt();
        near(name, number(metrics, &format!("/{id}/se")), se, 0.06 * se);
    }
}

/// How far above one half a voxel is, as the models weigh it.
fn margin(shown: f64) -> f64 {
    20.0_f64.mul_add(shown, -10.0)
}

#[test]
fn masks_of_whole_volumes_come_back_to_the_images_own_voxels() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    // The structure's channel is above the other where a voxel is above one half.
    fs::write(&file, model([10, 10, 12], &[-10.0, 10.0], &[5.0, -5.0], [2, 1])).unwrap();
    let hospitals = hospitals();
    let volume = "[model.input.volume]\ndepth = 10\nspacing_mm = [2.0, 2.0, 1.5]\n\
                  orientation = \"PSR\"\n";
    let output = "name = \"mask\"\nform = \"mask\"\nrule = \"highest\"\nchannels = 2\n\
                  positive_index = 1\n";
    let report = round(&consortium, &study("volumes", &file, volume, output), &hospitals);
    for hospital in &hospitals {
        check(&report, hospital, |patient| predicted(patient, |shown, _| margin(shown)));
    }
    let empty = |name: &str| site(&report, name)["empty_masks"].clone();
    let told = serde_json::json!({
        "missed": 4, "without_structure": { "neither": 12, "spurious": 3 }
    });
    assert_eq!(empty("north"), told);
    assert_eq!(empty("south"), serde_json::json!({ "missed": 2 }));
    assert_eq!(report["segmentation"]["measured"], 61 + 58 + 60);
}

#[test]
fn masks_of_slabs_are_put_together_and_their_common_slices_averaged() {
    /// What is added in each slice of a slab.
    const TILT: [f32; 4] = [-1.0, -2.5, 1.5, 2.0];
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    let biases = TILT.map(|tilt| tilt - 10.0);
    fs::write(&file, model([4, 10, 12], &[20.0], &biases, [1, 4])).unwrap();
    let hospitals = hospitals();
    let volume = "[model.input.volume]\ndepth = 10\nspacing_mm = [2.0, 2.0, 1.5]\n\
                  orientation = \"SPL\"\nslab = { depth = 4, overlap = 1, pooling = \"mean\" }\n";
    let output = "name = \"mask\"\nscale = \"logit\"\nform = \"mask\"\nrule = \"threshold\"\n\
                  threshold = 0.5\n";
    let report = round(&consortium, &study("volumes", &file, volume, output), &hospitals);
    let in_slabs = |shown: f64, slice: usize| {
        // Slabs begin at slices 0, 3 and 6.
        let places = [0, 3, 6].into_iter().filter_map(|start| slice.checked_sub(start));
        let tilts: Vec<f64> =
            places.filter_map(|place| TILT.get(place)).map(|tilt| f64::from(*tilt)).collect();
        margin(shown) + tilts.iter().sum::<f64>() / real(tilts.len())
    };
    for hospital in &hospitals {
        check(&report, hospital, |patient| predicted(patient, in_slabs));
    }
    // The slabs in another order would be another study.
    let turned = |shown: f64, slice: usize| in_slabs(shown, 9 - slice);
    let differs = |patient: &Patient| predicted(patient, in_slabs) != predicted(patient, turned);
    assert!(hospitals[2].2.iter().filter(|patient| differs(patient)).count() > 30);
}
