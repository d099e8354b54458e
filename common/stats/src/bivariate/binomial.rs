//! The exact-binomial bivariate model.
//!
//! ```text
//! TP_i ~ Bin(n⁺_i, expit(μ₁ + u₁)),   TN_i ~ Bin(n⁻_i, expit(μ₂ + u₂)),   u_i ~ N(0, Ψ)
//! ```
//!
//! by maximum likelihood, the integral over u by Laplace's approximation. With `u = L z` the mode in z
//! exists whatever Ψ is, its boundary too. Errors of the means come from the curvature of the likelihood in
//! all parameters, or in the means alone where Ψ lies on its boundary.
//!
//! Few sites often leave Ψ singular, with a correlation of ±1. The search then needs several starts: lme4 1.1-31,
//! with its usual optimiser, stops at a saddle point of the sites in the tests below, where a variance of 0
//! makes the slope 0 too, and finds this higher point from another start.

use ndarray::Array2;

use super::{Matrix, covariance};
use crate::NotEstimable;
use crate::aggregate::TwoByTwo;
use crate::count::count_to_f64;
use crate::descent::{Minimum, central_gradient, descend, lowest};
use crate::linear::Cholesky;
use crate::scale::{expit, log1p_exp, logit};

/// Standard deviation of both logits and their correlation that the search begins from; the last one finds
/// sites that hardly differ, beside which a large one hides the others.
const STARTS: [(f64, f64); 4] = [(0.4, 0.0), (0.4, -0.7), (0.4, 0.7), (0.01, 0.0)];

/// Newton steps towards a site's mode.
const MAX_STEPS: u32 = 100;

/// A step below this is none.
const SMALLEST_STEP: f64 = 1e-12;

/// Below this Newton's step is taken whole: rounding alone would tell a shorter one to be better, and the
/// determinant at the mode is as wrong as the mode.
const NEAR: f64 = 1e-5;

/// Width of the differences that the curvature is formed with.
const WIDTH: f64 = 1e-3;

/// A fitted binomial model, on the logit scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BivariateBinomial {
    /// Number of sites.
    pub k: usize,
    /// Mean logit sensitivity and mean logit specificity.
    pub mean: [f64; 2],
    /// Their standard errors.
    pub se: [f64; 2],
    /// Between-site covariance of both logits.
    pub between: [[f64; 2]; 2],
}

/// Fits the model to the tables of at least two sites.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`]; [`NotEstimable::OneClassOnly`] where a site has no positives or no
/// negatives; [`NotEstimable::EmptyErrorCell`] where all sites together have no error, or nothing but
/// errors, of one kind; [`NotEstimable::NotConverged`].
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::TwoByTwo;
/// use fedval_stats::bivariate::binomial;
///
/// let table = |tp, fn_, fp, tn| TwoByTwo { tp, fn_, fp, tn };
/// let fit = binomial(&[table(20, 0, 4, 36), table(45, 9, 33, 210), table(12, 5, 2, 30)])?;
/// assert!(fit.mean[0] > 1.0 && fit.mean[1] > 1.5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn binomial(sites: &[TwoByTwo]) -> Result<BivariateBinomial, NotEstimable> {
    let k = sites.len();
    if k < 2 {
        return Err(NotEstimable::TooFewSites { k, needed: 2 });
    }
    if sites.iter().any(|site| site.n_pos() == 0 || site.n_neg() == 0) {
        return Err(NotEstimable::OneClassOnly);
    }
    let pooled = sites.iter().fold(TwoByTwo::default(), |sum, site| sum.merge(*site));
    if [pooled.tp, pooled.fn_, pooled.fp, pooled.tn].contains(&0) {
        return Err(NotEstimable::EmptyErrorCell);
    }
    let share = |x: u64, n: u64| logit(count_to_f64(x) / count_to_f64(n));
    let start = [share(pooled.tp, pooled.n_pos()), share(pooled.tn, pooled.n_neg())];
    let model = Model { sites: sites.iter().map(Site::of).collect() };
    let best = model.best(start).ok_or(NotEstimable::NotConverged)?;
    let [first, second, a, b, c] = best.at;
    Ok(BivariateBinomial {
        k,
        mean: [first, second],
        se: model.errors(&best.at).ok_or(NotEstimable::NotConverged)?,
        between: covariance([a, b, c]),
    })
}

