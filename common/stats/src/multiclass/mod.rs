//! Several classes: one against the rest, one against another, and the table of calls.
//!
//! [`one_versus_rest`] gives the AUROC of each class with their joint covariance, and so the error of the
//! macro average; [`hand_till`] averages over pairs of classes; a
//! [`CrossTable`](crate::aggregate::CrossTable) of calls gives accuracy, F1 and Matthews' correlation.

mod confusion;
mod hand_till;
mod one_versus_rest;

pub use hand_till::hand_till;
pub use one_versus_rest::{OneVersusRest, OneVersusRestSums, one_versus_rest};

use ndarray::Array2;

use crate::NotEstimable;

/// Cases of K ≥ 2 classes: the class of each, from 0, and n × K scores as integer keys of which only
/// order and equality matter within a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassScores {
    class: Vec<usize>,
    rank_keys: Array2<i64>,
}

impl ClassScores {
    /// Pairs classes with scores.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without cases; [`NotEstimable::InvalidInput`] with fewer than two
    /// classes, another number of rows, or a class without a column.
    pub fn new(class: Vec<usize>, rank_keys: Array2<i64>) -> Result<Self, NotEstimable> {
        if class.is_empty() {
            return Err(NotEstimable::EmptyInput);
        }
        let (n, k) = rank_keys.dim();
        let is_whole = n == class.len() && k >= 2 && class.iter().all(|class| *class < k);
        if is_whole { Ok(Self { class, rank_keys }) } else { Err(NotEstimable::InvalidInput) }
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.rank_keys.ncols()
    }

    /// Cases of each class.
    #[must_use]
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes = vec![0; self.classes()];
        for class in &self.class {
            sizes[*class] += 1;
        }
        sizes
    }
}
