//! Small symmetric systems of equations.
//!
//! Loops in one fixed order rather than a library's kernels, which pick their instructions, and with them
//! the last bits, by the machine.

use ndarray::{Array1, Array2};

/// A pivot below this share of its diagonal element is rounding: the matrix is singular.
const SINGULAR: f64 = 1e-14;

/// The lower factor of a symmetric, positive definite matrix.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    lower: Array2<f64>,
}

impl Cholesky {
    /// `None` where the square `matrix` is not positive definite to working precision.
    pub(crate) fn of(matrix: &Array2<f64>) -> Option<Self> {
        let size = matrix.nrows();
        let mut lower = Array2::zeros((size, size));
        for i in 0..size {
            for j in 0..=i {
                let known = (0..j).fold(0.0, |sum, k| sum + lower[[i, k]] * lower[[j, k]]);
                let rest = matrix[[i, j]] - known;
                if i > j {
                    lower[[i, j]] = rest / lower[[j, j]];
                } else if rest > SINGULAR * matrix[[i, i]].abs() {
                    lower[[i, i]] = libm::sqrt(rest);
                } else {
                    return None;
                }
            }
        }
        Some(Self { lower })
    }

    /// The solution x of `matrix · x = right`.
    pub(crate) fn solve(&self, right: &Array1<f64>) -> Array1<f64> {
        let size = right.len();
        let mut x = right.clone();
        for i in 0..size {
            let known = (0..i).fold(0.0, |sum, k| sum + self.lower[[i, k]] * x[k]);
            x[i] = (x[i] - known) / self.lower[[i, i]];
        }
        for i in (0..size).rev() {
            let known = (i + 1..size).fold(0.0, |sum, k| sum + self.lower[[k, i]] * x[k]);
            x[i] = (x[i] - known) / self.lower[[i, i]];
        }
        x
    }

    /// The inverse of the matrix.
    pub(crate) fn inverse(&self) -> Array2<f64> {
        let size = self.lower.nrows();
        let mut inverse = Array2::zeros((size, size));
        for j in 0..size {
            let unit = Array1::from_shape_fn(size, |i| f64::from(u8::from(i == j)));
            inverse.column_mut(j).assign(&self.solve(&unit));
        }
        inverse
    }

    /// The logarithm of the determinant.
    pub(crate) fn log_determinant(&self) -> f64 {
        2.0 * self.lower.diag().iter().fold(0.0, |sum, x| sum + libm::log(*x))
    }
}

/// `Σ a_i b_i`, from left to right.
pub(crate) fn inner(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_system_is_solved_and_its_matrix_inverted() {
        let matrix = array![[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]];
        let factor = Cholesky::of(&matrix).unwrap();
        let x = factor.solve(&array![1.0, 2.0, 3.0]);
        for i in 0..3 {
            let row = (0..3).fold(0.0, |sum, j| sum + matrix[[i, j]] * x[j]);
            assert!((row - [1.0, 2.0, 3.0][i]).abs() < 1e-14);
        }
        let inverse = factor.inverse();
        let unit = (0..3).fold(0.0, |sum, k| sum + matrix[[1, k]] * inverse[[k, 1]]);
        assert!((unit - 1.0).abs() < 1e-14);
        // 4·(15 − 1) − 2·(6 − 0.6) + 0.6·(2 − 3), along the first row.
        assert!((libm::exp(factor.log_determinant()) - 44.6).abs() < 1e-12);
    }

    #[test]
    fn a_singular_matrix_has_no_factor() {
        assert!(Cholesky::of(&array![[1.0, 2.0], [2.0, 4.0]]).is_none());
        assert!(Cholesky::of(&array![[-1.0]]).is_none());
        assert!(Cholesky::of(&array![[f64::NAN]]).is_none());
    }
}
