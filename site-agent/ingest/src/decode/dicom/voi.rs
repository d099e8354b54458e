//! What a file asks a viewer to show: values of interest (PS3.3 C.11.2).

use dicom_dictionary_std::tags;

use super::data_set::DataSet;
use super::table::Table;
use crate::decode::fault::ImageFault;
use crate::decode::image::windowed;

/// The first window or table of a file, onto 0…1.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Voi {
    /// From the first value to the second, straight.
    Linear { low: f64, high: f64 },
    /// An S about the centre.
    Sigmoid { centre: f64, width: f64 },
    /// Entry by entry, against the largest entry that there can be.
    Table(Table),
}

impl Voi {
    /// A window goes before a table, as viewers do it; a file without either is refused, because
    /// what they show then differs.
    pub(super) fn read(data_set: &DataSet<'_>, is_signed: bool) -> Result<Self, ImageFault> {
        let within = tags::VOILUT_SEQUENCE;
        if !data_set.has(tags::WINDOW_CENTER) && data_set.has_item(within) {
            let (descriptor, data) = (tags::LUT_DESCRIPTOR, tags::LUT_DATA);
            let table = Table::read(data_set, Some(within), descriptor, data, is_signed)?;
            return Ok(Self::Table(table));
        }
        let centre = data_set.decimal(tags::WINDOW_CENTER, f64::NAN)?;
        let width = data_set.decimal(tags::WINDOW_WIDTH, f64::NAN)?;
        let function = data_set.text(tags::VOILUT_FUNCTION).unwrap_or("LINEAR");
        Self::window(centre, width, function).ok_or(ImageFault::ValueMapping)
    }

    /// `None` for a width that the function does not take, or what is no number.
    fn window(centre: f64, width: f64, function: &str) -> Option<Self> {
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

    pub(super) fn apply(&self, value: f64) -> f64 {
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

/// Tables are entered with whole numbers.
#[expect(clippy::cast_possible_truncation, reason = "a table's places have 16 bits")]
fn nearest(value: f64) -> i64 {
    value.round().clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i64
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
}
