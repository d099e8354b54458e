//! What a PACS is asked, by whichever way.

use super::CaseFault;

/// A Study Instance UID that no imaging study has: no generator makes it.
pub(super) const NO_STUDY: &str = "2.25.0";

/// One question.
#[derive(Clone, Copy)]
pub(super) enum Question<'q> {
    /// The smallest there is: for an imaging study that cannot exist.
    Nobody,
    /// Where the instance with this UID lies.
    Instance(&'q str),
    /// Where the series with this UID lies.
    Place(&'q str),
    /// The imaging studies of an accession number.
    Studies(&'q str),
    /// The series of an imaging study.
    Series(&'q str),
    /// The instances of a series, which is named behind its imaging study.
    Instances(&'q str, &'q str),
}

impl Question<'_> {
    /// What is told of a case where there are more answers than are read.
    pub(super) const fn has_too_many(self) -> CaseFault {
        match self {
            Self::Instances(..) => CaseFault::SeriesTooLarge,
            _ => CaseFault::SeveralInstances,
        }
    }
}
