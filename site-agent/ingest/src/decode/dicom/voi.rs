//! What a file asks a viewer to show: values of interest (PS3.3 C.11.2).

use dicom_dictionary_std::tags;
use fedval_preprocess::Voi;

use super::data_set::DataSet;
use super::table;
use crate::decode::fault::ImageFault;

/// The first window or table of a file.
///
/// A window goes before a table, as viewers do it; a file without either is refused, because
/// what they show then differs.
pub(super) fn read(data_set: &DataSet<'_>, is_signed: bool) -> Result<Voi, ImageFault> {
    let within = tags::VOILUT_SEQUENCE;
    if !data_set.has(tags::WINDOW_CENTER) && data_set.has_item(within) {
        let (descriptor, data) = (tags::LUT_DESCRIPTOR, tags::LUT_DATA);
        return table::read(data_set, Some(within), descriptor, data, is_signed).map(Voi::Table);
    }
    let centre = data_set.decimal(tags::WINDOW_CENTER, f64::NAN)?;
    let width = data_set.decimal(tags::WINDOW_WIDTH, f64::NAN)?;
    let function = data_set.text(tags::VOILUT_FUNCTION).unwrap_or("LINEAR");
    Voi::window(centre, width, function).ok_or(ImageFault::ValueMapping)
}
