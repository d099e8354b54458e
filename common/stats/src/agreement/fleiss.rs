//! Fleiss' kappa of several readers.

use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::special::normal;

/// Below this, chance agreement is complete.
const NONE_LEFT: f64 = 1e-15;

/// Sums over subjects that the same number of readers put into categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingSums {
    /// Subjects.
    pub subjects: u64,
    /// Readers of each subject.
    pub readers: u64,
    /// Ratings in each category.
    pub in_category: Vec<u64>,
    /// `Σ n_ij²` over subjects and categories.
    pub squares: u128,
}

impl RatingSums {
    /// Counts subjects, each given as its number of ratings in each category.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without subjects; [`NotEstimable::InvalidInput`] where subjects have
    /// different numbers of categories or of readers.
    pub fn of(subjects: &[Vec<u64>]) -> Result<Self, NotEstimable> {
        let first = subjects.first().ok_or(NotEstimable::EmptyInput)?;
        let readers = first.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        let mut sums = Self { subjects: 0, readers, in_category: vec![0; first.len()], squares: 0 };
        for subject in subjects {
            let squares = subject.iter().map(|count| u128::from(*count) * u128::from(*count));
            let one = Self {
                subjects: 1,
                readers: subject.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)),
                in_category: subject.clone(),
                squares: squares.fold(0, u128::saturating_add),
            };
            sums = sums.merge(&one)?;
        }
        Ok(sums)
    }

    /// The sums of two disjoint cohorts together (saturating).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where they differ in categories or in the number of readers.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        if self.readers != other.readers || self.in_category.len() != other.in_category.len() {
            return Err(NotEstimable::InvalidInput);
        }
        self.subjects = self.subjects.saturating_add(other.subjects);
        self.squares = self.squares.saturating_add(other.squares);
        for (sum, count) in self.in_category.iter_mut().zip(&other.in_category) {
            *sum = sum.saturating_add(*count);
        }
        Ok(self)
    }
}

/// Agreement of several readers beyond chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleissKappa {
    /// Kappa.
    pub kappa: f64,
    /// Its standard error where there is no agreement beyond chance.
    pub se_null: f64,
    /// `kappa / se_null`.
    pub z: f64,
    /// The two-sided p-value of no agreement beyond chance.
    pub p: f64,
}

/// Fleiss' kappa of the same number of readers, m ≥ 2, on each subject.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without subjects; [`NotEstimable::InvalidInput`] with fewer than two
/// readers, or sums that contradict each other; [`NotEstimable::ConstantScore`] where every rating is
/// the same category.
///
/// # References
///
/// - J. L. Fleiss (1971). Psychol. Bull. 76, 378–382.
/// - J. L. Fleiss, J. C. M. Nee, J. R. Landis (1979). Psychol. Bull. 86, 974–977 (the error).
///
/// # Examples
///
/// ```
/// use fedval_stats::agreement::{RatingSums, fleiss_kappa};
///
/// let sums = RatingSums::of(&[vec![3, 0], vec![0, 3], vec![2, 1]])?;
/// assert!((fleiss_kappa(&sums)?.kappa - 0.55).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn fleiss_kappa(sums: &RatingSums) -> Result<FleissKappa, NotEstimable> {
    if sums.subjects == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    let (n, m) = (count_to_f64(sums.subjects), count_to_f64(sums.readers));
    let total = sums.in_category.iter().fold(0_u128, |sum, count| sum + u128::from(*count));
    let is_whole = total == u128::from(sums.subjects) * u128::from(sums.readers);
    if sums.readers < 2 || !is_whole || sums.squares < total {
        return Err(NotEstimable::InvalidInput);
    }
    let agreement = (count_to_f64(sums.squares) - n * m) / (n * m * (m - 1.0));
    let shares = sums.in_category.iter().map(|count| count_to_f64(*count) / (n * m));
    let (mut chance, mut mixed, mut skew) = (0.0, 0.0, 0.0);
    for p in shares {
        let q = 1.0 - p;
        chance += p * p;
        mixed += p * q;
        skew += p * q * (q - p);
    }
    if 1.0 - chance < NONE_LEFT {
        return Err(NotEstimable::ConstantScore);
    }
    let kappa = (agreement - chance) / (1.0 - chance);
    let variance = 2.0 / (mixed * mixed * n * m * (m - 1.0)) * (mixed * mixed - skew);
    if variance <= 0.0 {
        return Err(NotEstimable::ZeroVariance);
    }
    let se_null = libm::sqrt(variance);
    let z = kappa / se_null;
    Ok(FleissKappa { kappa, se_null, z, p: normal::two_sided_p(z) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_agreement_is_one() {
        let sums = RatingSums::of(&[vec![4, 0], vec![0, 4], vec![4, 0]]).unwrap();
        assert!((fleiss_kappa(&sums).unwrap().kappa - 1.0).abs() < 1e-15);
    }

    #[test]
    fn each_unusable_input_has_its_reason() {
        assert_eq!(RatingSums::of(&[]), Err(NotEstimable::EmptyInput));
        assert_eq!(RatingSums::of(&[vec![2, 1], vec![2, 2]]), Err(NotEstimable::InvalidInput));
        assert_eq!(RatingSums::of(&[vec![2, 1], vec![3]]), Err(NotEstimable::InvalidInput));
        let one_reader = RatingSums::of(&[vec![1, 0], vec![0, 1]]).unwrap();
        assert_eq!(fleiss_kappa(&one_reader), Err(NotEstimable::InvalidInput));
        let constant = RatingSums::of(&[vec![3, 0], vec![3, 0]]).unwrap();
        assert_eq!(fleiss_kappa(&constant), Err(NotEstimable::ConstantScore));
    }
}
