//! A few cases as the model would see them: no model is asked, nothing is recorded.

use fedval_disclosure::SiteLocal;
use fedval_inference::BoxProgram;
use fedval_ingest::{
    Cohort, DECODE_ROLE, DecodeLimits, Decoder, ManifestSource, Pacs, ReceivedImage, read_manifest,
};
use fedval_study::protocol::StudyProtocol;

use crate::attributes::attribute_columns;
use crate::reader::{NoImage, Reader};
use crate::run::EvaluateError;

/// A case that was looked at.
#[derive(Debug)]
pub struct Looked {
    /// Its place in the manifest, from 0.
    pub place: usize,
    /// Its image as the model would see it, or why there is none.
    pub image: Result<SiteLocal<ReceivedImage>, NoImage>,
}

/// What a dry run needs.
#[derive(Debug, Clone, Copy)]
pub struct DryRun<'e> {
    /// The protocol.
    pub protocol: &'e StudyProtocol,
    /// Where the cohort lies.
    pub source: &'e ManifestSource,
    /// Where the images of a cohort lie whose manifest names instances.
    pub pacs: Option<&'e Pacs>,
    /// Limits of decoding.
    pub decode_limits: DecodeLimits,
}

impl DryRun<'_> {
    /// Looks at `most` cases at even distances, the first among them; at fewer where there are fewer with an image
    /// and a reference standard.
    ///
    /// # Errors
    ///
    /// [`EvaluateError`] if the manifest is refused, the PACS cannot be asked, or nothing can be decoded on this
    /// machine.
    pub async fn run(&self, most: usize) -> Result<Vec<Looked>, EvaluateError> {
        let columns = attribute_columns(self.protocol, &self.source.columns);
        let cohort = read_manifest(self.source, self.protocol.labels(), &columns)?;
        let program = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
        let mut reader = Reader {
            input: &self.protocol.model.input,
            keywords: &[],
            decoder: Decoder::new(program, self.decode_limits),
            max_file_bytes: self.decode_limits.max_file_bytes,
            pacs: self.pacs,
        };
        let cohort = cohort.open_on_site();
        let mut looked = Vec::with_capacity(most);
        let looked_at = if self.source.columns.index_test.is_table() {
            Vec::new()
        } else {
            spread(&with_reference(cohort), most)
        };
        for place in looked_at {
            let (_, image) = reader.look(&cohort.cases[place]).await?;
            looked.push(Looked { place, image });
        }
        Ok(looked)
    }
}

/// Places of the cases whose image the study would look at.
fn with_reference(cohort: &Cohort) -> Vec<usize> {
    let cases = cohort.cases.iter().enumerate();
    cases.filter(|(_, case)| case.reference.is_some()).map(|(place, _)| place).collect()
}

/// At most so many of these, at even distances.
fn spread(places: &[usize], most: usize) -> Vec<usize> {
    let count = places.len().min(most);
    (0..count).map(|number| places[number * places.len() / count]).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn the_cases_are_spread_over_the_cohort() {
        let places: Vec<usize> = (100..200).collect();
        assert_eq!(spread(&places, 4), [100, 125, 150, 175]);
        assert_eq!(spread(&places[..3], 10), [100, 101, 102]);
        assert!(spread(&[], 10).is_empty() && spread(&places, 0).is_empty());
    }
}
