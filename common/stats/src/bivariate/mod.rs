//! Sensitivity and specificity together, over sites.
//!
//! A site that calls more freely has a higher sensitivity and a lower specificity: the two are synthesised
//! jointly, with their correlation over sites.
//!
//! - [`reitsma`]: the logits of sensitivity and false-positive rate as bivariate normal, by REML; the
//!   summary ROC curve of it is [`Hsroc`].
//!   What they mean to a patient: [`PredictiveValues`], [`LikelihoodRatios`].
//! - [`binomial`]: the exact-binomial model, for sites with few cases or an empty cell.
//!
//! # References
//!
//! - J. B. Reitsma et al. (2005). J. Clin. Epidemiol. 58, 982–990.
//! - H. Chu, S. R. Cole (2006). J. Clin. Epidemiol. 59, 1331–1332 (the binomial model).
//! - R. M. Harbord et al. (2007). Biostatistics 8, 239–251 (HSROC and bivariate are one).

mod binomial;
mod hsroc;
mod predictive_values;
mod reitsma;

pub use binomial::{BivariateBinomial, binomial};
pub use hsroc::Hsroc;
pub use predictive_values::{LikelihoodRatios, PredictiveValues};
pub use reitsma::{Bivariate, reitsma};

/// A symmetric 2 × 2 matrix.
type Matrix = [[f64; 2]; 2];

/// Whether sites do not differ: what a search leaves of a variance that is 0.
fn vanishes(variance: f64) -> bool {
    variance < 1e-9
}

/// `L L'` with the lower factor `[[a, 0], [b, c]]`: any covariance, its boundary too.
fn covariance([a, b, c]: [f64; 3]) -> Matrix {
    [[a * a, a * b], [a * b, b * b + c * c]]
}

fn determinant(m: &Matrix) -> f64 {
    m[0][0] * m[1][1] - m[0][1] * m[1][0]
}

/// `None` where the matrix is singular.
fn inverse(m: &Matrix) -> Option<Matrix> {
    let determinant = determinant(m);
    if determinant <= 0.0 || !determinant.is_finite() {
        return None;
    }
    Some([
        [m[1][1] / determinant, -m[0][1] / determinant],
        [-m[1][0] / determinant, m[0][0] / determinant],
    ])
}

fn times(m: &Matrix, x: [f64; 2]) -> [f64; 2] {
    [m[0][0] * x[0] + m[0][1] * x[1], m[1][0] * x[0] + m[1][1] * x[1]]
}

fn add(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] + b[i][j]))
}
