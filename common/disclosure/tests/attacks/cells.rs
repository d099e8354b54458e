//! Cells of few patients: asked for directly, by subtraction, by crossing, and with a solver.

use std::collections::BTreeSet;

use fedval_disclosure::cell_plan::{self, CellPlan};
use fedval_disclosure::rules::Rule;
use fedval_disclosure::{Suppression, Verdict, Withheld};
use fedval_study::members::{Member, UNLISTED};
use fedval_study::summary::FailureReason;
use fedval_study::{Cell, Members, Sha256Digest};

use crate::scene::{Site, ample, block, cohort, decision, exact, hidden, protocol};
use crate::solver::Attacker;
use crate::support::{failed, summary};

const K: u64 = 11;

#[test]
fn a01_one_patient_in_a_crossing_is_hidden_with_a_partner_and_lies_in_a_wide_interval() {
    let cases = cohort(&[
        block("f", "a", 40, 60),
        block("f", "b", 30, 40),
        block("f", "c", 1, 0),
        block("m", "a", 40, 50),
        block("m", "b", 35, 45),
        block("m", "c", 30, 40),
    ]);
    let vetted = Site::standard().vet("m", &cases).unwrap();
    let one = decision(&vetted, "both = f-c");
    assert_eq!(one.verdict, Verdict::Withheld(Suppression::Primary));
    let others: Vec<_> = hidden(&vetted).into_iter().filter(|name| name != "both = f-c").collect();
    assert!(others.len() >= 3, "a crossing needs partners in its row and its column: {others:?}");
    let partner = decision(&vetted, &others[0]);
    assert_eq!(partner.verdict, Verdict::Withheld(Suppression::Complementary));
    let protocol = protocol();
    let members = crate::support::members(&cases, &protocol);
    let plan = cell_plan::plan(&protocol.tables(), &members, &[], &BTreeSet::default(), K).unwrap();
    assert_no_narrow_interval(&plan, &members);
}

#[test]
fn a02_a_cell_of_four_does_not_follow_from_all_margins() {
    let cases = cohort(&[
        block("f", "a", 4, 60),
        block("f", "b", 30, 40),
        block("m", "a", 40, 50),
        block("m", "b", 35, 45),
    ]);
    let protocol = protocol();
    let members = crate::support::members(&cases, &protocol);
    let plan = cell_plan::plan(&protocol.tables(), &members, &[], &BTreeSet::default(), K).unwrap();
    assert!(plan[2][0].is_some(), "four are hidden");
    assert_no_narrow_interval(&plan, &members);
}

#[test]
fn a12_everybody_answered_alike_is_told_only_as_a_rounding_class_or_not_at_all() {
    // Fifteen positives of one scanner that any model calls right.
    let mut cases = ample();
    let sure = fedval_stats::grid::GridScore::from_steps(900_000).unwrap();
    for case in cases.iter_mut().filter(|case| case.scanner == "c" && case.positive) {
        case.score = sure;
    }
    let of = |profile: &str| {
        let vetted = Site::with(profile).vet("m", &cases).unwrap();
        let quantity = "scanner = c, half: FN";
        vetted.decisions().iter().find(|d| d.quantity == quantity).map(|d| (d.verdict, d.rule))
    };
    assert_eq!(of("standard"), None, "exact zeros may be shown under `standard`");
    assert_eq!(of("strict"), Some((Verdict::Rounded, Rule::Dc06)), "0 stands for 0 to 2");
    let withheld = Verdict::Withheld(Suppression::Primary);
    assert_eq!(of("acro"), Some((withheld, Rule::Dc05)));
}

#[test]
fn a14_two_excluded_patients_are_folded_or_hidden() {
    let site = Site::standard();
    let with = |failures| {
        let summary = summary(&ample(), &protocol());
        site.vet_summary("m", fedval_study::SiteSummary { failures, ..summary }).unwrap()
    };
    let two = with(failed(FailureReason::NoReference, 2));
    assert_eq!(exact(&two).attrition[0].reason, FailureReason::Other);
    assert_eq!(exact(&two).attrition[0].patients, Cell::Suppressed);
    let text = String::from_utf8(two.bytes().to_vec()).unwrap();
    assert!(!text.contains("no_reference"), "the reason of two would say who");
    let mut both = failed(FailureReason::Undecodable, 40);
    both.extend(failed(FailureReason::WrongSize, 2));
    let shown = with(both);
    assert!(exact(&shown).attrition.iter().all(|row| row.patients == Cell::Suppressed));
}

