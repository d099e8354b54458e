//! The versions of the protocol as the report tells them.

use fedval_study::{ProtocolHistory, RoundRecord};

use super::{AssembleError, moment};
use crate::report::ProtocolVersion;

/// One entry for each version that the round record names; none of a record of an earlier release.
pub(super) fn versions(
    history: &ProtocolHistory,
    round: &RoundRecord,
) -> Result<Vec<ProtocolVersion>, AssembleError> {
    let recorded = history.steps().zip(&round.protocols);
    recorded
        .map(|((locked, changes), record)| {
            let protocol = locked.protocol();
            Ok(ProtocolVersion {
                version: protocol.version,
                protocol_digest: record.protocol,
                locked_at: moment::rfc3339(record.locked_at_ms)?,
                results_before: record.results_before,
                reason: protocol.amends.as_ref().map(|amends| amends.reason.clone()),
                changes,
            })
        })
        .collect()
}

/// Where a version was written by somebody who could know results, what no reader may conclude.
pub(super) fn written_after_results(
    history: &ProtocolHistory,
    round: &RoundRecord,
) -> Option<String> {
    let recorded = history.versions().zip(&round.protocols);
    let late: Vec<String> = recorded
        .filter(|(_, record)| record.results_before > 0)
        .map(|(locked, record)| {
            let results = match record.results_before {
                1 => "one result".to_owned(),
                more => format!("{more} results"),
            };
            format!("version {} after {results} of the study", locked.protocol().version)
        })
        .collect();
    (!late.is_empty()).then(|| {
        format!(
            "The protocol was amended when results were known: {}. What such a version changed was not fixed \
             before the data were seen, and is exploratory as far as those results could suggest it.",
            late.join(", ")
        )
    })
}
