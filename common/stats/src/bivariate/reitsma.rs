//! The bivariate normal model.
//!
//! ```text
//! (logit sens_i, logit fpr_i) ~ N(μ, Ψ + S_i),   S_i = diag(1/TP + 1/FN, 1/FP + 1/TN)
//! ```
//!
//! Where any cell of any site is empty, ½ is added to every cell of every site. Ψ is found by its lower
//! factor, so that correlations of ±1 and variances of 0 are points like others, from several starts.

use std::f64::consts::TAU;

use super::hsroc::Hsroc;
use super::{Matrix, add, covariance, determinant, inverse, times, vanishes};
use crate::NotEstimable;
use crate::aggregate::TwoByTwo;
use crate::count::{count_to_f64, len_to_f64};
use crate::descent::{Minimum, descend, lowest};
use crate::interval::{Interval, critical_normal};
use crate::scale::{expit, log1p_exp, logit};
use crate::synthesis::{SiteEstimates, Tau2Method, tau2_of};

/// Correlations that the search begins from.
const STARTS: [f64; 5] = [0.0, -0.8, 0.8, -0.4, 0.4];

/// The smallest standard deviation that the search begins from.
const SMALLEST_START: f64 = 0.05;

/// A fitted bivariate model, on the logit scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bivariate {
    /// Number of sites.
    pub k: usize,
    /// Whether ½ was added to every cell.
    pub is_corrected: bool,
    /// Mean logit sensitivity and mean logit false-positive rate.
    pub mean: [f64; 2],
    /// The covariance of the two means.
    pub covariance: [[f64; 2]; 2],
    /// Between-site covariance Ψ of the two.
    pub between: [[f64; 2]; 2],
    /// The restricted log-likelihood of the observed rates, not of their logits: as mada gives it, which
    /// compares transformations by it.
    pub log_likelihood: f64,
}

impl Bivariate {
    /// Mean sensitivity with its Wald interval, back from the logit scale.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::LevelOutOfRange`].
    pub fn sensitivity(&self, level: f64) -> Result<Interval, NotEstimable> {
        let se = libm::sqrt(self.covariance[0][0]);
        Ok(Interval::wald(self.mean[0], se, level)?.map_increasing(expit))
    }

    /// Mean specificity with its Wald interval, back from the logit scale.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::LevelOutOfRange`].
    pub fn specificity(&self, level: f64) -> Result<Interval, NotEstimable> {
        let half_width = critical_normal(level)? * libm::sqrt(self.covariance[1][1]);
        let of = |logit_fpr: f64| expit(-logit_fpr);
        Ok(Interval {
            estimate: of(self.mean[1]),
            lower: of(self.mean[1] + half_width),
            upper: of(self.mean[1] - half_width),
            level,
        })
    }

    /// The correlation of sensitivity and false-positive rate over sites.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::ZeroVariance`] where one of them does not vary between sites.
    pub fn correlation(&self) -> Result<f64, NotEstimable> {
        if vanishes(self.between[0][0]) || vanishes(self.between[1][1]) {
            return Err(NotEstimable::ZeroVariance);
        }
        let product = self.between[0][0] * self.between[1][1];
        Ok((self.between[0][1] / libm::sqrt(product)).clamp(-1.0, 1.0))
    }

    /// The same model as a hierarchical summary ROC curve.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::ZeroVariance`] where one of both does not vary between sites: no curve runs through a
    /// point.
    pub fn hsroc(&self) -> Result<Hsroc, NotEstimable> {
        Hsroc::of(self.mean, &self.between)
    }
}

/// Fits the bivariate model to the tables of at least two sites.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`]; [`NotEstimable::OneClassOnly`] where a site has no positives or no
/// negatives; [`NotEstimable::NotConverged`].
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::TwoByTwo;
/// use fedval_stats::bivariate::reitsma;
///
/// let table = |tp, fn_, fp, tn| TwoByTwo { tp, fn_, fp, tn };
/// let fit = reitsma(&[table(88, 12, 40, 360), table(45, 9, 33, 210), table(61, 20, 25, 300)])?;
/// assert!(fit.sensitivity(0.95)?.estimate > 0.75 && fit.specificity(0.95)?.estimate > 0.85);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn reitsma(sites: &[TwoByTwo]) -> Result<Bivariate, NotEstimable> {
    let k = sites.len();
    if k < 2 {
        return Err(NotEstimable::TooFewSites { k, needed: 2 });
    }
    if sites.iter().any(|site| site.n_pos() == 0 || site.n_neg() == 0) {
        return Err(NotEstimable::OneClassOnly);
    }
    let is_empty = |site: &TwoByTwo| [site.tp, site.fn_, site.fp, site.tn].contains(&0);
    let is_corrected = sites.iter().any(is_empty);
    let rows: Vec<Row> = sites.iter().map(|site| Row::of(site, is_corrected)).collect();
    let model = Model { rows };
    let best = model.maximum()?;
    let between = covariance(best.at);
    let fit = model.at(&between).ok_or(NotEstimable::NotConverged)?;
    Ok(Bivariate {
        k,
        is_corrected,
        mean: fit.mean,
        covariance: fit.covariance,
        between,
        log_likelihood: model.jacobian() - best.value - (len_to_f64(k) - 1.0) * libm::log(TAU),
    })
}

/// One site's logits and their variances.
struct Row {
    y: [f64; 2],
    v: [f64; 2],
}

