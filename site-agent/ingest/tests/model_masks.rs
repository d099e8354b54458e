//! A model's mask against the reference standard's, in this process: the model gives what it is shown.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod mask_file;
mod mirror;

use dicom_file::{DicomFile, element_bytes, padded};
use fedval_ingest::decode::ImageFault;
use fedval_ingest::{
    DecodeRequest, DecodedImage, FramePlace, ImageFrame, MaskComparison, OutputRequest,
    compare_output, decode_image,
};
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::{
    FrameChoice, ModelInput, ModelSpecification, Resize, Structure, ValueScaling,
};
use mask_file::{LENGTHS, MaskFile, a_box, every_storage, is_in, png, structure};
use mirror::mirror;

/// A model that gives a probability for each pixel of an image of these sides.
fn model(height: u32, width: u32) -> ModelSpecification {
    mirror(ModelInput {
        scaling: ValueScaling::Modality,
        frame: FrameChoice::Number(2),
        ..dicom_file::input(height, width)
    })
}

fn read(bytes: &[u8], input: &ModelInput) -> DecodedImage {
    decode_image(&DecodeRequest { input, dicom_attributes: &[], bytes }).unwrap()
}

fn compare(
    structure: &Structure,
    model: &ModelSpecification,
    frame: &ImageFrame,
    reference: &[u8],
    values: &[f32],
) -> Result<MaskComparison, ImageFault> {
    compare_output(&OutputRequest { structure, model, frame, reference, values })
}

/// Dice and the 95th percentile of distances of a mask that mirrors `image`.
#[track_caller]
fn assert_mirrored(
    image: &DecodedImage,
    reference: &[u8],
    structure: &Structure,
    wanted: [f64; 2],
) {
    let model = model(5, 6);
    let compared = compare(structure, &model, &image.frame, reference, &image.tensor).unwrap();
    let measures = compared.measures.unwrap();
    let found = [measures.dice, measures.hd95_mm];
    assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
}

/// The place of the second slice of [`a_box`] as DICOM shows it.
fn second_slice() -> FramePlace {
    FramePlace {
        origin: [10.0, 20.0, -27.5],
        row_step: [0.0, -1.0, 0.0],
        column_step: [-0.8, 0.0, 0.0],
        frame_of_reference: None,
    }
}

/// What is in the box, of the second slice.
fn shown() -> Vec<f32> {
    let [width, height, _] = LENGTHS;
    let is_shown = |pixel: usize| is_in([pixel % width, pixel / width, 1], [1, 1, 1]);
    (0..width * height).map(|pixel| f32::from(u8::from(is_shown(pixel)))).collect()
}

#[test]
fn a_slice_is_held_against_its_own_place_in_the_reference_however_either_is_stored() {
    let to_the_left = MaskFile { label: |at| u8::from(is_in(at, [2, 1, 1])), ..a_box() };
    for storage in every_storage() {
        let stored = |file: &MaskFile| MaskFile { storage, ..file.clone() }.bytes();
        let image = read(&stored(&a_box()), &model(5, 6).input);
        assert_mirrored(&image, &a_box().bytes(), &structure(), [1.0, 0.0]);
        let image = read(&a_box().bytes(), &model(5, 6).input);
        assert_mirrored(&image, &stored(&a_box()), &structure(), [1.0, 0.0]);
        // Of nine pixels six are common; three on either side are one pixel away.
        assert_mirrored(&image, &stored(&to_the_left), &structure(), [2.0 / 3.0, 0.8]);
    }
}

