//! Contours as DICOM RT Structure Set, of bytes that are put together here, beside the same masks as voxels.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod mask_file;
mod mirror;
mod segment_file;

use std::ops::Range;

use dicom_file::{EXPLICIT, element_bytes, header_of, padded, sequence};
use fedval_ingest::decode::ImageFault;
use fedval_ingest::{
    FrameOfReference, FramePlace, ImageFrame, MaskComparison, MaskMeasures, MaskRequest,
    OutputRequest, SliceRun, compare_masks, compare_output,
};
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::{AxisOrder, GantryTilt, ModelInput, Structure, VolumeInput};
use mask_file::{MaskFile, a_box, every_storage, is_in, png, structure};
use mirror::mirror;
use segment_file::{Segments, boxed, decimal};

const RT_STRUCTURE_SET: &str = "1.2.840.10008.5.1.4.1.1.481.3";

/// Corners in voxels of the volume of [`a_box`]: to the left, to the back, to the head.
type Line = Vec<[f64; 3]>;

/// A name, as it stands in the file, and contours.
type Region = (&'static [u8], Vec<Line>);

const fn region(name: &'static [u8], lines: Vec<Line>) -> Region {
    (name, lines)
}

/// A file with one region unless changed.
#[derive(Clone)]
struct StructureSet {
    regions: Vec<Region>,
    kind: &'static str,
    character_set: &'static str,
    /// Points that a contour announces beyond those that it has.
    further: usize,
    /// What stands in the place of the first number.
    first: Option<&'static str>,
    /// UID of the frame of reference of every region.
    space: Option<&'static str>,
}

impl StructureSet {
    fn of(lines: Vec<Line>) -> Self {
        Self {
            regions: vec![region(b"Heart ", lines)],
            kind: "CLOSED_PLANAR",
            character_set: "ISO_IR 100",
            further: 0,
            first: None,
            space: None,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let of = |place: usize| padded(&(place + 1).to_string());
        let number_and_name = |(place, (name, _)): (usize, &Region)| {
            let number = element_bytes(0x3006, 0x0022, "IS", &of(place), true);
            let space =
                self.space.map(|uid| element_bytes(0x3006, 0x0024, "UI", &padded(uid), true));
            let name = element_bytes(0x3006, 0x0026, "LO", name, true);
            [number, space.unwrap_or_default(), name].concat()
        };
        let drawn = |(place, (_, lines)): (usize, &Region)| {
            let contours: Vec<Vec<u8>> = lines.iter().map(|line| self.contour(line)).collect();
            let number = element_bytes(0x3006, 0x0084, "IS", &of(place), true);
            [sequence(0x3006, 0x0040, &contours), number].concat()
        };
        let names: Vec<Vec<u8>> = self.regions.iter().enumerate().map(number_and_name).collect();
        let contours: Vec<Vec<u8>> = self.regions.iter().enumerate().map(drawn).collect();
        [
            header_of(RT_STRUCTURE_SET, EXPLICIT),
            element_bytes(0x0008, 0x0005, "CS", &padded(self.character_set), true),
            sequence(0x3006, 0x0020, &names),
            sequence(0x3006, 0x0039, &contours),
        ]
        .concat()
    }

    fn contour(&self, line: &Line) -> Vec<u8> {
        let mut numbers: Vec<String> =
            line.iter().flat_map(|corner| millimetres(*corner)).map(|mm| mm.to_string()).collect();
        if let Some(first) = self.first {
            first.clone_into(&mut numbers[0]);
        }
        let count = padded(&(line.len() + self.further).to_string());
        [
            element_bytes(0x3006, 0x0042, "CS", &padded(self.kind), true),
            element_bytes(0x3006, 0x0046, "IS", &count, true),
            decimal(0x3006, 0x0050, &numbers.join("\\")),
        ]
        .concat()
    }
}

/// To the patient's left, back and head, as DICOM has them.
fn millimetres([left, back, head]: [f64; 3]) -> [f64; 3] {
    let rounded = |mm: f64| (mm * 1e4).round() / 1e4;
    [-10.0 + 0.8 * left, -20.0 + back, -30.0 + 2.5 * head].map(rounded)
}

/// A rectangle in a slice, from one corner to the other.
fn rectangle([left, front]: [f64; 2], [right, back]: [f64; 2], slice: f64) -> Line {
    vec![[left, front, slice], [right, front, slice], [right, back, slice], [left, back, slice]]
}

/// Round the voxels of [`a_box`].
fn round_the_box() -> StructureSet {
    let of = |slice| rectangle([0.5, 0.5], [3.5, 3.5], slice);
    StructureSet::of(vec![of(1.0), of(2.0)])
}

fn heart() -> Structure {
    Structure { rois: vec!["Heart".to_owned()], ..structure() }
}

fn compare_as(
    structure: &Structure,
    reference: &[u8],
    predicted: &[u8],
) -> Result<MaskComparison, ImageFault> {
    compare_masks(&MaskRequest { structure, reference, predicted })
}

fn compare(reference: &[u8], predicted: &[u8]) -> Result<MaskComparison, ImageFault> {
    compare_as(&heart(), reference, predicted)
}

fn fault(of: &StructureSet) -> Option<ImageFault> {
    compare(&a_box().bytes(), &of.bytes()).err()
}

fn measures(compared: Result<MaskComparison, ImageFault>) -> [f64; 3] {
    let MaskMeasures { dice, hd95_mm, nsd } = compared.unwrap().measures.unwrap();
    [dice, hd95_mm, nsd]
}

#[track_caller]
fn assert_measures(compared: Result<MaskComparison, ImageFault>, expected: [f64; 3]) {
    let found = measures(compared);
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
}

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

/// What a model marks of an image at a place, beside contours.
fn judged(
    set: &StructureSet,
    place: Option<FramePlace>,
    is_marked: fn([usize; 2]) -> bool,
) -> Result<MaskComparison, ImageFault> {
    judged_as(&heart(), set, place, is_marked)
}

fn judged_as(
    structure: &Structure,
    set: &StructureSet,
    place: Option<FramePlace>,
    is_marked: fn([usize; 2]) -> bool,
) -> Result<MaskComparison, ImageFault> {
    let model = mirror(dicom_file::input(5, 6));
    let frame = ImageFrame { height: 5, width: 6, place, slices: None };
    let marked = |pixel: usize| f32::from(u8::from(is_marked([pixel / 6, pixel % 6])));
    let values = (0..30).map(marked).collect::<Vec<_>>();
    let reference = set.bytes();
    compare_output(&OutputRequest {
        structure,
        model: &model,
        frame: &frame,
        reference: &reference,
        values: &values,
    })
}

const SPACE: &str = "1.2.34";

/// A slice of the volume of [`a_box`], as DICOM shows it.
fn image_at(head: f64, space: Option<&str>) -> FramePlace {
    FramePlace {
        origin: [10.0, 20.0, head],
        row_step: [0.0, -1.0, 0.0],
        column_step: [-0.8, 0.0, 0.0],
        frame_of_reference: space.map(FrameOfReference::of),
    }
}

fn in_the_box([row, column]: [usize; 2]) -> bool {
    is_in([column, row, 1], [1, 1, 1])
}

fn in_space(space: &'static str) -> StructureSet {
    StructureSet { space: Some(space), ..round_the_box() }
}

#[test]
fn contours_in_an_images_plane_are_drawn_on_its_own_pixels() {
    for set in [round_the_box(), in_space(SPACE)] {
        for space in [None, Some(SPACE)] {
            let found = judged(&set, Some(image_at(-27.5, space)), in_the_box);
            assert_measures(found, [1.0, 0.0, 1.0]);
        }
    }
    // Six of nine pixels are common; of the eight at either border, four lie on the other.
    let to_the_left = |[row, column]: [usize; 2]| is_in([column, row, 1], [2, 1, 1]);
    let dice = 2.0 / 3.0;
    let found = judged(&round_the_box(), Some(image_at(-25.0, None)), to_the_left);
    assert_measures(found, [dice, 0.8, 0.5]);
    // The same plane from below, rows and columns the other way round.
    let turned = FramePlace {
        origin: [6.0, 16.0, -27.5],
        row_step: [0.0, 1.0, 0.0],
        column_step: [0.8, 0.0, 0.0],
        frame_of_reference: None,
    };
    let mirrored = |[row, column]: [usize; 2]| is_in([5 - column, 4 - row, 1], [1, 1, 1]);
    assert_measures(judged(&round_the_box(), Some(turned), mirrored), [1.0, 0.0, 1.0]);
}

#[test]
fn contours_are_drawn_on_a_volumes_own_grid() {
    let volume = VolumeInput {
        depth: 4,
        orientation: AxisOrder::AXIAL,
        spacing_mm: [2.5, 1.0, 0.8],
        padding: 0.0,
        slab: None,
        gantry_tilt: GantryTilt::Refuse,
    };
    let input = ModelInput { volume: Some(volume), ..dicom_file::input(5, 6) };
    let model = mirror(input);
    let of = |set: &StructureSet, space: Option<&str>, label: fn([usize; 3]) -> u8| {
        let slices = Some(SliceRun { count: 4, step: [0.0, 0.0, 2.5] });
        let frame = ImageFrame { height: 5, width: 6, place: Some(image_at(-30.0, space)), slices };
        let at = |voxel: usize| [voxel % 6, voxel / 6 % 5, voxel / 30];
        let values: Vec<f32> = (0..120).map(|voxel| f32::from(label(at(voxel)))).collect();
        let (structure, reference) = (heart(), set.bytes());
        compare_output(&OutputRequest {
            structure: &structure,
            model: &model,
            frame: &frame,
            reference: &reference,
            values: &values,
        })
    };
    let same = |at| u8::from(is_in(at, [1, 1, 1]));
    let to_the_left = |at| u8::from(is_in(at, [2, 1, 1]));
    let third = 2.0 / 3.0;
    assert_measures(of(&round_the_box(), None, same), [1.0, 0.0, 1.0]);
    assert_measures(of(&in_space(SPACE), Some(SPACE), to_the_left), [third, 0.8, third]);
    let elsewhere = of(&in_space("1.2.35"), Some(SPACE), same);
    assert_eq!(elsewhere.err(), Some(ImageFault::MaskGrid));
    let line = |slice| rectangle([0.5, 0.5], [3.5, 3.5], slice);
    for (slices, fault) in [
        ([1.0, 2.2], ImageFault::MaskGrid),
        ([1.0, 4.0], ImageFault::MaskGrid),
        ([0.0, 2.0], ImageFault::MaskGap),
    ] {
        let set = StructureSet::of(slices.map(line).to_vec());
        assert_eq!(of(&set, None, same).err(), Some(fault), "{slices:?}");
    }
    // A region that is listed and not drawn speaks of the image where both name one frame of reference, or the image's
    // file has no room for one.
    let nowhere = |space| StructureSet { space, ..StructureSet::of(Vec::new()) };
    for (set, image) in [(Some(SPACE), Some(SPACE)), (Some(SPACE), None), (None, None)] {
        let found = of(&nowhere(set), image, same).unwrap();
        assert_eq!(found.presence, Presence::OnlyPredicted, "{set:?} {image:?}");
    }
    for set in [None, Some("1.2.35")] {
        let found = of(&nowhere(set), Some(SPACE), same);
        assert_eq!(found.err(), Some(ImageFault::MaskGrid), "{set:?}");
    }
}

#[test]
fn an_image_beside_the_contours_has_none_only_in_their_frame_of_reference() {
    let of =
        |set: &StructureSet, head: f64, space| judged(set, Some(image_at(head, space)), in_the_box);
    let beside = of(&in_space(SPACE), -30.0, Some(SPACE)).unwrap();
    assert_eq!(beside.presence, Presence::OnlyPredicted);
    for (set, space) in [
        (round_the_box(), Some(SPACE)),
        (round_the_box(), None),
        (in_space(SPACE), None),
        (in_space("1.2.35"), Some(SPACE)),
    ] {
        assert_eq!(of(&set, -30.0, space).err(), Some(ImageFault::MaskGrid));
    }
    let elsewhere = of(&in_space("1.2.35"), -27.5, Some(SPACE));
    assert_eq!(elsewhere.err(), Some(ImageFault::MaskGrid), "numbers alike, of two acquisitions");
    // Near the plane, and not in it; and a slice that was left out between two.
    assert_eq!(of(&in_space(SPACE), -27.2, Some(SPACE)).err(), Some(ImageFault::MaskGrid));
    for head in [-27.0, -26.25] {
        assert_eq!(of(&in_space(SPACE), head, Some(SPACE)).err(), Some(ImageFault::MaskGap));
    }
    // A region that the file lists and does not draw is nowhere in the frame of reference that it names, and in no other.
    let nowhere = |space| StructureSet { space, ..StructureSet::of(Vec::new()) };
    let found = of(&nowhere(Some(SPACE)), -27.5, Some(SPACE));
    assert!(found.is_ok_and(|of| of.presence == Presence::OnlyPredicted));
    for (set, image) in
        [(None, None), (None, Some(SPACE)), (Some(SPACE), None), (Some("1.2.35"), Some(SPACE))]
    {
        let found = of(&nowhere(set), -27.5, image);
        assert_eq!(found.err(), Some(ImageFault::MaskGrid), "{set:?} {image:?}");
    }
}

/// Round the voxels of the box in every slice of a series whose slices lie so many millimetres apart.
fn in_slices(step: f64, slices: Range<u32>) -> StructureSet {
    let line = |slice: u32| rectangle([0.5, 0.5], [3.5, 3.5], f64::from(slice) * step / 2.5);
    StructureSet { space: Some(SPACE), ..StructureSet::of(slices.map(line).collect()) }
}

/// The bottom of slices so far apart is that of the volume of [`a_box`].
fn image_of(slice: u32, step: f64) -> FramePlace {
    image_at(-30.0 + f64::from(slice) * step, Some(SPACE))
}

#[test]
fn neighbours_of_thin_slices_are_no_contours_of_an_image_that_has_its_own() {
    // Of pixels 0.8 mm wide: as far apart as that, nearer, half as far, and nearer than what may be meant for a plane.
    for step in [0.8, 0.625, 0.4, 0.3, 0.1] {
        for slice in 1..40 {
            let found = judged(&in_slices(step, 0..41), Some(image_of(slice, step)), in_the_box);
            assert_measures(found, [1.0, 0.0, 1.0]);
        }
    }
    // One region has its own, and the other ends before it.
    let of = |slices: Range<u32>| in_slices(0.3, slices).regions.swap_remove(0).1;
    let both = StructureSet {
        regions: vec![region(b"Heart ", of(4..9)), region(b"Aorta ", of(0..4))],
        ..in_slices(0.3, 0..0)
    };
    let named = Structure { rois: vec!["Aorta".to_owned(), "Heart".to_owned()], ..structure() };
    assert_measures(judged_as(&named, &both, Some(image_of(4, 0.3)), in_the_box), [1.0, 0.0, 1.0]);
}

#[test]
fn an_image_without_contours_is_empty_only_where_none_is_nearer_than_half_a_pixel() {
    for step in [0.8, 0.625, 0.4] {
        for end in 1..40 {
            let found = judged(&in_slices(step, 0..end), Some(image_of(end, step)), in_the_box);
            assert_eq!(found.unwrap().presence, Presence::OnlyPredicted, "{end} of {step} mm");
        }
        let mut gap = in_slices(step, 0..9);
        gap.regions[0].1.remove(4);
        let found = judged(&gap, Some(image_of(4, step)), in_the_box);
        assert_eq!(found.err(), Some(ImageFault::MaskGap), "{step} mm");
    }
    // Whether the nearest is another slice's or was meant for the image, nothing says.
    let mut gap = in_slices(0.3, 0..9);
    gap.regions[0].1.remove(4);
    for set in [gap, in_slices(0.3, 0..4)] {
        let found = judged(&set, Some(image_of(4, 0.3)), in_the_box);
        assert_eq!(found.err(), Some(ImageFault::MaskGrid));
    }
    // The nearest counts, in whichever order a file has them.
    for order in [[0.55, 0.4], [0.4, 0.55]] {
        let lines = order.map(|sides| rectangle([0.5, 0.5], [3.5, 3.5], 1.0 + sides * 0.8 / 2.5));
        let set = StructureSet { space: Some(SPACE), ..StructureSet::of(lines.to_vec()) };
        let found = judged(&set, Some(image_at(-27.5, Some(SPACE))), in_the_box);
        assert_eq!(found.err(), Some(ImageFault::MaskGrid), "{order:?}");
    }
}

#[test]
fn contours_have_no_place_on_an_image_that_says_of_none_or_stands_upright() {
    let set = round_the_box();
    assert_eq!(judged(&set, None, in_the_box).err(), Some(ImageFault::MaskNoGrid));
    let sagittal = FramePlace {
        origin: [8.0, 20.0, -20.0],
        row_step: [0.0, 0.0, -2.5],
        column_step: [0.0, -1.0, 0.0],
        frame_of_reference: None,
    };
    assert_eq!(judged(&set, Some(sagittal), in_the_box).err(), Some(ImageFault::MaskContour));
    let leaning = FramePlace { column_step: [-0.8, 0.4, 0.0], ..image_at(-27.5, None) };
    assert_eq!(judged(&set, Some(leaning), in_the_box).err(), Some(ImageFault::Orientation));
    let large = StructureSet::of(vec![rectangle([0.5, 0.5], [30.5, 3.5], 1.0)]);
    let beyond = judged(&large, Some(image_at(-27.5, None)), in_the_box);
    assert_eq!(beyond.err(), Some(ImageFault::MaskGrid));
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
