//! Reading files of findings, row by row: what is kept is the findings alone.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use fedval_disclosure::SiteLocal;
use fedval_study::protocol::Matching;

use super::error::{CASE, FindingsError, FindingsProblem, Side};
use super::reports::Reports;
use super::{
    CaseFindings, ConceptCode, FindingsSource, MAX_FINDINGS, Place, PredictedFinding,
    ReferenceFinding, ReferenceFindings,
};
use crate::manifest::{Cohort, Rows, ScanStatus, with_rows};
use crate::problem_list::ProblemList;

const SCORE: &str = "score";
const RADIUS: &str = "radius_mm";
const EXCLUDED: &str = "excluded";
const DEPTH: &str = "z";
const POINT: [&str; 2] = ["x", "y"];
const BOX: [&str; 4] = ["x0", "y0", "x1", "y1"];

/// No body is so large, in whatever unit; beyond, areas and distances would soon have no number.
const MOST: f64 = 1e9;

/// Reads the findings of a cohort, one entry for each of its cases and in their order.
///
/// Every problem is found in one pass; files with any are not used. A Parquet file, which is known by its first bytes, is
/// read in a box, as a manifest is, and a report in one of its own. Blocks for as long as it takes.
///
/// # Errors
///
/// [`FindingsError`], with line numbers and column names but no content.
pub fn read_findings(
    source: &FindingsSource,
    cohort: &Cohort,
    matching: Matching,
) -> Result<SiteLocal<Vec<CaseFindings>>, FindingsError> {
    let mut reading = Reading::of(cohort, matching, &source.score);
    let is_deep = reading.file(&source.reference, Side::Reference);
    let other = reading.file(&source.predicted, Side::Predicted);
    if is_deep.zip(other).is_some_and(|(one, other)| one != other) {
        reading.wrong.add(FindingsProblem::OneIsFlat);
    }
    reading.wrong.or(SiteLocal::new(reading.findings))
}

/// Reads the findings of the reference standard alone, one entry for each of a cohort's cases and in their order.
///
/// # Errors
///
/// See [`read_findings`].
pub fn read_reference_findings(
    source: &ReferenceFindings,
    cohort: &Cohort,
    matching: Matching,
) -> Result<SiteLocal<Vec<CaseFindings>>, FindingsError> {
    // A reference finding has no score.
    let score = ConceptCode::default();
    let mut reading = Reading::of(cohort, matching, &score);
    let _ = reading.file(&source.reference, Side::Reference);
    reading.wrong.or(SiteLocal::new(reading.findings))
}

/// Where the columns of one file stand.
struct Columns {
    case: usize,
    /// The numbers of a place, in their order, with their names.
    place: Vec<(usize, &'static str)>,
    /// Radius of a reference point, score of a predicted finding.
    more: Option<(usize, &'static str)>,
    excluded: Option<usize>,
    /// Fields in the header.
    count: usize,
}

impl Columns {
    fn find(
        header: &[String],
        side: Side,
        matching: Matching,
        wrong: &mut ProblemList<FindingsProblem>,
    ) -> Option<Self> {
        let all = |name: &str| header.iter().filter(|column| *column == name).count();
        let mut place = |column: &'static str| {
            if all(column) != 1 {
                wrong.add(FindingsProblem::Column { side, column });
            }
            header.iter().position(|name| name == column).map(|at| (at, column))
        };
        let case = place(CASE);
        let numbers: Vec<&'static str> = match matching {
            Matching::CentreInRadius => {
                POINT.into_iter().chain((all(DEPTH) > 0).then_some(DEPTH)).collect()
            }
            Matching::Iou(_) => BOX.to_vec(),
        };
        let numbers: Vec<_> = numbers.into_iter().map(&mut place).collect();
        let more = match (side, matching) {
            (Side::Predicted, _) => Some(place(SCORE)),
            (Side::Reference, Matching::CentreInRadius) => Some(place(RADIUS)),
            (Side::Reference, Matching::Iou(_)) => None,
        };
        let is_there = side == Side::Reference && all(EXCLUDED) > 0;
        let excluded = is_there.then(|| place(EXCLUDED));
        let mut found = numbers.iter().copied().chain([case]).chain(more).chain(excluded);
        let is_once = |(_, name): (usize, &'static str)| all(name) == 1;
        let is_whole = found.all(|column| column.is_some_and(is_once));
        let case = case.filter(|_| is_whole)?.0;
        Some(Self {
            case,
            place: numbers.into_iter().flatten().collect(),
            more: more.flatten(),
            excluded: excluded.flatten().map(|(at, _)| at),
            count: header.len(),
        })
    }

    /// Places of all columns that are read.
    fn places(&self) -> Vec<usize> {
        let numbers = self.place.iter().chain(&self.more).map(|(at, _)| *at);
        numbers.chain([self.case]).chain(self.excluded).collect()
    }
}

/// Files that are being read.
struct Reading<'c> {
    cohort: &'c Cohort,
    places: HashMap<&'c str, usize>,
    matching: Matching,
    score: &'c ConceptCode,
    wrong: ProblemList<FindingsProblem>,
    findings: Vec<CaseFindings>,
}

impl<'c> Reading<'c> {
    /// Nothing was read yet.
    fn of(cohort: &'c Cohort, matching: Matching, score: &'c ConceptCode) -> Self {
        let places = 0..cohort.len();
        let places = places.filter_map(|place| Some((cohort.case_id(place)?, place))).collect();
        Self {
            cohort,
            places,
            matching,
            score,
            wrong: ProblemList::default(),
            findings: vec![CaseFindings::default(); cohort.len()],
        }
    }
}

