//! Objects: keys are put in order once, where their object ends, and moved only where they are not in order already.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::ser::{Error as _, Serialize};
use serde_json::Error;

use super::Writer;

/// Where a member of an object stands in the buffer.
pub(super) struct Member {
    key: Cow<'static, str>,
    start: usize,
    end: usize,
}

/// Objects larger than this are put in order where they are: a second copy of a report is as large as the report.
const LARGE: usize = 1 << 20;

/// Moves the members that stand in `out` from `start` on into the order given, one after the other to the front of
/// those that are left.
fn reorder_in_place(out: &mut Vec<u8>, start: usize, members: &mut [Member]) {
    // Each with a comma behind it, the last one for the time being.
    out.push(b',');
    let mut place = start;
    for index in 0..members.len() {
        let Member { start, end, .. } = members[index];
        let length = end + 1 - start;
        out[place..=end].rotate_right(length);
        // What stood before it stands behind it now.
        for other in &mut members[index + 1..] {
            if other.start < start {
                other.start += length;
                other.end += length;
            }
        }
        place += length;
    }
    out.pop();
}

/// Keys are in the order of their UTF-16 code units. It is that of bytes, but that code points beyond U+FFFF, whose
/// first byte is the largest, stand as surrogates between U+D7FF and U+E000.
pub(super) fn order(one: &str, other: &str) -> Ordering {
    let rank = |byte: u8| if byte >= 0xf0 { (0xed, byte) } else { (byte, 0) };
    let differing = one.bytes().zip(other.bytes()).find(|(one, other)| one != other);
    match differing {
        Some((one, other)) => rank(one).cmp(&rank(other)),
        None => one.len().cmp(&other.len()),
    }
}

/// An object that is open.
pub(super) struct Object<'w> {
    writer: &'w mut Writer,
    /// Its first among the members.
    begun: usize,
    /// Where the first one stands.
    start: usize,
    closing: &'static [u8],
    /// The field that was written last.
    last: Option<&'static str>,
    is_in_order: bool,
}

impl<'w> Object<'w> {
    /// An object whose first member comes next in the buffer.
    pub(super) fn begin(writer: &'w mut Writer, closing: &'static [u8]) -> Self {
        let (begun, start) = (writer.members.len(), writer.out.len());
        Self { writer, begun, start, closing, last: None, is_in_order: true }
    }

    /// Writes the name of a structure's field; its value follows.
    pub(super) fn field(&mut self, name: &'static str) {
        let Writer { out, members, fields, .. } = &mut *self.writer;
        let Some((text, follows)) = fields.written(self.last.replace(name), name) else {
            return self.key(Cow::Borrowed(name));
        };
        self.is_in_order &= follows;
        let is_first = members.len() == self.begun;
        let start = out.len() + usize::from(!is_first);
        out.extend_from_slice(if is_first { &text[1..] } else { text });
        members.push(Member { key: Cow::Borrowed(name), start, end: start });
    }

    /// Writes a key; its value follows.
    pub(super) fn key(&mut self, key: Cow<'static, str>) {
        let own = &self.writer.members[self.begun..];
        if let Some(before) = own.last() {
            self.is_in_order &= order(&before.key, &key) == Ordering::Less;
            self.writer.out.push(b',');
        }
        let start = self.writer.out.len();
        self.writer.text(&key);
        self.writer.out.push(b':');
        self.writer.members.push(Member { key, start, end: start });
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.writer)?;
        let end = self.writer.out.len();
        let own = self.writer.members.get_mut(self.begun..);
        let member = own.and_then(<[Member]>::last_mut);
        member.ok_or_else(|| Error::custom("a value without a key"))?.end = end;
        Ok(())
    }

    pub(super) fn close(self) -> Result<(), Error> {
        let Writer { out, members, scratch, .. } = self.writer;
        let own = &mut members[self.begun..];
        if !self.is_in_order {
            own.sort_unstable_by(|one, other| order(&one.key, &other.key));
            if own.windows(2).any(|pair| pair[0].key == pair[1].key) {
                return Err(Error::custom("two members of an object have one key"));
            }
            if out.len() - self.start > LARGE {
                reorder_in_place(out, self.start, own);
            } else {
                scratch.clear();
                for (index, member) in own.iter().enumerate() {
                    if index > 0 {
                        scratch.push(b',');
                    }
                    scratch.extend_from_slice(&out[member.start..member.end]);
                }
                out.truncate(self.start);
                out.extend_from_slice(scratch);
            }
        }
        members.truncate(self.begun);
        out.extend_from_slice(self.closing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_their_utf_16_code_units() {
        let parts =
            ["", "a", "b", "\0", "\u{7f}", "é", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}"];
        let long = ["", "seven b", "eight by", "nine byte"];
        let mut keys: Vec<String> = Vec::new();
        for before in long {
            for one in parts {
                keys.extend(parts.map(|other| format!("{before}{one}{other}")));
            }
        }
        for one in &keys {
            for other in &keys {
                let expected = one.encode_utf16().cmp(other.encode_utf16());
                assert_eq!(order(one, other), expected, "{one:?} {other:?}");
            }
        }
    }
}
