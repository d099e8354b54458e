//! Stored grey value to the number that the protocol asks for: rescale, window, polarity.

use fedval_study::protocol::{ModelInput, Monochrome1, ValueScaling};

use crate::Unfit;
use crate::value::{narrowed, windowed};

/// A table: values from `first` on, others by the nearest that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTable {
    first: i64,
    /// At least one.
    entries: Vec<u16>,
    bits: u32,
}

impl LookupTable {
    /// A table whose first entry stands for the value `first`; its entries have 8 to 16 `bits`. `None` of others, and
    /// of a table without entries.
    #[must_use]
    pub fn new(first: i64, entries: Vec<u16>, bits: u32) -> Option<Self> {
        let is_one = !entries.is_empty() && (8..=16).contains(&bits);
        is_one.then_some(Self { first, entries, bits })
    }

    /// The entry for a value.
    #[must_use]
    pub fn entry(&self, value: i64) -> u16 {
        let place = usize::try_from(value.saturating_sub(self.first)).unwrap_or(0);
        self.entries[place.min(self.entries.len() - 1)]
    }

    /// Bits of an entry, 8 to 16.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
    }
}

/// Stored value to what the device measured (DICOM PS3.3 C.11.1).
#[derive(Debug, Clone, PartialEq)]
pub enum Modality {
    /// A straight line.
    Linear {
        /// Of one stored step.
        slope: f64,
        /// Of the stored value 0.
        intercept: f64,
    },
    /// A table takes the place of slope and intercept.
    Table(LookupTable),
}

impl Modality {
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

/// What a file asks a viewer to show: values of interest (DICOM PS3.3 C.11.2), onto 0…1.
#[derive(Debug, Clone, PartialEq)]
pub enum Voi {
    /// From the first value to the second, straight.
    Linear {
        /// Black up to here.
        low: f64,
        /// White from here.
        high: f64,
    },
    /// An S about the centre.
    Sigmoid {
        /// The value of middle grey.
        centre: f64,
        /// How far black and white are apart.
        width: f64,
    },
    /// Entry by entry, against the largest entry that there can be.
    Table(LookupTable),
}

impl Voi {
    /// The window of a centre, a width and a named function. `None` for a width that the function does not take, a
    /// function that is not known, or what is no number.
    #[must_use]
    pub fn window(centre: f64, width: f64, function: &str) -> Option<Self> {
        match function {
            "LINEAR" if width > 1.0 && centre.is_finite() => {
                let (centre, half) = (centre - 0.5, (width - 1.0) / 2.0);
                Some(Self::Linear { low: centre - half, high: centre + half })
            }
            // A step: everything up to it is black.
            "LINEAR" if width >= 1.0 && centre.is_finite() => {
                Some(Self::Linear { low: centre - 0.5, high: (centre - 0.5).next_up() })
            }
            "LINEAR_EXACT" if width > 0.0 && centre.is_finite() => {
                Some(Self::Linear { low: centre - width / 2.0, high: centre + width / 2.0 })
            }
            "SIGMOID" if width > 0.0 && centre.is_finite() => Some(Self::Sigmoid { centre, width }),
            _ => None,
        }
    }

    fn apply(&self, value: f64) -> f64 {
        match self {
            Self::Linear { low, high } => windowed(value, *low, *high),
            Self::Sigmoid { centre, width } => {
                1.0 / (1.0 + (-4.0 * (value - centre) / width).exp())
            }
            Self::Table(table) => {
                let largest = f64::from((1_u32 << table.bits()) - 1);
                (f64::from(table.entry(nearest(value))) / largest).min(1.0)
            }
        }
    }
}

/// How the values of a grey image are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredValues {
    /// Smallest storable value; below 0 where values have a sign.
    pub least: i64,
    /// Largest storable value.
    pub greatest: i64,
    /// Whether white is low (MONOCHROME1).
    pub is_white_low: bool,
}

/// What is done to a stored value, by the protocol's choice.
#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Unit,
    Modality(Modality),
    Window { modality: Modality, low: f64, high: f64 },
    Voi { modality: Modality, voi: Voi },
}

/// The value mapping of one grey image.
///
/// Where white is low and the protocol inverts: under `Unit` and `Modality` the stored value is
/// mirrored in the range of storable values, under `Window` and `Voi` the mapped value in 0…1.
/// Under `Unit` that is max − v, so a MONOCHROME1 file gives the same numbers as its MONOCHROME2
/// twin.
#[derive(Debug, Clone, PartialEq)]
pub struct GreyMapping {
    rule: Rule,
    stored: StoredValues,
}

