//! Cases for the precision of a calibration slope.

use super::information::expected_information;
use super::{inside, smallest, some_width};
use crate::NotEstimable;
use crate::count::count_to_f64;
use crate::interval::critical_normal;
use crate::scale::logit;
use crate::special::normal;

/// How the model's linear predictor (the logit of its probability) is distributed among the cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LinearPredictor {
    /// Normal among all cases, as earlier data show.
    Normal {
        /// Its mean, a logit.
        mean: f64,
        /// Its standard deviation.
        standard_deviation: f64,
    },
    /// What a calibrated model with this AUROC has at this prevalence, normal in either class with the
    /// same spread: `σ = √2 Φ⁻¹(A)`, means `logit φ ± σ²/2`.
    Binormal {
        /// AUROC, in (0.5, 1).
        auc: f64,
        /// Share of positives, in (0, 1).
        prevalence: f64,
    },
}

impl LinearPredictor {
    /// Its parts: a weight, a mean and a standard deviation each.
    fn parts(self) -> Result<Vec<(f64, f64, f64)>, NotEstimable> {
        match self {
            Self::Normal { mean, standard_deviation: sd } => {
                let is_usable = mean.is_finite() && sd.is_finite() && sd > 0.0;
                if is_usable { Ok(vec![(1.0, mean, sd)]) } else { Err(NotEstimable::InvalidInput) }
            }
            Self::Binormal { auc, prevalence } => {
                if inside(auc)? <= 0.5 {
                    return Err(NotEstimable::InvalidInput);
                }
                let share = inside(prevalence)?;
                let sd = std::f64::consts::SQRT_2 * normal::upper_quantile(1.0 - auc);
                let half = sd * sd / 2.0;
                let middle = logit(share);
                Ok(vec![(share, middle + half, sd), (1.0 - share, middle - half, sd)])
            }
        }
    }
}

/// Cases so that the interval of the calibration slope is expected to be at most `width` wide, where the
/// model is calibrated:
///
/// ```text
/// se² = I_a / (n (I_a I_b − I_ab²)),   I_a = E[w], I_ab = E[w L], I_b = E[w L²],   w = p(1 − p)
/// width = 2 z se
/// ```
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] for a distribution or a width that is none;
/// [`NotEstimable::LevelOutOfRange`]; [`NotEstimable::OutOfReach`] where no number suffices.
///
/// # References
///
/// - R. D. Riley et al. (2021). Stat. Med. 40, 4230–4251, section 3.2, eqs 9 to 11.
///
/// # Examples
///
/// ```
/// use fedval_stats::sample_size::{LinearPredictor, calibration_slope_cases};
///
/// // Riley's example; he simulates the expectations, and has 4,544.
/// let predictor = LinearPredictor::Normal { mean: -5.0, standard_deviation: 2.5 };
/// let cases = calibration_slope_cases(predictor, 0.2, 0.95)?;
/// assert!((4_400..4_700).contains(&cases));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn calibration_slope_cases(
    predictor: LinearPredictor,
    width: f64,
    level: f64,
) -> Result<u64, NotEstimable> {
    let (width, z) = (some_width(width)?, critical_normal(level)?);
    let [a, ab, b] = expected_information(&predictor.parts()?);
    let determinant = a * b - ab * ab;
    if determinant <= 0.0 || !determinant.is_finite() {
        return Err(NotEstimable::ConstantScore);
    }
    smallest(2, |cases| 2.0 * z * libm::sqrt(a / (count_to_f64(cases) * determinant)) <= width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_discrimination_needs_fewer_cases() {
        let cases = |auc| {
            let predictor = LinearPredictor::Binormal { auc, prevalence: 0.2 };
            calibration_slope_cases(predictor, 0.4, 0.95).unwrap()
        };
        assert!(cases(0.7) > cases(0.8) && cases(0.8) > cases(0.9));
    }

    #[test]
    fn a_constant_predictor_is_refused() {
        let constant = LinearPredictor::Normal { mean: 0.0, standard_deviation: 0.0 };
        assert_eq!(calibration_slope_cases(constant, 0.2, 0.95), Err(NotEstimable::InvalidInput));
        let chance = LinearPredictor::Binormal { auc: 0.5, prevalence: 0.2 };
        assert_eq!(calibration_slope_cases(chance, 0.2, 0.95), Err(NotEstimable::InvalidInput));
    }
}
