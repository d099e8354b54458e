//! What a table's box says, which hostile bytes may have shaped.

use super::exchange::{DONE, Fault, take};
use crate::manifest::records::{MAX_FIELDS, MAX_RECORD_BYTES};

/// Why nothing can be made of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The box found this.
    Told(Fault),
    /// It is not what an honest box would send.
    Odd,
}

/// The columns of a table, and the reply at hand.
#[derive(Default)]
pub(super) struct Received {
    pub(super) names: Vec<String>,
    /// For each column, whether its values can be read.
    pub(super) readable: Vec<bool>,
    /// Places of the columns that are asked for, in ascending order.
    pub(super) selected: Vec<usize>,
    reply: Vec<u8>,
    /// What of the reply was taken.
    taken: usize,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Received {
    /// Takes a reply in the place of the last.
    pub(super) fn reply(&mut self, reply: Vec<u8>) -> Result<(), Refused> {
        self.reply = reply;
        self.taken = 1;
        match self.reply.first() {
            Some(&DONE) => Ok(()),
            Some(status) => Err(Fault::of(*status).map_or(Refused::Odd, Refused::Told)),
            None => Err(Refused::Odd),
        }
    }

    /// Whether nothing is left of the reply.
    pub(super) fn is_taken(&self) -> bool {
        self.taken >= self.reply.len()
    }

    /// Takes the names of the columns.
    pub(super) fn take_names(&mut self) -> Result<(), Refused> {
        let mut rest = self.reply.get(self.taken..).ok_or(Refused::Odd)?;
        while let Some((is_readable, after)) = rest.split_first() {
            rest = after;
            let name = take(&mut rest).and_then(|name| std::str::from_utf8(name).ok());
            self.names.push(name.ok_or(Refused::Odd)?.trim().to_owned());
            self.readable.push(*is_readable == 1);
            if self.names.len() > MAX_FIELDS {
                return Err(Refused::Odd);
            }
        }
        self.taken = self.reply.len();
        Ok(())
    }

    /// Takes one row: its cells, and where each ends. That of a column that was not asked for is empty.
    pub(super) fn take_row(&mut self) -> Result<(&[u8], &[usize]), Refused> {
        let mut rest = self.reply.get(self.taken..).ok_or(Refused::Odd)?;
        self.text.clear();
        self.ends.clear();
        let mut selected = self.selected.iter().peekable();
        for place in 0..self.names.len() {
            if selected.next_if(|next| **next == place).is_some() {
                self.text.extend_from_slice(take(&mut rest).ok_or(Refused::Odd)?);
            }
            self.ends.push(self.text.len());
        }
        self.taken = self.reply.len() - rest.len();
        let is_honest = self.text.len() <= MAX_RECORD_BYTES;
        if is_honest { Ok((&self.text, &self.ends)) } else { Err(Refused::Odd) }
    }
}

/// Rows in `rows`, a reply of a table's box that said `head` first and was then asked for its first two columns. What looks
/// for replies that the agent does not stand calls this; an odd one has no row from where it is odd.
#[must_use]
pub fn rows_of_replies(head: &[u8], rows: &[u8]) -> usize {
    let mut received = Received::default();
    if received.reply(head.to_vec()).and_then(|()| received.take_names()).is_err() {
        return 0;
    }
    received.selected = (0..received.names.len().min(2)).collect();
    if received.selected.is_empty() || received.reply(rows.to_vec()).is_err() {
        return 0;
    }
    let mut count = 0;
    while !received.is_taken() && received.take_row().is_ok() {
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap();
        [&length.to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn head(names: &[&str]) -> Vec<u8> {
        let column = |name: &&str| [&[1], &cell(name)[..]].concat();
        [vec![DONE], names.iter().flat_map(column).collect()].concat()
    }

    #[test]
    fn rows_have_every_column_of_the_header_and_cells_of_those_asked_for() {
        let mut received = Received::default();
        received.reply(head(&["a", " b ", "c"])).unwrap();
        received.take_names().unwrap();
        assert_eq!(received.names, ["a", "b", "c"]);
        received.selected = vec![0, 2];
        let rows = [vec![DONE], cell("x"), cell("yz"), cell(""), cell("w")].concat();
        received.reply(rows).unwrap();
        assert_eq!(received.take_row(), Ok((&b"xyz"[..], &[1, 1, 3][..])));
        assert!(!received.is_taken());
        assert_eq!(received.take_row(), Ok((&b"w"[..], &[0, 0, 1][..])));
        assert!(received.is_taken());
    }

    #[test]
    fn odd_replies_are_refused() {
        let mut received = Received::default();
        assert_eq!(received.reply(Vec::new()), Err(Refused::Odd));
        assert_eq!(received.reply(vec![200]), Err(Refused::Odd));
        assert_eq!(received.reply(vec![1]), Err(Refused::Told(Fault::Damaged)));
        for odd in [
            vec![DONE, 1],
            vec![DONE, 1, 255, 0, 0, 0, b'a'],
            [&[DONE, 1, 1, 0, 0, 0], &[0xff][..]].concat(),
        ] {
            let mut received = Received::default();
            received.reply(odd).unwrap();
            assert_eq!(received.take_names(), Err(Refused::Odd));
        }
        // A row that ends in the middle, and one that no honest box sends.
        let long = "x".repeat(MAX_RECORD_BYTES + 1);
        for odd in [cell("x"), [cell("x"), cell(&long)].concat()] {
            assert_eq!(rows_of_replies(&head(&["a", "b"]), &[&[DONE], &odd[..]].concat()), 0);
        }
        let many: Vec<&str> = vec!["a"; MAX_FIELDS + 1];
        assert_eq!(rows_of_replies(&head(&many), &[DONE]), 0);
        let two = [vec![DONE], cell("a"), cell("b"), cell("c"), cell("d")].concat();
        assert_eq!(rows_of_replies(&head(&["a", "b"]), &two), 2);
    }
}
