//! QIDO-RS: a question as a request, and its answers page by page (PS3.18, 10.6).

use std::collections::BTreeSet;
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

    /// Results page by page, until a page brings nothing new or `most` are there. A page that is short ends
    /// nothing: many a PACS lists fewer at once than it is asked for.
    pub(super) async fn pages(
        &self,
        web: &Web,
        question: Question<'_>,
        most: usize,
    ) -> Result<Vec<Found>, Trouble> {
        let (mut found, mut limit): (Vec<Found>, _) = (Vec::new(), most.min(PAGE));
        loop {
            let Some(more) = self.page(web, question, (limit, found.len()), most).await? else {
                return Ok(found);
            };
            let (new, known) = compared(question, &found, &more);
            let is_same_again = known > 0 && known == more.len() && known == found.len();
            if is_same_again {
                // It knows no pages. Where it heeds the limit all the same, there may be more beyond it.
                if known > limit || limit == most {
                    return Ok(found);
                }
                limit = most;
                found.clear();
                continue;
            }
            found.extend(more);
            if new == 0 || most <= SEVERAL || found.len() >= most {
                return Ok(found);
            }
        }
    }

    /// At most `limit` results behind `offset`, or what a PACS lists that knows no pages; `None` where there is
    /// nothing of what is asked about.
    async fn page(
        &self,
        web: &Web,
        question: Question<'_>,
        (limit, offset): (usize, usize),
        most: usize,
    ) -> Result<Option<Vec<Found>>, Trouble> {
        let query = query(question);
        let joint = if query.contains('?') { '&' } else { '?' };
        let target = format!("{query}{joint}limit={limit}&offset={offset}");
        // A PACS that knows no pages lists a whole series at once.
        let most_bytes = if most > MOST_RESULTS { 2 * MOST_JSON_BYTES } else { MOST_JSON_BYTES };
        let answer = match self.get(web, &target, JSON, most_bytes).await {
            // What is not there has no series and no instances. A proxy whose PACS starts says
            // the same, to whatever it is asked.
            Err(Trouble::Doubtful(CaseFault::NoInstance, _)) => {
                self.probe_again().await?;
                return Ok(None);
            }
            answer => answer?,
        };
        match results::read(&answer, most.max(MOST_RESULTS)) {
            Err(CaseFault::TooLarge) if most > SEVERAL => Err(question.has_too_many().into()),
            more => Ok(Some(more?)),
        }
    }
}

/// How many of a page's results are new, and how many were found before. One without a UID is neither.
fn compared(question: Question<'_>, found: &[Found], more: &[Found]) -> (usize, usize) {
    let before: BTreeSet<&str> = found.iter().filter_map(|one| uid(question, one)).collect();
    let uids: Vec<&str> = more.iter().filter_map(|one| uid(question, one)).collect();
    let known = uids.iter().filter(|uid| before.contains(*uid)).count();
    (uids.len() - known, known)
}

/// What tells the results of a question apart.
fn uid<'f>(question: Question<'_>, found: &'f Found) -> Option<&'f str> {
    match question {
        Question::Instance(_) | Question::Instances(..) => found.instance(),
        Question::Place(_) | Question::Series(_) => found.series(),
        Question::Nobody | Question::Studies(_) => found.study(),
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
            let told = "includefield=0020000D&includefield=00201209";
            format!("/series?SeriesInstanceUID={uid}&{told}")
        }
        Question::Studies(number) => format!("/studies?AccessionNumber={}", escaped(number)),
        Question::Series(study) => format!("/studies/{study}/series?includefield=00201209"),
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
