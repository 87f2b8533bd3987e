//! Writes the frames of the client's core as JSON, with nothing that they do not need. `serde_json` writes all other frames;
//! here it would make up an eighth of what a browser downloads (docs/size.md). The property tests hold this output to that
//! of `serde_json`, byte for byte.

#![allow(
    clippy::single_char_add_str,
    reason = "the code of `String::push`, for all characters, would be downloaded"
)]

use alloc::string::String;
#[cfg(not(target_arch = "wasm32"))]
use alloc::vec::Vec;

use uuid::Uuid;

use crate::{
    Bye, Channel, CoreFrame, Guest, Hello, Mark, Ping, Poll, Pong, Subscribe, Token, Typing, Unsubscribe,
    batch::Frame,
};

impl CoreFrame {
    /// The frame as JSON.
    pub fn to_json(&self) -> String {
        let mut text = String::from("{");
        write_text("type", self.kind(), &mut text);
        match self {
            Self::Hello(frame) => frame.write_fields(&mut text),
            Self::Token(frame) => frame.write_fields(&mut text),
            Self::Poll(frame) => frame.write_fields(&mut text),
            Self::Ping(frame) => frame.write_fields(&mut text),
            Self::Pong(frame) => frame.write_fields(&mut text),
            Self::Bye(frame) => frame.write_fields(&mut text),
            Self::Subscribe(frame) => frame.write_fields(&mut text),
            Self::Unsubscribe(frame) => frame.write_fields(&mut text),
            Self::Typing(frame) => frame.write_fields(&mut text),
            Self::Mark(frame) => frame.write_fields(&mut text),
        }
        text.push_str("}");
        text
    }
}

