//! Stored value to the number that the protocol asks for.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;
use fedval_study::protocol::{ModelInput, Monochrome1, ValueScaling};

use super::description::Description;
use crate::decode::fault::ImageFault;
use crate::decode::image::windowed;
use crate::decode::tensor::narrowed;

/// The value mapping of one file.
///
/// Where white is low and the protocol inverts: under `Unit` and `Modality` the stored value is
/// mirrored in the range of storable values, under `Window` the mapped value in 0…1. Under `Unit`
/// that is max − v, so a MONOCHROME1 file gives the same numbers as its MONOCHROME2 twin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapping {
    scaling: ValueScaling,
    is_inverted: bool,
    slope: f64,
    intercept: f64,
    /// Smallest and largest storable value.
    range: (i32, i32),
}

impl Mapping {
    pub(super) fn new(
        object: &DefaultDicomObject,
        description: &Description,
        input: &ModelInput,
    ) -> Result<Self, ImageFault> {
        if description.is_monochrome1 && input.monochrome1 == Monochrome1::Refuse {
            return Err(ImageFault::Monochrome1);
        }
        let (mut slope, mut intercept) = (1.0, 0.0);
        if input.scaling == ValueScaling::Unit {
            if description.is_signed {
                return Err(ImageFault::Signed);
            }
        } else {
            // A table takes the place of slope and intercept; guessing here would be silent.
            if object.get(tags::MODALITY_LUT_SEQUENCE).is_some() {
                return Err(ImageFault::ValueMapping);
            }
            slope = decimal(object, tags::RESCALE_SLOPE, 1.0)?;
            intercept = decimal(object, tags::RESCALE_INTERCEPT, 0.0)?;
        }
        Ok(Self {
            scaling: input.scaling,
            is_inverted: description.is_monochrome1,
            slope,
            intercept,
            range: description.range(),
        })
    }

    pub(super) fn apply(&self, stored: i32) -> f32 {
        let (smallest, largest) = self.range;
        let mirrored = if self.is_inverted { smallest + largest - stored } else { stored };
        let modality = |value: i32| f64::from(value) * self.slope + self.intercept;
        match self.scaling {
            ValueScaling::Unit => exact(mirrored) / exact(largest),
            ValueScaling::Modality => narrowed(modality(mirrored)),
            ValueScaling::Window { low, high } => {
                let value = windowed(modality(stored), low, high);
                narrowed(if self.is_inverted { 1.0 - value } else { value })
            }
        }
    }
}

/// A decimal attribute; `absent` where the file has none.
fn decimal(object: &DefaultDicomObject, tag: Tag, absent: f64) -> Result<f64, ImageFault> {
    let Some(element) = object.get(tag) else { return Ok(absent) };
    element.to_float64().ok().filter(|v| v.is_finite()).ok_or(ImageFault::ValueMapping)
}

#[expect(clippy::cast_precision_loss, reason = "at most 16 bits are stored")]
const fn exact(stored: i32) -> f32 {
    stored as f32
}
