//! The parent's side of a table's box.

use std::fs::File;
use std::time::Duration;

use fedval_ambient::Problem as _;
use fedval_sandbox::{BoxLimits, BoxProgram, BoxedChild, CallError, SpawnError};
use tokio::runtime::{Builder, Runtime};

use super::exchange::{Fault, NEXT, OPEN, SELECT};
use super::received::{Received, Refused};
use super::table::MAX_REPLY_BYTES;
use crate::manifest::columns::Columns;
use crate::manifest::error::ManifestProblem;
use crate::manifest::records::{Record, Rows};
use crate::problem_list::ProblemList;

/// Address space: of each column a page and a dictionary, and the program itself.
const LIMITS: BoxLimits =
    BoxLimits { memory_bytes: 1 << 30, cpu_seconds: 1800, max_reply_bytes: MAX_REPLY_BYTES };

/// How long the box may take for one answer.
const WALL_CLOCK: Duration = Duration::from_mins(2);

/// The rows of a Parquet file, as its box tells them.
pub(in crate::manifest) struct ParquetRows {
    // In front of the runtime that it lives in.
    child: BoxedChild,
    runtime: Runtime,
    /// Size of the file.
    bytes: u64,
    received: Received,
    /// The line that the next row would have as CSV, where the header has the first.
    line: u64,
}

impl ParquetRows {
    /// Starts a box that reads `file`. Blocks, and not in a thread that drives a runtime.
    pub(in crate::manifest) fn start(file: File) -> Result<Self, ManifestProblem> {
        let bytes = file.metadata().map_err(|_| ManifestProblem::Unreadable)?.len();
        let not_started = |source| no_box(&SpawnError::NotStarted { source });
        let program = BoxProgram::current(super::TABLE_ROLE).map_err(not_started)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(not_started)?;
        let child = runtime.block_on(BoxedChild::spawn_with_file(&program, &LIMITS, file));
        let child = child.map_err(|error| no_box(&error))?;
        Ok(Self { child, runtime, bytes, received: Received::default(), line: 1 })
    }

    fn ask(&mut self, request: &[u8]) -> Result<(), ManifestProblem> {
        let called = self.runtime.block_on(self.child.call(&[request], WALL_CLOCK));
        let reply = called.map_err(|error| match error {
            CallError::Forbidden => ManifestProblem::ForbiddenCall,
            _ => ManifestProblem::ParquetDamaged,
        })?;
        self.received.reply(reply).map_err(|refused| self.problem(refused))
    }

    const fn problem(&self, refused: Refused) -> ManifestProblem {
        match refused {
            Refused::Told(Fault::Compression) => ManifestProblem::Compression,
            Refused::Told(Fault::RowTooLong) => ManifestProblem::LineTooLong { line: self.line },
            Refused::Told(Fault::Damaged) | Refused::Odd => ManifestProblem::ParquetDamaged,
        }
    }
}

impl Rows for ParquetRows {
    fn header(&mut self) -> Result<Vec<String>, ManifestProblem> {
        self.ask(&[&[OPEN][..], &self.bytes.to_le_bytes()].concat())?;
        self.received.take_names().map_err(|refused| self.problem(refused))?;
        self.line = 2;
        Ok(self.received.names.clone())
    }

    fn select(&mut self, columns: &Columns, wrong: &mut ProblemList<ManifestProblem>) {
        let mut places = columns.places();
        places.sort_unstable();
        places.dedup();
        let mut request = vec![SELECT];
        for place in &places {
            if self.received.readable.get(*place) != Some(&true) {
                let column = self.received.names.get(*place).cloned().unwrap_or_default();
                wrong.add(ManifestProblem::ColumnType { column });
            }
            // Far fewer than 2³².
            request.extend(u32::try_from(*place).unwrap_or(u32::MAX).to_le_bytes());
        }
        self.received.selected = places;
        if wrong.is_empty() {
            let asked = self.ask(&request);
            asked.unwrap_or_else(|problem| wrong.add(problem));
        }
    }

    fn next(&mut self) -> Result<Option<Record<'_>>, ManifestProblem> {
        if self.received.is_taken() {
            self.ask(&[NEXT])?;
            if self.received.is_taken() {
                return Ok(None);
            }
        }
        let line = self.line;
        self.line += 1;
        match self.received.take_row() {
            Ok((text, ends)) => Ok(Some(Record::new(line, text, ends))),
            Err(_) => Err(ManifestProblem::ParquetDamaged),
        }
    }
}

fn no_box(error: &SpawnError) -> ManifestProblem {
    let remedy = error.remedy().unwrap_or_default();
    ManifestProblem::NoBox { code: error.code(), remedy }
}
