//! The disclosure rules, one a file: pure functions of evidence and policy.
//!
//! DC-23 (secure sums) waits for its own issue.

pub mod dc01_closed_schema;
pub mod dc02_cohort_minimum;
pub mod dc03_identifying_cells;
pub mod dc04_attrition;
pub mod dc04_unassessed;
pub mod dc05_zeros;
pub mod dc06_response_counts;
pub mod dc07_margins;
pub mod dc08_curves;
pub mod dc08_detection;
pub mod dc09_joint_error;
pub mod dc09_rank_statistics;
pub mod dc10_means;
pub mod dc11_variance;
pub mod dc12_quantiles;
pub mod dc13_extremes;
pub mod dc14_per_case;
pub mod dc15_inference;
pub mod dc16_subgroup_lattice;
pub mod dc17_complementary;
pub mod dc18_earlier_releases;
pub mod dc19_budgets;
pub mod dc20_rerun;
pub mod dc21_timing;
pub mod dc22_model_purity;
pub mod dc24_exact_mode;
pub mod dc25_marking;

/// A rule, as previews and reports cite it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Closed schema.
    Dc01,
    /// Cohort minimum.
    Dc02,
    /// Identifying cells.
    Dc03,
    /// Failed cases.
    Dc04,
    /// Zeros and 100 %.
    Dc05,
    /// Response counts.
    Dc06,
    /// Margins.
    Dc07,
    /// Curves.
    Dc08,
    /// Rank statistics.
    Dc09,
    /// Means.
    Dc10,
    /// Variances.
    Dc11,
    /// Per-case anything.
    Dc14,
    /// Subgroup lattice.
    Dc16,
    /// Complementary suppression.
    Dc17,
    /// Earlier releases.
    Dc18,
    /// Budgets.
    Dc19,
    /// Model purity.
    Dc22,
}

impl Rule {
    /// The rule's id, such as `DC-03`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Dc01 => "DC-01",
            Self::Dc02 => "DC-02",
            Self::Dc03 => "DC-03",
            Self::Dc04 => "DC-04",
            Self::Dc05 => "DC-05",
            Self::Dc06 => "DC-06",
            Self::Dc07 => "DC-07",
            Self::Dc08 => "DC-08",
            Self::Dc09 => "DC-09",
            Self::Dc10 => "DC-10",
            Self::Dc11 => "DC-11",
            Self::Dc14 => "DC-14",
            Self::Dc16 => "DC-16",
            Self::Dc17 => "DC-17",
            Self::Dc18 => "DC-18",
            Self::Dc19 => "DC-19",
            Self::Dc22 => "DC-22",
        }
    }
}
