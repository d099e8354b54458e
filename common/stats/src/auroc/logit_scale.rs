//! The AUROC on the logit scale, and pROC's Wald interval for comparison.

use super::Auroc;
use crate::NotEstimable;
use crate::interval::{Interval, critical_normal};
use crate::scale::{expit, logit};

impl Auroc {
    /// The standard error of `logit(auc)` by the delta method, `se / (A (1 − A))`; 0 where all
    /// scores are tied.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::PerfectDiscrimination`] for an area of 0 or 1.
    pub fn logit_se(&self) -> Result<f64, NotEstimable> {
        let spread = self.auc * (1.0 - self.auc);
        if spread > 0.0 { Ok(self.se / spread) } else { Err(NotEstimable::PerfectDiscrimination) }
    }
}

/// The Wald interval of the logit, back-transformed to the probability scale:
/// `expit(logit(A) ∓ z · se / (A (1 − A)))`.
///
/// Where the variance is 0 at an area inside (0, 1), as when all scores are tied, the formula
/// collapses to the point A and so does this interval: [`interval`](super::interval()) does not use
/// it then.
///
/// # Errors
///
/// [`NotEstimable::PerfectDiscrimination`] for an area of 0 or 1,
/// [`NotEstimable::LevelOutOfRange`].
///
/// # References
///
/// - M. S. Pepe (2003). The Statistical Evaluation of Medical Tests, section 5.2.
///
/// # Examples
///
/// ```
/// use fedval_stats::auroc::{Auroc, logit_interval};
///
/// let auroc = Auroc { auc: 0.8, s10: 0.05, s01: 0.05, s11: None, variance: 0.0016, se: 0.04 };
/// let interval = logit_interval(&auroc, 0.95)?;
/// assert!(interval.lower > 0.70 && interval.upper < 0.88);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn logit_interval(auroc: &Auroc, level: f64) -> Result<Interval, NotEstimable> {
    let se = auroc.logit_se()?;
    let interval = Interval::wald(logit(auroc.auc), se, level)?.map_increasing(expit);
    Ok(Interval::covering(auroc.auc, interval.lower, interval.upper, level))
}

/// `(logit(A), se)`: the estimate that enters synthesis.
///
/// # Errors
///
/// [`NotEstimable::PerfectDiscrimination`] for an area of 0 or 1;
/// [`NotEstimable::ZeroVariance`] where the variance is 0, since the site's weight would be
/// infinite.
///
/// # Examples
///
/// ```
/// use fedval_stats::auroc::{Auroc, logit_scale};
///
/// let auroc = Auroc { auc: 0.8, s10: 0.05, s01: 0.05, s11: None, variance: 0.0016, se: 0.04 };
/// let (logit, se) = logit_scale(&auroc)?;
/// assert!((logit - 1.386_294_4).abs() < 1e-7); // ln(0.8 / 0.2)
/// assert!((se - 0.25).abs() < 1e-12); // 0.04 / (0.8 · 0.2)
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn logit_scale(auroc: &Auroc) -> Result<(f64, f64), NotEstimable> {
    let se = auroc.logit_se()?;
    if se > 0.0 { Ok((logit(auroc.auc), se)) } else { Err(NotEstimable::ZeroVariance) }
}

/// The Wald interval on the probability scale, clipped to [0, 1]: what pROC's `ci.auc` prints.
///
/// For comparison only: at an area of 0 or 1 it is a point, which no data justify.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`].
///
/// # Examples
///
/// ```
/// use fedval_stats::auroc::{Auroc, wald_interval_clipped};
///
/// // 0.95 ∓ 1.96 · 0.04, of which the upper limit exceeds 1.
/// let auroc = Auroc { auc: 0.95, s10: 0.05, s01: 0.05, s11: None, variance: 0.0016, se: 0.04 };
/// let interval = wald_interval_clipped(&auroc, 0.95)?;
/// assert!((interval.lower - 0.8716).abs() < 5e-5 && (interval.upper - 1.0).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn wald_interval_clipped(auroc: &Auroc, level: f64) -> Result<Interval, NotEstimable> {
    let half_width = critical_normal(level)? * auroc.se;
    let lower = (auroc.auc - half_width).max(0.0);
    let upper = (auroc.auc + half_width).min(1.0);
    Ok(Interval { estimate: auroc.auc, lower, upper, level })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIED: Auroc = Auroc { auc: 0.5, s10: 0.0, s01: 0.0, s11: None, variance: 0.0, se: 0.0 };

    #[test]
    fn a_perfect_area_has_no_logit() {
        for auc in [0.0, 1.0] {
            let perfect = Auroc { auc, ..TIED };
            assert_eq!(logit_scale(&perfect), Err(NotEstimable::PerfectDiscrimination));
            assert_eq!(logit_interval(&perfect, 0.95), Err(NotEstimable::PerfectDiscrimination));
            let point = wald_interval_clipped(&perfect, 0.95).unwrap();
            assert!((point.upper - point.lower).abs() < 1e-15);
        }
    }

    #[test]
    fn a_tied_area_has_no_weight_but_the_formula_s_point_interval() {
        assert_eq!(logit_scale(&TIED), Err(NotEstimable::ZeroVariance));
        let point = logit_interval(&TIED, 0.95).unwrap();
        assert!((point.upper - 0.5).abs() < 1e-15 && (point.lower - 0.5).abs() < 1e-15);
    }
}