/// Right calls and cases of both classes.
struct Site {
    x: [f64; 2],
    n: [f64; 2],
}

impl Site {
    fn of(table: &TwoByTwo) -> Self {
        Self {
            x: [table.tp, table.tn].map(count_to_f64),
            n: [table.n_pos(), table.n_neg()].map(count_to_f64),
        }
    }

    /// The log of the integrand at z, up to a constant.
    fn integrand(&self, at: &[f64; 5], z: [f64; 2]) -> f64 {
        let eta = linear(at, z);
        let part = |j: usize| self.x[j] * eta[j] - self.n[j] * log1p_exp(eta[j]);
        part(0) + part(1) - f64::midpoint(z[0] * z[0], z[1] * z[1])
    }

    /// Gradient of the integrand's log in z, and minus its Hessian.
    #[expect(clippy::many_single_char_names, reason = "the symbols of the model above")]
    fn derivatives(&self, at: &[f64; 5], z: [f64; 2]) -> ([f64; 2], Matrix) {
        let [_, _, a, b, c] = *at;
        let eta = linear(at, z);
        let p = eta.map(expit);
        let rest = [self.x[0] - self.n[0] * p[0], self.x[1] - self.n[1] * p[1]];
        let weight = [self.n[0] * p[0] * (1.0 - p[0]), self.n[1] * p[1] * (1.0 - p[1])];
        let gradient = [a * rest[0] + b * rest[1] - z[0], c * rest[1] - z[1]];
        let cross = b * c * weight[1];
        let hessian = [
            [1.0 + a * a * weight[0] + b * b * weight[1], cross],
            [cross, 1.0 + c * c * weight[1]],
        ];
        (gradient, hessian)
    }

    /// Laplace's approximation of the log-likelihood: at the mode, which is the only one.
    fn log_likelihood(&self, at: &[f64; 5]) -> f64 {
        let mut z = [0.0; 2];
        let mut height = self.integrand(at, z);
        for _ in 0..MAX_STEPS {
            let (gradient, hessian) = self.derivatives(at, z);
            let Some(inverse) = super::inverse(&hessian) else { return f64::NEG_INFINITY };
            let step = super::times(&inverse, gradient);
            let is_near = step[0].abs() + step[1].abs() < NEAR;
            let mut length = 1.0;
            let (next, next_height) = loop {
                let next = [z[0] + length * step[0], z[1] + length * step[1]];
                let next_height = self.integrand(at, next);
                if is_near || next_height >= height || length < SMALLEST_STEP {
                    break (next, next_height);
                }
                length /= 2.0;
            };
            let moved = (next[0] - z[0]).abs() + (next[1] - z[1]).abs();
            (z, height) = (next, next_height);
            if moved < SMALLEST_STEP * (1.0 + z[0].abs() + z[1].abs()) {
                break;
            }
        }
        let (_, hessian) = self.derivatives(at, z);
        height - libm::log(super::determinant(&hessian)) / 2.0
    }
}

/// The log-odds of both classes' right calls.
fn linear(&[first, second, a, b, c]: &[f64; 5], z: [f64; 2]) -> [f64; 2] {
    [first + a * z[0], second + b * z[0] + c * z[1]]
}

struct Model {
    sites: Vec<Site>,
}

impl Model {
    fn best(&self, start: [f64; 2]) -> Option<Minimum<5>> {
        let height = |at: &[f64; 5]| self.height(at);
        let from = |(sd, rho): (f64, f64)| {
            let rest = libm::sqrt(1.0 - rho * rho) * sd;
            let start = [start[0], start[1], sd, rho * sd, rest];
            descend(height, |at| central_gradient(height, at), start)
        };
        lowest(STARTS.iter().filter_map(|start| from(*start)))
    }

    /// Minus the log-likelihood, up to a constant.
    fn height(&self, at: &[f64; 5]) -> f64 {
        -self.sites.iter().fold(0.0, |sum, site| sum + site.log_likelihood(at))
    }

    fn errors(&self, at: &[f64; 5]) -> Option<[f64; 2]> {
        // Without a variance of the first, b and c can be turned into each other: the likelihood is flat.
        let whole = if at[2].abs() > WIDTH { self.inverse_curvature(at, 5) } else { None };
        let inverse = whole.or_else(|| self.inverse_curvature(at, 2))?;
        Some([libm::sqrt(inverse[[0, 0]]), libm::sqrt(inverse[[1, 1]])])
    }

