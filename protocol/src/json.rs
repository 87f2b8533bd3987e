//! A JSON serializer for frames, without what frames do not need: floats, maps, error messages. `serde_json` with its error
//! messages would be a third of the browser download; the vectors and the property tests check that the output is the
//! same, byte for byte.

use alloc::string::String;
use core::fmt;

use serde::{
    Serialize,
    ser::{Impossible, SerializeSeq, SerializeStruct, Serializer},
};

/// The marker with which `serde_json::value::RawValue` serializes itself.
const RAW: &str = "$serde_json::private::RawValue";

/// Appends one frame.
pub(crate) fn write<T: Serialize>(value: &T, text: &mut String) -> Result<(), NotAFrame> {
    value.serialize(JsonWriter { text, raw: false })
}

/// The value has a part that no frame has, such as a float: a bug in the protocol crate, which its tests would find.
#[derive(Debug)]
pub(crate) struct NotAFrame;

impl fmt::Display for NotAFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this cannot be part of a frame")
    }
}

impl core::error::Error for NotAFrame {}

impl serde::ser::Error for NotAFrame {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct JsonWriter<'a> {
    text: &'a mut String,
    /// The next string is already JSON.
    raw: bool,
}

type Result<T, E = NotAFrame> = core::result::Result<T, E>;

/// Appends a number in decimal, without `core::fmt`. Digit by digit: the lookup tables of faster methods would add more to
/// the download than they save.
pub fn push_number(number: u64, text: &mut String) {
    if number > 9 {
        push_number(number / 10, text);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

fn write_text(value: &str, text: &mut String) {
    text.push('"');
    let mut written = 0;
    for (at, byte) in value.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0x00..0x20 => "\\u00",
            _ => continue,
        };
        // All of these are ASCII, so the copied range is on character boundaries.
        text.push_str(value.get(written..at).unwrap_or_default());
        text.push_str(short);
        if short.len() > 2 {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        written = at + 1;
    }
    text.push_str(value.get(written..).unwrap_or_default());
    text.push('"');
}

macro_rules! unsigned {
    ($($name:ident: $number:ty),*) => {$(
        fn $name(self, value: $number) -> Result<()> {
            self.serialize_u64(u64::from(value))
        }
    )*};
}

macro_rules! never {
    ($($name:ident: $value:ty),*) => {$(
        fn $name(self, _: $value) -> Result<()> {
            Err(NotAFrame)
        }
    )*};
}

impl<'a> Serializer for JsonWriter<'a> {
    type Ok = ();
    type Error = NotAFrame;
    type SerializeSeq = List<'a>;
    type SerializeTuple = Impossible<(), NotAFrame>;
    type SerializeTupleStruct = Impossible<(), NotAFrame>;
    type SerializeTupleVariant = Impossible<(), NotAFrame>;
    type SerializeMap = Impossible<(), NotAFrame>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Impossible<(), NotAFrame>;

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.text.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<()> {
        push_number(value, self.text);
        Ok(())
    }

    unsigned!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32);

    fn serialize_str(self, value: &str) -> Result<()> {
        if self.raw {
            self.text.push_str(value);
        } else {
            write_text(value, self.text);
        }
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>> {
        self.text.push('[');
        Ok(List { text: self.text, first: true })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Object<'a>> {
        let raw = name == RAW;
        if !raw {
            self.text.push('{');
        }
        Ok(Object { text: self.text, first: true, raw })
    }

    never!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    never!(serialize_f32: f32, serialize_f64: f64, serialize_char: char, serialize_bytes: &[u8]);
    never!(serialize_unit_struct: &'static str);

    fn serialize_none(self) -> Result<()> {
        // Optional fields are omitted, never null.
        Err(NotAFrame)
    }

    fn serialize_unit(self) -> Result<()> {
        Err(NotAFrame)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(NotAFrame)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        Err(NotAFrame)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        Err(NotAFrame)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        Err(NotAFrame)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        Err(NotAFrame)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Err(NotAFrame)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<()> {
        Err(NotAFrame)
    }
}

struct List<'a> {
    text: &'a mut String,
    first: bool,
}

impl SerializeSeq for List<'_> {
    type Ok = ();
    type Error = NotAFrame;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if !core::mem::take(&mut self.first) {
            self.text.push(',');
        }
        value.serialize(JsonWriter { text: self.text, raw: false })
    }

    fn end(self) -> Result<()> {
        self.text.push(']');
        Ok(())
    }
}

struct Object<'a> {
    text: &'a mut String,
    first: bool,
    raw: bool,
}

impl Object<'_> {
    /// Not inlined: there is one for every field of every frame.
    #[inline(never)]
    fn key(&mut self, key: &str) {
        if !core::mem::take(&mut self.first) {
            self.text.push(',');
        }
        // Field names are identifiers: nothing needs escaping.
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
    }
}

impl SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = NotAFrame;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        if !self.raw {
            self.key(key);
        }
        value.serialize(JsonWriter { text: self.text, raw: self.raw })
    }

    fn end(self) -> Result<()> {
        if !self.raw {
            self.text.push('}');
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_serde_json_does_it() {
        let all: String = (0..0x2100).filter_map(char::from_u32).collect();
        let mut text = String::new();
        write(&all, &mut text).unwrap();
        assert_eq!(text, serde_json::to_string(&all).unwrap());
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 9, 10, 1_234, u64::MAX] {
            let mut text = String::new();
            push_number(number, &mut text);
            assert_eq!(text, number.to_string());
        }
    }

    #[test]
    fn what_no_frame_has_is_refused() {
        assert!(write(&1.5, &mut String::new()).is_err());
        assert!(write(&-1, &mut String::new()).is_err());
    }
}
