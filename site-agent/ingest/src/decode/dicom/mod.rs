//! DICOM Part 10 files with one grey frame.

mod description;
mod mapping;
mod rle;

use std::borrow::Cow;
use std::collections::BTreeMap;

use dicom_core::dictionary::DataDictionary as _;
use dicom_core::value::Value;
use dicom_dictionary_std::{StandardDataDictionary, tags, uids};
use dicom_object::file::ReadPreamble;
use dicom_object::{DefaultDicomObject, FileMetaTable, OpenFileOptions};
use fedval_study::protocol::ModelInput;

use super::attributes::{admissible, is_allowed};
use super::fault::ImageFault;
use super::lookup::mapped;
use super::raster::Raster;
use super::tensor::{accept, standardised};
use description::Description;
use mapping::Mapping;

/// Transfer syntaxes with pixels as they are; DICOM's own compression is the only other one read.
const UNCOMPRESSED: [&str; 2] = [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN];

/// Where the preamble ends.
const PREAMBLE_BYTES: usize = 128;

/// Reads the image of a file that starts with a preamble and `DICM`.
pub(super) fn read(
    bytes: &[u8],
    input: &ModelInput,
    asked: &[String],
) -> Result<(Raster, BTreeMap<String, String>), ImageFault> {
    let is_rle = is_run_length_encoded(bytes)?;
    let object = OpenFileOptions::new()
        .read_preamble(ReadPreamble::Always)
        .from_reader(bytes)
        .map_err(|_| ImageFault::Corrupt)?;
    let description = Description::read(&object)?;
    accept(description.size, input)?;
    let mapping = Mapping::new(&object, &description, input)?;
    let pixels = pixels(&object, &description, is_rle)?;
    let number = |bits| standardised(mapping.apply(description.value(bits)), input);
    let plane = mapped(&description.stored_bits(&pixels), description.values(), number);
    let raster = Raster::new(description.size, vec![plane])?;
    Ok((raster, attributes(&object, asked)))
}

/// Refuses a transfer syntax that is not read before the data set is parsed by its rules.
fn is_run_length_encoded(bytes: &[u8]) -> Result<bool, ImageFault> {
    let after_preamble = bytes.get(PREAMBLE_BYTES..).ok_or(ImageFault::Corrupt)?;
    let meta = FileMetaTable::from_reader(after_preamble).map_err(|_| ImageFault::Corrupt)?;
    match meta.transfer_syntax().trim_end_matches(['\0', ' ']) {
        uids::RLE_LOSSLESS => Ok(true),
        syntax if UNCOMPRESSED.contains(&syntax) => Ok(false),
        _ => Err(ImageFault::TransferSyntax),
    }
}

/// The frame's bytes, exactly as many as the description demands.
fn pixels<'o>(
    object: &'o DefaultDicomObject,
    description: &Description,
    is_rle: bool,
) -> Result<Cow<'o, [u8]>, ImageFault> {
    let element = object.get(tags::PIXEL_DATA).ok_or(ImageFault::DescriptionMissing)?;
    let sample_bytes = description.sample_bytes();
    let expected = description.size.pixels() * sample_bytes;
    match element.value() {
        Value::PixelSequence(sequence) if is_rle => {
            let frame = sequence.fragments().concat();
            Ok(Cow::Owned(rle::decode(&frame, description.size.pixels(), sample_bytes)?))
        }
        Value::Primitive(value) if !is_rle => {
            let mut bytes = value.to_bytes();
            // Values have an even length: an odd frame has one byte of padding.
            if expected % 2 == 1 && bytes.len() == expected + 1 {
                bytes.to_mut().pop();
            }
            if bytes.len() == expected { Ok(bytes) } else { Err(ImageFault::PixelCount) }
        }
        _ => Err(ImageFault::Corrupt),
    }
}

fn attributes(object: &DefaultDicomObject, asked: &[String]) -> BTreeMap<String, String> {
    asked
        .iter()
        .filter(|keyword| is_allowed(keyword))
        .filter_map(|keyword| {
            let tag = StandardDataDictionary.by_name(keyword)?.tag.inner();
            let value = object.get(tag)?.to_str().ok()?;
            Some((keyword.clone(), admissible(&value)?))
        })
        .collect()
}
