//! Whether few patients follow from what is told of up to three conditions together, as a whole and by group.
//!
//! What a reader can compute from counts of conditions is a sum over patients: each counts by a number that stands at the
//! cell of the one condition, plus one at that of the next, and so on. A number at the cell of a condition may be another in
//! every group in which the condition is told; over all other groups it is one and the same, since there the reader has
//! nothing but the whole minus what is told. How many patients are in a group is known too, so that one number more may be
//! added there. Where such a sum is zero for all but a few patients, it speaks of these: of those with a mass and no
//! effusion, in all groups together in which nobody was told of a mass; of those with an infiltrate that is neither viral nor
//! bacterial. The search is over all numbers from -1 to 1 but for a constant, and counts whom the sum does not leave out.
//!
//! Source: the same question as that of the rank test (shared `design/disclosure.md`, section 3), which asks it of one or
//! two sets of patients whom no row tells apart; further conditions split few patients into more.

use fedval_study::members::CONDITION_CELLS as CELLS;

/// Conditions that are looked at together.
const TOGETHER: usize = 3;

/// Patients of one group by their cells of the conditions that are looked at; see [`place_of`].
pub(crate) type Crossing = [u64; CELLS.pow(3)];

/// A number at each cell of a condition, the least of them 0.
type Numbers = [u8; CELLS];

/// Sums of the numbers of three conditions.
const SUMS: usize = 7;

/// What follows about few patients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Near {
    /// From what is told of this group alone.
    InGroup(usize),
    /// From several groups together, or from the whole minus what is told of groups.
    Together,
}

/// One group, or all those together of whom not even the size is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    pub(crate) patients: Crossing,
    /// Of each condition, whether it is told here.
    pub(crate) is_told: [bool; TOGETHER],
}

/// Where a patient with these cells stands in a crossing.
pub(crate) fn place_of(cells: impl Iterator<Item = u16>) -> Option<usize> {
    let steps = [1, CELLS, CELLS * CELLS];
    let mut place = 0;
    for (cell, step) in cells.zip(steps) {
        let cell = usize::from(cell);
        if cell >= CELLS {
            return None;
        }
        place += cell * step;
    }
    Some(place)
}

/// How many patients a sum leaves in: as few as can be, and as few as can be but not nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Least {
    any: u64,
    positive: u64,
}

impl Least {
    /// Of nobody.
    const NOBODY: Self = Self { any: 0, positive: u64::MAX };
    /// Of no choice at all.
    const NO_CHOICE: Self = Self { any: u64::MAX, positive: u64::MAX };

    /// Of either choice.
    fn or(self, other: Self) -> Self {
        Self { any: self.any.min(other.any), positive: self.positive.min(other.positive) }
    }

    /// Of both groups of patients, each with a choice of its own.
    fn and(self, other: Self) -> Self {
        let any = self.any.saturating_add(other.any);
        let positive = if any > 0 { any } else { self.positive.min(other.positive) };
        Self { any, positive }
    }

    /// Of patients by their sum, to all of which one number may be added.
    fn of_sums(patients: &[u64; SUMS]) -> Self {
        let all: u64 = patients.iter().sum();
        let choices = patients.iter().copied().chain([0]).map(|left_out| {
            let left = all - left_out;
            Self { any: left, positive: if left > 0 { left } else { u64::MAX } }
        });
        choices.fold(Self::NO_CHOICE, Self::or)
    }
}

