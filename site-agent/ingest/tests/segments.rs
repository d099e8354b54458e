//! Masks as DICOM SEG, of bytes that are put together here, beside the same masks as NIfTI.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod mask_file;
mod mirror;
mod segment_file;

use dicom_file::{DicomFile, fragments};
use fedval_ingest::decode::ImageFault;
use fedval_ingest::{
    FrameOfReference, FramePlace, ImageFrame, MaskComparison, MaskMeasures, MaskRequest,
    OutputRequest, compare_masks, compare_output,
};
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::Structure;
use mask_file::{MaskFile, a_box, is_in, structure};
use mirror::mirror;
use segment_file::{Segments, boxed};

fn compare_as(
    structure: &Structure,
    reference: &[u8],
    predicted: &[u8],
) -> Result<MaskComparison, ImageFault> {
    compare_masks(&MaskRequest { structure, reference, predicted })
}

fn compare(reference: &[u8], predicted: &[u8]) -> Result<MaskComparison, ImageFault> {
    compare_as(&structure(), reference, predicted)
}

fn fault(of: &Segments) -> Option<ImageFault> {
    compare(&a_box().bytes(), &of.bytes()).err()
}

#[track_caller]
fn assert_measures(compared: Result<MaskComparison, ImageFault>, expected: [f64; 3]) {
    let MaskMeasures { dice, hd95_mm, nsd } = compared.unwrap().measures.unwrap();
    let found = [dice, hd95_mm, nsd];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
}

#[test]
fn segments_are_the_voxels_of_the_volume_that_they_were_drawn_in() {
    let volume = a_box().bytes();
    let reversed = Segments { frames: vec![(2, 1), (1, 1)], ..boxed() };
    let turned = Segments { is_turned: true, ..boxed() };
    let deflated = Segments { is_deflated: true, ..boxed() };
    let unspaced = Segments { between: None, ..boxed() };
    for segments in [boxed(), reversed, turned, unspaced, deflated] {
        assert_measures(compare(&volume, &segments.bytes()), [1.0, 0.0, 1.0]);
        assert_measures(compare(&segments.bytes(), &volume), [1.0, 0.0, 1.0]);
    }
}

/// A model that marks what is shown, of an image at a height and in a frame of reference, beside segments.
fn judged(
    segments: &Segments,
    height: f64,
    space: Option<&str>,
) -> Result<MaskComparison, ImageFault> {
    let model = mirror(dicom_file::input(5, 6));
    let shown = |pixel: usize| f32::from(u8::from(is_in([pixel % 6, pixel / 6, 1], [1, 1, 1])));
    let values: Vec<f32> = (0..30).map(shown).collect();
    let place = FramePlace {
        origin: [10.0, 20.0, height],
        row_step: [0.0, -1.0, 0.0],
        column_step: [-0.8, 0.0, 0.0],
        frame_of_reference: space.map(FrameOfReference::of),
    };
    let frame = ImageFrame { height: 5, width: 6, place: Some(place), slices: None };
    let (structure, reference) = (structure(), segments.bytes());
    compare_output(&OutputRequest {
        structure: &structure,
        model: &model,
        frame: &frame,
        reference: &reference,
        values: &values,
    })
}

#[test]
fn a_slice_that_the_file_leaves_out_has_no_structure() {
    let own = boxed().space;
    let of = |segments: &Segments, height: f64| judged(segments, height, own);
    for segments in [boxed(), Segments { is_turned: true, ..boxed() }] {
        assert_measures(of(&segments, -27.5), [1.0, 0.0, 1.0]);
        let left_out = of(&segments, -30.0).unwrap();
        assert_eq!(left_out.presence, Presence::OnlyPredicted);
        assert_eq!(of(&segments, -26.0).err(), Some(ImageFault::MaskGrid));
    }
}

#[test]
fn a_slice_beside_segments_of_another_acquisition_or_of_none_is_no_slice_without_structure() {
    let (own, other) = (boxed().space, Some("1.2.35"));
    let unnamed = Segments { space: None, ..boxed() };
    // Where the file has the slice, the place alone tells that it is the same.
    assert!(judged(&boxed(), -27.5, None).is_ok() && judged(&unnamed, -27.5, own).is_ok());
    assert_eq!(judged(&boxed(), -27.5, other).err(), Some(ImageFault::MaskGrid));
    assert!(judged(&boxed(), -30.0, own).is_ok());
    assert_eq!(judged(&boxed(), -30.0, other).err(), Some(ImageFault::MaskGrid));
    assert_eq!(judged(&boxed(), -30.0, None).err(), Some(ImageFault::MaskGrid));
    assert_eq!(judged(&unnamed, -30.0, own).err(), Some(ImageFault::MaskGrid));
}

