//! One image as a DICOM Part 10 file, explicit VR little endian.

use std::path::Path;

use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::population::Patient;
use super::scanner::{Detector, Photometric, Scanner};
use crate::radiograph::SIDE;
use crate::random::Random;

/// Ethnic Group, which DICOM has replaced by a repeatable attribute: hospitals' archives hold this
/// one, and so does the dictionary of subgroups.
const ETHNIC_GROUP: Tag = Tag(0x0010, 0x2160);

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DicomFileError {
    /// The header cannot be built.
    #[error("the DICOM file header cannot be built")]
    Header(#[source] Box<dicom_object::WithMetaError>),
    /// The file system refused.
    #[error("the DICOM file cannot be written")]
    Write(#[source] Box<dicom_object::WriteError>),
}

/// Everything a file says about an image.
pub(super) struct DicomFile<'a> {
    pub(super) patient: &'a Patient,
    /// Patient's Name and Patient ID: both carry the canary.
    pub(super) patient_name: &'a str,
    pub(super) patient_id: &'a str,
    pub(super) scanner: &'a Scanner,
    /// Stored values, row by row.
    pub(super) pixels: &'a [u16],
}

impl DicomFile<'_> {
    /// Writes the file; `random` makes its identifiers.
    pub(super) fn write(&self, path: &Path, random: &mut Random) -> Result<(), DicomFileError> {
        let (sop_class, modality) = match self.scanner.detector {
            Detector::DigitalRadiography => {
                (uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION, "DX")
            }
            Detector::ComputedRadiography => (uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE, "CR"),
        };
        let instance = uid(random);
        let mut object = InMemDicomObject::new_empty();
        let mut text = |tag: Tag, vr: VR, value: &str| {
            object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
        };
        text(tags::SOP_CLASS_UID, VR::UI, sop_class);
        text(tags::SOP_INSTANCE_UID, VR::UI, &instance);
        text(tags::STUDY_INSTANCE_UID, VR::UI, &uid(random));
        text(tags::SERIES_INSTANCE_UID, VR::UI, &uid(random));
        text(tags::MODALITY, VR::CS, modality);
        text(tags::MANUFACTURER, VR::LO, self.scanner.manufacturer);
        text(tags::MANUFACTURER_MODEL_NAME, VR::LO, self.scanner.model);
        text(tags::PATIENT_NAME, VR::PN, self.patient_name);
        text(tags::PATIENT_ID, VR::LO, self.patient_id);
        text(tags::PATIENT_SEX, VR::CS, self.patient.sex.as_str());
        text(tags::PATIENT_AGE, VR::AS, &format!("{:03}Y", self.patient.age_years));
        text(ETHNIC_GROUP, VR::SH, self.patient.ethnic_group);
        text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST");
        text(tags::VIEW_POSITION, VR::CS, "PA");
        self.put_image(&mut object);
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .media_storage_sop_class_uid(sop_class)
            .media_storage_sop_instance_uid(&instance);
        object
            .with_meta(meta)
            .map_err(|error| DicomFileError::Header(Box::new(error)))?
            .write_to_file(path)
            .map_err(|error| DicomFileError::Write(Box::new(error)))
    }

    /// Image Pixel module (PS3.3, C.7.6.3).
    fn put_image(&self, object: &mut InMemDicomObject) {
        let stored = u16::try_from(self.scanner.bits_stored).expect("bits stored is at most 16");
        let allocated: u16 = if stored <= 8 { 8 } else { 16 };
        let side = u16::try_from(SIDE).expect("the side is 96");
        let photometric = match self.scanner.photometric {
            Photometric::LargeIsDark => "MONOCHROME1",
            Photometric::LargeIsBright => "MONOCHROME2",
        };
        let mut number = |tag: Tag, value: u16| {
            object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
        };
        number(tags::SAMPLES_PER_PIXEL, 1);
        number(tags::ROWS, side);
        number(tags::COLUMNS, side);
        number(tags::BITS_ALLOCATED, allocated);
        number(tags::BITS_STORED, stored);
        number(tags::HIGH_BIT, stored - 1);
        number(tags::PIXEL_REPRESENTATION, 0);
        let interpretation = PrimitiveValue::from(photometric);
        object.put(DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, interpretation));
        object.put(self.pixel_data(allocated));
    }

    fn pixel_data(&self, allocated: u16) -> DataElement<InMemDicomObject> {
        let (vr, pixels) = if allocated == 8 {
            // Eight bits are stored, so the upper byte is zero.
            let bytes: Vec<u8> = self.pixels.iter().map(|value| value.to_le_bytes()[0]).collect();
            (VR::OB, PrimitiveValue::U8(bytes.into()))
        } else {
            (VR::OW, PrimitiveValue::U16(self.pixels.to_vec().into()))
        };
        DataElement::new(tags::PIXEL_DATA, vr, pixels)
    }
}

/// A unique identifier under the root for UUIDs (PS3.5, B.2): any 128-bit number, in decimal.
fn uid(random: &mut Random) -> String {
    let number = (u128::from(random.bits()) << 64) | u128::from(random.bits());
    format!("2.25.{number}")
}
