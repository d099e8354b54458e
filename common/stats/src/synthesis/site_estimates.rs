//! The input of every synthesis, with its preconditions checked once.

/// At least one finite estimate, each with its strictly positive, finite sampling variance.
///
/// Both are on the analysis scale (for a sensitivity: logit), not back-transformed. Holding a
/// `SiteEstimates` is proof of these facts, so estimators need not check them again.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteEstimates {
    yi: Vec<f64>,
    vi: Vec<f64>,
}

/// Why a set of numbers is not a usable set of estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// `yi` and `vi` are not parallel.
    #[error("{yi} estimates but {vi} sampling variances")]
    LengthMismatch {
        /// Number of estimates given.
        yi: usize,
        /// Number of sampling variances given.
        vi: usize,
    },
    /// No site contributed.
    #[error("no site contributed an estimate")]
    Empty,
    /// An estimate is infinite or not a number.
    #[error("estimate {index} is not finite")]
    NonFiniteEstimate {
        /// Position in input order, from 0.
        index: usize,
    },
    /// A sampling variance is not a positive, finite number, or so small that its weight is not
    /// finite.
    #[error("sampling variance {index} is not positive and finite")]
    BadVariance {
        /// Position in input order, from 0.
        index: usize,
    },
}

impl SiteEstimates {
    /// Pairs `yi` with `vi`.
    ///
    /// # Errors
    ///
    /// See [`EstimateError`]; the first offending position is reported.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::synthesis::{EstimateError, SiteEstimates};
    ///
    /// assert_eq!(SiteEstimates::new(vec![1.9, 2.4], vec![0.04, 0.06])?.k(), 2);
    /// let refused = SiteEstimates::new(vec![1.9, 2.4], vec![0.04, 0.0]);
    /// assert_eq!(refused, Err(EstimateError::BadVariance { index: 1 }));
    /// # Ok::<(), EstimateError>(())
    /// ```
    pub fn new(yi: Vec<f64>, vi: Vec<f64>) -> Result<Self, EstimateError> {
        if yi.len() != vi.len() {
            return Err(EstimateError::LengthMismatch { yi: yi.len(), vi: vi.len() });
        }
        if yi.is_empty() {
            return Err(EstimateError::Empty);
        }
        if let Some(index) = yi.iter().position(|y| !y.is_finite()) {
            return Err(EstimateError::NonFiniteEstimate { index });
        }
        let usable = |v: &f64| v.is_finite() && *v > 0.0 && (1.0 / v).is_finite();
        if let Some(index) = vi.iter().position(|v| !usable(v)) {
            return Err(EstimateError::BadVariance { index });
        }
        Ok(Self { yi, vi })
    }

    /// The number of sites, k.
    #[must_use]
    pub fn k(&self) -> usize {
        self.yi.len()
    }

    /// The estimates, in input order.
    #[must_use]
    pub fn yi(&self) -> &[f64] {
        &self.yi
    }

    /// Their sampling variances, in input order.
    #[must_use]
    pub fn vi(&self) -> &[f64] {
        &self.vi
    }

    /// The estimates of all sites but one, or `None` where that leaves nothing or `index` is not
    /// a position.
    #[must_use]
    pub fn without(&self, index: usize) -> Option<Self> {
        if self.k() < 2 || index >= self.k() {
            return None;
        }
        let (mut yi, mut vi) = (self.yi.clone(), self.vi.clone());
        yi.remove(index);
        vi.remove(index);
        Some(Self { yi, vi })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unusable_input_is_named_by_position() {
        let refused = SiteEstimates::new(vec![1.0], vec![]);
        assert_eq!(refused, Err(EstimateError::LengthMismatch { yi: 1, vi: 0 }));
        assert_eq!(SiteEstimates::new(vec![], vec![]), Err(EstimateError::Empty));
        let refused = SiteEstimates::new(vec![0.0, f64::NAN], vec![1.0, 1.0]);
        assert_eq!(refused, Err(EstimateError::NonFiniteEstimate { index: 1 }));
        for bad in [0.0, -1.0, f64::INFINITY, f64::NAN, 1e-310] {
            let refused = SiteEstimates::new(vec![0.0], vec![bad]);
            assert_eq!(refused, Err(EstimateError::BadVariance { index: 0 }), "{bad}");
        }
    }

    #[test]
    fn leaving_out_the_only_site_leaves_nothing() {
        let one = SiteEstimates::new(vec![0.0], vec![1.0]).unwrap();
        assert_eq!(one.without(0), None);
        let two = SiteEstimates::new(vec![0.0, 1.0], vec![1.0, 2.0]).unwrap();
        assert_eq!(two.without(0), SiteEstimates::new(vec![1.0], vec![2.0]).ok());
        assert_eq!(two.without(2), None);
    }
}
