//! Contours beside masks of voxels: what lies inside.

use fedval_ingest::decode::ImageFault;
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::Structure;

use super::{assert_measures, compare, compare_as, measures};
use crate::mask_file::{MaskFile, a_box, every_storage, is_in, structure};
use crate::segment_file::{Segments, boxed};
use crate::structure_set::{Line, SPACE, StructureSet, in_space, rectangle, region, round_the_box};

#[track_caller]
fn assert_same(label: fn([usize; 3]) -> u8, set: &StructureSet) {
    let volume = MaskFile { label, ..a_box() }.bytes();
    assert_measures(compare(&volume, &set.bytes()), [1.0, 0.0, 1.0]);
}

#[test]
fn contours_hold_the_voxels_that_they_are_drawn_round_on_any_grid() {
    let contours = round_the_box().bytes();
    for storage in every_storage() {
        let volume = MaskFile { storage, ..a_box() }.bytes();
        assert_measures(compare(&volume, &contours), [1.0, 0.0, 1.0]);
    }
    assert_measures(compare(&contours, &a_box().bytes()), [1.0, 0.0, 1.0]);
    let to_the_left = MaskFile { label: |at| u8::from(is_in(at, [2, 1, 1])), ..a_box() };
    let third = 2.0 / 3.0;
    assert_measures(compare(&to_the_left.bytes(), &contours), [third, 0.8, third]);
    for segments in [boxed(), Segments { is_turned: true, ..boxed() }] {
        assert_measures(compare(&segments.bytes(), &contours), [1.0, 0.0, 1.0]);
        assert_measures(compare(&contours, &segments.bytes()), [1.0, 0.0, 1.0]);
    }
}

#[test]
fn slices_that_a_segmentation_leaves_out_are_there_for_contours() {
    let of = |slice| rectangle([0.5, 0.5], [3.5, 3.5], slice);
    let long = StructureSet::of([0.0, 1.0, 2.0, 3.0].map(of).to_vec()).bytes();
    let label = |at: [usize; 3]| u8::from((1..4).contains(&at[0]) && (1..4).contains(&at[1]));
    let volume = MaskFile { label, ..a_box() }.bytes();
    let expected = measures(compare(&volume, &boxed().bytes()));
    assert!((expected[0] - 2.0 / 3.0).abs() < 1e-9, "18 of 36 voxels");
    for segments in [boxed(), Segments { is_turned: true, ..boxed() }] {
        assert_measures(compare(&long, &segments.bytes()), expected);
    }
}

#[test]
fn a_circle_holds_the_voxels_whose_middles_are_nearer_than_its_radius() {
    const RADIUS: f64 = 15.03;
    let label = |[left, back, _]: [usize; 3]| {
        let at = |place: usize| f64::from(u16::try_from(place).unwrap());
        let way = [(at(left) - 30.0) * 0.8, at(back) - 25.0];
        u8::from(way[0].hypot(way[1]) < RADIUS)
    };
    let volume = MaskFile { lengths: [60, 50, 4], label, ..a_box() };
    let inside: u32 = volume.stored().iter().map(|label| u32::from(*label)).sum();
    let area = 0.8 * f64::from(inside / 4);
    let circle = std::f64::consts::PI * RADIUS * RADIUS;
    assert!((area / circle - 1.0).abs() < 0.01, "{area}");
    let ring = |slice: f64| {
        let corner = |step: i32| {
            let angle = f64::from(step) * std::f64::consts::PI / 720.0;
            [30.0 + RADIUS * angle.cos() / 0.8, 25.0 + RADIUS * angle.sin(), slice]
        };
        (0..1440).map(corner).collect::<Line>()
    };
    let set = StructureSet::of([0.0, 1.0, 2.0, 3.0].map(ring).to_vec());
    assert_measures(compare(&volume.bytes(), &set.bytes()), [1.0, 0.0, 1.0]);
}

#[test]
fn inner_contours_keyholes_and_exclusive_contours_are_holes() {
    let ring = |at: [usize; 3]| {
        u8::from(at[2] == 1 && at[0] < 5 && at[1] < 5 && !(at[0] == 2 && at[1] == 2))
    };
    let outer = rectangle([-0.5, -0.5], [4.5, 4.5], 1.0);
    let inner = rectangle([1.5, 1.5], [2.5, 2.5], 1.0);
    let nested = StructureSet::of(vec![outer.clone(), inner.clone()]);
    assert_same(ring, &nested);
    assert_same(ring, &StructureSet { kind: "CLOSEDPLANAR_XOR", ..nested });
    let back = [inner[0], inner[3], inner[2], inner[1], inner[0]];
    let keyhole = [&outer[..], &outer[..1], &back[..], &outer[..1]].concat();
    assert_same(ring, &StructureSet::of(vec![keyhole]));
}

#[test]
fn regions_with_a_common_edge_share_no_voxel_and_leave_out_none() {
    // The edge runs through the middles of the voxels in the third column.
    let strip =
        |from, to| [1.0, 2.0].map(|slice| rectangle([from, 0.5], [to, 3.5], slice)).to_vec();
    let (right, left) = (strip(0.5, 2.0), strip(2.0, 3.5));
    assert_same(|at| u8::from(is_in(at, [1, 1, 1]) && at[0] < 2), &StructureSet::of(right.clone()));
    assert_same(|at| u8::from(is_in(at, [1, 1, 1]) && at[0] >= 2), &StructureSet::of(left.clone()));
    let both = StructureSet {
        regions: vec![region(b"Right ", right), region(b"Left", left)],
        ..round_the_box()
    };
    let named = Structure { rois: vec!["Left".to_owned(), "Right".to_owned()], ..structure() };
    let compared = compare_as(&named, &a_box().bytes(), &both.bytes());
    assert_measures(compared, [1.0, 0.0, 1.0]);
}

#[test]
fn contours_of_another_frame_of_reference_are_not_drawn_on_segments() {
    let segments = boxed().bytes();
    assert!(compare(&segments, &in_space(SPACE).bytes()).is_ok());
    let elsewhere = compare(&segments, &in_space("1.2.35").bytes());
    assert_eq!(elsewhere.err(), Some(ImageFault::MaskGrid));
    // Nothing is drawn, and nothing says that it is nothing of this acquisition.
    let nowhere = StructureSet::of(Vec::new());
    assert_eq!(compare(&segments, &nowhere.bytes()).err(), Some(ImageFault::MaskGrid));
    let own = StructureSet { space: boxed().space, ..nowhere };
    let found = compare(&segments, &own.bytes()).unwrap();
    assert_eq!(found.presence, Presence::OnlyReference);
}
