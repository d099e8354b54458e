//! Two masks of a case to what is measured of them, in this process.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod mask_file;

use std::io::Write as _;

use fedval_ingest::decode::ImageFault;
use fedval_ingest::{MaskComparison, MaskMeasures, MaskRequest, compare_masks};
use fedval_stats::segmentation::{Masks, Presence, overlap, surfel, voxel_border};
use fedval_study::protocol::{Border, Structure};
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use mask_file::{
    LENGTHS, MaskFile, RAS, SPACING, a_box, every_storage, is_in, png, put, structure,
};
use ndarray::{ArrayD, IxDyn};

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

fn fault(reference: &[u8], predicted: &[u8]) -> Option<ImageFault> {
    compare(reference, predicted).err()
}

#[track_caller]
fn assert_measures(compared: Result<MaskComparison, ImageFault>, expected: [f64; 3]) {
    let MaskMeasures { dice, hd95_mm, nsd } = compared.unwrap().measures.unwrap();
    let found = [dice, hd95_mm, nsd];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
}

/// One voxel further to the left, 0.8 mm.
fn to_the_left() -> MaskFile {
    MaskFile { label: |at| u8::from(is_in(at, [2, 1, 1])), ..a_box() }
}

/// One voxel further to the head, 2.5 mm.
fn to_the_head() -> MaskFile {
    MaskFile { label: |at| u8::from(is_in(at, [1, 1, 2])), ..a_box() }
}

#[test]
fn however_the_masks_are_stored_they_are_held_against_each_other_by_the_patient() {
    let storages = every_storage();
    assert_eq!(storages.len(), 48);
    let reference = a_box().bytes();
    for storage in storages {
        let stored = |file: MaskFile| MaskFile { storage, ..file }.bytes();
        assert_measures(compare(&reference, &stored(a_box())), [1.0, 0.0, 1.0]);
        // Of 18 voxels 12 are common; 6 on either side are one voxel away, beyond the tolerance of 0.5 mm.
        let third = 2.0 / 3.0;
        assert_measures(compare(&reference, &stored(to_the_left())), [third, 0.8, third]);
        // Of 18 voxels 9 are common, as half of them are 2.5 mm away.
        assert_measures(compare(&stored(to_the_head()), &reference), [0.5, 2.5, 0.5]);
    }
}

#[test]
fn which_of_the_masks_holds_anything_is_told_and_nothing_is_measured_of_an_empty_one() {
    let (full, empty) = (a_box().bytes(), MaskFile { label: |_| 0, ..a_box() }.bytes());
    for (reference, predicted, presence) in [
        (&full, &empty, Presence::OnlyReference),
        (&empty, &full, Presence::OnlyPredicted),
        (&empty, &empty, Presence::Neither),
    ] {
        let compared = compare(reference, predicted).unwrap();
        assert!(compared == MaskComparison { presence, measures: None }, "{presence:?}");
    }
    assert_eq!(compare(&full, &full).unwrap().presence, Presence::Both);
}

#[test]
fn masks_of_two_grids_are_not_compared() {
    let reference = a_box().bytes();
    let at = |origin| MaskFile { origin, ..a_box() }.bytes();
    // A tenth of the smallest step is 0.08 mm.
    assert!(compare(&reference, &at([10.0, 20.07, -30.0])).is_ok());
    assert_eq!(fault(&reference, &at([10.0, 20.09, -30.0])), Some(ImageFault::MaskGrid));
    let larger = MaskFile { lengths: [6, 5, 5], ..a_box() }.bytes();
    assert_eq!(fault(&reference, &larger), Some(ImageFault::MaskGrid));
    // Empty masks, too, lie somewhere.
    let empty = MaskFile { label: |_| 0, ..a_box() };
    let moved = MaskFile { origin: [0.0; 3], ..empty.clone() }.bytes();
    assert_eq!(fault(&empty.bytes(), &moved), Some(ImageFault::MaskGrid));
}

#[test]
fn a_file_in_other_units_lies_where_it_says() {
    let in_micrometres = |factor: f32, unit: u8| {
        let mut bytes = a_box().bytes();
        bytes[123] = unit;
        for at in (280..328).step_by(4) {
            let number: [u8; 4] = bytes[at..at + 4].try_into().unwrap();
            put(&mut bytes, at, &(f32::from_le_bytes(number) * factor).to_le_bytes());
        }
        bytes
    };
    let shifted = to_the_left().bytes();
    let third = 2.0 / 3.0;
    assert_measures(compare(&in_micrometres(1000.0, 3), &shifted), [third, 0.8, third]);
    assert_measures(compare(&in_micrometres(0.001, 1), &shifted), [third, 0.8, third]);
    assert_measures(compare(&in_micrometres(1.0, 0), &shifted), [third, 0.8, third]);
    assert_eq!(fault(&in_micrometres(1.0, 5), &shifted), Some(ImageFault::MaskSpacing));
    assert_eq!(fault(&in_micrometres(1000.0, 2), &shifted), Some(ImageFault::MaskGrid));
}

