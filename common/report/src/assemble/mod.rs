//! From signed site results to the report: a pure function.
//!
//! No input, output, clock or randomness takes part, and every sum runs in the order of site ids:
//! the same documents give the same bytes on every machine. What is drawn begins at the protocol's digest.

mod aggregates;
mod classes;
mod coarse;
mod conditions;
mod conformity;
mod contribution;
mod detection;
mod disclosure;
mod error;
mod gap;
mod glmm;
mod history;
mod masks;
mod measures;
mod metric;
mod moment;
mod noisy;
mod normal;
mod operating_point;
mod over_sites;
mod proportion;
mod risk_of_bias;
mod site;
mod statement;
mod subgroup;
mod synthesis;
mod verdict;

use std::collections::BTreeMap;

use fedval_study::protocol::StudyProtocol;
use fedval_study::{
    Cell, ProtocolHistory, ResultDigest, RoundRecord, SiteId, SiteRecord, SiteResult,
};
use rayon::prelude::*;

use aggregates::{Aggregates, CellName};
use contribution::Member;

pub(crate) use conformity::{check_result, check_round};
pub use error::AssembleError;
pub(crate) use moment::as_of;

use crate::report::{
    ModelIdentity, OperatingPointLimit, QuantitySection, REPORT_SCHEMA, Report, RoundIdentity,
    Software, StudyIdentity,
};

/// A site's result, with the digest of its canonical bytes where these were read already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) result: &'a SiteResult,
    pub(crate) digest: Option<ResultDigest>,
    /// Whether [`check_result`] held of it, for the same protocol and round.
    pub(crate) is_checked: bool,
}

/// One site with what it answered.
struct Answer<'a> {
    record: &'a SiteRecord,
    result: Option<&'a SiteResult>,
}

impl<'a> Answer<'a> {
    /// The aggregates of the whole cohort, where the site released any.
    fn whole(&self, plan: &StudyProtocol) -> Option<Aggregates<'a>> {
        Aggregates::whole(plan, self.result?)
    }

    /// One cell of a table, where the site released any.
    fn cell(&self, plan: &StudyProtocol, cell: CellName<'_>) -> Option<Cell<Aggregates<'a>>> {
        Aggregates::cell(plan, self.result?, cell)
    }
}

/// Assembles the report of a round under the version of the protocol in force.
///
/// # Errors
///
/// [`AssembleError`] where protocol, round record and results do not belong together, or where a
/// result breaks the protocol's schema or contradicts itself. Statistics that do not exist are no
/// error: the report holds the reason in their place.
pub fn assemble(
    history: &ProtocolHistory,
    round: &RoundRecord,
    results: &BTreeMap<SiteId, SiteResult>,
) -> Result<Report, AssembleError> {
    let given = |result| Given { result, digest: None, is_checked: false };
    let given = results.iter().map(|(site, result)| (site, given(result)));
    assemble_given(history, round, &given.collect())
}

/// The same from results whose bytes may have been read already.
pub(crate) fn assemble_given(
    history: &ProtocolHistory,
    round: &RoundRecord,
    results: &BTreeMap<&SiteId, Given<'_>>,
) -> Result<Report, AssembleError> {
    conformity::check(history, round, results)?;
    let answers: Vec<Answer<'_>> = round
        .sites
        .iter()
        .map(|record| Answer { record, result: results.get(&record.site).map(|g| g.result) })
        .collect();
    let (plan, revision) = (history.in_force().protocol(), round.report_revision);
    let sites = answers
        .par_iter()
        .map(|answer| site::section(plan, answer))
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Result<Vec<_>, AssembleError>>()?;
    let members = members(plan, &answers);
    // Who is done with the few takes some of the many.
    let ((synthesis, operating_points), groups) = rayon::join(
        || (synthesis::all(plan, &members), operating_point::all(plan, &members)),
        || subgroup::all(plan, &answers),
    );
    Ok(Report {
        classes: classes::section(plan, &answers),
        conditions: conditions::section(plan, &answers),
        detection: detection::section(plan, &answers),
        schema: REPORT_SCHEMA.to_owned(),
        software: Software {
            name: "fedval".to_owned(),
            version: round.software_version.clone(),
            revision,
        },
        study: study(history, round)?,
        model: ModelIdentity {
            name: plan.model.name.clone(),
            digest: plan.model.digest,
            bytes: plan.model.bytes,
        },
        round: round_identity(round)?,
        verdicts: verdict::all(plan, &sites, &synthesis, &groups),
        participants: site::participants(plan, &sites),
        quantity: plan.task.quantity().map(QuantitySection::of),
        segmentation: masks::section(plan, &answers),
        disclosure: disclosure::section(plan, &answers),
        limits: statement::limits(history, round, &answers),
        means_over_sites: over_sites::all(plan, history.in_force().digest(), revision, &sites),
        operating_points,
        gaps: gap::all(plan, revision, &groups),
        risk_of_bias: risk_of_bias::all(plan, &sites),
        sites,
        synthesis,
        subgroups: groups.into_iter().map(|group| group.subgroup).collect(),
    })
}

/// Every site that released aggregates, with those of its whole cohort.
fn members<'a>(plan: &'a StudyProtocol, answers: &[Answer<'a>]) -> Vec<Member<'a>> {
    let member =
        |answer: &Answer<'a>| Some(Member::new(plan, &answer.record.site, answer.whole(plan)?));
    answers.iter().filter_map(member).collect()
}

fn study(history: &ProtocolHistory, round: &RoundRecord) -> Result<StudyIdentity, AssembleError> {
    let plan = history.in_force().protocol();
    Ok(StudyIdentity {
        id: plan.id.clone(),
        version: plan.version,
        protocol_digest: history.in_force().digest(),
        title: plan.title.clone(),
        target_condition: plan.target_condition.clone(),
        eligibility: plan.eligibility.clone(),
        reference_standard: plan.reference_standard.description.clone(),
        unit: plan.analysis.unit,
        combine: plan.analysis.combine,
        level: plan.analysis.level,
        failure_limit: plan.analysis.failure_limit,
        ece_bins: plan.analysis.ece_bins,
        operating_points: plan
            .operating_points
            .iter()
            .map(|point| OperatingPointLimit {
                name: point.name.clone(),
                threshold: point.threshold,
            })
            .collect(),
        history: history::versions(history, round)?,
    })
}

fn round_identity(round: &RoundRecord) -> Result<RoundIdentity, AssembleError> {
    let closed_at = round.closed_at_ms.map(moment::rfc3339).transpose()?;
    Ok(RoundIdentity {
        id: round.round.clone(),
        opened_at: moment::rfc3339(round.opened_at_ms)?,
        closed_at,
        as_of: moment::rfc3339(moment::as_of(round))?,
    })
}
