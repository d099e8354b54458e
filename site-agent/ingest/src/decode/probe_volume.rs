//! Probe volumes as files: NIfTI, and the slices of a DICOM series.

use fedval_preprocess::probe::{Decimal, GreyFile, Probe, SeriesFile, VolumeFile};

use super::probe_file::{Place, dicom, element};

/// In the range of UUIDs, so that they are nobody's.
const SERIES: &str = "2.25.2";
const FRAME_OF_REFERENCE: &str = "2.25.3";
/// Where voxels begin: behind the header and the four bytes that say that nothing is between.
const VOXELS: f32 = 352.0;
/// Types of a voxel: whole numbers of 16 bits, with a sign and without.
const SIGNED: i16 = 4;
const UNSIGNED: i16 = 512;
/// Nothing is shown by it: the protocol's scaling is.
const WINDOW: [Decimal; 2] =
    [Decimal { digits: 40, exponent: 0 }, Decimal { digits: 400, exponent: 0 }];

/// A NIfTI-1 file, the low byte first, with an affine transformation.
pub(super) fn nifti(file: &VolumeFile) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    put(40, &3_i16.to_le_bytes());
    for (axis, length) in file.lengths.into_iter().enumerate() {
        let length = i16::try_from(length).unwrap_or(0);
        put(42 + 2 * axis, &length.to_le_bytes());
    }
    for axis in 3..7 {
        put(42 + 2 * axis, &1_i16.to_le_bytes());
    }
    let kind = if file.is_signed { SIGNED } else { UNSIGNED };
    put(70, &kind.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    put(76, &1_f32.to_le_bytes());
    put(108, &VOXELS.to_le_bytes());
    let [slope, intercept] = file.rescale;
    put(112, &slope.to_le_bytes());
    put(116, &intercept.to_le_bytes());
    // Millimetres.
    put(123, &[2]);
    // The affine transformation leads to a scanner's place.
    put(254, &1_i16.to_le_bytes());
    for part in 0..3 {
        for (axis, step) in file.steps.iter().enumerate() {
            put(280 + 16 * part + 4 * axis, &step[part].to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    bytes.extend(file.values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// The files of a series. Instance numbers count as the files come, which says nothing of where the slices lie.
pub(super) fn series(probe: &Probe, file: &SeriesFile) -> Vec<Vec<u8>> {
    let numbered = (1..).zip(&file.slices);
    numbered.map(|(number, slice)| slice_file(probe, file, number, slice)).collect()
}

fn slice_file(
    probe: &Probe,
    file: &SeriesFile,
    number: u32,
    (position, values): &([Decimal; 3], Vec<i16>),
) -> Vec<u8> {
    let of =
        |numbers: &[Decimal]| numbers.iter().map(Decimal::to_string).collect::<Vec<_>>().join("\\");
    let orientation = SeriesFile::ORIENTATION.as_flattened();
    let orientation = orientation.iter().map(i8::to_string).collect::<Vec<_>>().join("\\");
    let before = [
        element(0x0020, 0x000e, "UI", SERIES.as_bytes()),
        element(0x0020, 0x0013, "IS", number.to_string().as_bytes()),
        element(0x0020, 0x0032, "DS", of(position).as_bytes()),
        element(0x0020, 0x0037, "DS", orientation.as_bytes()),
        element(0x0020, 0x0052, "UI", FRAME_OF_REFERENCE.as_bytes()),
    ];
    let place = Place { before: before.concat(), spacing: Some(of(&file.spacing)) };
    let probe = Probe { height: file.rows, width: file.columns, ..probe.clone() };
    let frame = GreyFile {
        frames: vec![values.clone()],
        is_signed: file.is_signed,
        is_white_low: false,
        rescale: file.rescale,
        window: WINDOW,
    };
    dicom(&probe, &frame, &place)
}
