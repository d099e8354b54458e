//! False positives that few patients have: what stays, and what stays with it.

use fedval_study::Cell;
use fedval_study::protocol::Crossing;

use super::{SCANNERS, Site, large};
use crate::detection::{CUT_OFF, scans};

#[test]
fn false_positives_that_are_one_patient_s_stay_and_take_the_curve_with_them() {
    let mut scans = large();
    for scan in &mut scans {
        scan.others.retain(|score| *score < CUT_OFF);
    }
    scans[7].others = vec![6; 15];
    let found = Site::new().released(&scans);
    assert_eq!(found.overall.point.false_positives, Cell::Suppressed);
    assert_eq!(found.overall.point.rate_se_micro, Cell::Suppressed);
    assert!(found.overall.curve.is_empty());
    assert!(found.overall.point.sensitivity_se_micro.released().is_some());
    let mut groups = found.subgroups.iter().filter_map(|cell| cell.performance.released());
    assert!(groups.all(|group| group.point.false_positives == Cell::Suppressed));
}

#[test]
fn false_positives_of_a_group_that_two_patients_have_stay_in_every_group() {
    let mut scans = large();
    for scan in &mut scans {
        if scan.cells[0] == 2 {
            scan.others.clear();
        }
    }
    let place = scans.iter().position(|scan| scan.cells[0] == 2).unwrap();
    scans[place].others = vec![6; 9];
    let found = Site::new().released(&scans);
    assert!(found.overall.point.false_positives.released().is_some());
    let groups: Vec<_> =
        found.subgroups.iter().filter_map(|cell| cell.performance.released()).collect();
    assert_eq!(groups.len(), 3);
    assert!(groups.iter().all(|group| group.point.false_positives == Cell::Suppressed));
}

/// A second table, of floors, and the crossing of both.
#[test]
fn false_positives_of_a_row_s_hidden_cells_stay_as_well() {
    let mut site = Site::new();
    let mut second = site.protocol.subgroups[0].clone();
    second.name = "floor".parse().unwrap();
    site.protocol.subgroups.push(second);
    site.protocol.crossings.push(Crossing {
        name: "scanner-floor".parse().unwrap(),
        rows: "scanner".parse().unwrap(),
        columns: "floor".parse().unwrap(),
    });
    let cohort = |is_lonely: bool| {
        let mut scans = scans(0..300, &SCANNERS, 3);
        for scan in &mut scans {
            let (row, turn) = (scan.cells[0], scan.patient / 12);
            // Six of each label of scanner 0 are on each of two floors: too few to be shown one by one.
            let floor = match (row, turn) {
                (0, 0..=2) => 1,
                (0, 3..=5) => 2,
                (0, _) => 0,
                _ => u16::try_from(turn % 3).unwrap(),
            };
            if is_lonely && row == 0 && floor > 0 {
                scan.others = if scan.patient == 1 { vec![6; 9] } else { Vec::new() };
            }
            scan.cells.extend([floor, row * 3 + floor]);
        }
        scans
    };
    let others = |is_lonely: bool| {
        let release = site.released(&cohort(is_lonely));
        assert!(release.overall.point.false_positives.released().is_some());
        let shown = release.subgroups.iter().filter_map(|cell| cell.performance.released());
        let told: Vec<bool> =
            shown.map(|group| group.point.false_positives.released().is_some()).collect();
        assert!(told.len() >= 3, "{told:?}");
        assert!(told.iter().all(|is_told| *is_told == told[0]));
        told[0]
    };
    assert!(others(false));
    assert!(!others(true));
}

/// Scanner 0 stands on floor 0, beside 24 patients of scanner 1; the rest of scanner 1 has a floor of its own.
#[test]
fn false_positives_of_a_cell_beyond_one_of_another_table_stay_as_well() {
    let mut site = Site::new();
    let mut second = site.protocol.subgroups[0].clone();
    second.name = "floor".parse().unwrap();
    site.protocol.subgroups.push(second);
    let others = |is_lonely: bool| {
        let mut scans = scans(0..300, &SCANNERS, 3);
        for scan in &mut scans {
            let is_beside = scan.cells[0] == 1 && scan.patient / 12 < 6;
            if is_lonely && is_beside {
                scan.others = if scan.patient == 4 { vec![6; 9] } else { Vec::new() };
            }
            let floor = if is_beside { 0 } else { scan.cells[0] };
            scan.cells.push(floor);
        }
        let release = site.released(&scans);
        assert!(release.overall.point.false_positives.released().is_some());
        let shown = release.subgroups.iter().filter_map(|cell| cell.performance.released());
        let told: Vec<bool> =
            shown.map(|group| group.point.false_positives.released().is_some()).collect();
        assert_eq!(told.len(), 6);
        assert!(told.iter().all(|is_told| *is_told == told[0]));
        told[0]
    };
    assert!(others(false));
    assert!(!others(true));
}
