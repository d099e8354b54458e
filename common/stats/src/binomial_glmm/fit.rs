//! Maximisation of the marginal likelihood over mu and τ.

use super::BinomialGlmm;
use super::bracket::Bracket;
use super::likelihood::{Model, Precision};
use super::profile::Profile;
use crate::NotEstimable;
use crate::interval::critical_t;

/// The largest τ considered: at 20 a site's proportion is practically 0 or 1, and sites that still
/// ask for more have no finite estimate.
const LARGEST_TAU: f64 = 20.0;

/// The smallest τ that is told from 0: below it the likelihood is that of τ = 0 to ten digits.
const SMALLEST_TAU: f64 = 1e-5;

/// The first τ of the grid on which maxima are looked for, and how much larger each next one is.
const FIRST_TAU: f64 = 0.02;
const NEXT_TAU: f64 = 2.0;

/// Newton's method takes half a dozen steps; bisection, where it must step in, sixty.
const MAX_STEPS: u32 = 200;

/// A step smaller than this part of the value ends a search; on the grid, and for a maximum.
const ROUGH_STEP: f64 = 1e-4;
const FINE_STEP: f64 = 1e-12;

/// Steps of Newton's method in both directions: each doubles the digits.
const POLISHING_STEPS: u32 = 8;

/// The last of them is no larger than this part of the value, and taken: what is left is its square, which few
/// nodes do not resolve. Where a maximum is computed, its error is told from before that step.
const ROUGH_POLISH: f64 = 1e-3;
const FINE_POLISH: f64 = 1e-11;

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
    let (tau, best) = model.maximum()?;
    let (mu, se_mu) = (best.mu, best.error(tau)?);
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

impl Precision {
    /// How far from a root of the score, in parts of τ, still counts as one.
    const fn slack(self) -> f64 {
        match self {
            Self::Rough => 0.1,
            Self::Fine => 1e-6,
        }
    }

    const fn step(self) -> f64 {
        match self {
            Self::Rough => ROUGH_STEP,
            Self::Fine => FINE_STEP,
        }
    }

    const fn polish(self) -> f64 {
        match self {
            Self::Rough => ROUGH_POLISH,
            Self::Fine => FINE_POLISH,
        }
    }
}

impl Model {
    /// The mu that maximises the likelihood at τ, from a guess.
    fn profile(&self, tau: f64, guess: f64, by: Precision) -> Result<Profile, NotEstimable> {
        self.climb(tau, guess, by, |here, step| step <= by.step() * (1.0 + here.mu.abs()))
    }

    /// The same, only so near that the sign of the ridge's slope is told.
    fn sign(&self, tau: f64, guess: f64) -> Result<Profile, NotEstimable> {
        let is_enough = |here: &Profile, step: f64| {
            here.tells(step) || step <= ROUGH_STEP * (1.0 + here.mu.abs())
        };
        self.climb(tau, guess, Precision::Rough, is_enough)
            .or_else(|_| self.profile(tau, guess, Precision::Fine))
    }

    /// Newton's method in mu at τ until it is near enough. The score falls in mu.
    fn climb(
        &self,
        tau: f64,
        guess: f64,
        by: Precision,
        is_enough: impl Fn(&Profile, f64) -> bool,
    ) -> Result<Profile, NotEstimable> {
        let mut bracket = Bracket::new(f64::NEG_INFINITY, f64::INFINITY);
        let mut mu = guess;
        for _ in 0..MAX_STEPS {
            let at = self.derivatives(mu, tau, by);
            let next = bracket.next(mu, at.mu, at.mu_mu, 1.0 + tau);
            if !next.is_finite() {
                break;
            }
            let here = Profile { mu, tau, at };
            if is_enough(&here, (next - mu).abs()) {
                return Ok(here);
            }
            mu = next;
        }
        Err(NotEstimable::NotConverged)
    }

    /// The highest maximum over mu and τ: its τ first.
    fn maximum(&self) -> Result<(f64, Profile), NotEstimable> {
        let mut maxima: Vec<(f64, Profile)> = Vec::new();
        let mut before = self.profile(0.0, self.pooled, Precision::Fine)?;
        if before.score() <= 0.0 {
            maxima.push((0.0, before));
        }
        let (mut left, mut right) = (0.0, FIRST_TAU);
        loop {
            let here = self.sign(right, before.ahead(right - left))?;
            if before.score() > 0.0 && here.score() <= 0.0 {
                maxima.push(self.maximum_between((left, &before), (right, &here))?);
            }
            before = here;
            if right >= LARGEST_TAU {
                break;
            }
            (left, right) = (right, NEXT_TAU * right);
        }
        if before.score() > 0.0 {
            return Err(NotEstimable::NotConverged);
        }
        let value = |(_, at): &(f64, Profile)| self.value(at.mu, at.tau);
        let higher = |best: (f64, Profile), next: (f64, Profile)| {
            if value(&next) > value(&best) { next } else { best }
        };
        maxima.into_iter().reduce(higher).ok_or(NotEstimable::NotConverged)
    }

