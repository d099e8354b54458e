//! From images with a prediction of a quantity to patients, each measured once.

use fedval_study::protocol::{Combine, Quantity};

use crate::measures::MeasuredUnit;
use crate::unit::each_patient;

/// One image with a reference and a usable prediction.
#[derive(Debug, Clone)]
pub(crate) struct ValueImage {
    pub(crate) patient: u32,
    /// Place in the manifest.
    pub(crate) case: u32,
    /// What the reference standard says, in 10⁻⁶.
    pub(crate) reference: i64,
    /// What the index test says, in the quantity's unit.
    pub(crate) prediction: f64,
    /// Category in each dimension of the dictionary, by its place among the dimension's.
    pub(crate) categories: Vec<Option<u16>>,
}

/// Patients in the order of their numbers, each with the measures of [`Quantity::measures`].
///
/// Both values are held to the quantity's bounds before anything is computed of them, and the patient's error to the
/// largest that counts. Of several images the differences' mean is the difference of both means.
pub(crate) fn units(
    images: &[ValueImage],
    quantity: &Quantity,
    combine: Combine,
) -> Vec<MeasuredUnit> {
    let mut units = Vec::new();
    let of_patient = |images: &[&ValueImage]| units.extend(unit(images, quantity, combine));
    each_patient(images, |image| image.patient, of_patient);
    units
}

fn unit(images: &[&ValueImage], quantity: &Quantity, combine: Combine) -> Option<MeasuredUnit> {
    let first = images.first()?;
    let counted = match combine {
        Combine::First => images.get(..1)?,
        Combine::Mean | Combine::Maximum => images,
    };
    let pairs = counted.iter().map(|image| {
        let prediction = Quantity::micro(image.prediction)?;
        Some((quantity.clip(image.reference), quantity.clip(prediction)))
    });
    let pairs = pairs.collect::<Option<Vec<_>>>()?;
    let reference = mean(pairs.iter().map(|(reference, _)| *reference))?;
    let prediction = mean(pairs.iter().map(|(_, prediction)| *prediction))?;
    let largest = quantity.largest_error_micro;
    let error = prediction.saturating_sub(reference).max(-largest).min(largest);
    let level = mean([reference, prediction].into_iter())?;
    let dimensions = 0..first.categories.len();
    let known = |of: usize| images.iter().find_map(|image| *image.categories.get(of)?);
    Some(MeasuredUnit {
        patient: first.patient,
        cases: images.iter().map(|image| image.case).collect(),
        values: vec![error.abs(), error, level],
        categories: dimensions.map(known).collect(),
    })
}

/// To the nearest 10⁻⁶; `None` of nothing.
fn mean(values: impl ExactSizeIterator<Item = i64>) -> Option<i64> {
    let n = i128::try_from(values.len()).ok().filter(|n| *n > 0)?;
    let sum: i128 = values.map(i128::from).sum();
    let half = n / 2 * sum.signum();
    i64::try_from((sum + half) / n).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity() -> Quantity {
        Quantity {
            grid_micro: 100_000,
            largest_error_micro: 20_000_000,
            lower_micro: 0,
            name: "age".parse().unwrap(),
            unit: "a".to_owned(),
            upper_micro: 100_000_000,
        }
    }

    fn image(patient: u32, reference: i64, prediction: f64) -> ValueImage {
        let categories = vec![(patient > 7).then_some(1)];
        ValueImage { patient, case: 0, reference: reference * 1_000_000, prediction, categories }
    }

    fn values(images: &[ValueImage], combine: Combine) -> Vec<Vec<i64>> {
        units(images, &quantity(), combine).into_iter().map(|unit| unit.values).collect()
    }

    #[test]
    fn a_patient_has_the_mean_of_the_differences_or_the_first() {
        let images = [image(7, 50, 56.0), image(7, 60, 62.0), image(8, 40, 37.5)];
        let mean = [[4_000_000, 4_000_000, 57_000_000], [2_500_000, -2_500_000, 38_750_000]];
        assert_eq!(values(&images, Combine::Mean), mean);
        let first = [[6_000_000, 6_000_000, 53_000_000], [2_500_000, -2_500_000, 38_750_000]];
        assert_eq!(values(&images, Combine::First), first);
    }

    #[test]
    fn nobody_counts_with_more_than_the_bounds() {
        let images = [image(1, 90, 1e9), image(2, -40, 5.0), image(3, 80, -3.0), image(4, 1, 2.0)];
        let found = values(&images, Combine::Mean);
        // 100 for a billion, 0 for −40, and 20 for an error of 80.
        assert_eq!(found[0], [10_000_000, 10_000_000, 95_000_000]);
        assert_eq!(found[1], [5_000_000, 5_000_000, 2_500_000]);
        assert_eq!(found[2], [20_000_000, -20_000_000, 40_000_000]);
        for (values, range) in found.iter().flat_map(|of| of.iter().zip(quantity().measures())) {
            assert_eq!(range.clip(*values), *values);
        }
    }

    #[test]
    fn a_category_is_the_first_one_known_and_cases_are_all_of_the_patients() {
        let mut images = vec![image(9, 50, 50.0), image(9, 50, 50.0)];
        images[0].categories[0] = None;
        images[1].case = 4;
        let unit = &units(&images, &quantity(), Combine::First)[0];
        assert_eq!(unit.categories[0], Some(1));
        assert_eq!(unit.cases, [0, 4]);
    }
}
