//! The AUROC of each class against the rest, with their joint covariance.
//!
//! A case of class c enters the AUROC of class j by its placement: among the other classes' cases where
//! c = j, among the cases of class j where not. With `t_ij` the doubled placement,
//! `x_ij = t_ij / (2 · others)` and `m_c(j)` the cases on its side,
//!
//! ```text
//! cov(A_j, A_k) = Σ_c Σ_{i in c} (x_ij − A_j)(x_ik − A_k) / √(m_c(j)(m_c(j)−1) · m_c(k)(m_c(k)−1))
//! ```
//!
//! whose diagonal is DeLong's variance. Since every case of a class stands on one side of every AUROC, sums
//! by class suffice: integers.
//!
//! # References
//!
//! - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Biometrics 44, 837–845 (the structure).

use ndarray::{Array2, Array3};

use super::ClassScores;
use crate::NotEstimable;
use crate::aggregate::{RankSums, doubled_placements};
use crate::count::{count_to_f64, len_to_f64};
use crate::interval::Interval;
use crate::wide::Wide;

/// More cases are no cohort.
const MOST_CASES: u64 = 1 << 40;

/// Sums of doubled placements by class: what the AUROCs and their covariance need.
///
/// Not mergeable: placements compare the cases of one cohort with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneVersusRestSums {
    /// Cases of each class.
    pub sizes: Vec<u64>,
    /// `Σ_{i in c} t_ij`, K × K: the class of the case, then that of the AUROC.
    pub totals: Array2<u128>,
    /// `Σ_{i in c} t_ij t_ik`, K × K × K.
    pub products: Array3<u128>,
}

impl OneVersusRestSums {
    /// Reduces cases to their sums.
    #[must_use]
    pub fn of(scores: &ClassScores) -> Self {
        let k = scores.classes();
        let placements: Vec<Vec<u64>> = (0..k)
            .map(|class| {
                let keys = scores.rank_keys.column(class).to_vec();
                let positive: Vec<bool> = scores.class.iter().map(|own| *own == class).collect();
                doubled_placements(&keys, &positive)
            })
            .collect();
        let mut totals = Array2::zeros((k, k));
        let mut products = Array3::zeros((k, k, k));
        for (case, class) in scores.class.iter().enumerate() {
            for j in 0..k {
                let own = u128::from(placements[j][case]);
                totals[[*class, j]] += own;
                for other in 0..k {
                    products[[*class, j, other]] += own * u128::from(placements[other][case]);
                }
            }
        }
        Self { sizes: scores.sizes(), totals, products }
    }

    /// What DeLong's variance of one class against the rest needs; `None` of a class that there is not, or where
    /// tables have another shape than classes need.
    #[must_use]
    pub fn ranks(&self, of: usize) -> Option<RankSums> {
        if !self.is_usable() || of >= self.sizes.len() {
            return None;
        }
        let squares = |class: usize| self.products[[class, of, of]];
        let others = (0..self.sizes.len()).filter(|class| *class != of);
        Some(RankSums {
            n_pos: self.sizes[of],
            n_neg: self.n() - self.sizes[of],
            doubled_u: self.totals[[of, of]],
            pos_squares: squares(of),
            neg_squares: others.fold(0, |sum: u128, class| sum.saturating_add(squares(class))),
        })
    }

    /// Cases on the side of class `class` in the AUROC of class `of`.
    fn side(&self, class: usize, of: usize) -> u64 {
        if class == of { self.sizes[of] } else { self.n() - self.sizes[of] }
    }

    fn n(&self) -> u64 {
        self.sizes.iter().fold(0, |sum: u64, size| sum.saturating_add(*size))
    }

    /// Whether the tables have a place for each class, and no more cases than sums have room for.
    fn is_usable(&self) -> bool {
        let k = self.sizes.len();
        self.totals.dim() == (k, k) && self.products.dim() == (k, k, k) && self.n() <= MOST_CASES
    }
}

