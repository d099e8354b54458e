//! Calls of several classes.

use crate::NotEstimable;
use crate::aggregate::CrossTable;
use crate::count::{count_to_f64, len_to_f64};

/// Rows are the cases' class, columns the class they are called.
impl CrossTable {
    fn right(&self) -> f64 {
        total(self.counts().diag().iter())
    }

    fn of_class(&self) -> Vec<f64> {
        self.counts().rows().into_iter().map(|row| total(row.iter())).collect()
    }

    fn called(&self) -> Vec<f64> {
        self.counts().columns().into_iter().map(|column| total(column.iter())).collect()
    }

    fn n(&self) -> Result<f64, NotEstimable> {
        let n = self.of_class().iter().fold(0.0, |sum, x| sum + x);
        if n > 0.0 { Ok(n) } else { Err(NotEstimable::EmptyInput) }
    }

    /// The share of right calls.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without cases.
    pub fn accuracy(&self) -> Result<f64, NotEstimable> {
        Ok(self.right() / self.n()?)
    }

    /// The mean over classes of the share that is called right.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::OneClassOnly`] where a class has no case.
    pub fn balanced_accuracy(&self) -> Result<f64, NotEstimable> {
        let sizes = self.of_class();
        if sizes.iter().any(|size| *size <= 0.0) {
            return Err(NotEstimable::OneClassOnly);
        }
        let shares =
            sizes.iter().enumerate().map(|(k, size)| count_to_f64(self.counts()[[k, k]]) / size);
        Ok(shares.fold(0.0, |sum, share| sum + share) / len_to_f64(sizes.len()))
    }

    /// F1 of each class; [`NotEstimable::EmptyInput`] for a class that no case has and none is called.
    #[must_use]
    pub fn f1(&self) -> Vec<Result<f64, NotEstimable>> {
        let both = self.of_class().into_iter().zip(self.called());
        both.enumerate()
            .map(|(k, (size, called))| {
                if size + called > 0.0 {
                    Ok(2.0 * count_to_f64(self.counts()[[k, k]]) / (size + called))
                } else {
                    Err(NotEstimable::EmptyInput)
                }
            })
            .collect()
    }

    /// The mean of [`f1`](Self::f1).
    ///
    /// # Errors
    ///
    /// The first reason of a class.
    pub fn macro_f1(&self) -> Result<f64, NotEstimable> {
        let f1 = self.f1().into_iter().collect::<Result<Vec<f64>, _>>()?;
        Ok(f1.iter().fold(0.0, |sum, x| sum + x) / len_to_f64(f1.len()))
    }

    /// Gorodkin's correlation of classes and calls, Matthews' for two classes.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without cases; [`NotEstimable::ConstantScore`] where all cases have one
    /// class or one call.
    ///
    /// # References
    ///
    /// - J. Gorodkin (2004). Comput. Biol. Chem. 28, 367–374.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::aggregate::CrossTable;
    /// use ndarray::array;
    ///
    /// let calls = CrossTable::new(array![[6, 2], [1, 3]])?;
    /// assert!((calls.matthews()? - 0.478_091_443_734).abs() < 1e-12);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn matthews(&self) -> Result<f64, NotEstimable> {
        let n = self.n()?;
        let (sizes, called) = (self.of_class(), self.called());
        let squares = |values: &[f64]| values.iter().fold(0.0, |sum, x| sum + x * x);
        let common = sizes.iter().zip(&called).fold(0.0, |sum, (size, call)| sum + size * call);
        let spread = (n * n - squares(&called)) * (n * n - squares(&sizes));
        if spread <= 0.0 {
            return Err(NotEstimable::ConstantScore);
        }
        Ok((self.right() * n - common) / libm::sqrt(spread))
    }
}

fn total<'c>(counts: impl Iterator<Item = &'c u64>) -> f64 {
    counts.fold(0.0, |sum, count| sum + count_to_f64(*count))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn what_a_table_lacks_has_its_reason() {
        let one_call = CrossTable::new(array![[3, 0, 0], [4, 0, 0], [0, 0, 0]]).unwrap();
        assert_eq!(one_call.matthews(), Err(NotEstimable::ConstantScore));
        assert_eq!(one_call.balanced_accuracy(), Err(NotEstimable::OneClassOnly));
        assert_eq!(one_call.f1()[2], Err(NotEstimable::EmptyInput));
        assert!(one_call.f1()[1].unwrap().abs() < 1e-15);
        let empty = CrossTable::new(Array2::zeros((2, 2))).unwrap();
        assert_eq!(empty.accuracy(), Err(NotEstimable::EmptyInput));
    }

    #[test]
    fn merging_adds() {
        let calls = CrossTable::new(array![[6, 2], [1, 3]]).unwrap();
        let twice = calls.clone().merge(&calls).unwrap();
        assert!((twice.matthews().unwrap() - calls.matthews().unwrap()).abs() < 1e-15);
    }
}
