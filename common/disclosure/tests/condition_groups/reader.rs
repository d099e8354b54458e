//! A reader who adds and subtracts what is told of conditions, by brute force.

use fedval_study::members::condition_cell;
use fedval_study::{ConditionPerformance, Release};

use crate::conditions::Patient;
use crate::shown;

/// Patients as bits.
fn set(patients: &[Patient], is_it: impl Fn(&Patient) -> bool) -> Vec<u64> {
    let mut bits = vec![0; patients.len().div_ceil(64)];
    for (place, _) in patients.iter().enumerate().filter(|(_, patient)| is_it(patient)) {
        bits[place / 64] |= 1_u64 << (place % 64);
    }
    bits
}

/// Everybody whom a reader can count of a condition: who is in one or two of its cells, and in any of the groups that it is
/// told of together, or in none of these. Nobody of a condition that stays.
fn countable(
    release: &Release<ConditionPerformance>,
    patients: &[Patient],
    condition: usize,
) -> Vec<Vec<u64>> {
    if !shown(&release.overall)[condition] {
        return Vec::new();
    }
    let told = (0_u16..).zip(&release.subgroups).filter(|(_, cell)| {
        cell.performance.released().is_some_and(|group| shown(group)[condition])
    });
    let told: Vec<u16> = told.map(|(group, _)| group).collect();
    let mut sets = Vec::new();
    for cells in 1..7_u16 {
        let has =
            |patient: &Patient| (cells >> condition_cell(patient.reference[condition])) & 1 == 1;
        for groups in 0..1_u16 << told.len() {
            let is_in = |patient: &Patient| {
                let place = told.iter().position(|group| patient.group == Some(*group));
                place.is_some_and(|place| (groups >> place) & 1 == 1)
            };
            sets.push(set(patients, |patient| has(patient) && is_in(patient)));
            sets.push(set(patients, |patient| has(patient) && !is_in(patient)));
        }
    }
    sets
}

fn apart(one: &[u64], other: &[u64]) -> u32 {
    one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum()
}

/// Of few patients no difference can be computed of what two conditions count, whatever groups are hidden, and none of what
/// one counts and two others of nobody twice.
pub(super) fn assert_that_no_few_follow(
    release: &Release<ConditionPerformance>,
    patients: &[Patient],
    name: &str,
) {
    let is_few = |count: u32| (1..11).contains(&count);
    let sets = [0, 1, 2].map(|condition| countable(release, patients, condition));
    for (one, other, third) in [(0, 1, 2), (1, 2, 0), (2, 0, 1)] {
        for set in &sets[one] {
            for beside in &sets[other] {
                let apart = apart(set, beside);
                assert!(!is_few(apart), "{name}: {one} and {other} differ by {apart}");
                if set.iter().zip(beside).any(|(one, other)| one & other != 0) {
                    continue;
                }
                let both: Vec<u64> = set.iter().zip(beside).map(|(one, two)| one | two).collect();
                for whole in &sets[third] {
                    let left = self::apart(&both, whole);
                    assert!(!is_few(left), "{name}: {one}, {other} and {third} leave {left}");
                }
            }
        }
    }
}
