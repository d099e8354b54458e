//! People who call the coordinator.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person may do there. Stewards are not among them: they act at their own site alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonRole {
    /// Runs the consortium: sites, studies, rounds, people.
    Operator,
    /// Writes studies, follows them, builds reports.
    Statistician,
    /// Reads: studies, their state, reports.
    Reviewer,
}

impl PersonRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Statistician, Self::Reviewer];

    /// The role as certificates and commands write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Statistician => "statistician",
            Self::Reviewer => "reviewer",
        }
    }
}

impl fmt::Display for PersonRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PersonRole {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or("is none of operator, statistician, reviewer")
    }
}
