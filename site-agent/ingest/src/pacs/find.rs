//! QIDO-RS: from what the manifest says to the one instance that it means.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::request::{JSON, Trouble};
use super::results::{self, Found, MOST_JSON_BYTES, MOST_RESULTS};
use super::{CaseFault, InstanceKey, InstanceName, Pacs};

/// Results that are asked for at once.
const PAGE: usize = 100;
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

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }
}

impl Pacs {
    /// The one instance that `name` names.
    pub(super) async fn find(&self, name: &InstanceName) -> Result<Place, Trouble> {
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

    async fn named(&self, wanted: &str) -> Result<Place, Trouble> {
        let query = format!(
            "/instances?SOPInstanceUID={wanted}&includefield=0020000D&includefield=0020000E"
        );
        let found = self.list(&query, SEVERAL).await?;
        let places = found.iter().filter_map(|found| {
            // A PACS that does not know the key answers with whatever it has.
            let instance = found.instance().filter(|uid| *uid == wanted)?;
            Some(place(found.study()?, found.series()?, instance))
        });
        only(places.collect())
    }

    async fn study_of(&self, accession_number: &str) -> Result<String, Trouble> {
        let query = format!("/studies?AccessionNumber={}", escaped(accession_number));
        let found = self.list(&query, SEVERAL).await?;
        let studies = found.iter().filter_map(|found| {
            found.accession_number().filter(|number| *number == accession_number)?;
            found.study().map(str::to_owned)
        });
        only(studies.collect())
    }

    /// The only instance with an image, over all series of the modality.
    async fn only_image(&self, study: &str) -> Result<Place, Trouble> {
        let series = self.list(&format!("/studies/{study}/series"), MOST_RESULTS).await?;
        let of_modality = |found: &&Found| self.has_images(found.modality());
        let series: BTreeSet<&str> =
            series.iter().filter(of_modality).filter_map(Found::series).collect();
        if series.len() > MOST_SERIES {
            return Err(CaseFault::SeveralInstances.into());
        }
        let mut places = BTreeSet::new();
        for series in series {
            let query = format!("/studies/{study}/series/{series}/instances");
            let found = self.list(&query, SEVERAL).await?;
            let instances = found.iter().filter_map(Found::instance);
            places.extend(instances.map(|instance| place(study, series, instance)));
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
    async fn list(&self, query: &str, most: usize) -> Result<Vec<Found>, Trouble> {
        let (page, joint) = (most.min(PAGE), if query.contains('?') { '&' } else { '?' });
        let mut found = Vec::new();
        loop {
            let offset = found.len();
            let target = format!("{query}{joint}limit={page}&offset={offset}");
            let answer = match self.get(&target, JSON, MOST_JSON_BYTES).await {
                // What is not there has no series and no instances. A proxy whose PACS starts says
                // the same, to whatever it is asked.
                Err(Trouble::Doubtful(CaseFault::NoInstance, _)) => {
                    self.probe_again().await?;
                    return Ok(found);
                }
                answer => answer?,
            };
            let more = match results::read(&answer) {
                Err(CaseFault::TooLarge) if most > SEVERAL => {
                    return Err(CaseFault::SeveralInstances.into());
                }
                more => more?,
            };
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

fn place(study: &str, series: &str, instance: &str) -> Place {
    let [study, series, instance] = [study, series, instance].map(str::to_owned);
    Place { study, series, instance }
}

/// The only one of what was found.
fn only<T: Ord>(mut found: BTreeSet<T>) -> Result<T, Trouble> {
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