/// The AUROCs of K classes, each against the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct OneVersusRest {
    /// The area of each class; [`NotEstimable::OneClassOnly`] for a class without cases, or with all.
    pub auc: Vec<Result<f64, NotEstimable>>,
    /// Their covariance, K × K; [`NotEstimable::TooFewPerClass`] where a class, or the rest of one, has
    /// fewer than two cases.
    pub covariance: Result<Array2<f64>, NotEstimable>,
    /// The share of each class.
    pub prevalence: Vec<f64>,
}

/// The AUROC of each class against the rest.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases; [`NotEstimable::InvalidInput`] where tables have other
/// shapes than classes need, or there are more than 2⁴⁰ cases.
///
/// # Examples
///
/// ```
/// use fedval_stats::multiclass::{ClassScores, OneVersusRestSums, one_versus_rest};
/// use ndarray::array;
///
/// let scores = ClassScores::new(
///     vec![0, 0, 1, 1, 2, 2],
///     array![[9, 1, 1], [8, 2, 1], [1, 9, 1], [2, 7, 3], [1, 1, 9], [3, 3, 2]],
/// )?;
/// let areas = one_versus_rest(&OneVersusRestSums::of(&scores))?;
/// assert!((areas.auc[0]? - 1.0).abs() < 1e-15);
/// assert!(areas.macro_average(0.95)?.upper <= 1.5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn one_versus_rest(sums: &OneVersusRestSums) -> Result<OneVersusRest, NotEstimable> {
    if !sums.is_usable() {
        return Err(NotEstimable::InvalidInput);
    }
    let (n, k) = (sums.n(), sums.sizes.len());
    if n == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    let area = |class: usize| {
        let (own, others) = (sums.sizes[class], n - sums.sizes[class]);
        if own == 0 || others == 0 {
            return Err(NotEstimable::OneClassOnly);
        }
        let pairs = 2.0 * count_to_f64(own) * count_to_f64(others);
        Ok(count_to_f64(sums.totals[[class, class]]) / pairs)
    };
    let auc: Vec<_> = (0..k).map(area).collect();
    let areas = auc.iter().copied().collect::<Result<Vec<f64>, _>>();
    Ok(OneVersusRest {
        covariance: areas.and_then(|areas| covariance(sums, &areas)),
        auc,
        prevalence: sums.sizes.iter().map(|size| count_to_f64(*size) / count_to_f64(n)).collect(),
    })
}

fn covariance(sums: &OneVersusRestSums, auc: &[f64]) -> Result<Array2<f64>, NotEstimable> {
    let k = auc.len();
    let enough = |class: usize| sums.side(class, class) >= 2 && sums.n() - sums.sizes[class] >= 2;
    if !(0..k).all(enough) {
        return Err(NotEstimable::TooFewPerClass);
    }
    Ok(Array2::from_shape_fn((k, k), |(i, j)| {
        (0..k).fold(0.0, |sum, class| sum + of_class(sums, auc, class, (i, j)))
    }))
}

/// The part that the cases of `class` have in the covariance of the areas i and j.
fn of_class(sums: &OneVersusRestSums, auc: &[f64], class: usize, (i, j): (usize, usize)) -> f64 {
    let size = sums.sizes[class];
    let others = |of: usize| 2.0 * count_to_f64(sums.n() - sums.side(class, of));
    let (total_i, total_j) = (sums.totals[[class, i]], sums.totals[[class, j]]);
    // About the class's own means, exactly; then what those means lie off the areas.
    let own = Wide::product(u128::from(size), sums.products[[class, i, j]])
        .difference(Wide::product(total_i, total_j))
        / count_to_f64(size)
        / (others(i) * others(j));
    let offset =
        |total: u128, of: usize| count_to_f64(total) / count_to_f64(size) / others(of) - auc[of];
    let deviations = own + count_to_f64(size) * offset(total_i, i) * offset(total_j, j);
    let weight = |of: usize| {
        let beside = count_to_f64(sums.side(class, of));
        libm::sqrt(beside * (beside - 1.0))
    };
    deviations / (weight(i) * weight(j))
}

