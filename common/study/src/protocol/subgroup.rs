//! The subgroup dictionary: named dimensions with their categories or bands, and nothing else.

use serde::{Deserialize, Serialize};

use crate::id::Name;

/// DICOM attributes a dictionary may draw on: acquisition and demographics, never identity, dates
/// or free text.
pub const DICOM_ATTRIBUTES: [&str; 11] = [
    "PatientSex",
    "PatientAge",
    "EthnicGroup",
    "Manufacturer",
    "ManufacturerModelName",
    "ViewPosition",
    "BodyPartExamined",
    "KVP",
    "ConvolutionKernel",
    "SliceThickness",
    "MagneticFieldStrength",
];

/// Where the value of a dimension is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeSource {
    /// A column of the site's manifest.
    Column(String),
    /// A DICOM attribute by its keyword, one of [`DICOM_ATTRIBUTES`].
    Dicom(String),
}

/// A category of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its name.
    pub name: Name,
    /// Values, exactly as they stand in the data, that belong to it.
    pub values: Vec<String>,
}

/// A half-open band of a numeric attribute: `from ≤ value < below`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name.
    pub name: Name,
    /// Smallest value in the band.
    pub from: f64,
    /// Smallest value above the band.
    pub below: f64,
}

/// How values become categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// By exact value.
    Categories(Vec<Category>),
    /// By numeric band; a DICOM age such as `045Y` is read in years.
    Bands(Vec<Band>),
}

/// One dimension by which performance is broken down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name.
    pub name: Name,
    /// Where the value is found.
    pub source: AttributeSource,
    /// How values become categories.
    pub grouping: Grouping,
}

impl Dimension {
    /// Names of the categories, in the protocol's order.
    pub fn category_names(&self) -> Vec<&Name> {
        match &self.grouping {
            Grouping::Categories(categories) => categories.iter().map(|c| &c.name).collect(),
            Grouping::Bands(bands) => bands.iter().map(|b| &b.name).collect(),
        }
    }

    /// The category a value belongs to; `None` for a missing or unlisted value.
    #[must_use]
    pub fn classify(&self, value: &str) -> Option<&Name> {
        let value = value.trim();
        match &self.grouping {
            Grouping::Categories(categories) => {
                let holds = |c: &&Category| c.values.iter().any(|v| v == value);
                categories.iter().find(holds).map(|c| &c.name)
            }
            Grouping::Bands(bands) => {
                let number = number_or_age_years(value)?;
                bands.iter().find(|b| b.from <= number && number < b.below).map(|b| &b.name)
            }
        }
    }
}

/// A plain number, or a DICOM Age String (PS3.5, VR AS: three digits and D, W, M or Y) in years.
fn number_or_age_years(value: &str) -> Option<f64> {
    if let Ok(number) = value.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let count: f64 = digits.parse::<u16>().ok()?.into();
    match unit {
        "Y" => Some(count),
        "M" => Some(count / 12.0),
        "W" => Some(count * 7.0 / 365.25),
        "D" => Some(count / 365.25),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dicom_age_falls_into_its_band_and_an_unlisted_value_into_none() {
        let band = |name: &str, from, below| Band { name: name.parse().unwrap(), from, below };
        let age = Dimension {
            name: "age".parse().unwrap(),
            source: AttributeSource::Dicom("PatientAge".to_owned()),
            grouping: Grouping::Bands(vec![
                band("under-50", 0.0, 50.0),
                band("over-50", 50.0, 130.0),
            ]),
        };
        let name = |value| age.classify(value).map(Name::as_str);
        assert_eq!(name("045Y"), Some("under-50"));
        assert_eq!(name("006M"), Some("under-50"));
        assert_eq!(name(" 50 "), Some("over-50"));
        assert_eq!(name(""), None);
        assert_eq!(name("unknown"), None);
        assert_eq!(name("é"), None);
    }
}
