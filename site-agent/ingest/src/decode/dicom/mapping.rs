//! Stored grey value to the number that the protocol asks for.

use dicom_dictionary_std::tags;
use fedval_study::protocol::{ModelInput, Monochrome1, ValueScaling};

use super::data_set::DataSet;
use super::description::{Description, Photometric};
use super::table::Table;
use super::voi::Voi;
use crate::decode::fault::ImageFault;
use crate::decode::image::windowed;
use crate::decode::tensor::narrowed;

/// Stored value to what the device measured (PS3.3 C.11.1).
#[derive(Debug, Clone, PartialEq)]
enum Modality {
    Linear { slope: f64, intercept: f64 },
    Table(Table),
}

impl Modality {
    /// A table takes the place of slope and intercept.
    fn read(data_set: &DataSet<'_>, is_signed: bool) -> Result<Self, ImageFault> {
        if data_set.frames_are_mapped_apart() {
            return Err(ImageFault::ValueMapping);
        }
        let within = tags::MODALITY_LUT_SEQUENCE;
        if data_set.has_item(within) {
            let (descriptor, data) = (tags::LUT_DESCRIPTOR, tags::LUT_DATA);
            let table = Table::read(data_set, Some(within), descriptor, data, is_signed)?;
            return Ok(Self::Table(table));
        }
        Ok(Self::Linear {
            slope: data_set.decimal(tags::RESCALE_SLOPE, 1.0)?,
            intercept: data_set.decimal(tags::RESCALE_INTERCEPT, 0.0)?,
        })
    }

    fn apply(&self, stored: i64) -> f64 {
        match self {
            Self::Linear { slope, intercept } => wide(stored) * slope + intercept,
            Self::Table(table) => table.entry(stored).into(),
        }
    }

    /// Whether what comes out may be below zero.
    fn is_signed(&self, stored_is_signed: bool) -> bool {
        match self {
            Self::Linear { intercept, slope } => {
                stored_is_signed || *intercept < 0.0 || *slope < 0.0
            }
            Self::Table(_) => false,
        }
    }
}

/// What is done to a stored value, by the protocol's choice.
#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Unit,
    Modality(Modality),
    Window { modality: Modality, low: f64, high: f64 },
    Voi { modality: Modality, voi: Voi },
}

/// The value mapping of one file.
///
/// Where white is low and the protocol inverts: under `Unit` and `Modality` the stored value is
/// mirrored in the range of storable values, under `Window` and `Voi` the mapped value in 0…1.
/// Under `Unit` that is max − v, so a MONOCHROME1 file gives the same numbers as its MONOCHROME2
/// twin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapping {
    rule: Rule,
    is_inverted: bool,
    /// Smallest and largest storable value.
    range: (i64, i64),
}

impl Mapping {
    pub(super) fn new(
        data_set: &DataSet<'_>,
        description: &Description,
        input: &ModelInput,
    ) -> Result<Self, ImageFault> {
        let is_inverted = description.photometric == Photometric::Monochrome1;
        if is_inverted && input.monochrome1 == Monochrome1::Refuse {
            return Err(ImageFault::Monochrome1);
        }
        let is_signed = description.sample.is_signed();
        let modality = || Modality::read(data_set, is_signed);
        let rule = match input.scaling {
            ValueScaling::Unit if is_signed => return Err(ImageFault::Signed),
            ValueScaling::Unit => Rule::Unit,
            ValueScaling::Modality => Rule::Modality(modality()?),
            ValueScaling::Window { low, high } => Rule::Window { modality: modality()?, low, high },
            ValueScaling::Voi => {
                let modality = modality()?;
                let voi = Voi::read(data_set, modality.is_signed(is_signed))?;
                Rule::Voi { modality, voi }
            }
        };
        Ok(Self { rule, is_inverted, range: description.sample.range() })
    }

    pub(super) fn apply(&self, stored: i64) -> f32 {
        let (smallest, largest) = self.range;
        let mirrored = if self.is_inverted { smallest + largest - stored } else { stored };
        let shown = |value: f64| narrowed(if self.is_inverted { 1.0 - value } else { value });
        match &self.rule {
            Rule::Unit => exact(mirrored) / exact(largest),
            Rule::Modality(modality) => narrowed(modality.apply(mirrored)),
            Rule::Window { modality, low, high } => {
                shown(windowed(modality.apply(stored), *low, *high))
            }
            Rule::Voi { modality, voi } => shown(voi.apply(modality.apply(stored))),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 32 bits are stored")]
const fn wide(stored: i64) -> f64 {
    stored as f64
}

#[expect(clippy::cast_precision_loss, reason = "models compute in this precision")]
const fn exact(stored: i64) -> f32 {
    stored as f32
}