#[test]
fn a_file_that_leans_or_does_not_say_where_it_lies_is_refused() {
    let good = a_box().bytes();
    let mut leaning = good.clone();
    // Rows go to the head by a tenth of a millimetre, too.
    put(&mut leaning, 280 + 32, &0.1_f32.to_le_bytes());
    assert_eq!(fault(&good, &leaning), Some(ImageFault::Orientation));
    let mut silent = good.clone();
    put(&mut silent, 254, &0_i16.to_le_bytes());
    assert_eq!(fault(&silent, &good), Some(ImageFault::Orientation));
}

#[test]
fn labels_are_those_of_the_protocol_and_no_others() {
    let labels = |at: [usize; 3]| {
        if is_in(at, [1, 1, 1]) { 3 } else { u8::from(at == [0, 0, 0]) * 7 }
    };
    let of_several = MaskFile { label: labels, ..a_box() }.bytes();
    let good = a_box().bytes();
    assert_eq!(fault(&good, &of_several), Some(ImageFault::MaskValue));
    let listed = Structure { labels: vec![1, 3], other_labels: vec![7], ..structure() };
    assert_measures(compare_as(&listed, &good, &of_several), [1.0, 0.0, 1.0]);
    let unlisted = Structure { other_labels: Vec::new(), ..listed };
    let compared = compare_as(&unlisted, &good, &of_several);
    assert_eq!(compared.err(), Some(ImageFault::MaskValue));
}

/// The same labels as numbers of another type, each times a factor.
fn floats(factor: f32, slope: f32) -> Vec<u8> {
    let mut header = a_box().header();
    put(&mut header, 70, &16_i16.to_le_bytes());
    put(&mut header, 72, &32_i16.to_le_bytes());
    put(&mut header, 112, &slope.to_le_bytes());
    let stored = a_box().stored();
    let voxels = stored.iter().flat_map(|label| (f32::from(*label) * factor).to_le_bytes());
    header.into_iter().chain(voxels).collect()
}

#[test]
fn labels_may_be_stored_as_other_numbers_and_shares_are_none() {
    let good = a_box().bytes();
    assert_measures(compare(&good, &floats(1.0, 1.0)), [1.0, 0.0, 1.0]);
    assert_measures(compare(&good, &floats(4.0, 0.25)), [1.0, 0.0, 1.0]);
    // A map of probabilities is no mask.
    assert_eq!(fault(&good, &floats(0.7, 1.0)), Some(ImageFault::MaskValue));
    assert_eq!(fault(&good, &floats(f32::NAN, 1.0)), Some(ImageFault::MaskValue));
}

#[test]
fn compressed_files_are_read_and_cut_or_boastful_ones_refused() {
    let good = a_box().bytes();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&good).unwrap();
    let compressed = encoder.finish().unwrap();
    assert_measures(compare(&good, &compressed), [1.0, 0.0, 1.0]);
    assert_eq!(fault(&good, &good[..good.len() - 1]), Some(ImageFault::PixelCount));
    let half = &compressed[..compressed.len() / 2];
    assert!(compare(&good, half).is_err());
    let mut boastful = good.clone();
    for axis in 1..4 {
        put(&mut boastful, 40 + 2 * axis, &1024_i16.to_le_bytes());
    }
    assert_eq!(fault(&boastful, &good), Some(ImageFault::Size));
    assert_eq!(fault(b"\xff\xd8\xff\xe0", &good), Some(ImageFault::FormatUnknown));
    assert_eq!(fault(&good, b""), Some(ImageFault::FormatUnknown));
}

/// By the patient's head, back and left, as the statistics want it.
fn array(file: &MaskFile) -> ArrayD<bool> {
    let [left, back, head] = LENGTHS;
    ArrayD::from_shape_fn(IxDyn(&[head, back, left]), |at| (file.label)([at[2], at[1], at[0]]) == 1)
}

