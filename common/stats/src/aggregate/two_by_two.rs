//! The contingency table of a binary call.

use super::inconsistent::{Inconsistent, require};

/// Counts of cases by reference standard and by call; a case is called positive iff its score is
/// at or above the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TwoByTwo {
    /// Condition present, called positive.
    pub tp: u64,
    /// Condition present, called negative.
    pub fn_: u64,
    /// Condition absent, called positive.
    pub fp: u64,
    /// Condition absent, called negative.
    pub tn: u64,
}

impl TwoByTwo {
    /// Cases with the condition (saturating).
    #[must_use]
    pub fn n_pos(&self) -> u64 {
        self.tp.saturating_add(self.fn_)
    }

    /// Cases without the condition (saturating).
    #[must_use]
    pub fn n_neg(&self) -> u64 {
        self.fp.saturating_add(self.tn)
    }

    /// All cases (saturating).
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n_pos().saturating_add(self.n_neg())
    }

    /// Tests that the total can be counted at all; any four counts form a table.
    ///
    /// # Errors
    ///
    /// [`Inconsistent::Overflow`].
    pub fn check(&self) -> Result<(), Inconsistent> {
        let total =
            [self.tp, self.fn_, self.fp, self.tn].into_iter().try_fold(0_u64, u64::checked_add);
        require(total.is_some(), Inconsistent::Overflow)
    }

    /// Tests, beyond [`check`](Self::check), that the margins are the cohort's class sizes.
    ///
    /// # Errors
    ///
    /// [`Inconsistent::Overflow`] or [`Inconsistent::Disagreement`].
    pub fn check_against(&self, n_pos: u64, n_neg: u64) -> Result<(), Inconsistent> {
        self.check()?;
        require(self.n_pos() == n_pos && self.n_neg() == n_neg, Inconsistent::Disagreement)
    }

    /// The table of two disjoint cohorts together (saturating, so that merging stays associative
    /// whatever a site sends).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            tp: self.tp.saturating_add(other.tp),
            fn_: self.fn_.saturating_add(other.fn_),
            fp: self.fp.saturating_add(other.fp),
            tn: self.tn.saturating_add(other.tn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_and_totals_add_up() {
        let table = TwoByTwo { tp: 9, fn_: 1, fp: 3, tn: 17 };
        assert_eq!((table.n_pos(), table.n_neg(), table.n()), (10, 20, 30));
        assert_eq!(table.check_against(10, 20), Ok(()));
        assert_eq!(table.check_against(10, 21), Err(Inconsistent::Disagreement));
    }

    #[test]
    fn a_total_beyond_the_type_is_refused() {
        let table = TwoByTwo { tp: u64::MAX, fn_: 0, fp: 0, tn: 1 };
        assert_eq!(table.check(), Err(Inconsistent::Overflow));
        assert_eq!(table.n(), u64::MAX);
    }
}
