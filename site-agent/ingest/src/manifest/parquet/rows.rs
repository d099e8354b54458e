//! The parent's side of a table's box.

use std::fs::File;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::Scope;
use std::time::Duration;

use fedval_ambient::Problem as _;
use fedval_sandbox::{BoxLimits, BoxProgram, BoxedChild, CallError, SpawnError};
use tokio::runtime::{Builder, Runtime};

use super::exchange::{Fault, NEXT, OPEN, SELECT};
use super::received::{Received, Refused};
use super::table::MAX_REPLY_BYTES;
use crate::manifest::error::ManifestProblem;
use crate::manifest::records::{Record, Rows};
use crate::problem_list::ProblemList;

/// Address space: of each column a page and a dictionary, and the program itself.
const LIMITS: BoxLimits =
    BoxLimits { memory_bytes: 1 << 30, cpu_seconds: 1800, max_reply_bytes: MAX_REPLY_BYTES };

/// How long the box may take for one answer.
const WALL_CLOCK: Duration = Duration::from_mins(2);

/// What the box answered, or what came of asking it.
type Answer = Result<Vec<u8>, ManifestProblem>;

/// The rows of a Parquet file, as its box tells them.
pub(in crate::manifest) struct ParquetRows {
    /// To whoever talks with the box, and back: one reply at a time.
    requests: Sender<Vec<u8>>,
    answers: Receiver<Answer>,
    /// Size of the file.
    bytes: u64,
    received: Received,
    /// The line that the next row would have as CSV, where the header has the first.
    line: u64,
}

impl ParquetRows {
    /// Starts a box that reads `file`. Blocks, in any thread.
    ///
    /// A thread of its own talks with the box: that needs a runtime, and the caller's thread may drive one. What is made of
    /// the rows is made by the caller, as of any other file: an allocator uses again what was freed by the thread that asks.
    pub(in crate::manifest) fn start<'scope>(
        file: File,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<Self, ManifestProblem> {
        let bytes = file.metadata().map_err(|_| ManifestProblem::Unreadable)?.len();
        let (requests, asked) = mpsc::channel();
        let (told, answers) = mpsc::channel();
        scope.spawn(move || talk(file, &asked, &told));
        let rows = Self { requests, answers, bytes, received: Received::default(), line: 1 };
        rows.answer()?;
        Ok(rows)
    }

    fn answer(&self) -> Answer {
        // Nobody is there: what ended the thread ends the scope, too.
        self.answers.recv().unwrap_or(Err(ManifestProblem::ParquetDamaged))
    }

    fn ask(&mut self, request: &[u8]) -> Result<(), ManifestProblem> {
        // What nobody takes nobody answers.
        let _ = self.requests.send(request.to_vec());
        let reply = self.answer()?;
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

    fn select(&mut self, mut places: Vec<usize>, wrong: &mut ProblemList<ManifestProblem>) {
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

/// Starts the box, says so, and asks it what it is to be asked, until nobody asks any more.
fn talk(file: File, asked: &Receiver<Vec<u8>>, told: &Sender<Answer>) {
    // The box goes before the runtime that it lives in.
    let (runtime, mut child) = match started(file) {
        Ok(started) => started,
        Err(problem) => {
            let _ = told.send(Err(problem));
            return;
        }
    };
    let mut answer = Ok(Vec::new());
    while told.send(answer).is_ok() {
        let Ok(request) = asked.recv() else { return };
        let called = runtime.block_on(child.call(&[&request], WALL_CLOCK));
        answer = called.map_err(|error| match error {
            CallError::Forbidden => ManifestProblem::ForbiddenCall,
            _ => ManifestProblem::ParquetDamaged,
        });
    }
}

fn started(file: File) -> Result<(Runtime, BoxedChild), ManifestProblem> {
    let not_started = |source| no_box(&SpawnError::NotStarted { source });
    let program = BoxProgram::current(super::TABLE_ROLE).map_err(not_started)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(not_started)?;
    let child = runtime.block_on(BoxedChild::spawn_with_file(&program, &LIMITS, file));
    let child = child.map_err(|error| no_box(&error))?;
    Ok((runtime, child))
}

fn no_box(error: &SpawnError) -> ManifestProblem {
    let remedy = error.remedy().unwrap_or_default();
    ManifestProblem::NoBox { code: error.code(), remedy }
}
