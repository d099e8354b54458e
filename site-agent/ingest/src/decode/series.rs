//! The files of a series to one volume, in the box: each is looked at twice and none is kept.

use std::collections::BTreeMap;

use fedval_preprocess::volume::{MOST_SLICES, VolumeBuilder, stacked, stored_input};
use fedval_study::protocol::ModelInput;

use super::DecodedImage;
use super::dicom::{SliceHeader, slice, slice_header};
use super::fault::ImageFault;
use super::image_frame::ImageFrame;

/// A series that is being read.
///
/// First every file is looked at, in any order, for where it lies; then each is taken in the order that follows. In memory
/// are one file, a few numbers of each, and what [`VolumeBuilder`] holds.
pub(super) struct SeriesReader {
    input: ModelInput,
    asked: Vec<String>,
    /// The UID of the series that all files are to be of, where it is known.
    series: Option<String>,
    headers: Vec<SliceHeader>,
    taking: Option<Taking>,
}

/// The second round.
struct Taking {
    stored: ModelInput,
    frame: ImageFrame,
    builder: VolumeBuilder,
    /// Of the first slice.
    attributes: Option<BTreeMap<String, String>>,
}

impl SeriesReader {
    pub(super) const fn new(input: ModelInput, asked: Vec<String>, series: Option<String>) -> Self {
        Self { input, asked, series, headers: Vec::new(), taking: None }
    }

    /// Looks at a file.
    pub(super) fn look(&mut self, file: &[u8]) -> Result<(), ImageFault> {
        if self.headers.len() == MOST_SLICES {
            return Err(ImageFault::SeriesTooLarge);
        }
        if file.get(128..132) != Some(b"DICM") {
            return Err(ImageFault::FormatUnknown);
        }
        let header = slice_header(file)?;
        if self.series.as_deref().is_some_and(|series| !header.is_of(series)) {
            return Err(ImageFault::SeriesMixed);
        }
        if self.headers.first().is_some_and(|first| !first.is_beside(&header)) {
            return Err(ImageFault::SeriesMixed);
        }
        self.headers.push(header);
        Ok(())
    }

    /// The order in which files are taken: their places, from 0, as they were looked at.
    pub(super) fn order(&mut self) -> Result<Vec<usize>, ImageFault> {
        let slices: Vec<_> = self.headers.iter().map(|header| header.geometry).collect();
        let stack = stacked(&slices, self.input.gantry_tilt())?;
        let builder = VolumeBuilder::of_stack(&stack, &self.input)?;
        let stored = stored_input(&self.input);
        let frame_of_reference = self.headers.first().map(SliceHeader::frame_of_reference);
        let frame = ImageFrame::of_volume(&stack.grid, stack.origin, frame_of_reference);
        self.taking = Some(Taking { stored, frame, builder, attributes: None });
        Ok(stack.order)
    }

    /// Takes the next file in this order, which is the one that was looked at: whoever reads them sees to that.
    pub(super) fn take(&mut self, file: &[u8]) -> Result<(), ImageFault> {
        let taking = self.taking.as_mut().ok_or(ImageFault::Corrupt)?;
        let (values, attributes) = slice(file, &taking.stored, &self.asked)?;
        taking.builder.take(&values)?;
        taking.attributes.get_or_insert(attributes);
        Ok(())
    }

    /// The volume, once every file was taken.
    pub(super) fn finish(self) -> Result<DecodedImage, ImageFault> {
        let taking = self.taking.ok_or(ImageFault::Corrupt)?;
        let attributes = taking.attributes.unwrap_or_default();
        Ok(DecodedImage { tensor: taking.builder.finish()?, attributes, frame: taking.frame })
    }
}

/// Decodes the files of a series in this process. Like [`decode_image`](super::decode_image) only for bytes that are trusted,
/// and inside a box.
///
/// # Errors
///
/// [`ImageFault`], which says nothing about the files' content.
pub fn decode_series(
    input: &ModelInput,
    dicom_attributes: &[String],
    files: &[Vec<u8>],
) -> Result<DecodedImage, ImageFault> {
    let mut series = SeriesReader::new(input.clone(), dicom_attributes.to_vec(), None);
    files.iter().try_for_each(|file| series.look(file))?;
    for place in series.order()? {
        series.take(&files[place])?;
    }
    series.finish()
}
