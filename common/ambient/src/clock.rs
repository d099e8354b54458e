//! The time, injected.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::{Local, Timelike as _};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A moment from milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// The same moment for crates that speak [`time`].
    ///
    /// Moments outside the years −9999 to 9999 become the epoch: no certificate or log needs them.
    #[must_use]
    pub fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_offset().format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

/// A clock knows what time it is.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current moment. May jump: it decides what is written down, never what waits for how long.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary moment of this process. Never goes back and never jumps.
    fn monotonic(&self) -> Duration;

    /// Minutes since midnight as clocks on the wall show them here, 0 to 1439.
    fn minute_of_day(&self) -> u16;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Where the library that tells the hour looks for zones.
const ZONES: [&str; 4] =
    ["/usr/share/zoneinfo", "/share/zoneinfo", "/etc/zoneinfo", "/usr/share/lib/zoneinfo"];

impl SystemClock {
    /// Whether the zone that `TZ` names is known here. The hours of one that is not would silently be
    /// those of another, mostly UTC's.
    #[must_use]
    pub fn knows_its_zone() -> bool {
        let zone = std::env::var_os("TZ");
        zone.as_deref().and_then(OsStr::to_str).is_none_or(is_zone)
    }
}

/// What `TZ` may be: nothing, the machine's own zone, a file, or a rule such as `CET-1CEST`.
fn is_zone(text: &str) -> bool {
    let name = text.strip_prefix(':').unwrap_or(text);
    // A path that is absolute stays as it is.
    let is_file = |folder: &str| Path::new(folder).join(name).is_file();
    matches!(text, "" | "localtime") || ZONES.into_iter().any(is_file) || is_rule(text.trim())
}

/// A name of three letters or more, or in angle brackets, and how far it is from UTC (POSIX, 8.3).
fn is_rule(text: &str) -> bool {
    let rest = match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>').map(|(_, rest)| rest),
        None => Some(text.trim_start_matches(|c: char| c.is_ascii_alphabetic())),
    };
    let is_offset = |rest: &str| {
        let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        rest.len() + 3 <= text.len() && digits.starts_with(|c: char| c.is_ascii_digit())
    };
    rest.is_some_and(is_offset)
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    /// In the zone that `TZ` or `/etc/localtime` names; without either, UTC.
    fn minute_of_day(&self) -> u16 {
        let seconds = Local::now().num_seconds_from_midnight();
        u16::try_from(seconds / 60).expect("a day has 1440 minutes")
    }
}

/// A clock that moves only when told; clones share the same time.
///
/// It starts on 2001-09-09, so that a leaked real time is obvious.
#[derive(Debug, Clone)]
pub struct MockClock {
    wall_millis: Arc<AtomicI64>,
    passed_millis: Arc<AtomicU64>,
}

impl Default for MockClock {
    fn default() -> Self {
        let wall_millis = Arc::new(AtomicI64::new(1_000_000_000_000));
        Self { wall_millis, passed_millis: Arc::default() }
    }
}

impl MockClock {
    /// Lets time pass for every clone of this clock.
    pub fn advance_seconds(&self, seconds: i64) {
        self.jump_seconds(seconds);
        let passed = u64::try_from(seconds).unwrap_or_default();
        self.passed_millis.fetch_add(passed * 1000, Ordering::SeqCst);
    }

    /// Sets every clone of this clock forward or back, while no time passes.
    pub fn jump_seconds(&self, seconds: i64) {
        self.wall_millis.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall_millis.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.passed_millis.load(Ordering::SeqCst))
    }

    /// In UTC, whatever the machine's zone.
    fn minute_of_day(&self) -> u16 {
        let minutes = self.now().unix_millis().div_euclid(60_000).rem_euclid(1440);
        u16::try_from(minutes).expect("a day has 1440 minutes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_rfc_3339() {
        assert_eq!(MockClock::default().now().to_string(), "2001-09-09T01:46:40Z");
    }

    #[test]
    fn a_day_has_1440_minutes_and_a_mock_clock_starts_in_the_107th() {
        let clock = MockClock::default();
        assert_eq!(clock.minute_of_day(), 106);
        clock.advance_seconds(23 * 3600);
        assert_eq!(clock.minute_of_day(), 46);
        assert!(SystemClock.minute_of_day() < 1440);
    }

    #[test]
    fn a_zone_is_nothing_a_file_or_a_rule() {
        let file = std::env::current_exe().unwrap();
        let file = file.to_str().unwrap();
        for zone in ["", "localtime", file, "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30"] {
            assert!(is_zone(zone), "{zone}");
        }
        for none in ["Europe/Nowhere", "Nowhere", "Etc/GMT+99", ":CET-1CEST", "5", "-3", "<+03>"] {
            assert!(!is_zone(none), "{none}");
        }
    }

    #[test]
    fn clones_of_a_mock_clock_share_time() {
        let clock = MockClock::default();
        let clone = clock.clone();
        clock.advance_seconds(5);
        assert_eq!(clone.now(), MockClock::default().now().plus_seconds(5));
    }

    #[test]
    fn a_clock_that_is_set_back_has_still_seen_time_pass() {
        let clock = MockClock::default();
        clock.advance_seconds(5);
        clock.jump_seconds(-3600);
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        assert!(clock.now() < MockClock::default().now());
    }
}
