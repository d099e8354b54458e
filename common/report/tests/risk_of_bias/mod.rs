//! Signals of bias at their limits: one patient or one case more changes the judgement.

use fedval_report::{Domain, Judgement, RiskOfBias, Signal};
use fedval_study::result::AttritionCount;
use fedval_study::summary::FailureReason;
use fedval_study::{Cell, Outcome, PatientCounts, Release};

use super::{cases, report};
use crate::consortium::{plan, released_cases};

/// 228 patients, 100 of them with the condition.
const ENOUGH: [u32; 4] = [90, 10, 20, 108];

/// What is said of a site with these counts, whose release was changed.
fn judged(counts: [u32; 4], change: impl FnOnce(&mut Release)) -> RiskOfBias {
    let mut plan = plan();
    plan.subgroups.clear();
    let Outcome::Released(mut release) = released_cases(&plan, &cases(counts)) else {
        panic!("released")
    };
    release.attrition.clear();
    change(&mut release);
    let report = report(&plan, &vec![("site-a", Some(Outcome::Released(release)))]);
    let [judged] = &report.risk_of_bias[..] else { panic!("one site released") };
    judged.clone()
}

fn without_result(patients: u64) -> AttritionCount {
    AttritionCount { reason: FailureReason::Undecodable, patients: Cell::Released(patients) }
}

#[test]
fn a_sound_site_has_one_open_question() {
    let judged = judged(ENOUGH, |_| {});
    let signals = [
        Signal::FewWithoutResult,
        Signal::LockedIndexTest,
        Signal::BlindingNotRecorded,
        Signal::EnoughOfEachClass,
        Signal::RepeatsAllowedFor,
    ];
    assert_eq!(judged.signals, signals);
    let judgements = Domain::ALL.map(|domain| judged.judgement(domain));
    let [low, unclear] = [Judgement::Low, Judgement::Unclear];
    assert_eq!(judgements, [low, low, unclear, low]);
}

#[test]
fn more_than_one_patient_in_twenty_without_a_result_is_too_many() {
    // Twelve beside 228 are one in twenty.
    for (patients, signal, judgement) in [
        (12, Signal::FewWithoutResult, Judgement::Low),
        (13, Signal::ManyWithoutResult, Judgement::High),
    ] {
        let judged = judged(ENOUGH, |release| release.attrition.push(without_result(patients)));
        assert_eq!(
            (judged.signals[0], judged.judgement(Domain::Participants)),
            (signal, judgement)
        );
    }
    let judged = judged(ENOUGH, |release| {
        let withheld = AttritionCount { reason: FailureReason::Other, patients: Cell::Suppressed };
        release.attrition.extend([without_result(11), withheld]);
    });
    assert_eq!(judged.signals[0], Signal::UnknownWithoutResult);
    assert_eq!(judged.judgement(Domain::Participants), Judgement::Unclear);
}

#[test]
fn ninety_nine_cases_of_a_class_are_few() {
    for counts in [[89, 10, 20, 109], [120, 10, 20, 79]] {
        let judged = judged(counts, |_| {});
        assert_eq!(judged.signals[3], Signal::FewOfAClass);
        assert_eq!(judged.judgement(Domain::Analysis), Judgement::High);
    }
}

#[test]
fn patients_who_repeat_and_for_whom_errors_do_not_allow_leave_the_analysis_unclear() {
    let judged = judged(ENOUGH, |release| {
        release.overall.patients =
            PatientCounts { total: 218, with_negative: 123, with_positive: 95 };
    });
    assert_eq!(judged.signals[4], Signal::RepeatsIgnored);
    assert_eq!(judged.judgement(Domain::Analysis), Judgement::Unclear);
}
