//! The analysis of variance.

use super::{DegreesOfFreedom, ReaderStudy};
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::interval::Interval;

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
    /// The difference of their mean areas, with its interval.
    pub interval: Interval,
    /// Its standard error.
    pub se: f64,
    /// `difference / se` with its two-sided p-value; [`NotEstimable::ZeroVariance`] without an error.
    pub t: Result<(f64, f64), NotEstimable>,
}

/// The mean area of one treatment, from its readers alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreatmentMean {
    /// The mean area.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// Its degrees of freedom and interval, cut to [0, 1]; [`NotEstimable::ZeroVariance`] where neither
    /// readers nor cases leave an error.
    pub interval: Result<(DegreesOfFreedom, Interval), NotEstimable>,
}

/// The test that all treatments are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EqualityTest {
    /// F.
    pub f: f64,
    /// Its p-value.
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
    /// Degrees of freedom of treatments, the numerator's.
    pub numerator_df: f64,
    /// Hillis' degrees of freedom, the denominator's.
    pub df: DegreesOfFreedom,
    /// The test that all treatments are equal; [`NotEstimable::ZeroVariance`] where neither readers nor
    /// cases leave any variance to test against.
    pub equality: Result<EqualityTest, NotEstimable>,
    /// Every pair of treatments.
    pub differences: Vec<TreatmentDifference>,
    /// Every treatment.
    pub treatments: Vec<TreatmentMean>,
}

/// Compares treatments over random readers and random cases.
///
/// What does not exist where readers or cases do not vary has its reason; the rest stands.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`].
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
    let df = DegreesOfFreedom::hillis(denominator, interaction, (t - 1.0) * (r - 1.0));
    let some = if denominator > 0.0 { Ok(denominator) } else { Err(NotEstimable::ZeroVariance) };
    let equality = some.map(|denominator| {
        let f = mean_squares.treatment / denominator;
        EqualityTest { f, p: df.p_of_f(f, t - 1.0) }
    });
    let difference = |(a, b): (usize, usize)| {
        let (first, second) = (means.treatments[a], means.treatments[b]);
        let (difference, se) = (first - second, libm::sqrt(2.0 / r * denominator));
        let half_width = df.critical(level)? * se;
        let (lower, upper) = (difference - half_width, difference + half_width);
        Ok(TreatmentDifference {
            treatments: (a, b),
            interval: Interval { estimate: difference, lower, upper, level },
            se,
            t: some.map(|_| (difference / se, df.p_of_t(difference / se))),
        })
    };
    let pairs = (0..treatments).flat_map(|a| (a + 1..treatments).map(move |b| (a, b)));
    let single = |treatment| single(study, &means, treatment, level);
    Ok(Mrmc {
        components,
        mean_squares,
        denominator,
        numerator_df: t - 1.0,
        df,
        equality,
        differences: pairs.map(difference).collect::<Result<_, NotEstimable>>()?,
        treatments: (0..treatments).map(single).collect::<Result<_, NotEstimable>>()?,
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
            treatment_by_reader: unrounded(interaction / ((t - 1.0) * (r - 1.0))),
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

/// A mean square of areas; 0 where it is what rounding leaves of numbers of at most 1.
fn unrounded(square: f64) -> f64 {
    const ROUNDING: f64 = 1e-28;
    if square > ROUNDING { square } else { 0.0 }
}

/// The mean area of one treatment.
fn single(
    study: &ReaderStudy,
    means: &Means,
    treatment: usize,
    level: f64,
) -> Result<TreatmentMean, NotEstimable> {
    let readers = means.readers.len();
    let r = len_to_f64(readers);
    let mean = means.treatments[treatment];
    let areas = study.areas();
    let spread = (0..readers).fold(0.0, |sum, i| {
        let rest = areas[[i, treatment]] - mean;
        sum + rest * rest
    }) / (r - 1.0);
    let spread = unrounded(spread);
    let cov2 = study.mean_covariance(|a, b| a.0 != b.0 && a.1 == treatment && b.1 == treatment);
    let total = spread + (r * cov2).max(0.0);
    let se = libm::sqrt(total / r);
    let df = DegreesOfFreedom::hillis(total, spread, r - 1.0);
    let half_width = df.critical(level)? * se;
    let (lower, upper) = ((mean - half_width).max(0.0), (mean + half_width).min(1.0));
    let interval = Interval { estimate: mean, lower, upper, level };
    let interval = if total > 0.0 { Ok((df, interval)) } else { Err(NotEstimable::ZeroVariance) };
    Ok(TreatmentMean { estimate: mean, se, interval })
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
        let study = mrmc(&study.unwrap(), 0.95).unwrap();
        assert_eq!(study.equality, Err(NotEstimable::ZeroVariance));
        assert!(study.differences[0].interval.upper.abs() < 1e-15);
        // Cases vary, and every reader with them: there is no limit to the degrees of freedom.
        let mean = study.treatments[0];
        assert_eq!(mean.interval.unwrap().0, DegreesOfFreedom::Unlimited);
        assert!(mean.se > 0.0 && mean.interval.unwrap().1.upper <= 1.0);
    }

    #[test]
    fn perfect_readers_have_a_mean_and_no_error() {
        let perfect = vec![4, 5, 6, 1, 2, 3];
        let other = vec![3, 5, 2, 1, 4, 2];
        let readers = [perfect.clone(), other.clone(), perfect, vec![3, 4, 2, 1, 5, 2]];
        let study = mrmc(&ReaderStudy::new(areas(&readers), 2).unwrap(), 0.95).unwrap();
        let mean = study.treatments[0];
        assert!((mean.estimate - 1.0).abs() < 1e-15 && mean.se < 1e-15);
        assert_eq!(mean.interval, Err(NotEstimable::ZeroVariance));
        assert!(study.treatments[1].interval.is_ok());
    }

    #[test]
    fn one_reader_or_one_treatment_is_no_study() {
        let two = [vec![3, 5, 2, 1, 4, 2], vec![4, 5, 4, 1, 3, 2]];
        assert!(ReaderStudy::new(areas(&two), 1).is_err());
        assert!(ReaderStudy::new(areas(&two), 2).is_err());
    }
}
