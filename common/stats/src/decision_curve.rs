//! Decision curves: the net benefit of acting on the index test.
//!
//! Whoever acts at probabilities of t and above weighs a false positive t / (1 − t) times a true one:
//!
//! ```text
//! net benefit = TP/n − FP/n · t/(1 − t)
//! treat all   = O/n − (1 − O/n) · t/(1 − t),   treat none = 0
//! ```
//!
//! with O events among n cases. The variance is that of the benefits of single cases, 1, −t/(1 − t) or 0,
//! which the same counts determine: counts of disjoint cohorts add, so the pooled curve is exact.
//!
//! # References
//!
//! - A. J. Vickers, E. B. Elkin (2006). Med. Decis. Making 26, 565–574.
//! - A. J. Vickers, A. M. Cronin, E. B. Elkin, M. Gönen (2008). BMC Med. Inform. Decis. Mak. 8, 53
//!   (the standardised form and its error).

use crate::NotEstimable;
use crate::aggregate::TwoByTwo;
use crate::count::{count_to_f64, finite};
use crate::interval::Interval;

/// The net benefit at one threshold, per case of the cohort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetBenefit {
    /// Of acting on the index test.
    pub net_benefit: f64,
    /// Of acting on everybody.
    pub treat_all: f64,
    /// `net_benefit` as a share of what a perfect test would give; [`NotEstimable::NoEvents`].
    pub standardised: Result<f64, NotEstimable>,
    /// Interventions that are avoided among 100 cases, beside treating all, without missing an event;
    /// [`NotEstimable::InvalidInput`] at a threshold of 0.
    pub interventions_avoided_per_100: Result<f64, NotEstimable>,
    /// The standard error of `net_benefit`; [`NotEstimable::TooFewPerClass`] with one case.
    pub se: Result<f64, NotEstimable>,
}

impl NetBenefit {
    /// The Wald interval of the net benefit.
    ///
    /// # Errors
    ///
    /// Why there is no error; [`NotEstimable::LevelOutOfRange`].
    pub fn interval(&self, level: f64) -> Result<Interval, NotEstimable> {
        Interval::wald(self.net_benefit, self.se?, level)
    }
}

/// The net benefit of acting at probabilities of `threshold` and above, where the index test calls as
/// `table` says.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases; [`NotEstimable::InvalidInput`] unless
/// `0 <= threshold < 1`.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::TwoByTwo;
/// use fedval_stats::decision_curve::net_benefit;
///
/// let table = TwoByTwo { tp: 80, fn_: 20, fp: 90, tn: 810 };
/// let benefit = net_benefit(&table, 0.1)?;
/// assert!((benefit.net_benefit - 0.07).abs() < 1e-15);
/// assert!(benefit.treat_all.abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn net_benefit(table: &TwoByTwo, threshold: f64) -> Result<NetBenefit, NotEstimable> {
    if table.n() == 0 {
        return Err(NotEstimable::EmptyInput);
    }
    if !(0.0..1.0).contains(&threshold) {
        return Err(NotEstimable::InvalidInput);
    }
    let (n, events) = (count_to_f64(table.n()), count_to_f64(table.n_pos()));
    let (tp, fp) = (count_to_f64(table.tp), count_to_f64(table.fp));
    let weight = threshold / (1.0 - threshold);
    let prevalence = events / n;
    let net_benefit = tp / n - fp / n * weight;
    let treat_all = prevalence - (1.0 - prevalence) * weight;
    let avoided = 100.0 * (net_benefit - treat_all) / weight;
    Ok(NetBenefit {
        net_benefit,
        treat_all,
        standardised: if table.n_pos() > 0 {
            Ok(net_benefit / prevalence)
        } else {
            Err(NotEstimable::NoEvents)
        },
        interventions_avoided_per_100: if weight > 0.0 {
            finite(avoided)
        } else {
            Err(NotEstimable::InvalidInput)
        },
        se: if table.n() > 1 {
            let squares = tp + weight * weight * fp - n * net_benefit * net_benefit;
            Ok(libm::sqrt(squares.max(0.0) / (n - 1.0) / n))
        } else {
            Err(NotEstimable::TooFewPerClass)
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calling_everybody_is_treating_all() {
        let table = TwoByTwo { tp: 30, fn_: 0, fp: 70, tn: 0 };
        let benefit = net_benefit(&table, 0.2).unwrap();
        assert!((benefit.net_benefit - benefit.treat_all).abs() < 1e-15);
        assert!(benefit.interventions_avoided_per_100.unwrap().abs() < 1e-12);
    }

    #[test]
    fn calling_nobody_is_zero_without_error() {
        let table = TwoByTwo { tp: 0, fn_: 30, fp: 0, tn: 70 };
        let benefit = net_benefit(&table, 0.2).unwrap();
        assert!(benefit.net_benefit.abs() < 1e-15 && benefit.se.unwrap().abs() < 1e-15);
    }

    #[test]
    fn what_does_not_exist_has_its_reason() {
        let healthy = TwoByTwo { tp: 0, fn_: 0, fp: 1, tn: 9 };
        let benefit = net_benefit(&healthy, 0.0).unwrap();
        assert_eq!(benefit.standardised, Err(NotEstimable::NoEvents));
        assert_eq!(benefit.interventions_avoided_per_100, Err(NotEstimable::InvalidInput));
        for threshold in [1.0, -0.1, f64::NAN] {
            assert_eq!(net_benefit(&healthy, threshold), Err(NotEstimable::InvalidInput));
        }
        assert_eq!(net_benefit(&TwoByTwo::default(), 0.5), Err(NotEstimable::EmptyInput));
    }
}
