//! DICOM Part 10 files: one frame of a grey or coloured image, or the frames of a volume.
//!
//! [`Part10`] finds the data set, [`DataSet`] the elements, [`Description`] what the pixels are, all
//! without believing a length that the file cannot hold. Only then is a frame decoded.

mod codec;
mod colour;
mod data_set;
mod description;
mod frame;
mod frame_group;
mod inflate;
mod mapping;
mod native;
mod nested;
mod palette;
mod part10;
mod place;
mod report;
mod samples;
mod segment_bits;
mod segmentation;
mod segments;
mod stored;
mod structure_set;
mod table;
mod voi;
mod volume;
mod whole;

use std::collections::BTreeMap;

use dicom_core::dictionary::DataDictionary as _;
use dicom_dictionary_std::{StandardDataDictionary, uids};
use fedval_preprocess::{
    GreyMapping, Raster, accept, chosen_frame, coloured_planes, mapped, scale, standardised,
};
use fedval_study::protocol::{ModelInput, Structure};

use super::attributes::{admissible, is_allowed};
use super::fault::ImageFault;
use super::image_frame::FramePlace;
use super::mask::Drawing;
use data_set::DataSet;
use description::{Description, Photometric, SampleForm};
use palette::Palette;
use part10::Part10;
use samples::Samples;
use stored::Pixels;

pub(crate) use part10::reads_syntax;
pub(super) use report::read as read_report;
pub use stored::{StoredFrame, stored_frame};
pub(super) use volume::{SliceHeader, read_volume, slice, slice_header};

/// An image, its attributes, and where it lies in the patient.
type Placed = (Raster, BTreeMap<String, String>, Option<FramePlace>);

/// Reads the image of a file that starts with a preamble and `DICM`.
pub(super) fn read(
    bytes: &[u8],
    input: &ModelInput,
    asked: &[String],
) -> Result<Placed, ImageFault> {
    let file = Part10::read(bytes)?;
    let data_set = DataSet::read(&file.data_set, file.form)?;
    let description = Description::read(&data_set)?;
    accept(description.size, input)?;
    let index = chosen_frame(description.frames, input.frame)?;
    let planes = match description.photometric {
        Photometric::Monochrome1 | Photometric::Monochrome2 => {
            let mapping = mapping::read(&data_set, &description, index, input)?;
            let pixels = stored::pixels(&data_set, &description, file.coding, index)?;
            pixels.grey_planes(&mapping, input, description.sample)?
        }
        Photometric::Palette => {
            let palette = Palette::read(&data_set, description.sample)?;
            let pixels = stored::pixels(&data_set, &description, file.coding, index)?;
            pixels.palette_planes(&palette, input, description.sample)?
        }
        _ => {
            let pixels = stored::pixels(&data_set, &description, file.coding, index)?;
            pixels.colour_planes(input, description.sample.stored())?
        }
    };
    let raster = Raster::new(description.size, planes)?;
    let place = (description.frames == 1).then(|| place::read(&data_set)).flatten();
    Ok((raster, attributes(&data_set, asked), place))
}

/// Reads a mask: the voxels of segments, or the contours of a structure set.
pub(super) fn read_mask(bytes: &[u8], structure: &Structure) -> Result<Drawing, ImageFault> {
    let file = Part10::read(bytes)?;
    if file.sop_class == uids::RT_STRUCTURE_SET_STORAGE {
        structure_set::read(&file, structure).map(Drawing::Contours)
    } else {
        segmentation::read(&file, structure).map(Drawing::Voxels)
    }
}

impl Pixels {
    fn grey_planes(
        self,
        mapping: &GreyMapping,
        input: &ModelInput,
        form: SampleForm,
    ) -> Result<Vec<Vec<f32>>, ImageFault> {
        let Self::Single(samples) = self else { return Err(ImageFault::Photometric) };
        let number = |bits: u32| standardised(mapping.apply(form.value(bits)), input);
        Ok(vec![match samples {
            Samples::Narrow(samples) => {
                let values = usize::try_from(form.values()).unwrap_or(usize::MAX);
                mapped(&samples, values, |bits| number(bits.into()))
            }
            Samples::Wide(samples) => samples.into_iter().map(number).collect(),
        }])
    }

    fn palette_planes(
        self,
        palette: &Palette,
        input: &ModelInput,
        form: SampleForm,
    ) -> Result<Vec<Vec<f32>>, ImageFault> {
        let Self::Single(samples) = self else { return Err(ImageFault::Photometric) };
        numbers(palette.colours(&samples, form), palette.bits(), input)
    }

    fn colour_planes(self, input: &ModelInput, bits: u32) -> Result<Vec<Vec<f32>>, ImageFault> {
        match self {
            Self::Colour([Samples::Narrow(r), Samples::Narrow(g), Samples::Narrow(b)]) => {
                numbers([r, g, b], bits, input)
            }
            _ => Err(ImageFault::BitDepth),
        }
    }
}

/// Colours have no window and no rescale: their samples are numbers as those of other files are.
fn numbers(
    planes: [Vec<u16>; 3],
    bits: u32,
    input: &ModelInput,
) -> Result<Vec<Vec<f32>>, ImageFault> {
    let largest = u16::MAX >> (u16::BITS - bits);
    let number = scale(largest, input.scaling);
    let number = |value| standardised(number(value), input);
    let planes = coloured_planes(planes, input.channels)?;
    Ok(planes.iter().map(|plane| mapped(plane, usize::from(largest) + 1, number)).collect())
}

fn attributes(data_set: &DataSet<'_>, asked: &[String]) -> BTreeMap<String, String> {
    asked
        .iter()
        .filter(|keyword| is_allowed(keyword))
        .filter_map(|keyword| {
            let tag = StandardDataDictionary.by_name(keyword)?.tag.inner();
            Some((keyword.clone(), admissible(data_set.whole_text(tag)?)?))
        })
        .collect()
}
