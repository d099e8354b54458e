//! Maximisation of the marginal likelihood over mu and τ.

use super::BinomialGlmm;
use super::hermite::{NODES, Node, nodes};
use super::site::{Derivatives, Site};
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::critical_t;
use crate::root::brent;
use crate::scale::logit;

/// The largest τ considered: at 20 a site's proportion is practically 0 or 1, and sites that still
/// ask for more have no finite estimate.
const LARGEST_TAU: f64 = 20.0;

/// The smallest τ of the grid; below it the likelihood is that of τ = 0 to eight digits.
const SMALLEST_TAU: f64 = 1e-4;

/// Grid points between them: neighbours differ by a fifth.
const GRID: u32 = 64;

/// Doublings in search of a bracket for mu.
const MAX_DOUBLINGS: u32 = 60;

/// Fits the model to the counts `(x, n)` of at least two sites.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`]; [`NotEstimable::EmptyInput`] for a site with n = 0;
/// [`NotEstimable::InvalidInput`] for x > n; [`NotEstimable::EmptyErrorCell`] where all sites have
/// x = 0 or all have x = n, since mu then diverges; [`NotEstimable::NotConverged`] where τ diverges
/// (sites at both extremes and none between) or the information is singular;
/// [`NotEstimable::LevelOutOfRange`].
///
/// # Examples
///
/// ```
/// use fedval_stats::binomial_glmm::fit;
///
/// let sensitivity = fit(&[(37, 48), (25, 34), (42, 42), (30, 31)], 0.95)?;
/// assert!(sensitivity.mu > 1.0 && sensitivity.tau2 > 0.0);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn fit(sites: &[(u64, u64)], level: f64) -> Result<BinomialGlmm, NotEstimable> {
    let k = sites.len();
    if k < 2 {
        return Err(NotEstimable::TooFewSites { k, needed: 2 });
    }
    let model = Model::new(sites)?;
    let critical = critical_t(level, crate::count::len_to_f64(k - 1))?;
    let (mu, tau) = model.maximum()?;
    let se_mu = model.error(mu, tau)?;
    let half_width = critical * se_mu;
    Ok(BinomialGlmm {
        k,
        mu,
        se_mu,
        tau2: tau * tau,
        ci_lower: mu - half_width,
        ci_upper: mu + half_width,
        method: "binomial_glmm_ml",
    })
}

struct Model {
    sites: Vec<Site>,
    nodes: [Node; NODES],
    /// The log-odds of the pooled proportion: where the search for mu starts.
    pooled: f64,
}

impl Model {
    fn new(counts: &[(u64, u64)]) -> Result<Self, NotEstimable> {
        if counts.iter().any(|&(_, n)| n == 0) {
            return Err(NotEstimable::EmptyInput);
        }
        if counts.iter().any(|&(x, n)| x > n) {
            return Err(NotEstimable::InvalidInput);
        }
        if counts.iter().all(|&(x, _)| x == 0) || counts.iter().all(|&(x, n)| x == n) {
            return Err(NotEstimable::EmptyErrorCell);
        }
        let sites: Vec<_> =
            counts.iter().map(|&(x, n)| Site { x: count_to_f64(x), n: count_to_f64(n) }).collect();
        let (x, n) = sites.iter().fold((0.0, 0.0), |(x, n), site| (x + site.x, n + site.n));
        Ok(Self { sites, nodes: nodes(), pooled: logit(x / n) })
    }

    fn derivatives(&self, mu: f64, tau: f64) -> Derivatives {
        self.sites.iter().fold(Derivatives::default(), |sum, site| {
            sum.plus(if tau > 0.0 {
                site.derivatives(mu, tau, &self.nodes)
            } else {
                site.derivatives_without_spread(mu)
            })
        })
    }

    /// The mu that maximises the likelihood at τ. The score falls in mu, so doubling brackets it.
    fn profile_mu(&self, tau: f64) -> Result<f64, NotEstimable> {
        let score = |mu: f64| self.derivatives(mu, tau).mu;
        let mut reach = 1.0 + tau;
        for _ in 0..MAX_DOUBLINGS {
            let (low, high) = (self.pooled - reach, self.pooled + reach);
            if score(low) > 0.0 && score(high) < 0.0 {
                return brent(score, low, high).ok_or(NotEstimable::NotConverged);
            }
            reach *= 2.0;
        }
        Err(NotEstimable::NotConverged)
    }

