//! Writes any value as JSON by RFC 8785 into one buffer.
//!
//! The cost is that of writing, whatever the depth. Held against `serde_json_canonicalizer` by property tests.
//!
//! # References
//!
//! - A. Rundgren, B. Jordan, S. Erdtman (2020). RFC 8785, JSON Canonicalization Scheme.

mod field;
mod object;
mod serializer;

use serde::Serialize;
use serde_json::Error;

use super::EXACT_IN_JSON;
use field::Fields;
use object::{Member, Object};

/// The buffer, and the members of the objects that are open.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    members: Vec<Member>,
    fields: Fields,
    scratch: Vec<u8>,
}

/// The canonical form of `value` behind what stands in `out`.
pub(super) fn write<T: Serialize + ?Sized>(value: &T, out: Vec<u8>) -> Result<Vec<u8>, Error> {
    let mut writer = Writer { out, ..Writer::default() };
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

impl Writer {
    fn integer(&mut self, number: u64, is_negative: bool) {
        // From 2⁵³ on a number is what a reader with doubles makes of it.
        if number > EXACT_IN_JSON {
            #[expect(clippy::cast_precision_loss, reason = "a JSON number is a double")]
            let number = if is_negative { -(number as f64) } else { number as f64 };
            return self.float(number);
        }
        if is_negative {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    fn float(&mut self, number: f64) {
        if number.is_finite() {
            let mut buffer = ryu_js::Buffer::new();
            self.out.extend_from_slice(buffer.format_finite(number).as_bytes());
        } else {
            self.out.extend_from_slice(b"null");
        }
    }

    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        self.out.reserve(bytes.len() + 2);
        self.out.push(b'"');
        if are_plain(bytes) {
            self.out.extend_from_slice(bytes);
        } else {
            self.escaped(bytes);
        }
        self.out.push(b'"');
    }

    fn escaped(&mut self, bytes: &[u8]) {
        let mut written = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if is_plain(*byte) {
                continue;
            }
            self.out.extend_from_slice(&bytes[written..at]);
            self.escape(*byte);
            written = at + 1;
        }
        self.out.extend_from_slice(&bytes[written..]);
    }

    fn escape(&mut self, byte: u8) {
        const HEX: [u8; 16] = *b"0123456789abcdef";
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            _ => {
                self.out.extend_from_slice(b"\\u00");
                let digits = [byte >> 4, byte & 0xf].map(|digit| HEX[usize::from(digit)]);
                return self.out.extend_from_slice(&digits);
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }

    /// Writes `{"variant":`, and what follows is its only member.
    fn variant(&mut self, variant: &str) {
        self.out.push(b'{');
        self.text(variant);
        self.out.push(b':');
    }

    fn list(&mut self, closing: &'static [u8]) -> List<'_> {
        self.out.push(b'[');
        List { writer: self, closing, is_first: true }
    }

    fn object(&mut self, closing: &'static [u8]) -> Object<'_> {
        self.out.push(b'{');
        Object::begin(self, closing)
    }
}

/// Whether the byte stands in a text as it is.
const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Whether all of them do. Nearly all texts are a few such bytes: they are looked at eight at once.
fn are_plain(bytes: &[u8]) -> bool {
    const WORD: usize = size_of::<u64>();
    let (words, rest) = bytes.as_chunks::<WORD>();
    let last = match bytes.last_chunk::<WORD>() {
        // Some of them a second time.
        Some(last) => is_word_plain(u64::from_le_bytes(*last)),
        None => rest.iter().all(|byte| is_plain(*byte)),
    };
    last && words.iter().all(|word| is_word_plain(u64::from_le_bytes(*word)))
}

/// The same of eight bytes, without a look at each (H. S. Warren, Hacker's Delight, 6-1).
const fn is_word_plain(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    /// High bits where a byte is less than the limit; no other word has any.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word & HIGH
    }
    let quote = below(word ^ (ONES * b'"' as u64), 1);
    let backslash = below(word ^ (ONES * b'\\' as u64), 1);
    below(word, 0x20) | quote | backslash == 0
}

/// An array that is open.
struct List<'w> {
    writer: &'w mut Writer,
    closing: &'static [u8],
    is_first: bool,
}

impl List<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !self.is_first {
            self.writer.out.push(b',');
        }
        self.is_first = false;
        value.serialize(&mut *self.writer)
    }

    fn close(self) {
        self.writer.out.extend_from_slice(self.closing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_judged_alike_at_each_place_of_a_text() {
        for byte in 0..=u8::MAX {
            for length in 1..20 {
                for place in 0..length {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    assert_eq!(are_plain(&bytes), is_plain(byte), "{byte} {place} {length}");
                }
            }
        }
    }

    #[test]
    fn neighbours_of_a_byte_do_not_change_what_it_is() {
        for (one, other) in [(0x80, 0x1f), (0xff, 0x22), (0xa0, 0x5c), (0x21, 0x23), (0x5b, 0x5d)] {
            let bytes = [one, other, one, one, other, other, one, other];
            assert_eq!(
                are_plain(&bytes),
                bytes.iter().all(|byte| is_plain(*byte)),
                "{one} {other}"
            );
        }
    }
}
