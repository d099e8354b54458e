//! DC-25: what is not shown is marked, and every mark looks alike.
//!
//! A cell that was hidden for its own sake and one that was hidden for another's carry the same mark
//! outside the site. Telling them apart would say of the second that it holds k of each label at least;
//! where the two together hold few more, subtraction gives the first away. The steward's preview has
//! both marks; terms, k and policy digest stand beside every table of the report.
//!
//! Source: ACRO keeps empty rows and columns (dropping them discloses); OHDSI writes −5, never 0.

/// Why a cell is not shown: for the eyes of this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suppression {
    /// The cell itself rests on too few patients.
    Primary,
    /// The cell would allow another to be computed.
    Complementary,
}

impl Suppression {
    /// The site's own mark.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Primary => "S",
            Self::Complementary => "C",
        }
    }

    /// What a preview says.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Primary => "withheld (S): too few patients",
            Self::Complementary => "withheld (C): would reveal another",
        }
    }
}
