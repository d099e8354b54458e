//! The JSON forms of the aggregates of `fedval-stats`, which itself knows no serialisation.
//!
//! Counts stand as numbers below 2⁵³; sums that may be wider stand as decimal strings.

use std::fmt;

use fedval_stats::aggregate::{
    CalibrationFit, ClusterRankSums, ClusterSums, ProbabilitySums, RankSums, TwoByTwo,
};
use serde::de::Visitor;
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

/// A sum of up to 128 bits: a JSON string of decimal digits. No text is made of it on the way.
struct Wide(u128);

impl Serialize for Wide {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

impl<'de> Deserialize<'de> for Wide {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

/// Reads a sum from its digits.
struct Digits;

/// Every number of so many digits fits 64 bits, which are read faster.
const DIGITS_OF_64_BITS: usize = 19;

impl Visitor<'_> for Digits {
    type Value = Wide;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string of digits")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Wide, E> {
        let sum = if text.len() <= DIGITS_OF_64_BITS {
            text.parse::<u64>().map(u128::from)
        } else {
            text.parse()
        };
        sum.map(Wide).map_err(E::custom)
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

// Fields stand in the order in which they are written: nothing is moved for it.
form!(RankSumsForm of RankSums {
    doubled_u: Wide, n_neg: Count, n_pos: Count, neg_squares: Wide, pos_squares: Wide,
});
form!(ClusterRankSumsForm of ClusterRankSums {
    clusters: Count, clusters_neg: Count, clusters_pos: Count, cross: Wide,
    neg_by_pos_size: Wide, neg_by_size: Wide, neg_size_squares: Count, neg_squares: Wide,
    pos_by_neg_size: Wide, pos_by_size: Wide, pos_size_squares: Count, pos_squares: Wide,
    size_cross: Count,
});
form!(ClusterSumsForm of ClusterSums {
    clusters: Count, size: Count, size_squares: Count, total: Wide, total_by_size: Wide,
    total_squares: Wide,
});
form!(TwoByTwoForm of TwoByTwo { fn_: Count, fp: Count, tn: Count, tp: Count });
form!(ProbabilitySumsForm of ProbabilitySums {
    brier_pico: Wide, events: Count, expected_micro: Count, n: Count,
});
form!(
#[expect(clippy::struct_field_names, reason = "the unit is part of each name")]
CalibrationFitForm of CalibrationFit {
    citl_micro: Fixed, correlation_micro: Fixed, intercept_micro: Fixed, se_citl_micro: Count,
    se_intercept_micro: Count, se_slope_micro: Count, slope_micro: Fixed,
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

/// Serialises each `T` of a list through its form `F`.
#[expect(clippy::ptr_arg, reason = "serde calls it with a reference to the field")]
pub(crate) fn write_list<T, F, S>(values: &Vec<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    F: for<'a> From<&'a T> + Serialize,
    S: Serializer,
{
    serializer.collect_seq(values.iter().map(F::from))
}

/// Deserialises a list through the form `F` of each.
pub(crate) fn read_list<'de, T, F, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    F: Into<T> + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Vec::<F>::deserialize(deserializer).map(|list| list.into_iter().map(Into::into).collect())
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

/// Serialises a `T` that is seldom there through its form `F`.
#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
pub(crate) fn write_optional<T, F, S>(
    value: &Option<Box<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error>
where
    F: for<'a> From<&'a T> + Serialize,
    S: Serializer,
{
    value.as_deref().map(F::from).serialize(serializer)
}

/// Deserialises a `T` that is seldom there through its form `F`.
pub(crate) fn read_optional<'de, T, F, D>(deserializer: D) -> Result<Option<Box<T>>, D::Error>
where
    F: Into<T> + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<F>::deserialize(deserializer).map(|form| form.map(|form| Box::new(form.into())))
}
