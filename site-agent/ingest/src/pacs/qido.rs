//! QIDO-RS: a question as a request, and its answers page by page (PS3.18, 10.6).

use std::fmt::Write as _;

use super::attempt::Trouble;
use super::find::SEVERAL;
use super::question::{NO_STUDY, Question};
use super::request::{JSON, Web};
use super::results::{self, Found, MOST_JSON_BYTES, MOST_RESULTS};
use super::{CaseFault, Pacs};

/// Results that are asked for at once.
const PAGE: usize = 100;

impl Pacs {
    /// Asks for nobody, once.
    pub(super) async fn ask_web_for_nobody(&self, web: &Web) -> Result<(), Trouble> {
        let target = format!("{}&limit=1", query(Question::Nobody));
        let answer = self.attempt(web, &target, JSON, MOST_JSON_BYTES).await?;
        results::read(&answer, MOST_RESULTS)?;
        Ok(())
    }

    /// Results page by page, until a page is short or `most` are there.
    pub(super) async fn pages(
        &self,
        web: &Web,
        question: Question<'_>,
        most: usize,
    ) -> Result<Vec<Found>, Trouble> {
        let (query, page) = (query(question), most.min(PAGE));
        let joint = if query.contains('?') { '&' } else { '?' };
        // A PACS that knows no pages lists a whole series at once.
        let is_series = most > MOST_RESULTS;
        let most_read = most.max(MOST_RESULTS);
        let most_bytes = if is_series { 2 * MOST_JSON_BYTES } else { MOST_JSON_BYTES };
        let mut found = Vec::new();
        loop {
            let offset = found.len();
            let target = format!("{query}{joint}limit={page}&offset={offset}");
            let answer = match self.get(web, &target, JSON, most_bytes).await {
                // What is not there has no series and no instances. A proxy whose PACS starts says
                // the same, to whatever it is asked.
                Err(Trouble::Doubtful(CaseFault::NoInstance, _)) => {
                    self.probe_again().await?;
                    return Ok(found);
                }
                answer => answer?,
            };
            let more = match results::read(&answer, most_read) {
                Err(CaseFault::TooLarge) if most > SEVERAL => {
                    return Err(question.has_too_many().into());
                }
                more => more?,
            };
            // Fewer end the list; more come from a PACS that does not know pages, and are all.
            let is_last = more.len() != page;
            found.extend(more);
            if is_last || found.len() >= most {
                return Ok(found);
            }
        }
    }
}

/// A question's path and query, below the root.
fn query(question: Question<'_>) -> String {
    match question {
        Question::Nobody => format!("/studies?StudyInstanceUID={NO_STUDY}"),
        Question::Instance(uid) => {
            format!("/instances?SOPInstanceUID={uid}&includefield=0020000D&includefield=0020000E")
        }
        Question::Place(uid) => {
            format!("/series?SeriesInstanceUID={uid}&includefield=0020000D")
        }
        Question::Studies(number) => format!("/studies?AccessionNumber={}", escaped(number)),
        Question::Series(study) => format!("/studies/{study}/series"),
        Question::Instances(study, series) => {
            format!("/studies/{study}/series/{series}/instances")
        }
    }
}

/// A value in a query (RFC 3986, 2.3): everything else than unreserved characters as bytes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_escaped_byte_by_byte() {
        assert_eq!(escaped("A-1_b.c~&x=ü /"), "A-1_b.c~%26x%3D%C3%BC%20%2F");
    }
}
