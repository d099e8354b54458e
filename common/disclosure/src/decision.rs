//! What was decided on each quantity, as a steward reads it.

use crate::rules::Rule;
use crate::rules::dc25_marking::Suppression;

/// Whether a quantity goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes out.
    Released,
    /// It goes out on a grid.
    Rounded,
    /// It goes out with noise.
    Noisy,
    /// It stays.
    Withheld(Suppression),
}

impl Verdict {
    /// The decision in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Rounded => "released, rounded",
            Self::Noisy => "released, with noise",
            Self::Withheld(why) => why.reason(),
        }
    }
}

/// One line of the preview: a quantity, what was decided, and the rule that decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The quantity, in the protocol's names.
    pub quantity: String,
    /// What was decided.
    pub verdict: Verdict,
    /// The rule.
    pub rule: Rule,
}

impl Decision {
    pub(crate) fn new(quantity: impl Into<String>, verdict: Verdict, rule: Rule) -> Self {
        Self { quantity: quantity.into(), verdict, rule }
    }
}
