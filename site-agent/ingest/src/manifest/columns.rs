//! Where the columns stand.

use std::sync::Arc;

use fedval_study::protocol::Task;

use super::error::ManifestProblem;
use super::{ColumnMapping, IndexTestColumn};
use crate::pacs::InstanceKey;
use crate::problem_list::ProblemList;

/// Where the index test stands.
#[derive(Clone)]
pub(super) enum IndexTestPlace {
    Image(usize),
    Score(usize),
    Instance(InstanceKey, usize),
    /// One column for each class or condition.
    Scores(Vec<usize>),
    Called(usize),
    /// Whether the scan was read, where the site says so.
    Status(Option<usize>),
    Masks {
        reference: usize,
        predicted: usize,
    },
    Outlined {
        image: Box<IndexTestPlace>,
        reference: usize,
    },
    Searched {
        image: Box<IndexTestPlace>,
        status: Option<usize>,
    },
}

impl IndexTestPlace {
    /// Places of its columns.
    fn places(&self) -> Vec<usize> {
        match self {
            Self::Image(place)
            | Self::Score(place)
            | Self::Instance(_, place)
            | Self::Called(place) => vec![*place],
            Self::Scores(places) => places.clone(),
            Self::Status(place) => place.iter().copied().collect(),
            Self::Masks { reference, predicted } => vec![*reference, *predicted],
            Self::Outlined { image, reference } => [image.places(), vec![*reference]].concat(),
            Self::Searched { image, status } => image.places().into_iter().chain(*status).collect(),
        }
    }
}

/// Places of the columns in the header.
pub(super) struct Columns {
    pub(super) case_id: usize,
    pub(super) patient_id: usize,
    pub(super) index_test: IndexTestPlace,
    /// `None` where findings stand in files of their own, masks are the reference standard, or each condition has a
    /// column.
    pub(super) label: Option<usize>,
    /// The reference standard of each condition, where there are several.
    pub(super) conditions: Vec<usize>,
    /// The protocol's name of each attribute, with its place.
    pub(super) attributes: Vec<(Arc<str>, usize)>,
    /// The protocol's name of each attribute that this site does not record.
    pub(super) unrecorded: Vec<String>,
    /// Fields in the header.
    pub(super) count: usize,
}

impl Columns {
    /// Places of all columns that are read; one may be there more than once.
    pub(super) fn places(&self) -> Vec<usize> {
        let index_test = self.index_test.places();
        let attributes = self.attributes.iter().map(|(_, place)| *place);
        let named = [self.case_id, self.patient_id].into_iter().chain(self.label);
        let conditions = self.conditions.iter().copied();
        named.chain(conditions).chain(index_test).chain(attributes).collect()
    }

    /// Finds every column; the missing and the ambiguous ones are `wrong`.
    pub(super) fn find(
        header: &[String],
        mapping: &ColumnMapping,
        attributes: &[String],
        task: &Task,
        wrong: &mut ProblemList<ManifestProblem>,
    ) -> Option<Self> {
        let mut place = |column: &str| {
            let mut places = header.iter().enumerate().filter(|(_, name)| *name == column);
            let first = places.next().map(|(place, _)| place);
            let column = column.to_owned();
            match (first, places.next()) {
                (Some(place), None) => return Some(place),
                (None, _) => wrong.add(ManifestProblem::ColumnMissing { column }),
                (Some(_), Some(_)) => wrong.add(ManifestProblem::ColumnRepeated { column }),
            }
            None
        };
        let case_id = place(&mapping.case_id);
        let patient_id = place(&mapping.patient_id);
        let index_test = index_test(&mapping.index_test, task.scores(), &mut place);
        let has_label = task.conditions().is_empty()
            && !matches!(
                mapping.index_test,
                IndexTestColumn::Findings(_)
                    | IndexTestColumn::Masks { .. }
                    | IndexTestColumn::Outlined { .. }
                    | IndexTestColumn::Searched { .. }
            );
        let label = has_label.then(|| place(&mapping.label));
        // Called as the protocol calls it, or as the site says.
        let conditions = task.conditions().iter();
        let conditions: Vec<_> = conditions
            .map(|of| place(mapping.attributes.get(&of.column).unwrap_or(&of.column)))
            .collect();
        // A site that does not record an attribute still takes part; one that says where it records
        // it is held to its word.
        let is_expected =
            |name: &&String| mapping.attributes.contains_key(*name) || header.contains(name);
        let (recorded, unrecorded): (Vec<_>, Vec<_>) = attributes.iter().partition(is_expected);
        let attributes: Vec<_> = recorded
            .into_iter()
            .map(|name| (name, place(mapping.attributes.get(name).unwrap_or(name))))
            .collect();
        Some(Self {
            case_id: case_id?,
            patient_id: patient_id?,
            index_test: index_test?,
            label: match label {
                Some(place) => Some(place?),
                None => None,
            },
            conditions: conditions.into_iter().collect::<Option<_>>()?,
            attributes: attributes
                .into_iter()
                .map(|(name, place)| Some((name.as_str().into(), place?)))
                .collect::<Option<_>>()?,
            unrecorded: unrecorded.into_iter().cloned().collect(),
            count: header.len(),
        })
    }
}

/// Where the index test stands.
fn index_test(
    column: &IndexTestColumn,
    scores: usize,
    place: &mut dyn FnMut(&str) -> Option<usize>,
) -> Option<IndexTestPlace> {
    match column {
        IndexTestColumn::Image(column) => place(column).map(IndexTestPlace::Image),
        IndexTestColumn::Instance(key, column) => {
            place(column).map(|place| IndexTestPlace::Instance(*key, place))
        }
        IndexTestColumn::Score(column) if scores == 1 => place(column).map(IndexTestPlace::Score),
        IndexTestColumn::Score(column) => {
            let places: Vec<_> =
                (0..scores).map(|score| place(&format!("{column}_{score}"))).collect();
            places.into_iter().collect::<Option<_>>().map(IndexTestPlace::Scores)
        }
        IndexTestColumn::Called(column) => place(column).map(IndexTestPlace::Called),
        IndexTestColumn::Findings(source) => match &source.status {
            Some(column) => place(column).map(|place| IndexTestPlace::Status(Some(place))),
            None => Some(IndexTestPlace::Status(None)),
        },
        IndexTestColumn::Masks { reference, predicted } => {
            let (reference, predicted) = (place(reference), place(predicted));
            let places = reference.zip(predicted);
            places.map(|(reference, predicted)| IndexTestPlace::Masks { reference, predicted })
        }
        IndexTestColumn::Outlined { image, reference } => {
            let (image, reference) = (index_test(image, scores, place), place(reference));
            let (image, reference) = image.map(Box::new).zip(reference)?;
            Some(IndexTestPlace::Outlined { image, reference })
        }
        IndexTestColumn::Searched { image, findings } => {
            let image = index_test(image, scores, place).map(Box::new);
            let status = match &findings.status {
                Some(column) => Some(place(column)?),
                None => None,
            };
            Some(IndexTestPlace::Searched { image: image?, status })
        }
    }
}
