//! What is refused of a structure set, whatever it is held against.

use fedval_ingest::decode::ImageFault;
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::Structure;

use super::on_image::{image_at, in_the_box, judged};
use super::{compare, compare_as, fault, heart};
use crate::dicom_file::sequence;
use crate::mask_file::{a_box, png, structure};
use crate::structure_set::{Line, StructureSet, rectangle, region, round_the_box};

#[test]
fn contours_off_the_grid_are_refused() {
    let moved = |by: [f64; 3]| {
        let line = |line: &Line| -> Line {
            line.iter().map(|at| [0, 1, 2].map(|axis| at[axis] + by[axis])).collect()
        };
        let (_, lines) = round_the_box().regions.swap_remove(0);
        StructureSet::of(lines.iter().map(line).collect())
    };
    assert_eq!(fault(&moved([0.0, 0.0, 0.05])), None);
    assert_eq!(fault(&moved([0.0, 0.0, 0.15])), Some(ImageFault::MaskGrid));
    assert_eq!(fault(&moved([0.0, 0.0, 2.0])), Some(ImageFault::MaskGrid));
    assert_eq!(fault(&moved([-2.0, 0.0, 0.0])), Some(ImageFault::MaskGrid));
    assert_eq!(fault(&moved([0.0, 3.0, 0.0])), Some(ImageFault::MaskGrid));
    // A picture has no millimetres of the patient.
    let pictures = Structure { pixel_spacing_um: Some(1_000), ..heart() };
    let picture = png(6, 5, &[0; 30]);
    let compared = compare_as(&pictures, &picture, &round_the_box().bytes());
    assert_eq!(compared.err(), Some(ImageFault::MaskGrid));
    let contours = round_the_box().bytes();
    assert_eq!(compare(&contours, &contours).err(), Some(ImageFault::MaskNoGrid));
}

#[test]
fn what_is_no_closed_line_in_a_slice_is_refused() {
    let mut oblique = rectangle([0.5, 0.5], [3.5, 3.5], 1.0);
    oblique[0][2] = 2.0;
    oblique[1][2] = 2.0;
    assert_eq!(fault(&StructureSet::of(vec![oblique])), Some(ImageFault::MaskContour));
    for kind in ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", ""] {
        let of_kind = StructureSet { kind, ..round_the_box() };
        assert_eq!(fault(&of_kind), Some(ImageFault::MaskContour), "{kind}");
    }
    let square = rectangle([0.5, 0.5], [3.5, 3.5], 1.0);
    let beside = rectangle([1.5, 1.5], [4.5, 4.5], 1.0);
    let overlapping = StructureSet::of(vec![square.clone(), beside]);
    assert_eq!(fault(&overlapping), Some(ImageFault::MaskContour));
    let twice = StructureSet::of(vec![square.clone(), square]);
    assert_eq!(fault(&twice), Some(ImageFault::MaskContour));
    let exclusive = StructureSet { kind: "CLOSEDPLANAR_XOR", ..overlapping };
    assert_eq!(fault(&exclusive), None, "the file says what it means");
}

#[test]
fn more_contours_in_a_slice_than_any_structure_has_are_refused() {
    // Between the middles of voxels: they hold nothing, and overlap in nothing.
    let of = |count| StructureSet::of(vec![rectangle([0.6, 0.6], [0.7, 0.7], 1.0); count]);
    assert_eq!(fault(&of(4096)), None);
    assert_eq!(fault(&of(4097)), Some(ImageFault::Size));
    let found = judged(&of(4097), Some(image_at(-27.5, None)), in_the_box);
    assert_eq!(found.err(), Some(ImageFault::Size));
    // What the file says to be taken away from each other is not held against each other.
    let exclusive = StructureSet { kind: "CLOSEDPLANAR_XOR", ..of(4097) };
    assert_eq!(fault(&exclusive), None);
}

#[test]
fn a_slice_that_was_left_out_is_not_taken_for_one_without_the_structure() {
    let of = |left: f64, slice| rectangle([left, 0.5], [left + 2.0, 3.5], slice);
    let gap = StructureSet::of(vec![of(0.5, 0.0), of(1.5, 2.0)]);
    assert_eq!(fault(&gap), Some(ImageFault::MaskGap));
    let in_two_parts = StructureSet::of(vec![of(0.5, 0.0), of(2.5, 2.0)]);
    assert_eq!(fault(&in_two_parts), None);
}

#[test]
fn a_region_is_found_by_its_name_or_the_case_fails() {
    let lines = vec![rectangle([0.5, 0.5], [3.5, 3.5], 1.0)];
    let named = |regions| StructureSet { regions, ..round_the_box() };
    let other = named(vec![region(b"heart ", lines.clone())]);
    assert_eq!(fault(&other), Some(ImageFault::MaskRoi), "capitals count");
    let twice = named(vec![region(b"Heart ", lines.clone()), region(b"Heart ", Vec::new())]);
    assert_eq!(fault(&twice), Some(ImageFault::MaskRoi));
    let compared = compare_as(&structure(), &a_box().bytes(), &round_the_box().bytes());
    assert_eq!(compared.err(), Some(ImageFault::MaskRoi), "the protocol names none");
    // What another region holds is nobody's concern.
    let beside = named(vec![region(b"Heart ", Vec::new()), region(b"Lung", lines.clone())]);
    let compared = compare(&a_box().bytes(), &beside.bytes()).unwrap();
    assert_eq!(compared.presence, Presence::OnlyReference);
    let umlaut = named(vec![region(b"H\xf6rn", lines)]).bytes();
    let structure = Structure { rois: vec!["H\u{f6}rn".to_owned()], ..structure() };
    assert!(compare_as(&structure, &a_box().bytes(), &umlaut).is_ok());
}

#[test]
fn what_is_no_number_or_another_count_is_refused() {
    for first in ["nan", "inf", "-inf", "1e400", "x", ""] {
        let odd = StructureSet { first: Some(first), ..round_the_box() };
        assert_eq!(fault(&odd), Some(ImageFault::Corrupt), "{first}");
    }
    // A number, and none of a patient's.
    let far = StructureSet { first: Some("1e300"), ..round_the_box() };
    assert!(fault(&far).is_some());
    let more = StructureSet { further: 1, ..round_the_box() };
    assert_eq!(fault(&more), Some(ImageFault::Corrupt));
    let whole = round_the_box().bytes();
    for end in (140..whole.len()).step_by(7) {
        let _ = compare(&a_box().bytes(), &whole[..end]);
    }
}

#[test]
fn sequences_within_each_other_end_somewhere() {
    let nested = |depth| (0..depth).fold(Vec::new(), |inner, _| sequence(0x0009, 0x1000, &[inner]));
    let with = |depth| [round_the_box().bytes(), nested(depth)].concat();
    assert!(compare(&a_box().bytes(), &with(30)).is_ok());
    assert_eq!(compare(&a_box().bytes(), &with(33)).err(), Some(ImageFault::Corrupt));
}
