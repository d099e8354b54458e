//! Sites for the precision of a prediction interval.

use super::auroc::standard_error;
use super::{inside, smallest, some_width};
use crate::NotEstimable;
use crate::count::{count_to_f64, finite};
use crate::interval::{critical_normal, critical_t};
use crate::scale::{expit, logit};

/// No consortium has more sites.
const MOST_SITES: u64 = 10_000;

/// What is expected of an AUROC over sites of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictionPlan {
    /// The mean site's AUROC, in (0.5, 1).
    pub auc: f64,
    /// Share of positives at every site, in (0, 1).
    pub prevalence: f64,
    /// Standard deviation of the sites' true AUROC, on the logit scale.
    pub tau: f64,
    /// Cases of a site.
    pub cases: u64,
}

impl PredictionPlan {
    /// The expected width of the prediction interval with k sites, on the probability scale:
    ///
    /// ```text
    /// logit A ∓ t_{k−2} √(τ² + (τ² + v)/k),   v = se²(A) / (A(1 − A))²
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotEstimable::TooFewSites`] below three; [`NotEstimable::InvalidInput`];
    /// [`NotEstimable::LevelOutOfRange`].
    pub fn width(&self, sites: u64, level: f64) -> Result<f64, NotEstimable> {
        if sites < 3 {
            let k = usize::try_from(sites).unwrap_or(0);
            return Err(NotEstimable::TooFewSites { k, needed: 3 });
        }
        let k = count_to_f64(sites);
        let tau2 = self.tau2()?;
        let spread = tau2 + (tau2 + self.within()?) / k;
        finite(self.spans(critical_t(level, k - 2.0)? * libm::sqrt(spread)))
    }

    /// The width that is left with any number of sites: what the sites themselves differ by.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`]; [`NotEstimable::LevelOutOfRange`].
    pub fn least_width(&self, level: f64) -> Result<f64, NotEstimable> {
        self.within()?;
        finite(self.spans(critical_normal(level)? * libm::sqrt(self.tau2()?)))
    }

    fn tau2(&self) -> Result<f64, NotEstimable> {
        let is_usable = self.tau.is_finite() && self.tau >= 0.0;
        if is_usable { Ok(self.tau * self.tau) } else { Err(NotEstimable::InvalidInput) }
    }

    /// The variance of one site's logit AUROC.
    fn within(&self) -> Result<f64, NotEstimable> {
        let slope = inside(self.auc)? * (1.0 - self.auc);
        let se = standard_error(self.auc, self.prevalence, self.cases)? / slope;
        Ok(se * se)
    }

    fn spans(&self, half_width: f64) -> f64 {
        let middle = logit(self.auc);
        expit(middle + half_width) - expit(middle - half_width)
    }
}

/// Sites of that size so that the 95 % prediction interval (or one of another level) of the AUROC is
/// expected to be at most `width` wide, on the probability scale.
///
/// # Errors
///
/// [`NotEstimable::OutOfReach`] where no number of sites suffices, because the sites themselves differ by
/// more: [`PredictionPlan::least_width`] says by how much. Otherwise as [`PredictionPlan::width`].
///
/// # References
///
/// - J. P. T. Higgins, S. G. Thompson, D. J. Spiegelhalter (2009). J. R. Stat. Soc. A 172, 137–159.
///
/// # Examples
///
/// ```
/// use fedval_stats::sample_size::{PredictionPlan, sites_for_prediction};
///
/// let plan = PredictionPlan { auc: 0.85, prevalence: 0.2, tau: 0.2, cases: 500 };
/// let sites = sites_for_prediction(&plan, 0.15, 0.95)?;
/// assert!(plan.width(sites, 0.95)? <= 0.15 && plan.width(sites - 1, 0.95)? > 0.15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn sites_for_prediction(
    plan: &PredictionPlan,
    width: f64,
    level: f64,
) -> Result<u64, NotEstimable> {
    some_width(width)?;
    plan.width(3, level)?;
    if plan.least_width(level)? >= width {
        return Err(NotEstimable::OutOfReach);
    }
    let sites = smallest(3, |sites| {
        sites > MOST_SITES || plan.width(sites, level).is_ok_and(|expected| expected <= width)
    })?;
    if sites > MOST_SITES { Err(NotEstimable::OutOfReach) } else { Ok(sites) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: PredictionPlan =
        PredictionPlan { auc: 0.85, prevalence: 0.1, tau: 0.25, cases: 400 };

    #[test]
    fn no_number_of_sites_is_narrower_than_their_own_differences() {
        let least = PLAN.least_width(0.95).unwrap();
        assert_eq!(sites_for_prediction(&PLAN, least, 0.95), Err(NotEstimable::OutOfReach));
        assert!(sites_for_prediction(&PLAN, least * 1.1, 0.95).unwrap() > 10);
    }

    #[test]
    fn larger_sites_need_fewer_of_them() {
        let large = PredictionPlan { cases: 4_000, ..PLAN };
        let sites = |plan| sites_for_prediction(plan, 0.2, 0.95).unwrap();
        assert!(sites(&large) <= sites(&PLAN));
    }

    #[test]
    fn two_sites_predict_nothing_and_odd_numbers_are_refused() {
        let reason = NotEstimable::TooFewSites { k: 2, needed: 3 };
        assert_eq!(PLAN.width(2, 0.95), Err(reason));
        for tau in [-1.0, f64::NAN, f64::INFINITY] {
            let odd = PredictionPlan { tau, ..PLAN };
            assert_eq!(sites_for_prediction(&odd, 0.2, 0.95), Err(NotEstimable::InvalidInput));
        }
    }
}
