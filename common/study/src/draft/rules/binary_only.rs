//! Parts of a protocol that a study of one condition has, and studies of other tasks have only in part.

use super::Breaches;
use crate::protocol::StudyProtocol;

/// Such a part.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// What the label column says of who has the condition, and who has not.
    Labels,
    OperatingPoints,
    Prevalences,
    /// Subgroups, and how they are crossed.
    Subgroups,
    /// Crossings alone: of one dimension there are none.
    Crossings,
}

impl Part {
    pub(super) const ALL: [Self; 4] =
        [Self::Labels, Self::OperatingPoints, Self::Prevalences, Self::Subgroups];

    /// Where it stands, and whether nothing stands there.
    fn places(self, protocol: &StudyProtocol) -> Vec<(&'static str, bool)> {
        let standard = &protocol.reference_standard;
        match self {
            Self::Labels => vec![
                ("reference_standard.positive", standard.positive.is_empty()),
                ("reference_standard.negative", standard.negative.is_empty()),
            ],
            Self::OperatingPoints => {
                vec![("operating_points", protocol.operating_points.is_empty())]
            }
            Self::Prevalences => {
                vec![("analysis.prevalences", protocol.analysis.prevalences.is_empty())]
            }
            Self::Subgroups => vec![
                ("subgroups", protocol.subgroups.is_empty()),
                ("crossings", protocol.crossings.is_empty()),
            ],
            Self::Crossings => vec![("crossings", protocol.crossings.is_empty())],
        }
    }
}

/// Refuses these parts in a study of `what`.
pub(super) fn refuse(
    parts: &[Part],
    protocol: &StudyProtocol,
    what: &str,
    remedy: &str,
    found: &mut Breaches,
) {
    for (path, is_empty) in parts.iter().flat_map(|part| part.places(protocol)) {
        found.unless(is_empty, path, format!("has no place in a study of {what}"), remedy);
    }
}

/// What to do about it where nothing else is asked instead.
pub(super) const LEAVE_OUT: &str =
    "leave it out, or ask about one condition with task = \"binary\"";
