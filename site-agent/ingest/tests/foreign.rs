//! Segmentations, contours and reports that other programs wrote, beside what `foreign/make.py` says is in them.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod mask_file;
mod mirror;
mod slice_file;

use std::collections::BTreeMap;

use fedval_ingest::decode::{ImageFault, decode_series};
use fedval_ingest::findings::{Place, Side};
use fedval_ingest::{
    CaseFindings, ConceptCode, DecodeRequest, ImageFrame, MaskComparison, MaskRequest,
    OutputRequest, ReportRequest, compare_masks, compare_output, decode_image, read_report,
};
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::{Matching, ModelInput, Structure};
use mask_file::structure;
use mirror::mirror;
use serde::Deserialize;
use slice_file::volume_input;

/// From the feet up.
const SLICES: [&[u8]; 3] = [
    include_bytes!("foreign/slice-0.dcm"),
    include_bytes!("foreign/slice-1.dcm"),
    include_bytes!("foreign/slice-2.dcm"),
];
/// By highdicom.
const SEGMENTS: &[u8] = include_bytes!("foreign/segments.dcm");
const DEFLATED: &[u8] = include_bytes!("foreign/segments-deflated.dcm");
const FLAT: &[u8] = include_bytes!("foreign/regions-flat.dcm");
const DEEP: &[u8] = include_bytes!("foreign/regions-deep.dcm");
/// By rt-utils.
const CONTOURS: &[u8] = include_bytes!("foreign/contours.dcm");

/// Rows and columns of a slice.
const SIDE: u32 = 16;

/// Of each slice, its rows as text: `#` is in, `.` is not.
type Pixels = Vec<Vec<String>>;

#[derive(Deserialize)]
struct Truth {
    /// By the number of the segment.
    segments: BTreeMap<u16, Pixels>,
    contours: Pixels,
    /// Four edges of a box, and a score.
    flat: Vec<[f64; 5]>,
    /// A middle, a radius and a score.
    deep: Vec<[f64; 5]>,
}

fn truth() -> Truth {
    serde_json::from_str(include_str!("foreign/truth.json")).unwrap()
}

/// What a model gives that marks these pixels.
fn marked(slices: &[Vec<String>]) -> Vec<f32> {
    let rows = slices.iter().flatten();
    rows.flat_map(|row| row.bytes().map(|mark| f32::from(u8::from(mark == b'#')))).collect()
}

/// One segment, and the other listed beside it.
fn segment(number: u16) -> Structure {
    Structure { labels: vec![number], other_labels: vec![3 - number], ..structure() }
}

fn organ() -> Structure {
    Structure { rois: vec!["Organ (foreign)".to_owned()], ..structure() }
}

/// An image or a volume of the series, as a model sees it.
struct Shown {
    input: ModelInput,
    frame: ImageFrame,
}

