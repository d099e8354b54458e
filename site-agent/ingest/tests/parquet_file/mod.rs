//! Small Parquet files, written by the library's own writer.

#![allow(dead_code, reason = "each test needs a part of it")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// The cells of a column; none is a NULL.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    Text(Vec<Option<String>>),
    Integers(Vec<Option<i64>>),
    Small(Vec<Option<i32>>),
    Numbers(Vec<Option<f64>>),
    Singles(Vec<Option<f32>>),
    Flags(Vec<Option<bool>>),
    /// Bytes that do not say what they are.
    Bytes(Vec<Vec<u8>>),
    /// Any type of the format's language for schemas, with its annotation: no cell of it is read.
    Other(&'static str, &'static str, usize),
}

impl Cells {
    /// A text column; an empty text is a NULL.
    pub(crate) fn text(cells: &[&str]) -> Self {
        let cell = |cell: &&str| (!cell.is_empty()).then(|| (*cell).to_owned());
        Self::Text(cells.iter().map(cell).collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Integers(cells) => cells.len(),
            Self::Small(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Singles(cells) => cells.len(),
            Self::Flags(cells) => cells.len(),
            Self::Bytes(cells) => cells.len(),
            Self::Other(_, _, cells) => *cells,
        }
    }

    const fn form(&self) -> (&'static str, &'static str) {
        match self {
            Self::Text(_) => ("BYTE_ARRAY", "(UTF8)"),
            Self::Integers(_) => ("INT64", ""),
            Self::Small(_) => ("INT32", "(UINT_32)"),
            Self::Numbers(_) => ("DOUBLE", ""),
            Self::Singles(_) => ("FLOAT", ""),
            Self::Flags(_) => ("BOOLEAN", ""),
            Self::Bytes(_) => ("BYTE_ARRAY", ""),
            Self::Other(form, annotation, _) => (form, annotation),
        }
    }
}

/// A file with these columns, its rows in groups of `group`.
pub(crate) fn bytes(columns: &[(&str, Cells)], compression: Compression, group: usize) -> Vec<u8> {
    let field = |(name, cells): &(&str, Cells)| {
        let (form, annotation) = cells.form();
        format!("OPTIONAL {form} {name} {annotation};")
    };
    let fields: String = columns.iter().map(field).collect();
    let schema = parse_message_type(&format!("message schema {{ {fields} }}")).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut file = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties)).unwrap();
    let rows = columns.first().map_or(0, |(_, cells)| cells.len());
    for start in (0..rows).step_by(group) {
        let end = rows.min(start + group);
        let mut writer = writer.next_row_group().unwrap();
        for (_, cells) in columns {
            write(&mut writer, cells, start, end);
        }
        writer.close().unwrap();
    }
    writer.close().unwrap();
    file
}

fn write(
    writer: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    cells: &Cells,
    start: usize,
    end: usize,
) {
    let mut writer = writer.next_column().unwrap().unwrap();
    match (writer.untyped(), cells) {
        (ColumnWriter::ByteArrayColumnWriter(writer), Cells::Text(cells)) => {
            let (values, levels) = split(&cells[start..end]);
            let values: Vec<ByteArray> = values.iter().map(|text| text.as_str().into()).collect();
            writer.write_batch(&values, Some(&levels), None).unwrap();
        }
        (ColumnWriter::ByteArrayColumnWriter(writer), Cells::Bytes(cells)) => {
            let of = |cell: &Vec<u8>| ByteArray::from(cell.clone());
            let values: Vec<ByteArray> = cells[start..end].iter().map(of).collect();
            writer.write_batch(&values, Some(&vec![1; values.len()]), None).unwrap();
        }
        (ColumnWriter::Int64ColumnWriter(writer), Cells::Integers(cells)) => {
            let (values, levels) = split(&cells[start..end]);
            writer.write_batch(&values, Some(&levels), None).unwrap();
        }
        (ColumnWriter::Int32ColumnWriter(writer), Cells::Small(cells)) => {
            let (values, levels) = split(&cells[start..end]);
            writer.write_batch(&values, Some(&levels), None).unwrap();
        }
        (ColumnWriter::DoubleColumnWriter(writer), Cells::Numbers(cells)) => {
            let (values, levels) = split(&cells[start..end]);
            writer.write_batch(&values, Some(&levels), None).unwrap();
        }
        (ColumnWriter::FloatColumnWriter(writer), Cells::Singles(cells)) => {
            let (values, levels) = split(&cells[start..end]);
            writer.write_batch(&values, Some(&levels), None).unwrap();
        }
        (ColumnWriter::BoolColumnWriter(writer), Cells::Flags(cells)) => {
            let (values, levels) = split(&cells[start..end]);
            writer.write_batch(&values, Some(&levels), None).unwrap();
        }
        (ColumnWriter::Int32ColumnWriter(writer), Cells::Other(..)) => {
            writer.write_batch(&[], Some(&vec![0; end - start]), None).unwrap();
        }
        (ColumnWriter::Int64ColumnWriter(writer), Cells::Other(..)) => {
            writer.write_batch(&[], Some(&vec![0; end - start]), None).unwrap();
        }
        _ => panic!("a column of another type than its cells"),
    }
    writer.close().unwrap();
}

/// The values that are there, and for every row whether one is.
fn split<T: Clone>(cells: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    let levels = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    (cells.iter().flatten().cloned().collect(), levels)
}
