//! Which category of a dimension a case belongs to.

use std::collections::BTreeMap;

use fedval_ingest::{Case, ColumnMapping};
use fedval_study::protocol::{AttributeSource, Dimension, StudyProtocol};

/// Manifest columns that the protocol's dictionary names. A prediction table has no image whose header
/// could be read: there, columns called like the DICOM keywords stand for it.
#[must_use]
pub fn attribute_columns(protocol: &StudyProtocol, columns: &ColumnMapping) -> Vec<String> {
    let column = |dimension: &Dimension| match &dimension.source {
        AttributeSource::Column(column) => Some(column.clone()),
        AttributeSource::Dicom(keyword) => columns.index_test.is_table().then(|| keyword.clone()),
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

/// What stands in the place of an image's header where none is there: the columns that are called like its keywords.
pub(crate) fn brought(protocol: &StudyProtocol, case: &Case) -> BTreeMap<String, String> {
    let value = |keyword: String| {
        let value = case.attributes.get(&keyword)?.to_owned();
        Some((keyword, value))
    };
    keywords(protocol).into_iter().filter_map(value).collect()
}

/// The case's category in each dimension, by its place among the dimension's; `None` where the value is missing or
/// unlisted.
pub(crate) fn categories(
    protocol: &StudyProtocol,
    case: &Case,
    header: &BTreeMap<String, String>,
) -> Vec<Option<u16>> {
    protocol
        .subgroups
        .iter()
        .map(|dimension| {
            let value = match &dimension.source {
                AttributeSource::Column(column) => case.attributes.get(column),
                AttributeSource::Dicom(keyword) => header.get(keyword).map(String::as_str),
            };
            let own = dimension.classify(value?)?;
            let place = dimension.category_names().into_iter().position(|name| name == own);
            u16::try_from(place?).ok()
        })
        .collect()
}