/// What follows about fewer than `k` patients from what is told of the first `conditions`, at most three, in these pieces,
/// which hold every patient once. Every condition is told of the whole.
pub(crate) fn find(pieces: &[Piece], conditions: usize, k: u64) -> Option<Near> {
    let numbers = numbers();
    let used = 0..conditions.min(TOGETHER);
    let is_few = |least: Least| least.positive < k;
    let is_somebody = |piece: &&Piece| piece.patients.iter().any(|patients| *patients > 0);
    let by_itself = |piece: &Piece| least(&piece.patients, free(conditions), &numbers);
    for (place, piece) in pieces.iter().enumerate() {
        let is_told = used.clone().all(|condition| piece.is_told[condition]);
        if is_told && is_somebody(&piece) && is_few(by_itself(piece)) {
            return Some(Near::InGroup(place));
        }
    }
    let pieces: Vec<&Piece> = pieces.iter().filter(is_somebody).collect();
    // What is hidden in one piece alone is the whole minus all others.
    let untold = |condition: usize| pieces.iter().filter(|of| !of.is_told[condition]).count();
    let is_bound: Vec<bool> = used.map(|condition| untold(condition) > 1).collect();
    let bound: Vec<usize> = (0..is_bound.len()).filter(|of| is_bound[*of]).collect();
    let by_piece: Vec<(Vec<usize>, Vec<Least>)> = pieces
        .iter()
        .map(|piece| {
            let own: Vec<usize> =
                bound.iter().copied().filter(|condition| !piece.is_told[*condition]).collect();
            let choices = choices(own.len(), numbers.len()).map(|choice| {
                let mut fixed = free(conditions);
                for (condition, number) in own.iter().zip(&choice) {
                    fixed[*condition] = Some(numbers[*number]);
                }
                least(&piece.patients, fixed, &numbers)
            });
            let choices = choices.collect();
            (own, choices)
        })
        .collect();
    let is_near = |choice: Vec<usize>| {
        let of_piece = |(own, choices): &(Vec<usize>, Vec<Least>)| {
            let numbered =
                bound.iter().zip(&choice).filter(|(condition, _)| own.contains(condition));
            choices[numbered.fold(0, |place, (_, number)| place * numbers.len() + number)]
        };
        is_few(by_piece.iter().map(of_piece).fold(Least::NOBODY, Least::and))
    };
    choices(bound.len(), numbers.len()).any(is_near).then_some(Near::Together)
}

/// Every way to choose one of `of` so many times, in the order in which the last changes first.
fn choices(times: usize, of: usize) -> impl Iterator<Item = Vec<usize>> {
    let all = (0..times).fold(1, |all: usize, _| all * of);
    (0..all).map(move |number| {
        let mut choice = vec![0; times];
        let mut rest = number;
        for place in choice.iter_mut().rev() {
            *place = rest % of;
            rest /= of;
        }
        choice
    })
}

/// Every choice of numbers from -1 to 1 but for a constant: one may be added everywhere.
fn numbers() -> Vec<Numbers> {
    let all = choices(CELLS, 3).map(|choice| -> Numbers {
        std::array::from_fn(|cell| u8::try_from(choice[cell]).unwrap_or(u8::MAX))
    });
    all.filter(|numbers| numbers.contains(&0)).collect()
}

/// Any numbers at the cells of so many conditions, and none at those of others.
fn free(conditions: usize) -> [Option<Numbers>; TOGETHER] {
    std::array::from_fn(|place| (place >= conditions).then_some([0; CELLS]))
}

/// The least over all numbers that are free.
fn least(patients: &Crossing, fixed: [Option<Numbers>; TOGETHER], numbers: &[Numbers]) -> Least {
    let mut free = (0..TOGETHER).filter(|place| fixed[*place].is_none());
    // The numbers of the first are chosen cell by cell, as none of them binds another.
    let by_cell = free.next();
    let others: Vec<usize> = free.collect();
    let of_choice = |choice: Vec<usize>| {
        let mut own = fixed.map(Option::unwrap_or_default);
        for (place, number) in others.iter().zip(choice) {
            own[*place] = numbers[number];
        }
        of_numbers(patients, own, by_cell)
    };
    choices(others.len(), numbers.len()).map(of_choice).fold(Least::NO_CHOICE, Least::or)
}

