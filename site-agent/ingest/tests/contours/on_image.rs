//! Contours beside what a model marks of an image or a volume.

use std::ops::Range;

use fedval_ingest::decode::ImageFault;
use fedval_ingest::{
    FrameOfReference, FramePlace, ImageFrame, MaskComparison, OutputRequest, SliceRun,
    compare_output,
};
use fedval_stats::segmentation::Presence;
use fedval_study::protocol::{AxisOrder, GantryTilt, ModelInput, Structure, VolumeInput};

use super::{assert_measures, heart};
use crate::dicom_file;
use crate::mask_file::{is_in, structure};
use crate::mirror::mirror;
use crate::structure_set::{SPACE, StructureSet, in_space, rectangle, region, round_the_box};

/// What a model marks of an image at a place, beside contours.
pub(crate) fn judged(
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

/// A slice of the volume of [`a_box`], as DICOM shows it.
pub(crate) fn image_at(head: f64, space: Option<&str>) -> FramePlace {
    FramePlace {
        origin: [10.0, 20.0, head],
        row_step: [0.0, -1.0, 0.0],
        column_step: [-0.8, 0.0, 0.0],
        frame_of_reference: space.map(FrameOfReference::of),
    }
}

pub(crate) fn in_the_box([row, column]: [usize; 2]) -> bool {
    is_in([column, row, 1], [1, 1, 1])
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
