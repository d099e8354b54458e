//! The section of one site.

use fedval_study::protocol::{StudyProtocol, Task};
use fedval_study::result::AttritionCount;
use fedval_study::{Cell, MetricId, Outcome, Performance, SiteResult, SiteStatus};

use super::aggregates::Aggregates;
use super::contribution::Member;
use super::proportion::{Calls, Proportion};
use super::{Answer, AssembleError, classes, conditions, detection, measures, metric, moment};
use crate::report::{
    Attrition, CalibrationLine, Disclosed, Estimable, Metrics, OperatingPointRow, Participants,
    Reason, ResponseCounts, Site, SiteControl, SiteTally, WithheldCode,
};

/// The section of one site, whatever came of the round there.
pub(super) fn section(plan: &StudyProtocol, answer: &Answer<'_>) -> Result<Site, AssembleError> {
    let record = answer.record;
    let header = answer.result.map(|result| &result.header);
    let whole = answer.whole(plan);
    let member = whole.map(|aggregates| Member::new(plan, &record.site, aggregates));
    let metrics = member.as_ref().map(|member| metric::all(plan, member)).unwrap_or_default();
    let reason = reason_of(record.status);
    let count = |of: &dyn Fn(Aggregates<'_>) -> u64| whole.map(of).ok_or(reason).into();
    let cases = whole.ok_or(reason).and_then(|a| a.cases().ok_or(Reason::NotDefinedForTask));
    let labelled = |of: &dyn Fn((u64, u64)) -> u64| cases.map(of).into();
    Ok(Site {
        id: record.site.clone(),
        status: record.status,
        failed_stage: answer.result.and_then(|result| match result.outcome {
            Outcome::Failed(stage) => Some(stage),
            _ => None,
        }),
        dispatched_at: moment::rfc3339(record.dispatched_at_ms)?,
        recorded_at: record.recorded_at_ms.map(moment::rfc3339).transpose()?,
        earlier_dispatches: record.earlier_dispatches,
        earlier_dispatches_any_model: record.earlier_dispatches_any_model,
        n: count(&|aggregates| aggregates.n()),
        n_pos: labelled(&|(n_pos, _)| n_pos),
        n_neg: labelled(&|(_, n_neg)| n_neg),
        patients: count(&|aggregates| aggregates.patients()),
        clustered: whole.map(Aggregates::is_clustered),
        classes: whole.and_then(|aggregates| match aggregates {
            Aggregates::Classes(performance) => Some(classes::of_site(performance)),
            _ => None,
        }),
        conditions: match whole {
            Some(Aggregates::Conditions(performance)) => conditions::of_site(performance),
            _ => Vec::new(),
        },
        empty_masks: match whole {
            Some(Aggregates::Measures(group)) => group.empty_masks,
            _ => None,
        },
        measures: match whole {
            Some(Aggregates::Measures(group)) => measures::of_site(group),
            _ => Vec::new(),
        },
        detection: match (whole, plan.task.detection()) {
            (Some(Aggregates::Detection(found)), Some(task)) => {
                Some(detection::of_site(task, found))
            }
            _ => None,
        },
        attrition: answer.result.map(attrition).unwrap_or_default(),
        calibration_line: whole.ok_or(reason).and_then(calibration_line).into(),
        result: record.result,
        cohort: header.and_then(|header| header.cohort),
        agent_build: header.map(|header| header.agent_build),
        scores: header.map(|header| header.scores),
        preprocessing: header.and_then(|header| header.preprocessing.summary()),
        disclosure: control(answer),
        operating_points: member
            .map(|member| operating_points(plan, &member.calls, &metrics))
            .unwrap_or_default(),
        metrics,
    })
}

/// The terms under which it released, and the policy that they are of.
fn control(answer: &Answer<'_>) -> Option<SiteControl> {
    let result = answer.result?;
    let (terms, policy) = result.outcome.terms().zip(result.header.policy)?;
    Some(SiteControl { profile: terms.profile, k: terms.k, terms, policy })
}

fn operating_points(
    plan: &StudyProtocol,
    calls: &Calls<'_>,
    metrics: &Metrics,
) -> Vec<OperatingPointRow> {
    let estimate = |id: &MetricId| match metrics.get(id) {
        Some(Estimable::Estimated(metric)) => Estimable::Estimated(metric.estimate),
        Some(Estimable::NotEstimable { not_estimable }) => Estimable::not(*not_estimable),
        None => Estimable::not(Reason::NothingReleased),
    };
    plan.operating_points
        .iter()
        .enumerate()
        .map(|(place, point)| {
            let sensitivity = MetricId::Sensitivity(point.name.clone());
            let specificity = MetricId::Specificity(point.name.clone());
            let ResponseCounts { tp, fn_, fp, tn } = response(calls.at(place));
            OperatingPointRow {
                name: point.name.clone(),
                threshold: point.threshold,
                tp,
                fn_,
                fp,
                tn,
                sensitivity: estimate(&sensitivity),
                specificity: estimate(&specificity),
            }
        })
        .collect()
}

/// Response counts at one operating point, as far as they were released.
pub(super) fn response(
    [positives, negatives]: [Result<Proportion<'_>, Reason>; 2],
) -> ResponseCounts {
    let counts = |share: Result<Proportion<'_>, Reason>| {
        let Ok(share) = share else {
            let withheld = Disclosed::Withheld { withheld: WithheldCode::S };
            return (withheld, withheld);
        };
        let wrong = share.cases.saturating_sub(share.successes);
        (Disclosed::Released(share.successes), Disclosed::Released(wrong))
    };
    let (tp, fn_) = counts(positives);
    let (tn, fp) = counts(negatives);
    ResponseCounts { fn_, fp, tn, tp }
}

fn calibration_line(aggregates: Aggregates<'_>) -> Result<CalibrationLine, Reason> {
    if matches!(
        aggregates,
        Aggregates::Classes(_)
            | Aggregates::Conditions(_)
            | Aggregates::Measures(_)
            | Aggregates::Detection(_)
    ) {
        return Err(Reason::NotDefinedForTask);
    }
    line_of(aggregates.sums().ok_or(Reason::Withheld)?)
}

/// The line that a site fitted to the scores of one condition.
pub(super) fn line_of(performance: &Performance) -> Result<CalibrationLine, Reason> {
    use fedval_study::performance::CalibrationOutcome::{Fit, NotEstimable};
    match &performance.calibration {
        Fit(fit) => Ok(CalibrationLine {
            intercept: fit.intercept(),
            slope: fit.slope(),
            covariance: fit.covariance(),
        }),
        NotEstimable(reason) => Err((*reason).into()),
    }
}

fn attrition(result: &SiteResult) -> Vec<Attrition> {
    let row = |count: &AttritionCount| Attrition {
        reason: count.reason,
        patients: match count.patients {
            Cell::Released(patients) => Disclosed::Released(patients),
            Cell::Suppressed => Disclosed::Withheld { withheld: WithheldCode::S },
        },
    };
    result.outcome.attrition().iter().map(row).collect()
}

/// What stands in the place of a number of a site with this status.
const fn reason_of(status: SiteStatus) -> Reason {
    match status {
        SiteStatus::Released => Reason::NothingReleased,
        SiteStatus::Insufficient => Reason::Insufficient,
        SiteStatus::Refused => Reason::Refused,
        SiteStatus::Failed => Reason::Failed,
        SiteStatus::Missing => Reason::Missing,
    }
}

/// Who was asked and what the released cohorts add up to.
pub(super) fn participants(plan: &StudyProtocol, sites: &[Site]) -> Participants {
    let labelled = matches!(plan.task, Task::Binary | Task::Detection(_)).then_some(0);
    let nobody = Participants { n_pos: labelled, n_neg: labelled, ..Participants::default() };
    sites.iter().fold(nobody, |mut sum, site| {
        let add = |total: &mut u64, count: &Estimable<u64>| {
            *total = total.saturating_add(count.value().copied().unwrap_or(0));
        };
        add(&mut sum.n, &site.n);
        sum.n_pos.iter_mut().for_each(|total| add(total, &site.n_pos));
        sum.n_neg.iter_mut().for_each(|total| add(total, &site.n_neg));
        add(&mut sum.patients, &site.patients);
        tally(&mut sum.sites, site.status);
        sum
    })
}

const fn tally(sites: &mut SiteTally, status: SiteStatus) {
    sites.dispatched += 1;
    match status {
        SiteStatus::Released => sites.released += 1,
        SiteStatus::Insufficient => sites.insufficient += 1,
        SiteStatus::Refused => sites.refused += 1,
        SiteStatus::Failed => sites.failed += 1,
        SiteStatus::Missing => sites.missing += 1,
    }
}
