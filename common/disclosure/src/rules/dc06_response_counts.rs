//! DC-06: response counts behind a safe denominator.
//!
//! `standard` shows them exactly. `cms`, `opensafely`, `acro` and `ohdsi` keep the pair of a label back
//! where one of the two is small; the pair, because its sum is shown. Where counts are rounded, the
//! errors are rounded within their label and the right answers are what remains: one free cell.
//!
//! A pair that stays needs a partner (DC-17): its table's other cells and total would give it back.
//!
//! Source: resdac.org/node/1506 (CMS); OpenSAFELY; OHDSI `minCellCount`; EU SDC Handbook (2024).

use fedval_study::Terms;

use super::dc05_zeros::discloses_a_class;

/// Right and wrong answers among the cases of one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Answered as the reference standard has it.
    pub right: u64,
    /// Answered otherwise.
    pub wrong: u64,
}

impl Pair {
    fn smaller(self) -> u64 {
        self.right.min(self.wrong)
    }
}

/// Whether a pair stays on its own account.
#[must_use]
pub const fn stays(pair: Pair, terms: &Terms) -> bool {
    is_small(pair.right, terms)
        || is_small(pair.wrong, terms)
        || discloses_a_class(pair.right, pair.wrong, terms)
}

const fn is_small(count: u64, terms: &Terms) -> bool {
    count >= 1 && count <= terms.withheld_responses
}

/// For each cell of a table whose cells add up to a shown total, whether its pair stays.
///
/// `cells` holds a pair for each cell, `None` for a cell that is not shown at all; its answers are
/// `hidden`, and count among what stays. With partners, smallest first, what stays is at least two
/// cells and too many answers of either kind to be narrowed down to a small count.
#[must_use]
pub fn staying(cells: &[Option<Pair>], hidden: &[Pair], terms: &Terms) -> Vec<bool> {
    let mut stays_here: Vec<bool> =
        cells.iter().map(|cell| cell.is_some_and(|pair| stays(pair, terms))).collect();
    if terms.withheld_responses == 0 && !terms.zeros_withheld {
        return stays_here;
    }
    loop {
        let withheld = cells.iter().zip(&stays_here).filter_map(|(c, stays)| c.filter(|_| *stays));
        let staying: Vec<Pair> = withheld.chain(hidden.iter().copied()).collect();
        if is_protected(&staying, terms) {
            return stays_here;
        }
        let partner = (0..cells.len())
            .filter(|index| !stays_here[*index])
            .filter_map(|index| cells[index].map(|pair| (pair.smaller(), index)))
            .min();
        match partner {
            Some((_, index)) => stays_here[index] = true,
            None => return stays_here,
        }
    }
}

fn is_protected(staying: &[Pair], terms: &Terms) -> bool {
    let needs = staying.iter().any(|pair| stays(*pair, terms));
    let right: u64 = staying.iter().map(|pair| pair.right).sum();
    let wrong: u64 = staying.iter().map(|pair| pair.wrong).sum();
    let least = terms.withheld_responses;
    !needs || (staying.len() >= 2 && right > least && wrong > least)
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::Profile;

    use super::*;
    use crate::profiles::terms;

    fn pair(right: u64, wrong: u64) -> Pair {
        Pair { right, wrong }
    }

    #[test]
    fn each_profile_keeps_what_its_source_keeps() {
        for (profile, wrong, expected) in [
            (Profile::Standard, 1, false),
            (Profile::Cms, 10, true),
            (Profile::Cms, 11, false),
            (Profile::Cms, 0, false),
            (Profile::OpenSafely, 7, true),
            (Profile::OpenSafely, 8, false),
            (Profile::Acro, 0, true),
            (Profile::Acro, 9, true),
            (Profile::Ohdsi, 4, true),
            (Profile::Ohdsi, 5, false),
        ] {
            assert_eq!(stays(pair(40, wrong), &terms(profile)), expected, "{profile:?} {wrong}");
            assert_eq!(stays(pair(wrong, 40), &terms(profile)), expected, "{profile:?} {wrong}");
        }
    }

    #[test]
    fn a_small_pair_takes_the_smallest_others_with_it() {
        let cells = [Some(pair(40, 20)), Some(pair(30, 12)), Some(pair(50, 3))];
        let cms = terms(Profile::Cms);
        assert_eq!(staying(&cells, &[], &cms), [false, true, true]);
        assert_eq!(staying(&cells, &[], &terms(Profile::Standard)), [false, false, false]);
        let all_large = [Some(pair(40, 20)), Some(pair(30, 12))];
        assert_eq!(staying(&all_large, &[], &cms), [false, false]);
    }

    #[test]
    fn a_cell_that_is_not_shown_at_all_protects_only_if_it_is_large_enough() {
        let cells = [Some(pair(40, 20)), None];
        let cms = terms(Profile::Cms);
        assert_eq!(staying(&cells, &[pair(2, 2)], &cms), [true, false]);
        assert_eq!(staying(&cells, &[pair(20, 30), pair(2, 2)], &cms), [false, false]);
    }
}