impl Reading<'_> {
    /// Reads one file. Whether its points have a depth, where that is known.
    fn file(&mut self, path: &Path, side: Side) -> Option<bool> {
        if path.is_dir() {
            return Some(self.folder(path, side));
        }
        let file = self.open(path, side)?;
        let read = with_rows(file, |rows| self.rows(rows, side));
        read.unwrap_or_else(|problem| {
            self.wrong.add(FindingsProblem::of_file(problem, side));
            None
        })
    }

    /// Reads the rows of one file.
    fn rows(&mut self, rows: &mut dyn Rows, side: Side) -> Option<bool> {
        let columns = self.columns(rows, side)?;
        let mut lines = 0;
        loop {
            match rows.next() {
                Ok(None) => break,
                Ok(Some(_)) if lines == MAX_FINDINGS => {
                    self.wrong.add(FindingsProblem::TooMany { side });
                    break;
                }
                Ok(Some(record)) => {
                    lines += 1;
                    let line = record.line;
                    match record.fields().filter(|fields| fields.len() == columns.count) {
                        Some(fields) => self.take((side, line), &columns, &fields),
                        None => self.wrong.add(FindingsProblem::Line { side, line }),
                    }
                }
                Err(problem) => {
                    self.wrong.add(FindingsProblem::of_file(problem, side));
                    break;
                }
            }
        }
        Some(columns.place.len() == POINT.len() + 1)
    }

    /// Reads a folder of reports, whose points are places in the patient.
    fn folder(&mut self, folder: &Path, side: Side) -> bool {
        let reports = Reports { folder, side, matching: self.matching, score: self.score };
        for (case, found) in reports.read(self.cohort, &mut self.wrong) {
            self.findings[case].reference.extend(found.reference);
            self.findings[case].predicted.extend(found.predicted);
        }
        self.matching == Matching::CentreInRadius
    }

    fn open(&mut self, path: &Path, side: Side) -> Option<File> {
        let problem = match File::open(path) {
            Ok(file) => return Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => FindingsProblem::Missing { side },
            Err(_) => FindingsProblem::Unreadable { side },
        };
        self.wrong.add(problem);
        None
    }

    /// Where the columns of a file stand, by its header. No other is read.
    fn columns(&mut self, rows: &mut dyn Rows, side: Side) -> Option<Columns> {
        let names = match rows.header() {
            Ok(names) => names,
            Err(problem) => {
                self.wrong.add(FindingsProblem::of_file(problem, side));
                return None;
            }
        };
        let columns = Columns::find(&names, side, self.matching, &mut self.wrong)?;
        let mut unread = ProblemList::default();
        rows.select(columns.places(), &mut unread);
        for problem in unread.problems() {
            self.wrong.add(FindingsProblem::of_file(problem.clone(), side));
        }
        unread.is_empty().then_some(columns)
    }

    /// Takes a line, or adds what is wrong with it.
    fn take(&mut self, (side, line): (Side, u64), columns: &Columns, fields: &[&str]) {
        let case = self.places.get(fields[columns.case]).copied();
        let place = place(columns, fields);
        let more = columns.more.map(|(at, column)| number(fields[at], column, more_holds(column)));
        let excluded = excluded(columns.excluded.map_or("", |at| fields[at]));
        let Some(case) = case else {
            return self.wrong.add(FindingsProblem::CaseUnknown { side, line });
        };
        let unread = match side {
            Side::Reference => ScanStatus::NoReference,
            Side::Predicted => ScanStatus::NoResult,
        };
        let status = self.cohort.case(case).and_then(|case| case.index_test.status());
        if status == Some(unread) {
            return self.wrong.add(FindingsProblem::NotRead { side, line });
        }
        let (place, more, excluded) = match (place, more.transpose(), excluded) {
            (Ok(place), Ok(more), Ok(excluded)) => (place, more.unwrap_or(0.0), excluded),
            (place, more, excluded) => {
                let columns = [place.err(), more.err(), excluded.err()];
                for column in columns.into_iter().flatten() {
                    self.wrong.add(FindingsProblem::Number { side, line, column });
                }
                return;
            }
        };
        let findings = &mut self.findings[case];
        match side {
            Side::Reference => {
                findings.reference.push(ReferenceFinding { place, radius_mm: more, excluded });
            }
            Side::Predicted => findings.predicted.push(PredictedFinding { place, score: more }),
        }
    }
}

/// The column whose cell is wrong.
type Cell<T> = Result<T, &'static str>;

fn place(columns: &Columns, fields: &[&str]) -> Cell<Place> {
    let numbers: Vec<f64> = columns
        .place
        .iter()
        .map(|(at, column)| number(fields[*at], column, |_| true))
        .collect::<Result<_, _>>()?;
    match numbers[..] {
        [x, y] => Ok(Place::Point([x, y, 0.0])),
        [x, y, z] => Ok(Place::Point([x, y, z])),
        [x0, y0, x1, y1] if x0 > x1 || y0 > y1 => Err(if x0 > x1 { BOX[2] } else { BOX[3] }),
        [x0, y0, x1, y1] => Ok(Place::Box([x0, y0, x1, y1])),
        _ => Err(CASE),
    }
}

fn number(cell: &str, column: &'static str, holds: impl Fn(f64) -> bool) -> Cell<f64> {
    // What is no number is not below anything.
    let number = cell.parse().ok().filter(|number: &f64| number.abs() <= MOST && holds(*number));
    number.ok_or(column)
}

/// What the number behind a place may be.
fn more_holds(column: &'static str) -> impl Fn(f64) -> bool {
    let most = if column == SCORE { 1.0 } else { MOST };
    move |number| (0.0..=most).contains(&number)
}

fn excluded(cell: &str) -> Cell<bool> {
    match cell {
        "" | "0" | "no" | "false" => Ok(false),
        "1" | "yes" | "true" => Ok(true),
        _ => Err(EXCLUDED),
    }
}
