//! Reading a manifest into a cohort.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedval_disclosure::SiteLocal;
use fedval_study::protocol::{Assessed, Labels, Reference, Task, UnknownValue};

use super::columns::{Columns, IndexTestPlace};
use super::error::{ManifestError, ManifestProblem};
use super::image_path::{resolve, resolve_volume};
use super::records::{Record, Rows};
use super::repeated::{Ids, Lines};
use super::table_file::with_rows;
use super::{
    Attributes, Case, Cohort, ColumnMapping, IndexTest, IndexTestColumn, MAX_CASES, ManifestSource,
    ScanStatus,
};
use crate::pacs::InstanceName;
use crate::problem_list::ProblemList;

/// Reads the cohort that `source` describes.
///
/// `attribute_columns` are the columns that the protocol's dictionary names. Every problem is
/// found in one pass; a manifest with any is not used. A Parquet file, which is known by its first bytes, is read in a box:
/// see [`table_box_main`](super::table_box_main).
///
/// Blocks for as long as it takes.
///
/// # Errors
///
/// [`ManifestError`], with line numbers and column names but no content.
pub fn read_manifest(
    source: &ManifestSource,
    labels: Labels<'_>,
    attribute_columns: &[String],
) -> Result<SiteLocal<Cohort>, ManifestError> {
    let root = source.root.canonicalize().map_err(|_| ManifestProblem::RootMissing)?;
    let file = File::open(&source.manifest).map_err(|error| match error.kind() {
        ErrorKind::NotFound => ManifestProblem::Missing,
        _ => ManifestProblem::Unreadable,
    })?;
    with_rows(file, |rows| read_rows(rows, &root, source, labels, attribute_columns))?
}

/// Whether the source brings what the task judges: of a study whose model gives masks or boxes, images beside them.
fn check_index_test(
    index_test: &IndexTestColumn,
    labels: Labels<'_>,
) -> Result<(), ManifestProblem> {
    let Labels { task, form, .. } = labels;
    let has_findings = match index_test {
        IndexTestColumn::Findings(_) => true,
        IndexTestColumn::Searched { .. } if form.boxes().is_some() => true,
        IndexTestColumn::Searched { .. } => return Err(ManifestProblem::OtherTask),
        _ => false,
    };
    if has_findings != task.detection().is_some() {
        return Err(ManifestProblem::OtherTask);
    }
    let is_called = matches!(index_test, IndexTestColumn::Called(_));
    let has_masks = match index_test {
        // Without a model that gives one, the index test's mask is missing.
        IndexTestColumn::Outlined { .. } if task.structure().is_some() => form.mask().is_some(),
        IndexTestColumn::Masks { .. } | IndexTestColumn::Outlined { .. } => true,
        _ => false,
    };
    match (task.structure(), has_masks) {
        _ if is_called && !matches!(task, Task::Ordinal(_)) => Err(ManifestProblem::ScoresNeeded),
        (Some(_), false) => Err(ManifestProblem::MasksNeeded),
        (None, true) => Err(ManifestProblem::MasksUnused),
        (Some(_), true) | (None, false) => Ok(()),
    }
}

fn read_rows(
    rows: &mut dyn Rows,
    root: &Path,
    source: &ManifestSource,
    labels: Labels<'_>,
    attribute_columns: &[String],
) -> Result<SiteLocal<Cohort>, ManifestError> {
    let mut wrong = ProblemList::default();
    let names = rows.header()?;
    check_index_test(&source.columns.index_test, labels)?;
    let found = Columns::find(&names, &source.columns, attribute_columns, labels.task, &mut wrong);
    let Some(columns) = found else {
        return Err(wrong.into());
    };
    rows.select(columns.places(), &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let mut reading = Reading {
        root,
        labels,
        columns: &columns,
        mapping: &source.columns,
        wrong,
        lines: 0,
        case_ids: Ids::default(),
        case_lines: Lines::default(),
        patients: Ids::default(),
        cohort: Cohort::below(root, columns.unrecorded.clone()),
    };
    while let Some(record) = reading.next(rows) {
        match record.fields() {
            Some(fields) => reading.take(record.line, &fields),
            None => reading.wrong.add(ManifestProblem::NotUtf8 { line: record.line }),
        }
    }
    reading.finish()
}

/// A cohort that is being read.
struct Reading<'a> {
    root: &'a Path,
    labels: Labels<'a>,
    columns: &'a Columns,
    mapping: &'a ColumnMapping,
    wrong: ProblemList<ManifestProblem>,
    /// Lines read, good and bad.
    lines: usize,
    /// Places of cases in the cohort, by their ids.
    case_ids: Ids,
    /// The line of each case in the cohort.
    case_lines: Lines,
    /// Numbers of patients, by their ids.
    patients: Ids,
    /// Of a line that has an id and is wrong otherwise it has the id alone, for lines that repeat it: then none of it is used.
    cohort: Cohort,
}

