//! Columns of a row group, cell by cell, as the text that a CSV file would have.

use std::fmt::Debug;
use std::io::Write as _;

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::schema::types::ColumnDescriptor;

use super::exchange::Fault;

/// What a column's values are written from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Boolean,
    Signed,
    Unsigned,
    Float,
}

impl Kind {
    /// The kind of a column of single values; `None` of one whose values have no one text: times, decimals, lists, bytes
    /// that are not a text.
    pub(super) fn of(column: &ColumnDescriptor) -> Option<Self> {
        if column.max_rep_level() > 0 || column.path().parts().len() != 1 {
            return None;
        }
        let is_unsigned = is_unsigned(column)?;
        match column.physical_type() {
            Type::BYTE_ARRAY if !is_unsigned => is_text(column).then_some(Self::Text),
            Type::BOOLEAN => Some(Self::Boolean),
            Type::INT32 | Type::INT64 if is_number(column) => {
                Some(if is_unsigned { Self::Unsigned } else { Self::Signed })
            }
            Type::FLOAT | Type::DOUBLE => Some(Self::Float),
            _ => None,
        }
    }
}

/// Whether integers have no sign; `None` where what the column says of itself is of no kind that is read.
fn is_unsigned(column: &ColumnDescriptor) -> Option<bool> {
    match column.logical_type_ref() {
        Some(LogicalType::Integer(integer)) => Some(!integer.is_signed),
        // A column that has no value at all.
        Some(
            LogicalType::String | LogicalType::Enum | LogicalType::Json | LogicalType::Unknown,
        ) => Some(false),
        Some(_) => None,
        None => Some(matches!(
            column.converted_type(),
            ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64
        )),
    }
}

/// Writers of old left out that bytes are a text: what is not UTF-8 is found where it stands.
fn is_text(column: &ColumnDescriptor) -> bool {
    matches!(
        column.converted_type(),
        ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON
    )
}

fn is_number(column: &ColumnDescriptor) -> bool {
    matches!(
        column.converted_type(),
        ConvertedType::NONE
            | ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::INT_64
            | ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64
    )
}

/// A column that is read some rows at a time.
pub(super) trait Cells {
    /// Reads the next `rows` rows: they must be there.
    fn fill(&mut self, rows: usize) -> Result<(), Fault>;

    /// Writes the next cell of those; one without a value is empty.
    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), Fault>;
}

struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// The definition level of a value that is there.
    there: i16,
    values: Vec<T::T>,
    levels: Vec<i16>,
    next_row: usize,
    next_value: usize,
    write: fn(&T::T, &mut Vec<u8>),
}

impl<T: DataType> Cells for Column<T> {
    fn fill(&mut self, rows: usize) -> Result<(), Fault> {
        (self.next_row, self.next_value) = (0, 0);
        self.values.clear();
        self.levels.clear();
        let levels = (self.there > 0).then_some(&mut self.levels);
        let read = self.reader.read_records(rows, levels, None, &mut self.values);
        let (read, _, _) = read.map_err(|_| Fault::Damaged)?;
        if read == rows { Ok(()) } else { Err(Fault::Damaged) }
    }

    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let is_there = if self.there > 0 {
            *self.levels.get(self.next_row).ok_or(Fault::Damaged)? == self.there
        } else {
            true
        };
        self.next_row += 1;
        if is_there {
            let value = self.values.get(self.next_value).ok_or(Fault::Damaged)?;
            self.next_value += 1;
            (self.write)(value, out);
        }
        Ok(())
    }
}

/// The cells of a column of `kind`, whose reader must be of the kind that its schema says.
pub(super) fn cells(kind: Kind, there: i16, reader: ColumnReader) -> Result<Box<dyn Cells>, Fault> {
    Ok(match (reader, kind) {
        (ColumnReader::ByteArrayColumnReader(reader), Kind::Text) => column(reader, there, text),
        (ColumnReader::BoolColumnReader(reader), Kind::Boolean) => column(reader, there, shown),
        (ColumnReader::Int32ColumnReader(reader), Kind::Signed) => column(reader, there, shown),
        (ColumnReader::Int64ColumnReader(reader), Kind::Signed) => column(reader, there, shown),
        (ColumnReader::Int32ColumnReader(reader), Kind::Unsigned) => {
            column(reader, there, |value, out| shown(&value.cast_unsigned(), out))
        }
        (ColumnReader::Int64ColumnReader(reader), Kind::Unsigned) => {
            column(reader, there, |value, out| shown(&value.cast_unsigned(), out))
        }
        (ColumnReader::FloatColumnReader(reader), Kind::Float) => column(reader, there, shown),
        (ColumnReader::DoubleColumnReader(reader), Kind::Float) => column(reader, there, shown),
        _ => return Err(Fault::Damaged),
    })
}

fn column<T: DataType>(
    reader: ColumnReaderImpl<T>,
    there: i16,
    write: fn(&T::T, &mut Vec<u8>),
) -> Box<dyn Cells> {
    let (values, levels) = (Vec::new(), Vec::new());
    Box::new(Column::<T> { reader, there, values, levels, next_row: 0, next_value: 0, write })
}

fn text(value: &ByteArray, out: &mut Vec<u8>) {
    out.extend_from_slice(value.data());
}

/// Numbers in their shortest form that reads back to the same, with a point where they are not integers, as CSV files have
/// them: a score comes to the same bits by either way, and a patient's number to the same text.
fn shown(value: &impl Debug, out: &mut Vec<u8>) {
    // Nothing that is written into memory fails.
    let _ = write!(out, "{value:?}");
}
