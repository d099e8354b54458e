//! From what the manifest says to the one instance or the one series that it means, by whichever way the
//! PACS is asked.

use std::collections::BTreeSet;

use fedval_preprocess::volume::MOST_SLICES;

use super::attempt::Trouble;
use super::question::Question;
use super::results::{Found, MOST_RESULTS};
use super::{CaseFault, InstanceKey, InstanceName, Pacs, PacsError, Way};

/// Two are enough to know that there are several.
pub(super) const SEVERAL: usize = 2;
/// Series of the right modality that are looked into.
const MOST_SERIES: usize = 20;
/// Modalities (PS3.3, C.7.3.1.1.1) whose instances show no image of a patient.
const WITHOUT_IMAGES: [&str; 14] = [
    "AU", "DOC", "FID", "HC", "KO", "M3D", "PLAN", "PR", "REG", "RTPLAN", "RTSTRUCT", "SEG", "SMR",
    "SR",
];

/// Where an instance lies, and of which class it is, if the PACS says so. All are UIDs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    study: String,
    series: String,
    instance: String,
    class: Option<String>,
}

impl Place {
    /// Of an instance whose class is not known.
    pub(super) fn of(study: &str, series: &str, instance: &str) -> Self {
        let [study, series, instance] = [study, series, instance].map(str::to_owned);
        Self { study, series, instance, class: None }
    }

    /// Its path below the root.
    pub(super) fn target(&self) -> String {
        let Self { study, series, instance, .. } = self;
        format!("/studies/{study}/series/{series}/instances/{instance}")
    }

    pub(super) fn study(&self) -> &str {
        &self.study
    }

    pub(super) fn series(&self) -> &str {
        &self.series
    }

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    pub(super) fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }
}

/// Where a series lies, and how many instances it has, if the PACS says so.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SeriesPlace {
    study: String,
    series: String,
    told: Option<u64>,
}

impl SeriesPlace {
    fn of(study: &str, series: &str, found: &Found) -> Self {
        Self { study: study.to_owned(), series: series.to_owned(), told: found.instances() }
    }
}

impl Pacs {
    /// The one instance that `name` names.
    pub(super) async fn find(&self, name: &InstanceName) -> Result<Place, Trouble> {
        let value = name.value();
        match name.key() {
            InstanceKey::SopInstanceUid => self.named(value).await,
            InstanceKey::SeriesInstanceUid => {
                let SeriesPlace { study, series, .. } = self.series_named(value).await?;
                let found = self.list(Question::Instances(&study, &series), SEVERAL).await?;
                only(found.iter().filter_map(|found| place(&study, &series, found)).collect())
            }
            InstanceKey::StudyInstanceUid => self.only_image(value).await,
            InstanceKey::AccessionNumber => {
                let study = self.study_of(value).await?;
                self.only_image(&study).await
            }
        }
    }

    /// All instances of the one series that `name` names, in the order of their UIDs; of an instance's own
    /// name that instance alone.
    pub(super) async fn find_all(&self, name: &InstanceName) -> Result<Vec<Place>, Trouble> {
        let value = name.value();
        let series = match name.key() {
            InstanceKey::SopInstanceUid => return Ok(vec![self.named(value).await?]),
            InstanceKey::SeriesInstanceUid => self.series_named(value).await?,
            InstanceKey::StudyInstanceUid => self.only_series(value).await?,
            InstanceKey::AccessionNumber => {
                let study = self.study_of(value).await?;
                self.only_series(&study).await?
            }
        };
        self.all_of(&series).await
    }

    async fn series_named(&self, wanted: &str) -> Result<SeriesPlace, Trouble> {
        let found = self.list(Question::Place(wanted), SEVERAL).await?;
        let places = found.iter().filter_map(|found| {
            found.series().filter(|uid| *uid == wanted)?;
            Some(SeriesPlace::of(found.study()?, wanted, found))
        });
        only(places.collect())
    }

