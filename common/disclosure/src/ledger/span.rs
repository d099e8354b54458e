//! What follows from rows: a linear span over a prime field, and a witness against it.
//!
//! A functional (an atom, two atoms, a hidden cell) follows from the rows exactly if it is zero on every
//! vector on which all rows are zero. One vector drawn at random from those decides it: a functional
//! that follows is zero on it always, another one only by a chance of 1 in p. Three vectors make that
//! 1 in p³, about 10²⁵. An error can only call something disclosed that is not.
//!
//! Rows are added one at a time with an LU factorisation of one atom ("pivot") for each row; each
//! addition moves the witnesses along one solution of the rows so far. Rows that follow from earlier
//! ones are noticed and cost nothing. A pivot is an atom that stands in as few rows as can be: what a
//! window of time adds to the last one stands in none of the earlier rows, and the factors stay sparse.
//!
//! Source: shared `design/disclosure.md`, section 3 (elimination over a prime field); `GaussSuppression`
//! of R as the reference for what a rank test is.

use std::collections::{HashMap, HashSet};

use super::atoms::Population;

/// The largest prime below 2²⁸: 256 products fit a sum of 64 bits.
const P: u64 = 268_435_399;
/// Products that are summed before a reduction.
const LAZY: usize = 256;
/// Independent witnesses.
const WITNESSES: usize = 3;

/// A value on every witness.
type Values = [u32; WITNESSES];
const ZERO: Values = [0; WITNESSES];

/// The span of some rows over atoms.
pub(crate) struct Span {
    /// Value of each atom on each witness.
    witness: Vec<Values>,
    /// For each atom, the accepted rows that it stands in.
    stands_in: Vec<Vec<u32>>,
    /// The atom that stands for each accepted row.
    pivots: Vec<u32>,
    is_pivot: Vec<bool>,
    /// Row i of L, without its diagonal of ones.
    lower: Vec<Sparse>,
    /// Column i of U, without its diagonal.
    upper: Vec<Sparse>,
    /// The diagonal of U, and its inverses.
    diagonal: Vec<(u32, u32)>,
}

/// Places and values that are not zero, in order of places.
type Sparse = Vec<(u32, u32)>;

/// What a row did to a span, for taking it back.
pub(crate) struct Undo {
    witness: Vec<(u32, Values)>,
    row: Vec<u32>,
}

impl Span {
    /// The span of no row; the same atoms give the same witnesses.
    pub(crate) fn new(atoms: usize) -> Self {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        Self {
            witness: (0..atoms).map(|_| std::array::from_fn(|_| draw(&mut state))).collect(),
            stands_in: vec![Vec::new(); atoms],
            pivots: Vec::new(),
            is_pivot: vec![false; atoms],
            lower: Vec::new(),
            upper: Vec::new(),
            diagonal: Vec::new(),
        }
    }

    /// The value of a sum of atoms on the witnesses: zero if it follows from the rows.
    fn value(&self, atoms: &[u32]) -> Values {
        let mut sums = [0_u64; WITNESSES];
        for atom in atoms {
            for (sum, value) in sums.iter_mut().zip(self.witness[*atom as usize]) {
                *sum += u64::from(value);
            }
        }
        sums.map(reduce)
    }

    /// Whether the sum over some atoms follows from the rows.
    pub(crate) fn determines(&self, atoms: &[u32]) -> bool {
        self.value(atoms) == ZERO
    }

    /// Adds a row; `None` where it follows from the others.
    pub(crate) fn add(&mut self, row: &[u32]) -> Option<Undo> {
        if self.determines(row) {
            return None;
        }
        let rank = self.pivots.len();
        let mut on_pivots = vec![0_u32; rank];
        let member: HashSet<u32> = row.iter().copied().collect();
        for (value, pivot) in on_pivots.iter_mut().zip(&self.pivots) {
            *value = u32::from(member.contains(pivot));
        }
        let left = self.solve_upper_from_left(&on_pivots);
        let dual = self.solve_lower_from_left(&left);
        let (pivot, diagonal) = self.find_pivot(row, &member, &dual)?;
        let column = self.solve_lower(&self.stands_in[pivot as usize]);
        let direction = self.solve_upper(&column);
        let undo = self.move_witnesses(row, pivot, diagonal, &direction);
        let number = u32::try_from(rank).unwrap_or(u32::MAX);
        for atom in row {
            self.stands_in[*atom as usize].push(number);
        }
        self.lower.push(sparse(&left));
        self.upper.push(sparse(&column));
        self.diagonal.push((diagonal, invert(diagonal)));
        self.pivots.push(pivot);
        self.is_pivot[pivot as usize] = true;
        Some(undo)
    }

    /// Takes the last row back.
    pub(crate) fn undo(&mut self, undo: Undo) {
        for (atom, values) in undo.witness {
            self.witness[atom as usize] = values;
        }
        for atom in undo.row {
            self.stands_in[atom as usize].pop();
        }
        self.lower.pop();
        self.upper.pop();
        self.diagonal.pop();
        if let Some(pivot) = self.pivots.pop() {
            self.is_pivot[pivot as usize] = false;
        }
    }