#[test]
fn a15_one_patient_with_forty_images_is_one_patient() {
    let mut cases = cohort(&[block("f", "a", 10, 40)]);
    let repeated = cases[0];
    cases.extend(std::iter::repeat_n(repeated, 39));
    assert!(matches!(Site::standard().vet("m", &cases), Err(Withheld::Insufficient)));
}

#[test]
fn a16_a_pool_minus_two_peers_gives_nothing_that_the_third_site_hid() {
    // Pools are sums of what sites show. Whatever peers subtract of their own, what is left of the
    // third site is its whole cohort minus its shown cells, which its own plan protects.
    let cases = cohort(&[block("f", "a", 40, 60), block("m", "b", 30, 40), block("m", "c", 3, 6)]);
    let vetted = Site::standard().vet("m", &cases).unwrap();
    let release = exact(&vetted);
    let left = |dimension: &str| {
        let shown = release.subgroups.iter().filter(|cell| cell.dimension.as_str() == dimension);
        let sum: u64 = shown
            .filter_map(|cell| cell.performance.released())
            .map(|performance| performance.patients.with_positive)
            .sum();
        release.overall.patients.with_positive - sum
    };
    assert!(left("scanner") >= K, "{} patients are left", left("scanner"));
    assert!(left("sex") == 0 || left("sex") >= K);
}

/// A cohort of random size in random cells; few cells hold many, as in hospitals.
fn random_members(seed: u64) -> Members {
    let mut bytes = Vec::new();
    let mut draw = {
        let mut counter = 0_u64;
        move || {
            if bytes.is_empty() {
                counter += 1;
                let block = Sha256Digest::of(format!("{seed} {counter}").as_bytes());
                bytes = block.as_bytes().to_vec();
            }
            u32::from(bytes.pop().unwrap())
        }
    };
    let mut members = Members::default();
    for sex in 0..2_u16 {
        for scanner in 0..3_u16 {
            let sizes = [0, 1, 3, 9, 12, 15, 30, 60];
            let mut size = || sizes[(draw() % 8) as usize];
            let (positives, negatives) = (size(), size());
            let unlisted = size() == 60;
            for index in 0..positives + negatives {
                let place = u32::try_from(members.patients.len()).unwrap();
                let key =
                    std::array::from_fn(|at| if at < 4 { place.to_le_bytes()[at] } else { 0 });
                members.patients.push(key);
                let scanner = if unlisted && index == 0 { UNLISTED } else { scanner };
                let both = if scanner == UNLISTED { UNLISTED } else { sex * 3 + scanner };
                members.cases.push(Member {
                    patient: place,
                    case: key,
                    positive: index < positives,
                    cells: [scanner, sex, both].into(),
                });
            }
        }
    }
    members
}

fn assert_no_narrow_interval(plan: &CellPlan, members: &Members) {
    // Tables as the solver has them: rows first.
    let mut tables = protocol().tables();
    tables.swap(0, 1);
    let swapped = vec![plan[1].clone(), plan[0].clone(), plan[2].clone()];
    let mut turned = members.clone();
    for case in &mut turned.cases {
        case.cells.swap(0, 1);
    }
    for positive in [true, false] {
        let attacker = Attacker::new(&tables, &turned, positive);
        for (table, cells) in swapped.iter().enumerate() {
            for (cell, hidden) in cells.iter().enumerate() {
                if hidden.is_none() {
                    continue;
                }
                let (low, high) = attacker.interval(&swapped, table, cell);
                assert!(
                    high - low >= 11.0 - 1e-6,
                    "cell {cell} of table {table} lies in {low} to {high}: {swapped:?}"
                );
            }
        }
    }
}

#[test]
fn a20_a_solver_narrows_no_hidden_cell_of_ten_thousand_tables_below_k() {
    let tables = protocol().tables();
    let (mut tried, mut with_hidden) = (0_u32, 0_u32);
    for seed in 0.. {
        if tried == 10_000 {
            break;
        }
        let members = random_members(seed);
        let of = |positive: bool| -> usize {
            let with = members.cases.iter().filter(|case| case.positive == positive);
            with.map(|case| case.patient).collect::<BTreeSet<_>>().len()
        };
        if of(true) < 11 || of(false) < 11 {
            continue;
        }
        tried += 1;
        let plan = cell_plan::plan(&tables, &members, &[], &BTreeSet::default(), K).unwrap();
        let cells = || plan.iter().flatten();
        with_hidden += u32::from(cells().any(Option::is_some) && cells().any(Option::is_none));
        assert_no_narrow_interval(&plan, &members);
    }
    assert!(with_hidden > 1000, "only {with_hidden} tables were a riddle");
}
