//! Whether this machine preprocesses as the protocol says: shown on synthetic images before a patient's is opened.

use fedval_disclosure::SiteLocal;
use fedval_inference::BoxProgram;
use fedval_ingest::{
    DECODE_ROLE, DecodeFailure, DecodeLimits, DecodeRequest, Decoder, ReceivedImage, probe_files,
};
use fedval_preprocess::probe::{Content, Drift, Probe, Probes, compare, digest};
use fedval_study::protocol::ModelInput;
use fedval_study::summary::FailureReason;
use fedval_study::{ProbeDigests, ProbeName};

use crate::error::EvaluateError;
use crate::run::aside;

/// No probe is a larger file; a site may have set a lower limit for its images.
const LARGEST_PROBE: u64 = 16 << 20;

/// Sends the probes of a protocol's input through the very decoder that reads images, in its box, and holds what
/// comes out against what must. What is returned agrees: it says nothing about this site but that.
///
/// # Errors
///
/// [`EvaluateError::PreprocessingDiffers`] with the first probe that differs, [`EvaluateError::ProbeNotDecoded`] for
/// one that does not come out at all, or what stands in the way of a box on this machine.
pub async fn check_preprocessing(
    input: &ModelInput,
    limits: DecodeLimits,
) -> Result<ProbeDigests, EvaluateError> {
    let program = BoxProgram::current(DECODE_ROLE).map_err(EvaluateError::NoBox)?;
    let max_file_bytes = limits.max_file_bytes.max(LARGEST_PROBE);
    let mut decoder = Decoder::new(program, DecodeLimits { max_file_bytes, ..limits });
    let input = input.clone();
    let (probes, expected) = aside(move || {
        let probes = Probes::of(&input);
        let expected = probes.expected();
        (probes, expected)
    })
    .await;
    let mut found = Vec::with_capacity(probes.images.len());
    for probe in &probes.images {
        let of =
            |outcome: Result<&[f32], FailureReason>| digest(probe.name, &probes.input, outcome);
        let digest = match decoded(&mut decoder, probe, &probes.input).await {
            Ok(image) => of(Ok(&*image.open_on_site().tensor())),
            // No protocol leads there: the box ended, or its reader is another one.
            Err(DecodeFailure::Case { reason: FailureReason::Undecodable, detail }) => {
                return Err(EvaluateError::ProbeNotDecoded { probe: probe.name, detail });
            }
            Err(DecodeFailure::Case { reason, .. }) => of(Err(reason)),
            Err(error) => return Err(EvaluateError::Machine(error)),
        };
        found.push((probe.name, digest));
    }
    agreeing(&expected, found.into_iter().collect())
}

/// A probe as its files come out.
async fn decoded(
    decoder: &mut Decoder,
    probe: &Probe,
    input: &ModelInput,
) -> Result<SiteLocal<ReceivedImage>, DecodeFailure> {
    let files = probe_files(probe);
    if let Content::Series(_) = probe.content {
        let mut series = decoder.series(input, &[]).await?;
        for file in &files {
            series.look(file).await?;
        }
        for place in series.order().await? {
            series.take(&files[place]).await?;
        }
        return series.finish().await;
    }
    let bytes = files.first().map_or(&[][..], Vec::as_slice);
    decoder.decode(&DecodeRequest { input, dicom_attributes: &[], bytes }).await
}

/// What was found, where it is what must be.
fn agreeing(expected: &ProbeDigests, found: ProbeDigests) -> Result<ProbeDigests, EvaluateError> {
    compare(expected, &found)?;
    Ok(found)
}

impl From<Drift> for EvaluateError {
    fn from(drift: Drift) -> Self {
        Self::PreprocessingDiffers(drift)
    }
}

/// How many probes an input has.
#[must_use]
pub const fn probe_count(input: &ModelInput) -> usize {
    ProbeName::of(input).len()
}

#[cfg(test)]
mod tests {
    use fedval_ambient::{Exit, Problem as _};
    use fedval_study::Sha256Digest;

    use super::*;

    #[test]
    fn a_difference_keeps_the_job_here_and_says_what_is_wrong() {
        let digest = |text: &str| Sha256Digest::of(text.as_bytes());
        let all = |of: &dyn Fn(ProbeName) -> Sha256Digest| -> ProbeDigests {
            ProbeName::PICTURES.into_iter().map(|probe| (probe, of(probe))).collect()
        };
        let truth = all(&|probe| digest(probe.as_str()));
        assert!(agreeing(&truth, truth.clone()).is_ok_and(|found| found == truth));
        let turned = all(&|probe| match probe {
            ProbeName::Orientation | ProbeName::Resize => digest("turned"),
            probe => digest(probe.as_str()),
        });
        let error = agreeing(&truth, turned).unwrap_err();
        assert_eq!((error.code(), error.stage()), ("PREPROCESSING_DIFFERS", None));
        assert_eq!(error.exit(), Exit::Machine);
        let told = error.to_string();
        assert!(told.contains("`orientation`") && told.contains("mirrored"), "{told}");
        assert!(error.remedy().is_some_and(|remedy| remedy.contains("fedval-agent check --study")));
    }
}
