//! The random-effects model: mean, heterogeneity, test.
//!
//! ```text
//! w = 1 / (v + τ̂²),   μ̂ = Σwy / Σw,   q = Σw(y − μ̂)² / (k − 1)
//! Wald:           se² = 1 / Σw,             normal
//! Hartung–Knapp:  se² = q / Σw,             t with k − 1 degrees of freedom
//! modified:       se² = max(1, q) / Σw,     t with k − 1 degrees of freedom
//! ```
//!
//! # References
//!
//! - J. Hartung, G. Knapp (2001). Stat. Med. 20, 3875–3889.
//! - K. Sidik, J. N. Jonkman (2002). Stat. Med. 21, 3153–3159.
//! - G. Knapp, J. Hartung (2003). Stat. Med. 22, 2693–2710 (the modification).
//! - J. P. T. Higgins, S. G. Thompson (2002). Stat. Med. 21, 1539–1558 (I², H²).

use super::SiteEstimates;
use super::tau2::{self, Tau2, Tau2Method};
use super::weighted::Weighted;
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::interval::{critical_normal, critical_t};
use crate::special::{chi_square, normal, student_t};

/// How the mean is tested and its interval formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Test {
    /// Normal quantiles, τ² taken as known.
    Wald,
    /// Hartung–Knapp: t quantiles and a rescaled error, which may be narrower than Wald's.
    HartungKnapp,
    /// Hartung–Knapp with an error never below Wald's.
    ModifiedHartungKnapp,
}

/// A fitted random-effects model. `mu`, its errors and limits are on the analysis scale of the
/// input; variances are in its squared units; shares are fractions from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomEffects {
    /// Number of sites.
    pub k: usize,
    /// The mean over the population of sites.
    pub mu: f64,
    /// Its standard error, by the chosen test; 0 where all estimates are identical and the test is
    /// Hartung–Knapp's.
    pub se_mu: f64,
    /// Lower confidence limit of `mu`.
    pub ci_lower: f64,
    /// Upper confidence limit of `mu`.
    pub ci_upper: f64,
    /// Between-site variance.
    pub tau2: f64,
    /// Its asymptotic standard error.
    pub se_tau2: Option<f64>,
    /// Cochran's Q.
    pub q: f64,
    /// Its degrees of freedom, k − 1.
    pub q_df: usize,
    /// P(X ≥ Q) under homogeneity.
    pub q_p: f64,
    /// Share of the variance that lies between sites, `τ²/(τ² + s²)`, with s² the typical sampling
    /// variance `(k − 1) / (Σw − Σw²/Σw)` at w = 1/v: metafor's I².
    pub i2_from_tau2: f64,
    /// `max(0, (Q − (k − 1)) / Q)`: Higgins and Thompson's I². The two agree only under
    /// [`Tau2Method::DerSimonianLaird`].
    pub i2_from_q: f64,
    /// `τ²/s² + 1`.
    pub h2: f64,
    /// `mu / se_mu`; `None` where `se_mu` is 0.
    pub statistic: Option<f64>,
    /// Two-sided p-value of `statistic`; `None` with it.
    pub p: Option<f64>,
    /// Weights of the sites in input order; they sum to 1.
    pub weights: Vec<f64>,
    /// `1 / √Σw`, the error that Wald's test uses.
    pub se_wald: f64,
    /// Estimator and test, for example `reml_hartung_knapp`.
    pub method: &'static str,
}

/// Fits the random-effects model to at least two sites.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`] for one site; [`NotEstimable::NotConverged`];
/// [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::InvalidInput`] where the numbers are so
/// extreme that a result is not finite.
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{SiteEstimates, Tau2Method, Test, random_effects};
///
/// let logit_auroc = SiteEstimates::new(vec![2.1, 1.4, 2.6], vec![0.04, 0.06, 0.05])?;
/// let fit = random_effects(&logit_auroc, Tau2Method::PauleMandel, Test::Wald, 0.95)?;
/// assert!(fit.tau2 > 0.0 && fit.ci_lower < fit.mu && fit.mu < fit.ci_upper);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn random_effects(
    sites: &SiteEstimates,
    method: Tau2Method,
    test: Test,
    level: f64,
) -> Result<RandomEffects, NotEstimable> {
    let tau2 = tau2::estimate(sites, method)?;
    assemble(sites, tau2, test, level, name(method, test))
}

