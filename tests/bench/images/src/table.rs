//! A prediction table of any size, evaluated by the agent's own code: what a million cases cost.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use fedval_evaluate::{Evaluation, ScoreGrid, Store};
use fedval_inference::{InferenceLimits, ModelEngine};
use fedval_ingest::{ColumnMapping, DecodeLimits, IndexTestColumn, ManifestSource};
use fedval_vault::Vault;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use crate::error::BenchError;
use crate::evaluation::{SIDE, STUDY, at, insert_job, protocol, timed};
use crate::figure::Figure;

/// Rows of a row group: what pandas and others write is at most as much.
const GROUP: u32 = 1 << 20;

/// Rows that are made at once: what this program holds of them would count as the agent's memory.
const PIECE: u32 = 1 << 14;

const SCHEMA: &str = "message schema { REQUIRED BYTE_ARRAY case_id (UTF8); REQUIRED BYTE_ARRAY patient_id (UTF8); \
                      REQUIRED DOUBLE score; REQUIRED INT64 label; REQUIRED BYTE_ARRAY sex (UTF8); }";

/// What a table is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Parquet,
}

/// A table to make up.
#[derive(Debug, Args)]
pub(crate) struct Table {
    /// Cases, of half as many patients.
    #[arg(long, default_value_t = 1_000_000)]
    cases: u32,
    /// What it is written as.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
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
            sex: if patient.is_multiple_of(2) { "F" } else { "M" },
        }
    }
}

impl Table {
    /// Writes the table, and evaluates it in a vault of its own.
    pub(crate) async fn evaluate(&self) -> Result<Figure, BenchError> {
        let work = tempfile::tempdir().map_err(at(Path::new("a temporary folder")))?;
        let (manifest, model) = (work.path().join("manifest"), work.path().join("model.onnx"));
        match self.format {
            Format::Csv => self.write_csv(&manifest)?,
            Format::Parquet => self.write_parquet(&manifest)?,
        }
        fs::write(&model, b"a model that nobody runs").map_err(at(&model))?;
        let study = STUDY.replace("[model]\n", "prediction_tables = \"accept\"\n[model]\n")
            + "[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n  \
               { name = \"female\", values = [\"F\"] },\n  { name = \"male\", values = [\"M\"] },\n]\n";
        let protocol = protocol(&study, b"a model that nobody runs", SIDE)?;
        let vault = Vault::open(&work.path().join("vault.db")).await?;
        let round = insert_job(&vault, &protocol).await?;
        let index_test = IndexTestColumn::Score("score".to_owned());
        let source = ManifestSource {
            manifest,
            root: work.path().to_path_buf(),
            columns: ColumnMapping { index_test, ..ColumnMapping::default() },
        };
        let evaluation = Evaluation {
            round: &round,
            protocol: protocol.protocol(),
            model: &model,
            source: &source,
            pacs: None,
            store: Store::Vault(&vault),
            secret: [7; 32],
            grid: ScoreGrid::Fine,
            k: protocol.protocol().disclosure.k,
            decode_limits: DecodeLimits::default(),
            inference_limits: InferenceLimits::default(),
            engine: &ModelEngine::Embedded,
            second_engine: None,
            lanes: 1,
        };
        timed(&evaluation).await
    }

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
