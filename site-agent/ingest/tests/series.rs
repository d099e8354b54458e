//! Slices of a series to a volume: ordered by where they lie, and refused where they are none.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod slice_file;

use dicom_file::{DicomFile, element_bytes, item, padded};
use fedval_ingest::decode::{ImageFault, decode_series};
use fedval_ingest::{DecodeRequest, decode_image};
use fedval_study::protocol::{GantryTilt, ModelInput};
use slice_file::{AXIAL, SliceFile, Vector, axial, field, volume_input};

fn read(input: &ModelInput, slices: &[SliceFile]) -> Result<Vec<f32>, ImageFault> {
    let files: Vec<Vec<u8>> = slices.iter().map(SliceFile::bytes).collect();
    decode_series(input, &[], &files).map(|volume| volume.tensor)
}

#[track_caller]
fn assert_refused(slices: &[SliceFile], fault: ImageFault) {
    let input = volume_input([2, 2, 2], "SPL", [1.0; 3]);
    assert_eq!(read(&input, slices), Err(fault));
}

/// To the left, back and head.
fn way(letter: char) -> Vector {
    match letter {
        'R' => [-1.0, 0.0, 0.0],
        'L' => [1.0, 0.0, 0.0],
        'A' => [0.0, -1.0, 0.0],
        'P' => [0.0, 1.0, 0.0],
        'S' => [0.0, 0.0, 1.0],
        _ => [0.0, 0.0, -1.0],
    }
}

/// What the eight voxels of a tensor of 2 × 2 × 2 about the volume's middle hold, by the field alone.
fn expected(slices: &[SliceFile], order: &str, spacing: Vector) -> Vec<f64> {
    let places: Vec<Vector> = slices
        .iter()
        .flat_map(|slice| (0..2).flat_map(move |r| (0..3).map(move |c| slice.place(r, c))))
        .collect();
    let count = f64::from(u32::try_from(places.len()).unwrap());
    let middle =
        [0, 1, 2].map(|part: usize| places.iter().map(|place| place[part]).sum::<f64>() / count);
    let ways: Vec<Vector> = order.chars().map(way).collect();
    (0..8)
        .map(|voxel| {
            let sides = [voxel >> 2 & 1, voxel >> 1 & 1, voxel & 1];
            let mut place = middle;
            for (axis, side) in sides.into_iter().enumerate() {
                let along = (f64::from(side) - 0.5) * spacing[axis];
                for (part, way) in place.iter_mut().zip(ways[axis]) {
                    *part += along * way;
                }
            }
            field(place)
        })
        .collect()
}

fn assert_near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-2, "{found} is not {expected}");
    }
}

/// Four slices a step apart, in the planes of an orientation.
fn stack(orientation: [Vector; 2], step: Vector) -> Vec<SliceFile> {
    let at = |index: u32| [0, 1, 2].map(|part: usize| f64::from(index) * step[part]);
    (0..4).map(|index| SliceFile::at(at(index), orientation)).collect()
}

#[test]
fn files_in_any_order_are_one_volume_whatever_they_are_numbered() {
    let input = volume_input([4, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    let slices = axial(4);
    let in_order: Vec<f64> = slices
        .iter()
        .flat_map(|slice| (0..2).flat_map(move |r| (0..3).map(move |c| slice.place(r, c))))
        .map(field)
        .collect();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let shuffled = order.map(|place: usize| slices[place].clone());
        assert_near(&read(&input, &shuffled).unwrap(), &in_order);
    }
}

#[test]
fn every_plane_and_both_normals_come_out_by_the_patients_directions() {
    let spacing = [0.5, 0.25, 0.75];
    for slices in [
        stack(AXIAL, [0.0, 0.0, 2.0]),
        // The normal goes to the feet.
        stack([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]], [0.0, 0.0, 2.0]),
        // Feet first, face down.
        stack([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]], [0.0, 0.0, -3.0]),
        // Coronal and sagittal.
        stack([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]], [0.0, 1.0, 0.0]),
        stack([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0]], [-1.0, 0.0, 0.0]),
    ] {
        for order in ["SPL", "RAS", "LPS", "IAR"] {
            let input = volume_input([2, 2, 2], order, spacing);
            let found = read(&input, &slices).unwrap();
            assert_near(&found, &expected(&slices, order, spacing));
        }
    }
}

