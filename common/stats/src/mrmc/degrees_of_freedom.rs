//! Hillis' degrees of freedom.

use crate::NotEstimable;
use crate::interval::{critical_normal, critical_t};
use crate::special::{chi_square, f, normal, student_t};

/// Degrees of freedom, which may have no limit: where readers do not vary and cases do.
///
/// # References
///
/// - S. L. Hillis (2007). Stat. Med. 26, 596–619, eq. 8.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DegreesOfFreedom {
    /// So many.
    Limited(f64),
    /// The t distribution is then the normal one, and F is chi-square by its degrees of freedom.
    Unlimited,
}

impl DegreesOfFreedom {
    /// `whole² / (part² / df)`, where `part` alone is estimated, with `df` degrees of freedom; those where it
    /// is the whole, and where both are 0.
    pub(super) fn hillis(whole: f64, part: f64, df: f64) -> Self {
        if whole <= part {
            return Self::Limited(df);
        }
        let ratio = whole / part;
        let limited = df * ratio * ratio;
        if limited.is_finite() { Self::Limited(limited) } else { Self::Unlimited }
    }

    /// The two-sided critical value.
    pub(super) fn critical(self, level: f64) -> Result<f64, NotEstimable> {
        match self {
            Self::Limited(df) => critical_t(level, df),
            Self::Unlimited => critical_normal(level),
        }
    }

    pub(super) fn p_of_t(self, t: f64) -> f64 {
        match self {
            Self::Limited(df) => student_t::two_sided_p(t, df),
            Self::Unlimited => normal::two_sided_p(t),
        }
    }

    pub(super) fn p_of_f(self, ratio: f64, numerator_df: f64) -> f64 {
        match self {
            Self::Limited(df) => f::upper_tail(ratio, numerator_df, df),
            Self::Unlimited => chi_square::upper_tail(ratio * numerator_df, numerator_df),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_limit_both_distributions_are_those_of_many() {
        let (many, none) = (DegreesOfFreedom::Limited(1e7), DegreesOfFreedom::Unlimited);
        assert!((many.critical(0.95).unwrap() - none.critical(0.95).unwrap()).abs() < 1e-5);
        assert!((many.p_of_t(1.3) - none.p_of_t(1.3)).abs() < 1e-5);
        assert!((many.p_of_f(2.1, 3.0) - none.p_of_f(2.1, 3.0)).abs() < 1e-5);
        assert_eq!(DegreesOfFreedom::hillis(0.2, 0.0, 3.0), DegreesOfFreedom::Unlimited);
        assert_eq!(DegreesOfFreedom::hillis(0.0, 0.0, 3.0), DegreesOfFreedom::Limited(3.0));
    }
}
