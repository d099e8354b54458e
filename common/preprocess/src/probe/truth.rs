//! What a probe must come out as.

use std::sync::OnceLock;

use fedval_study::protocol::{ModelInput, ProbeRule, StudyProtocol};
use fedval_study::{ProbeDigests, ProbeName, ResultHeader, ScoreSource};

use super::file::{Content, GreyFile, Probe, STORED_BITS};
use super::{Drift, Probes, ProbesRefused, compare};
use crate::{
    GreyMapping, Modality, Raster, Size, StoredValues, Unfit, Voi, accept, chosen_frame,
    coloured_planes, from_raster, scale, standardised,
};

impl Probe {
    /// The tensor by the protocol, or why the protocol refuses the image.
    ///
    /// # Errors
    ///
    /// [`Unfit`] where it does.
    pub fn truth(&self, input: &ModelInput) -> Result<Vec<f32>, Unfit> {
        match &self.content {
            Content::Grey(file) => self.picture(input, || Ok(vec![file.plane(input)?])),
            Content::Picture(values) => self.picture(input, || Ok(vec![plane(values, input)])),
            Content::Colour(pixels) => self.picture(input, || coloured(pixels, input)),
            Content::Volume(file) => file.truth(input),
            Content::Series(file) => file.truth(input),
        }
    }

    /// A size that the protocol refuses is refused before the pixels are looked at.
    fn picture(
        &self,
        input: &ModelInput,
        planes: impl FnOnce() -> Result<Vec<Vec<f32>>, Unfit>,
    ) -> Result<Vec<f32>, Unfit> {
        let size = Size::new(self.height as usize, self.width as usize)?;
        accept(size, input)?;
        from_raster(Raster::new(size, planes()?)?, input)
    }
}

fn coloured(pixels: &[[u8; 3]], input: &ModelInput) -> Result<Vec<Vec<f32>>, Unfit> {
    let of = |colour: usize| -> Vec<u8> { pixels.iter().map(|pixel| pixel[colour]).collect() };
    let planes = coloured_planes([of(0), of(1), of(2)], input.channels)?;
    Ok(planes.iter().map(|values| plane(values, input)).collect())
}

impl GreyFile {
    fn plane(&self, input: &ModelInput) -> Result<Vec<f32>, Unfit> {
        let frames = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        let index = chosen_frame(frames, input.frame)?;
        let (least, greatest) = self.range();
        let stored = StoredValues { least, greatest, is_white_low: self.is_white_low };
        let [slope, intercept] = self.rescale.map(super::Decimal::value);
        let [centre, width] = self.window.map(super::Decimal::value);
        let mapping = GreyMapping::new(
            stored,
            input,
            || Ok(Modality::Linear { slope, intercept }),
            |_| Voi::window(centre, width, "LINEAR").ok_or(Unfit::ValueMapping),
        )?;
        let frame = self.frames.get(index as usize).ok_or(Unfit::FrameAbsent)?;
        Ok(frame.iter().map(|value| standardised(mapping.apply((*value).into()), input)).collect())
    }

    /// Smallest and largest storable value.
    const fn range(&self) -> (i64, i64) {
        let values = 1 << STORED_BITS;
        if self.is_signed { (-values / 2, values / 2 - 1) } else { (0, values - 1) }
    }
}

/// A plane of a picture of 8 bits.
fn plane(values: &[u8], input: &ModelInput) -> Vec<f32> {
    let number = scale(u8::MAX.into(), input.scaling);
    values.iter().map(|value| standardised(number((*value).into()), input)).collect()
}

/// What the probes of one protocol must come out as, worked out when it is first asked for: results of
/// prediction tables, and of agents that knew no probes, never ask.
#[derive(Debug, Default)]
pub struct Expected(OnceLock<ProbeDigests>);

impl Expected {
    /// Holds what probes came out as at a site against the truth; `input` is the protocol's, the same every time.
    ///
    /// # Errors
    ///
    /// [`Drift`] with the first probe that differs. Without any there is nothing that could.
    pub fn check(&self, input: &ModelInput, found: &ProbeDigests) -> Result<(), Drift> {
        if found.is_empty() {
            return Ok(());
        }
        // Whoever sends one of them sends all: the one that is left out could be the one that differs.
        let missing = ProbeName::of(input).iter().find(|probe| found.get(**probe).is_none());
        if let Some(probe) = missing.copied() {
            return Err(Drift { probe });
        }
        compare(self.0.get_or_init(|| Probes::of(input).expected()), found)
    }

    /// Whether a result may stand with the probes that it carries; `is_release` says whether aggregates do.
    ///
    /// # Errors
    ///
    /// [`ProbesRefused`] where they are not what the protocol leads to, or missing where it requires them.
    pub fn judge(
        &self,
        protocol: &StudyProtocol,
        header: &ResultHeader,
        is_release: bool,
    ) -> Result<(), ProbesRefused> {
        let found = &header.preprocessing;
        match header.scores {
            ScoreSource::PredictionTable if found.is_empty() => Ok(()),
            ScoreSource::PredictionTable => Err(ProbesRefused::NoImages),
            ScoreSource::Model if found.is_empty() => {
                let is_required = protocol.preprocessing_probes == ProbeRule::Require;
                if is_required && is_release { Err(ProbesRefused::Absent) } else { Ok(()) }
            }
            ScoreSource::Model => Ok(self.check(&protocol.model.input, found)?),
        }
    }
}
