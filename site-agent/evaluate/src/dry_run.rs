//! A few cases as the model would see them: no model is asked, nothing is recorded.

use fedval_disclosure::SiteLocal;
use fedval_inference::BoxProgram;
use fedval_ingest::{
    Case, Cohort, DECODE_ROLE, DecodeLimits, Decoder, IndexTest, Pacs, ReceivedImage,
};
use fedval_study::protocol::StudyProtocol;

use crate::error::EvaluateError;
use crate::progress::Progress;
use crate::reader::{NoImage, Reader};

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
    /// The cohort, as its manifest was read.
    pub cohort: &'e SiteLocal<Cohort>,
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
    /// [`EvaluateError`] if the PACS cannot be asked, or nothing can be decoded on this machine.
    pub async fn run(
        &self,
        most: usize,
        progress: &Progress,
    ) -> Result<Vec<Looked>, EvaluateError> {
        let program = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
        let mut reader = Reader {
            input: &self.protocol.model.input,
            keywords: &[],
            decoder: Decoder::new(program, self.decode_limits),
            max_file_bytes: self.decode_limits.max_file_bytes,
            pacs: self.pacs,
        };
        let cohort = self.cohort.open_on_site();
        let looked_at = spread(&with_image(cohort), most);
        progress.begin(looked_at.len(), 0);
        let mut looked = Vec::with_capacity(looked_at.len());
        for place in looked_at {
            let Some(case) = cohort.case(place) else { continue };
            let (_, image) = reader.look(&case).await?;
            looked.push(Looked { place, image });
            progress.add(1);
        }
        Ok(looked)
    }
}

/// Places of the cases whose image the study would look at: a prediction table has none.
fn with_image(cohort: &Cohort) -> Vec<usize> {
    let is_looked_at = |case: &Case| {
        let image = case.index_test.image();
        let has_image = matches!(image, IndexTest::Image(_) | IndexTest::Instance(_));
        has_image && case.reference.is_some()
    };
    let cases = cohort.cases().enumerate();
    cases.filter(|(_, case)| is_looked_at(case)).map(|(place, _)| place).collect()
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
