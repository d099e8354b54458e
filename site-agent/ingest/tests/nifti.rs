//! NIfTI-1 files to tensors, of bytes that are put together here by the specification's offsets.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod reading;

use std::io::Write as _;

use fedval_ingest::decode::ImageFault;
use fedval_study::protocol::{FrameChoice, ModelInput, ValueScaling};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::{any, prop_assert, proptest};
use reading::{assert_close, tensor};

const DATATYPE: usize = 70;
const CAL_MAX: usize = 124;
const SFORM_CODE: usize = 254;
const QFORM_CODE: usize = 252;

/// A volume of 4 × 3 × 2 voxels by the patient: from right to left, from front to back, from feet to head. Each holds
/// its place in the order in which DICOM shows them.
const LENGTHS: [usize; 3] = [4, 3, 2];

/// Which of the patient's directions each axis of the file goes along, and whether the other way round: to the right,
/// to the back and to the feet are the other ways.
type Storage = [(usize, bool); 3];

/// As DICOM stores it.
const DICOM: Storage = [(0, false), (1, false), (2, false)];
/// As most programs write it: to the left, to the front, to the head.
const RAS: Storage = [(0, true), (1, true), (2, false)];

fn value(at: [usize; 3]) -> u8 {
    u8::try_from(at[2] * 12 + at[1] * 4 + at[0]).unwrap()
}

/// The slice as DICOM shows it.
fn shown(slice: usize) -> Vec<f32> {
    (0..12).map(|pixel| f32::from(value([pixel % 4, pixel / 4, slice]))).collect()
}

/// The header of a volume so stored, with its directions in the affine transformation.
fn header(storage: Storage) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    put(&mut bytes, 0, &348_i32.to_le_bytes());
    put(&mut bytes, 40, &3_i16.to_le_bytes());
    for (axis, (direction, _)) in storage.into_iter().enumerate() {
        let length = i16::try_from(LENGTHS[direction]).unwrap();
        put(&mut bytes, 42 + 2 * axis, &length.to_le_bytes());
    }
    for axis in 4..8 {
        put(&mut bytes, 40 + 2 * axis, &1_i16.to_le_bytes());
    }
    put(&mut bytes, DATATYPE, &2_i16.to_le_bytes());
    put(&mut bytes, DATATYPE + 2, &8_i16.to_le_bytes());
    for axis in 0..4 {
        put(&mut bytes, 76 + 4 * axis, &1_f32.to_le_bytes());
    }
    put(&mut bytes, 108, &352_f32.to_le_bytes());
    put(&mut bytes, SFORM_CODE, &1_i16.to_le_bytes());
    for (axis, (direction, is_reversed)) in storage.into_iter().enumerate() {
        // The transformation goes to the right, to the front and to the head.
        let goes_there = is_reversed == (direction < 2);
        let step: f32 = if goes_there { 0.8 } else { -0.8 };
        put(&mut bytes, 280 + 16 * direction + 4 * axis, &step.to_le_bytes());
    }
    put(&mut bytes, 344, b"n+1\0");
    bytes
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// The voxels in the order in which they are stored.
fn stored(storage: Storage) -> Vec<u8> {
    let lengths = storage.map(|(direction, _)| LENGTHS[direction]);
    let mut voxels = Vec::new();
    for place in 0..24 {
        let along =
            [place % lengths[0], place / lengths[0] % lengths[1], place / lengths[0] / lengths[1]];
        let mut at = [0; 3];
        for (axis, (direction, is_reversed)) in storage.into_iter().enumerate() {
            at[direction] = if is_reversed { lengths[axis] - 1 - along[axis] } else { along[axis] };
        }
        voxels.push(value(at));
    }
    voxels
}

fn file(storage: Storage) -> Vec<u8> {
    [header(storage), stored(storage)].concat()
}

fn input(slice: u32) -> ModelInput {
    ModelInput {
        frame: FrameChoice::Number(slice),
        scaling: ValueScaling::Modality,
        ..dicom_file::input(3, 4)
    }
}

/// All orders of axes, each of them either way.
fn every_storage() -> Vec<Storage> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let ways = (0..8).map(|way| [0, 1, 2].map(|axis| way >> axis & 1 == 1));
    ways.flat_map(|way| {
        orders.map(|order| [(order[0], way[0]), (order[1], way[1]), (order[2], way[2])])
    })
    .collect()
}

#[test]
fn however_a_volume_is_stored_its_slices_are_shown_as_dicom_shows_them() {
    let storages = every_storage();
    assert_eq!(storages.len(), 48);
    for storage in storages {
        for slice in 0..2 {
            let seen = tensor(&file(storage), &input(u32::try_from(slice).unwrap() + 1));
            assert_eq!(seen, Ok(shown(slice)), "{storage:?}");
        }
    }
}

