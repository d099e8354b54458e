//! The gate for several conditions: what is shown, what stays, and what two conditions or two releases together would give
//! away.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod condition_groups;
#[path = "../../study/tests/support/conditions.rs"]
mod conditions;
#[path = "../../study/tests/support/mod.rs"]
mod support;

use conditions::{Patient, findings, members, patients, three_conditions};
use fedval_disclosure::{
    Earlier, Evidence, Gate, History, SiteLocal, SitePolicy, Vetted, Withheld, bound_bits,
};
use fedval_study::protocol::StudyProtocol;
use fedval_study::summary::Findings;
use fedval_study::{
    Cell, CohortCommitment, ConditionPerformance, LockedProtocol, Outcome, Problem as _,
    Sha256Digest, SiteResult, SiteSummary,
};

const SHARES: [u32; 3] = [40, 30, 25];

struct Site {
    policy: SitePolicy,
    protocol: StudyProtocol,
    history: History,
}

impl Site {
    fn new() -> Self {
        Self::under("profile = \"standard\"\nk = 11\n")
    }

    fn under(policy: &str) -> Self {
        Self {
            policy: SitePolicy::parse(policy.as_bytes()).unwrap(),
            protocol: three_conditions(support::protocol(), "macro_auroc"),
            history: History::default(),
        }
    }

    fn summary(&self, patients: &[Patient]) -> SiteSummary {
        SiteSummary {
            cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
            failures: Vec::new(),
            findings: Findings::Conditions(findings(&self.protocol, patients)),
            members: members(&self.protocol, patients),
        }
    }

    fn vet(&self, summary: SiteSummary) -> Result<Vetted<SiteResult>, Withheld> {
        let locked = LockedProtocol::new(self.protocol.clone()).unwrap();
        let evidence = Evidence {
            summary: &SiteLocal::new(summary),
            history: &SiteLocal::new(self.history.clone()),
            now_ms: 0,
            noise_seed: [7; 32],
        };
        let policy = self.policy.for_study(&self.protocol);
        Gate::new(policy, &self.protocol).vet(support::header(&locked, "site-a"), &evidence)
    }

    fn told(&self, patients: &[Patient]) -> ConditionPerformance {
        told(&self.vet(self.summary(patients)).unwrap())
    }

    /// The same, remembered by the ledger.
    fn release(&mut self, patients: &[Patient]) -> Result<Vetted<SiteResult>, Withheld> {
        let vetted = self.vet(self.summary(patients))?;
        self.history.0.push(Earlier {
            study: "other".parse().unwrap(),
            protocol: LockedProtocol::new(self.protocol.clone()).unwrap().digest(),
            model: self.protocol.model.digest,
            committed_at_ms: 0,
            released: true,
            rho_micro: 0,
            footprint: vetted.footprint().map(|footprint| footprint.open_on_site().clone()),
        });
        Ok(vetted)
    }
}

fn told(vetted: &Vetted<SiteResult>) -> ConditionPerformance {
    let Outcome::ReleasedConditions(release) = &vetted.value().outcome else {
        panic!("conditions")
    };
    release.overall.clone()
}

/// Which conditions are told.
fn shown(of: &ConditionPerformance) -> Vec<bool> {
    of.conditions.iter().map(|cell| cell.performance.released().is_some()).collect()
}

fn code(answer: Result<Vetted<SiteResult>, Withheld>) -> &'static str {
    answer.map_or_else(|withheld| withheld.code(), |_| "released")
}

#[test]
fn with_enough_patients_every_condition_is_told_as_it_was_counted() {
    let site = Site::new();
    let patients = patients(0, 300, SHARES);
    let counted = findings(&site.protocol, &patients);
    let vetted = site.vet(site.summary(&patients)).unwrap();
    let told = told(&vetted);
    assert_eq!(shown(&told), [true; 3]);
    for (cell, counted) in told.conditions.iter().zip(counted.conditions) {
        assert_eq!(cell.performance, Cell::Released(counted.unwrap()));
    }
    assert_eq!(told.macro_se_nano.released().copied(), counted.macro_se_nano);
    assert_eq!((told.patients, told.check()), (300, Ok(())));
    for quantity in ["effusion = present", "mass = absent", "nodule = missing"] {
        assert!(vetted.decisions().iter().any(|decision| decision.quantity == quantity));
    }
    assert!((1_000..8_000).contains(&bound_bits(vetted.value())));
}

#[test]
fn few_with_two_conditions_keep_the_error_of_the_mean_and_nothing_else() {
    let site = Site::new();
    let mut patients = patients(0, 300, SHARES);
    // Of forty with a nodule five have a mass.
    for (place, patient) in patients.iter_mut().enumerate() {
        patient.reference[1] = Some((20..80).contains(&place));
        patient.reference[2] = Some(place < 25 || (100..115).contains(&place));
    }
    let told = site.told(&patients);
    assert_eq!(shown(&told), [true; 3]);
    assert_eq!(told.macro_se_nano, Cell::Suppressed);
    let (_, most) = told.macro_area().unwrap();
    let exact = findings(&site.protocol, &patients).macro_se_nano.unwrap();
    assert!(most * 1e9 > f64::from(u32::try_from(exact).unwrap()));
}