/// The primary analysis: REML with Hartung–Knapp, and with the modified form where τ̂² = 0.
///
/// At τ̂² = 0 the plain form can be many times narrower than the common-effect interval, which no
/// agreement between a few sites justifies.
///
/// # Errors
///
/// Those of [`random_effects`].
///
/// # References
///
/// - J. IntHout, J. P. A. Ioannidis, G. F. Borm (2014). BMC Med. Res. Methodol. 14, 25.
/// - C. Röver, G. Knapp, T. Friede (2015). BMC Med. Res. Methodol. 15, 99 (the modification).
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{SiteEstimates, primary};
///
/// let agreeing = SiteEstimates::new(vec![1.0, 1.01, 0.99], vec![0.04, 0.05, 0.06])?;
/// assert_eq!(primary(&agreeing, 0.95)?.method, "reml_modified_hartung_knapp");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn primary(sites: &SiteEstimates, level: f64) -> Result<RandomEffects, NotEstimable> {
    let tau2 = tau2::estimate(sites, Tau2Method::Reml)?;
    let test = if tau2.tau2 > 0.0 { Test::HartungKnapp } else { Test::ModifiedHartungKnapp };
    assemble(sites, tau2, test, level, name(Tau2Method::Reml, test))
}

fn assemble(
    sites: &SiteEstimates,
    Tau2 { tau2, se: se_tau2 }: Tau2,
    test: Test,
    level: f64,
    method: &'static str,
) -> Result<RandomEffects, NotEstimable> {
    let k = sites.k();
    let df = len_to_f64(k - 1);
    let (fixed, sums) = (Weighted::at(sites, 0.0), Weighted::at(sites, tau2));
    let se_wald = 1.0 / libm::sqrt(sums.sum_w);
    let (inflation, critical) = inflation_and_critical(test, sums.q / df, level, df)?;
    let se_mu = se_wald * libm::sqrt(inflation);
    let statistic = (se_mu > 0.0).then(|| sums.mean / se_mu);
    let typical = df / fixed.trace_p;
    let excess = fixed.q - df;
    let fit = RandomEffects {
        k,
        mu: sums.mean,
        se_mu,
        ci_lower: sums.mean - critical * se_mu,
        ci_upper: sums.mean + critical * se_mu,
        tau2,
        se_tau2: Some(se_tau2).filter(|se| se.is_finite()),
        q: fixed.q,
        q_df: k - 1,
        q_p: chi_square::upper_tail(fixed.q, df),
        i2_from_tau2: tau2 / (tau2 + typical),
        i2_from_q: if excess > 0.0 { excess / fixed.q } else { 0.0 },
        h2: tau2 / typical + 1.0,
        statistic,
        p: statistic.map(|statistic| two_sided_p(test, statistic, df)),
        weights: sites.vi().iter().map(|v| 1.0 / (v + tau2) / sums.sum_w).collect(),
        se_wald,
        method,
    };
    if is_finite(&fit) { Ok(fit) } else { Err(NotEstimable::InvalidInput) }
}

/// What the test multiplies Wald's variance with, and its critical value; `scale` is
/// `Σw(y − μ̂)² / (k − 1)`.
fn inflation_and_critical(
    test: Test,
    scale: f64,
    level: f64,
    df: f64,
) -> Result<(f64, f64), NotEstimable> {
    Ok(match test {
        Test::Wald => (1.0, critical_normal(level)?),
        Test::HartungKnapp => (scale, critical_t(level, df)?),
        Test::ModifiedHartungKnapp => (scale.max(1.0), critical_t(level, df)?),
    })
}

fn two_sided_p(test: Test, statistic: f64, df: f64) -> f64 {
    match test {
        Test::Wald => normal::two_sided_p(statistic),
        Test::HartungKnapp | Test::ModifiedHartungKnapp => student_t::two_sided_p(statistic, df),
    }
}

