//! Data sources and jobs that a person has to mend.

use std::collections::BTreeMap;
use std::time::Duration;

use fedval_study::RoundId;

/// Such a one is not tried all the time: some accounts are locked after a few tries, whichever job
/// makes them.
const FOR_A_PERSON: Duration = Duration::from_hours(1);

/// What such codes begin with that are a source's own, whichever job asks it. Everything else, such as a model that nobody
/// confirmed, is one job's, and the others of its source go on.
const OF_A_SOURCE: &str = "PACS_";

/// Sources by their names, and jobs, each with what is wrong there. Times are monotonic.
#[derive(Debug, Default)]
pub(super) struct ToMend {
    sources: BTreeMap<String, Wait>,
    jobs: BTreeMap<RoundId, Wait>,
}

#[derive(Debug)]
struct Wait {
    until: Duration,
    code: String,
}

impl ToMend {
    /// Lets a job wait, and every other one of its source where the source is what is wrong.
    pub(super) fn add(&mut self, source: &str, round: &RoundId, code: String, now: Duration) {
        let is_of_source = code.starts_with(OF_A_SOURCE);
        let wait = Wait { until: now + FOR_A_PERSON, code };
        if is_of_source {
            self.sources.insert(source.to_owned(), wait);
        } else {
            self.jobs.insert(round.clone(), wait);
        }
    }

    /// Why a job of a source may not be begun at `now`, if so.
    pub(super) fn reason(&self, source: &str, round: &RoundId, now: Duration) -> Option<&str> {
        let waits = [self.sources.get(source), self.jobs.get(round)];
        let wait = waits.into_iter().flatten().find(|wait| now < wait.until)?;
        Some(&wait.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_tried_once_an_hour_and_the_others_meanwhile() {
        let (one, other): (RoundId, RoundId) =
            ("chest-r1".parse().unwrap(), "bone-r1".parse().unwrap());
        let mut to_mend = ToMend::default();
        for now in [Duration::ZERO, FOR_A_PERSON] {
            to_mend.add("radiology", &one, "PACS_REFUSED".to_owned(), now);
            let later = now + Duration::from_mins(59);
            for round in [&one, &other] {
                assert_eq!(to_mend.reason("radiology", round, later), Some("PACS_REFUSED"));
                assert_eq!(to_mend.reason("cardiology", round, later), None);
                assert_eq!(to_mend.reason("radiology", round, now + FOR_A_PERSON), None);
            }
        }
    }

    #[test]
    fn what_is_wrong_with_the_engine_of_one_job_lets_no_other_job_of_its_source_wait() {
        let (one, other): (RoundId, RoundId) =
            ("chest-r1".parse().unwrap(), "bone-r1".parse().unwrap());
        let mut to_mend = ToMend::default();
        to_mend.add("radiology", &one, "MODEL_NOT_CONFIRMED".to_owned(), Duration::ZERO);
        let later = Duration::from_mins(59);
        assert_eq!(to_mend.reason("radiology", &one, later), Some("MODEL_NOT_CONFIRMED"));
        assert_eq!(to_mend.reason("radiology", &other, later), None);
        assert_eq!(to_mend.reason("radiology", &one, FOR_A_PERSON), None);
    }
}
