//! Cases by two sortings into the same classes.

use ndarray::Array2;

use crate::NotEstimable;

/// Counts of cases by the class (grade) of a first and of a second sorting, both into the same ones: K × K, K ≥ 2.
///
/// Rows are the first sorting: the reference standard's where the second is a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossTable(Array2<u64>);

impl CrossTable {
    /// Accepts a square table of at least two classes.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] for any other shape.
    pub fn new(counts: Array2<u64>) -> Result<Self, NotEstimable> {
        let is_square = counts.nrows() == counts.ncols() && counts.nrows() >= 2;
        if is_square { Ok(Self(counts)) } else { Err(NotEstimable::InvalidInput) }
    }

    /// The counts.
    #[must_use]
    pub const fn counts(&self) -> &Array2<u64> {
        &self.0
    }

    /// The table of two disjoint cohorts together, cell by cell (saturating).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where they have different numbers of classes.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        if self.0.dim() != other.0.dim() {
            return Err(NotEstimable::InvalidInput);
        }
        self.0.zip_mut_with(&other.0, |sum, count| *sum = sum.saturating_add(*count));
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn merging_adds_cells_and_needs_the_same_classes() {
        let two = CrossTable::new(array![[1, 2], [3, u64::MAX]]).unwrap();
        let sum = two.clone().merge(&two).unwrap();
        assert_eq!(sum.counts(), &array![[2, 4], [6, u64::MAX]]);
        let three = CrossTable::new(Array2::zeros((3, 3))).unwrap();
        assert_eq!(two.merge(&three), Err(NotEstimable::InvalidInput));
    }

    #[test]
    fn other_shapes_are_refused() {
        assert!(CrossTable::new(array![[1]]).is_err());
        assert!(CrossTable::new(array![[1, 2, 3], [4, 5, 6]]).is_err());
    }
}
