//! What travels between a table's box and its parent.
//!
//! A request is a byte and what it needs; integers are little-endian. A reply is a byte that says how it went, and after a
//! zero: of [`OPEN`], a byte for each column that says whether it can be read, with its name; of [`SELECT`], nothing; of
//! [`NEXT`], cell after cell of some rows, or nothing after the last. Names and cells have their length in four bytes in
//! front.

use super::file::BoxedFile;
use super::table::Table;

/// Opens the table; eight bytes of its size follow.
pub(super) const OPEN: u8 = 0;
/// Names the columns that are wanted; four bytes of each one's place follow, in ascending order.
pub(super) const SELECT: u8 = 1;
/// Wants more rows.
pub(super) const NEXT: u8 = 2;

/// First byte of a reply without a fault.
pub(super) const DONE: u8 = 0;

/// Why a table cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not what the format says.
    Damaged,
    /// Its pages are compressed in a way that is not read.
    Compression,
    /// The next row is longer than any honest one.
    RowTooLong,
}

impl Fault {
    const ALL: [Self; 3] = [Self::Damaged, Self::Compression, Self::RowTooLong];

    fn reply(self) -> Vec<u8> {
        vec![1 + self as u8]
    }

    /// What a reply's first byte says; `None` of no fault that an honest box knows.
    pub(super) fn of(status: u8) -> Option<Self> {
        Self::ALL.get(usize::from(status).checked_sub(1)?).copied()
    }
}

/// In the box: the table, once it is open.
#[derive(Default)]
pub(super) struct Answering(Option<Table<BoxedFile>>);

impl Answering {
    pub(super) fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let answered = match request {
            [OPEN, size @ ..] => self.open(size),
            [SELECT, places @ ..] => self.select(places).map(|()| Vec::new()),
            [NEXT] => self.0.as_mut().ok_or(Fault::Damaged).and_then(Table::next),
            _ => Err(Fault::Damaged),
        };
        match answered {
            // In front of what is sent, not beside it: batches are small.
            Ok(mut rest) => {
                rest.insert(0, DONE);
                rest
            }
            Err(fault) => fault.reply(),
        }
    }

    fn open(&mut self, size: &[u8]) -> Result<Vec<u8>, Fault> {
        let bytes = u64::from_le_bytes(size.try_into().map_err(|_| Fault::Damaged)?);
        let table = self.0.insert(Table::open(BoxedFile { bytes })?);
        let mut head = Vec::new();
        for (name, is_readable) in table.names() {
            head.push(u8::from(*is_readable));
            add(&mut head, name.as_bytes());
        }
        Ok(head)
    }

    fn select(&mut self, places: &[u8]) -> Result<(), Fault> {
        let (places, rest) = places.as_chunks::<4>();
        let table = self.0.as_mut().filter(|_| rest.is_empty()).ok_or(Fault::Damaged)?;
        let places: Vec<usize> =
            places.iter().map(|place| u32::from_le_bytes(*place) as usize).collect();
        table.select(&places)
    }
}

/// Adds a text with its length in front.
fn add(out: &mut Vec<u8>, text: &[u8]) {
    add_with(out, |out| out.extend_from_slice(text));
}

/// Adds what `write` writes, with its length in front.
pub(super) fn add_with<T>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let at = out.len();
    out.extend([0; 4]);
    let written = write(out);
    // Of a length that does not fit, the row is refused as too long.
    let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    written
}

/// The first text in `from`, which is left with what follows it; `None` where there is no whole one.
pub(super) fn take<'r>(from: &mut &'r [u8]) -> Option<&'r [u8]> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *from = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_taken_and_what_is_cut_is_not() {
        let mut sent = Vec::new();
        add(&mut sent, b"case");
        add(&mut sent, b"");
        let mut rest = &sent[..];
        assert_eq!((take(&mut rest), take(&mut rest)), (Some(&b"case"[..]), Some(&b""[..])));
        assert_eq!(take(&mut rest), None);
        assert_eq!(take(&mut &sent[..7]), None);
    }

    #[test]
    fn every_fault_survives_the_pipe() {
        for fault in Fault::ALL {
            assert_eq!(Fault::of(fault.reply()[0]), Some(fault));
        }
        assert_eq!((Fault::of(DONE), Fault::of(200)), (None, None));
    }

    #[test]
    fn a_box_that_was_not_told_what_to_open_has_no_rows() {
        let mut answering = Answering::default();
        for request in [&[][..], &[NEXT], &[OPEN, 1], &[SELECT, 1, 0, 0, 0], &[200]] {
            assert_eq!(answering.answer(request), Fault::Damaged.reply());
        }
    }
}
