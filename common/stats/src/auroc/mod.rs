//! The area under the ROC curve: estimate, variance, intervals.
//!
//! | function | what | for |
//! | --- | --- | --- |
//! | [`auc_of`] | the area alone | any cohort with both classes |
//! | [`delong`] | area and variance | independent cases |
//! | [`clustered`] | area and variance | several cases of one patient |
//! | [`logit_interval`], [`logit_scale`] | the scale of reports and of synthesis | 0 < area < 1 |
//! | [`newcombe5`] | an interval that stays informative at 0 and 1 | everything else |
//! | [`joint_delong`], [`paired_difference`] | several index tests on the same cases | comparisons |
//! | [`unpaired_difference`], [`welch_test`] | two cohorts | subgroups, sites |
//! | [`interval`] | the choice between them | reports |
//! | [`wald_interval_clipped`], [`hanley_mcneil_se`] | comparison with other software | qualification |

mod clustered;
mod delong;
mod difference;
mod hanley_mcneil;
mod joint;
mod logit_scale;
mod newcombe5;
mod reported_interval;

pub use clustered::{ClusterComponents, cluster_components, clustered};
pub use delong::{auc_of, delong, negative_component, positive_component};
pub use difference::{AurocDifference, paired_difference, unpaired_difference, welch_test};
pub use hanley_mcneil::hanley_mcneil_se;
pub use joint::{JointAuroc, joint_delong};
pub use logit_scale::{logit_interval, logit_scale, wald_interval_clipped};
pub use newcombe5::newcombe5;
pub use reported_interval::interval;

/// An area under the ROC curve with its variance, on the probability scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auroc {
    /// The area: the probability that a positive case outranks a negative one, ties counting ½.
    /// Never flipped: an area below ½ stays below ½.
    pub auc: f64,
    /// Variance component of the positives.
    pub s10: f64,
    /// Variance component of the negatives.
    pub s01: f64,
    /// Covariance component of the clusters that hold both classes; `None` for independent cases.
    pub s11: Option<f64>,
    /// The variance of `auc`, not negative.
    pub variance: f64,
    /// Its square root.
    pub se: f64,
}