impl OneVersusRest {
    /// The mean of the areas with its Wald interval.
    ///
    /// # Errors
    ///
    /// The first reason of an area or of the covariance; [`NotEstimable::LevelOutOfRange`].
    pub fn macro_average(&self, level: f64) -> Result<Interval, NotEstimable> {
        Interval::wald(self.macro_area()?, self.macro_se()?, level)
    }

    /// The mean of the areas.
    ///
    /// # Errors
    ///
    /// The first reason of an area.
    pub fn macro_area(&self) -> Result<f64, NotEstimable> {
        let areas = self.auc.iter().copied().collect::<Result<Vec<f64>, _>>()?;
        Ok(areas.iter().fold(0.0, |sum, area| sum + area) / len_to_f64(areas.len()))
    }

    /// The standard error of the mean: `√(1'Σ1) / K`.
    ///
    /// # Errors
    ///
    /// The reason of the covariance; [`NotEstimable::NegativeVariance`] where rounding left none.
    pub fn macro_se(&self) -> Result<f64, NotEstimable> {
        let covariance = self.covariance.as_ref().map_err(|reason| *reason)?;
        let total = covariance.iter().fold(0.0, |sum, cell| sum + cell);
        // A perfect separation has no variance, and rounding may put it below 0.
        if total < -1e-15 {
            return Err(NotEstimable::NegativeVariance);
        }
        Ok(libm::sqrt(total.max(0.0)) / len_to_f64(self.auc.len()))
    }

    /// The mean of the areas, weighted by prevalence.
    ///
    /// # Errors
    ///
    /// The first reason of an area.
    pub fn weighted_area(&self) -> Result<f64, NotEstimable> {
        let areas = self.auc.iter().zip(&self.prevalence);
        areas.into_iter().try_fold(0.0, |sum, (area, share)| Ok(sum + (*area)? * share))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::aggregate::{RankedCase, rank_sums};
    use crate::auroc::delong;

    #[test]
    fn the_diagonal_is_delongs_variance() {
        let keys =
            array![[5, 1, 3], [4, 2, 2], [3, 5, 1], [6, 1, 2], [2, 6, 9], [1, 3, 4], [2, 2, 8]];
        let class = vec![0, 0, 1, 1, 2, 2, 2];
        let scores = ClassScores::new(class.clone(), keys.clone()).unwrap();
        let sums = OneVersusRestSums::of(&scores);
        let areas = one_versus_rest(&sums).unwrap();
        let covariance = areas.covariance.unwrap();
        for of in 0..3 {
            let cases: Vec<RankedCase> = class
                .iter()
                .zip(keys.column(of))
                .zip(0..)
                .map(|((own, key), cluster)| RankedCase {
                    rank_key: *key,
                    positive: *own == of,
                    cluster,
                })
                .collect();
            let apart = rank_sums(&cases).0;
            assert_eq!(sums.ranks(of), Some(apart));
            let alone = delong(&apart).unwrap();
            assert!((covariance[[of, of]] - alone.variance).abs() < 1e-14, "{of}");
            assert!((areas.auc[of].unwrap() - alone.auc).abs() < 1e-15);
        }
    }

    #[test]
    fn a_class_without_cases_has_no_area() {
        let scores =
            ClassScores::new(vec![0, 0, 1, 1], array![[4, 1, 1], [3, 2, 1], [1, 3, 1], [2, 4, 1]]);
        let areas = one_versus_rest(&OneVersusRestSums::of(&scores.unwrap())).unwrap();
        assert_eq!(areas.auc[2], Err(NotEstimable::OneClassOnly));
        assert_eq!(areas.covariance, Err(NotEstimable::OneClassOnly));
        assert_eq!(areas.macro_area(), Err(NotEstimable::OneClassOnly));
    }
}
