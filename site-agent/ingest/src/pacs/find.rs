//! QIDO-RS: from what the manifest says to the one instance that it means.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;

use super::name::is_uid;
use super::request::{Answer, JSON};
use super::{CaseFault, FetchError, InstanceKey, InstanceName, Pacs};

/// Largest answer to a query that is read.
pub(super) const MOST_JSON_BYTES: u64 = 4 << 20;
/// Results that are asked for at once, and in all.
const PAGE: usize = 100;
const MOST_RESULTS: usize = 1000;
/// Two are enough to know that there are several.
const SEVERAL: usize = 2;
/// Series of the right modality that are looked into.
const MOST_SERIES: usize = 20;
/// Modalities (PS3.3, C.7.3.1.1.1) whose instances show no image of a patient.
const WITHOUT_IMAGES: [&str; 14] = [
    "AU", "DOC", "FID", "HC", "KO", "M3D", "PLAN", "PR", "REG", "RTPLAN", "RTSTRUCT", "SEG", "SMR",
    "SR",
];

/// Where an instance lies. All three are UIDs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    study: String,
    series: String,
    instance: String,
}

impl Place {
    /// Its path below the root.
    pub(super) fn target(&self) -> String {
        let Self { study, series, instance } = self;
        format!("/studies/{study}/series/{series}/instances/{instance}")
    }
}

/// What is read of one result: attributes by their tags (PS3.18, F.2). The rest is skipped.
#[derive(Deserialize)]
pub(super) struct Found {
    #[serde(rename = "0020000D")]
    study: Option<Attribute>,
    #[serde(rename = "0020000E")]
    series: Option<Attribute>,
    #[serde(rename = "00080018")]
    instance: Option<Attribute>,
    #[serde(rename = "00080050")]
    accession_number: Option<Attribute>,
    #[serde(rename = "00080060")]
    modality: Option<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "Value", default)]
    value: Vec<Option<String>>,
}

/// The attribute's only value, without padding.
fn value(attribute: Option<&Attribute>) -> Option<&str> {
    match attribute?.value.as_slice() {
        [Some(only)] => Some(only.trim_end_matches('\0').trim()),
        _ => None,
    }
}

fn uid(attribute: Option<&Attribute>) -> Option<&str> {
    value(attribute).filter(|uid| is_uid(uid))
}

/// Reads an answer to a query.
pub(super) fn read(answer: &Answer) -> Result<Vec<Found>, CaseFault> {
    if answer.body.is_empty() {
        return Ok(Vec::new());
    }
    if !answer.is(JSON) && !answer.is("application/json") {
        return Err(CaseFault::AnswerInvalid);
    }
    serde_json::from_slice(&answer.body).map_err(|_| CaseFault::AnswerInvalid)
}

impl Pacs {
    /// The one instance that `name` names.
    pub(super) async fn find(&self, name: &InstanceName) -> Result<Place, FetchError> {
        let value = name.value();
        match name.key() {
            InstanceKey::SopInstanceUid => self.named(value).await,
            InstanceKey::StudyInstanceUid => self.only_image(value).await,
            InstanceKey::AccessionNumber => {
                let study = self.study_of(value).await?;
                self.only_image(&study).await
            }
        }
    }

    async fn named(&self, wanted: &str) -> Result<Place, FetchError> {
        let query = format!(
            "/instances?SOPInstanceUID={wanted}&includefield=0020000D&includefield=0020000E"
        );
        let found = self.list(&query, SEVERAL).await?;
        let places = found.iter().filter_map(|found| {
            // A PACS that does not know the key answers with whatever it has.
            let instance = uid(found.instance.as_ref()).filter(|uid| *uid == wanted)?;
            place(uid(found.study.as_ref())?, uid(found.series.as_ref())?, instance)
        });
        only(places.collect())
    }

    async fn study_of(&self, accession_number: &str) -> Result<String, FetchError> {
        let query = format!("/studies?AccessionNumber={}", escaped(accession_number));
        let found = self.list(&query, SEVERAL).await?;
        let studies = found.iter().filter_map(|found| {
            let number = value(found.accession_number.as_ref());
            number.filter(|number| *number == accession_number)?;
            uid(found.study.as_ref()).map(str::to_owned)
        });
        only(studies.collect())
    }

    /// The only instance with an image, over all series of the modality.
    async fn only_image(&self, study: &str) -> Result<Place, FetchError> {
        let series = self.list(&format!("/studies/{study}/series"), MOST_RESULTS).await?;
        let of_modality = |found: &&Found| self.has_images(value(found.modality.as_ref()));
        let series: BTreeSet<&str> = series
            .iter()
            .filter(of_modality)
            .filter_map(|found| uid(found.series.as_ref()))
            .collect();
        if series.len() > MOST_SERIES {
            return Err(CaseFault::SeveralInstances.into());
        }
        let mut places = BTreeSet::new();
        for series in series {
            let query = format!("/studies/{study}/series/{series}/instances");
            let found = self.list(&query, SEVERAL).await?;
            let instances = found.iter().filter_map(|found| uid(found.instance.as_ref()));
            places.extend(instances.filter_map(|instance| place(study, series, instance)));
            if places.len() >= SEVERAL {
                break;
            }
        }
        only(places)
    }

    fn has_images(&self, modality: Option<&str>) -> bool {
        let modality = modality.unwrap_or_default();
        match &self.modality {
            Some(wanted) => wanted == modality,
            None => !WITHOUT_IMAGES.contains(&modality),
        }
    }

    /// Results page by page, until a page is short or `most` are there.
    async fn list(&self, query: &str, most: usize) -> Result<Vec<Found>, FetchError> {
        let (page, joint) = (most.min(PAGE), if query.contains('?') { '&' } else { '?' });
        let mut found = Vec::new();
        loop {
            let offset = found.len();
            let target = format!("{query}{joint}limit={page}&offset={offset}");
            let answer = match self.get(&target, JSON, MOST_JSON_BYTES).await {
                // What is not there has no series and no instances.
                Err(FetchError::Case(CaseFault::NoInstance)) => return Ok(found),
                answer => answer?,
            };
            let more = read(&answer)?;
            // Fewer end the list; more come from a PACS that does not know pages, and are all.
            let is_last = more.len() != page;
            found.extend(more);
            match found.len() {
                count if count >= most && most > SEVERAL => {
                    return Err(CaseFault::SeveralInstances.into());
                }
                count if is_last || count >= most => return Ok(found),
                _ => {}
            }
        }
    }
}

fn place(study: &str, series: &str, instance: &str) -> Option<Place> {
    let [study, series, instance] = [study, series, instance].map(str::to_owned);
    Some(Place { study, series, instance })
}

/// The only one of what was found.
fn only<T: Ord>(mut found: BTreeSet<T>) -> Result<T, FetchError> {
    match (found.pop_first(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(CaseFault::SeveralInstances.into()),
        (None, _) => Err(CaseFault::NoInstance.into()),
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