#[test]
fn the_directions_may_stand_in_a_quaternion() {
    let with = |storage: Storage, quaternion: [f32; 3], qfac: f32| {
        let mut bytes = file(storage);
        put(&mut bytes, SFORM_CODE, &0_i16.to_le_bytes());
        put(&mut bytes, QFORM_CODE, &1_i16.to_le_bytes());
        put(&mut bytes, 76, &qfac.to_le_bytes());
        for (place, part) in quaternion.into_iter().enumerate() {
            put(&mut bytes, 256 + 4 * place, &part.to_le_bytes());
        }
        bytes
    };
    let to_the_left: Storage = [(0, false), (1, true), (2, false)];
    let half = 0.5_f32.sqrt();
    for bytes in [
        // No turn: to the right, to the front, to the head.
        with(RAS, [0.0, 0.0, 0.0], 1.0),
        // Half a turn about the axis to the head.
        with(DICOM, [0.0, 0.0, 1.0], 1.0),
        // Half a turn about the axis to the front, and slices the other way round.
        with(to_the_left, [0.0, 1.0, 0.0], -1.0),
        // A quarter turn about the axis to the head: to the front, to the left, to the head.
        with([(1, true), (0, false), (2, false)], [0.0, 0.0, half], 1.0),
    ] {
        assert_eq!(tensor(&bytes, &input(1)), Ok(shown(0)));
    }
}

#[test]
fn a_single_slice_in_another_plane_is_shown_in_it() {
    // To the left, to the head, to the front: one slice seen from the front, its first row at the feet.
    let mut bytes = header([(0, false), (2, false), (1, true)]);
    put(&mut bytes, 46, &1_i16.to_le_bytes());
    bytes.extend([5, 6, 7, 8, 1, 2, 3, 4]);
    let input = ModelInput { frame: FrameChoice::Only, ..ModelInput { height: 2, ..input(1) } };
    assert_eq!(tensor(&bytes, &input), Ok(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]));
}

#[test]
fn compressed_and_in_the_other_order_of_bytes_it_is_the_same() {
    let plain = file(RAS);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&plain).unwrap();
    assert_eq!(tensor(&packed.finish().unwrap(), &input(2)), Ok(shown(1)));

    let mut turned = plain;
    let words = [(0, 4), (108, 4)].into_iter().chain((40..56).step_by(2).map(|at| (at, 2)));
    let words = words.chain([(70, 2), (72, 2), (SFORM_CODE, 2)]);
    let words = words.chain((76..92).step_by(4).chain((280..328).step_by(4)).map(|at| (at, 4)));
    for (at, length) in words {
        turned[at..at + length].reverse();
    }
    assert_eq!(tensor(&turned, &input(2)), Ok(shown(1)));
}

/// The volume with every voxel in another type, a slope of 2 and an intercept of −1000.
fn typed<const N: usize>(code: i16, write: impl Fn(u8) -> [u8; N]) -> Vec<u8> {
    let mut bytes = header(DICOM);
    put(&mut bytes, DATATYPE, &code.to_le_bytes());
    put(&mut bytes, DATATYPE + 2, &i16::try_from(N * 8).unwrap().to_le_bytes());
    put(&mut bytes, 112, &2_f32.to_le_bytes());
    put(&mut bytes, 116, &(-1000_f32).to_le_bytes());
    bytes.extend(stored(DICOM).into_iter().flat_map(write));
    bytes
}

#[test]
fn every_type_of_number_has_its_slope_and_intercept() {
    let scaled: Vec<f32> = shown(0).iter().map(|value| value * 2.0 - 1000.0).collect();
    for bytes in [
        typed(2, u8::to_le_bytes),
        typed(256, u8::to_le_bytes),
        typed(4, |value| i16::from(value).to_le_bytes()),
        typed(512, |value| u16::from(value).to_le_bytes()),
        typed(8, |value| i32::from(value).to_le_bytes()),
        typed(768, |value| u32::from(value).to_le_bytes()),
        typed(16, |value| f32::from(value).to_le_bytes()),
        typed(64, |value| f64::from(value).to_le_bytes()),
    ] {
        assert_eq!(tensor(&bytes, &input(1)), Ok(scaled.clone()));
    }
    let complex = typed(32, |value| f64::from(value).to_le_bytes());
    assert_eq!(tensor(&complex, &input(1)), Err(ImageFault::BitDepth));
}

