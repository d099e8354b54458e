//! What a site's preprocessing makes of synthetic probe images, as digests.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::protocol::{GantryTilt, ModelInput};

/// A probe image: each shows one fault, and none that a probe before it shows.
///
/// In the order in which they are compared: the first that differs names what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeName {
    /// The lowest value everywhere.
    ScalingBlack,
    /// The highest value everywhere.
    ScalingWhite,
    /// Several frames, each of one value.
    Frame,
    /// White is low.
    Polarity,
    /// A bright corner that no turn and no mirror maps onto itself.
    Orientation,
    /// Every value from below to above what is shown.
    Windowing,
    /// Fine stripes, of another size than the input.
    Resize,
    /// One colour.
    Colour,
    /// A picture that is no DICOM file.
    Picture,
    /// A volume with a bright corner that no turn and no mirror maps onto itself, at the input's size and spacing.
    VolumeOrientation,
    /// A volume of every value from below to above what is shown.
    VolumeWindowing,
    /// A volume of fine stripes, of another size and spacing than the input.
    VolumeSpacing,
    /// A volume as the files of a DICOM series, in no order.
    VolumeSeries,
    /// The same with a slice left out.
    VolumeGap,
    /// The same as a tilted gantry makes it, where the protocol takes such.
    VolumeTilt,
}

impl ProbeName {
    /// Those of a model that sees pictures, in the order in which they are compared.
    pub const PICTURES: [Self; 9] = [
        Self::ScalingBlack,
        Self::ScalingWhite,
        Self::Frame,
        Self::Polarity,
        Self::Orientation,
        Self::Windowing,
        Self::Resize,
        Self::Colour,
        Self::Picture,
    ];
    /// Those of a model that sees volumes, in the order in which they are compared.
    pub const VOLUMES: [Self; 5] = [
        Self::VolumeOrientation,
        Self::VolumeWindowing,
        Self::VolumeSpacing,
        Self::VolumeSeries,
        Self::VolumeGap,
    ];
    /// Those of a model that sees volumes and of a protocol that takes scans with a tilted gantry.
    pub const TILTED_VOLUMES: [Self; 6] = [
        Self::VolumeOrientation,
        Self::VolumeWindowing,
        Self::VolumeSpacing,
        Self::VolumeSeries,
        Self::VolumeGap,
        Self::VolumeTilt,
    ];

    /// Every probe there is.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PICTURES.into_iter().chain(Self::TILTED_VOLUMES)
    }

    /// Those of an input, in the order in which they are compared.
    #[must_use]
    pub const fn of(input: &ModelInput) -> &'static [Self] {
        match input.volume {
            None => &Self::PICTURES,
            Some(volume) => match volume.gantry_tilt {
                GantryTilt::Refuse => &Self::VOLUMES,
                GantryTilt::Resample => &Self::TILTED_VOLUMES,
            },
        }
    }

    /// The name as documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScalingBlack => "scaling_black",
            Self::ScalingWhite => "scaling_white",
            Self::Frame => "frame",
            Self::Polarity => "polarity",
            Self::Orientation => "orientation",
            Self::Windowing => "windowing",
            Self::Resize => "resize",
            Self::Colour => "colour",
            Self::Picture => "picture",
            Self::VolumeOrientation => "volume_orientation",
            Self::VolumeWindowing => "volume_windowing",
            Self::VolumeSpacing => "volume_spacing",
            Self::VolumeSeries => "volume_series",
            Self::VolumeGap => "volume_gap",
            Self::VolumeTilt => "volume_tilt",
        }
    }

    /// What is wrong where this is the first probe that differs, for people.
    #[must_use]
    pub const fn fault(self) -> &'static str {
        match self {
            Self::ScalingBlack | Self::ScalingWhite => {
                "scaling: rescale, division, mean or standard deviation"
            }
            Self::Frame => "frame: another frame of several is taken, or one where none should be",
            Self::Polarity => "polarity: images in which white is low",
            Self::Orientation => "orientation: images come out turned or mirrored",
            Self::Windowing => "windowing: which values are black and white, and what lies between",
            Self::Resize => "resize: another filter or fit, or an image that should be refused",
            Self::Colour => "colour: the order of channels, or colour where none is taken",
            Self::Picture => "pictures: PNG files come out otherwise than DICOM files",
            Self::VolumeOrientation => "orientation: volumes come out turned or mirrored",
            Self::VolumeWindowing => "windowing: which values of a volume are black and white",
            Self::VolumeSpacing => "spacing: another filter, middle, crop or padding of volumes",
            Self::VolumeSeries => {
                "series: slices in another order, or another place in the patient"
            }
            Self::VolumeGap => "gaps: a series with a slice left out is not refused",
            Self::VolumeTilt => "tilt: slices of a tilted gantry are shifted back otherwise",
        }
    }
}

impl fmt::Display for ProbeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The digest of what each probe comes out as; none where no image was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProbeDigests(BTreeMap<ProbeName, Sha256Digest>);

impl ProbeDigests {
    /// Whether there is none: results of prediction tables, and of releases that knew no probes, have no such key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of one probe.
    #[must_use]
    pub fn get(&self, probe: ProbeName) -> Option<Sha256Digest> {
        self.0.get(&probe).copied()
    }

    /// All, in the order in which they are compared.
    pub fn all(&self) -> impl Iterator<Item = (ProbeName, Sha256Digest)> {
        self.0.iter().map(|(probe, digest)| (*probe, *digest))
    }

    /// One digest for all of them, for people to compare sites by; none where there is none.
    #[must_use]
    pub fn summary(&self) -> Option<Sha256Digest> {
        let line = |(probe, digest): (ProbeName, Sha256Digest)| format!("{probe} {digest}\n");
        let lines: Vec<String> = self.all().map(line).collect();
        (!self.is_empty()).then(|| Sha256Digest::of(lines.concat().as_bytes()))
    }
}

impl FromIterator<(ProbeName, Sha256Digest)> for ProbeDigests {
    fn from_iter<I: IntoIterator<Item = (ProbeName, Sha256Digest)>>(digests: I) -> Self {
        Self(digests.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    #[test]
    fn every_name_is_written_as_it_is_shown_and_none_is_forgotten() {
        for (place, probe) in ProbeName::all().enumerate() {
            assert_eq!(serde_json::to_string(&probe).unwrap(), format!("\"{probe}\""));
            assert_eq!(ProbeName::all().filter(|other| *other < probe).count(), place);
        }
    }

    #[test]
    fn digests_survive_their_canonical_form_and_strange_names_are_refused() {
        let digest = |text: &str| Sha256Digest::of(text.as_bytes());
        let all: ProbeDigests =
            ProbeName::all().map(|probe| (probe, digest(probe.as_str()))).collect();
        let canonical = Canonical::new(all.clone()).unwrap();
        let read = Canonical::<ProbeDigests>::parse(canonical.bytes()).unwrap();
        assert_eq!(read.value(), &all);
        let strange = format!("{{\"pixels\":\"{}\"}}", digest("pixels"));
        assert!(Canonical::<ProbeDigests>::parse(strange.as_bytes()).is_err());
        assert_eq!(ProbeDigests::default().summary(), None);
        let one: ProbeDigests = [(ProbeName::Frame, digest("frame"))].into_iter().collect();
        // By hand: the one line "frame DIGEST".
        let line = format!("frame {}\n", digest("frame"));
        assert_eq!(one.summary(), Some(digest(&line)));
    }
}
