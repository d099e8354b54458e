//! Several conditions by group: what is shown, what stays, and what anybody could subtract.

mod reader;
mod subtraction;

use fedval_disclosure::{SitePolicy, Vetted, bound_bits};
use fedval_stats::aggregate::CalibrationFit;
use fedval_study::condition_groups;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::{MOST_CONDITIONS, Profile};
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Cell, ConditionPerformance, LockedProtocol, Outcome, Release, SiteResult, Terms,
};

use crate::conditions::{Patient, by_scanner, findings, patients};
use crate::{SHARES, Site, code, shown};

impl Site {
    fn by_scanner() -> Self {
        let site = Self::new();
        Self { protocol: by_scanner(site.protocol), ..site }
    }
}

/// So many patients, of whom each third has another scanner.
fn in_groups(count: u32) -> Vec<Patient> {
    let mut patients = patients(0, count, SHARES);
    for (place, patient) in (0_u16..).zip(&mut patients) {
        patient.group = Some(place % 3);
    }
    patients
}

fn release(vetted: &Vetted<SiteResult>) -> &Release<ConditionPerformance> {
    let Outcome::ReleasedConditions(release) = &vetted.value().outcome else {
        panic!("conditions")
    };
    release
}

/// For each group, which conditions are told; none of a group that stays.
fn groups(vetted: &Vetted<SiteResult>) -> Vec<Vec<bool>> {
    let cells = release(vetted).subgroups.iter();
    cells.map(|cell| cell.performance.released().map(shown).unwrap_or_default()).collect()
}

/// Gives the first patients of a group with `is_there` another reference for a condition.
fn change(
    patients: &mut [Patient],
    (group, condition): (u16, usize),
    is_there: bool,
    to: Option<bool>,
    count: usize,
) {
    let is_it = |patient: &&mut Patient| {
        patient.group == Some(group) && patient.reference[condition] == Some(is_there)
    };
    let found: Vec<&mut Patient> = patients.iter_mut().filter(is_it).take(count).collect();
    assert_eq!(found.len(), count);
    for patient in found {
        patient.reference[condition] = to;
    }
}

/// All of a group with a condition but so many lose it.
fn leave(patients: &mut [Patient], (group, condition): (u16, usize), count: usize) {
    let is_it = |patient: &&Patient| {
        patient.group == Some(group) && patient.reference[condition] == Some(true)
    };
    let with = patients.iter().filter(is_it).count();
    change(patients, (group, condition), true, Some(false), with - count);
}

#[test]
fn every_condition_of_every_group_is_told_as_it_was_counted_but_for_the_error_of_the_mean() {
    let site = Site::by_scanner();
    let patients = in_groups(450);
    let counted = findings(&site.protocol, &patients);
    let vetted = site.vet(site.summary(&patients)).unwrap();
    assert_eq!(groups(&vetted), vec![vec![true; 3]; 3]);
    let release = release(&vetted);
    for (cell, counted) in release.subgroups.iter().zip(&counted.groups) {
        let group = cell.performance.released().unwrap();
        assert_eq!((group.patients, group.macro_se_nano), (150, Cell::Suppressed));
        for (own, counted) in group.conditions.iter().zip(&counted.conditions) {
            assert_eq!(own.performance.released(), counted.as_ref());
        }
    }
    assert_eq!(condition_groups::check(&release.overall, &release.subgroups), Ok(()));
    for quantity in ["effusion in scanner = a", "nodule in scanner = c"] {
        assert!(vetted.decisions().iter().any(|decision| decision.quantity == quantity));
    }
}

/// A model that sees the group may be silent about all others.
#[test]
fn few_of_a_group_with_two_conditions_keep_the_error_of_the_mean() {
    let mut site = Site::by_scanner();
    let patients = in_groups(2_400);
    let error = |site: &Site, patients: &[Patient]| {
        let vetted = site.vet(site.summary(patients)).unwrap();
        release(&vetted).overall.macro_se_nano
    };
    assert!(error(&site, &patients).released().is_some());
    let few = few_of_a_group_with_two_conditions();
    assert_eq!(error(&site, &few), Cell::Suppressed);
    site.protocol.subgroups.clear();
    assert!(error(&site, &few).released().is_some(), "of all together they are many");
}

/// Of whom few in one group have two conditions, and of all together many.
fn few_of_a_group_with_two_conditions() -> Vec<Patient> {
    let mut patients = in_groups(2_400);
    let is_it = |patient: &&mut Patient| {
        patient.group == Some(1) && patient.reference[1..] == [Some(true), Some(true)]
    };
    let both = patients.iter_mut().filter(is_it).skip(5);
    both.for_each(|patient| patient.reference[2] = Some(false));
    patients
}

/// Another model's error would say of a group what the first release told of it alone.
#[test]
fn the_error_of_the_mean_stays_where_a_release_told_of_groups_before() {
    let mut site = Site::by_scanner();
    let patients = few_of_a_group_with_two_conditions();
    let told = groups(&site.release(&patients).unwrap());
    assert_eq!(told, vec![vec![true; 3]; 3]);
    assert_eq!(groups(&site.vet(site.summary(&patients)).unwrap()), told, "and again");
    site.protocol.subgroups.clear();
    assert_eq!(site.told(&patients).macro_se_nano, Cell::Suppressed);
}

