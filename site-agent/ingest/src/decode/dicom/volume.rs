//! Slices of a volume: where the pixels of a file lie, and what was measured there.

use std::collections::BTreeMap;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use fedval_preprocess::volume::{MOST_SLICES, SliceGeometry, VolumeBuilder, stacked, stored_input};
use fedval_study::protocol::ModelInput;

use super::data_set::DataSet;
use super::description::{Description, Photometric};
use super::part10::Part10;
use super::segmentation::{items, numbers};
use super::whole;
use super::{attributes, mapping, stored};
use crate::decode::DecodedImage;
use crate::decode::fault::ImageFault;
use crate::decode::image_frame::{FrameOfReference, ImageFrame};

/// What a slice of a series says of itself, without its pixels.
#[derive(Clone, PartialEq)]
pub(in crate::decode) struct SliceHeader {
    series: String,
    frame_of_reference: String,
    pub(in crate::decode) geometry: SliceGeometry,
}

impl SliceHeader {
    /// In which it lies.
    pub(in crate::decode) fn frame_of_reference(&self) -> FrameOfReference {
        FrameOfReference::of(&self.frame_of_reference)
    }

    /// Whether it is of the series with this UID.
    pub(in crate::decode) fn is_of(&self, series: &str) -> bool {
        self.series == series
    }

    /// Whether both are of one series, in one frame of reference.
    pub(in crate::decode) fn is_beside(&self, other: &Self) -> bool {
        self.series == other.series && self.frame_of_reference == other.frame_of_reference
    }
}

/// Reads where the one frame of a file lies.
pub(in crate::decode) fn slice_header(bytes: &[u8]) -> Result<SliceHeader, ImageFault> {
    let file = Part10::read(bytes)?;
    let data_set = DataSet::read(&file.data_set, file.form)?;
    let description = measured(&data_set)?;
    if description.frames > 1 {
        return Err(ImageFault::MultiFrame);
    }
    let text = |tag| data_set.text(tag).map(str::to_owned).ok_or(ImageFault::Geometry);
    let decimals = |tag| data_set.decimals(tag).ok_or(ImageFault::Geometry);
    let position = decimals(tags::IMAGE_POSITION_PATIENT)?;
    let orientation = decimals(tags::IMAGE_ORIENTATION_PATIENT)?;
    let spacing = decimals(tags::PIXEL_SPACING)?;
    Ok(SliceHeader {
        series: text(tags::SERIES_INSTANCE_UID)?,
        frame_of_reference: text(tags::FRAME_OF_REFERENCE_UID)?,
        geometry: geometry(&position, &orientation, &spacing, &description)?,
    })
}

/// Reads the values of the one frame of a file, as [`stored_input`] has them, and the attributes that are asked for.
pub(in crate::decode) fn slice(
    bytes: &[u8],
    stored: &ModelInput,
    asked: &[String],
) -> Result<(Vec<f32>, BTreeMap<String, String>), ImageFault> {
    let (raster, attributes, _) = super::read(bytes, stored, asked)?;
    Ok((raster.into_planes().into_raw_vec_and_offset().0, attributes))
}

/// Reads the volume of an image with several frames (an enhanced one: each frame says in its functional groups where it
/// lies, PS3.3 C.7.6.16). Nested sequences need the whole data set: a box bounds what it takes.
pub(in crate::decode) fn read_volume(
    bytes: &[u8],
    input: &ModelInput,
    asked: &[String],
) -> Result<DecodedImage, ImageFault> {
    let file = Part10::read(bytes)?;
    let data_set = DataSet::read(&file.data_set, file.form)?;
    let description = measured(&data_set)?;
    match description.frames as usize {
        0 | 1 => return Err(ImageFault::OneSlice),
        frames if frames > MOST_SLICES => return Err(ImageFault::SeriesTooLarge),
        _ => {}
    }
    let object = whole::read(&file.data_set, data_set.form())?;
    let stack = stacked(&frames(&object, &description)?, input.gantry_tilt())?;
    drop(object);
    let mut builder = VolumeBuilder::of_stack(&stack, input)?;
    let stored_as = stored_input(input);
    for place in stack.order {
        let index = u32::try_from(place).map_err(|_| ImageFault::FrameAbsent)?;
        let mapping = mapping::read(&data_set, &description, index, &stored_as)?;
        let pixels = stored::pixels(&data_set, &description, file.coding, index)?;
        let planes = pixels.grey_planes(&mapping, &stored_as, description.sample)?;
        planes.iter().try_for_each(|plane| builder.take(plane))?;
    }
    let frame_of_reference = data_set.text(tags::FRAME_OF_REFERENCE_UID).map(FrameOfReference::of);
    let frame = ImageFrame::of_volume(&stack.grid, stack.origin, frame_of_reference);
    let attributes = attributes(&data_set, asked);
    Ok(DecodedImage { tensor: builder.finish()?, attributes, frame })
}

/// The pixels' description, of an image that can be a part of a volume.
fn measured(data_set: &DataSet<'_>) -> Result<Description, ImageFault> {
    // The third value and those behind it say what kind of image it is (PS3.3 C.8.2.1.1.1).
    let kinds = data_set.whole_text(tags::IMAGE_TYPE).unwrap_or_default();
    if kinds.split('\\').skip(2).any(|kind| kind.trim_matches([' ', '\0']) == "LOCALIZER") {
        return Err(ImageFault::SeriesLocalizer);
    }
    let description = Description::read(data_set)?;
    match description.photometric {
        Photometric::Monochrome1 | Photometric::Monochrome2 => Ok(description),
        _ => Err(ImageFault::Colour),
    }
}

fn geometry(
    position: &[f64],
    orientation: &[f64],
    spacing: &[f64],
    description: &Description,
) -> Result<SliceGeometry, ImageFault> {
    let vector = |of: &[f64]| <[f64; 3]>::try_from(of).map_err(|_| ImageFault::Geometry);
    let (row, column) = orientation.split_at_checked(3).ok_or(ImageFault::Geometry)?;
    Ok(SliceGeometry {
        position: vector(position)?,
        orientation: [vector(row)?, vector(column)?],
        spacing: spacing.try_into().map_err(|_| ImageFault::Geometry)?,
        rows: description.size.height,
        columns: description.size.width,
    })
}

/// Where each frame lies: it says so itself, or all of them share it.
fn frames(
    object: &InMemDicomObject,
    description: &Description,
) -> Result<Vec<SliceGeometry>, ImageFault> {
    let shared = items(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    let apart = items(object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    if apart.len() != description.frames as usize {
        return Err(ImageFault::Geometry);
    }
    let of = |own: &InMemDicomObject, sequence: Tag, tag: Tag| {
        let of_all = shared.and_then(|shared| items(shared, sequence).first());
        let group = items(own, sequence).first().or(of_all).ok_or(ImageFault::Geometry)?;
        numbers(group, tag).map_err(|_| ImageFault::Geometry)
    };
    apart
        .iter()
        .map(|own| {
            let position = of(own, tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT)?;
            let orientation =
                of(own, tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT)?;
            let spacing = of(own, tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING)?;
            geometry(&position, &orientation, &spacing, description)
        })
        .collect()
}
