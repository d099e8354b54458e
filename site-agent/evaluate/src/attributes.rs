//! Which category of a dimension a case belongs to.

use std::collections::BTreeMap;

use fedval_ingest::Case;
use fedval_study::Name;
use fedval_study::protocol::{AttributeSource, Dimension, StudyProtocol};

/// Manifest columns that the protocol's dictionary names.
pub(crate) fn columns(protocol: &StudyProtocol) -> Vec<String> {
    let column = |dimension: &Dimension| match &dimension.source {
        AttributeSource::Column(column) => Some(column.clone()),
        AttributeSource::Dicom(_) => None,
    };
    protocol.subgroups.iter().filter_map(column).collect()
}

/// DICOM keywords that the protocol's dictionary names.
pub(crate) fn keywords(protocol: &StudyProtocol) -> Vec<String> {
    let keyword = |dimension: &Dimension| match &dimension.source {
        AttributeSource::Dicom(keyword) => Some(keyword.clone()),
        AttributeSource::Column(_) => None,
    };
    protocol.subgroups.iter().filter_map(keyword).collect()
}

/// The case's category in each dimension; `None` where the value is missing or unlisted.
pub(crate) fn categories(
    protocol: &StudyProtocol,
    case: &Case,
    header: &BTreeMap<String, String>,
) -> Vec<Option<Name>> {
    protocol
        .subgroups
        .iter()
        .map(|dimension| {
            let value = match &dimension.source {
                AttributeSource::Column(column) => case.attributes.get(column),
                AttributeSource::Dicom(keyword) => header.get(keyword),
            };
            value.and_then(|value| dimension.classify(value)).cloned()
        })
        .collect()
}