#[test]
fn no_group_is_told_of_where_a_release_told_the_error_of_the_mean_before() {
    let mut site = Site::by_scanner();
    let patients = few_of_a_group_with_two_conditions();
    let dimension = std::mem::take(&mut site.protocol.subgroups);
    let vetted = site.release(&patients).unwrap();
    assert!(release(&vetted).overall.macro_se_nano.released().is_some());
    site.protocol.subgroups = dimension;
    let vetted = site.vet(site.summary(&patients)).unwrap();
    assert_eq!(shown(&release(&vetted).overall), [true; 3]);
    assert_eq!(groups(&vetted), vec![Vec::<bool>::new(); 3]);
    assert_eq!(release(&vetted).overall.macro_se_nano, Cell::Suppressed);
    // The same patients in the same cells: another model is told of as the first.
    let mut site = Site::new();
    let first = site.release(&patients).unwrap();
    assert_eq!(site.told(&patients), release(&first).overall);
    // Where many of every group have any two, groups keep nothing that the error tells.
    let mut site = Site::by_scanner();
    let many = in_groups(2_400);
    let dimension = std::mem::take(&mut site.protocol.subgroups);
    site.release(&many).unwrap();
    site.protocol.subgroups = dimension;
    assert_eq!(groups(&site.vet(site.summary(&many)).unwrap()), vec![vec![true; 3]; 3]);
}

#[test]
fn few_of_a_group_with_a_condition_hide_it_there_and_in_one_group_more() {
    let site = Site::by_scanner();
    let mut patients = in_groups(450);
    leave(&mut patients, (1, 2), 4);
    let vetted = site.vet(site.summary(&patients)).unwrap();
    assert_eq!(shown(&release(&vetted).overall), [true; 3]);
    let told = groups(&vetted);
    assert!(told.iter().all(|group| group[0] && group[1]), "{told:?}");
    let nodules: Vec<bool> = told.iter().map(|group| group[2]).collect();
    assert!(!nodules[1] && nodules.iter().filter(|is_told| **is_told).count() == 1, "{nodules:?}");
}

/// From a group and from those of it who have the condition or not, how few were not assessed would follow.
#[test]
fn few_of_a_group_who_lack_a_reference_hide_the_condition_there() {
    for (lacking, is_told) in [(1, false), (10, false), (11, true), (0, true)] {
        let site = Site::by_scanner();
        let mut patients = in_groups(450);
        // Of the whole many lack it.
        change(&mut patients, (2, 0), false, None, 40);
        change(&mut patients, (0, 0), false, None, lacking);
        let vetted = site.vet(site.summary(&patients)).unwrap();
        assert!(shown(&release(&vetted).overall)[0], "{lacking}");
        assert_eq!(groups(&vetted)[0][0], is_told, "{lacking}: {:?}", groups(&vetted));
    }
}

#[test]
fn two_conditions_that_few_of_a_group_tell_apart_are_not_both_told_there() {
    let site = Site::by_scanner();
    let mut patients = in_groups(450);
    let mut further = 3;
    for patient in patients.iter_mut().filter(|patient| patient.group == Some(1)) {
        patient.reference[1] = patient.reference[2];
        if patient.reference[2] == Some(false) && further > 0 {
            patient.reference[1] = Some(true);
            further -= 1;
        }
    }
    let vetted = site.vet(site.summary(&patients)).unwrap();
    assert_eq!(shown(&release(&vetted).overall), [true; 3]);
    let told = groups(&vetted);
    assert!(told[1][0] && told[1][1] && !told[1][2], "{told:?}");
}

#[test]
fn few_in_no_listed_group_hide_one_of_the_groups() {
    let site = Site::by_scanner();
    let mut patients = in_groups(450);
    patients[..9].iter_mut().for_each(|patient| patient.group = None);
    let told = groups(&site.vet(site.summary(&patients)).unwrap());
    assert_eq!(told.iter().filter(|group| group.is_empty()).count(), 1, "{told:?}");
}

#[test]
fn a_condition_that_stays_is_told_of_no_group() {
    let site = Site::by_scanner();
    let mut patients = in_groups(450);
    for group in 0..3 {
        leave(&mut patients, (group, 1), 3);
    }
    let vetted = site.vet(site.summary(&patients)).unwrap();
    assert_eq!(shown(&release(&vetted).overall), [true, false, true]);
    assert!(groups(&vetted).iter().all(|group| !group[1]));
}

