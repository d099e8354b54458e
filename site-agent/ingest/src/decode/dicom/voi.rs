//! What a file asks a viewer to show: values of interest (PS3.3 C.11.2).

use dicom_dictionary_std::tags;
use fedval_preprocess::Voi;

use super::data_set::DataSet;
use super::description::Description;
use super::frame_group::FrameGroup;
use super::table;
use crate::decode::fault::ImageFault;

/// The first window or table of a file for the frame at `index`, from 0 (of frames PS3.3 C.7.6.16.2.10).
///
/// A window goes before a table, as viewers do it; a file without either is refused, because
/// what they show then differs.
pub(super) fn read(
    data_set: &DataSet<'_>,
    description: &Description,
    index: u32,
    is_signed: bool,
) -> Result<Voi, ImageFault> {
    let group = FrameGroup::of(data_set, description, tags::FRAME_VOILUT_SEQUENCE, index)?;
    let within = tags::VOILUT_SEQUENCE;
    if !group.is_apart() && !data_set.has(tags::WINDOW_CENTER) && data_set.has_item(within) {
        let (descriptor, data) = (tags::LUT_DESCRIPTOR, tags::LUT_DATA);
        return table::read(data_set, Some(within), descriptor, data, is_signed).map(Voi::Table);
    }
    let centre = group.decimal(tags::WINDOW_CENTER, None)?;
    let width = group.decimal(tags::WINDOW_WIDTH, None)?;
    let function = group.text(tags::VOILUT_FUNCTION).unwrap_or("LINEAR");
    Voi::window(centre, width, function).ok_or(ImageFault::ValueMapping)
}