impl Reading<'_> {
    /// The next line; `None` at the end, and where nothing after this point can be read.
    fn next<'r>(&mut self, rows: &'r mut dyn Rows) -> Option<Record<'r>> {
        match rows.next() {
            Ok(Some(_)) if self.lines == MAX_CASES => {
                self.wrong.add(ManifestProblem::TooManyCases);
                None
            }
            Ok(record) => {
                self.lines += usize::from(record.is_some());
                record
            }
            Err(problem) => {
                self.wrong.add(problem);
                None
            }
        }
    }

    /// Takes a line into the cohort, or adds all that is wrong with it to the others.
    fn take(&mut self, line: u64, fields: &[&str]) {
        let (found, expected) = (fields.len(), self.columns.count);
        if found != expected {
            return self.wrong.add(ManifestProblem::FieldCount { line, found, expected });
        }
        let (columns, mapping) = (self.columns, self.mapping);
        let case_id = self.value(line, fields[columns.case_id], &mapping.case_id);
        let patient_id = self.value(line, fields[columns.patient_id], &mapping.patient_id);
        let index_test = self.index_test(&columns.index_test, line, fields);
        let case_id = case_id.filter(|id| self.is_new(line, id));
        let reference = match (columns.label, &index_test) {
            (Some(label), _) => self.reference(line, fields[label]),
            (None, _) if !columns.conditions.is_empty() => self.conditions(line, fields),
            (
                None,
                Some(
                    IndexTest::Masks { reference: Some(_), .. }
                    | IndexTest::Outlined { reference: Some(_), .. },
                ),
            ) => Some(Reference::Mask),
            (None, Some(IndexTest::Searched { status: ScanStatus::Read, .. })) => {
                Some(Reference::Findings)
            }
            (None, _) => None,
        };
        let Some(case_id) = case_id.map(str::to_owned) else { return };
        let case = match (patient_id, index_test) {
            (Some(patient_id), Some(index_test)) => {
                let patient = self.patient(patient_id);
                let filled = columns.attributes.iter();
                let filled = filled.filter(|(_, place)| !fields[*place].is_empty());
                let attributes =
                    filled.map(|(name, place)| (Arc::clone(name), fields[*place])).collect();
                Case { case_id, patient, index_test, reference, attributes }
            }
            _ => id_alone(case_id),
        };
        self.add(line, &case);
    }

    /// A cell that may not be empty.
    fn value<'c>(&mut self, line: u64, cell: &'c str, column: &str) -> Option<&'c str> {
        if cell.is_empty() {
            self.wrong.add(ManifestProblem::ValueMissing { line, column: column.to_owned() });
            return None;
        }
        Some(cell)
    }

    /// The image, or the score that stands in its place.
    fn index_test(
        &mut self,
        place: &IndexTestPlace,
        line: u64,
        fields: &[&str],
    ) -> Option<IndexTest> {
        let mapping = self.mapping;
        let found = match place {
            IndexTestPlace::Image(place) => {
                let path = self.value(line, fields[*place], mapping.index_test.name())?;
                let resolved = if self.labels.takes_folders { resolve_volume } else { resolve };
                resolved(self.root, path, line).map(IndexTest::Image)
            }
            IndexTestPlace::Instance(key, place) => {
                let name = self.value(line, fields[*place], mapping.index_test.name())?;
                let name = InstanceName::parse(*key, name).map(IndexTest::Instance);
                name.ok_or(ManifestProblem::InstanceInvalid { line })
            }
            IndexTestPlace::Score(place) => score(fields[*place], line).map(IndexTest::Score),
            IndexTestPlace::Scores(places) => {
                let scores = places.iter().map(|place| score(fields[*place], line));
                scores.collect::<Result<Option<Vec<f64>>, _>>().map(IndexTest::Scores)
            }
            IndexTestPlace::Called(place) => {
                called(self.labels, fields[*place], line).map(IndexTest::Scores)
            }
            IndexTestPlace::Status(place) => {
                let cell = place.map_or("", |place| fields[place]);
                status(cell, line).map(IndexTest::Findings)
            }
            IndexTestPlace::Masks { reference, predicted } => {
                masks(self.root, fields[*reference], fields[*predicted], line)
            }
            IndexTestPlace::Outlined { image, reference } => {
                let image = self.index_test(image, line, fields).map(Box::new);
                let reference = mask(self.root, fields[*reference], line);
                let reference = reference.map_err(|problem| self.wrong.add(problem)).ok();
                return Some(IndexTest::Outlined { image: image?, reference: reference? });
            }
            IndexTestPlace::Searched { image, status } => {
                let image = self.index_test(image, line, fields).map(Box::new)?;
                let cell = status.map_or("", |place| fields[place]);
                searched(cell, line).map(|status| IndexTest::Searched { image, status })
            }
        };
        found.map_err(|problem| self.wrong.add(problem)).ok()
    }

    /// Whether no earlier line has this case.
    fn is_new(&mut self, line: u64, case_id: &str) -> bool {
        let cohort = &self.cohort;
        let place = self.case_ids.find(case_id, |place| cohort.case_id(place as usize));
        let first = place.and_then(|place| self.case_lines.get(place));
        if let Some(first) = first {
            self.wrong.add(ManifestProblem::DuplicateCase { line, first });
        }
        first.is_none()
    }

    /// Adds a case that is new.
    fn add(&mut self, line: u64, case: &Case) {
        let place = number(self.cohort.len());
        self.cohort.push(case);
        self.case_lines.push(place, line);
        let cohort = &self.cohort;
        self.case_ids.add(&case.case_id, place, |place| cohort.case_id(place as usize));
    }

    fn reference(&mut self, line: u64, label: &str) -> Option<Reference> {
        let reference = self.labels.reference_of(label);
        if reference.is_none() && !label.is_empty() {
            self.wrong.add(ManifestProblem::LabelUnknown { line });
        }
        reference
    }

    /// What the reference standard says of each condition; `None` where it says nothing of any.
    fn conditions(&mut self, line: u64, fields: &[&str]) -> Option<Reference> {
        let mut assessed = Assessed::default();
        let conditions = self.labels.task.conditions().iter();
        for (place, (condition, column)) in conditions.zip(&self.columns.conditions).enumerate() {
            match condition.reference_of(fields[*column]) {
                Ok(Some(is_there)) => assessed = assessed.with(place, is_there),
                Ok(None) => {}
                Err(UnknownValue) => {
                    self.wrong.add(ManifestProblem::LabelUnknown { line });
                    return None;
                }
            }
        }
        (!assessed.is_empty()).then_some(Reference::Conditions(assessed))
    }

    fn patient(&mut self, patient_id: &str) -> u32 {
        let cohort = &self.cohort;
        if let Some(known) = self.patients.find(patient_id, |number| cohort.patient_id(number)) {
            return known;
        }
        let new = number(self.cohort.patients());
        self.cohort.push_patient(patient_id);
        let cohort = &self.cohort;
        self.patients.add(patient_id, new, |number| cohort.patient_id(number));
        new
    }

    fn finish(mut self) -> Result<SiteLocal<Cohort>, ManifestError> {
        if self.lines == 0 && self.wrong.is_empty() {
            self.wrong.add(ManifestProblem::Empty);
        }
        self.wrong.or(SiteLocal::new(self.cohort))
    }
}