#[test]
fn a_picture_is_taken_pixel_by_pixel_whatever_the_image_says_of_the_patient() {
    let pictured = Structure { pixel_spacing_um: Some(2_000), ..structure() };
    let pixels: Vec<u8> = shown().iter().map(|of| u8::from(*of > 0.5)).collect();
    let image = read(&a_box().bytes(), &model(5, 6).input);
    assert_mirrored(&image, &png(6, 5, &pixels), &pictured, [1.0, 0.0]);
    let other = png(5, 6, &pixels);
    let found = compare(&pictured, &model(5, 6), &image.frame, &other, &image.tensor);
    assert_eq!(found.err(), Some(ImageFault::MaskGrid));
    // A picture that says nothing has no place in a volume.
    let nowhere = ImageFrame { place: None, ..image.frame };
    let found = compare(&structure(), &model(5, 6), &nowhere, &a_box().bytes(), &image.tensor);
    assert_eq!(found.err(), Some(ImageFault::MaskGrid));
}

#[test]
fn a_slice_between_two_of_the_reference_or_beyond_them_fails_its_case() {
    let of = |height: f64| {
        let place = FramePlace { origin: [10.0, 20.0, height], ..second_slice() };
        let frame = ImageFrame { height: 5, width: 6, place: Some(place), slices: None };
        compare(&structure(), &model(5, 6), &frame, &a_box().bytes(), &shown())
    };
    assert!(of(-27.5).is_ok());
    assert!(of(-30.0).is_ok_and(|found| found.presence == Presence::OnlyPredicted));
    assert_eq!(of(-26.0).err(), Some(ImageFault::MaskGrid));
    assert_eq!(of(-32.5).err(), Some(ImageFault::MaskGrid));
}

#[test]
fn what_a_model_saw_in_another_size_comes_back_to_the_images_own() {
    // Of 10 rows and 12 columns the model saw each four as one.
    let pictured = Structure { pixel_spacing_um: Some(1_000), ..structure() };
    let frame = ImageFrame { height: 10, width: 12, place: None, slices: None };
    let model = ModelSpecification {
        input: ModelInput { resize: Resize::Bilinear, ..model(5, 6).input },
        ..model(5, 6)
    };
    // Between a pixel that is in and one that is not, the line of one half lies on their common edge.
    let truth: Vec<u8> = (0..120)
        .map(|pixel| u8::from(is_in([pixel % 12 / 2, pixel / 12 / 2, 1], [1, 1, 1])))
        .collect();
    let found = compare(&pictured, &model, &frame, &png(12, 10, &truth), &shown()).unwrap();
    let measures = found.measures.unwrap();
    assert!((measures.dice - 1.0).abs() < 1e-6 && measures.hd95_mm < 1e-6, "{}", measures.dice);
    for values in [vec![], vec![0.5; 29], vec![0.5; 31], vec![0.5; 120]] {
        let found = compare(&pictured, &model, &frame, &png(12, 10, &truth), &values);
        assert_eq!(found.err(), Some(ImageFault::PixelCount));
    }
}

#[test]
fn a_dicom_image_says_where_it_lies_unless_it_has_several_frames() {
    let decimal =
        |group, element, text: &str| element_bytes(group, element, "DS", &padded(text), true);
    let further = [
        decimal(0x0020, 0x0032, "-10\\-20\\-27.5"),
        decimal(0x0020, 0x0037, "1\\0\\0\\0\\1\\0"),
        decimal(0x0028, 0x0030, "1\\0.8"),
    ]
    .concat();
    let file = DicomFile { further, ..DicomFile::grey8([0, 1, 2, 3, 4, 5]) };
    let input = dicom_file::input(2, 3);
    let placed = read(&file.bytes(), &input).frame;
    let place = Some(second_slice());
    assert!(placed == ImageFrame { height: 2, width: 3, place, slices: None });
    let several = DicomFile { frames: Some("2"), pixels: vec![0; 12], ..file };
    let first = ModelInput { frame: FrameChoice::Number(1), ..input };
    assert!(read(&several.bytes(), &first).frame.place.is_none());
    let nowhere = read(&DicomFile::grey8([0; 6]).bytes(), &dicom_file::input(2, 3)).frame;
    assert!(nowhere == ImageFrame { height: 2, width: 3, place: None, slices: None });
}
