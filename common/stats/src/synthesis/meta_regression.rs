//! Meta-regression: does a property of sites explain why their results differ?
//!
//! ```text
//! y_i = x_i'β + u_i + e_i,   u_i ~ N(0, τ²),   e_i ~ N(0, v_i)
//! β̂ = (X'WX)⁻¹X'Wy,   W = diag(1 / (v_i + τ̂²)),   cov β̂ = (X'WX)⁻¹
//! ```
//!
//! with one τ² by REML. Under Knapp and Hartung the covariance is multiplied by `y'Py / (k − p)`, tests are
//! by t and F. Subgroups of sites are columns of 0 and 1, the first subgroup being the reference.
//!
//! # References
//!
//! - G. Knapp, J. Hartung (2003). Stat. Med. 22, 2693–2710.
//! - W. Viechtbauer (2010). J. Stat. Softw. 36(3) (metafor; the definitions of QE, QM, I² and R²).

use ndarray::{Array1, Array2};

use super::SiteEstimates;
use super::random_effects::Test;
use super::reml::{self, Terms};
use super::tau2::{self, Tau2Method};
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::linear::{Cholesky, inner};
use crate::special::{chi_square, f, normal, student_t};

/// The moderators of k sites: k × m finite numbers; a column of ones for the intercept goes before them.
#[derive(Debug, Clone, PartialEq)]
pub struct Moderators(Array2<f64>);

impl Moderators {
    /// Accepts one row for each site.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without a column, [`NotEstimable::InvalidInput`] where a number is not
    /// finite.
    pub fn new(values: Array2<f64>) -> Result<Self, NotEstimable> {
        if values.ncols() == 0 {
            return Err(NotEstimable::EmptyInput);
        }
        let all = values.iter().all(|x| x.is_finite());
        if all { Ok(Self(values)) } else { Err(NotEstimable::InvalidInput) }
    }

    /// Columns of 0 and 1 for subgroups, each site given by its subgroup's number from 0; the first subgroup
    /// is the reference and has no column.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] with fewer than two subgroups.
    pub fn of_groups(groups: &[usize]) -> Result<Self, NotEstimable> {
        let largest = groups.iter().copied().max().unwrap_or(0);
        let column =
            |(site, column): (usize, usize)| f64::from(u8::from(groups[site] == column + 1));
        Self::new(Array2::from_shape_fn((groups.len(), largest), column))
    }

    fn design(&self) -> Array2<f64> {
        let (k, m) = self.0.dim();
        Array2::from_shape_fn((k, m + 1), |(i, j)| if j == 0 { 1.0 } else { self.0[[i, j - 1]] })
    }
}

/// A fitted meta-regression, on the analysis scale of the estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct MetaRegression {
    /// Intercept and coefficients.
    pub coefficients: Vec<f64>,
    /// Their standard errors.
    pub se: Vec<f64>,
    /// Each coefficient by its error; `None` where the fit leaves no residual, and so no error.
    pub statistic: Vec<Option<f64>>,
    /// Two-sided p-values.
    pub p: Vec<Option<f64>>,
    /// Between-site variance that the moderators leave.
    pub tau2: f64,
    /// The test that no moderator matters: chi-square, or F under Hartung–Knapp;
    /// [`NotEstimable::ZeroVariance`] where the fit leaves no residual to judge it by.
    pub qm: Result<f64, NotEstimable>,
    /// Its degrees of freedom: the moderators; and the residual ones under Hartung–Knapp.
    pub qm_df: (usize, Option<usize>),
    /// Its p-value.
    pub qm_p: Result<f64, NotEstimable>,
    /// Residual heterogeneity at τ² = 0.
    pub qe: f64,
    /// Its p-value, with k − p degrees of freedom.
    pub qe_p: f64,
    /// Share of the unexplained variance that lies between sites.
    pub i2_from_tau2: f64,
    /// Share of τ² that the moderators explain, not below 0; [`NotEstimable::ZeroVariance`] where there is
    /// none to explain.
    pub r2: Result<f64, NotEstimable>,
}

