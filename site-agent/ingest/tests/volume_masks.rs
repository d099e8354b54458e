//! A model's mask of a volume against the reference standard's, in this process: the model gives what it is shown.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod mask_file;
mod mirror;
mod segment_file;
mod slice_file;

use fedval_ingest::decode::{ImageFault, decode_series};
use fedval_ingest::{
    DecodeRequest, DecodedImage, FrameOfReference, FramePlace, ImageFrame, MaskComparison,
    OutputRequest, SliceRun, compare_output, decode_image,
};
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::{MaskOutput, MaskRule, ModelInput, OutputForm, Structure};
use mask_file::{MaskFile, a_box, every_storage, is_in, png, structure};
use mirror::mirror;
use segment_file::{Segments, boxed};
use slice_file::{SliceFile, axial, volume_input};

/// Of the size and spacing of [`a_box`].
fn same() -> ModelInput {
    volume_input([4, 5, 6], "SPL", [2.5, 1.0, 0.8])
}

fn read(bytes: &[u8], input: &ModelInput) -> DecodedImage {
    decode_image(&DecodeRequest { input, dicom_attributes: &[], bytes }).unwrap()
}

fn compare_as(
    structure: &Structure,
    input: &ModelInput,
    image: &DecodedImage,
    reference: &[u8],
) -> Result<MaskComparison, ImageFault> {
    let (model, frame, values) = (mirror(input.clone()), &image.frame, &image.tensor[..]);
    compare_output(&OutputRequest { structure, model: &model, frame, reference, values })
}

/// By the threshold of one of so many channels.
fn compare_channel(
    input: &ModelInput,
    [positive_index, channels]: [u32; 2],
    image: &DecodedImage,
    values: &[f32],
) -> Result<MaskComparison, ImageFault> {
    let mut model = mirror(input.clone());
    model.output.positive_index = positive_index;
    let rule = MaskRule::Threshold(500_000);
    model.output.form = OutputForm::Mask(MaskOutput { channels, rule });
    let (structure, frame, reference) = (structure(), &image.frame, a_box().bytes());
    compare_output(&OutputRequest {
        structure: &structure,
        model: &model,
        frame,
        reference: &reference,
        values,
    })
}

fn compare(
    input: &ModelInput,
    image: &DecodedImage,
    reference: &[u8],
) -> Result<MaskComparison, ImageFault> {
    compare_as(&structure(), input, image, reference)
}

#[track_caller]
fn assert_measures(compared: Result<MaskComparison, ImageFault>, wanted: [f64; 2]) {
    let measures = compared.unwrap().measures.unwrap();
    let found = [measures.dice, measures.hd95_mm];
    assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
}

#[test]
fn a_mask_comes_back_to_the_volume_however_the_files_are_stored_and_the_model_sees_them() {
    let to_the_left = MaskFile { label: |at| u8::from(is_in(at, [2, 1, 1])), ..a_box() }.bytes();
    let turned = volume_input([6, 4, 5], "RIP", [0.8, 2.5, 1.0]);
    for input in [same(), turned] {
        for storage in every_storage() {
            let stored = MaskFile { storage, ..a_box() }.bytes();
            let image = read(&stored, &input);
            assert_measures(compare(&input, &image, &a_box().bytes()), [1.0, 0.0]);
            assert_measures(compare(&input, &image, &to_the_left), [2.0 / 3.0, 0.8]);
            let image = read(&a_box().bytes(), &input);
            assert_measures(compare(&input, &image, &stored), [1.0, 0.0]);
        }
    }
}

#[test]
fn numbers_are_interpolated_before_they_become_a_mask() {
    // Twice as fine: half-way to the next voxel the numbers fall below one half on the common face.
    let fine = volume_input([8, 10, 12], "SPL", [1.25, 0.5, 0.4]);
    let image = read(&a_box().bytes(), &fine);
    assert_measures(compare(&fine, &image, &a_box().bytes()), [1.0, 0.0]);
    // Padded on all sides.
    let padded = volume_input([9, 8, 11], "SPL", [2.5, 1.0, 0.8]);
    let image = read(&a_box().bytes(), &padded);
    assert!(compare(&padded, &image, &a_box().bytes()).is_ok());
    let padded = volume_input([8, 9, 10], "SPL", [2.5, 1.0, 0.8]);
    let image = read(&a_box().bytes(), &padded);
    assert_measures(compare(&padded, &image, &a_box().bytes()), [1.0, 0.0]);
}

#[test]
fn a_threshold_looks_at_its_own_channel_and_counts_the_numbers_of_all() {
    let image = read(&a_box().bytes(), &same());
    let to_the_left = MaskFile { label: |at| u8::from(is_in(at, [2, 1, 1])), ..a_box() }.bytes();
    let left = read(&to_the_left, &same());
    let nothing = vec![0.0_f32; image.tensor.len()];
    let of = |channel, values: &[&[f32]]| {
        let channels = u32::try_from(values.len()).unwrap();
        compare_channel(&same(), [channel, channels], &image, &values.concat())
    };
    let all = [&nothing[..], &image.tensor[..], &left.tensor[..]];
    assert_eq!(of(0, &all).unwrap().presence, Presence::OnlyReference);
    assert_measures(of(1, &all), [1.0, 0.0]);
    assert_measures(of(2, &all), [2.0 / 3.0, 0.8]);
    // Of another number of channels, of parts of one, and a channel that there is not.
    let values = all.concat();
    for (channels, values) in [
        (3, &values[..240]),
        (3, &values[..359]),
        (2, &values[..]),
        (2, &values[..241]),
        (3, &values[..0]),
        (0, &values[..0]),
        (0, &values[..]),
    ] {
        let found = compare_channel(&same(), [1, channels], &image, values);
        assert_eq!(found.err(), Some(ImageFault::PixelCount), "{} of {channels}", values.len());
    }
    let found = compare_channel(&same(), [3, 3], &image, &values);
    assert_eq!(found.err(), Some(ImageFault::PixelCount));
}

