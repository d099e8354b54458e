//! The JSON forms of the aggregates of `fedval-stats`, which itself knows no serialisation.
//!
//! Counts stand as numbers below 2⁵³; sums that may be wider stand as decimal strings.

use fedval_stats::aggregate::{
    CalibrationFit, ClusterRankSums, ClusterSums, ProbabilitySums, RankSums, TwoByTwo,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::canonical::{exact_i64, exact_u64};

/// A count: a JSON number below 2⁵³.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Count(#[serde(serialize_with = "exact_u64")] u64);

/// A fixed-point number: a JSON number within ±2⁵³.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Fixed(#[serde(serialize_with = "exact_i64")] i64);

/// A sum of up to 128 bits: a JSON string of decimal digits.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Wide(u128);

impl From<Wide> for String {
    fn from(wide: Wide) -> Self {
        wide.0.to_string()
    }
}

impl TryFrom<String> for Wide {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl Clone for Wide {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

/// One JSON form of one aggregate: the same fields, each in the width named.
macro_rules! form {
    ($(#[$attribute:meta])* $form:ident of $aggregate:ident { $($field:ident : $width:ident),+ $(,)? }) => {
        $(#[$attribute])*
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $form { $($field: $width),+ }

        impl From<&$aggregate> for $form {
            fn from(aggregate: &$aggregate) -> Self {
                Self { $($field: $width(aggregate.$field)),+ }
            }
        }

        impl From<$form> for $aggregate {
            fn from(form: $form) -> Self {
                Self { $($field: form.$field.0),+ }
            }
        }
    };
}

form!(RankSumsForm of RankSums {
    n_pos: Count, n_neg: Count, doubled_u: Wide, pos_squares: Wide, neg_squares: Wide,
});
form!(ClusterRankSumsForm of ClusterRankSums {
    clusters: Count, clusters_pos: Count, clusters_neg: Count,
    pos_squares: Wide, pos_by_size: Wide, pos_size_squares: Count,
    neg_squares: Wide, neg_by_size: Wide, neg_size_squares: Count,
    cross: Wide, pos_by_neg_size: Wide, neg_by_pos_size: Wide, size_cross: Count,
});
form!(ClusterSumsForm of ClusterSums {
    clusters: Count, size: Count, total: Wide, total_squares: Wide, total_by_size: Wide,
    size_squares: Count,
});
form!(TwoByTwoForm of TwoByTwo { tp: Count, fn_: Count, fp: Count, tn: Count });
form!(ProbabilitySumsForm of ProbabilitySums {
    n: Count, events: Count, expected_micro: Count, brier_pico: Wide,
});
form!(
#[expect(clippy::struct_field_names, reason = "the unit is part of each name")]
CalibrationFitForm of CalibrationFit {
    intercept_micro: Fixed, slope_micro: Fixed, se_intercept_micro: Count, se_slope_micro: Count,
    correlation_micro: Fixed, citl_micro: Fixed, se_citl_micro: Count,
});

/// Serialises `T` through its form `F`.
pub(crate) fn write<T, F, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    F: for<'a> From<&'a T> + Serialize,
    S: Serializer,
{
    F::from(value).serialize(serializer)
}

/// Deserialises `T` through its form `F`.
pub(crate) fn read<'de, T, F, D>(deserializer: D) -> Result<T, D::Error>
where
    F: Into<T> + Deserialize<'de>,
    D: Deserializer<'de>,
{
    F::deserialize(deserializer).map(Into::into)
}

/// Reads a list with no more room than it takes: a thousand results are held at once.
pub(crate) fn read_tight<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let mut list = Vec::deserialize(deserializer)?;
    list.shrink_to_fit();
    Ok(list)
}

/// Serialises an optional `T` through its form `F`.
#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
pub(crate) fn write_optional<T, F, S>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    F: for<'a> From<&'a T> + Serialize,
    S: Serializer,
{
    value.as_ref().map(F::from).serialize(serializer)
}

/// Deserialises an optional `T` through its form `F`.
pub(crate) fn read_optional<'de, T, F, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    F: Into<T> + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<F>::deserialize(deserializer).map(|form| form.map(Into::into))
}
