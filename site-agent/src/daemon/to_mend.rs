//! Data sources that a person has to mend.

use std::collections::BTreeMap;
use std::time::Duration;

/// Such a source is not tried all the time: some accounts are locked after a few tries, whichever job
/// makes them.
const FOR_A_PERSON: Duration = Duration::from_hours(1);

/// Sources by their names, each with what is wrong there. Times are monotonic.
#[derive(Debug, Default)]
pub(super) struct ToMend {
    sources: BTreeMap<String, Wait>,
}

#[derive(Debug)]
struct Wait {
    until: Duration,
    code: String,
}

impl ToMend {
    /// Lets every job of a source wait.
    pub(super) fn add(&mut self, source: &str, code: String, now: Duration) {
        self.sources.insert(source.to_owned(), Wait { until: now + FOR_A_PERSON, code });
    }

    /// Why no job of a source may be begun at `now`, if so.
    pub(super) fn reason(&self, source: &str, now: Duration) -> Option<&str> {
        let wait = self.sources.get(source).filter(|wait| now < wait.until)?;
        Some(&wait.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_tried_once_an_hour_and_the_others_meanwhile() {
        let mut to_mend = ToMend::default();
        for now in [Duration::ZERO, FOR_A_PERSON] {
            to_mend.add("radiology", "PACS_REFUSED".to_owned(), now);
            let later = now + Duration::from_mins(59);
            assert_eq!(to_mend.reason("radiology", later), Some("PACS_REFUSED"));
            assert_eq!(to_mend.reason("cardiology", later), None);
            assert_eq!(to_mend.reason("radiology", now + FOR_A_PERSON), None);
        }
    }
}