#[test]
fn beyond_what_the_model_saw_it_holds_nothing() {
    let label = |at: [usize; 3]| u8::from((1..4).contains(&at[0]) && (1..4).contains(&at[1]));
    let long = MaskFile { label, ..a_box() }.bytes();
    let inner = volume_input([2, 5, 6], "SPL", [2.5, 1.0, 0.8]);
    // Two of four slices.
    assert_measures(compare(&inner, &read(&long, &inner), &long), [2.0 / 3.0, 2.5]);
    let outer = MaskFile { label: |at| u8::from(at[2] == 0), ..a_box() }.bytes();
    let missed = compare(&inner, &read(&outer, &inner), &outer).unwrap();
    assert_eq!(missed.presence, Presence::OnlyReference);
    let nothing = MaskFile { label: |_| 0, ..a_box() }.bytes();
    let neither = compare(&same(), &read(&nothing, &same()), &nothing).unwrap();
    assert_eq!(neither.presence, Presence::Neither);
}

#[test]
fn a_reference_on_another_grid_is_refused() {
    let image = read(&a_box().bytes(), &same());
    let fault = |file: &MaskFile| compare(&same(), &image, &file.bytes()).err();
    assert_eq!(fault(&a_box()), None);
    for origin in [[10.2, 20.0, -30.0], [10.0, 20.3, -30.0], [10.0, 20.0, -29.0]] {
        assert_eq!(fault(&MaskFile { origin, ..a_box() }), Some(ImageFault::MaskGrid));
    }
    let longer = MaskFile { lengths: [6, 5, 5], ..a_box() };
    assert_eq!(fault(&longer), Some(ImageFault::MaskGrid));
    let pictures = Structure { pixel_spacing_um: Some(1_000), ..structure() };
    let picture = compare_as(&pictures, &same(), &image, &png(6, 5, &[1; 30]));
    assert_eq!(picture.err(), Some(ImageFault::MaskGrid));
    // A volume that says nothing of millimetres.
    let nowhere = ImageFrame { place: None, ..image.frame };
    let nowhere = DecodedImage { frame: nowhere, ..image.clone() };
    let found = compare(&same(), &nowhere, &a_box().bytes());
    assert_eq!(found.err(), Some(ImageFault::Geometry));
    for count in [0, 119, 121, 240] {
        let odd = DecodedImage { tensor: vec![0.5; count], ..image.clone() };
        let found = compare(&same(), &odd, &a_box().bytes());
        assert_eq!(found.err(), Some(ImageFault::PixelCount));
    }
}

/// The box, in a frame of reference.
fn image_in(space: Option<&str>) -> DecodedImage {
    let image = read(&a_box().bytes(), &same());
    let place = image.frame.place.unwrap();
    let frame_of_reference = space.map(FrameOfReference::of);
    let place = Some(FramePlace { frame_of_reference, ..place });
    DecodedImage { frame: ImageFrame { place, ..image.frame }, ..image }
}

#[test]
fn slices_that_a_segmentation_leaves_out_are_empty_in_its_own_frame_of_reference() {
    let of = |segments: &Segments, space| compare(&same(), &image_in(space), &segments.bytes());
    let own = boxed().space;
    for segments in [boxed(), Segments { is_turned: true, ..boxed() }] {
        assert_measures(of(&segments, own), [1.0, 0.0]);
    }
    for space in [None, Some("1.2.35")] {
        assert_eq!(of(&boxed(), space).err(), Some(ImageFault::MaskGrid));
    }
    // One that holds every slice is of the volume by where it lies.
    let whole = Segments { frames: vec![(0, 1), (1, 1), (2, 1), (3, 1)], ..boxed() };
    assert_measures(of(&whole, own), [1.0, 0.0]);
    assert_measures(of(&whole, None), [1.0, 0.0]);
    assert_eq!(of(&whole, Some("1.2.35")).err(), Some(ImageFault::MaskGrid));
    // Slices that the image does not have, and slices between its own.
    let beyond = Segments { frames: vec![(1, 1), (4, 1)], is_in: |_| true, ..boxed() };
    assert_eq!(of(&beyond, own).err(), Some(ImageFault::MaskGrid));
    let between = Segments { frames: vec![(1, 1)], between: Some("2.0"), ..boxed() };
    assert_eq!(of(&between, own).err(), Some(ImageFault::MaskGrid));
}

#[test]
fn a_series_says_where_its_voxels_lie() {
    let input = volume_input([4, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    // From row to row, then from column to column.
    let slice = |of: SliceFile| SliceFile { spacing: [1.0, 0.8], ..of };
    let mut files: Vec<Vec<u8>> = axial(4).into_iter().map(|of| slice(of).bytes()).collect();
    files.swap(0, 2);
    let volume = decode_series(&input, &[], &files).unwrap();
    let place = FramePlace {
        origin: [10.0, -5.0, 0.0],
        row_step: [0.0, -1.0, 0.0],
        column_step: [-0.8, 0.0, 0.0],
        frame_of_reference: Some(FrameOfReference::of("1.2.3.6")),
    };
    let slices = Some(SliceRun { count: 4, step: [0.0, 0.0, 2.0] });
    assert!(volume.frame == ImageFrame { height: 2, width: 3, place: Some(place), slices });
}
