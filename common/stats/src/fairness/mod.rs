//! Gaps between groups of patients at a locked threshold.
//!
//! A gap is group minus reference, on the probability scale: of sensitivity (TPR), of the false-positive
//! rate (FPR), of the predictive values. Intervals are [`newcombe10`]'s, tests are Fisher's;
//! [`multiplicity`](crate::multiplicity) adjusts their p-values. Over several sites, gaps are formed
//! within each and synthesised, or the mix of sites would pass for a gap.
//!
//! # References
//!
//! - M. Hardt, E. Price, N. Srebro (2016). Equality of opportunity in supervised learning. NeurIPS 29.
//! - R. G. Newcombe (1998). Stat. Med. 17, 873–890.

mod stratified;

pub use stratified::{StratifiedGap, stratified};

use crate::NotEstimable;
use crate::aggregate::TwoByTwo;
use crate::interval::Interval;
use crate::proportion::{estimate, fisher_exact, newcombe10};

/// The gaps of one group to the reference. Each may be not estimable where a denominator is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Of the true-positive rate.
    pub tpr: Result<Interval, NotEstimable>,
    /// Of the false-positive rate.
    pub fpr: Result<Interval, NotEstimable>,
    /// Of the positive predictive value.
    pub ppv: Result<Interval, NotEstimable>,
    /// Fisher's p-value of equal true-positive rates.
    pub tpr_p: Result<f64, NotEstimable>,
    /// Fisher's p-value of equal false-positive rates.
    pub fpr_p: Result<f64, NotEstimable>,
}

/// The largest differences between any two of several groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Of the true-positive rates.
    pub tpr: Result<f64, NotEstimable>,
    /// Of the false-positive rates.
    pub fpr: Result<f64, NotEstimable>,
    /// The larger of the two: the equalised-odds difference.
    pub equalised_odds: Result<f64, NotEstimable>,
    /// Of the shares called positive: the demographic-parity difference.
    pub demographic_parity: Result<f64, NotEstimable>,
}

/// The share of all cases that is called positive.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without cases.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::TwoByTwo;
/// use fedval_stats::fairness::selection_rate;
///
/// let women = TwoByTwo { tp: 88, fn_: 12, fp: 40, tn: 360 };
/// assert!((selection_rate(&women)? - 128.0 / 500.0).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn selection_rate(table: &TwoByTwo) -> Result<f64, NotEstimable> {
    estimate(table.tp.saturating_add(table.fp), table.n())
}

/// The gaps of `group` to `reference`.
///
/// # Errors
///
/// [`NotEstimable::LevelOutOfRange`]; what one gap lacks stands in its place.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::TwoByTwo;
/// use fedval_stats::fairness::gap;
///
/// let women = TwoByTwo { tp: 88, fn_: 12, fp: 40, tn: 360 };
/// let men = TwoByTwo { tp: 70, fn_: 20, fp: 55, tn: 305 };
/// let gap = gap(&men, &women, 0.95)?;
/// assert!((gap.tpr?.estimate + 0.1022).abs() < 5e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn gap(group: &TwoByTwo, reference: &TwoByTwo, level: f64) -> Result<Gap, NotEstimable> {
    crate::interval::critical_normal(level)?;
    let tpr = |table: &TwoByTwo| (table.tp, table.n_pos());
    let fpr = |table: &TwoByTwo| (table.fp, table.n_neg());
    let ppv = |table: &TwoByTwo| (table.tp, table.tp.saturating_add(table.fp));
    Ok(Gap {
        tpr: newcombe10(tpr(group), tpr(reference), level),
        fpr: newcombe10(fpr(group), fpr(reference), level),
        ppv: newcombe10(ppv(group), ppv(reference), level),
        tpr_p: fisher_exact(tpr(group), tpr(reference)),
        fpr_p: fisher_exact(fpr(group), fpr(reference)),
    })
}

/// The largest differences over `groups`.
///
/// A group whose rate does not exist makes the spread of that rate not estimable: to leave it out would
/// make a consortium look fairer than it is known to be.
///
/// # Errors
///
/// [`NotEstimable::EmptyInput`] without groups.
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::TwoByTwo;
/// use fedval_stats::fairness::spread;
///
/// // True-positive rates 0.88 and 0.7778, false-positive rates 0.1 and 0.1528.
/// let women = TwoByTwo { tp: 88, fn_: 12, fp: 40, tn: 360 };
/// let men = TwoByTwo { tp: 70, fn_: 20, fp: 55, tn: 305 };
/// let spread = spread(&[women, men])?;
/// assert!((spread.fpr? - 0.0528).abs() < 5e-5 && (spread.equalised_odds? - 0.1022).abs() < 5e-5);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn spread(groups: &[TwoByTwo]) -> Result<Spread, NotEstimable> {
    if groups.is_empty() {
        return Err(NotEstimable::EmptyInput);
    }
    let tpr = range(groups, |table| estimate(table.tp, table.n_pos()));
    let fpr = range(groups, |table| estimate(table.fp, table.n_neg()));
    Ok(Spread {
        tpr,
        fpr,
        equalised_odds: tpr.and_then(|tpr| fpr.map(|fpr| tpr.max(fpr))),
        demographic_parity: range(groups, selection_rate),
    })
}

/// Largest minus smallest.
fn range(
    groups: &[TwoByTwo],
    rate: impl Fn(&TwoByTwo) -> Result<f64, NotEstimable>,
) -> Result<f64, NotEstimable> {
    let rates: Vec<f64> = groups.iter().map(rate).collect::<Result<_, _>>()?;
    let largest = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = rates.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(largest - smallest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: TwoByTwo = TwoByTwo { tp: 5, fn_: 5, fp: 5, tn: 5 };

    #[test]
    fn a_group_has_no_gap_to_itself() {
        let gap = gap(&EVEN, &EVEN, 0.95).unwrap();
        assert!(gap.tpr.unwrap().estimate.abs() < 1e-15);
        assert!((gap.fpr_p.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_group_without_positives_has_no_gap_and_hides_no_spread() {
        let healthy = TwoByTwo { tp: 0, fn_: 0, fp: 1, tn: 9 };
        let gap = gap(&healthy, &EVEN, 0.95).unwrap();
        assert_eq!(gap.tpr, Err(NotEstimable::EmptyInput));
        assert!((gap.fpr.unwrap().estimate + 0.4).abs() < 1e-15);
        let spread = spread(&[EVEN, healthy]).unwrap();
        assert_eq!(spread.equalised_odds, Err(NotEstimable::EmptyInput));
        assert!((spread.fpr.unwrap() - 0.4).abs() < 1e-15);
    }
}