#[test]
fn the_protocol_says_what_is_black_and_white() {
    let scaled = |scaling| ModelInput { scaling, ..input(1) };
    let bytes = typed(4, |value| i16::from(value).to_le_bytes());
    let window = scaled(ValueScaling::Window { low: -1000.0, high: -980.0 });
    let expected: Vec<f32> = shown(0).iter().map(|value| (value / 10.0).min(1.0)).collect();
    assert_close(&tensor(&bytes, &window).unwrap(), &expected);

    assert_eq!(tensor(&bytes, &scaled(ValueScaling::Voi)), Err(ImageFault::ValueMapping));
    let mut with_window = bytes.clone();
    put(&mut with_window, CAL_MAX, &(-980_f32).to_le_bytes());
    put(&mut with_window, CAL_MAX + 4, &(-1000_f32).to_le_bytes());
    assert_close(&tensor(&with_window, &scaled(ValueScaling::Voi)).unwrap(), &expected);

    assert_eq!(tensor(&bytes, &scaled(ValueScaling::Unit)), Err(ImageFault::Signed));
    let real = typed(16, |value| f32::from(value).to_le_bytes());
    assert_eq!(tensor(&real, &scaled(ValueScaling::Unit)), Err(ImageFault::ValueMapping));
    let shares: Vec<f32> = shown(0).iter().map(|value| value / 255.0).collect();
    assert_close(&tensor(&file(RAS), &scaled(ValueScaling::Unit)).unwrap(), &shares);

    let no_number = typed(16, |_| f32::NAN.to_le_bytes());
    assert_eq!(tensor(&no_number, &input(1)), Err(ImageFault::ValueMapping));
}

#[test]
fn what_cannot_be_shown_for_certain_is_refused() {
    let changed = |at: usize, what: &[u8]| {
        let mut bytes = file(RAS);
        put(&mut bytes, at, what);
        tensor(&bytes, &input(1))
    };
    // Its voxels are in another file.
    assert_eq!(changed(344, b"ni1\0"), Err(ImageFault::FormatUnknown));
    assert_eq!(changed(SFORM_CODE, &[0, 0]), Err(ImageFault::Orientation));
    // The first axis goes to the right as much as to the front.
    assert_eq!(changed(296, &(-0.8_f32).to_le_bytes()), Err(ImageFault::Orientation));
    assert_eq!(changed(280, &f32::NAN.to_le_bytes()), Err(ImageFault::Orientation));
    // A fourth axis with nothing along it changes nothing.
    assert_eq!(changed(40, &4_i16.to_le_bytes()), Ok(shown(0)));
    let mut in_time = file(RAS);
    put(&mut in_time, 40, &4_i16.to_le_bytes());
    put(&mut in_time, 48, &2_i16.to_le_bytes());
    assert_eq!(tensor(&in_time, &input(1)), Err(ImageFault::MultiFrame));
    assert_eq!(changed(40, &0_i16.to_le_bytes()), Err(ImageFault::Corrupt));
    assert_eq!(changed(108, &(-1_f32).to_le_bytes()), Err(ImageFault::Corrupt));
    assert_eq!(changed(108, &1e9_f32.to_le_bytes()), Err(ImageFault::Corrupt));
    assert_eq!(changed(108, &360_f32.to_le_bytes()), Err(ImageFault::PixelCount));
}

#[test]
fn which_slice_is_seen_is_the_protocols_to_say() {
    let of = |frame| tensor(&file(RAS), &ModelInput { frame, ..input(1) });
    assert_eq!(of(FrameChoice::Only), Err(ImageFault::MultiFrame));
    assert_eq!(of(FrameChoice::Middle), Ok(shown(0)));
    assert_eq!(of(FrameChoice::Number(3)), Err(ImageFault::FrameAbsent));
    let wrong_size = dicom_file::input(4, 3);
    let wrong_size = ModelInput { frame: FrameChoice::Number(1), ..wrong_size };
    assert_eq!(tensor(&file(RAS), &wrong_size), Err(ImageFault::Size));
}

#[test]
fn a_volume_that_inflates_beyond_all_use_is_refused() {
    let mut bytes = header(RAS);
    for axis in 0..3 {
        put(&mut bytes, 42 + 2 * axis, &[0xff, 0x3f]);
    }
    bytes.resize(1 << 20, 0);
    let input = ModelInput { height: 0x3fff, width: 0x3fff, ..input(1) };
    assert_eq!(tensor(&bytes, &input), Err(ImageFault::Size));
}

#[test]
fn a_file_that_ends_early_is_refused() {
    let whole = file(RAS);
    for length in 0..whole.len() {
        assert!(tensor(&whole[..length], &input(2)).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn no_flipped_byte_gives_more_than_a_picture(at in 0..376_usize, byte in any::<u8>()) {
        let mut bytes = file(RAS);
        bytes[at] = byte;
        if let Ok(tensor) = tensor(&bytes, &input(1)) {
            prop_assert!(tensor.len() == 12 && tensor.iter().all(|value| value.is_finite()));
        }
    }
}
