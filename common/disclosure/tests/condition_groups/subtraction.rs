//! What anybody could subtract from what is told of groups.

use std::collections::BTreeSet;

use fedval_study::condition_groups::CELLS;
use fedval_study::members::condition_cell;
use fedval_study::{Cell, ConditionPerformance, Release};

use super::reader::assert_that_no_few_follow;
use super::{groups, in_groups, release};
use crate::conditions::{Patient, patients};
use crate::{Site, shown};

const K: usize = 11;

/// The patients of every row that is told, by name: of a condition, of a group, of a condition in a group.
fn rows(
    release: &Release<ConditionPerformance>,
    patients: &[Patient],
) -> Vec<(String, BTreeSet<u32>)> {
    let those = |is_it: &dyn Fn(&Patient) -> bool| -> BTreeSet<u32> {
        patients.iter().filter(|patient| is_it(patient)).map(|patient| patient.key).collect()
    };
    let mut rows = vec![("all".to_owned(), those(&|_| true))];
    let mut add = |name: &str, told: &ConditionPerformance, group: Option<u16>| {
        let is_of_group =
            |patient: &Patient| group.is_none_or(|group| patient.group == Some(group));
        for (condition, _) in shown(told).into_iter().enumerate().filter(|(_, told)| *told) {
            for (cell, what) in (0..).zip(CELLS) {
                let is_it = |patient: &Patient| {
                    is_of_group(patient) && condition_cell(patient.reference[condition]) == cell
                };
                rows.push((format!("{name} {condition} {what}"), those(&is_it)));
            }
        }
        rows.push((format!("{name} group"), those(&is_of_group)));
    };
    add("all", &release.overall, None);
    for (group, cell) in (0..).zip(&release.subgroups) {
        if let Cell::Released(told) = &cell.performance {
            add(&format!("{group}"), told, Some(group));
        }
    }
    rows
}

/// In two groups a mass is an effusion but in four patients each, whom the nodule tells apart.
#[test]
fn few_of_two_groups_together_do_not_follow_from_the_whole_minus_the_third() {
    let site = Site::by_scanner();
    let mut patients = in_groups(450);
    let mut further = [[2, 2], [2, 2]];
    for patient in &mut patients {
        let Some(group @ (0 | 1)) = patient.group else { continue };
        let [effusion, _, nodule] = patient.reference;
        let left = &mut further[usize::from(group)][usize::from(nodule == Some(true))];
        patient.reference[1] = effusion;
        if effusion == Some(false) && *left > 0 {
            patient.reference[1] = Some(true);
            *left -= 1;
        }
    }
    assert_eq!(further, [[0; 2]; 2]);
    let vetted = site.vet(site.summary(&patients)).unwrap();
    assert_eq!(shown(&release(&vetted).overall), [true; 3]);
    let told = groups(&vetted);
    assert!(told.iter().all(|group| group[0] && group[2]), "{told:?}");
    assert!(told.iter().all(|group| !group[1]), "{told:?}");
    assert_that_no_few_follow(release(&vetted), &patients, "two groups");
}

/// An effusion is one of two kinds in all but four patients of each group.
#[test]
fn few_who_have_neither_of_two_kinds_do_not_follow() {
    let site = Site::by_scanner();
    let mut patients = in_groups(450);
    let mut further = [4; 3];
    for patient in &mut patients {
        let kind = patient.reference[1];
        let is_other = kind == Some(false) && patient.reference[2] == Some(true);
        patient.reference[2] = Some(is_other);
        patient.reference[0] = Some(kind == Some(true) || is_other);
        let left = &mut further[usize::from(patient.group.unwrap())];
        if patient.reference[0] == Some(false) && *left > 0 {
            patient.reference[0] = Some(true);
            *left -= 1;
        }
    }
    let vetted = site.vet(site.summary(&patients)).unwrap();
    // Of all together they are twelve.
    assert_eq!(shown(&release(&vetted).overall), [true; 3]);
    assert!(groups(&vetted).iter().all(|group| group[0] && group[1] && !group[2]));
    assert_that_no_few_follow(release(&vetted), &patients, "two kinds");
}

/// Whatever the cohort: no row that is told holds few patients, no two that share patients differ by few, and what a row leaves
/// when the same row of every group that is told is taken from it is nobody or many.
#[test]
fn no_subtraction_of_what_is_told_leaves_few_patients() {
    let is_few = |count: usize| (1..K).contains(&count);
    let (mut told, mut stayed) = (0, 0);
    for seed in 0..12_u32 {
        let site = Site::by_scanner();
        let mut cohort = patients(10_000 * seed, 170 + 20 * seed, [30 + seed, 25, 12 + 2 * seed]);
        for (place, patient) in (0_u32..).zip(&mut cohort) {
            let draw = place.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7;
            patient.group = [Some(0), Some(0), Some(1), Some(1), Some(2), None]
                [usize::try_from(draw % (5 + seed % 2)).unwrap()];
            if (draw / 7) % 9 < seed % 3 {
                patient.reference[2] = None;
            }
            if seed % 4 == 3 && draw % 31 != 0 {
                patient.reference[1] = patient.reference[0];
            }
        }
        let Ok(vetted) = site.vet(site.summary(&cohort)) else { continue };
        for group in groups(&vetted) {
            told += group.iter().filter(|is_told| **is_told).count();
            stayed += 3 - group.iter().filter(|is_told| **is_told).count();
        }
        let rows = rows(release(&vetted), &cohort);
        for (place, (name, row)) in rows.iter().enumerate() {
            assert!(!is_few(row.len()), "{seed}: {name} is of {}", row.len());
            for (other, beside) in &rows[..place] {
                let apart = row.symmetric_difference(beside).count();
                let meet = row.intersection(beside).next().is_some();
                assert!(!(meet && is_few(apart)), "{seed}: {name}, {other} differ by {apart}");
            }
            let Some(what) = name.strip_prefix("all ") else { continue };
            let mut left = row.clone();
            for (other, part) in &rows {
                if other != name && other.ends_with(&format!(" {what}")) {
                    left.retain(|patient| !part.contains(patient));
                }
            }
            assert!(!is_few(left.len()), "{seed}: {} of {name} are in no group told", left.len());
        }
        assert_that_no_few_follow(release(&vetted), &cohort, &format!("cohort {seed}"));
    }
    assert!(told > 20 && stayed > 20, "{told} {stayed}");
}
