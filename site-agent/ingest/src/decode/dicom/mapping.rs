//! What a file says of its grey values, for the mapping that the protocol asks for.

use dicom_dictionary_std::tags;
use fedval_preprocess::{GreyMapping, Modality, StoredValues};
use fedval_study::protocol::ModelInput;

use super::data_set::DataSet;
use super::description::{Description, Photometric};
use super::{table, voi};
use crate::decode::fault::ImageFault;

/// The value mapping of one file.
pub(super) fn read(
    data_set: &DataSet<'_>,
    description: &Description,
    input: &ModelInput,
) -> Result<GreyMapping, ImageFault> {
    let (least, greatest) = description.sample.range();
    let is_white_low = description.photometric == Photometric::Monochrome1;
    GreyMapping::new(
        StoredValues { least, greatest, is_white_low },
        input,
        || modality(data_set, description.sample.is_signed()),
        |is_signed| voi::read(data_set, is_signed),
    )
}

/// Stored value to what the device measured (PS3.3 C.11.1). A table takes the place of slope and intercept.
fn modality(data_set: &DataSet<'_>, is_signed: bool) -> Result<Modality, ImageFault> {
    if data_set.frames_are_mapped_apart() {
        return Err(ImageFault::ValueMapping);
    }
    let within = tags::MODALITY_LUT_SEQUENCE;
    if data_set.has_item(within) {
        let (descriptor, data) = (tags::LUT_DESCRIPTOR, tags::LUT_DATA);
        let table = table::read(data_set, Some(within), descriptor, data, is_signed)?;
        return Ok(Modality::Table(table));
    }
    Ok(Modality::Linear {
        slope: data_set.decimal(tags::RESCALE_SLOPE, 1.0)?,
        intercept: data_set.decimal(tags::RESCALE_INTERCEPT, 0.0)?,
    })
}
