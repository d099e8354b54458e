//! The disclosure rules, one a file: pure functions of evidence and policy.

pub mod dc01_closed_schema;
pub mod dc02_cohort_minimum;
pub mod dc03_identifying_cells;
pub mod dc04_attrition;
pub mod dc14_per_case;
pub mod dc17_partner;
pub mod dc20_rerun;

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
    /// Per-case anything.
    Dc14,
    /// Complementary suppression.
    Dc17,
    /// Budget of bits.
    Dc19,
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
            Self::Dc14 => "DC-14",
            Self::Dc17 => "DC-17",
            Self::Dc19 => "DC-19",
        }
    }
}
