//! Dice of a site whose model outlined the structure in too few patients for any measure of these to leave.
//!
//! Were such a site as silent as a small one, a model would leave the mean over sites by missing nearly everybody in one
//! of them. Patients who have the structure are the safe denominator there: they are as many as a cohort needs (DC-02),
//! and whoever was missed counts 0. So the mean over all of them leaves, on the grid that hides one of them (DC-10), with
//! the counts that stand beside any mean of masks (DC-06). No spread leaves, which of few outlined patients would say
//! what each has (DC-11): in its place stands the widest that values from 0 to 1 with that mean can have, which says
//! nothing that the mean does not.

use fedval_study::empty_masks::EmptyMasks;
use fedval_study::measures::{MeasurePerformance, MeasureRange, Measured};
use fedval_study::summary::MeasureGroup;

use crate::rules::dc10_means::{measure_grid_micro, on_grid};
use crate::rules::dc11_variance::widest_of_shares;

/// Units of 10⁻⁶ in one.
const MICRO: f64 = 1e6;

/// What leaves; `None` where the evidence is not of masks.
pub(crate) fn of(
    range: &MeasureRange,
    found: Option<&MeasureGroup>,
    empty: EmptyMasks,
) -> Option<MeasurePerformance> {
    let patients = found.map_or(0, |of| of.patients);
    let all = patients.checked_add(empty.missed)?;
    // Dice is the first measure of masks.
    let sum = match found {
        Some(of) => {
            let dice = of.measures.first().filter(|dice| dice.moments.n == of.patients)?;
            dice.moments.mean().ok()? * number(patients)
        }
        None => 0.0,
    };
    let mean = on_grid(micro(sum / number(all))?, measure_grid_micro(range, all));
    let sd = widest_of_shares(mean, all, range.finest_micro);
    let measures = vec![Measured { mean, measure: range.measure.clone(), sd }];
    Some(MeasurePerformance { empty_masks: Some(empty), measures, patients })
}

#[expect(clippy::cast_precision_loss, reason = "patients of a cohort, below 2⁵³")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a share, in 10⁻⁶")]
fn micro(share: f64) -> Option<i64> {
    (0.0..=1.0).contains(&share).then_some((share * MICRO).round() as i64)
}

#[cfg(test)]
mod tests {
    use fedval_stats::aggregate::Moments;
    use fedval_study::Measure;
    use fedval_study::summary::MeasureSums;

    use super::*;

    const RANGE: MeasureRange = MeasureRange {
        measure: Measure::DiceMissesZero,
        lower_micro: 0,
        upper_micro: 1_000_000,
        finest_micro: 1_000,
    };

    fn group(values: &[f64]) -> MeasureGroup {
        let moments = Moments::of(values.iter().copied()).unwrap();
        let sums = MeasureSums { moments, two_largest_micro: 0, sizes_micro: 0 };
        MeasureGroup { patients: values.len() as u64, measures: vec![sums] }
    }

    #[test]
    fn the_mean_is_over_all_who_have_the_structure_and_no_spread_of_the_few_is_told() {
        let empty = EmptyMasks { missed: 48, without_structure: None };
        let alike = of(&RANGE, Some(&group(&[0.5, 0.5])), empty).unwrap();
        let apart = of(&RANGE, Some(&group(&[0.1, 0.9])), empty).unwrap();
        assert_eq!(alike, apart);
        // 1 of 50 on a grid of 0.02, which may have been 0.03; √(0.03 · 0.97 · 50 / 49) is 0.1723.
        let told = &alike.measures[0];
        assert_eq!((told.mean.value_micro, told.mean.grid_micro), (20_000, 20_000));
        assert_eq!((told.sd.value_micro, alike.patients), (170_000, 2));
        let nobody = of(&RANGE, None, EmptyMasks { missed: 50, without_structure: None }).unwrap();
        let told = &nobody.measures[0];
        assert_eq!((nobody.patients, told.mean.value_micro, told.sd.value_micro), (0, 0, 100_000));
        assert_eq!(nobody.check(1), Ok(()));
        assert_eq!(alike.check(1), Ok(()));
    }
}
