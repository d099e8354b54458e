//! What of several conditions, and of these by group, no gate lets out.

use fedval_disclosure::rules::{dc02_cohort_minimum, dc11_variance};
use fedval_study::{Cell, ConditionPerformance, Performance, Release};

use super::SubmitError;

/// Every count that is shown rests on k patients: each condition that is shown has k, and k or nobody were not assessed for
/// it; and what groups leave of the whole is k or nobody.
pub(super) fn check(release: &Release<ConditionPerformance>) -> Result<(), SubmitError> {
    let (k, overall) = (release.terms.k, &release.overall);
    let mut shown = overall.conditions.iter().filter_map(|cell| cell.performance.released());
    let is_told = |found: &Performance| {
        let missing = overall.missing(found);
        dc02_cohort_minimum::is_sufficient(found.patients, k) && (missing == 0 || missing >= k)
    };
    let enough = overall.conditions.iter().any(|cell| cell.performance.released().is_some())
        && shown.all(is_told)
        && release.subgroups.iter().all(|cell| rests_on_enough(&cell.performance, k))
        && release.attrition.iter().all(|row| row.patients.released().is_none_or(|n| *n >= k));
    let relation = "every count that is shown rests on k patients";
    if !enough {
        return Err(SubmitError::Contradiction { relation });
    }
    let relation = "what groups leave of the whole is nobody or k patients";
    if leaves_enough(release) { Ok(()) } else { Err(SubmitError::Contradiction { relation }) }
}

/// Whether nobody or k patients are left where the groups in which a condition is told are taken from the whole: of those
/// with it, without it and not assessed, and of all patients.
fn leaves_enough(release: &Release<ConditionPerformance>) -> bool {
    let (k, overall) = (release.terms.k, &release.overall);
    let shown: Vec<&ConditionPerformance> =
        release.subgroups.iter().filter_map(|cell| cell.performance.released()).collect();
    let is_enough = |whole: u64, told: &dyn Fn(&ConditionPerformance) -> u64| {
        let told = shown.iter().fold(0_u64, |sum, group| sum.saturating_add(told(group)));
        let rest = whole.saturating_sub(told);
        rest == 0 || rest >= k
    };
    let counts: [fn(&ConditionPerformance, &Performance) -> u64; 3] = [
        |_, found| found.patients.with_positive,
        |_, found| found.patients.with_negative,
        |of, found| of.missing(found),
    ];
    is_enough(overall.patients, &|group| group.patients)
        && overall.conditions.iter().all(|cell| {
            let Some(whole) = cell.performance.released() else { return true };
            counts.iter().all(|count| {
                is_enough(count(overall, whole), &|group| {
                    group.of(&cell.name).map_or(0, |own| count(group, own))
                })
            })
        })
}

/// The same of a group, of which spreads are told: of k patients and ten.
fn rests_on_enough(group: &Cell<ConditionPerformance>, k: u64) -> bool {
    let Cell::Released(group) = group else { return true };
    let mut shown = group.conditions.iter().filter_map(|cell| cell.performance.released());
    shown.all(|found| {
        let (of, missing) = (found.patients, group.missing(found));
        dc11_variance::has_enough(of.total, k)
            && of.with_positive >= k
            && of.with_negative >= k
            && (missing == 0 || missing >= k)
    })
}
