//! The gate for measures: what is shown on which grids, what is hidden, what is refused, and that no patient moves a
//! mean by more than one step of its grid.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod measured_site;
#[path = "../../study/tests/support/quantity.rs"]
mod quantity;
#[path = "../../study/tests/support/mod.rs"]
mod support;

use fedval_disclosure::rules::dc10_means::measure_grid_micro;
use fedval_disclosure::{Vetted, Withheld, bound_bits};
use fedval_study::measures::Measured;
use fedval_study::members::UNLISTED;
use fedval_study::summary::Findings;
use fedval_study::{Cell, Measure, MeasurePerformance, Outcome, Release, SiteResult, SiteSummary};
use measured_site::{MeasuredSite, code, released};
use quantity::{Patient, of_a_quantity, patients};

fn under(policy: &str) -> MeasuredSite {
    MeasuredSite::under(policy, of_a_quantity(support::protocol(), 8.0))
}

fn standard() -> MeasuredSite {
    under("profile = \"standard\"\nk = 11\n")
}

impl MeasuredSite {
    fn vet_patients(&self, patients: &[Patient]) -> Result<Vetted<SiteResult>, Withheld> {
        self.vet(quantity::summary(&self.protocol, patients))
    }

    /// What leaves, and is remembered by the ledger.
    fn release(&mut self, patients: &[Patient]) -> Release<MeasurePerformance> {
        let vetted = self.vet_patients(patients).unwrap();
        self.remember(&vetted);
        released(&vetted)
    }
}

/// So many patients at each of the three scanners, then so many at none that is listed.
fn at_scanners(first: u32, counts: [u32; 4]) -> Vec<Patient> {
    let cell = |number: u32| {
        let mut last = 0;
        let place = counts[..3].iter().position(|count| {
            last += count;
            number < last
        });
        vec![place.map_or(UNLISTED, |place| u16::try_from(place).unwrap())]
    };
    patients((first, counts.iter().sum()), (2.5, 6.0), cell)
}

fn of<'r>(release: &'r Release<MeasurePerformance>, measure: &Measure) -> &'r Measured {
    release.overall.of(measure).unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n - 1.0)).sqrt())
}

#[expect(clippy::cast_precision_loss, reason = "grids of some units")]
fn in_units(micro: u64) -> f64 {
    micro as f64 / 1e6
}

#[test]
fn means_stand_within_half_a_step_of_the_truth_and_spreads_have_two_figures() {
    let site = standard();
    let patients = at_scanners(0, [60, 45, 30, 9]);
    let vetted = site.vet_patients(&patients).unwrap();
    let release = released(&vetted);
    assert_eq!(release.overall.patients, 144);
    let of_each = |value: &dyn Fn(&Patient) -> f64| {
        mean_and_sd(&patients.iter().map(value).collect::<Vec<_>>())
    };
    for (measure, truth) in [
        (Measure::AbsoluteError, of_each(&|p| p.error().abs())),
        (Measure::Error, of_each(&Patient::error)),
        (Measure::Level, of_each(&|p| f64::midpoint(p.reference, p.prediction))),
    ] {
        let (mean, sd) = truth;
        let found = of(&release, &measure);
        let step = in_units(found.mean.grid_micro);
        assert!((found.mean.value() - mean).abs() <= step / 2.0 + 1e-6, "{measure}");
        assert!((found.sd.value() / sd - 1.0).abs() <= 0.05 + 1e-6, "{measure}");
        assert!(found.sd.value_micro.unsigned_abs() / found.sd.grid_micro <= 100);
        let range = site.protocol.task.measures().into_iter().find(|of| of.measure == measure);
        assert!(step * 144.0 >= in_units(range.unwrap().span_micro()), "a step hides a patient");
    }
    // 48/144 = 1/3, 96/144 = 2/3 and 228/144 = 1.58 months.
    let steps = release.overall.measures.iter().map(|of| of.mean.grid_micro).collect::<Vec<_>>();
    assert_eq!(steps, [500_000, 1_000_000, 2_000_000]);
    let noted: Vec<&str> = vetted.decisions().iter().map(|d| d.quantity.as_str()).collect();
    for quantity in ["whole cohort", "scanner = a", "means of each measure", "standard deviations"]
    {
        assert!(noted.contains(&quantity), "{quantity} in {noted:?}");
    }
    let bits = bound_bits(vetted.value());
    assert!((400..900).contains(&bits), "{bits}");
}

