//! This machine's clock beside the coordinator's.

use fedval_ambient::{Exit, Failure, Timestamp};

/// As far as clocks may be apart: what every certificate is backdated by.
const MOST_SECONDS: i64 = 300;

pub(super) fn check(ours: Timestamp, theirs: Timestamp) -> Result<String, Failure> {
    let seconds = (ours.unix_millis() - theirs.unix_millis()) / 1000;
    if seconds.abs() <= MOST_SECONDS {
        return Ok("within 5 minutes of the coordinator's".to_owned());
    }
    let way = if seconds > 0 { "ahead of" } else { "behind" };
    Err(Failure::new(
        Exit::AnswerIsNo,
        "CLOCK_SKEW",
        format!(
            "this machine's clock is {} {way} the coordinator's: {ours} here, {theirs} there",
            span(seconds.abs())
        ),
        "switch on time synchronisation (timedatectl set-ntp true); behind a firewall, name your \
         network's own time server in /etc/systemd/timesyncd.conf",
    ))
}

/// Seconds as people say them.
fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} days {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use fedval_ambient::{Clock as _, MockClock};

    use super::*;

    #[test]
    fn clocks_may_be_five_minutes_apart_and_more_is_told_with_the_difference() {
        let now = MockClock::default().now();
        for seconds in [-300, 0, 300] {
            assert!(check(now.plus_seconds(seconds), now).is_ok(), "{seconds}");
        }
        for (seconds, told) in [
            (301, "5 min ahead of"),
            (-301, "5 min behind"),
            (3 * 3600 + 120, "3 h 2 min ahead of"),
            (-400 * 86_400, "400 days 0 h behind"),
        ] {
            let failure = check(now.plus_seconds(seconds), now).unwrap_err();
            assert_eq!(failure.code, "CLOCK_SKEW");
            assert!(failure.message.contains(told), "{}", failure.message);
        }
    }
}
