//! DICOM SEG: binary segments, a frame for each slice that holds any of one (PS3.3 C.8.20).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use fedval_preprocess::Size;
use fedval_preprocess::vector::{Vector, cross, dot, minus, scaled};
use fedval_study::protocol::Structure;

use super::part10::Part10;
use super::segment_bits::{FrameBits, SegmentBits};
use super::whole;
use crate::decode::fault::ImageFault;
use crate::decode::image_frame::FrameOfReference;
use crate::decode::mask::{Lattice, Mask, Turned, Voxels};

/// How far a slice may lie from where counting steps leads, as a share of the step.
const STEP_SHARE: f64 = 0.1;

/// Largest difference between what frames say of their orientation or their spacing, which is one of them all.
const SAME: f64 = 1e-4;

/// Most frames: as many slices as a volume has, for a few segments.
const MAX_FRAMES: usize = 1 << 16;

/// Reads segments. Nested sequences need the whole data set: a box bounds what it takes.
pub(super) fn read(file: &Part10<'_>, structure: &Structure) -> Result<Mask, ImageFault> {
    SegmentBits::check(file.coding)?;
    let object = whole::read(&file.data_set, file.form)?;
    if text(&object, tags::SEGMENTATION_TYPE)? != "BINARY" {
        return Err(ImageFault::BitDepth);
    }
    for (tag, bits) in [(tags::BITS_ALLOCATED, 1), (tags::SAMPLES_PER_PIXEL, 1)] {
        if number(&object, tag)? != bits {
            return Err(ImageFault::BitDepth);
        }
    }
    let size = Size::new(number(&object, tags::ROWS)?, number(&object, tags::COLUMNS)?)?;
    let frames = frames(&object)?;
    let pixels = object.element(tags::PIXEL_DATA).map_err(|_| ImageFault::DescriptionMissing)?;
    let bits = SegmentBits::of(pixels, file.coding, size, frames.len())?;
    let stack = Stack::of(&frames, size)?;
    let turned = stack.lattice.turned()?;
    let mut voxels = Voxels::none(turned.grid.shape)?;
    for (index, (frame, slice)) in frames.iter().zip(&stack.slices).enumerate() {
        if structure.holds(frame.segment).ok_or(ImageFault::MaskValue)? {
            mark(&bits.frame(index)?, *slice, &turned, &mut voxels);
        }
    }
    let [slices, _, _] = turned.axes;
    let frame = text(&object, tags::FRAME_OF_REFERENCE_UID).ok().filter(|uid| !uid.is_empty());
    let frame_of_reference = frame.as_deref().map(FrameOfReference::of);
    Ok(Mask { grid: turned.grid, voxels, cut: Some(slices), frame_of_reference })
}

/// Adds the pixels of a frame that are set: rows from the top, in the slice that the frame shows.
fn mark(frame: &FrameBits<'_>, slice: usize, turned: &Turned, voxels: &mut Voxels) {
    let [slices, rows, columns] = &turned.offsets;
    for (row, row_offset) in rows.iter().enumerate() {
        for (column, column_offset) in columns.iter().enumerate() {
            if frame.is_set(row * columns.len() + column) {
                voxels.add(slices[slice] + row_offset + column_offset);
            }
        }
    }
}

/// What a frame says of itself. Millimetres to the patient's left, back and head, as DICOM has them.
struct Frame {
    segment: u16,
    position: Vector,
    /// Along a row, then along a column.
    orientation: [Vector; 2],
    /// From row to row, then from column to column.
    spacing: [f64; 2],
    /// From slice to slice.
    step: Option<f64>,
    /// Of a slice: what stands for the step where nothing else says it.
    thickness: Option<f64>,
}

