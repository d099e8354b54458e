//! Cases by which of their masks hold anything.

use super::Presence;

/// Counts of cases: what a mean Dice is silent about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PresenceTally {
    /// Both masks hold something: only these have distances.
    pub both: u64,
    /// The finding was missed.
    pub only_reference: u64,
    /// Something was predicted where there is nothing.
    pub only_predicted: u64,
    /// Nothing, and nothing predicted.
    pub neither: u64,
}

impl PresenceTally {
    /// Counts cases.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::segmentation::{Presence, PresenceTally};
    ///
    /// let tally = PresenceTally::of([Presence::Both, Presence::Neither, Presence::Both]);
    /// assert_eq!((tally.both, tally.neither), (2, 1));
    /// ```
    #[must_use]
    pub fn of(cases: impl IntoIterator<Item = Presence>) -> Self {
        cases.into_iter().fold(Self::default(), |mut tally, presence| {
            match presence {
                Presence::Both => tally.both += 1,
                Presence::OnlyReference => tally.only_reference += 1,
                Presence::OnlyPredicted => tally.only_predicted += 1,
                Presence::Neither => tally.neither += 1,
            }
            tally
        })
    }

    /// The counts of two disjoint cohorts together (saturating).
    #[must_use]
    pub const fn merge(self, other: Self) -> Self {
        Self {
            both: self.both.saturating_add(other.both),
            only_reference: self.only_reference.saturating_add(other.only_reference),
            only_predicted: self.only_predicted.saturating_add(other.only_predicted),
            neither: self.neither.saturating_add(other.neither),
        }
    }
}
