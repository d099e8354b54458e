//! DICOM RT Structure Set: contours in millimetres of the patient, and no voxels (PS3.3 C.8.8.5, C.8.8.6).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec as _};
use fedval_study::protocol::Structure;

use super::nested::Item;
use super::part10::Part10;
use crate::decode::fault::ImageFault;
use crate::decode::image_frame::FrameOfReference;
use crate::decode::mask::{Contour, Contours};

/// What is read of a structure set.
const WANTED: [Tag; 12] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::STRUCTURE_SET_ROI_SEQUENCE,
    tags::ROI_NUMBER,
    tags::REFERENCED_FRAME_OF_REFERENCE_UID,
    tags::ROI_NAME,
    tags::ROI_CONTOUR_SEQUENCE,
    tags::REFERENCED_ROI_NUMBER,
    tags::CONTOUR_SEQUENCE,
    tags::CONTOUR_GEOMETRIC_TYPE,
    CONTOUR_OFFSET_VECTOR,
    tags::NUMBER_OF_CONTOUR_POINTS,
    tags::CONTOUR_DATA,
];

/// Retired, and still to be met in files.
const CONTOUR_OFFSET_VECTOR: Tag = Tag(0x3006, 0x0045);

/// Most corners of the structure, over all its contours.
const MAX_CORNERS: usize = 1 << 22;

/// Reads the contours of each ROI that the protocol names. A name that none has is not an empty structure: under another
/// name it would be counted as missed.
pub(super) fn read(file: &Part10<'_>, structure: &Structure) -> Result<Contours, ImageFault> {
    let set = Item::read(file, &WANTED)?;
    let Named { numbers, frame_of_reference } = named(&set, structure)?;
    let mut rois = vec![Vec::new(); numbers.len()];
    let mut corners_left = MAX_CORNERS;
    for roi in set.items(tags::ROI_CONTOUR_SEQUENCE) {
        let number = number(roi, tags::REFERENCED_ROI_NUMBER)?;
        let Some(place) = numbers.iter().position(|of| *of == number) else { continue };
        for item in roi.items(tags::CONTOUR_SEQUENCE) {
            rois[place].push(contour(item, &mut corners_left)?);
        }
    }
    Ok(Contours { regions: rois, frame_of_reference })
}

/// The ROIs with the protocol's names.
struct Named {
    numbers: Vec<i32>,
    /// In which they lie, where the file says it.
    frame_of_reference: Option<FrameOfReference>,
}

/// Finds the ROIs with the protocol's names. Two of one name cannot be told apart, and two of different frames of
/// reference are no one structure.
fn named(set: &Item<'_>, structure: &Structure) -> Result<Named, ImageFault> {
    let code = set.text(tags::SPECIFIC_CHARACTER_SET).and_then(|codes| codes.split('\\').next());
    let text = code.and_then(|code| SpecificCharacterSet::from_code(code.trim()));
    let text = text.unwrap_or_default();
    let mut found: Vec<(String, i32)> = Vec::new();
    let mut frame_of_reference = None;
    for item in set.items(tags::STRUCTURE_SET_ROI_SEQUENCE) {
        let name = item.bytes(tags::ROI_NAME).and_then(|name| text.decode(name).ok());
        let name = name.unwrap_or_default().trim_matches([' ', '\0']).to_owned();
        if !structure.rois.contains(&name) {
            continue;
        }
        let number = number(item, tags::ROI_NUMBER)?;
        if found.iter().any(|(of, seen)| *of == name || *seen == number) {
            return Err(ImageFault::MaskRoi);
        }
        found.push((name, number));
        if let Some(uid) = item.text(tags::REFERENCED_FRAME_OF_REFERENCE_UID) {
            let own = FrameOfReference::of(uid);
            if *frame_of_reference.get_or_insert(own) != own {
                return Err(ImageFault::MaskGrid);
            }
        }
    }
    if found.is_empty() {
        return Err(ImageFault::MaskRoi);
    }
    let numbers = found.into_iter().map(|(_, number)| number).collect();
    Ok(Named { numbers, frame_of_reference })
}

fn number(item: &Item<'_>, tag: Tag) -> Result<i32, ImageFault> {
    let text = item.text(tag).ok_or(ImageFault::DescriptionMissing)?;
    text.parse().map_err(|_| ImageFault::Corrupt)
}

fn contour(item: &Item<'_>, corners_left: &mut usize) -> Result<Contour, ImageFault> {
    let is_exclusive = match item.text(tags::CONTOUR_GEOMETRIC_TYPE) {
        Some("CLOSED_PLANAR") => false,
        Some("CLOSEDPLANAR_XOR") => true,
        // Points and open lines have no inside.
        _ => return Err(ImageFault::MaskContour),
    };
    // Corners that stand elsewhere than they say.
    if item.decimals(CONTOUR_OFFSET_VECTOR)?.iter().any(|mm| mm.abs() > 0.0) {
        return Err(ImageFault::MaskContour);
    }
    let count = item.count(tags::CONTOUR_DATA);
    *corners_left = corners_left.checked_sub(count.div_ceil(3)).ok_or(ImageFault::Size)?;
    let numbers = item.decimals(tags::CONTOUR_DATA)?;
    let (corners, rest) = numbers.as_chunks::<3>();
    let announced = item.text(tags::NUMBER_OF_CONTOUR_POINTS).and_then(|text| text.parse().ok());
    if corners.is_empty() || !rest.is_empty() || announced != Some(corners.len()) {
        return Err(ImageFault::Corrupt);
    }
    // To the right and to the front, as the other formats count.
    let corners = corners.iter().map(|[left, back, head]| [-left, -back, *head]).collect();
    Ok(Contour { corners, is_exclusive })
}
