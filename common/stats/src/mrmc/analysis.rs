//! The analysis of variance.

use super::ReaderStudy;
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::interval::{Interval, critical_t};
use crate::special::{f, student_t};

/// Variance and covariance components, in squared units of the area. Those of readers may come out
/// negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceComponents {
    /// Between readers.
    pub reader: f64,
    /// Of readers by treatments.
    pub treatment_by_reader: f64,
    /// Of one area over cases.
    pub error: f64,
    /// Of two treatments of one reader.
    pub cov1: f64,
    /// Of two readers under one treatment.
    pub cov2: f64,
    /// Of two readers under two treatments.
    pub cov3: f64,
}

/// Mean squares of the areas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSquares {
    /// Between treatments.
    pub treatment: f64,
    /// Between readers.
    pub reader: f64,
    /// Of the interaction.
    pub treatment_by_reader: f64,
}

/// The difference of two treatments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreatmentDifference {
    /// The treatments, by their places: first minus second.
    pub treatments: (usize, usize),
    /// The difference of their mean areas, with its t interval.
    pub interval: Interval,
    /// Its standard error.
    pub se: f64,
    /// `difference / se`.
    pub t: f64,
    /// Its two-sided p-value.
    pub p: f64,
}

/// The whole analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Mrmc {
    /// The components of variance.
    pub components: VarianceComponents,
    /// The mean squares.
    pub mean_squares: MeanSquares,
    /// The denominator of F.
    pub denominator: f64,
    /// The test that all treatments are equal.
    pub f: f64,
    /// Its degrees of freedom: of treatments, and Hillis'.
    pub df: (f64, f64),
    /// Its p-value.
    pub p: f64,
    /// Every pair of treatments.
    pub differences: Vec<TreatmentDifference>,
    /// The mean area of each treatment with its interval, its standard error and degrees of freedom;
    /// [`NotEstimable::ZeroVariance`] where its readers do not vary.
    pub treatments: Vec<Result<(Interval, f64, f64), NotEstimable>>,
}

/// Compares treatments over random readers and random cases.
///
/// # Errors
///
/// [`NotEstimable::ZeroVariance`] where neither readers nor cases leave any variance to test against, or
/// readers do not differ in the treatments' effect; [`NotEstimable::LevelOutOfRange`].
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::joint_rank_sums;
/// use fedval_stats::auroc::joint_delong;
/// use fedval_stats::mrmc::{ReaderStudy, mrmc};
///
/// let positive = [true, true, true, false, false, false];
/// // Two readers, each without and with the model.
/// let ratings = [
///     vec![3, 5, 2, 1, 4, 2],
///     vec![4, 5, 4, 1, 3, 2],
///     vec![2, 4, 3, 3, 1, 2],
///     vec![4, 5, 3, 2, 1, 4],
/// ];
/// let areas = joint_delong(&joint_rank_sums(&ratings, &positive)?)?;
/// let study = mrmc(&ReaderStudy::new(areas, 2)?, 0.95)?;
/// assert!(study.differences[0].interval.estimate < 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[expect(clippy::many_single_char_names, reason = "the symbols of the papers")]
pub fn mrmc(study: &ReaderStudy, level: f64) -> Result<Mrmc, NotEstimable> {
    crate::interval::critical_normal(level)?;
    let (readers, treatments) = study.shape();
    let (r, t) = (len_to_f64(readers), len_to_f64(treatments));
    let means = Means::of(study);
    let mean_squares = means.squares(study);
    let components = components(study, &mean_squares, t);
    let shared = (r * (components.cov2 - components.cov3)).max(0.0);
    let interaction = mean_squares.treatment_by_reader;
    let denominator = interaction + shared;
    if denominator <= 0.0 || interaction <= 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let df1 = t - 1.0;
    let df2 = denominator * denominator / (interaction * interaction / (df1 * (r - 1.0)));
    let f = mean_squares.treatment / denominator;
    let difference = |treatments: (usize, usize)| {
        let (a, b) = treatments;
        let difference = means.treatments[a] - means.treatments[b];
        let se = libm::sqrt(2.0 / r * denominator);
        let half_width = critical_t(level, df2)? * se;
        let (lower, upper) = (difference - half_width, difference + half_width);
        let interval = Interval { estimate: difference, lower, upper, level };
        let ratio = difference / se;
        Ok(TreatmentDifference {
            treatments,
            interval,
            se,
            t: ratio,
            p: student_t::two_sided_p(ratio, df2),
        })
    };
    let pairs = (0..treatments).flat_map(|a| (a + 1..treatments).map(move |b| (a, b)));
    Ok(Mrmc {
        components,
        mean_squares,
        denominator,
        f,
        df: (df1, df2),
        p: f::upper_tail(f, df1, df2),
        differences: pairs.map(difference).collect::<Result<_, NotEstimable>>()?,
        treatments: (0..treatments).map(|j| single(study, &means, j, level)).collect(),
    })
}

