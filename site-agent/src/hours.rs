//! Hours of the day in which something may be done.

use std::fmt;

use serde::Deserialize;

/// From one minute of the day up to another, perhaps over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Hours {
    from: u16,
    to: u16,
}

impl Hours {
    /// Whether a minute of the day, 0 to 1439, lies within.
    pub(crate) const fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            self.from <= minute && minute < self.to
        } else {
            self.from <= minute || minute < self.to
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", time_of(self.from), time_of(self.to))
    }
}

/// A minute of the day as clocks show it.
pub(crate) fn time_of(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl TryFrom<String> for Hours {
    type Error = String;

    /// Reads `19:00-06:00`.
    fn try_from(text: String) -> Result<Self, String> {
        let ends = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        match ends {
            Some((from, to)) if from != to => Ok(Self { from, to }),
            _ => Err("write hours as two different times of day, such as 19:00-06:00".to_owned()),
        }
    }
}

/// Minutes since midnight, of `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str, below: u16| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| is_number && *number < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> Result<Hours, String> {
        Hours::try_from(text.to_owned())
    }

    #[test]
    fn hours_run_over_midnight_and_end_before_their_last_minute() {
        let night = hours("19:00-06:00").unwrap();
        let within = |minute| night.contains(minute);
        assert!(within(19 * 60) && within(1439) && within(0) && within(6 * 60 - 1));
        assert!(!within(6 * 60) && !within(12 * 60) && !within(19 * 60 - 1));
        let noon = hours("12:00 - 13:30").unwrap();
        assert_eq!(format!("{night} {noon}"), "19:00-06:00 12:00-13:30");
        assert!(noon.contains(12 * 60) && noon.contains(13 * 60 + 29));
        assert!(!noon.contains(13 * 60 + 30) && !noon.contains(0));
    }

    #[test]
    fn what_is_no_pair_of_times_is_refused() {
        for bad in ["", "19:00", "19-06", "24:00-06:00", "19:60-06:00", "6:00-7:00", "06:00-06:00"]
        {
            assert!(hours(bad).is_err(), "{bad}");
        }
    }
}
