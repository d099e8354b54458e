//! A prediction table of any size. It is written by a process of its own: what it holds of the table meanwhile, and keeps
//! for another time, would count as the agent's memory.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use crate::error::BenchError;
use crate::evaluation::at;

/// Rows of a row group: what pandas and others write is at most as much.
const GROUP: u32 = 1 << 20;

/// Rows that are made at once.
const PIECE: u32 = 1 << 14;

const SCHEMA: &str = "message schema { REQUIRED BYTE_ARRAY case_id (UTF8); REQUIRED BYTE_ARRAY patient_id (UTF8); \
                      REQUIRED DOUBLE score; REQUIRED INT64 label; REQUIRED BYTE_ARRAY sex (UTF8); }";

/// What a table is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Parquet,
}

impl Format {
    /// As it is written on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// A table to make up.
#[derive(Debug, Args)]
pub(crate) struct Recipe {
    /// Cases, of half as many patients.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) cases: u32,
    /// What it is written as.
    #[arg(long, value_enum, default_value = "csv")]
    pub(crate) format: Format,
}

/// A table to write.
#[derive(Debug, Args)]
pub(crate) struct Writing {
    #[command(flatten)]
    recipe: Recipe,
    /// The file.
    to: PathBuf,
}

/// One case.
struct Row {
    case_id: String,
    patient_id: String,
    score: f64,
    label: i64,
    sex: &'static str,
}

impl Row {
    /// Every fourth patient has the disease, and scores go without a pattern over the unit interval.
    fn of(index: u32) -> Self {
        let patient = index / 2;
        let mixed = index.wrapping_mul(2_654_435_761) >> 8;
        Self {
            case_id: format!("CASE-{index:08}"),
            patient_id: format!("PATIENT-{patient:08}"),
            score: (f64::from(mixed) + 0.5) / f64::from(1_u32 << 24),
            label: i64::from(patient.is_multiple_of(4)),
            sex: if (patient / 4).is_multiple_of(2) { "F" } else { "M" },
        }
    }
}

impl Recipe {
    /// Lets another process of this program write the table.
    pub(crate) fn write_apart(&self, to: &Path) -> Result<(), BenchError> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["write-table", "--cases", &self.cases.to_string()]);
        command.args(["--format", self.format.name()]).arg(to);
        let status = command.status().map_err(at(to))?;
        if status.success() {
            return Ok(());
        }
        Err(BenchError::Command { command: format!("{command:?}"), answer: status.to_string() })
    }
}

impl Writing {
    /// Writes the table.
    pub(crate) fn write(&self) -> Result<(), BenchError> {
        match self.recipe.format {
            Format::Csv => self.recipe.write_csv(&self.to),
            Format::Parquet => self.recipe.write_parquet(&self.to),
        }
    }
}

impl Recipe {
    fn write_csv(&self, to: &Path) -> Result<(), BenchError> {
        let mut file = File::create(to).map(BufWriter::new).map_err(at(to))?;
        writeln!(file, "case_id,patient_id,score,label,sex").map_err(at(to))?;
        for row in (0..self.cases).map(Row::of) {
            let Row { case_id, patient_id, score, label, sex } = row;
            writeln!(file, "{case_id},{patient_id},{score},{label},{sex}").map_err(at(to))?;
        }
        file.flush().map_err(at(to))
    }

    fn write_parquet(&self, to: &Path) -> Result<(), BenchError> {
        let file = File::create(to).map_err(at(to))?;
        self.write_groups(file).map_err(|error| at(to)(std::io::Error::other(error)))
    }

    fn write_groups(&self, file: File) -> Result<(), ParquetError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
        for start in (0..self.cases).step_by(GROUP as usize) {
            let end = start.saturating_add(GROUP).min(self.cases);
            let mut group = writer.next_row_group()?;
            for write in [case_ids, patient_ids, scores, labels, sexes] {
                let Some(mut column) = group.next_column()? else { break };
                for start in (start..end).step_by(PIECE as usize) {
                    let end = start.saturating_add(PIECE).min(end);
                    write(&mut column, &(start..end).map(Row::of).collect::<Vec<_>>())?;
                }
                column.close()?;
            }
            group.close()?;
        }
        writer.close()?;
        Ok(())
    }
}

/// Rows of one column, to the file.
type Written = Result<usize, ParquetError>;

fn case_ids(column: &mut SerializedColumnWriter<'_>, rows: &[Row]) -> Written {
    texts(column, rows.iter().map(|row| row.case_id.as_str().into()))
}

fn patient_ids(column: &mut SerializedColumnWriter<'_>, rows: &[Row]) -> Written {
    texts(column, rows.iter().map(|row| row.patient_id.as_str().into()))
}

fn sexes(column: &mut SerializedColumnWriter<'_>, rows: &[Row]) -> Written {
    texts(column, rows.iter().map(|row| row.sex.into()))
}

fn texts(
    column: &mut SerializedColumnWriter<'_>,
    texts: impl Iterator<Item = ByteArray>,
) -> Written {
    column.typed::<ByteArrayType>().write_batch(&texts.collect::<Vec<_>>(), None, None)
}

fn scores(column: &mut SerializedColumnWriter<'_>, rows: &[Row]) -> Written {
    let scores: Vec<f64> = rows.iter().map(|row| row.score).collect();
    column.typed::<DoubleType>().write_batch(&scores, None, None)
}

fn labels(column: &mut SerializedColumnWriter<'_>, rows: &[Row]) -> Written {
    let labels: Vec<i64> = rows.iter().map(|row| row.label).collect();
    column.typed::<Int64Type>().write_batch(&labels, None, None)
}