/// Fits a meta-regression by REML.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where there is not one row for each site, or numbers are so extreme that a
/// result is not finite;
/// [`NotEstimable::TooFewSites`] unless sites outnumber coefficients;
/// [`NotEstimable::ConstantScore`] where a moderator is constant or a combination of others;
/// [`NotEstimable::NotConverged`].
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{Moderators, SiteEstimates, Test, meta_regression};
///
/// let logit_auroc = SiteEstimates::new(vec![2.1, 1.4, 2.6, 1.7], vec![0.04, 0.06, 0.05, 0.04])?;
/// let vendor = Moderators::of_groups(&[0, 1, 0, 1])?;
/// let fit = meta_regression(&logit_auroc, &vendor, Test::Wald)?;
/// assert!(fit.coefficients[1] < 0.0 && fit.qm_p? < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn meta_regression(
    sites: &SiteEstimates,
    moderators: &Moderators,
    test: Test,
) -> Result<MetaRegression, NotEstimable> {
    let design = moderators.design();
    let (k, columns) = design.dim();
    if k != sites.k() {
        return Err(NotEstimable::InvalidInput);
    }
    if k <= columns {
        return Err(NotEstimable::TooFewSites { k, needed: columns + 1 });
    }
    let model = Model { sites, design };
    let at_zero = model.at(0.0).ok_or(NotEstimable::ConstantScore)?;
    let tau2 = model.tau2()?;
    let fit = model.at(tau2).ok_or(NotEstimable::ConstantScore)?;
    let null = tau2::estimate(sites, Tau2Method::Reml)?.tau2;
    let residual_df = k - columns;
    let typical = len_to_f64(residual_df) / at_zero.trace_p;
    let tests = Tests::of(&fit, test, residual_df)?;
    let numbers = fit.coefficients.iter().chain(&tests.se).chain(tests.statistic.iter().flatten());
    if !numbers.chain(&tests.qm).chain([&at_zero.q, &tau2]).all(|x| x.is_finite()) {
        return Err(NotEstimable::InvalidInput);
    }
    Ok(MetaRegression {
        se: tests.se,
        statistic: tests.statistic,
        p: tests.p,
        qm: tests.qm,
        qm_df: (columns - 1, (test != Test::Wald).then_some(residual_df)),
        qm_p: tests.qm_p,
        coefficients: fit.coefficients.to_vec(),
        tau2,
        qe: at_zero.q,
        qe_p: chi_square::upper_tail(at_zero.q, len_to_f64(residual_df)),
        i2_from_tau2: tau2 / (typical + tau2),
        r2: explained(null, tau2),
    })
}

fn explained(null: f64, tau2: f64) -> Result<f64, NotEstimable> {
    if null > 0.0 {
        Ok((1.0 - tau2 / null).max(0.0))
    } else if tau2 > 0.0 {
        Ok(0.0)
    } else {
        Err(NotEstimable::ZeroVariance)
    }
}

struct Model<'s> {
    sites: &'s SiteEstimates,
    design: Array2<f64>,
}

/// The weighted least squares at one τ².
struct Fit {
    coefficients: Array1<f64>,
    covariance: Array2<f64>,
    /// `y'Py`.
    q: f64,
    /// `y'PPy`.
    q2: f64,
    trace_p: f64,
    log_determinant: f64,
    /// `y'Wy`.
    whole: f64,
}

/// A share of the whole that is rounding: the squares of digits that an f64 does not have.
const ROUNDING: f64 = 1e-29;

impl Fit {
    /// Whether the moderators explain everything: what is left is rounding.
    fn is_exact(&self) -> bool {
        self.q <= ROUNDING * self.whole
    }
}

impl Model<'_> {
    /// `None` where the columns of the design are not independent.
    fn at(&self, tau2: f64) -> Option<Fit> {
        let (k, columns) = self.design.dim();
        let weights: Vec<f64> = self.sites.vi().iter().map(|v| 1.0 / (v + tau2)).collect();
        let sum = |term: &dyn Fn(usize) -> f64| (0..k).fold(0.0, |sum, i| sum + term(i));
        let x = &self.design;
        let information = Array2::from_shape_fn((columns, columns), |(a, b)| {
            sum(&|i| weights[i] * x[[i, a]] * x[[i, b]])
        });
        let factor = Cholesky::of(&information)?;
        let y = self.sites.yi();
        let right = Array1::from_shape_fn(columns, |a| sum(&|i| weights[i] * x[[i, a]] * y[i]));
        let coefficients = factor.solve(&right);
        let residual = |i: usize| y[i] - inner(&x.row(i).to_owned(), &coefficients);
        let covariance = factor.inverse();
        let leverage = |i: usize| {
            let row = x.row(i).to_owned();
            weights[i] * inner(&row, &factor.solve(&row))
        };
        Some(Fit {
            q: sum(&|i| weights[i] * residual(i) * residual(i)),
            whole: sum(&|i| weights[i] * y[i] * y[i]),
            q2: sum(&|i| (weights[i] * residual(i)) * (weights[i] * residual(i))),
            trace_p: sum(&|i| weights[i] * (1.0 - leverage(i)).max(0.0)),
            log_determinant: factor.log_determinant(),
            coefficients,
            covariance,
        })
    }

    fn tau2(&self) -> Result<f64, NotEstimable> {
        // The columns were independent at τ² = 0; they are at every other.
        let terms = |t: f64| {
            let none = Terms { q2: f64::NAN, trace_p: f64::NAN };
            self.at(t).map_or(none, |fit| Terms { q2: fit.q2, trace_p: fit.trace_p })
        };
        let height = |t: f64| {
            let logs = self.sites.vi().iter().fold(0.0, |sum, v| sum + libm::log(v + t));
            self.at(t).map_or(f64::NEG_INFINITY, |fit| -(logs + fit.log_determinant + fit.q))
        };
        reml::highest(terms, height, reml::bound(self.sites, |t| terms(t).score())?)
    }
}

