//! DC-04 where each of several conditions has a reference standard of its own.
//!
//! Patients who were not assessed for a condition are told of as those whose cases failed are: k of them, or nobody.
//! Counts of each condition and of all patients are told, so that a few who are missing from one would follow by
//! subtraction; and from counts of two conditions, how few are missing from one and not from the other. Hiding a
//! condition for the sake of two or three such patients would take the site out of the study's answer. They are set
//! aside instead, from every condition, before anything is counted, and counted as patients without a reference standard:
//! masking afterwards would leave totals that do not add up.
//!
//! Whoever this lets pass, the gate still holds every cell against every other (DC-03, DC-17, DC-18).
//!
//! Source: CMS cell-size suppression policy, which binds for excluded cases too; ACRO (remove the records and compute
//! again, do not mask).

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::protocol::Assessed;

/// Which patients are counted, so that those who lack the reference standard of a condition are nobody or at least k,
/// and so are those whom two conditions do not lack alike.
///
/// Takes as many rounds as there are patients at most: each sets somebody aside.
#[must_use]
pub fn kept(assessed: &[Assessed], conditions: usize, k: u64) -> Vec<bool> {
    let mut patterns: BTreeMap<Vec<bool>, u64> = BTreeMap::new();
    let pattern = |of: &Assessed| -> Vec<bool> {
        // Last, the whole, which lacks nobody.
        (0..conditions).map(|place| of.at(place).is_none()).chain([false]).collect()
    };
    for of in assessed {
        *patterns.entry(pattern(of)).or_default() += 1;
    }
    let mut set_aside = BTreeSet::new();
    while let Some((one, other)) = too_near(&patterns, conditions, k) {
        let differs = |pattern: &Vec<bool>| pattern[one] != pattern[other];
        set_aside.extend(patterns.keys().filter(|pattern| differs(pattern)).cloned());
        patterns.retain(|pattern, _| !differs(pattern));
    }
    assessed.iter().map(|of| !set_aside.contains(&pattern(of))).collect()
}

/// Two conditions, or a condition and the whole, that lack fewer than k patients apart.
fn too_near(
    patterns: &BTreeMap<Vec<bool>, u64>,
    conditions: usize,
    k: u64,
) -> Option<(usize, usize)> {
    let apart = |one: usize, other: usize| -> u64 {
        let differs = patterns.iter().filter(|(pattern, _)| pattern[one] != pattern[other]);
        differs.map(|(_, patients)| patients).sum()
    };
    // The whole before the others: who lacks a condition that few lack is in the way of every pair.
    let pairs = (0..=conditions).rev().flat_map(|one| (0..one).map(move |other| (one, other)));
    pairs.into_iter().find(|(one, other)| (1..k).contains(&apart(*one, *other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many patients of each: `x` was assessed, `.` was not.
    fn patients(of: &[(&str, usize)]) -> Vec<Assessed> {
        let one = |signs: &str| {
            let known = signs.chars().enumerate().filter(|(_, sign)| *sign == 'x');
            known.fold(Assessed::default(), |of, (place, _)| of.with(place, place % 2 == 0))
        };
        of.iter().flat_map(|(signs, count)| std::iter::repeat_n(one(signs), *count)).collect()
    }

    fn left(of: &[(&str, usize)]) -> usize {
        kept(&patients(of), 3, 11).into_iter().filter(|is_kept| *is_kept).count()
    }

    #[test]
    fn nobody_or_k_who_lack_a_condition_stay() {
        assert_eq!(left(&[("xxx", 60)]), 60);
        assert_eq!(left(&[("xxx", 60), ("x.x", 11)]), 71);
        assert_eq!(left(&[("xxx", 60), ("x.x", 11), ("..x", 30), ("xx.", 20)]), 121);
    }

    #[test]
    fn few_who_lack_a_condition_are_set_aside_and_others_are_not() {
        assert_eq!(left(&[("xxx", 60), ("x.x", 10)]), 60);
        let kept = kept(&patients(&[("x.x", 3), ("xxx", 60), (".xx", 20)]), 3, 11);
        assert_eq!(kept.iter().position(|is_kept| *is_kept), Some(3));
        assert!(kept[3..].iter().all(|is_kept| *is_kept));
    }

    #[test]
    fn few_whom_one_of_two_conditions_lacks_are_set_aside() {
        // Twenty-two lack the first, twenty-five the second: twenty of them both.
        assert_eq!(left(&[("xxx", 90), ("..x", 20), (".xx", 2), ("x.x", 5)]), 110);
    }

    #[test]
    fn what_setting_aside_leaves_is_held_to_the_same() {
        // Twelve lack the second; of the three of them who lack the third, few do.
        assert_eq!(left(&[("xxx", 60), ("x.x", 9), ("x..", 3)]), 60);
    }

    #[test]
    fn nobody_is_left_where_everybody_is_few() {
        assert!(kept(&[], 3, 11).is_empty());
        assert_eq!(left(&[("x..", 5), (".x.", 5)]), 0);
    }
}
