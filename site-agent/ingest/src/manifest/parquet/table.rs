//! In the box: a table, some rows at a time.

use std::collections::VecDeque;

use parquet::basic::Compression;
use parquet::file::reader::{ChunkReader, FileReader as _, SerializedFileReader};

use super::column::{Cells, Kind, cells};
use super::exchange::{Fault, add_with};
use crate::manifest::records::{MAX_FIELDS, MAX_RECORD_BYTES};

/// Rows that are read of each column before the next: what is held does not grow with the table.
const BATCH_ROWS: u64 = 1024;

/// Bytes of cells after which a reply is sent as it is.
const REPLY_BYTES: usize = 1 << 20;

/// Longest reply of an honest box: a row at the limit more than is sent at once, and its lengths.
pub(super) const MAX_REPLY_BYTES: u64 = (REPLY_BYTES + 2 * MAX_RECORD_BYTES) as u64;

/// A column that is wanted.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// Its place among the columns of single values.
    leaf: usize,
    kind: Kind,
    /// The definition level of a value that is there.
    there: i16,
}

/// A table in a file.
pub(super) struct Table<R: ChunkReader> {
    reader: SerializedFileReader<R>,
    names: Vec<(String, bool)>,
    /// What each column of the header can be read as.
    readable: Vec<Option<Wanted>>,
    wanted: Vec<Wanted>,
    /// Row groups that were not begun.
    groups: VecDeque<usize>,
    columns: Vec<Box<dyn Cells>>,
    /// Rows of this row group that were not read.
    in_group: u64,
    /// Rows that were read and not answered.
    in_batch: u64,
    /// The row at hand, which waits for the reply after this.
    row: Vec<u8>,
}

impl<R: ChunkReader + 'static> Table<R> {
    /// Reads the end of the file, where everything else is described.
    pub(super) fn open(file: R) -> Result<Self, Fault> {
        let reader = SerializedFileReader::new(file).map_err(|_| Fault::Damaged)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let fields = schema.root_schema().get_fields();
        if fields.len() > MAX_FIELDS {
            return Err(Fault::RowTooLong);
        }
        let mut readable = vec![None; fields.len()];
        for (leaf, column) in schema.columns().iter().enumerate() {
            let place = readable.get_mut(schema.get_column_root_idx(leaf)).ok_or(Fault::Damaged)?;
            let there = column.max_def_level();
            *place = Kind::of(column).map(|kind| Wanted { leaf, kind, there });
        }
        let names: Vec<(String, bool)> = fields
            .iter()
            .zip(&readable)
            .map(|(field, readable)| (field.name().to_owned(), readable.is_some()))
            .collect();
        if names.iter().map(|(name, _)| name.len()).sum::<usize>() > MAX_RECORD_BYTES {
            return Err(Fault::RowTooLong);
        }
        let groups = (0..reader.num_row_groups()).collect();
        let (wanted, columns, row) = (Vec::new(), Vec::new(), Vec::new());
        let (in_group, in_batch) = (0, 0);
        Ok(Self { reader, names, readable, wanted, groups, columns, in_group, in_batch, row })
    }

    /// The columns, with whether each can be read.
    pub(super) fn names(&self) -> &[(String, bool)] {
        &self.names
    }

    /// Reads these columns and no other, whatever the others hold.
    pub(super) fn select(&mut self, places: &[usize]) -> Result<(), Fault> {
        let of = |place: &usize| self.readable.get(*place).copied().flatten();
        self.wanted = places.iter().map(of).collect::<Option<_>>().ok_or(Fault::Damaged)?;
        for group in self.reader.metadata().row_groups() {
            for wanted in &self.wanted {
                let column = group.columns().get(wanted.leaf).ok_or(Fault::Damaged)?;
                if !is_read(column.compression()) {
                    return Err(Fault::Compression);
                }
            }
        }
        Ok(())
    }

    /// Cells of the next rows; none after the last.
    pub(super) fn next(&mut self) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        while out.len() < REPLY_BYTES && (self.in_batch > 0 || self.next_batch()?) {
            if self.row.is_empty() {
                self.read_row()?;
            }
            let cells = self.row.len() - 4 * self.wanted.len();
            if cells > MAX_RECORD_BYTES {
                // The rows before it are answered first, so that its line can be told.
                return if out.is_empty() { Err(Fault::RowTooLong) } else { Ok(out) };
            }
            out.append(&mut self.row);
            self.in_batch -= 1;
        }
        Ok(out)
    }

    fn read_row(&mut self) -> Result<(), Fault> {
        for column in &mut self.columns {
            add_with(&mut self.row, |row| column.write(row))?;
        }
        // Without a column there are no rows.
        if self.row.is_empty() { Err(Fault::Damaged) } else { Ok(()) }
    }

    /// Whether there was one.
    fn next_batch(&mut self) -> Result<bool, Fault> {
        while self.in_group == 0 {
            let Some(group) = self.groups.pop_front() else { return Ok(false) };
            self.begin(group)?;
        }
        let rows = self.in_group.min(BATCH_ROWS);
        for column in &mut self.columns {
            column.fill(usize::try_from(rows).map_err(|_| Fault::Damaged)?)?;
        }
        self.in_group -= rows;
        self.in_batch = rows;
        Ok(true)
    }

    fn begin(&mut self, group: usize) -> Result<(), Fault> {
        // Before those of the next are there: each holds a page.
        self.columns.clear();
        let group = self.reader.get_row_group(group).map_err(|_| Fault::Damaged)?;
        self.in_group = u64::try_from(group.metadata().num_rows()).map_err(|_| Fault::Damaged)?;
        for wanted in &self.wanted {
            let reader = group.get_column_reader(wanted.leaf).map_err(|_| Fault::Damaged)?;
            self.columns.push(cells(wanted.kind, wanted.there, reader)?);
        }
        Ok(())
    }
}

/// Codecs that the library was built with. Each unpacks a page into the room that the page declares, made before: nothing
/// grows with what is unpacked, nor does Zstandard's window, as pages are unpacked whole. What a page declares beyond
/// honest sizes ends at the box's memory limit.
const fn is_read(compression: Compression) -> bool {
    matches!(
        compression,
        Compression::UNCOMPRESSED
            | Compression::SNAPPY
            | Compression::GZIP(_)
            | Compression::ZSTD(_)
    )
}