#[test]
fn a_condition_of_few_stays_with_the_mean_and_the_others_are_told() {
    let site = Site::new();
    let mut patients = patients(0, 300, SHARES);
    for (place, patient) in patients.iter_mut().enumerate() {
        patient.reference[1] = Some(place < 10);
    }
    let told = site.told(&patients);
    assert_eq!(shown(&told), [true, false, true]);
    assert_eq!(told.macro_se_nano, Cell::Suppressed);
    assert_eq!(told.macro_area(), None);
}

#[test]
fn many_who_lack_a_reference_are_told_of_and_few_hide_their_condition() {
    let site = Site::new();
    for (lacking, is_told) in [(0, true), (1, false), (10, false), (11, true), (60, true)] {
        let mut patients = patients(0, 300, SHARES);
        patients[..lacking].iter_mut().for_each(|patient| patient.reference[0] = None);
        let told = site.told(&patients);
        assert_eq!(shown(&told), [is_told, true, true], "{lacking}");
        if let Some(effusion) = told.conditions[0].performance.released() {
            assert_eq!(told.missing(effusion), lacking as u64);
        }
    }
}

#[test]
fn two_conditions_that_few_patients_tell_apart_are_not_both_told() {
    let site = Site::new();
    for (apart, both) in [(0, true), (3, false), (40, true)] {
        let mut patients = patients(0, 300, SHARES);
        // Every nodule is a mass, and so many patients have a mass that is none.
        let mut further = apart;
        for patient in &mut patients {
            patient.reference[1] = patient.reference[2];
            if patient.reference[2] == Some(false) && further > 0 {
                patient.reference[1] = Some(true);
                further -= 1;
            }
        }
        let told = shown(&site.told(&patients));
        assert!(told[0], "{apart}");
        assert_eq!(told[1] && told[2], both, "{apart}: {told:?}");
        assert!(told[1] || told[2], "{apart}: one of them is told");
    }
}

#[test]
fn those_whom_one_of_two_conditions_lacks_are_not_few() {
    let site = Site::new();
    let mut patients = patients(0, 300, SHARES);
    patients[..30].iter_mut().for_each(|patient| patient.reference[0] = None);
    patients[..25].iter_mut().for_each(|patient| patient.reference[1] = None);
    let told = shown(&site.told(&patients));
    assert_eq!(told.iter().filter(|is_told| **is_told).count(), 2, "{told:?}");
    assert!(told[2]);
}

#[test]
fn a_cohort_that_is_too_small_for_every_condition_is_insufficient() {
    let site = Site::new();
    assert_eq!(code(site.vet(site.summary(&patients(0, 20, SHARES)))), "INSUFFICIENT");
    assert_eq!(code(site.vet(site.summary(&[]))), "INSUFFICIENT");
}

#[test]
fn under_a_policy_that_rounds_or_keeps_counts_the_question_itself_is_refused() {
    for profile in ["strict", "cms", "opensafely", "acro", "ohdsi", "dp"] {
        let site = Site::under(&format!("profile = \"{profile}\"\nk = 11\n"));
        let answer = site.vet(site.summary(&patients(0, 900, SHARES)));
        assert_eq!(answer.as_ref().err().map(Withheld::outcome), Some(Outcome::Refused));
        assert_eq!(code(answer), "CLASSES_NEED_EXACT_COUNTS", "{profile}");
    }
}

#[test]
fn a_release_that_differs_from_an_earlier_one_by_few_patients_is_not_made() {
    let mut site = Site::new();
    let all = patients(0, 300, SHARES);
    site.release(&all).unwrap();
    // The same again, and others.
    assert_eq!(shown(&site.told(&all)), [true; 3]);
    assert_eq!(shown(&site.told(&patients(5_000, 300, SHARES))), [true; 3]);
    assert_eq!(code(site.vet(site.summary(&all[..297]))), "EARLIER_RELEASES");
    // As many, of whom four have a mass that had none.
    let mut changed = all;
    let without = changed.iter_mut().filter(|patient| patient.reference[1] == Some(false));
    without.take(4).for_each(|patient| patient.reference[1] = Some(true));
    assert!(!shown(&site.told(&changed))[1]);
}

#[test]
fn counts_of_others_than_the_ledger_remembers_are_refused() {
    let site = Site::new();
    let patients = patients(0, 300, SHARES);
    let lies: [fn(&mut SiteSummary); 6] = [
        |s| s.members.cases[0].cells[0] ^= 1,
        |s| s.members.cases[0].cells.push(0),
        |s| s.members.cases[0].cells[2] = 3,
        |s| s.members.cases.truncate(100),
        |s| {
            let Findings::Conditions(found) = &mut s.findings else { panic!("conditions") };
            found.patients += 1;
        },
        |s| {
            let Findings::Conditions(found) = &mut s.findings else { panic!("conditions") };
            found.conditions.pop();
        },
    ];
    for (place, lie) in lies.into_iter().enumerate() {
        let mut summary = site.summary(&patients);
        lie(&mut summary);
        assert_eq!(code(site.vet(summary)), "RESULT_SCHEMA", "{place}");
    }
    let binary = support::summary(&support::large(), &support::protocol());
    assert_eq!(code(site.vet(binary)), "RESULT_SCHEMA");
}
