//! Sentences that every report carries.

use fedval_study::{MetricId, ProtocolHistory, RoundRecord, ScoreSource, SiteId};

use super::{Answer, history};
use crate::report::{WithheldItem, WithheldWhat};

/// Sites that a sentence names one by one; the table of sites has all of them.
const MOST_NAMED: usize = 20;

/// What no reader may conclude.
pub(super) fn limits(
    protocols: &ProtocolHistory,
    round: &RoundRecord,
    answers: &[Answer<'_>],
) -> Vec<String> {
    let terms = answers.iter().filter_map(|answer| answer.result?.outcome.terms());
    let (noisy, exact): (Vec<_>, Vec<_>) = terms.partition(|terms| terms.noise_rho_micro.is_some());
    let who_uses_it = match (noisy.is_empty(), exact.is_empty()) {
        (true, _) => "this study does not use it",
        (false, false) => "only some sites of this study use it",
        (false, true) => "every site that released results uses it, at the cost printed beside it",
    };
    let model = format!(
        "Minimum counts, suppression and site-side review do not bound what a model built with \
         intent could say about one patient whom its author already knows; only differential \
         privacy gives such a bound, and {who_uses_it}."
    );
    let others = [
        "Signatures prove who released each number and that nobody changed it since; no \
         cryptography proves that a site computed it from real patients, so a site that invents \
         its numbers is found by audit, not by verification.",
        "Sites were not drawn at random from all hospitals: a prediction interval speaks of new \
         sites that resemble the ones shown.",
        "The least favourable site or subgroup is the extreme of several estimates and looks worse \
         than it is by chance alone; read it with its interval.",
    ]
    .map(str::to_owned);
    std::iter::once(model)
        .chain(others)
        .chain(agreement(protocols))
        .chain(misses(protocols))
        .chain(silence(protocols))
        .chain(made_elsewhere(answers))
        .chain(seen_before(answers))
        .chain(asked_before(answers))
        .chain(history::written_after_results(protocols, round))
        .collect()
}

/// What limits of agreement take for granted.
fn agreement(protocols: &ProtocolHistory) -> Option<String> {
    let quantity = protocols.in_force().protocol().task.quantity();
    quantity.map(|_| {
        "Limits of agreement hold 95 of 100 patients where errors are normal and as large at one end of the scale \
         as at the other; no site tells single errors, so that neither can be looked at here."
            .to_owned()
    })
}

/// What endpoints on masks do not ask, of a protocol that was locked before drafts were refused for it.
fn misses(protocols: &ProtocolHistory) -> Option<String> {
    let endpoints = &protocols.in_force().protocol().endpoints;
    let is_silent = endpoints.iter().any(|of| of.metric.is_silent_about_misses());
    let is_counted = endpoints.iter().any(|of| of.metric == MetricId::DiceMissesZero);
    (is_silent && !is_counted).then(|| {
        "No endpoint counts patients in whom the model outlined nothing though they have the structure: missing \
         those who are hard makes means over the others better. Read each verdict beside the misses."
            .to_owned()
    })
}

/// The same of endpoints on how findings are ranked.
fn silence(protocols: &ProtocolHistory) -> Option<String> {
    let endpoints = &protocols.in_force().protocol().endpoints;
    let is_silent = endpoints.iter().any(|of| of.metric == MetricId::AveragePrecision);
    let is_heard = endpoints.iter().any(|of| matches!(of.metric, MetricId::LesionSensitivity(_)));
    (is_silent && !is_heard).then(|| {
        "No endpoint hears of sites where the model finds hardly anything: they have no average precision, and the \
         pooled one is the better without them. Read the verdict beside the lesion sensitivity of each site."
            .to_owned()
    })
}

/// Where the model was before.
fn seen_before(answers: &[Answer<'_>]) -> Option<String> {
    let sites: Vec<String> = answers
        .iter()
        .map(|answer| answer.record)
        .filter(|record| record.earlier_dispatches > 0)
        .map(|record| format!("{} ({})", record.site, record.earlier_dispatches))
        .collect();
    (!sites.is_empty()).then(|| {
        format!(
            "The model had been dispatched before to {}: what was learned from those answers may have gone \
             into what is tested here, so that these patients are not certain to be unseen.",
            sites.join(", ")
        )
    })
}

/// What else was asked of the same hospitals, as far as this coordinator knows; nothing of rounds that an earlier
/// release recorded.
fn asked_before(answers: &[Answer<'_>]) -> Option<String> {
    let counts = answers.iter().filter_map(|answer| {
        let count = answer.record.earlier_dispatches_any_model?;
        Some((&answer.record.site, count))
    });
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() {
        return None;
    }
    let mut asked: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    // The most frequent first; sites of the same count stay in order of ids.
    asked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let known = if asked.is_empty() {
        "By its log, this coordinator had dispatched no model to any of these sites before."
            .to_owned()
    } else {
        format!(
            "By its log, this coordinator had dispatched models, this one or others, in this study or others, \
             before to {}: each answer told something about patients there, who may be the same.",
            named(&asked)
        )
    };
    Some(format!(
        "{known} Entries of other studies are hashes in the log that readers get, so that this rests on the \
         coordinator's word; what other coordinators, or the sites themselves, did with the same patients is not \
         known here."
    ))
}

/// Sites with a count each; of very many, the first alone by name.
fn named(sites: &[(&SiteId, u64)]) -> String {
    let mut names: Vec<String> =
        sites.iter().take(MOST_NAMED).map(|(site, count)| format!("{site} ({count})")).collect();
    let more = sites.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// Where scores were not made during the round.
fn made_elsewhere(answers: &[Answer<'_>]) -> Option<String> {
    let sites: Vec<&str> = answers
        .iter()
        .filter(|answer| {
            answer.result.is_some_and(|result| result.header.scores == ScoreSource::PredictionTable)
        })
        .map(|answer| answer.record.site.as_str())
        .collect();
    (!sites.is_empty()).then(|| {
        format!(
            "Scores of {} were made elsewhere and brought as a table, which the protocol accepts; that \
             this model made them, and on these images, rests on the word of the site.",
            sites.join(", ")
        )
    })
}

/// In which direction withholding may bias what is shown.
pub(super) fn possible_bias(withheld: &[WithheldItem]) -> &'static str {
    if withheld.iter().any(|item| matches!(item.what, WithheldWhat::Condition { .. })) {
        return "Sites and conditions that are missing here are mostly small or rare ones, or sites that declined. \
                How the model does there is not known, so the direction of the bias is not known either; \
                the estimates of a condition speak for sites where enough patients have it.";
    }
    let (whole, groups) =
        withheld.iter().fold((false, false), |(whole, groups), item| match item.what {
            WithheldWhat::WholeSite => (true, groups),
            WithheldWhat::Subgroup { .. } | WithheldWhat::GroupCondition { .. } => (whole, true),
            WithheldWhat::Attrition { .. }
            | WithheldWhat::Condition { .. }
            | WithheldWhat::FalsePositives
            | WithheldWhat::GroupFalsePositives => (whole, groups),
        });
    match (whole, groups) {
        (false, false) => {
            "No site and no subgroup is missing from the estimates. Rules on denominators do not \
             depend on how well the model did, so they do not select favourable results."
        }
        (true, false) => {
            "Sites that are missing here are mostly small ones or ones that declined. How the model \
             does there is not known, so the direction of the bias is not known either; the \
             estimates speak for larger sites that took part."
        }
        (false, true) => {
            "Subgroups that are missing here are small at their site. How the model does in them is \
             not known, so the direction of the bias is not known either; subgroup results speak \
             for sites where the group is large."
        }
        (true, true) => {
            "Sites and subgroups that are missing here are mostly small ones, or sites that \
             declined. How the model does there is not known, so the direction of the bias is not \
             known either; the estimates speak for larger sites and larger groups."
        }
    }
}