#[test]
fn no_patient_moves_a_mean_by_more_than_one_step() {
    let site = standard();
    let patients = at_scanners(0, [40, 40, 40, 0]);
    let before = released(&site.vet_patients(&patients).unwrap());
    // The largest errors that count, and the ends of the scale.
    for (reference, prediction) in [(0.0, 48.0), (48.0, 0.0), (228.0, 180.0), (180.0, 228.0)] {
        let mut changed = patients.clone();
        changed[17].reference = reference;
        changed[17].prediction = prediction;
        let after = released(&site.vet_patients(&changed).unwrap());
        for (one, other) in before.overall.measures.iter().zip(&after.overall.measures) {
            assert_eq!(one.mean.grid_micro, other.mean.grid_micro);
            let moved = one.mean.value_micro.abs_diff(other.mean.value_micro);
            assert!(moved <= one.mean.grid_micro, "{}: {moved}", one.measure);
        }
    }
}

#[test]
fn a_spread_never_says_that_everybody_is_alike() {
    let site = standard();
    let mut patients = at_scanners(0, [40, 40, 40, 0]);
    for patient in &mut patients {
        patient.prediction = patient.reference + 3.0;
    }
    let release = released(&site.vet_patients(&patients).unwrap());
    assert_eq!(of(&release, &Measure::Error).sd.value_micro, 100_000, "the protocol's grid");
    assert_eq!(of(&release, &Measure::Error).mean.value_micro, 3_000_000);
}

#[test]
fn a_small_cell_stays_and_so_does_one_from_which_it_would_follow() {
    let site = standard();
    let release = released(&site.vet_patients(&at_scanners(0, [80, 40, 5, 0])).unwrap());
    let shown: Vec<bool> =
        release.subgroups.iter().map(|cell| cell.performance.released().is_some()).collect();
    assert_eq!(shown, [true, false, false]);
    // With a spread, k + 10 patients are needed.
    let release = released(&site.vet_patients(&at_scanners(0, [80, 40, 20, 0])).unwrap());
    assert_eq!(release.subgroups[2].performance, Cell::Suppressed);
    let release = released(&site.vet_patients(&at_scanners(0, [80, 40, 21, 0])).unwrap());
    let cell = release.subgroups[2].performance.released().unwrap();
    assert_eq!(cell.patients, 21);
    let ranges = site.protocol.task.measures();
    for (of, range) in cell.measures.iter().zip(&ranges) {
        assert_eq!(of.mean.grid_micro, measure_grid_micro(range, 21));
    }
}

#[test]
fn too_few_patients_end_in_insufficient() {
    let site = standard();
    assert_eq!(code(site.vet_patients(&at_scanners(0, [21, 0, 0, 0]))), "INSUFFICIENT");
    assert_eq!(code(site.vet_patients(&at_scanners(0, [22, 0, 0, 0]))), "released");
    assert_eq!(code(site.vet_patients(&[])), "INSUFFICIENT");
}

#[test]
fn two_releases_that_differ_by_few_patients_are_not_both_made() {
    let mut site = standard();
    site.release(&at_scanners(0, [60, 50, 40, 0]));
    assert!(site.vet_patients(&at_scanners(0, [60, 50, 40, 0])).is_ok(), "the same again");
    for near in [[60, 50, 41, 0], [60, 50, 30, 0]] {
        assert_eq!(code(site.vet_patients(&at_scanners(0, near))), "EARLIER_RELEASES", "{near:?}");
    }
    assert!(site.vet_patients(&at_scanners(5_000, [60, 50, 40, 0])).is_ok(), "other patients");
}