    /// The only series with images of the modality.
    async fn only_series(&self, study: &str) -> Result<SeriesPlace, Trouble> {
        let found = self.list(Question::Series(study), MOST_RESULTS).await?;
        let of_modality = found.iter().filter(|found| self.has_images(found.modality()));
        let places =
            of_modality.filter_map(|found| Some(SeriesPlace::of(study, found.series()?, found)));
        let places: BTreeSet<SeriesPlace> = places.collect();
        if places.len() > 1 {
            return Err(CaseFault::SeveralSeries.into());
        }
        only(places)
    }

    /// Every instance of a series. One that is left out may be the last slice, which nobody would miss:
    /// so the list is held against the number that the PACS gives, where it gives one.
    async fn all_of(&self, place_of: &SeriesPlace) -> Result<Vec<Place>, Trouble> {
        let SeriesPlace { study, series, told } = place_of;
        let found = self.list(Question::Instances(study, series), MOST_SLICES + 1).await?;
        if found.is_empty() && told.unwrap_or_default() == 0 {
            return Err(CaseFault::NoInstance.into());
        }
        let places = found.iter().filter_map(|found| place(study, series, found));
        let places: BTreeSet<Place> = places.collect();
        // One without a UID, or one that is listed twice, perhaps of another class: then another is not listed
        // at all.
        let uids: BTreeSet<&str> = places.iter().map(Place::instance).collect();
        if uids.len() < found.len() {
            return Err(CaseFault::AnswerInvalid.into());
        }
        if told.is_some_and(|told| (places.len() as u64) < told) {
            // So does a PACS whose index is being built, of every series.
            return Err(Trouble::Doubtful(CaseFault::SeriesIncomplete, PacsError::Failed));
        }
        Ok(places.into_iter().collect())
    }

    async fn named(&self, wanted: &str) -> Result<Place, Trouble> {
        let found = self.list(Question::Instance(wanted), SEVERAL).await?;
        let places = found.iter().filter_map(|found| {
            // A PACS that does not know the key answers with whatever it has.
            found.instance().filter(|uid| *uid == wanted)?;
            place(found.study()?, found.series()?, found)
        });
        only(places.collect())
    }

    async fn study_of(&self, accession_number: &str) -> Result<String, Trouble> {
        let found = self.list(Question::Studies(accession_number), SEVERAL).await?;
        let studies = found.iter().filter_map(|found| {
            found.accession_number().filter(|number| *number == accession_number)?;
            found.study().map(str::to_owned)
        });
        only(studies.collect())
    }

    /// The only instance with an image, over all series of the modality.
    async fn only_image(&self, study: &str) -> Result<Place, Trouble> {
        let series = self.list(Question::Series(study), MOST_RESULTS).await?;
        let of_modality = |found: &&Found| self.has_images(found.modality());
        let series: BTreeSet<&str> =
            series.iter().filter(of_modality).filter_map(Found::series).collect();
        if series.len() > MOST_SERIES {
            return Err(CaseFault::SeveralInstances.into());
        }
        let mut places = BTreeSet::new();
        for series in series {
            let found = self.list(Question::Instances(study, series), SEVERAL).await?;
            places.extend(found.iter().filter_map(|found| place(study, series, found)));
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

    /// Results, until there are no more or `most` are there.
    async fn list(&self, question: Question<'_>, most: usize) -> Result<Vec<Found>, Trouble> {
        let found = match &self.way {
            Way::Web(web) => self.pages(web, question, most).await?,
            Way::Dimse(dimse) => self.again(move || self.query(dimse, question, most)).await?,
        };
        if found.len() >= most && most > SEVERAL {
            return Err(question.has_too_many().into());
        }
        Ok(found)
    }
}

fn place(study: &str, series: &str, found: &Found) -> Option<Place> {
    let class = found.class().map(str::to_owned);
    Some(Place { class, ..Place::of(study, series, found.instance()?) })
}

/// The only one of what was found.
fn only<T: Ord>(mut found: BTreeSet<T>) -> Result<T, Trouble> {
    match (found.pop_first(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(CaseFault::SeveralInstances.into()),
        (None, _) => Err(CaseFault::NoInstance.into()),
    }
}