/// Means of the areas.
struct Means {
    treatments: Vec<f64>,
    readers: Vec<f64>,
    grand: f64,
}

impl Means {
    fn of(study: &ReaderStudy) -> Self {
        let areas = study.areas();
        let mean = |lane: ndarray::ArrayView1<'_, f64>| {
            lane.iter().fold(0.0, |sum, x| sum + x) / len_to_f64(lane.len())
        };
        let treatments: Vec<f64> = areas.columns().into_iter().map(mean).collect();
        let readers: Vec<f64> = areas.rows().into_iter().map(mean).collect();
        let grand = treatments.iter().fold(0.0, |sum, x| sum + x) / len_to_f64(treatments.len());
        Self { treatments, readers, grand }
    }

    fn squares(&self, study: &ReaderStudy) -> MeanSquares {
        let (r, t) = (len_to_f64(self.readers.len()), len_to_f64(self.treatments.len()));
        let around = |means: &[f64]| {
            means.iter().fold(0.0, |sum, mean| sum + (mean - self.grand) * (mean - self.grand))
        };
        let interaction = study.areas().indexed_iter().fold(0.0, |sum, ((i, j), area)| {
            let rest = area - self.readers[i] - self.treatments[j] + self.grand;
            sum + rest * rest
        });
        MeanSquares {
            treatment: r * around(&self.treatments) / (t - 1.0),
            reader: t * around(&self.readers) / (r - 1.0),
            treatment_by_reader: interaction / ((t - 1.0) * (r - 1.0)),
        }
    }
}

fn components(study: &ReaderStudy, squares: &MeanSquares, t: f64) -> VarianceComponents {
    let error = study.mean_covariance(|a, b| a == b);
    let cov1 = study.mean_covariance(|a, b| a.0 == b.0 && a.1 != b.1);
    let cov2 = study.mean_covariance(|a, b| a.0 != b.0 && a.1 == b.1);
    let cov3 = study.mean_covariance(|a, b| a.0 != b.0 && a.1 != b.1);
    VarianceComponents {
        reader: (squares.reader - squares.treatment_by_reader) / t - cov1 + cov3,
        treatment_by_reader: squares.treatment_by_reader - error + cov1 + (cov2 - cov3),
        error,
        cov1,
        cov2,
        cov3,
    }
}

/// The mean area of one treatment, from its readers alone.
fn single(
    study: &ReaderStudy,
    means: &Means,
    treatment: usize,
    level: f64,
) -> Result<(Interval, f64, f64), NotEstimable> {
    let readers = means.readers.len();
    let r = len_to_f64(readers);
    let mean = means.treatments[treatment];
    let areas = study.areas();
    let spread = (0..readers).fold(0.0, |sum, i| {
        let rest = areas[[i, treatment]] - mean;
        sum + rest * rest
    }) / (r - 1.0);
    let cov2 = study.mean_covariance(|a, b| a.0 != b.0 && a.1 == treatment && b.1 == treatment);
    let total = spread + (r * cov2).max(0.0);
    if spread <= 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let df = total * total / (spread * spread / (r - 1.0));
    let se = libm::sqrt(total / r);
    let half_width = critical_t(level, df)? * se;
    let interval =
        Interval { estimate: mean, lower: mean - half_width, upper: mean + half_width, level };
    Ok((interval, se, df))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::joint_rank_sums;
    use crate::auroc::{JointAuroc, joint_delong};

    fn areas(ratings: &[Vec<i64>]) -> JointAuroc {
        let positive = [true, true, true, false, false, false];
        joint_delong(&joint_rank_sums(ratings, &positive).unwrap()).unwrap()
    }

    #[test]
    fn readers_who_never_differ_leave_nothing_to_test_against() {
        let same = vec![3, 5, 2, 1, 4, 2];
        let study = ReaderStudy::new(areas(&[same.clone(), same.clone(), same.clone(), same]), 2);
        assert_eq!(mrmc(&study.unwrap(), 0.95), Err(NotEstimable::ZeroVariance));
    }

    #[test]
    fn one_reader_or_one_treatment_is_no_study() {
        let two = [vec![3, 5, 2, 1, 4, 2], vec![4, 5, 4, 1, 3, 2]];
        assert!(ReaderStudy::new(areas(&two), 1).is_err());
        assert!(ReaderStudy::new(areas(&two), 2).is_err());
    }
}
