//! The section of one site.

use fedval_study::protocol::StudyProtocol;
use fedval_study::result::AttritionCount;
use fedval_study::{Cell, Outcome, Performance, Release, SiteStatus};

use super::contribution::shares;
use super::{Answer, AssembleError, metric, moment};
use crate::report::{
    Attrition, CalibrationLine, Disclosed, Estimable, Group, OperatingPointRow, Participants,
    Reason, Site, SiteControl, SiteTally,
};

/// The section of one site, whatever came of the round there.
pub(super) fn section(plan: &StudyProtocol, answer: &Answer<'_>) -> Result<Site, AssembleError> {
    let record = answer.record;
    let header = answer.result.map(|result| &result.header);
    let release = answer.release();
    let group = release.map(|release| group(plan, &release.overall));
    let reason = reason_of(record.status);
    let count = |of: fn(&Group) -> u64| group.as_ref().map(of).ok_or(reason).into();
    Ok(Site {
        id: record.site.clone(),
        status: record.status,
        failed_stage: answer.result.and_then(|result| match result.outcome {
            Outcome::Failed(stage) => Some(stage),
            _ => None,
        }),
        dispatched_at: moment::rfc3339(record.dispatched_at_ms)?,
        recorded_at: record.recorded_at_ms.map(moment::rfc3339).transpose()?,
        n: count(|group| group.n),
        n_pos: count(|group| group.n_pos),
        n_neg: count(|group| group.n_neg),
        patients: count(|group| group.patients),
        clustered: release.map(|release| release.overall.is_clustered()),
        attrition: release.map(attrition).unwrap_or_default(),
        calibration_line: release
            .ok_or(reason)
            .and_then(|release| calibration_line(&release.overall))
            .into(),
        result: record.result,
        cohort: header.and_then(|header| header.cohort),
        agent_build: header.map(|header| header.agent_build),
        disclosure: release.zip(header.and_then(|header| header.policy)).map(
            |(release, policy)| SiteControl { profile: release.profile, k: release.k, policy },
        ),
        operating_points: group
            .as_ref()
            .map(|group| group.operating_points.clone())
            .unwrap_or_default(),
        metrics: group.map(|group| group.metrics).unwrap_or_default(),
    })
}

/// One group of patients in estimates.
pub(super) fn group(plan: &StudyProtocol, performance: &Performance) -> Group {
    let (n_pos, n_neg) = (performance.ranks.n_pos, performance.ranks.n_neg);
    Group {
        n: n_pos.saturating_add(n_neg),
        n_pos,
        n_neg,
        patients: performance.patients.total,
        metrics: metric::all(plan, performance),
        operating_points: operating_points(plan, performance),
    }
}

fn operating_points(plan: &StudyProtocol, performance: &Performance) -> Vec<OperatingPointRow> {
    plan.operating_points
        .iter()
        .zip(&performance.operating_points)
        .map(|(point, row)| {
            let [sensitivity, specificity] = shares(&row.counts);
            OperatingPointRow {
                name: point.name.clone(),
                threshold: point.threshold,
                tp: row.counts.tp,
                fn_: row.counts.fn_,
                fp: row.counts.fp,
                tn: row.counts.tn,
                sensitivity: sensitivity.into(),
                specificity: specificity.into(),
            }
        })
        .collect()
}

fn calibration_line(performance: &Performance) -> Result<CalibrationLine, Reason> {
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

fn attrition(release: &Release) -> Vec<Attrition> {
    let row = |count: &AttritionCount| Attrition {
        reason: count.reason,
        patients: match count.patients {
            Cell::Released(patients) => Disclosed::Released(patients),
            Cell::Suppressed(why) => Disclosed::Withheld { withheld: why.into() },
        },
    };
    release.attrition.iter().map(row).collect()
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
pub(super) fn participants(sites: &[Site]) -> Participants {
    sites.iter().fold(Participants::default(), |mut sum, site| {
        let add = |total: &mut u64, count: &Estimable<u64>| {
            *total = total.saturating_add(count.value().copied().unwrap_or(0));
        };
        add(&mut sum.n, &site.n);
        add(&mut sum.n_pos, &site.n_pos);
        add(&mut sum.n_neg, &site.n_neg);
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