#[test]
fn segments_of_two_frames_of_reference_are_not_held_against_each_other() {
    let elsewhere = Segments { space: Some("1.2.35"), ..boxed() };
    let compared = compare(&boxed().bytes(), &elsewhere.bytes());
    assert_eq!(compared.err(), Some(ImageFault::MaskGrid));
    let unnamed = Segments { space: None, ..boxed() };
    assert_measures(compare(&boxed().bytes(), &unnamed.bytes()), [1.0, 0.0, 1.0]);
}

#[test]
fn two_files_with_other_slices_are_pieces_of_one_volume() {
    let higher =
        Segments { frames: vec![(2, 1), (3, 1)], is_in: |at| is_in(at, [1, 1, 2]), ..boxed() };
    assert_measures(compare(&boxed().bytes(), &higher.bytes()), [0.5, 2.5, 0.5]);
    assert_measures(compare(&higher.bytes(), &a_box().bytes()), [0.5, 2.5, 0.5]);
    let to_the_left = Segments { is_in: |at| is_in(at, [2, 1, 1]), ..boxed() };
    let third = 2.0 / 3.0;
    assert_measures(compare(&boxed().bytes(), &to_the_left.bytes()), [third, 0.8, third]);
}

#[test]
fn segments_of_another_structure_are_listed_or_fail_the_case() {
    let with_another = Segments { frames: vec![(1, 1), (1, 2), (2, 1), (2, 2)], ..boxed() };
    assert_eq!(fault(&with_another), Some(ImageFault::MaskValue));
    let listed = Structure { other_labels: vec![2], ..structure() };
    let compared = compare_as(&listed, &a_box().bytes(), &with_another.bytes());
    assert_measures(compared, [1.0, 0.0, 1.0]);
    let only_another = Segments { frames: vec![(1, 2), (2, 2)], ..boxed() };
    let compared = compare_as(&listed, &a_box().bytes(), &only_another.bytes()).unwrap();
    assert_eq!(compared.presence, Presence::OnlyReference);
}

#[test]
fn frames_that_are_no_slices_of_the_volume_are_refused() {
    // Every second frame a millimetre too high: between two slices.
    assert_eq!(fault(&Segments { slip: 1.0, ..boxed() }), Some(ImageFault::MaskSpacing));
    // The distance of two slices is then 3.5 mm, and the volume's is 2.5.
    let alone = Segments { slip: 1.0, between: None, ..boxed() };
    assert_eq!(fault(&alone), Some(ImageFault::MaskGrid));
    let elsewhere = MaskFile { origin: [10.0, 20.0, -29.0], ..a_box() }.bytes();
    let compared = compare(&elsewhere, &boxed().bytes());
    assert_eq!(compared.err(), Some(ImageFault::MaskGrid));
}

#[test]
fn deflated_frames_are_as_many_and_as_long_as_the_file_says() {
    let deflated = Segments { is_deflated: true, ..boxed() };
    let of = |frames: &[Vec<u8>]| {
        let whole = deflated.bytes();
        let before = whole.len() - deflated.pixel_data().len();
        compare(&a_box().bytes(), &[&whole[..before], &fragments(frames)].concat())
    };
    let frames = deflated.deflated();
    assert_measures(of(&frames), [1.0, 0.0, 1.0]);
    let cut = [frames[0][..frames[0].len() - 2].to_vec(), frames[1].clone()];
    let twice = [&frames[..], &frames[..]].concat();
    let odd: [(&[Vec<u8>], ImageFault); 3] = [
        (&frames[..1], ImageFault::PixelCount),
        (&twice, ImageFault::PixelCount),
        (&cut, ImageFault::Corrupt),
    ];
    for (frames, fault) in odd {
        assert_eq!(of(frames).err(), Some(fault));
    }
}

#[test]
fn what_is_no_binary_segmentation_is_refused() {
    assert_eq!(fault(&Segments { kind: "FRACTIONAL", ..boxed() }), Some(ImageFault::BitDepth));
    let image = DicomFile::grey8([0; 6]).bytes();
    let compared = compare(&a_box().bytes(), &image);
    assert_eq!(compared.err(), Some(ImageFault::DescriptionMissing));
    let mut short = boxed();
    let whole = short.bytes();
    short.frames.push((3, 1));
    let more = short.bytes();
    // Three frames are announced, and the bits of two follow.
    let pixels = short.pixels().len() + 12;
    let cut = [&more[..more.len() - pixels], &whole[whole.len() - 8 - 12..]].concat();
    assert_eq!(compare(&a_box().bytes(), &cut).err(), Some(ImageFault::PixelCount));
}