impl Shown {
    fn slice(bytes: &[u8]) -> Self {
        let input = dicom_file::input(SIDE, SIDE);
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes };
        let frame = decode_image(&request).unwrap().frame;
        Self { input, frame }
    }

    fn volume() -> Self {
        let input = volume_input([3, SIDE, SIDE], "SPL", [2.5, 1.5, 1.5]);
        // As they are numbered: from the head down.
        let files: Vec<Vec<u8>> = SLICES.iter().rev().map(|slice| slice.to_vec()).collect();
        let frame = decode_series(&input, &[], &files).unwrap().frame;
        Self { input, frame }
    }

    fn compare(&self, structure: &Structure, reference: &[u8], values: &[f32]) -> MaskComparison {
        let (model, frame) = (mirror(self.input.clone()), &self.frame);
        let request = OutputRequest { structure, model: &model, frame, reference, values };
        compare_output(&request).unwrap()
    }

    /// The mask holds these pixels, and no other.
    #[track_caller]
    fn assert_holds(&self, structure: &Structure, reference: &[u8], values: &[f32]) {
        let same = self.compare(structure, reference, values);
        let held: f64 = values.iter().map(|value| f64::from(*value)).sum();
        // Of a model that marks everything, the overlap says how many there are.
        let everything = vec![1.0; values.len()];
        let whole = self.compare(structure, reference, &everything);
        if held < 0.5 {
            assert_eq!(same.presence, Presence::Neither);
            assert_eq!(whole.presence, Presence::OnlyPredicted);
            return;
        }
        let all: f64 = everything.iter().map(|value| f64::from(*value)).sum();
        let dice = whole.measures.unwrap().dice;
        assert!((dice - 2.0 * held / (held + all)).abs() < 1e-9, "{held} of {all}: {dice}");
        let measures = same.measures.unwrap();
        let found = [measures.dice, measures.hd95_mm, measures.nsd];
        assert!(found.iter().zip([1.0, 0.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
    }
}

/// In every slice by itself, and in the volume of them.
#[track_caller]
fn assert_drawn(structure: &Structure, reference: &[u8], pixels: &[Vec<String>]) {
    for (slice, rows) in SLICES.iter().zip(pixels) {
        let values = marked(std::slice::from_ref(rows));
        Shown::slice(slice).assert_holds(structure, reference, &values);
    }
    Shown::volume().assert_holds(structure, reference, &marked(pixels));
}

#[test]
fn segments_of_highdicom_are_the_pixels_that_were_drawn() {
    for (number, pixels) in truth().segments {
        for reference in [SEGMENTS, DEFLATED] {
            assert_drawn(&segment(number), reference, &pixels);
        }
    }
}

#[test]
fn contours_of_rt_utils_hold_the_pixels_that_another_program_finds_in_them() {
    assert_drawn(&organ(), CONTOURS, &truth().contours);
}

#[test]
fn contours_overlap_with_the_segment_that_they_were_drawn_of_as_their_pixels_do() {
    // They run through the middles of the outermost pixels, of which one half is then beyond them.
    let named = Structure { rois: organ().rois, ..segment(1) };
    let request = MaskRequest { structure: &named, reference: SEGMENTS, predicted: CONTOURS };
    let found = compare_masks(&request).unwrap().measures.unwrap().dice;
    let Truth { segments, contours, .. } = truth();
    let (whole, drawn) = (marked(&segments[&1]), marked(&contours));
    let count = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
    let both: Vec<f32> = whole.iter().zip(&drawn).map(|(one, other)| one * other).collect();
    let dice = 2.0 * count(&both) / (count(&whole) + count(&drawn));
    assert!(dice < 0.99 && (found - dice).abs() < 1e-9, "{found} for {dice}");
    // The other way round, with the file by itself as the grid's.
    let request = MaskRequest { structure: &named, reference: CONTOURS, predicted: DEFLATED };
    let turned = compare_masks(&request).unwrap().measures.unwrap().dice;
    assert!((turned - dice).abs() < 1e-9, "{turned} for {dice}");
}

fn findings(side: Side, matching: Matching, bytes: &[u8]) -> Result<CaseFindings, ImageFault> {
    read_report(&ReportRequest { side, matching, score: &ConceptCode::default(), bytes })
}

/// Numbers of the truth from the highest score down, which is the order in which a model's findings are kept.
fn by_score(mut numbers: Vec<[f64; 5]>) -> Vec<[f64; 5]> {
    numbers.sort_by(|one, other| other[4].total_cmp(&one[4]));
    numbers
}

#[test]
fn regions_of_an_image_in_a_report_of_highdicom_are_boxes_with_their_scores() {
    let boxes = Matching::Iou(500);
    let reference = findings(Side::Reference, boxes, FLAT).unwrap().reference;
    let seen: Vec<Place> = reference.iter().map(|of| of.place).collect();
    let edges =
        |[left, upper, right, lower, _]: &[f64; 5]| Place::Box([*left, *upper, *right, *lower]);
    assert_eq!(seen, truth().flat.iter().map(edges).collect::<Vec<_>>());
    let predicted = findings(Side::Predicted, boxes, FLAT).unwrap().predicted;
    let seen: Vec<(Place, f64)> = predicted.iter().map(|of| (of.place, of.score)).collect();
    let wanted = by_score(truth().flat);
    assert_eq!(seen, wanted.iter().map(|of| (edges(of), of[4])).collect::<Vec<_>>());
    let points = findings(Side::Reference, Matching::CentreInRadius, FLAT).err();
    assert_eq!(points, Some(ImageFault::ReportSpace));
}

#[test]
fn regions_of_the_patient_in_a_report_of_highdicom_are_balls_with_their_scores() {
    let points = Matching::CentreInRadius;
    let reference = findings(Side::Reference, points, DEEP).unwrap().reference;
    assert_eq!(reference.len(), truth().deep.len());
    for (found, [left, back, head, radius, _]) in reference.iter().zip(truth().deep) {
        assert_eq!(found.place, Place::Point([left, back, head]));
        assert!((found.radius_mm - radius).abs() < 1e-9, "{}", found.radius_mm);
    }
    let predicted = findings(Side::Predicted, points, DEEP).unwrap().predicted;
    let seen: Vec<(Place, f64)> = predicted.iter().map(|of| (of.place, of.score)).collect();
    let centre =
        |[left, back, head, _, score]: &[f64; 5]| (Place::Point([*left, *back, *head]), *score);
    assert_eq!(seen, by_score(truth().deep).iter().map(centre).collect::<Vec<_>>());
    let boxes = findings(Side::Reference, Matching::Iou(500), DEEP).err();
    assert_eq!(boxes, Some(ImageFault::ReportSpace));
}

/// A segmentation, beside contours that are drawn on it.
fn is_segmentation(bytes: &[u8]) -> bool {
    let structure = Structure { rois: organ().rois, ..segment(1) };
    let request = MaskRequest { structure: &structure, reference: bytes, predicted: CONTOURS };
    compare_masks(&request).is_ok()
}

/// Contours, beside the segmentation that they are drawn on.
fn is_structure_set(bytes: &[u8]) -> bool {
    let structure = Structure { rois: organ().rois, ..segment(1) };
    let request = MaskRequest { structure: &structure, reference: SEGMENTS, predicted: bytes };
    compare_masks(&request).is_ok()
}

/// A slice, beside the others of its series.
fn is_slice(bytes: &[u8]) -> bool {
    let input = volume_input([3, SIDE, SIDE], "SPL", [2.5, 1.5, 1.5]);
    let files = [bytes, SLICES[1], SLICES[2]].map(<[u8]>::to_vec);
    decode_series(&input, &[], &files).is_ok()
}

#[test]
fn damaged_copies_of_any_of_them_are_read_or_refused() {
    type Reader = fn(&[u8]) -> bool;
    let is_flat: Reader = |bytes| findings(Side::Predicted, Matching::Iou(500), bytes).is_ok();
    let is_deep: Reader =
        |bytes| findings(Side::Predicted, Matching::CentreInRadius, bytes).is_ok();
    let files: [(&[u8], Reader); 6] = [
        (SLICES[0], is_slice),
        (SEGMENTS, is_segmentation),
        (DEFLATED, is_segmentation),
        (CONTOURS, is_structure_set),
        (FLAT, is_flat),
        (DEEP, is_deep),
    ];
    for (file, (whole, reads)) in files.into_iter().enumerate() {
        assert!(reads(whole), "{file}");
        for end in (0..whole.len()).step_by(29) {
            reads(&whole[..end]);
        }
        // Behind the preamble, a bit of every third byte.
        let (mut read, mut refused) = (0, 0);
        for place in (128..whole.len()).step_by(3) {
            let mut copy = whole.to_vec();
            copy[place] ^= 1 << (place % 8);
            let counted = if reads(&copy) { &mut read } else { &mut refused };
            *counted += 1;
        }
        assert!(read > 0 && refused > 0, "{file}: {read} read, {refused} refused");
    }
}
