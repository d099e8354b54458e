//! CSV records of bounded size, whatever the file holds.

use std::io::{BufRead, ErrorKind};

use csv_core::{ReadRecordResult, Reader};

use super::error::ManifestProblem;
use crate::problem_list::ProblemList;

/// Longest record, in bytes, the separators not counted.
pub(super) const MAX_RECORD_BYTES: usize = 64 * 1024;

/// Most fields of a record.
pub(super) const MAX_FIELDS: usize = 1024;

/// A table's rows, whatever file they stand in.
pub(crate) trait Rows {
    /// The names of the columns, without surrounding white space. Asked for once, before all else.
    fn header(&mut self) -> Result<Vec<String>, ManifestProblem>;

    /// Says which columns are needed, by their places in the header, before the first row. What cannot be read of them is
    /// added to what is wrong.
    fn select(&mut self, places: Vec<usize>, wrong: &mut ProblemList<ManifestProblem>);

    /// The next row; `None` after the last.
    fn next(&mut self) -> Result<Option<Record<'_>>, ManifestProblem>;
}

/// Reads one record after the other into the same two buffers: a line of a gigabyte is refused
/// once they are full.
pub(super) struct Records<R> {
    file: R,
    parser: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// One record; its fields are read through [`Record::fields`].
pub(crate) struct Record<'a> {
    /// The line it starts in, counted from 1.
    pub(crate) line: u64,
    text: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    /// A record of which each field ends where the next begins.
    pub(super) const fn new(line: u64, text: &'a [u8], ends: &'a [usize]) -> Self {
        Self { line, text, ends }
    }

    /// The fields without surrounding white space; `None` if one is not UTF-8.
    pub(crate) fn fields(&self) -> Option<Vec<&str>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(self.ends)
            .map(|(start, end)| self.text.get(start..*end))
            .map(|field| std::str::from_utf8(field?).ok().map(str::trim))
            .collect()
    }
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(file: R) -> Self {
        Self {
            file,
            parser: Reader::new(),
            text: vec![0; MAX_RECORD_BYTES],
            ends: vec![0; MAX_FIELDS],
        }
    }

    /// The next record; `None` at the end of the file.
    fn record(&mut self) -> Result<Option<Record<'_>>, ManifestProblem> {
        let (mut written, mut ended) = (0, 0);
        let mut line = self.parser.line();
        loop {
            let input = match self.file.fill_buf() {
                Ok(input) => input,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(ManifestProblem::Unreadable),
            };
            if written == 0 && ended == 0 {
                line = self.parser.line() + leading_breaks(input);
            }
            let (result, read, out, ends) =
                self.parser.read_record(input, &mut self.text[written..], &mut self.ends[ended..]);
            self.file.consume(read);
            written += out;
            ended += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(ManifestProblem::LineTooLong { line });
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        Ok(Some(Record { line, text: &self.text[..written], ends: &self.ends[..ended] }))
    }
}

impl<R: BufRead> Rows for Records<R> {
    fn header(&mut self) -> Result<Vec<String>, ManifestProblem> {
        let header = self.next()?.ok_or(ManifestProblem::Empty)?;
        let names = header.fields().ok_or(ManifestProblem::NotUtf8 { line: header.line })?;
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    /// All of a line is read anyway.
    fn select(&mut self, _: Vec<usize>, _: &mut ProblemList<ManifestProblem>) {}

    fn next(&mut self) -> Result<Option<Record<'_>>, ManifestProblem> {
        self.record()
    }
}

/// Empty lines in front of a record, which the parser skips.
fn leading_breaks(input: &[u8]) -> u64 {
    input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|b| **b == b'\n').count()
        as u64
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read, repeat};

    use super::*;

    /// Counts what is read of an endless line.
    struct Counted<R>(R, usize);

    impl<R: Read> Read for Counted<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1 += read;
            Ok(read)
        }
    }

    #[test]
    fn an_endless_line_is_refused_after_little_more_than_the_limit() {
        for byte in [b'x', b','] {
            let mut records = Records::new(BufReader::new(Counted(repeat(byte), 0)));
            assert_eq!(records.next().err(), Some(ManifestProblem::LineTooLong { line: 1 }));
            assert!(records.file.get_ref().1 <= 2 * MAX_RECORD_BYTES);
        }
    }

    #[test]
    fn quotes_breaks_and_a_byte_order_mark_are_read_as_spreadsheets_write_them() {
        let file = "\u{feff}a,b\r\n\r\n\"x, y\",\"1\n2\"\r\nlast,3";
        let mut records = Records::new(file.as_bytes());
        let mut read = Vec::new();
        while let Some(record) = records.next().unwrap() {
            let fields = record.fields().unwrap();
            read.push((record.line, fields.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        }
        let expected = [(1, ["a", "b"]), (3, ["x, y", "1\n2"]), (5, ["last", "3"])];
        assert_eq!(read, expected.map(|(line, f)| (line, f.map(str::to_owned).to_vec())));
    }
}
