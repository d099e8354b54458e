//! Many short records, one behind the other: what a record costs beside its bytes is four more.

use std::str;

/// Records of one block. Blocks are of one size and never grow: nothing is copied as there are more, and no room waits for
/// records that never come.
const BLOCK: usize = 1024;

/// Records by their number.
#[derive(Clone, Default)]
pub(super) struct Blocks {
    full: Vec<Block>,
    /// Of the block that is being filled.
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

/// Records of which each ends where the next begins.
#[derive(Clone)]
struct Block {
    bytes: Box<[u8]>,
    ends: Box<[u32]>,
}

impl Blocks {
    /// Adds the record that `write` appends to what it is given.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        let end = u32::try_from(self.bytes.len());
        self.ends.push(end.expect("1,024 lines of a manifest are far below 4 GiB"));
        if self.ends.len() == BLOCK {
            let (bytes, ends) = (self.bytes.as_slice().into(), self.ends.as_slice().into());
            self.full.push(Block { bytes, ends });
            self.bytes.clear();
            self.ends.clear();
        }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.full.len() * BLOCK + self.ends.len()
    }

    /// The record with this number, counted from 0.
    pub(super) fn get(&self, number: usize) -> Option<&[u8]> {
        let (block, within) = (number / BLOCK, number % BLOCK);
        let (bytes, ends) = match self.full.get(block) {
            Some(block) => (&block.bytes[..], &block.ends[..]),
            None if block == self.full.len() => (&self.bytes[..], &self.ends[..]),
            None => return None,
        };
        let end = *ends.get(within)?;
        let start = within.checked_sub(1).and_then(|before| ends.get(before)).copied();
        bytes.get(start.unwrap_or(0) as usize..end as usize)
    }
}

/// Texts by their number.
#[derive(Clone, Default)]
pub(super) struct Texts(Blocks);

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.0.push(|out| out.extend_from_slice(text.as_bytes()));
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, number: usize) -> Option<&str> {
        str::from_utf8(self.0.get(number)?).ok()
    }

    /// In the order of their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|number| self.get(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_they_were_on_both_sides_of_a_block_s_end() {
        let text = |number: usize| format!("{}ü", "x".repeat(number % 7));
        let mut texts = Texts::default();
        assert_eq!((texts.len(), texts.get(0)), (0, None));
        for count in [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            for number in texts.len()..count {
                texts.push(&text(number));
            }
            assert_eq!((texts.len(), texts.get(count)), (count, None));
            assert!(texts.all().enumerate().all(|(number, found)| found == text(number)));
            assert_eq!(texts.all().count(), count);
        }
        assert_eq!(texts.get(usize::MAX), None);
    }

    #[test]
    fn a_record_may_be_empty() {
        let mut texts = Texts::default();
        for text in ["", "a", "", ""] {
            texts.push(text);
        }
        assert_eq!(texts.all().collect::<Vec<_>>(), ["", "a", "", ""]);
    }
}
