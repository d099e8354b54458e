//! Cases for the precision of an AUROC.

use super::{inside, smallest, some_width};
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::critical_normal;

/// Cases in all, of whom a share of `prevalence` is positive, so that the AUROC's interval is expected to
/// be at most `width` wide (its two ends apart, on the probability scale):
///
/// ```text
/// se² = A(1 − A) (1 + (n/2 − 1)((1 − A)/(2 − A) + A/(1 + A))) / (n² φ(1 − φ))
/// width = 2 z se
/// ```
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] unless `auc` lies in (0.5, 1), `prevalence` in (0, 1) and `width` is
/// positive; [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::OutOfReach`] where no number suffices.
///
/// # References
///
/// - R. D. Riley et al. (2021). Stat. Med. 40, 4230–4251, section 3.3.
/// - R. G. Newcombe (2006). Stat. Med. 25, 559–573, method 4.
///
/// # Examples
///
/// ```
/// use fedval_stats::sample_size::auroc_cases;
///
/// // The example of Riley's program pmvalsampsize: 18 cases of 1,000 are positive.
/// assert_eq!(auroc_cases(0.8, 0.018, 0.1, 0.95)?, 4_252);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn auroc_cases(auc: f64, prevalence: f64, width: f64, level: f64) -> Result<u64, NotEstimable> {
    some_width(width)?;
    auroc_width(auc, prevalence, 2, level)?;
    smallest(2, |cases| {
        auroc_width(auc, prevalence, cases, level).is_ok_and(|expected| expected <= width)
    })
}

/// The expected width of the AUROC's interval with so many cases; see [`auroc_cases`].
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`], also below two cases; [`NotEstimable::LevelOutOfRange`].
///
/// # Examples
///
/// ```
/// use fedval_stats::sample_size::auroc_width;
///
/// // Of the 4,252 cases that a width of 0.1 needs, none can be spared.
/// assert!(auroc_width(0.8, 0.018, 4_252, 0.95)? <= 0.1);
/// assert!(auroc_width(0.8, 0.018, 4_251, 0.95)? > 0.1);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn auroc_width(auc: f64, prevalence: f64, cases: u64, level: f64) -> Result<f64, NotEstimable> {
    Ok(2.0 * critical_normal(level)? * standard_error(auc, prevalence, cases)?)
}

/// The expected standard error, on the probability scale.
pub(super) fn standard_error(auc: f64, prevalence: f64, cases: u64) -> Result<f64, NotEstimable> {
    let share = inside(prevalence)?;
    if inside(auc)? <= 0.5 || cases < 2 {
        return Err(NotEstimable::InvalidInput);
    }
    let n = count_to_f64(cases);
    let others = (n / 2.0 - 1.0) * ((1.0 - auc) / (2.0 - auc) + auc / (1.0 + auc));
    let pairs = n * n * share * (1.0 - share);
    Ok(libm::sqrt(auc * (1.0 - auc) * (1.0 + others) / pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_case_fewer_does_not_suffice() {
        let cases = auroc_cases(0.85, 0.1, 0.08, 0.95).unwrap();
        assert!(auroc_width(0.85, 0.1, cases, 0.95).unwrap() <= 0.08);
        assert!(auroc_width(0.85, 0.1, cases - 1, 0.95).unwrap() > 0.08);
    }

    #[test]
    fn what_is_no_auroc_and_no_share_is_refused() {
        for (auc, prevalence, width) in
            [(0.5, 0.1, 0.1), (1.0, 0.1, 0.1), (f64::NAN, 0.1, 0.1), (0.8, 0.0, 0.1)]
        {
            assert_eq!(auroc_cases(auc, prevalence, width, 0.95), Err(NotEstimable::InvalidInput));
        }
        assert_eq!(auroc_cases(0.8, 0.1, 0.0, 0.95), Err(NotEstimable::InvalidInput));
        assert_eq!(auroc_cases(0.8, 0.1, 1e-9, 0.95), Err(NotEstimable::OutOfReach));
        assert_eq!(auroc_cases(0.8, 0.1, 0.1, 1.0), Err(NotEstimable::LevelOutOfRange));
    }
}