    /// The maximum that the grid shows between two τ: roughly, then to the last digits.
    fn maximum_between(
        &self,
        (left, below): (f64, &Profile),
        (right, above): (f64, &Profile),
    ) -> Result<(f64, Profile), NotEstimable> {
        let within = (left / 2.0, 2.0 * right);
        let is_within = |tau: f64| tau > within.0 && tau < within.1;
        let guess = between((left, below.score()), (right, above.score()));
        let at_once = self.polished(Precision::Rough, guess, below.ahead(guess - left));
        let rough = match at_once {
            Some((tau, here)) if is_within(tau) => Ok((tau, here)),
            _ => self.search(Precision::Rough, (left, right), below.mu),
        };
        // Few nodes may mislead: then the slow way.
        let Ok((tau, rough)) = rough else {
            return self.search(Precision::Fine, within, below.mu);
        };
        if tau <= 0.0 {
            return Ok((0.0, self.profile(0.0, rough.mu, Precision::Fine)?));
        }
        match self.polished(Precision::Fine, tau, rough.mu) {
            Some((polished, fine)) if is_within(polished) => Ok((polished, fine)),
            _ => self.search(Precision::Fine, within, below.mu),
        }
    }

    /// Newton's method in τ within a bracket, mu following along its ridge. τ of 0 where it falls below
    /// what is told from it.
    fn search(
        &self,
        by: Precision,
        (low, high): (f64, f64),
        guess: f64,
    ) -> Result<(f64, Profile), NotEstimable> {
        let mut bracket = Bracket::new(low, high);
        let (mut tau, mut mu) = (f64::midpoint(low, high), guess);
        for _ in 0..MAX_STEPS {
            let here = self.profile(tau, mu, by)?;
            let next = bracket.next(tau, here.at.tau, here.curvature(), high);
            if next < SMALLEST_TAU {
                return Ok((0.0, here));
            }
            if (next - tau).abs() <= by.step() * tau {
                // At an end of the bracket nothing was found.
                let is_maximum = (here.at.tau / here.curvature()).abs() <= by.slack() * tau;
                let is_one = is_maximum && tau < LARGEST_TAU;
                return if is_one { Ok((tau, here)) } else { Err(NotEstimable::NotConverged) };
            }
            (tau, mu) = (next, here.mu + here.drift() * (next - tau));
        }
        Err(NotEstimable::NotConverged)
    }

    /// Newton's method in mu and τ together; `None` where it does not settle on a maximum.
    fn polished(&self, by: Precision, mut tau: f64, mut mu: f64) -> Option<(f64, Profile)> {
        for _ in 0..POLISHING_STEPS {
            let at = self.derivatives(mu, tau, by);
            let determinant = at.mu_mu * at.tau_tau - at.mu_tau * at.mu_tau;
            if !(at.mu_mu < 0.0 && determinant > 0.0) {
                return None;
            }
            let step_mu = (at.mu_tau * at.tau - at.tau_tau * at.mu) / determinant;
            let step_tau = (at.mu_tau * at.mu - at.mu_mu * at.tau) / determinant;
            let is_settled = step_mu.abs() <= by.polish() * (1.0 + mu.abs())
                && step_tau.abs() <= by.polish() * tau;
            (mu, tau) = (mu + step_mu, tau + step_tau);
            if !(mu.is_finite() && tau > 0.0 && tau < 2.0 * LARGEST_TAU) {
                return None;
            }
            if is_settled {
                return Some((tau, Profile { mu, tau, at }));
            }
        }
        None
    }
}

/// Where a line through the slopes by τ² at two τ crosses zero. At 0 the slope given is by τ² already.
fn between((left, rising): (f64, f64), (right, falling): (f64, f64)) -> f64 {
    let by_square = |tau: f64, slope: f64| if tau > 0.0 { slope / (2.0 * tau) } else { slope };
    let (high, low) = (by_square(left, rising), by_square(right, falling));
    let share = high / (high - low);
    let middle = f64::midpoint(left, right);
    let root = libm::sqrt(left * left + share * (right * right - left * left));
    if root > left && root < right { root } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::logit;

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

    /// With seven nodes Newton's method goes to and fro here.
    #[test]
    fn nearly_all_right_everywhere_has_no_spread() {
        let got = fit(&[(33, 35), (57, 59), (36, 37), (53, 54), (44, 44)], 0.95).unwrap();
        assert!(got.tau2.abs() < 1e-9 && (got.mu - logit(223.0 / 229.0)).abs() < 1e-9, "{got:?}");
    }

    #[test]
    fn an_end_of_the_grid_is_no_maximum() {
        let got = fit(&[(38, 50), (50, 50), (0, 1000), (50, 50), (0, 20)], 0.95);
        assert!(got.is_err_and(|reason| reason == NotEstimable::NotConverged), "{got:?}");
    }

    #[test]
    fn two_sites_have_a_mean_but_no_prediction() {
        let got = fit(&[(9, 10), (14, 20)], 0.95).unwrap();
        let reason = NotEstimable::TooFewSites { k: 2, needed: 3 };
        assert_eq!(got.prediction_interval(0.95), Err(reason));
        assert_eq!(got.probability_new_site_at_least(0.0), Err(reason));
    }
}
