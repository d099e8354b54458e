//! The log knows when each version of the protocol was locked, and no other than the one in force was dispatched.

use fedval_study::{LogEntry, LogEvent, ProtocolDigest, RoundRecord, protocol_records};

/// Checks what `round` says of its protocol's versions against the entries, each with its place. Records of earlier
/// releases say nothing.
pub(super) fn check(entries: &[(u64, LogEntry)], round: &RoundRecord) -> Result<(), String> {
    if round.protocols.is_empty() {
        return Ok(());
    }
    let found =
        protocol_records(entries.iter().map(|(_, entry)| entry), &round.study, round.protocol);
    if found != round.protocols {
        return Err("tells another history of the protocol than the round record".to_owned());
    }
    match in_force_at_dispatch(entries, round) {
        Some(protocol) if protocol == round.protocol => Ok(()),
        Some(_) => Err("shows that another version was in force when the round began".to_owned()),
        None => Err("shows a dispatch before the protocol was locked".to_owned()),
    }
}

/// The version that was locked last before the round's first dispatch.
fn in_force_at_dispatch(entries: &[(u64, LogEntry)], of: &RoundRecord) -> Option<ProtocolDigest> {
    let mut in_force = None;
    for (_, LogEntry { event, .. }) in entries {
        match event {
            LogEvent::ProtocolLocked { study, protocol, .. } if *study == of.study => {
                in_force = Some(*protocol);
            }
            LogEvent::Dispatched { round, .. } if *round == of.round => break,
            _ => {}
        }
    }
    in_force
}