/// How many there are, as the next one's number.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("MAX_CASES bounds cases and patients far below 2^32")
}

/// What is kept of a line that is wrong.
fn id_alone(case_id: String) -> Case {
    let (index_test, attributes) = (IndexTest::Score(None), Attributes::default());
    Case { case_id, patient: 0, index_test, reference: None, attributes }
}

/// The files of both masks of a case. None is a reference standard, or an index test, without a result.
fn masks(
    root: &Path,
    reference: &str,
    predicted: &str,
    line: u64,
) -> Result<IndexTest, ManifestProblem> {
    let file = |path: &str| mask(root, path, line);
    Ok(IndexTest::Masks { reference: file(reference)?, predicted: file(predicted)? })
}

/// The file of one mask; none where the cell is empty.
fn mask(root: &Path, path: &str, line: u64) -> Result<Option<PathBuf>, ManifestProblem> {
    match path {
        "" => Ok(None),
        path => resolve(root, path, line).map(Some),
    }
}

/// A score. None is an index test without a result, which the report counts.
fn score(cell: &str, line: u64) -> Result<Option<f64>, ManifestProblem> {
    if cell.is_empty() {
        return Ok(None);
    }
    cell.parse().map(Some).map_err(|_| ManifestProblem::ScoreUnreadable { line })
}

/// Whether a scan was read; an empty cell says that it was.
fn status(cell: &str, line: u64) -> Result<ScanStatus, ManifestProblem> {
    match cell {
        "" | "read" => Ok(ScanStatus::Read),
        "no_reference" => Ok(ScanStatus::NoReference),
        "no_result" => Ok(ScanStatus::NoResult),
        _ => Err(ManifestProblem::StatusUnknown { line }),
    }
}

/// The same of an image that the model is yet to see: it cannot be said to have given nothing.
fn searched(cell: &str, line: u64) -> Result<ScanStatus, ManifestProblem> {
    match status(cell, line)? {
        ScanStatus::NoResult => Err(ManifestProblem::StatusUnknown { line }),
        status => Ok(status),
    }
}

/// A called class as scores: all for it, none for the others.
fn called(labels: Labels<'_>, cell: &str, line: u64) -> Result<Option<Vec<f64>>, ManifestProblem> {
    if cell.is_empty() {
        return Ok(None);
    }
    let Some(Reference::Class(called)) = labels.reference_of(cell) else {
        return Err(ManifestProblem::CallUnknown { line });
    };
    let classes = 0..labels.task.classes().len();
    Ok(Some(classes.map(|class| if class == usize::from(called) { 1.0 } else { 0.0 }).collect()))
}