#[test]
fn an_oblique_stack_is_ordered_along_its_own_normal() {
    // Tilted by the angle of a triangle of 3, 4 and 5: along the patient's axes alone these would look shifted.
    let oblique = [[1.0, 0.0, 0.0], [0.0, 0.8, 0.6]];
    let slices = stack(oblique, [0.0, -1.2, 1.6]);
    let input = volume_input([4, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    let in_order: Vec<f64> = slices
        .iter()
        .flat_map(|slice| (0..2).flat_map(move |r| (0..3).map(move |c| slice.place(r, c))))
        .map(|place| field(place).round())
        .collect();
    let shuffled = [2, 3, 0, 1].map(|place: usize| slices[place].clone());
    assert_near(&read(&input, &shuffled).unwrap(), &in_order);
}

#[test]
fn what_is_not_one_volume_is_refused_each_for_its_own_reason() {
    let whole = axial(6);
    let changed = |change: fn(&mut SliceFile)| {
        let mut slices = whole.clone();
        change(&mut slices[3]);
        slices
    };
    let without = |place: usize| {
        let mut slices = whole.clone();
        slices.remove(place);
        slices
    };
    for inner in 1..5 {
        assert_refused(&without(inner), ImageFault::SeriesGap);
    }
    // An end that is missing is a shorter scan.
    assert!(read(&volume_input([2, 2, 2], "SPL", [1.0; 3]), &without(0)).is_ok());
    let twice = [whole.clone(), vec![whole[2].clone()]].concat();
    assert_refused(&twice, ImageFault::SeriesDuplicate);
    assert_refused(&[whole.clone(), whole.clone()].concat(), ImageFault::SeriesDuplicate);
    assert_refused(
        &changed(|s| s.orientation = [AXIAL[1], AXIAL[0]]),
        ImageFault::SeriesOrientation,
    );
    assert_refused(&changed(|s| s.series = "1.2.3.7"), ImageFault::SeriesMixed);
    assert_refused(&changed(|s| s.frame_of_reference = Some("1.9")), ImageFault::SeriesMixed);
    assert_refused(&changed(|s| s.frame_of_reference = None), ImageFault::Geometry);
    assert_refused(&changed(|s| s.position = None), ImageFault::Geometry);
    assert_refused(&changed(|s| s.orientation = [AXIAL[0]; 2]), ImageFault::Geometry);
    assert_refused(&changed(|s| s.spacing = [0.0; 2]), ImageFault::Geometry);
    assert_refused(&changed(|s| s.spacing = [1.1, 1.0]), ImageFault::SeriesGrid);
    assert_refused(&changed(|s| s.columns = 4), ImageFault::SeriesGrid);
    assert_refused(
        &changed(|s| s.kind = "ORIGINAL\\PRIMARY\\LOCALIZER"),
        ImageFault::SeriesLocalizer,
    );
    assert_refused(&whole[..1], ImageFault::OneSlice);
    assert_refused(&[], ImageFault::OneSlice);
    // A gantry tilted by a little: each slice is shifted in its own plane.
    let tilted: Vec<SliceFile> = (0..6)
        .map(|index| SliceFile::at([0.0, 0.3 * f64::from(index), 2.0 * f64::from(index)], AXIAL))
        .collect();
    assert_refused(&tilted, ImageFault::SeriesShifted);
}

/// The same input of a protocol that takes tilted gantries.
fn tilted(mut input: ModelInput) -> ModelInput {
    input.volume.as_mut().unwrap().gantry_tilt = GantryTilt::Resample;
    input
}

#[test]
fn a_tilted_gantry_is_made_upright_where_the_protocol_says_so() {
    // A quarter of a pixel for each slice, so that stored values are whole; the files in no order.
    let slices: Vec<SliceFile> = [2.0, 0.0, 3.0, 1.0]
        .map(|place| SliceFile::at([0.25 * place - 10.0, 5.0, 2.0 * place], AXIAL))
        .to_vec();
    for order in ["SPL", "RAS"] {
        let input = volume_input([2, 2, 2], order, [1.0; 3]);
        assert_eq!(read(&input, &slices), Err(ImageFault::SeriesShifted));
        let found = read(&tilted(input), &slices).unwrap();
        let expected = expected(&slices, order, [1.0; 3]);
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-3, "{order}: {found} {expected}");
        }
    }
    // What is upright is what it was, to the last bit.
    let input = volume_input([4, 2, 3], "SPL", [1.7, 0.9, 1.1]);
    assert_eq!(read(&tilted(input.clone()), &axial(4)), read(&input, &axial(4)));
    // Shifted otherwise than a gantry does it.
    let jump: Vec<SliceFile> = [0.0, 0.3, 0.9, 0.9]
        .into_iter()
        .zip([0.0, 2.0, 4.0, 6.0])
        .map(|(back, head)| SliceFile::at([0.0, back, head], AXIAL))
        .collect();
    let input = tilted(volume_input([2, 2, 2], "SPL", [1.0; 3]));
    assert_eq!(read(&input, &jump), Err(ImageFault::SeriesShifted));
}