impl GreyMapping {
    /// The mapping that the protocol wants. `modality` and `voi` are asked only where it needs them; `voi` hears
    /// whether its input may be below zero.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where the protocol refuses such an image, or what the two say.
    pub fn new<E: From<Unfit>>(
        stored: StoredValues,
        input: &ModelInput,
        modality: impl FnOnce() -> Result<Modality, E>,
        voi: impl FnOnce(bool) -> Result<Voi, E>,
    ) -> Result<Self, E> {
        if stored.is_white_low && input.monochrome1 == Monochrome1::Refuse {
            return Err(Unfit::Monochrome1.into());
        }
        let is_signed = stored.least < 0;
        let rule = match input.scaling {
            ValueScaling::Unit if is_signed => return Err(Unfit::Signed.into()),
            ValueScaling::Unit => Rule::Unit,
            ValueScaling::Modality => Rule::Modality(modality()?),
            ValueScaling::Window { low, high } => Rule::Window { modality: modality()?, low, high },
            ValueScaling::Voi => {
                let modality = modality()?;
                let voi = voi(modality.is_signed(is_signed))?;
                Rule::Voi { modality, voi }
            }
        };
        Ok(Self { rule, stored })
    }

    /// The number of a stored value, before mean and standard deviation.
    #[must_use]
    pub fn apply(&self, stored: i64) -> f32 {
        let StoredValues { least, greatest, is_white_low } = self.stored;
        let mirrored = if is_white_low { least + greatest - stored } else { stored };
        let shown = |value: f64| narrowed(if is_white_low { 1.0 - value } else { value });
        match &self.rule {
            Rule::Unit => exact(mirrored) / exact(greatest),
            Rule::Modality(modality) => narrowed(modality.apply(mirrored)),
            Rule::Window { modality, low, high } => {
                shown(windowed(modality.apply(stored), *low, *high))
            }
            Rule::Voi { modality, voi } => shown(voi.apply(modality.apply(stored))),
        }
    }
}

/// Tables are entered with whole numbers.
#[expect(clippy::cast_possible_truncation, reason = "a table's places have 16 bits")]
fn nearest(value: f64) -> i64 {
    value.round().clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i64
}

#[expect(clippy::cast_precision_loss, reason = "at most 32 bits are stored")]
const fn wide(stored: i64) -> f64 {
    stored as f64
}

#[expect(clippy::cast_precision_loss, reason = "models compute in this precision")]
const fn exact(stored: i64) -> f32 {
    stored as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_shown(function: &str, expected: &[(f64, f64)]) {
        let voi = Voi::window(2048.0, 4096.0, function).unwrap();
        for (value, shown) in expected {
            assert!((voi.apply(*value) - shown).abs() < 1e-12, "{function} {value}");
        }
    }

    #[test]
    fn windows_are_those_of_the_standard() {
        // C.11.2.1.2.1: centre 2048, width 4096 is the whole of 12 bits.
        assert_shown("LINEAR", &[(0.0, 0.0), (4095.0, 1.0), (2047.5, 0.5), (-9.0, 0.0)]);
        assert_shown("LINEAR_EXACT", &[(0.0, 0.0), (4096.0, 1.0), (2048.0, 0.5), (9e9, 1.0)]);
        let tail = 1.0 / (1.0 + 1.0_f64.exp());
        assert_shown("SIGMOID", &[(2048.0, 0.5), (1024.0, tail), (3072.0, 1.0 - tail)]);
    }

    #[test]
    fn the_narrowest_window_is_a_step_and_others_are_refused() {
        let step = Voi::window(100.5, 1.0, "LINEAR").unwrap();
        assert_eq!([99.0, 100.0, 101.0].map(|value| step.apply(value) > 0.5), [false, false, true]);
        assert_eq!(Voi::window(0.0, 0.5, "LINEAR"), None);
        assert_eq!(Voi::window(0.0, 0.0, "LINEAR_EXACT"), None);
        assert_eq!(Voi::window(0.0, f64::NAN, "SIGMOID"), None);
        assert_eq!(Voi::window(f64::INFINITY, 10.0, "LINEAR"), None);
        assert_eq!(Voi::window(0.0, 10.0, "LOG"), None);
    }

    #[test]
    fn a_table_answers_with_its_nearest_entry() {
        let table = LookupTable::new(-1, vec![10, 20, 30], 8).unwrap();
        assert_eq!([-9, -1, 0, 1, 9].map(|value| table.entry(value)), [10, 10, 20, 30, 30]);
        assert_eq!(LookupTable::new(0, Vec::new(), 8), None);
        assert_eq!(LookupTable::new(0, vec![1], 17), None);
    }
}
