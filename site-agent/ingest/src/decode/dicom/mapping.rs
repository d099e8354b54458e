//! What a file says of its grey values, for the mapping that the protocol asks for.

use dicom_dictionary_std::tags;
use fedval_preprocess::{GreyMapping, Modality, StoredValues};
use fedval_study::protocol::ModelInput;

use super::data_set::DataSet;
use super::description::{Description, Photometric};
use super::frame_group::FrameGroup;
use super::{table, voi};
use crate::decode::fault::ImageFault;

/// The value mapping of the frame at `index`, from 0.
pub(super) fn read(
    data_set: &DataSet<'_>,
    description: &Description,
    index: u32,
    input: &ModelInput,
) -> Result<GreyMapping, ImageFault> {
    let (least, greatest) = description.sample.range();
    let is_white_low = description.photometric == Photometric::Monochrome1;
    GreyMapping::new(
        StoredValues { least, greatest, is_white_low },
        input,
        || modality(data_set, description, index),
        |is_signed| voi::read(data_set, description, index, is_signed),
    )
}

/// Stored value to what the device measured (PS3.3 C.11.1, and of frames C.7.6.16.2.9). A table takes the place of
/// slope and intercept; beside those of single frames it contradicts them. What a mapping to real-world values says
/// (C.7.6.16.2.11) is another quantity, and left alone.
fn modality(
    data_set: &DataSet<'_>,
    description: &Description,
    index: u32,
) -> Result<Modality, ImageFault> {
    let group = tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE;
    let group = FrameGroup::of(data_set, description, group, index)?;
    let within = tags::MODALITY_LUT_SEQUENCE;
    if data_set.has_item(within) {
        if group.is_apart() {
            return Err(ImageFault::ValueMapping);
        }
        let is_signed = description.sample.is_signed();
        let (descriptor, data) = (tags::LUT_DESCRIPTOR, tags::LUT_DATA);
        let table = table::read(data_set, Some(within), descriptor, data, is_signed)?;
        return Ok(Modality::Table(table));
    }
    Ok(Modality::Linear {
        slope: group.decimal(tags::RESCALE_SLOPE, Some(1.0))?,
        intercept: group.decimal(tags::RESCALE_INTERCEPT, Some(0.0))?,
    })
}
