//! DC-16: patients are grouped only by what the site's own dictionary names.
//!
//! The protocol language holds the rest, at locking and again at every site: at most four dimensions,
//! listed crossings of two that close no circle, values that are listed and never negated, no dates.
//!
//! Source: Diffix and ABS TableBuilder attacks by crafted predicates (PETS 2018–2020).

use fedval_study::protocol::{AttributeSource, StudyProtocol};

/// The first attribute that the protocol groups by and the site's policy does not list.
#[must_use]
pub fn unlisted<'p>(protocol: &'p StudyProtocol, listed: Option<&[String]>) -> Option<&'p str> {
    let listed = listed?;
    let attribute = |source: &'p AttributeSource| match source {
        AttributeSource::Column(name) | AttributeSource::Dicom(name) => name.as_str(),
    };
    protocol
        .subgroups
        .iter()
        .map(|dimension| attribute(&dimension.source))
        .find(|name| !listed.iter().any(|listed| listed == name))
}
