//! Writes any value as JSON by RFC 8785 into one buffer.
//!
//! Keys are put in order once, where their object ends, and moved only where they are not in order already:
//! the cost is that of writing, whatever the depth. Held against `serde_json_canonicalizer` by property tests.
//!
//! # References
//!
//! - A. Rundgren, B. Jordan, S. Erdtman (2020). RFC 8785, JSON Canonicalization Scheme.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::ser::{self, Error as _, Serialize};
use serde_json::Error;

use super::EXACT_IN_JSON;
use super::key::Key;

/// Where a member of an object stands in the buffer.
struct Member {
    key: Cow<'static, str>,
    start: usize,
    end: usize,
}

/// The buffer, and the members of the objects that are open.
#[derive(Default)]
pub(super) struct Writer {
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
        Object { begun: self.members.len(), start: self.out.len(), writer: self, closing }
    }
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
fn order(one: &str, other: &str) -> Ordering {
    let rank = |byte: u8| if byte >= 0xf0 { (0xed, byte) } else { (byte, 0) };
    let differing = one.bytes().zip(other.bytes()).find(|(one, other)| one != other);
    match differing {
        Some((one, other)) => rank(one).cmp(&rank(other)),
        None => one.len().cmp(&other.len()),
    }
}

/// An array that is open.
pub(super) struct List<'w> {
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

/// An object that is open.
pub(super) struct Object<'w> {
    writer: &'w mut Writer,
    /// Its first among the members.
    begun: usize,
    /// Where the first one stands.
    start: usize,
    closing: &'static [u8],
}

impl Object<'_> {
    /// Writes a key; its value follows.
    fn key(&mut self, key: Cow<'static, str>) {
        if self.writer.members.len() > self.begun {
            self.writer.out.push(b',');
        }
        let start = self.writer.out.len();
        self.writer.text(&key);
        self.writer.out.push(b':');
        self.writer.members.push(Member { key, start, end: start });
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.writer)?;
        let end = self.writer.out.len();
        let own = self.writer.members.get_mut(self.begun..);
        let member = own.and_then(<[Member]>::last_mut);
        member.ok_or_else(|| Error::custom("a value without a key"))?.end = end;
        Ok(())
    }

    fn close(self) -> Result<(), Error> {
        let Writer { out, members, scratch } = self.writer;
        let own = &mut members[self.begun..];
        let in_order = |pair: &[Member]| order(&pair[0].key, &pair[1].key) == Ordering::Less;
        if !own.windows(2).all(in_order) {
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

impl<'w> ser::Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = List<'w>;
    type SerializeTuple = List<'w>;
    type SerializeTupleStruct = List<'w>;
    type SerializeTupleVariant = List<'w>;
    type SerializeMap = Object<'w>;
    type SerializeStruct = Object<'w>;
    type SerializeStructVariant = Object<'w>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.integer(value.unsigned_abs(), value < 0);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.integer(value, false);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.float(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        let mut list = self.list(b"]");
        value.iter().try_for_each(|byte| list.element(byte))?;
        list.close();
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant);
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'w>, Error> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'w>, Error> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'w>, Error> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'w>, Error> {
        self.variant(variant);
        Ok(self.list(b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'w>, Error> {
        Ok(self.object(b"}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'w>, Error> {
        Ok(self.object(b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'w>, Error> {
        self.variant(variant);
        Ok(self.object(b"}}"))
    }
}

impl ser::SerializeSeq for List<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTuple for List<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTupleStruct for List<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTupleVariant for List<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(Cow::Owned(key.serialize(Key)?));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.key(Cow::Borrowed(key));
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.key(Cow::Borrowed(key));
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}