struct Tests {
    se: Vec<f64>,
    statistic: Vec<Option<f64>>,
    p: Vec<Option<f64>>,
    qm: Result<f64, NotEstimable>,
    qm_p: Result<f64, NotEstimable>,
}

impl Tests {
    fn of(fit: &Fit, test: Test, residual_df: usize) -> Result<Self, NotEstimable> {
        let df = len_to_f64(residual_df);
        let scale = match test {
            Test::Wald => 1.0,
            Test::HartungKnapp if fit.is_exact() => 0.0,
            Test::HartungKnapp => fit.q / df,
            Test::ModifiedHartungKnapp => (fit.q / df).max(1.0),
        };
        let se: Vec<f64> = fit.covariance.diag().iter().map(|v| libm::sqrt(scale * v)).collect();
        let by_error = |(b, se): (&f64, &f64)| (*se > 0.0).then(|| b / se);
        let statistic: Vec<Option<f64>> = fit.coefficients.iter().zip(&se).map(by_error).collect();
        let p_of = |t: &Option<f64>| {
            t.map(|t| match test {
                Test::Wald => normal::two_sided_p(t),
                Test::HartungKnapp | Test::ModifiedHartungKnapp => student_t::two_sided_p(t, df),
            })
        };
        let m = fit.coefficients.len() - 1;
        let moderators = Array1::from_shape_fn(m, |j| fit.coefficients[j + 1]);
        let covariance = Array2::from_shape_fn((m, m), |(a, b)| fit.covariance[[a + 1, b + 1]]);
        let factor = Cholesky::of(&covariance).ok_or(NotEstimable::ConstantScore)?;
        let wald = inner(&moderators, &factor.solve(&moderators));
        let wald = if scale > 0.0 { Ok(wald / scale) } else { Err(NotEstimable::ZeroVariance) };
        let (qm, qm_p) = match test {
            Test::Wald => (wald, wald.map(|wald| chi_square::upper_tail(wald, len_to_f64(m)))),
            Test::HartungKnapp | Test::ModifiedHartungKnapp => {
                let ratio = wald.map(|wald| wald / len_to_f64(m));
                (ratio, ratio.map(|ratio| f::upper_tail(ratio, len_to_f64(m), df)))
            }
        };
        Ok(Self { p: statistic.iter().map(p_of).collect(), se, statistic, qm, qm_p })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn sites() -> SiteEstimates {
        SiteEstimates::new(vec![1.0, 2.0, 4.0, 3.0], vec![0.5, 0.4, 0.6, 0.5]).unwrap()
    }

    #[test]
    fn a_constant_moderator_explains_nothing() {
        let constant = Moderators::new(array![[7.0], [7.0], [7.0], [7.0]]).unwrap();
        let refused = meta_regression(&sites(), &constant, Test::Wald);
        assert_eq!(refused, Err(NotEstimable::ConstantScore));
    }

    #[test]
    fn sites_must_outnumber_coefficients() {
        let many = Moderators::of_groups(&[0, 1, 2, 3]).unwrap();
        let refused = meta_regression(&sites(), &many, Test::Wald);
        assert_eq!(refused, Err(NotEstimable::TooFewSites { k: 4, needed: 5 }));
        let short = Moderators::of_groups(&[0, 1]).unwrap();
        assert_eq!(meta_regression(&sites(), &short, Test::Wald), Err(NotEstimable::InvalidInput));
    }

    #[test]
    fn identical_sites_leave_no_residual_to_test_by() {
        let sites = SiteEstimates::new(vec![0.3; 4], vec![0.1, 0.2, 0.3, 0.1]).unwrap();
        let groups = Moderators::of_groups(&[0, 1, 0, 1]).unwrap();
        let fit = meta_regression(&sites, &groups, Test::HartungKnapp).unwrap();
        assert_eq!((fit.qm, fit.statistic), (Err(NotEstimable::ZeroVariance), vec![None, None]));
        assert!((fit.coefficients[0] - 0.3).abs() < 1e-15);
        assert!(meta_regression(&sites, &groups, Test::Wald).unwrap().qm.unwrap() < 1e-12);
    }

    #[test]
    fn shifting_a_moderator_moves_the_intercept_alone() {
        let fit = |shift: f64| {
            let years =
                Moderators::new(array![[1.0], [2.0], [3.0], [5.0]].mapv(|x: f64| x + shift));
            meta_regression(&sites(), &years.unwrap(), Test::HartungKnapp).unwrap()
        };
        let (here, there) = (fit(0.0), fit(10.0));
        assert!((here.coefficients[1] - there.coefficients[1]).abs() < 1e-10);
        assert!(
            (here.tau2 - there.tau2).abs() < 1e-9
                && (here.qm.unwrap() - there.qm.unwrap()).abs() < 1e-8
        );
    }
}