impl Row {
    fn of(table: &TwoByTwo, is_corrected: bool) -> Self {
        let extra = if is_corrected { 0.5 } else { 0.0 };
        let one = |x: u64, n: u64| {
            let (x, rest) = (count_to_f64(x) + extra, count_to_f64(n - x) + extra);
            (logit(x / (x + rest)), 1.0 / x + 1.0 / rest)
        };
        let (sens, v_sens) = one(table.tp, table.n_pos());
        let (fpr, v_fpr) = one(table.fp, table.n_neg());
        Self { y: [sens, fpr], v: [v_sens, v_fpr] }
    }
}

struct Model {
    rows: Vec<Row>,
}

/// The generalised least squares at one Ψ.
struct Fit {
    mean: [f64; 2],
    covariance: Matrix,
    weights: Vec<Matrix>,
}

impl Model {
    fn at(&self, between: &Matrix) -> Option<Fit> {
        let weight = |row: &Row| inverse(&add(between, &[[row.v[0], 0.0], [0.0, row.v[1]]]));
        let weights: Vec<Matrix> = self.rows.iter().map(weight).collect::<Option<_>>()?;
        let total = weights.iter().fold([[0.0; 2]; 2], |sum, w| add(&sum, w));
        let right = weights.iter().zip(&self.rows).fold([0.0; 2], |sum, (w, row)| {
            let own = times(w, row.y);
            [sum[0] + own[0], sum[1] + own[1]]
        });
        let covariance = inverse(&total)?;
        Some(Fit { mean: times(&covariance, right), covariance, weights })
    }

    /// Minus the restricted log-likelihood, without its constant.
    fn height(&self, factor: &[f64; 3]) -> f64 {
        let Some(fit) = self.at(&covariance(*factor)) else { return f64::INFINITY };
        let rows = fit.weights.iter().zip(&self.rows);
        let sum = rows.fold(0.0, |sum, (w, row)| {
            let r = [row.y[0] - fit.mean[0], row.y[1] - fit.mean[1]];
            let wr = times(w, r);
            sum + r[0] * wr[0] + r[1] * wr[1] - libm::log(determinant(w))
        });
        (sum - libm::log(determinant(&fit.covariance))) / 2.0
    }

    /// Its gradient: with `G = ½ Σ (W − W A W − W r r' W)`, twice the lower part of `G L`.
    fn slope(&self, factor: &[f64; 3]) -> [f64; 3] {
        let Some(fit) = self.at(&covariance(*factor)) else { return [f64::NAN; 3] };
        let mut g = [[0.0; 2]; 2];
        for (w, row) in fit.weights.iter().zip(&self.rows) {
            let r = [row.y[0] - fit.mean[0], row.y[1] - fit.mean[1]];
            let wr = times(w, r);
            for i in 0..2 {
                let aw = times(&fit.covariance, [w[0][i], w[1][i]]);
                let waw = times(w, aw);
                for j in 0..2 {
                    g[j][i] += (w[j][i] - waw[j] - wr[j] * wr[i]) / 2.0;
                }
            }
        }
        let [a, b, c] = *factor;
        [2.0 * (g[0][0] * a + g[0][1] * b), 2.0 * (g[1][0] * a + g[1][1] * b), 2.0 * g[1][1] * c]
    }

    /// The log of how much the logit stretches the observed rates.
    fn jacobian(&self) -> f64 {
        let logits = self.rows.iter().flat_map(|row| row.y);
        logits.fold(0.0, |sum, y| sum + log1p_exp(y) + log1p_exp(-y))
    }

    fn maximum(&self) -> Result<Minimum<3>, NotEstimable> {
        let sd = |which: usize| {
            let (yi, vi) = self.rows.iter().map(|row| (row.y[which], row.v[which])).unzip();
            let sites = SiteEstimates::new(yi, vi).map_err(|_| NotEstimable::InvalidInput)?;
            let tau2 = tau2_of(&sites, Tau2Method::Reml)?;
            Ok(libm::sqrt(tau2).max(SMALLEST_START))
        };
        let (sens, fpr) = (sd(0)?, sd(1)?);
        let from = |rho: f64| {
            let start = [sens, rho * fpr, libm::sqrt(1.0 - rho * rho) * fpr];
            descend(|at| self.height(at), |at| self.slope(at), start)
        };
        lowest(STARTS.iter().filter_map(|rho| from(*rho))).ok_or(NotEstimable::NotConverged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descent::central_gradient;

    fn table(tp: u64, fn_: u64, fp: u64, tn: u64) -> TwoByTwo {
        TwoByTwo { tp, fn_, fp, tn }
    }

    #[test]
    fn the_gradient_is_that_of_the_likelihood() {
        let sites = [table(88, 12, 40, 360), table(45, 9, 33, 210), table(30, 25, 5, 90)];
        let model = Model { rows: sites.iter().map(|site| Row::of(site, false)).collect() };
        let at = [0.4, -0.2, 0.3];
        let by_differences = central_gradient(|at| model.height(at), &at);
        for (analytic, numeric) in model.slope(&at).iter().zip(by_differences) {
            assert!((analytic - numeric).abs() < 1e-6, "{analytic} {numeric}");
        }
    }

    #[test]
    fn an_empty_cell_corrects_every_site() {
        let fit =
            reitsma(&[table(10, 0, 4, 30), table(20, 5, 6, 50), table(15, 6, 3, 40)]).unwrap();
        assert!(fit.is_corrected);
    }

    #[test]
    fn what_cannot_be_fitted_has_its_reason() {
        let one = [table(10, 1, 4, 30)];
        assert_eq!(reitsma(&one), Err(NotEstimable::TooFewSites { k: 1, needed: 2 }));
        let healthy = [table(10, 1, 4, 30), table(0, 0, 4, 30)];
        assert_eq!(reitsma(&healthy), Err(NotEstimable::OneClassOnly));
    }
}