#[test]
fn a_study_of_one_condition_is_held_against_the_measures_of_the_same_patients() {
    let mut site = standard();
    site.release(&at_scanners(0, [60, 60, 40, 0]));
    let earlier = site.history.0[0].footprint.clone().unwrap();
    let plan = |positive: std::ops::Range<u32>| {
        let mut members = earlier.members.clone();
        members.cases.retain(|case| case.positive == positive.contains(&case.patient));
        let tables = support::protocol().tables();
        for case in &mut members.cases {
            case.cells = vec![UNLISTED; tables.len()].into();
        }
        let zeros = std::collections::BTreeSet::new();
        fedval_disclosure::cell_plan::plan(&tables, &members, &[&earlier], &zeros, 11)
    };
    assert!(plan(20..160).is_ok());
    // Those without the condition are all of the first scanner's but five, who would follow.
    assert!(plan(55..160).is_err());
}

#[test]
fn a_policy_that_rounds_rounds_patients_too_and_grids_follow_from_what_is_told() {
    let site = under("profile = \"strict\"\nk = 11\n");
    let release = released(&site.vet_patients(&at_scanners(0, [63, 47, 33, 0])).unwrap());
    let cells: Vec<u64> = release
        .subgroups
        .iter()
        .map(|cell| cell.performance.released().unwrap().patients)
        .collect();
    assert_eq!(release.overall.patients, 145);
    assert_eq!(cells.iter().sum::<u64>(), 145, "rounded cells add up");
    let ranges = site.protocol.task.measures();
    for (of, range) in release.overall.measures.iter().zip(&ranges) {
        // No fewer than 141 are rounded to 145.
        assert_eq!(of.mean.grid_micro, measure_grid_micro(range, 141));
    }
}

#[test]
fn measures_leave_under_every_profile_but_that_of_noise() {
    for profile in ["standard", "strict", "cms", "opensafely", "acro", "ohdsi"] {
        let site = under(&format!("profile = \"{profile}\"\nk = 11\n"));
        assert_eq!(
            code(site.vet_patients(&at_scanners(0, [60, 50, 40, 0]))),
            "released",
            "{profile}"
        );
    }
    let site = under("profile = \"dp\"\nk = 11\n");
    let answer = site.vet_patients(&at_scanners(0, [600, 500, 400, 0]));
    assert_eq!(answer.as_ref().err().map(Withheld::outcome), Some(Outcome::Refused));
    assert_eq!(code(answer), "MEASURES_HAVE_NO_NOISE");
}

#[test]
fn where_a_site_asks_for_it_two_patients_do_not_make_up_a_sum() {
    let mut patients = at_scanners(0, [60, 50, 40, 0]);
    for patient in &mut patients {
        patient.prediction = patient.reference;
    }
    patients[3].prediction += 40.0;
    patients[90].prediction -= 45.0;
    let acro = under("profile = \"acro\"\nk = 11\n");
    assert_eq!(code(acro.vet_patients(&patients)), "RESULT_PER_CASE");
    assert_eq!(code(standard().vet_patients(&patients)), "released");
}

#[test]
fn groups_that_count_others_than_the_ledger_remembers_are_refused() {
    let site = standard();
    let good = || quantity::summary(&site.protocol, &at_scanners(0, [60, 50, 40, 0]));
    assert_eq!(code(site.vet(good())), "released");
    let lies: [fn(&mut SiteSummary); 7] = [
        |s| s.members.cases[0].cells[0] = 2,
        |s| s.members.cases[0].cells.push(0),
        |s| s.members.cases.truncate(100),
        // Somebody under one label.
        |s| s.members.cases.retain(|case| case.patient != 7 || case.positive),
        |s| found(s).overall.as_mut().unwrap().patients += 1,
        |s| found(s).tables[0][1] = None,
        |s| {
            found(s).overall.as_mut().unwrap().measures.pop();
        },
    ];
    for (place, lie) in lies.into_iter().enumerate() {
        let mut summary = good();
        lie(&mut summary);
        assert_eq!(code(site.vet(summary)), "RESULT_SCHEMA", "{place}");
    }
    let binary = support::summary(&support::large(), &support::protocol());
    assert_eq!(code(site.vet(binary)), "RESULT_SCHEMA");
}

fn found(summary: &mut SiteSummary) -> &mut fedval_study::summary::MeasureFindings {
    let Findings::Measures(found) = &mut summary.findings else { panic!("measures") };
    found
}
