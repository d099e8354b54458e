//! DC-21: how long something took is an answer too.
//!
//! No time of a case and no count of cases leaves while a job runs. An answer without aggregates leaves
//! at a whole number of steps after the offer, five minutes as shipped: a refusal by the ledger, which
//! is found after hours, and one for a budget cannot be told apart within a step.
//!
//! Source: timing of refusals as a side channel, shared `design/threats.md`, A03.

/// Milliseconds after the offer at which an answer that is ready after `ready_ms` may leave.
#[must_use]
pub const fn due_ms(ready_ms: i64, step_seconds: u64) -> i64 {
    let step = step_seconds.cast_signed().saturating_mul(1000);
    if step <= 0 || ready_ms < 0 {
        return ready_ms;
    }
    (ready_ms / step + 1).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_within_a_step_leave_at_the_same_time() {
        assert_eq!(due_ms(0, 300), 300_000);
        assert_eq!(due_ms(299_999, 300), 300_000);
        assert_eq!(due_ms(300_000, 300), 600_000);
        assert_eq!(due_ms(17, 0), 17);
    }
}
