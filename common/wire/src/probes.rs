//! What became of the probe images.

use fedval_proto as proto;
use fedval_study::{ProbeDigests, ProbeName};

use crate::WireError;
use crate::primitive::{digest, enumeration};

pub(crate) fn probes_to_wire(digests: &ProbeDigests) -> Vec<proto::ProbeDigest> {
    digests
        .all()
        .map(|(probe, digest)| proto::ProbeDigest {
            probe: name_to_wire(probe).into(),
            digest: digest.as_bytes().to_vec(),
        })
        .collect()
}

pub(crate) fn probes_from_wire(digests: &[proto::ProbeDigest]) -> Result<ProbeDigests, WireError> {
    let read: ProbeDigests = digests
        .iter()
        .map(|entry| {
            let probe = enumeration("header.preprocessing.probe", entry.probe, name_from_wire)?;
            Ok((probe, digest("header.preprocessing.digest", &entry.digest)?))
        })
        .collect::<Result<_, WireError>>()?;
    // Of two digests of one probe, the signed document could hold only one.
    if read.all().count() == digests.len() {
        Ok(read)
    } else {
        Err(WireError::new("header.preprocessing.probe", "must be there once"))
    }
}

const fn name_to_wire(probe: ProbeName) -> proto::ProbeName {
    match probe {
        ProbeName::ScalingBlack => proto::ProbeName::ScalingBlack,
        ProbeName::ScalingWhite => proto::ProbeName::ScalingWhite,
        ProbeName::Frame => proto::ProbeName::Frame,
        ProbeName::Polarity => proto::ProbeName::Polarity,
        ProbeName::Orientation => proto::ProbeName::Orientation,
        ProbeName::Windowing => proto::ProbeName::Windowing,
        ProbeName::Resize => proto::ProbeName::Resize,
        ProbeName::Colour => proto::ProbeName::Colour,
        ProbeName::Picture => proto::ProbeName::Picture,
        ProbeName::VolumeOrientation => proto::ProbeName::VolumeOrientation,
        ProbeName::VolumeWindowing => proto::ProbeName::VolumeWindowing,
        ProbeName::VolumeSpacing => proto::ProbeName::VolumeSpacing,
        ProbeName::VolumeSeries => proto::ProbeName::VolumeSeries,
        ProbeName::VolumeGap => proto::ProbeName::VolumeGap,
        ProbeName::VolumeTilt => proto::ProbeName::VolumeTilt,
    }
}

const fn name_from_wire(probe: proto::ProbeName) -> Option<ProbeName> {
    match probe {
        proto::ProbeName::Unspecified => None,
        proto::ProbeName::ScalingBlack => Some(ProbeName::ScalingBlack),
        proto::ProbeName::ScalingWhite => Some(ProbeName::ScalingWhite),
        proto::ProbeName::Frame => Some(ProbeName::Frame),
        proto::ProbeName::Polarity => Some(ProbeName::Polarity),
        proto::ProbeName::Orientation => Some(ProbeName::Orientation),
        proto::ProbeName::Windowing => Some(ProbeName::Windowing),
        proto::ProbeName::Resize => Some(ProbeName::Resize),
        proto::ProbeName::Colour => Some(ProbeName::Colour),
        proto::ProbeName::Picture => Some(ProbeName::Picture),
        proto::ProbeName::VolumeOrientation => Some(ProbeName::VolumeOrientation),
        proto::ProbeName::VolumeWindowing => Some(ProbeName::VolumeWindowing),
        proto::ProbeName::VolumeSpacing => Some(ProbeName::VolumeSpacing),
        proto::ProbeName::VolumeSeries => Some(ProbeName::VolumeSeries),
        proto::ProbeName::VolumeGap => Some(ProbeName::VolumeGap),
        proto::ProbeName::VolumeTilt => Some(ProbeName::VolumeTilt),
    }
}