#[test]
fn each_slice_is_rescaled_by_its_own_slope() {
    let input = volume_input([2, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    let [first, second] = [0, 1].map(|place: usize| axial(2)[place].clone());
    let rescaled = SliceFile { rescale: Some(("0.5", "-100")), ..second.clone() };
    let plain = read(&input, &[first.clone(), second]).unwrap();
    let found = read(&input, &[first, rescaled]).unwrap();
    assert_eq!(found[..6], plain[..6]);
    for (found, plain) in found[6..].iter().zip(&plain[6..]) {
        assert!((found - (plain * 0.5 - 100.0)).abs() < 1e-3, "{found} of {plain}");
    }
}

fn sequence(group: u16, element: u16, items: &[Vec<u8>]) -> Vec<u8> {
    let items: Vec<u8> = items.iter().flat_map(|of| item(of)).collect();
    let length = u32::try_from(items.len()).unwrap();
    let tag = [group.to_le_bytes(), element.to_le_bytes()].concat();
    [&tag[..], b"SQ\0\0", &length.to_le_bytes(), &items].concat()
}

/// An enhanced image whose frames lie at these heights: each says where, and all share the rest.
fn enhanced(heights: &[f64]) -> Vec<u8> {
    enhanced_with(heights, |_| Vec::new())
}

/// The same, in which each frame says something more of itself, by its height.
fn enhanced_with(heights: &[f64], more: impl Fn(f64) -> Vec<u8>) -> Vec<u8> {
    let decimal =
        |group, element, text: &str| element_bytes(group, element, "DS", &padded(text), true);
    let orientation = decimal(0x0020, 0x0037, "1\\0\\0\\0\\1\\0");
    let shared = [
        sequence(0x0020, 0x9116, &[orientation]),
        sequence(0x0028, 0x9110, &[decimal(0x0028, 0x0030, "1\\1")]),
    ];
    let frame = |height: &f64| {
        let position = decimal(0x0020, 0x0032, &format!("-10\\5\\{height}"));
        [sequence(0x0020, 0x9113, &[position]), more(*height)].concat()
    };
    let frames: Vec<Vec<u8>> = heights.iter().map(frame).collect();
    let further =
        [sequence(0x5200, 0x9229, &[shared.concat()]), sequence(0x5200, 0x9230, &frames)].concat();
    // Of every frame the six pixels of the slice that lies there.
    let slice = |height: &f64| {
        let file = SliceFile::at([-10.0, 5.0, *height], AXIAL).bytes();
        file[file.len() - 12..].to_vec()
    };
    let pixels = heights.iter().flat_map(slice).collect();
    let frames = if heights.len() == 4 { "4" } else { "3" };
    let frames = Some(frames);
    DicomFile { frames, further, pixels, ..DicomFile::grey16(16, [0; 6]) }.bytes()
}

#[test]
fn frames_of_an_enhanced_image_are_ordered_as_files_are() {
    let input = volume_input([4, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    let of = |heights: &[f64]| {
        let bytes = enhanced(heights);
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes: &bytes };
        decode_image(&request).map(|volume| volume.tensor)
    };
    let expected = read(&input, &axial(4)).unwrap();
    assert_eq!(of(&[0.0, 2.0, 4.0, 6.0]).unwrap(), expected);
    assert_eq!(of(&[4.0, 0.0, 6.0, 2.0]).unwrap(), expected);
    assert_eq!(of(&[0.0, 2.0, 6.0]), Err(ImageFault::SeriesGap));
    assert_eq!(of(&[0.0, 2.0, 2.0]), Err(ImageFault::SeriesDuplicate));
}

#[test]
fn each_frame_of_an_enhanced_image_is_rescaled_by_its_own_slope() {
    let input = volume_input([4, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    let of = |bytes: &[u8]| {
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes };
        decode_image(&request).map(|volume| volume.tensor)
    };
    let heights = [4.0, 0.0, 6.0, 2.0];
    let rescaled = |height: f64| {
        let decimal =
            |element, text: &str| element_bytes(0x0028, element, "DS", &padded(text), true);
        let item = [decimal(0x1052, &height.to_string()), decimal(0x1053, "0.5")].concat();
        sequence(0x0028, 0x9145, &[item])
    };
    let plain = read(&input, &axial(4)).unwrap();
    let found = of(&enhanced_with(&heights, rescaled)).unwrap();
    let slices = plain.chunks(6).zip(found.chunks(6)).zip([0.0, 2.0, 4.0, 6.0]);
    for ((plain, found), height) in slices {
        for (plain, found) in plain.iter().zip(found) {
            assert!((found - (plain * 0.5 + height)).abs() < 1e-3, "{found} of {plain}");
        }
    }
    // One frame that says nothing, and nothing for all.
    let without = |height: f64| if height > 5.0 { Vec::new() } else { rescaled(height) };
    assert_eq!(of(&enhanced_with(&heights, without)), Err(ImageFault::ValueMapping));
}

#[test]
fn a_picture_or_a_single_frame_is_no_volume() {
    let input = volume_input([2, 2, 2], "SPL", [1.0; 3]);
    let of = |bytes: &[u8]| {
        decode_image(&DecodeRequest { input: &input, dicom_attributes: &[], bytes }).map(drop)
    };
    assert_eq!(of(b"\x89PNG\r\n\x1a\n"), Err(ImageFault::NotVolume));
    assert_eq!(of(&axial(1)[0].bytes()), Err(ImageFault::OneSlice));
    assert_eq!(of(b"anything"), Err(ImageFault::FormatUnknown));
    let colour = DicomFile { photometric: "RGB", samples: 3, ..DicomFile::grey8([0; 6]) };
    assert_eq!(of(&colour.bytes()), Err(ImageFault::Colour));
}
