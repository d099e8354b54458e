//! How often models were sent to the data of each site before this round, as the round record has it and as the log
//! shows it.
//!
//! Entries of other studies are hashes here: readers of one study need not know what others ask. So the count of any
//! model is held between what can be read and what the hidden entries leave room for.

use std::collections::BTreeMap;

use fedval_study::{LogEntry, LogEvent, RoundId, RoundRecord, SiteId, earlier_dispatches};

/// Records of earlier revisions say nothing of other models.
const FIRST_WITH_ANY_MODEL: u32 = 4;

/// Checks what `round` says of earlier dispatches against the entries that can be read, each with its place.
pub(super) fn check(entries: &[(u64, LogEntry)], round: &RoundRecord) -> Result<(), String> {
    let events = entries.iter().map(|(_, entry)| &entry.event);
    let shown = earlier_dispatches(events, &round.round, round.model);
    let hidden = hidden_before(entries, &round.round);
    for record in &round.sites {
        let site = &record.site;
        let found = shown.get(site).copied().unwrap_or_default();
        if found.of_model != record.earlier_dispatches {
            return Err(format!(
                "shows {} earlier dispatches of the model to {site}, and the round record says {}",
                found.of_model, record.earlier_dispatches
            ));
        }
        let Some(said) = record.earlier_dispatches_any_model else {
            if round.report_revision < FIRST_WITH_ANY_MODEL {
                continue;
            }
            return Err(format!(
                "is not met by the round record: it says nothing of earlier dispatches of any model to {site}"
            ));
        };
        let least = found.of_any_model;
        let most = least.saturating_add(hidden.get(site).copied().unwrap_or(0));
        if said < least || said > most {
            return Err(format!(
                "has room for {least} to {most} earlier dispatches of any model to {site}, and the round record \
                 says {said}"
            ));
        }
    }
    Ok(())
}

/// Entries before each site's dispatch in the round that cannot be read.
fn hidden_before<'e>(entries: &'e [(u64, LogEntry)], round: &RoundId) -> BTreeMap<&'e SiteId, u64> {
    let mut hidden = BTreeMap::new();
    for (readable, (place, LogEntry { event, .. })) in (0_u64..).zip(entries) {
        if let LogEvent::Dispatched { round: own, site, .. } = event
            && own == round
        {
            hidden.entry(site).or_insert_with(|| place.saturating_sub(readable));
        }
    }
    hidden
}

/// Dispatches of any model to each site, the one of this round included, as the round record says.
pub(super) fn of_any_model(round: &RoundRecord) -> BTreeMap<SiteId, u64> {
    let counted = round.sites.iter().filter_map(|record| {
        let earlier = record.earlier_dispatches_any_model?;
        Some((record.site.clone(), earlier.saturating_add(1)))
    });
    counted.collect()
}