/// Whether all numbers are finite: extreme but finite input can overflow on the way.
fn is_finite(fit: &RandomEffects) -> bool {
    let numbers = [
        fit.mu,
        fit.se_mu,
        fit.ci_lower,
        fit.ci_upper,
        fit.tau2,
        fit.q,
        fit.q_p,
        fit.i2_from_tau2,
        fit.h2,
        fit.statistic.unwrap_or(0.0),
        fit.p.unwrap_or(0.0),
    ];
    numbers.iter().chain(&fit.weights).all(|number| number.is_finite())
}

fn name(method: Tau2Method, test: Test) -> &'static str {
    match (method, test) {
        (Tau2Method::Reml, Test::Wald) => "reml_wald",
        (Tau2Method::Reml, Test::HartungKnapp) => "reml_hartung_knapp",
        (Tau2Method::Reml, Test::ModifiedHartungKnapp) => "reml_modified_hartung_knapp",
        (Tau2Method::DerSimonianLaird, Test::Wald) => "dersimonian_laird_wald",
        (Tau2Method::DerSimonianLaird, Test::HartungKnapp) => "dersimonian_laird_hartung_knapp",
        (Tau2Method::DerSimonianLaird, Test::ModifiedHartungKnapp) => {
            "dersimonian_laird_modified_hartung_knapp"
        }
        (Tau2Method::PauleMandel, Test::Wald) => "paule_mandel_wald",
        (Tau2Method::PauleMandel, Test::HartungKnapp) => "paule_mandel_hartung_knapp",
        (Tau2Method::PauleMandel, Test::ModifiedHartungKnapp) => {
            "paule_mandel_modified_hartung_knapp"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_ends_of_what_one_can_hold_end_in_a_reason() {
        // Found by fuzzing: an overflown t statistic made its density loop for ever.
        let (tiny, huge) = (f64::MIN_POSITIVE, f64::MAX);
        for (yi, vi) in [
            (vec![1.0, 1.0, -118.0, 430.0], vec![1.0, 1.0, tiny, tiny]),
            (vec![huge, 1.0, 1.0], vec![1.0; 3]),
        ] {
            let sites = SiteEstimates::new(yi, vi).unwrap();
            for test in [Test::Wald, Test::HartungKnapp, Test::ModifiedHartungKnapp] {
                let fit = random_effects(&sites, Tau2Method::DerSimonianLaird, test, 0.95);
                assert!(fit.is_err() || fit.is_ok_and(|fit| fit.mu.is_finite()));
            }
        }
    }

    #[test]
    fn one_site_is_too_few() {
        let one = SiteEstimates::new(vec![1.0], vec![0.1]).unwrap();
        let reason = Err(NotEstimable::TooFewSites { k: 1, needed: 2 });
        for method in [Tau2Method::Reml, Tau2Method::DerSimonianLaird, Tau2Method::PauleMandel] {
            assert_eq!(random_effects(&one, method, Test::Wald, 0.95), reason);
        }
        assert_eq!(primary(&one, 0.95), reason);
    }

    #[test]
    fn identical_estimates_have_a_mean_but_no_statistic_under_hartung_knapp() {
        let sites = SiteEstimates::new(vec![0.7; 3], vec![0.11, 0.23, 0.07]).unwrap();
        let fit = random_effects(&sites, Tau2Method::Reml, Test::HartungKnapp, 0.95).unwrap();
        assert_eq!((fit.statistic, fit.p), (None, None));
        assert!(fit.se_mu.abs() < 1e-300 && (fit.q_p - 1.0).abs() < 1e-15);
        assert!(primary(&sites, 0.95).unwrap().se_mu > 0.1);
    }

    #[test]
    fn extreme_but_finite_input_never_yields_infinity() {
        let sites = SiteEstimates::new(vec![1e300, -1e300], vec![1e-300, 1e300]).unwrap();
        assert!(primary(&sites, 0.95).is_err());
    }
}
