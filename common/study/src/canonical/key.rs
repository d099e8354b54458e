//! Keys of objects: texts, or what is written as one.

use serde::ser::{self, Error as _, Impossible, Serialize};
use serde_json::Error;

use super::EXACT_IN_JSON;

/// Makes a key of a text, a name of a variant, or an integer.
pub(super) struct Key;

fn no_text<T>() -> Result<T, Error> {
    Err(Error::custom("a key must be a text"))
}

impl ser::Serializer for Key {
    type Ok = String;
    type Error = Error;
    type SerializeSeq = Impossible<String, Error>;
    type SerializeTuple = Impossible<String, Error>;
    type SerializeTupleStruct = Impossible<String, Error>;
    type SerializeTupleVariant = Impossible<String, Error>;
    type SerializeMap = Impossible<String, Error>;
    type SerializeStruct = Impossible<String, Error>;
    type SerializeStructVariant = Impossible<String, Error>;

    fn serialize_str(self, key: &str) -> Result<String, Error> {
        Ok(key.to_owned())
    }

    fn serialize_char(self, key: char) -> Result<String, Error> {
        Ok(key.to_string())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<String, Error> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        key: &T,
    ) -> Result<String, Error> {
        key.serialize(self)
    }

    fn serialize_u8(self, key: u8) -> Result<String, Error> {
        self.serialize_u64(key.into())
    }

    fn serialize_u16(self, key: u16) -> Result<String, Error> {
        self.serialize_u64(key.into())
    }

    fn serialize_u32(self, key: u32) -> Result<String, Error> {
        self.serialize_u64(key.into())
    }

    fn serialize_i8(self, key: i8) -> Result<String, Error> {
        self.serialize_i64(key.into())
    }

    fn serialize_i16(self, key: i16) -> Result<String, Error> {
        self.serialize_i64(key.into())
    }

    fn serialize_i32(self, key: i32) -> Result<String, Error> {
        self.serialize_i64(key.into())
    }

    fn serialize_bool(self, _: bool) -> Result<String, Error> {
        no_text()
    }

    fn serialize_u64(self, key: u64) -> Result<String, Error> {
        if key < EXACT_IN_JSON { Ok(key.to_string()) } else { no_text() }
    }

    fn serialize_i64(self, key: i64) -> Result<String, Error> {
        if key.unsigned_abs() < EXACT_IN_JSON { Ok(key.to_string()) } else { no_text() }
    }

    fn serialize_f32(self, _: f32) -> Result<String, Error> {
        no_text()
    }

    fn serialize_f64(self, _: f64) -> Result<String, Error> {
        no_text()
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<String, Error> {
        no_text()
    }

    fn serialize_none(self) -> Result<String, Error> {
        no_text()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<String, Error> {
        no_text()
    }

    fn serialize_unit(self) -> Result<String, Error> {
        no_text()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<String, Error> {
        no_text()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, Error> {
        no_text()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        no_text()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        no_text()
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        no_text()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        no_text()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        no_text()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        no_text()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        no_text()
    }
}
