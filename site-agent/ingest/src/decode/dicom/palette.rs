//! Places in a palette to red, green and blue (PS3.3 C.7.9).

use dicom_dictionary_std::tags;
use fedval_preprocess::LookupTable;

use super::data_set::DataSet;
use super::description::SampleForm;
use super::samples::Samples;
use super::{segments, table};
use crate::decode::fault::ImageFault;

/// The palette of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Palette([LookupTable; 3]);

impl Palette {
    pub(super) fn read(data_set: &DataSet<'_>, form: SampleForm) -> Result<Self, ImageFault> {
        let is_signed = form.is_signed();
        // Segments stand in the place of entries, and count for nothing beside them.
        let table = |descriptor, data, segmented| {
            if data_set.bytes(None, data).is_none() && data_set.bytes(None, segmented).is_some() {
                segments::read(data_set, descriptor, segmented, is_signed)
            } else {
                table::read(data_set, None, descriptor, data, is_signed)
            }
        };
        let tables = [
            table(
                tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            )?,
            table(
                tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            )?,
            table(
                tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            )?,
        ];
        let bits = tables[0].bits();
        let is_uniform = tables.iter().all(|table| table.bits() == bits);
        if is_uniform { Ok(Self(tables)) } else { Err(ImageFault::ValueMapping) }
    }

    /// Bits of a colour's samples.
    pub(super) const fn bits(&self) -> u32 {
        self.0[0].bits()
    }

    /// The colours that `places` stand for.
    pub(super) fn colours(&self, places: &Samples, form: SampleForm) -> [Vec<u16>; 3] {
        let plane =
            |table: &LookupTable| places.iter().map(|bits| table.entry(form.value(bits))).collect();
        [plane(&self.0[0]), plane(&self.0[1]), plane(&self.0[2])]
    }
}
