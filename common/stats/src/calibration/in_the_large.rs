//! Calibration-in-the-large.
//!
//! The a that solves `Σ y_i = Σ expit(a + logit p_i)`: the intercept of a logistic model with the
//! logit as offset. The right side increases in a. With r the event rate, it is at most Σ y at
//! `logit r − max logit p` and at least Σ y at `logit r − min logit p`, which brackets the root;
//! so it exists wherever both classes do, also under separation.
//!
//! # References
//!
//! - E. W. Steyerberg (2019). Clinical Prediction Models, 2nd ed., section 15.3.

use std::collections::BTreeMap;

use super::sandwich::small_sample;
use super::{CalibrationCase, Covariance, events_of_both_classes, outcome};
use crate::NotEstimable;
use crate::count::len_to_f64;
use crate::root::brent;
use crate::scale::{expit, logit};

/// Calibration-in-the-large with its standard error, on the logit scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InTheLarge {
    /// The intercept with the slope fixed at 1; 0 is ideal, above 0 means too few events expected.
    pub citl: f64,
    /// Its standard error.
    pub se: f64,
}

/// Calibration-in-the-large of `rows`.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`]; [`NotEstimable::InvalidInput`] for a logit that is not finite;
/// [`NotEstimable::OneClassOnly`]; [`NotEstimable::TooFewClusters`] for a cluster-robust error of
/// one cluster.
///
/// # Examples
///
/// ```
/// use fedval_stats::calibration::{CalibrationCase, Covariance, citl};
///
/// // Half the cases have the condition, the model said even odds: nothing to correct.
/// let rows = [true, false].map(|event| CalibrationCase { logit: 0.0, event, cluster: 0 });
/// assert!(citl(&rows, Covariance::ModelBased)?.citl.abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn citl(rows: &[CalibrationCase], covariance: Covariance) -> Result<InTheLarge, NotEstimable> {
    let events = events_of_both_classes(rows)?;
    let (low, high) = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| {
        (low.min(row.logit), high.max(row.logit))
    });
    let rate = logit(events / len_to_f64(rows.len()));
    let excess = |a: f64| rows.iter().fold(0.0, |sum, row| sum + expit(a + row.logit)) - events;
    // One unit further out on each side, so that rounding cannot hide the change of sign.
    let citl =
        brent(excess, rate - high - 1.0, rate - low + 1.0).ok_or(NotEstimable::NotConverged)?;
    let information = rows.iter().fold(0.0, |sum, row| {
        let p = expit(citl + row.logit);
        sum + p * (1.0 - p)
    });
    let variance = match covariance {
        Covariance::ModelBased => 1.0 / information,
        Covariance::ClusterRobust => cluster_meat(rows, citl)? / information / information,
    };
    let se = libm::sqrt(variance);
    if se.is_finite() { Ok(InTheLarge { citl, se }) } else { Err(NotEstimable::NotConverged) }
}

/// `G/(G − 1) Σ_g (Σ_{i in g} y_i − p_i)²`.
fn cluster_meat(rows: &[CalibrationCase], citl: f64) -> Result<f64, NotEstimable> {
    let mut clusters: BTreeMap<u32, f64> = BTreeMap::new();
    for row in rows {
        *clusters.entry(row.cluster).or_default() += outcome(row.event) - expit(citl + row.logit);
    }
    let meat = clusters.values().fold(0.0, |sum, residual| sum + residual * residual);
    Ok(small_sample(clusters.len())? * meat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(logit: f64, event: bool, cluster: u32) -> CalibrationCase {
        CalibrationCase { logit, event, cluster }
    }

    #[test]
    fn separated_classes_still_have_a_calibration_in_the_large() {
        let rows = [case(-3.0, false, 0), case(3.0, true, 1), case(4.0, true, 2)];
        assert!(citl(&rows, Covariance::ModelBased).is_ok());
    }

    #[test]
    fn a_constant_score_has_the_closed_form() {
        let rows = [case(1.0, true, 0), case(1.0, false, 1), case(1.0, false, 2)];
        let got = citl(&rows, Covariance::ModelBased).unwrap();
        assert!((got.citl - (logit(1.0 / 3.0) - 1.0)).abs() < 1e-14);
        assert!((got.se - libm::sqrt(1.5)).abs() < 1e-13);
    }

    #[test]
    fn one_cluster_has_no_robust_error() {
        let rows = [case(0.0, true, 7), case(1.0, false, 7)];
        assert_eq!(citl(&rows, Covariance::ClusterRobust), Err(NotEstimable::TooFewClusters));
    }
}
