//! What hospitals keep: images and masks as NIfTI, slices, structure sets and segments.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::dicom_object::{element, object, sequence, text};

use super::{FRAME, Mask, Patient, ROI, SIDES, places, real};
use crate::dicom_file::{EXPLICIT, element_bytes, header, padded};

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
pub(crate) enum Kept {
    /// Both as NIfTI, the masks the other way round.
    Nifti,
    /// Slices, and contours.
    Contours,
    /// Slices, and segments.
    Segments,
}

pub(crate) fn write(folder: &Path, patients: &[Patient], kept: Kept) {
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
