//! The only times a report knows: those of the signed round record.

use fedval_study::RoundRecord;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::AssembleError;

/// The moment whose knowledge a report of `round` holds, in milliseconds since 1970: its close, or
/// the last recorded result while it is open.
pub(crate) fn as_of(round: &RoundRecord) -> i64 {
    let recorded = round.sites.iter().filter_map(|site| site.recorded_at_ms);
    round.closed_at_ms.unwrap_or_else(|| recorded.fold(round.opened_at_ms, i64::max))
}

/// The moment in RFC 3339, to the second, in UTC.
pub(super) fn rfc3339(unix_millis: i64) -> Result<String, AssembleError> {
    OffsetDateTime::from_unix_timestamp(unix_millis.div_euclid(1000))
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .ok_or(AssembleError::TimeOutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_in_utc_and_absurd_ones_are_refused() {
        assert_eq!(rfc3339(1_000_000_000_999).unwrap(), "2001-09-09T01:46:40Z");
        for absurd in [i64::MIN, i64::MAX, -99_999_999_999_999] {
            assert!(matches!(rfc3339(absurd), Err(AssembleError::TimeOutOfRange)), "{absurd}");
        }
    }
}