    /// An atom on which the row is not what the other rows make of it, and by how much: of those in the
    /// row one that stands in the fewest others, or any other.
    fn find_pivot(&self, row: &[u32], member: &HashSet<u32>, dual: &[u32]) -> Option<(u32, u32)> {
        let mut order: Vec<u32> = row.to_vec();
        order.sort_by_key(|atom| self.stands_in[*atom as usize].len());
        let all = 0..u32::try_from(self.witness.len()).unwrap_or(u32::MAX);
        order.into_iter().chain(all).filter(|atom| !self.is_pivot[*atom as usize]).find_map(
            |atom| {
                let others: u64 = self.stands_in[atom as usize]
                    .iter()
                    .map(|row| u64::from(dual[*row as usize]))
                    .sum();
                let own = u64::from(member.contains(&atom));
                let rest = reduce(own + P - u64::from(reduce(others)));
                (rest != 0).then_some((atom, rest))
            },
        )
    }

    /// Moves every witness to where the new row is zero too, along the solution of the others that
    /// is 1 at the pivot.
    fn move_witnesses(
        &mut self,
        row: &[u32],
        pivot: u32,
        diagonal: u32,
        direction: &[u32],
    ) -> Undo {
        let inverse = u64::from(invert(diagonal));
        let steps = self.value(row).map(|value| u64::from(value) * inverse % P);
        let mut changed = Vec::new();
        let mut shift = |witness: &mut Vec<Values>, atom: u32, along: u64| {
            let values = &mut witness[atom as usize];
            changed.push((atom, *values));
            for (value, step) in values.iter_mut().zip(steps) {
                *value = reduce(u64::from(*value) + P - step * along % P);
            }
        };
        shift(&mut self.witness, pivot, 1);
        for (atom, along) in self.pivots.iter().zip(direction).filter(|(_, along)| **along != 0) {
            shift(&mut self.witness, *atom, P - u64::from(*along));
        }
        Undo { witness: changed, row: row.to_vec() }
    }

    /// x with x U = b.
    fn solve_upper_from_left(&self, b: &[u32]) -> Vec<u32> {
        let mut x: Vec<u32> = Vec::with_capacity(b.len());
        for ((b, column), (_, inverse)) in b.iter().zip(&self.upper).zip(&self.diagonal) {
            let rest = u64::from(*b) + P - u64::from(dot(column, &x));
            x.push(multiply(reduce(rest), *inverse));
        }
        x
    }

    /// y with y L = b.
    fn solve_lower_from_left(&self, b: &[u32]) -> Vec<u32> {
        backwards(b, &self.lower, |_| 1)
    }

    /// v with L v = b, where b is one at some places.
    fn solve_lower(&self, ones: &[u32]) -> Vec<u32> {
        let mut v = vec![0_u32; self.lower.len()];
        for place in ones {
            v[*place as usize] = 1;
        }
        // Nothing comes before the first.
        let first = ones.iter().min().map_or(v.len(), |place| *place as usize);
        for place in first..v.len() {
            let rest = u64::from(v[place]) + P - u64::from(dot(&self.lower[place], &v));
            v[place] = reduce(rest);
        }
        v
    }

    /// w with U w = b.
    fn solve_upper(&self, b: &[u32]) -> Vec<u32> {
        backwards(b, &self.upper, |place| self.diagonal[place].1)
    }

    /// Groups of fewer than k patients whom no row tells apart, and pairs of such groups, whose sum
    /// follows from the rows; each as its atoms.
    pub(crate) fn disclosed(&self, population: &Population, k: u64) -> HashSet<Vec<u32>> {
        let mut found = HashSet::new();
        let mut by_value: HashMap<Values, Vec<&Vec<u32>>> = HashMap::new();
        let groups = self.groups();
        for group in groups.iter().filter(|group| population.distinct(group, k) < k) {
            let value = self.value(group);
            if value == ZERO {
                found.insert(group.clone());
                continue;
            }
            let opposite = value.map(|value| reduce(P - u64::from(value)));
            for other in by_value.get(&opposite).into_iter().flatten() {
                let mut both = [&other[..], group].concat();
                if population.distinct(&both, k) < k {
                    both.sort_unstable();
                    found.insert(both);
                }
            }
            by_value.entry(value).or_default().push(group);
        }
        found
    }

    /// Atoms that stand in the same accepted rows, and so in the same rows that follow from them;
    /// those that stand in none are known to nobody.
    fn groups(&self) -> Vec<Vec<u32>> {
        let mut by_rows: HashMap<&[u32], Vec<u32>> = HashMap::new();
        for (atom, rows) in (0_u32..).zip(&self.stands_in).filter(|(_, rows)| !rows.is_empty()) {
            by_rows.entry(rows).or_default().push(atom);
        }
        let mut groups: Vec<Vec<u32>> = by_rows.into_values().collect();
        groups.sort_unstable();
        groups
    }
}

