//! DC-08: curves are for looking at, and are drawn from merged bins.
//!
//! Edges are those of a fixed enumeration, never the data's or the model's. Neighbouring bins are
//! merged from the sparse end until each holds k patients of each label; a protocol names at most 20
//! cut-offs. No estimate is ever computed from a curve.
//!
//! Source: NVIDIA FLARE `max_bins_percent` 10; measured reconstruction of 200 of 200 scores from
//! thresholds at will (shared `design/disclosure.md`, section 2).

/// Patients of each label in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bin {
    /// With the target condition.
    pub positives: u64,
    /// Without.
    pub negatives: u64,
}

/// Some neighbouring bins as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergedBin {
    /// First bin.
    pub first: usize,
    /// Last bin.
    pub last: usize,
    /// What they hold together.
    pub holds: Bin,
}

impl Bin {
    const fn fewest(self) -> u64 {
        if self.positives < self.negatives { self.positives } else { self.negatives }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            positives: self.positives + other.positives,
            negatives: self.negatives + other.negatives,
        }
    }
}

/// Bins a curve may begin with: a tenth of the smaller label, 20 at most.
#[must_use]
pub const fn most_bins(n_pos: u64, n_neg: u64) -> u64 {
    let fewest = if n_pos < n_neg { n_pos } else { n_neg };
    if fewest / 10 < 20 { fewest / 10 } else { 20 }
}

/// Merges neighbours until every bin holds at least `k` of each label; empty where all bins
/// together do not. The sparsest bin goes first, to its sparser neighbour, the lower one in a tie.
#[must_use]
pub fn merged(bins: &[Bin], k: u64) -> Vec<MergedBin> {
    let mut merged: Vec<MergedBin> = bins
        .iter()
        .enumerate()
        .map(|(index, holds)| MergedBin { first: index, last: index, holds: *holds })
        .collect();
    while let Some(sparsest) = sparsest_below(&merged, k) {
        if merged.len() == 1 {
            return Vec::new();
        }
        let fewest = |index: usize| merged.get(index).map(|bin| bin.holds.fewest());
        let below = sparsest.checked_sub(1);
        let join_above = match (below.and_then(fewest), fewest(sparsest + 1)) {
            (Some(lower), Some(upper)) => upper < lower,
            (lower, _) => lower.is_none(),
        };
        let lower = if join_above { sparsest } else { sparsest - 1 };
        let upper = merged.remove(lower + 1);
        let joined = &mut merged[lower];
        joined.last = upper.last;
        joined.holds = joined.holds.and(upper.holds);
    }
    merged
}

fn sparsest_below(bins: &[MergedBin], k: u64) -> Option<usize> {
    let below = bins.iter().enumerate().filter(|(_, bin)| bin.holds.fewest() < k);
    below.min_by_key(|(index, bin)| (bin.holds.fewest(), *index)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_for_one_bin_is_no_curve() {
        let bins = [Bin { positives: 5, negatives: 40 }, Bin { positives: 5, negatives: 40 }];
        assert_eq!(merged(&bins, 11), []);
        assert_eq!(merged(&[], 11), []);
        assert_eq!(most_bins(95, 400), 9);
        assert_eq!(most_bins(5000, 400), 20);
    }
}
