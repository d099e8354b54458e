//! Release after release about patients who overlap.

use fedval_disclosure::Withheld;
use fedval_disclosure::rules::dc19_budgets::Exhausted;
use fedval_study::Outcome;

use crate::scene::{Site, ample, block, cohort, hidden};
use crate::support::Case;

const YEAR_MS: i64 = 365 * 24 * 3600 * 1000;

fn without(cases: &[Case], patients: &[u32]) -> Vec<Case> {
    cases.iter().filter(|case| !patients.contains(&case.patient)).copied().collect()
}

#[test]
fn a03_cohorts_that_differ_by_one_patient_are_refused_like_anything_else() {
    let mut site = Site::standard();
    let cases = ample();
    site.release("m", &cases).unwrap();
    let fewer = site.vet("m", &without(&cases, &[3])).unwrap_err();
    assert!(matches!(fewer, Withheld::EarlierReleases));
    let mut relabelled = cases.clone();
    relabelled[3].positive = !relabelled[3].positive;
    let corrected = site.vet("m", &relabelled).unwrap_err();
    assert!(matches!(corrected, Withheld::EarlierReleases));
    assert_eq!(fewer.outcome(), Outcome::Refused, "no reason, as for any other refusal");
    assert_eq!(corrected.outcome(), Withheld::Exhausted(Exhausted::Models).outcome());
    assert!(site.vet("m", &cases).is_ok(), "the same patients again");
    // Twenty fewer of each label.
    let twenty: Vec<u32> = (0..20).chain(40..60).collect();
    assert!(site.vet("m", &without(&cases, &twenty)).is_ok());
}

/// Twelve overlapping cohorts: each leaves two neighbours of twelve groups out, so each two cohorts
/// differ by whole groups; patient 0 is in the first group only in the last.
fn chain() -> Vec<Vec<Case>> {
    let blocks: Vec<_> = (0..12).map(|_| block("f", "a", 12, 12)).collect();
    let cases = cohort(&blocks);
    let group_of = |case: &Case| case.patient / 24;
    (0..12)
        .map(|step: u32| {
            let mut part: Vec<Case> = cases
                .iter()
                .filter(|case| group_of(case) != step && group_of(case) != (step + 1) % 12)
                .copied()
                .collect();
            if step == 11 {
                // Group 0 is left out here but for one of its patients.
                part.extend(cases.iter().filter(|case| case.patient == 0));
            }
            part
        })
        .collect()
}

#[test]
fn a04_a_chain_of_twelve_is_refused_at_the_job_that_isolates_one_patient() {
    let mut site = Site::with("standard;releases_per_year = 100");
    let chain = chain();
    let (last, first) = chain.split_last().unwrap();
    for (step, cases) in first.iter().enumerate() {
        assert!(site.release("m", cases).is_ok(), "job {step} is refused too early");
    }
    let refused = site.vet("m", last);
    assert!(matches!(refused, Err(Withheld::EarlierReleases)), "{refused:?}");
    let harmless = without(last, &[0]);
    assert!(site.vet("m", &harmless).is_ok(), "it was the one patient");
}

#[test]
fn a05_a_fourth_model_on_the_same_patients_is_refused() {
    let mut site = Site::standard();
    for model in ["a", "b", "c"] {
        site.release(model, &ample()).unwrap();
    }
    let refused = site.vet("d", &ample());
    assert!(matches!(refused, Err(Withheld::Exhausted(Exhausted::Models))));
    assert!(site.vet("a", &ample()).is_ok());
    // Another window of time: other patients.
    let others: Vec<Case> =
        ample().into_iter().map(|case| Case { patient: case.patient + 10_000, ..case }).collect();
    assert!(site.vet("d", &others).is_ok());
}

#[test]
fn a19_a_privacy_budget_is_used_up_and_comes_back_after_a_year() {
    let mut site = Site::with("dp;rho_micro_per_year = 120000");
    for _ in 0..2 {
        site.release("m", &ample()).unwrap();
    }
    let refused = site.vet("m", &ample());
    assert!(matches!(refused, Err(Withheld::Exhausted(Exhausted::Privacy))));
    site.now_ms += YEAR_MS;
    assert!(site.vet("m", &ample()).is_ok());
}

#[test]
fn exact_counts_do_not_stand_beside_noisy_ones_of_the_same_patients() {
    let mut noisy = Site::with("dp");
    noisy.release("m", &ample()).unwrap();
    let mut exact = Site::standard();
    exact.history = noisy.history;
    assert!(matches!(exact.vet("m", &ample()), Err(Withheld::EarlierReleases)));
}

#[test]
fn a_cell_that_was_hidden_stays_hidden_beside_a_later_release() {
    let mut site = Site::standard();
    // Scanner c has three positives: hidden, with a partner.
    let first = cohort(&[
        block("f", "a", 40, 60),
        block("f", "b", 30, 40),
        block("f", "c", 3, 30),
        block("m", "a", 40, 50),
    ]);
    let vetted = site.release("m", &first).unwrap();
    assert!(hidden(&vetted).contains(&"scanner = c".to_owned()));
    assert!(hidden(&vetted).contains(&"scanner = b".to_owned()));
    // The same cohort without scanner c: whole minus whole would be scanner c.
    let c: Vec<u32> = first.iter().filter(|c| c.scanner == "c").map(|c| c.patient).collect();
    let refused = site.vet("m", &without(&first, &c));
    assert!(matches!(refused, Err(Withheld::EarlierReleases)), "{refused:?}");
}