/// Implements `write_fields`. A field that is not listed does not compile.
macro_rules! fields {
    ($($frame:ident { $($(#[$when:meta])* $field:ident),* })*) => {$(
        impl $frame {
            fn write_fields(&self, text: &mut String) {
                let Self { $($(#[$when])* $field),* } = self;
                $($(#[$when])* $field.write(stringify!($field), text);)*
                let _ = text;
            }
        }
    )*};
}

fields! {
    Hello {
        version,
        #[cfg(not(target_arch = "wasm32"))] versions,
        #[cfg(not(target_arch = "wasm32"))] features,
        session,
        token,
        guest,
        client
    }
    Guest { user, name }
    Token { token }
    Poll { connection, ack, hold_ms }
    Ping { nonce }
    Pong { nonce }
    Bye {}
    Subscribe { channel, epoch, offset, run, recent, undelivered }
    Unsubscribe { channel }
    Typing { channel, typing }
    Mark { channel, epoch, delivered, read, run }
}

/// A type that a field of these frames can have.
trait Field {
    /// Writes the field with its name, if it is present.
    fn write(&self, name: &str, text: &mut String);
}

impl<T: Field> Field for Option<T> {
    fn write(&self, name: &str, text: &mut String) {
        if let Some(value) = self {
            value.write(name, text);
        }
    }
}

impl Field for String {
    fn write(&self, name: &str, text: &mut String) {
        write_text(name, self, text);
    }
}

impl Field for Channel {
    fn write(&self, name: &str, text: &mut String) {
        write_text(name, self.as_str(), text);
    }
}

impl Field for Uuid {
    fn write(&self, name: &str, text: &mut String) {
        write_name(name, text);
        text.push_str("\"");
        push_uuid(self, text);
        text.push_str("\"");
    }
}

impl Field for u32 {
    fn write(&self, name: &str, text: &mut String) {
        u64::from(*self).write(name, text);
    }
}

impl Field for u64 {
    fn write(&self, name: &str, text: &mut String) {
        write_name(name, text);
        push_number(*self, text);
    }
}

impl Field for bool {
    fn write(&self, name: &str, text: &mut String) {
        write_name(name, text);
        text.push_str(if *self { "true" } else { "false" });
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Field for Vec<u32> {
    fn write(&self, name: &str, text: &mut String) {
        write_list(name, self, text, |version, text| push_number((*version).into(), text));
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Field for Vec<String> {
    fn write(&self, name: &str, text: &mut String) {
        write_list(name, self, text, |value, text| write_quoted(value, text));
    }
}

impl Field for Guest {
    fn write(&self, name: &str, text: &mut String) {
        write_name(name, text);
        text.push_str("{");
        self.write_fields(text);
        text.push_str("}");
    }
}

/// Names are identifiers: nothing in them needs escaping.
fn write_name(name: &str, text: &mut String) {
    if !text.ends_with('{') {
        text.push_str(",");
    }
    text.push_str("\"");
    text.push_str(name);
    text.push_str("\":");
}

#[cfg(not(target_arch = "wasm32"))]
fn write_list<T>(name: &str, list: &[T], text: &mut String, write: impl Fn(&T, &mut String)) {
    write_name(name, text);
    let mut before = "[";
    for item in list {
        text.push_str(before);
        write(item, text);
        before = ",";
    }
    text.push_str(if list.is_empty() { "[]" } else { "]" });
}

/// Not inlined: most fields are texts.
#[inline(never)]
fn write_text(name: &str, value: &str, text: &mut String) {
    write_name(name, text);
    write_quoted(value, text);
}

fn write_quoted(value: &str, text: &mut String) {
    text.push_str("\"");
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
        // All of these are ASCII, so both ends of what is copied lie between characters.
        text.push_str(value.get(written..at).unwrap_or_default());
        text.push_str(short);
        if short.len() > 2 {
            push_hex(byte, text);
        }
        written = at + 1;
    }
    text.push_str(value.get(written..).unwrap_or_default());
    text.push_str("\"");
}

/// Appends a number in decimal, for those who build texts without `core::fmt`. Digit by digit: the tables of faster ways
/// weigh more in a browser than all the numbers that a client ever writes.
pub fn push_number(number: u64, text: &mut String) {
    if number > 9 {
        push_number(number / 10, text);
    }
    push_digit((number % 10) as u8, text);
}

/// Appends a UUID. The uuid crate's own formatting would be twice as large.
pub fn push_uuid(uuid: &Uuid, text: &mut String) {
    for (at, byte) in uuid.as_bytes().iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push_str("-");
        }
        push_hex(*byte, text);
    }
}

fn push_digit(digit: u8, text: &mut String) {
    let digit = usize::from(digit);
    text.push_str("0123456789abcdef".get(digit..digit + 1).unwrap_or_default());
}

fn push_hex(byte: u8, text: &mut String) {
    for digit in [byte >> 4, byte & 15] {
        push_digit(digit, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_serde_json_does_it() {
        let token: String = (0..0x2100).filter_map(char::from_u32).collect();
        let frame = CoreFrame::Token(Token { token });
        assert_eq!(frame.to_json(), serde_json::to_string(&frame).unwrap());
    }

    #[test]
    fn frames_are_written_as_serde_json_writes_them() {
        let guest = Guest { user: "u".into(), name: "a \"name\"".into() };
        let session = Uuid::from_u128(7);
        for frame in [
            CoreFrame::Hello(Hello {
                version: 1,
                versions: Some(vec![1, 20]),
                features: Some(vec![]),
                session,
                token: None,
                guest: Some(guest),
                client: None,
            }),
            CoreFrame::Poll(Poll { connection: Some(session), ack: 1 << 52, hold_ms: 0 }),
            CoreFrame::Ping(Ping { nonce: None }),
            CoreFrame::Bye(Bye {}),
            CoreFrame::Typing(Typing { channel: "news".parse().unwrap(), typing: false }),
        ] {
            assert_eq!(frame.to_json(), serde_json::to_string(&frame).unwrap());
        }
    }

    #[test]
    fn a_uuid_is_written_as_the_crate_does_it() {
        let uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        let mut text = String::new();
        push_uuid(&uuid, &mut text);
        assert_eq!(text, uuid.to_string());
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 9, 10, 1_234, u64::MAX] {
            let mut text = String::new();
            push_number(number, &mut text);
            assert_eq!(text, number.to_string());
        }
    }
}