fn frames(object: &InMemDicomObject) -> Result<Vec<Frame>, ImageFault> {
    let shared = items(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    let apart = items(object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    if apart.is_empty() || apart.len() != number(object, tags::NUMBER_OF_FRAMES)? {
        return Err(ImageFault::DescriptionMissing);
    }
    if apart.len() > MAX_FRAMES {
        return Err(ImageFault::Size);
    }
    apart.iter().map(|own| frame(own, shared)).collect()
}

fn frame(own: &InMemDicomObject, shared: Option<&InMemDicomObject>) -> Result<Frame, ImageFault> {
    let group = |sequence: Tag| {
        let of_all = shared.and_then(|shared| items(shared, sequence).first());
        items(own, sequence).first().or(of_all).ok_or(ImageFault::DescriptionMissing)
    };
    let segment = group(tags::SEGMENT_IDENTIFICATION_SEQUENCE)?;
    let plane = group(tags::PLANE_ORIENTATION_SEQUENCE)?;
    let orientation = numbers(plane, tags::IMAGE_ORIENTATION_PATIENT)?;
    let (along_rows, along_columns) =
        orientation.split_at_checked(3).ok_or(ImageFault::Orientation)?;
    let vector = |of: &[f64]| of.try_into().map_err(|_| ImageFault::Orientation);
    let position = numbers(group(tags::PLANE_POSITION_SEQUENCE)?, tags::IMAGE_POSITION_PATIENT)?;
    let measures = group(tags::PIXEL_MEASURES_SEQUENCE)?;
    let spacing = numbers(measures, tags::PIXEL_SPACING)?;
    let length = |tag| numbers(measures, tag).ok()?.first().copied().filter(|mm| *mm > 0.0);
    Ok(Frame {
        segment: number(segment, tags::REFERENCED_SEGMENT_NUMBER)?
            .try_into()
            .map_err(|_| ImageFault::MaskValue)?,
        position: position.try_into().map_err(|_| ImageFault::Orientation)?,
        orientation: [vector(along_rows)?, vector(along_columns)?],
        spacing: spacing.try_into().map_err(|_| ImageFault::MaskSpacing)?,
        step: length(tags::SPACING_BETWEEN_SLICES),
        thickness: length(tags::SLICE_THICKNESS),
    })
}

/// Frames as slices of one volume.
struct Stack {
    /// Axes: from slice to slice, from row to row, from column to column.
    lattice: Lattice,
    /// Of each frame.
    slices: Vec<usize>,
}

impl Stack {
    fn of(frames: &[Frame], size: Size) -> Result<Self, ImageFault> {
        let first = frames.first().ok_or(ImageFault::DescriptionMissing)?;
        let is_same = |one: &[f64], other: &[f64]| {
            one.iter().zip(other).all(|(one, other)| (one - other).abs() <= SAME)
        };
        let are_alike = frames.iter().all(|frame| {
            is_same(&frame.orientation.concat(), &first.orientation.concat())
                && is_same(&frame.spacing, &first.spacing)
        });
        if !are_alike {
            return Err(ImageFault::Orientation);
        }
        let [row, column] = first.orientation;
        let normal = cross(row, column);
        let along: Vec<f64> = frames.iter().map(|frame| dot(frame.position, normal)).collect();
        let start = along.iter().copied().fold(f64::INFINITY, f64::min);
        let lowest = along.iter().position(|at| *at <= start).ok_or(ImageFault::Orientation)?;
        let step = first.step.or_else(|| least_step(&along)).or(first.thickness);
        let step = step.ok_or(ImageFault::MaskSpacing)?;
        let origin = frames[lowest].position;
        let slices: Vec<usize> = frames
            .iter()
            .map(|frame| slice(minus(frame.position, origin), normal, step))
            .collect::<Result<_, _>>()?;
        let count = slices.iter().max().map_or(0, |last| last + 1);
        let [between_rows, between_columns] = first.spacing;
        let steps =
            [scaled(normal, step), scaled(column, between_rows), scaled(row, between_columns)];
        // To the right and to the front, as the other formats count.
        let turned = |[left, back, head]: Vector| [-left, -back, head];
        let lengths = [count, size.height, size.width];
        let lattice = Lattice { lengths, steps: steps.map(turned), origin: turned(origin) };
        Ok(Self { lattice, slices })
    }
}

/// How many steps along the normal a frame lies; refused where it lies between two, or beside.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to the range of frames"
)]
fn slice(way: Vector, normal: Vector, step: f64) -> Result<usize, ImageFault> {
    let steps = (dot(way, normal) / step).round();
    let beside = minus(way, scaled(normal, steps * step));
    let is_there = dot(beside, beside).sqrt() <= STEP_SHARE * step;
    let is_near = (0.0..=f64::from(u16::MAX)).contains(&steps);
    if is_there && is_near { Ok(steps as usize) } else { Err(ImageFault::MaskSpacing) }
}

/// The smallest distance of two slices, where the file does not say it.
fn least_step(along: &[f64]) -> Option<f64> {
    let mut sorted = along.to_vec();
    sorted.sort_by(f64::total_cmp);
    let gaps = sorted.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.filter(|gap| *gap > SAME).min_by(f64::total_cmp)
}

pub(super) fn items(object: &InMemDicomObject, tag: Tag) -> &[InMemDicomObject] {
    object.element(tag).ok().and_then(|element| element.items()).unwrap_or_default()
}

fn text(object: &InMemDicomObject, tag: Tag) -> Result<String, ImageFault> {
    let element = object.element(tag).map_err(|_| ImageFault::DescriptionMissing)?;
    let text = element.to_str().map_err(|_| ImageFault::Corrupt)?;
    Ok(text.trim_matches([' ', '\0']).to_owned())
}

fn number(object: &InMemDicomObject, tag: Tag) -> Result<usize, ImageFault> {
    let element = object.element(tag).map_err(|_| ImageFault::DescriptionMissing)?;
    let number: u32 = element.to_int().map_err(|_| ImageFault::Corrupt)?;
    Ok(number as usize)
}

pub(super) fn numbers(object: &InMemDicomObject, tag: Tag) -> Result<Vec<f64>, ImageFault> {
    let element = object.element(tag).map_err(|_| ImageFault::DescriptionMissing)?;
    let numbers = element.to_multi_float64().map_err(|_| ImageFault::Corrupt)?;
    let are_finite = numbers.iter().all(|number| number.is_finite());
    if are_finite { Ok(numbers) } else { Err(ImageFault::Corrupt) }
}