    /// The profile score at τ, up to a positive factor.
    fn profile_score(&self, tau: f64) -> Result<f64, NotEstimable> {
        Ok(self.derivatives(self.profile_mu(tau)?, tau).tau)
    }

    /// The highest maximum over mu and τ.
    fn maximum(&self) -> Result<(f64, f64), NotEstimable> {
        let mut best: Option<(f64, f64, f64)> = None;
        let mut consider = |tau: f64| -> Result<(), NotEstimable> {
            let mu = self.profile_mu(tau)?;
            let height = self.derivatives(mu, tau).value;
            if best.is_none_or(|(highest, ..)| height > highest) {
                best = Some((height, mu, tau));
            }
            Ok(())
        };
        let mut left: f64 = 0.0;
        let mut rising = self.profile_score(0.0)? > 0.0;
        if !rising {
            consider(0.0)?;
        }
        for step in 0..=GRID {
            let share = f64::from(step) / f64::from(GRID);
            let right = SMALLEST_TAU * libm::exp(share * libm::log(LARGEST_TAU / SMALLEST_TAU));
            let rising_here = self.profile_score(right)? > 0.0;
            if rising && !rising_here {
                consider(self.root(left.max(SMALLEST_TAU / 10.0), right)?)?;
            }
            (left, rising) = (right, rising_here);
        }
        if rising {
            return Err(NotEstimable::NotConverged);
        }
        best.map(|(_, mu, tau)| (mu, tau)).ok_or(NotEstimable::NotConverged)
    }

    /// The root of the profile score between two τ.
    fn root(&self, left: f64, right: f64) -> Result<f64, NotEstimable> {
        // A failed profile shows as NaN, which ends the search without a root.
        let score = |tau: f64| self.profile_score(tau).unwrap_or(f64::NAN);
        match brent(score, left, right) {
            Some(tau) => Ok(tau),
            // The sign changed below the smallest τ tried: there τ is 0 for every purpose.
            None if left < SMALLEST_TAU => Ok(0.0),
            None => Err(NotEstimable::NotConverged),
        }
    }

    /// The standard error of mu from the joint observed information.
    fn error(&self, mu: f64, tau: f64) -> Result<f64, NotEstimable> {
        let at = self.derivatives(mu, tau);
        let information =
            if tau > 0.0 { -(at.mu_mu - at.mu_tau * at.mu_tau / at.tau_tau) } else { -at.mu_mu };
        let curved = tau <= 0.0 || at.tau_tau < 0.0;
        let se = 1.0 / libm::sqrt(information);
        if curved && se.is_finite() && se > 0.0 { Ok(se) } else { Err(NotEstimable::NotConverged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_precondition_has_its_reason() {
        let reason = |sites: &[(u64, u64)]| fit(sites, 0.95).unwrap_err();
        assert_eq!(reason(&[(1, 2)]), NotEstimable::TooFewSites { k: 1, needed: 2 });
        assert_eq!(reason(&[(1, 2), (0, 0)]), NotEstimable::EmptyInput);
        assert_eq!(reason(&[(1, 2), (4, 3)]), NotEstimable::InvalidInput);
        assert_eq!(reason(&[(5, 5), (9, 9)]), NotEstimable::EmptyErrorCell);
        assert_eq!(reason(&[(0, 5), (0, 9)]), NotEstimable::EmptyErrorCell);
        assert_eq!(fit(&[(1, 2), (1, 3)], 0.0), Err(NotEstimable::LevelOutOfRange));
    }

    #[test]
    fn sites_at_both_extremes_have_no_finite_spread() {
        assert_eq!(fit(&[(0, 50), (50, 50)], 0.95), Err(NotEstimable::NotConverged));
    }

    #[test]
    fn equal_proportions_are_pooled() {
        let got = fit(&[(8, 10), (16, 20), (40, 50)], 0.95).unwrap();
        assert!(got.tau2.abs() < 1e-300);
        assert!((got.mu - logit(0.8)).abs() < 1e-12);
        assert!((got.se_mu - 1.0 / libm::sqrt(80.0 * 0.16)).abs() < 1e-12);
    }

    #[test]
    fn two_sites_have_a_mean_but_no_prediction() {
        let got = fit(&[(9, 10), (14, 20)], 0.95).unwrap();
        let reason = NotEstimable::TooFewSites { k: 2, needed: 3 };
        assert_eq!(got.prediction_interval(0.95), Err(reason));
        assert_eq!(got.probability_new_site_at_least(0.0), Err(reason));
    }
}