/// The least over one number that is added to all, or to all in the same cell of one condition.
fn of_numbers(patients: &Crossing, numbers: [Numbers; TOGETHER], by_cell: Option<usize>) -> Least {
    let mut sums = [[0; SUMS]; CELLS];
    for (place, patients) in patients.iter().enumerate().filter(|(_, patients)| **patients > 0) {
        let cells = [place % CELLS, place / CELLS % CELLS, place / CELLS / CELLS];
        let of = |(numbers, cell): (&Numbers, usize)| usize::from(numbers[cell]);
        let sum: usize = numbers.iter().zip(cells).map(of).sum();
        sums[by_cell.map_or(0, |condition| cells[condition])][sum] += patients;
    }
    let inhabited = sums.iter().filter(|sums| sums.iter().any(|patients| *patients > 0));
    inhabited.map(Least::of_sums).fold(Least::NOBODY, Least::and)
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: u64 = 11;

    /// Patients by cells of three conditions.
    fn piece(patients: &[([u16; 3], u64)], is_told: [bool; 3]) -> Piece {
        let mut crossing = [0; 27];
        for (cells, count) in patients {
            crossing[place_of(cells.iter().copied()).unwrap()] += count;
        }
        Piece { patients: crossing, is_told }
    }

    /// Of a second condition in all who have the first and in so many others, half of them with a third.
    fn beside(apart: u64, is_told: [bool; 3]) -> Piece {
        let many = [([0, 0, 0], 30), ([0, 0, 1], 30), ([1, 1, 0], 40), ([1, 1, 1], 50)];
        let few = [([1, 0, 0], apart / 2), ([1, 0, 1], apart - apart / 2)];
        piece(&[&many[..], &few].concat(), is_told)
    }

    fn independent(is_told: [bool; 3]) -> Piece {
        let all = (0..8_u16).map(|place| ([place & 1, (place >> 1) & 1, place >> 2], 20));
        piece(&all.collect::<Vec<_>>(), is_told)
    }

    #[test]
    fn few_in_several_groups_of_which_one_condition_is_hidden_follow_by_subtraction() {
        let hidden = [true, false, true];
        let of = |apart| {
            let pieces = [beside(apart, hidden), beside(apart, hidden), independent([true; 3])];
            (find(&pieces, 2, K), find(&pieces, 3, K))
        };
        assert_eq!(of(4), (Some(Near::Together), Some(Near::Together)));
        assert_eq!(of(5), (Some(Near::Together), Some(Near::Together)));
        assert_eq!(of(6), (None, None));
        assert_eq!(of(0), (None, None), "of nobody");
        let pieces = [beside(4, [true; 3]), independent([true; 3])];
        assert_eq!(find(&pieces, 2, K), Some(Near::InGroup(0)));
        assert_eq!(find(&pieces, 1, K), None);
    }

    #[test]
    fn a_group_with_others_in_it_widens_what_is_hidden() {
        let hidden = [true, false, true];
        let pieces = [beside(4, hidden), independent(hidden), independent([true; 3])];
        assert_eq!(find(&pieces, 3, K), None);
        // Hidden in one group alone it is the whole minus the others.
        let pieces = [beside(4, hidden), independent([true; 3]), independent([true; 3])];
        assert_eq!(find(&pieces, 3, K), Some(Near::Together));
    }

    #[test]
    fn few_who_have_one_condition_and_neither_of_its_two_kinds_follow() {
        let of = |few: u64| {
            let patients = [([0, 1, 0], 40), ([1, 0, 0], 40), ([1, 1, 1], 60), ([1, 1, 0], few)];
            let pieces = [piece(&patients, [false; 3])];
            (find(&pieces, 2, K), find(&pieces, 3, K))
        };
        assert_eq!(of(4), (None, Some(Near::Together)));
        assert_eq!(of(11), (None, None));
    }

    #[test]
    fn who_was_assessed_for_one_is_held_against_who_has_another() {
        // Whoever has the first was assessed for the second, and all others but three were not.
        let patients = [([0, 0, 0], 30), ([0, 1, 0], 30), ([1, 2, 0], 40), ([1, 1, 0], 3)];
        assert_eq!(find(&[piece(&patients, [false; 3])], 2, K), Some(Near::Together));
    }

    #[test]
    fn a_condition_that_is_a_group_but_for_few_follows_from_the_sizes_of_groups() {
        let hidden = [false, true, true];
        let with = piece(&[([0, 0, 0], 30), ([0, 1, 1], 30), ([1, 0, 1], 3)], hidden);
        let without = piece(&[([1, 0, 0], 30), ([1, 1, 1], 30), ([0, 1, 0], 3)], hidden);
        assert_eq!(find(&[with, without], 1, K), Some(Near::Together));
    }
}
