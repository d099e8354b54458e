//! Where the pixels of a single frame lie in the patient (PS3.3, C.7.6.2).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::data_set::DataSet;
use crate::decode::image_frame::{FrameOfReference, FramePlace};

/// By position, orientation and spacing at the root of the file; `None` where one is missing or cannot be read, as in
/// radiographs and in enhanced images.
pub(super) fn read(data_set: &DataSet<'_>) -> Option<FramePlace> {
    let position = numbers(data_set, tags::IMAGE_POSITION_PATIENT)?;
    let orientation: [f64; 6] = numbers(data_set, tags::IMAGE_ORIENTATION_PATIENT)?;
    let direction = |from: usize| [0, 1, 2].map(|part| orientation[from + part]);
    let [between_rows, between_columns] = numbers(data_set, tags::PIXEL_SPACING)?;
    // DICOM counts to the left and to the back.
    let turned = |[left, back, head]: [f64; 3], by: f64| [-left * by, -back * by, head * by];
    Some(FramePlace {
        origin: turned(position, 1.0),
        row_step: turned(direction(3), between_rows),
        column_step: turned(direction(0), between_columns),
        frame_of_reference: data_set.text(tags::FRAME_OF_REFERENCE_UID).map(FrameOfReference::of),
    })
}

/// Exactly so many decimal numbers.
fn numbers<const N: usize>(data_set: &DataSet<'_>, tag: Tag) -> Option<[f64; N]> {
    let text = data_set.whole_text(tag)?;
    let number = |part: &str| part.trim_matches([' ', '\0']).parse::<f64>().ok();
    let numbers: Option<Vec<f64>> = text.split('\\').map(number).collect();
    numbers?.try_into().ok()
}