    /// The inverse of the curvature in the first parameters.
    fn inverse_curvature(&self, at: &[f64; 5], parameters: usize) -> Option<Array2<f64>> {
        let beside = |i: usize, j: usize, by: (f64, f64)| {
            let mut point = *at;
            point[i] += by.0 * WIDTH;
            point[j] += by.1 * WIDTH;
            self.height(&point)
        };
        let curvature = Array2::from_shape_fn((parameters, parameters), |(i, j)| {
            let corners =
                beside(i, j, (1.0, 1.0)) - beside(i, j, (1.0, -1.0)) - beside(i, j, (-1.0, 1.0))
                    + beside(i, j, (-1.0, -1.0));
            corners / (4.0 * WIDTH * WIDTH)
        });
        Some(Cholesky::of(&curvature)?.inverse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(tp: u64, fn_: u64, fp: u64, tn: u64) -> TwoByTwo {
        TwoByTwo { tp, fn_, fp, tn }
    }

    #[test]
    fn sites_that_agree_have_no_variance_between_them() {
        let fit = binomial(&[table(80, 20, 30, 270), table(40, 10, 10, 90)]).unwrap();
        assert!((expit(fit.mean[0]) - 0.8).abs() < 1e-5 && (expit(fit.mean[1]) - 0.9).abs() < 1e-5);
        assert!(fit.between[0][0] < 1e-4 && fit.between[1][1] < 1e-4);
        // The error of one proportion of all cases.
        assert!((fit.se[0] - 1.0 / (150.0_f64 * 0.16).sqrt()).abs() < 1e-4);
    }

    #[test]
    fn an_empty_cell_leaves_an_exact_curvature() {
        // By a Hessian in another language, at three widths: 2.0659.
        let sites = [
            table(40, 10, 0, 60),
            table(30, 12, 3, 80),
            table(55, 9, 1, 100),
            table(25, 11, 6, 40),
            table(70, 20, 0, 90),
        ];
        let fit = binomial(&sites).unwrap();
        let jittered = Model { sites: sites.iter().map(Site::of).collect() };
        let at = [fit.mean[0], fit.mean[1], 0.2, 0.1, 1.0];
        // Neighbouring points differ by what the slope says, and by no noise.
        let height = |by: f64| jittered.height(&[at[0], at[1] + by, at[2], at[3], at[4]]);
        let second =
            |width: f64| (height(width) - 2.0 * height(0.0) + height(-width)) / width.powi(2);
        assert!((second(1e-3) / second(4e-3) - 1.0).abs() < 1e-4, "{}", second(1e-3));
    }

    #[test]
    fn a_saddle_point_is_not_taken_for_the_maximum() {
        let sites = [
            table(88, 12, 40, 360),
            table(45, 9, 33, 210),
            table(120, 22, 71, 540),
            table(31, 11, 9, 80),
            table(200, 31, 150, 1050),
            table(76, 4, 61, 339),
            table(19, 6, 12, 60),
            table(64, 8, 18, 242),
        ];
        let fit = binomial(&sites).unwrap();
        // lme4 from theta = (0.2, −0.13, 0.01).
        let (wanted, between) = ([1.823_900_9, 2.018_351_9], [0.045_116_3, 0.017_494_0]);
        for (got, wanted) in fit.mean.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-5, "{got} {wanted}");
        }
        assert!((fit.between[0][0] - between[0]).abs() < 1e-5);
        assert!((fit.between[1][1] - between[1]).abs() < 1e-5);
    }

    #[test]
    fn what_cannot_be_fitted_has_its_reason() {
        let perfect = [table(10, 0, 4, 30), table(20, 0, 3, 40)];
        assert_eq!(binomial(&perfect), Err(NotEstimable::EmptyErrorCell));
        assert_eq!(binomial(&perfect[..1]), Err(NotEstimable::TooFewSites { k: 1, needed: 2 }));
        let healthy = [table(10, 1, 4, 30), table(0, 0, 4, 30)];
        assert_eq!(binomial(&healthy), Err(NotEstimable::OneClassOnly));
    }
}