/// Eleven have it, of whom one alone is in a group: of the whole it is told as in a study without groups.
#[test]
fn who_is_alone_in_a_group_takes_no_condition_out_of_the_whole() {
    let mut site = Site::by_scanner();
    let mut patients = in_groups(450);
    for (group, count) in [(0, 1), (1, 5), (2, 5)] {
        leave(&mut patients, (group, 1), count);
    }
    let vetted = site.vet(site.summary(&patients)).unwrap();
    assert_eq!(shown(&release(&vetted).overall), [true; 3]);
    assert!(groups(&vetted).iter().all(|group| group[0] && !group[1] && group[2]));
    site.protocol.subgroups.clear();
    assert_eq!(shown(&site.told(&patients)), [true; 3]);
}

#[test]
fn a_group_that_nobody_can_be_in_needs_no_partner_where_the_site_says_so() {
    let mut site = Site::by_scanner();
    let mut patients = in_groups(450);
    for patient in patients.iter_mut().filter(|patient| patient.group == Some(2)) {
        patient.group = Some(u16::from(patient.key % 2 == 1));
    }
    let told = |site: &Site| groups(&site.vet(site.summary(&patients)).unwrap());
    assert!(told(&site).iter().filter(|group| !group.is_empty()).count() < 2);
    let policy = "profile = \"standard\"\nk = 11\nabsent = [{ scanner = [\"c\"] }]\n";
    site.policy = SitePolicy::parse(policy.as_bytes()).unwrap();
    assert_eq!(told(&site), [vec![true; 3], vec![true; 3], vec![]]);
    let somebody = site.vet(site.summary(&in_groups(450)));
    assert_eq!(code(somebody), "ABSENT_BUT_THERE");
}

#[test]
fn counts_by_group_of_others_than_the_ledger_remembers_are_refused() {
    let site = Site::by_scanner();
    let patients = in_groups(450);
    let lies: [fn(&mut fedval_study::SiteSummary); 4] = [
        |s| s.members.cases[0].cells[3] = 1,
        |s| s.members.cases[0].cells[4] ^= 1,
        |s| s.members.cases.iter_mut().for_each(|case| case.cells.truncate(3)),
        |s| {
            let fedval_study::summary::Findings::Conditions(found) = &mut s.findings else {
                panic!("conditions")
            };
            found.groups[1].patients -= 1;
        },
    ];
    for (place, lie) in lies.into_iter().enumerate() {
        let mut summary = site.summary(&patients);
        lie(&mut summary);
        assert_eq!(code(site.vet(summary)), "RESULT_SCHEMA", "{place}");
    }
}

/// Of the largest studies that an author can write everything is told: in a large cohort with one cut-off for each condition,
/// in a smaller one with two.
#[test]
fn the_largest_study_by_group_leaves_within_the_bits_of_the_policy_that_is_shipped() {
    let shipped = include_str!("../../../../deploy/config/policy.toml");
    let site =
        Site { policy: SitePolicy::parse(shipped.as_bytes()).unwrap(), ..Site::by_scanner() };
    let budget = site.policy.for_study(&site.protocol).budgets.bits_per_job;
    let plan = &site.protocol;
    // A count of so many times the patients has so many bits more.
    let told = |size: u64, points: usize, conditions: usize| {
        let few = patients(0, 400, SHARES);
        let mut told = findings(plan, &few).shown(plan.task.conditions(), &[true; 3]);
        told.patients = size;
        let mut own = told.conditions[0].clone();
        let Cell::Released(found) = &mut own.performance else { panic!("told") };
        let times = size.div_ceil(found.ranks.n_pos + found.ranks.n_neg);
        found.ranks.n_pos *= times;
        found.ranks.n_neg *= times;
        found.brier_clusters.size *= times;
        found.operating_points = vec![found.operating_points[0].clone(); points];
        found.calibration = CalibrationOutcome::Fit(CalibrationFit {
            intercept_micro: 0,
            slope_micro: 1_000_000,
            se_intercept_micro: 100_000,
            se_slope_micro: 100_000,
            correlation_micro: 0,
            citl_micro: 0,
            se_citl_micro: 100_000,
        });
        told.conditions = vec![own; conditions];
        told
    };
    let both = [(100_000, 1), (20_000, 2)];
    let all = both.into_iter().flat_map(|of| (2..=MOST_CONDITIONS).map(move |count| (of, count)));
    for ((size, points), conditions) in all {
        let groups = condition_groups::MOST_TOLD / conditions - 1;
        let of_group = size / u64::try_from(groups).unwrap();
        let cell = SubgroupCell {
            category: "a".parse().unwrap(),
            dimension: "scanner".parse().unwrap(),
            performance: Cell::Released(told(of_group, points, conditions)),
        };
        let release = Release {
            attrition: Vec::new(),
            overall: told(size, points, conditions),
            subgroups: vec![cell; groups],
            terms: Terms::exact(Profile::Standard, 11),
        };
        let locked = LockedProtocol::new(plan.clone()).unwrap();
        let header = crate::support::header(&locked, "site-a");
        let outcome = Outcome::ReleasedConditions(Box::new(release));
        let bits = bound_bits(&SiteResult { header, outcome });
        assert!(bits <= budget, "{conditions} conditions by {groups} groups take {bits} bits");
    }
}