#[test]
fn a_file_says_what_its_voxels_say_by_either_rule_of_surfaces() {
    let reference = MaskFile { label: |at| u8::from(at[0] + at[1] + at[2] < 6), ..a_box() };
    let predicted = MaskFile { label: |at| u8::from(at[0] * at[1] < 8 && at[2] > 0), ..a_box() };
    let spacing = [2, 1, 0].map(|axis| f64::from(SPACING[axis]));
    let masks = Masks::new(&array(&reference), &array(&predicted), &spacing).unwrap();
    let dice = overlap(&masks).dice().unwrap();
    let by = [
        (Border::VoxelBorder, voxel_border(&masks).unwrap()),
        (Border::Surfel, surfel(&masks).unwrap()),
    ];
    let mut seen = Vec::new();
    for (border, distances) in by {
        let structure = Structure { border, tolerance_um: 900, ..structure() };
        let hd95 = distances.hausdorff_percentile(0.95).unwrap();
        let nsd = distances.normalised_surface_dice(0.9).unwrap();
        let compared = compare_as(&structure, &reference.bytes(), &predicted.bytes());
        assert_measures(compared, [dice, hd95, nsd]);
        seen.push(nsd);
    }
    assert!((seen[0] - seen[1]).abs() > 1e-3, "the rules differ: {seen:?}");
}

/// Five rows of six pixels: a square of 3 × 3 from a column on.
fn square(column: usize, value: u8) -> Vec<u8> {
    let pixel = |place: usize| {
        let (row, at) = (place / 6, place % 6);
        if (1..4).contains(&row) && (column..column + 3).contains(&at) { value } else { 0 }
    };
    png(6, 5, &(0..30).map(pixel).collect::<Vec<u8>>())
}

fn of_pictures(spacing_um: u32) -> Structure {
    Structure { labels: vec![255], pixel_spacing_um: Some(spacing_um), ..structure() }
}

#[test]
fn pictures_have_the_spacing_of_the_protocol() {
    let (reference, predicted) = (square(1, 255), square(2, 255));
    // Of nine pixels eight are border; six are common. In the first column three are a pixel away; the two beside the
    // middle of the other are border there, and the middle one, inside, is a pixel away from it.
    let compared = compare_as(&of_pictures(2_000), &reference, &predicted).unwrap();
    let measures = compared.measures.unwrap();
    assert!((measures.dice - 2.0 / 3.0).abs() < 1e-12);
    assert!((measures.hd95_mm - 2.0).abs() < 1e-12);
    let silent = compare(&square(1, 1), &square(1, 1));
    assert_eq!(silent.err(), Some(ImageFault::MaskSpacing));
    let unlisted = compare_as(&of_pictures(2_000), &reference, &square(2, 1));
    assert_eq!(unlisted.err(), Some(ImageFault::MaskValue));
    let other_size = png(5, 6, &[0; 30]);
    let compared = compare_as(&of_pictures(2_000), &reference, &other_size);
    assert_eq!(compared.err(), Some(ImageFault::MaskGrid));
}

#[test]
fn a_picture_and_a_volume_are_no_pair_and_a_colour_is_no_label() {
    let listed = Structure { labels: vec![1, 255], ..of_pictures(1_000) };
    let slice = MaskFile { lengths: [6, 5, 1], ..a_box() }.bytes();
    let compared = compare_as(&listed, &square(1, 255), &slice);
    assert_eq!(compared.err(), Some(ImageFault::MaskGrid));
    let mut coloured = Vec::new();
    let pixels = [255, 0, 0].repeat(30);
    PngEncoder::new(&mut coloured).write_image(&pixels, 6, 5, ExtendedColorType::Rgb8).unwrap();
    let compared = compare_as(&listed, &square(1, 255), &coloured);
    assert_eq!(compared.err(), Some(ImageFault::Colour));
}

#[test]
fn a_single_slice_is_measured_in_its_plane() {
    let slice = |label| MaskFile { lengths: [6, 5, 1], storage: RAS, label, ..a_box() };
    let square = slice(|at| u8::from((1..4).contains(&at[0]) && (1..4).contains(&at[1])));
    // Within the square: in a volume it would all be surface, and not 1 mm from the outline.
    let dot = slice(|at| u8::from(at[0] == 2 && at[1] == 2));
    let compared = compare(&square.bytes(), &dot.bytes());
    let measures = compared.unwrap().measures.unwrap();
    assert!((measures.dice - 0.2).abs() < 1e-12);
    // Back from the dot the nearest of the outline is 0.8 mm away: in a volume it would be none.
    let back = compare(&dot.bytes(), &square.bytes()).unwrap().measures.unwrap();
    assert!(back == measures, "the measures have no direction");
    assert!(measures.nsd.abs() < 1e-12, "nothing within 0.5 mm, although the dot lies inside");
}
