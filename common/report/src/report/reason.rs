//! Why a number of the report does not exist, as a code for scripts and a sentence for people.

use fedval_stats::NotEstimable;
use serde::{Deserialize, Serialize};

/// Declares the reasons once: variant, code, sentence.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $sentence:literal;)+) => {
        /// The reason that stands in the place of a number.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl Reason {
            /// Every reason, in the order in which footnotes list them.
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code that stands in `report.json`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The reason in words.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

reasons! {
    /// One class of cases only.
    OneClassOnly = "one_class_only", "all cases are positive, or all are negative";
    /// A class with a single case.
    TooFewPerClass = "too_few_per_class", "a class has fewer than two cases";
    /// An AUROC of 0 or 1.
    PerfectDiscrimination = "perfect_discrimination",
        "discrimination is perfect in the sample, so the estimate has no finite logit";
    /// A variance of 0.
    ZeroVariance = "zero_variance", "the estimated variance is zero, so the site has no finite weight";
    /// A negative variance.
    NegativeVariance = "negative_variance", "the estimated clustered variance is negative";
    /// A proportion of 0 or 1.
    EmptyErrorCell = "empty_error_cell",
        "a site has a proportion of exactly 0 or 1, whose logit is infinite";
    /// No event.
    NoEvents = "no_events", "no event was observed";
    /// Complete separation.
    Separation = "separation", "the score separates the outcome, so the fit diverges";
    /// No convergence.
    NotConverged = "not_converged", "the iteration did not converge";
    /// Too few sites.
    TooFewSites = "too_few_sites", "too few sites contributed";
    /// Too few clusters.
    TooFewClusters = "too_few_clusters", "fewer than two patients contributed";
    /// No case.
    EmptyInput = "empty_input", "there are no cases";
    /// A constant score.
    ConstantScore = "constant_score", "all cases have one score";
    /// A bad level.
    LevelOutOfRange = "level_out_of_range", "the confidence level is not between 0 and 1";
    /// Contradictory numbers.
    InvalidInput = "invalid_input", "the aggregates contradict each other";
    /// A descriptive quantity.
    NoSamplingError = "no_sampling_error",
        "the quantity is descriptive: sites release no sampling error for it";
    /// A quantity that the method does not have.
    NotDefinedForMethod = "not_defined_for_method", "the method does not define this quantity";
    /// No number, because the cohort is too small.
    Insufficient = "insufficient", "the site's cohort is too small for anything to be released";
    /// No number, because the site refused.
    Refused = "refused", "the site refused; its reason stays on site";
    /// No number, because the evaluation failed.
    Failed = "failed", "the evaluation did not finish at the site";
    /// No number, because nothing arrived.
    Missing = "missing", "nothing arrived from the site";
    /// No group of the dictionary was released.
    NothingReleased = "nothing_released", "no value was released";
    /// Response counts or a statistic that the site's disclosure rules keep back.
    Withheld = "withheld", "the site's disclosure rules keep it back";
    /// Too much noise.
    NoiseTooLarge = "noise_too_large",
        "the noise that protects patients is large beside so few of them";
    /// A quantity of another task.
    NotDefinedForTask = "not_defined_for_task", "a study with this task does not have this quantity";
    /// A reason that this version has no word for.
    Unnamed = "unnamed", "the estimate does not exist";
}

impl From<NotEstimable> for Reason {
    fn from(reason: NotEstimable) -> Self {
        let same = |known: &&Self| known.code() == reason.code();
        Self::ALL.iter().find(same).copied().unwrap_or(Self::Unnamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistical_reasons_keep_their_codes() {
        for reason in [
            NotEstimable::OneClassOnly,
            NotEstimable::EmptyErrorCell,
            NotEstimable::TooFewSites { k: 1, needed: 2 },
            NotEstimable::InvalidInput,
        ] {
            assert_eq!(Reason::from(reason).code(), reason.code());
        }
    }

    #[test]
    fn a_code_is_what_json_holds() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }
}
