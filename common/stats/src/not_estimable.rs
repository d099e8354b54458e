//! Why an estimate does not exist.

/// The reason that stands in the place of a number.
///
/// Statistics of this crate never return NaN or infinity: they return one of these. The reason
/// carries no data beyond the number of sites, so it may be logged, sent and printed as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotEstimable {
    /// All cases are positive or all are negative.
    #[error("only one class is present")]
    OneClassOnly,
    /// A class has a single case, so its variance component does not exist.
    #[error("a class has fewer than two cases")]
    TooFewPerClass,
    /// The AUROC is 0 or 1: the logit is infinite and DeLong's variance is 0.
    #[error("discrimination is perfect")]
    PerfectDiscrimination,
    /// The variance is 0, so a test statistic or a pooling weight does not exist.
    #[error("the variance is zero")]
    ZeroVariance,
    /// An unbiased variance came out negative, which a clustered covariance can do.
    #[error("the estimated variance is negative")]
    NegativeVariance,
    /// A proportion is 0 or 1: its logit is infinite.
    #[error("an error cell is empty")]
    EmptyErrorCell,
    /// No event was observed, so a ratio of events does not exist on the log scale.
    #[error("no event was observed")]
    NoEvents,
    /// The outcome is (quasi-)completely separated: maximum likelihood diverges.
    #[error("the outcome is separated by the score")]
    Separation,
    /// An iteration did not settle within its limit.
    #[error("the iteration did not converge")]
    NotConverged,
    /// Fewer sites contributed than the estimate needs.
    #[error("{needed} sites are needed, {k} contributed")]
    TooFewSites {
        /// Sites that contributed.
        k: usize,
        /// Sites that the estimate needs.
        needed: usize,
    },
    /// Fewer than two clusters: there is no between-cluster variance.
    #[error("fewer than two clusters are present")]
    TooFewClusters,
    /// There are no cases.
    #[error("there are no cases")]
    EmptyInput,
    /// All cases have one score, so a slope does not exist.
    #[error("the score is constant")]
    ConstantScore,
    /// No size of a study gives the precision that is asked for.
    #[error("no number of cases or sites gives this precision")]
    OutOfReach,
    /// A confidence level does not lie strictly between 0 and 1.
    #[error("the confidence level does not lie between 0 and 1")]
    LevelOutOfRange,
    /// Numbers contradict each other or are not finite, for example more successes than cases.
    #[error("the input contradicts itself")]
    InvalidInput,
}

impl NotEstimable {
    /// The reasons that have no fields, in the order of their declaration.
    const PLAIN: [Self; 15] = [
        Self::OneClassOnly,
        Self::TooFewPerClass,
        Self::PerfectDiscrimination,
        Self::ZeroVariance,
        Self::NegativeVariance,
        Self::EmptyErrorCell,
        Self::NoEvents,
        Self::Separation,
        Self::NotConverged,
        Self::TooFewClusters,
        Self::EmptyInput,
        Self::ConstantScore,
        Self::OutOfReach,
        Self::LevelOutOfRange,
        Self::InvalidInput,
    ];

    /// The stable identifier of the reason: what reports and wire messages carry.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OneClassOnly => "one_class_only",
            Self::TooFewPerClass => "too_few_per_class",
            Self::PerfectDiscrimination => "perfect_discrimination",
            Self::ZeroVariance => "zero_variance",
            Self::NegativeVariance => "negative_variance",
            Self::EmptyErrorCell => "empty_error_cell",
            Self::NoEvents => "no_events",
            Self::Separation => "separation",
            Self::NotConverged => "not_converged",
            Self::TooFewSites { .. } => "too_few_sites",
            Self::TooFewClusters => "too_few_clusters",
            Self::EmptyInput => "empty_input",
            Self::ConstantScore => "constant_score",
            Self::OutOfReach => "out_of_reach",
            Self::LevelOutOfRange => "level_out_of_range",
            Self::InvalidInput => "invalid_input",
        }
    }

    /// The reason that `code` names, for the reasons without fields.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::NotEstimable;
    ///
    /// assert_eq!(NotEstimable::from_code("no_events"), Some(NotEstimable::NoEvents));
    /// assert_eq!(NotEstimable::from_code("too_few_sites"), None);
    /// ```
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::PLAIN.into_iter().find(|reason| reason.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::NotEstimable;

    #[test]
    fn every_plain_reason_survives_its_code() {
        for reason in NotEstimable::PLAIN {
            assert_eq!(NotEstimable::from_code(reason.code()), Some(reason));
        }
    }

    #[test]
    fn a_reason_with_fields_has_a_code_but_no_way_back() {
        let reason = NotEstimable::TooFewSites { k: 1, needed: 2 };
        assert_eq!(reason.code(), "too_few_sites");
        assert_eq!(NotEstimable::from_code(reason.code()), None);
        assert_eq!(reason.to_string(), "2 sites are needed, 1 contributed");
    }
}