/// Solves a triangular system from its last unknown to its first.
fn backwards(b: &[u32], lines: &[Sparse], inverse: impl Fn(usize) -> u32) -> Vec<u32> {
    let mut solved = b.to_vec();
    for index in (0..b.len()).rev() {
        if solved[index] == 0 {
            continue;
        }
        let value = multiply(solved[index], inverse(index));
        solved[index] = value;
        let factor = P - u64::from(value);
        for (place, entry) in &lines[index] {
            let rest = &mut solved[*place as usize];
            *rest = reduce(u64::from(*rest) + factor * u64::from(*entry));
        }
    }
    solved
}

/// The entries that are not zero.
fn sparse(dense: &[u32]) -> Sparse {
    (0..).zip(dense.iter().copied()).filter(|(_, value)| *value != 0).collect()
}

/// The sum of products of a sparse and a dense line.
fn dot(sparse: &Sparse, dense: &[u32]) -> u32 {
    let mut total = 0;
    for part in sparse.chunks(LAZY - 1) {
        let product =
            |(place, value): &(u32, u32)| u64::from(*value) * u64::from(dense[*place as usize]);
        total += part.iter().map(product).sum::<u64>() % P;
    }
    reduce(total)
}

const fn reduce(number: u64) -> u32 {
    (number % P) as u32
}

const fn multiply(left: u32, right: u32) -> u32 {
    reduce(left as u64 * right as u64)
}

/// By Fermat: a^(p − 2).
const fn invert(number: u32) -> u32 {
    let (mut base, mut exponent, mut power) = (number, P - 2, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = multiply(power, base);
        }
        base = multiply(base, base);
        exponent >>= 1;
    }
    power
}

/// SplitMix64 (Steele, Lea, Flood 2014). The patients' keys decide which atom is which, so no model
/// can aim at a witness.
fn draw(state: &mut u64) -> u32 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    reduce(z ^ (z >> 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_and_chains_are_in_the_span_and_free_atoms_are_not() {
        let mut span = Span::new(5);
        for row in [&[0, 1, 2, 3, 4][..], &[0, 1], &[2, 3]] {
            assert!(span.add(row).is_some());
        }
        assert!(span.determines(&[4]), "whole minus the two");
        assert!(!span.determines(&[0]) && !span.determines(&[2]));
        assert!(span.add(&[0, 1, 4]).is_none(), "it follows");
        let undo = span.add(&[1, 2]).unwrap();
        assert!(!span.determines(&[0]) && span.determines(&[0, 3]));
        span.undo(undo);
        assert!(!span.determines(&[0, 3]) && span.determines(&[4]));
        span.add(&[0, 2]).unwrap();
        span.add(&[0, 3]).unwrap();
        assert!((0..5).all(|atom| span.determines(&[atom])));
    }

    /// The rank by elimination, slowly.
    fn follows(rows: &[Vec<u32>], wanted: &[u32], atoms: usize) -> bool {
        let dense = |row: &[u32]| {
            let mut line = vec![0_u32; atoms];
            for atom in row {
                line[*atom as usize] = 1;
            }
            line
        };
        let rank = |rows: Vec<Vec<u32>>| {
            let (mut rows, mut rank) = (rows, 0);
            for column in 0..atoms {
                let Some(found) = (rank..rows.len()).find(|row| rows[*row][column] != 0) else {
                    continue;
                };
                rows.swap(rank, found);
                let inverse = invert(rows[rank][column]);
                let lead = rows[rank].clone();
                for row in rows.iter_mut().skip(rank + 1) {
                    let factor = multiply(row[column], inverse);
                    for (value, lead) in row.iter_mut().zip(&lead) {
                        *value = reduce(u64::from(*value) + P - u64::from(multiply(factor, *lead)));
                    }
                }
                rank += 1;
            }
            rank
        };
        let mut lines: Vec<_> = rows.iter().map(|row| dense(row)).collect();
        let before = rank(lines.clone());
        lines.push(dense(wanted));
        rank(lines) == before
    }

    #[test]
    fn whatever_the_rows_it_answers_as_elimination_does() {
        let mut state = 7;
        for _ in 0..300 {
            let atoms = 3 + (draw(&mut state) % 9) as usize;
            let mut span = Span::new(atoms);
            let mut rows: Vec<Vec<u32>> = Vec::new();
            for _ in 0..draw(&mut state) % 10 {
                let row: Vec<u32> = (0..u32::try_from(atoms).unwrap())
                    .filter(|_| draw(&mut state).is_multiple_of(2))
                    .collect();
                let added = span.add(&row);
                assert_eq!(added.is_none(), follows(&rows, &row, atoms));
                if draw(&mut state).is_multiple_of(4) {
                    if let Some(undo) = added {
                        span.undo(undo);
                    }
                } else {
                    rows.push(row);
                }
                for atom in 0..u32::try_from(atoms).unwrap() {
                    assert_eq!(span.determines(&[atom]), follows(&rows, &[atom], atoms));
                }
            }
        }
    }
}
