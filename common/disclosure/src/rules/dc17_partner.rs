//! DC-17, the part that one dimension needs: a withheld subgroup takes a partner with it.
//!
//! The whole cohort is published, so the leaves of a dimension sum to something known: with one leaf
//! hidden, subtraction gives it back. Leaves are hidden, smallest first, until what is hidden holds
//! at least two leaves and k patients of each label together.
//!
//! Source: EU SDC Handbook (2024), chapter on tabular data: singletons do not protect singletons.

use fedval_study::Suppression;
use fedval_study::summary::Leaf;

use super::dc03_identifying_cells::is_safe;

/// For each leaf, whether it is suppressed and why. The unlisted leaf is always hidden.
#[must_use]
pub fn suppressions(leaves: &[Leaf], k: u64) -> Vec<Option<Suppression>> {
    let mut decided: Vec<Option<Suppression>> = leaves
        .iter()
        .map(|leaf| {
            let hidden = leaf.category.is_none() || !is_safe(leaf.patients, k);
            hidden.then_some(Suppression::Primary)
        })
        .collect();
    while !is_protected(leaves, &decided, k) {
        let smallest = (0..leaves.len())
            .filter(|index| decided[*index].is_none())
            .min_by_key(|index| leaves[*index].patients.total);
        let Some(smallest) = smallest else { break };
        decided[smallest] = Some(Suppression::Complementary);
    }
    decided
}

/// Whether the hidden leaves protect each other.
fn is_protected(leaves: &[Leaf], decided: &[Option<Suppression>], k: u64) -> bool {
    // An empty unlisted leaf is no leaf: every patient belongs to a listed category.
    let counts_as_leaf = |leaf: &&Leaf| leaf.category.is_some() || leaf.patients.total > 0;
    let hidden: Vec<&Leaf> = leaves
        .iter()
        .zip(decided)
        .filter_map(|(leaf, suppressed)| suppressed.map(|_| leaf))
        .filter(counts_as_leaf)
        .collect();
    let sum = |count: fn(&Leaf) -> u64| hidden.iter().map(|leaf| count(leaf)).sum::<u64>();
    hidden.is_empty()
        || (hidden.len() >= 2
            && sum(|leaf| leaf.patients.with_positive) >= k
            && sum(|leaf| leaf.patients.with_negative) >= k)
}

#[cfg(test)]
mod tests {
    use fedval_study::PatientCounts;

    use super::*;

    fn leaf(category: Option<&str>, with_positive: u64, with_negative: u64) -> Leaf {
        Leaf {
            category: category.map(|name| name.parse().unwrap()),
            patients: PatientCounts {
                total: with_positive + with_negative,
                with_positive,
                with_negative,
            },
            group: None,
        }
    }

    const PRIMARY: Option<Suppression> = Some(Suppression::Primary);
    const PARTNER: Option<Suppression> = Some(Suppression::Complementary);

    #[test]
    fn large_leaves_are_shown() {
        let leaves = [leaf(Some("f"), 40, 60), leaf(Some("m"), 50, 50), leaf(None, 0, 0)];
        assert_eq!(suppressions(&leaves, 11), [None, None, PRIMARY]);
    }

    #[test]
    fn one_small_leaf_takes_the_smallest_other_with_it() {
        let leaves = [leaf(Some("a"), 40, 60), leaf(Some("b"), 50, 20), leaf(Some("c"), 3, 3)];
        assert_eq!(suppressions(&leaves, 11), [None, PARTNER, PRIMARY]);
    }

    #[test]
    fn a_few_patients_of_unknown_category_take_a_partner_too() {
        let leaves = [leaf(Some("f"), 40, 60), leaf(Some("m"), 50, 90), leaf(None, 2, 1)];
        assert_eq!(suppressions(&leaves, 11), [PARTNER, None, PRIMARY]);
    }

    #[test]
    fn two_singletons_do_not_protect_each_other() {
        let leaves = [
            leaf(Some("a"), 40, 60),
            leaf(Some("b"), 1, 0),
            leaf(Some("c"), 0, 1),
            leaf(Some("d"), 30, 30),
        ];
        assert_eq!(suppressions(&leaves, 11), [None, PRIMARY, PRIMARY, PARTNER]);
    }
}
