//! Findings of a side from a folder of reports, one for each case: `CASE.dcm`. Each is read in a box.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::thread;

use fedval_ambient::Problem as _;
use fedval_sandbox::{BoxProgram, CallError, SpawnError};
use fedval_study::protocol::Matching;
use tokio::runtime::{Builder, Runtime};

use super::error::{FindingsProblem, Side};
use super::{CaseFindings, ConceptCode};
use crate::decode::{DECODE_ROLE, DecodeFailure, DecodeLimits, Decoder, ReportRequest};
use crate::manifest::image_path::resolve;
use crate::manifest::{Cohort, ScanStatus};
use crate::problem_list::ProblemList;

/// Largest report, in bytes: a text about a scan.
const MAX_REPORT_BYTES: u64 = 16 << 20;

/// What is read of a folder of reports.
pub(super) struct Reports<'r> {
    pub(super) folder: &'r Path,
    pub(super) side: Side,
    pub(super) matching: Matching,
    pub(super) score: &'r ConceptCode,
}

impl Reports<'_> {
    /// The findings of each case that has a report, by the case's place. A scan that was read has one, even where
    /// nothing was found. Blocks for as long as it takes.
    pub(super) fn read(
        &self,
        cohort: &Cohort,
        wrong: &mut ProblemList<FindingsProblem>,
    ) -> Vec<(usize, CaseFindings)> {
        // In a thread of its own: talking with a box needs a runtime, and the caller's thread may drive one.
        thread::scope(|scope| {
            let reading = scope.spawn(|| self.all(cohort, wrong));
            reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn all(
        &self,
        cohort: &Cohort,
        wrong: &mut ProblemList<FindingsProblem>,
    ) -> Vec<(usize, CaseFindings)> {
        let mut found = Vec::new();
        let Ok(root) = self.folder.canonicalize() else {
            wrong.add(FindingsProblem::Missing { side: self.side });
            return found;
        };
        let (runtime, mut decoder) = match boxes() {
            Ok(boxes) => boxes,
            Err(problem) => {
                wrong.add(problem);
                return found;
            }
        };
        let unread = match self.side {
            Side::Reference => ScanStatus::NoReference,
            Side::Predicted => ScanStatus::NoResult,
        };
        for (place, case) in cohort.cases().enumerate() {
            let number = place as u64 + 1;
            let path = resolve(&root, &format!("{}.dcm", case.case_id), number).ok();
            let is_unread = case.index_test.status() == Some(unread);
            let is_read = case.index_test.status() == Some(ScanStatus::Read);
            let one = match path {
                Some(_) if is_unread => {
                    Err(self.problem(number, "the manifest calls the scan not read"))
                }
                Some(path) => self.one(&path, number, &runtime, &mut decoder),
                None if is_read => {
                    Err(FindingsProblem::ReportMissing { side: self.side, case: number })
                }
                None => continue,
            };
            match one {
                Ok(findings) => found.push((place, findings)),
                Err(problem) => {
                    let is_last = matches!(problem, FindingsProblem::NoBox { .. });
                    wrong.add(problem);
                    if is_last {
                        break;
                    }
                }
            }
        }
        found
    }

    fn one(
        &self,
        path: &Path,
        case: u64,
        runtime: &Runtime,
        decoder: &mut Decoder,
    ) -> Result<CaseFindings, FindingsProblem> {
        let Some(bytes) = bytes(path) else {
            return Err(self.problem(case, "the file cannot be read, or has more than 16 MiB"));
        };
        let Self { side, matching, score, .. } = *self;
        let request = ReportRequest { side, matching, score, bytes: &bytes };
        match runtime.block_on(decoder.findings(&request)) {
            Ok(findings) => match findings.open_on_site() {
                Ok(findings) => Ok(findings.clone()),
                Err(fault) => Err(self.problem(case, &fault.to_string())),
            },
            Err(DecodeFailure::Machine { source }) => Err(no_box(&source)),
            Err(failure) if failure.code() == CallError::Forbidden.code() => {
                Err(FindingsProblem::Forbidden { side, case })
            }
            Err(_) => Err(self.problem(case, "reading it ended the box, or took too long")),
        }
    }

    fn problem(&self, case: u64, why: &str) -> FindingsProblem {
        FindingsProblem::Report { side: self.side, case, why: why.to_owned() }
    }
}

/// A runtime, and the decoder that lives in it: to be dropped before it.
fn boxes() -> Result<(Runtime, Decoder), FindingsProblem> {
    let not_started = |source| no_box(&SpawnError::NotStarted { source });
    let program = BoxProgram::current(DECODE_ROLE).map_err(not_started)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(not_started)?;
    Ok((runtime, Decoder::new(program, DecodeLimits::default())))
}

fn no_box(error: &SpawnError) -> FindingsProblem {
    FindingsProblem::NoBox { code: error.code(), remedy: error.remedy().unwrap_or_default() }
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let size = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_REPORT_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (size.max(bytes.len() as u64) <= MAX_REPORT_BYTES).then_some(bytes)
}
