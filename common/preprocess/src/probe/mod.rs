//! Synthetic images whose way through preprocessing is known to everybody who has the protocol.
//!
//! Each is made by integer arithmetic and built to show one fault and none that a probe before it shows (see
//! [`ProbeName`] for their order), so that the first one that comes out differently names what is wrong:
//!
//! * two of one value each, at the ends of the scale, where no window, size or turn matters: scaling;
//! * one of several frames of one value each: the frame that is taken;
//! * one whose white is low: polarity;
//! * a corner of white in black, of the input's own size: orientation;
//! * a ramp beyond both ends of the window, of the input's own size: windowing;
//! * stripes of single pixels, of another size: resize;
//! * one colour; and a grey ramp that is no DICOM file.
//!
//! A model of volumes has probes of its own, none of which is a picture: a corner, a ramp and stripes as NIfTI, and a
//! DICOM series whose files are in no order, once whole, once with a slice left out, and where the protocol takes it
//! once as a tilted gantry makes it.
//!
//! A site sends them as files through the very decoder that reads its images. Whoever compares computes what they
//! must come out as, from the protocol alone: a site is held against the truth, not against a majority.

mod digest;
mod file;
mod levels;
mod made;
mod truth;
mod volume;

use fedval_study::protocol::{FrameChoice, ModelInput};
use fedval_study::{ProbeDigests, ProbeName};

pub use digest::digest;
pub use file::{Content, Decimal, GreyFile, Probe};
pub use truth::Expected;
pub use volume::{SeriesFile, VolumeFile};

/// Most pixels of a plane of a probe's input. What stands in the protocol is checked as well on a smaller image, and
/// whoever receives results computes the same for every one of them.
const MOST_PIXELS: u64 = 1 << 18;
/// Latest frame that is asked for: a file with hundreds of them shows no more.
const LAST_FRAME: u32 = 3;

/// The probes of a protocol's input, with the input that they are decoded for.
#[derive(Debug, Clone, PartialEq)]
pub struct Probes {
    /// The protocol's input; sides are halved until they have few pixels, and the number of a late frame is lower.
    pub input: ModelInput,
    /// In the order in which they are compared.
    pub images: Vec<Probe>,
}

impl Probes {
    /// Makes them.
    #[must_use]
    pub fn of(input: &ModelInput) -> Self {
        let mut input = input.clone();
        while pixels(&input) > MOST_PIXELS {
            input.height = (input.height / 2).max(1);
            input.width = (input.width / 2).max(1);
            if let Some(volume) = &mut input.volume {
                volume.depth = (volume.depth / 2).max(1);
            }
        }
        if let FrameChoice::Number(number) = input.frame {
            input.frame = FrameChoice::Number(number.min(LAST_FRAME));
        }
        let names = ProbeName::of(&input).iter();
        let images = names.map(|name| made::probe(*name, &input)).collect();
        Self { input, images }
    }

    /// What they come out as by the protocol.
    #[must_use]
    pub fn expected(&self) -> ProbeDigests {
        let digest_of = |probe: &Probe| {
            let outcome = probe.truth(&self.input);
            let outcome = outcome.as_deref().map_err(|unfit| unfit.reason());
            (probe.name, digest(probe.name, &self.input, outcome))
        };
        self.images.iter().map(digest_of).collect()
    }
}

/// Of a plane; of a volume, of all its slices.
fn pixels(input: &ModelInput) -> u64 {
    let depth = input.volume.map_or(1, |volume| volume.depth);
    [input.height, input.width, depth].map(u64::from).into_iter().fold(1, u64::saturating_mul)
}

/// Preprocessing is not the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the probe image `{probe}` comes out differently than the protocol says ({})", .probe.fault())]
pub struct Drift {
    /// The first probe that differs.
    pub probe: ProbeName,
}

/// A result cannot stand with the probes that it carries, or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProbesRefused {
    /// There are none, and the protocol requires them.
    #[error("the result says nothing of probe images, which the protocol requires")]
    Absent,
    /// They stand beside scores of a table, for which no image was read.
    #[error("the result rests on a table of scores and speaks of probe images")]
    NoImages,
    /// Preprocessing is not the protocol's.
    #[error(transparent)]
    Drift(#[from] Drift),
}

/// Holds what probes came out as against what they must.
///
/// # Errors
///
/// [`Drift`] with the first that differs, is missing, or is not expected.
pub fn compare(expected: &ProbeDigests, found: &ProbeDigests) -> Result<(), Drift> {
    let differs = |probe: &ProbeName| expected.get(*probe) != found.get(*probe);
    ProbeName::all().find(differs).map_or(Ok(()), |probe| Err(Drift { probe }))
}
