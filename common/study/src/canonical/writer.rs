//! Writes any value as JSON by RFC 8785 into one buffer.
//!
//! The cost is that of writing, whatever the depth. Held against `serde_json_canonicalizer` by property tests.
//!
//! # References
//!
//! - A. Rundgren, B. Jordan, S. Erdtman (2020). RFC 8785, JSON Canonicalization Scheme.

mod object;
mod serializer;

use serde::Serialize;
use serde_json::Error;

use super::EXACT_IN_JSON;
use object::{Member, Object};

/// The buffer, and the members of the objects that are open.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    members: Vec<Member>,
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
        let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
        self.out.push(b'"');
        let bytes = text.as_bytes();
        let mut written = 0;
        // Nearly all are: looked at whole, several bytes at once.
        let are_plain = bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte));
        let escaped = if are_plain { &[] } else { bytes };
        for (at, byte) in escaped.iter().enumerate() {
            if is_plain(*byte) {
                continue;
            }
            self.out.extend_from_slice(&bytes[written..at]);
            self.escape(*byte);
            written = at + 1;
        }
        self.out.extend_from_slice(&bytes[written..]);
        self.out.push(b'"');
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
