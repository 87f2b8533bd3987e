//! The registers in which arguments cross between JavaScript and the core: a fixed number of numbers and strings, because
//! every exported function with its own parameters is larger than an entry in a table (docs/size.md). The order in the
//! declaration determines which register holds which argument.

#[cfg(target_arch = "wasm32")]
use alloc::string::String;
#[cfg(target_arch = "wasm32")]
use core::mem;

use everwire_client_core::{Handle, SendStatus, Status, Transport};
#[cfg(target_arch = "wasm32")]
use everwire_protocol::limits;
use everwire_protocol::{ErrorCode, GapReason, Uuid};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::JsValue;

/// Maximum numbers of an operation.
pub const NUMBERS: usize = 6;
/// Maximum strings of an operation.
pub const TEXTS: usize = 4;
/// Maximum numbers of a call of the host.
pub const HOST_NUMBERS: usize = 4;
/// Maximum strings of a call of the host.
pub const HOST_TEXTS: usize = 3;

/// The incoming arguments of one call. An absent number is NaN, to which JavaScript converts `undefined`.
#[cfg(target_arch = "wasm32")]
pub struct Registers<'a> {
    /// In the order of their arguments.
    numbers: [f64; NUMBERS],
    /// Not moved out, so that all strings are released in one place.
    texts: [Option<&'a mut String>; TEXTS],
}

#[cfg(target_arch = "wasm32")]
impl<'a> Registers<'a> {
    /// All arguments of a call.
    #[inline(always)]
    pub(crate) fn new(numbers: [f64; NUMBERS], texts: &'a mut [Option<String>; TEXTS]) -> Self {
        let [a, b, c, d] = texts;
        Self { numbers, texts: [a.as_mut(), b.as_mut(), c.as_mut(), d.as_mut()] }
    }

    #[inline(always)]
    fn number(&self, at: usize) -> f64 {
        self.numbers[at]
    }

    #[inline(always)]
    fn text(&mut self, at: usize) -> Option<&'a mut String> {
        self.texts[at].take()
    }
}

/// The strings of a call.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
pub(crate) fn texts(values: [&JsValue; TEXTS]) -> [Option<String>; TEXTS] {
    values.map(JsValue::as_string)
}

/// The outgoing arguments of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct HostRegisters<'a> {
    /// Negative when absent.
    pub numbers: [f64; HOST_NUMBERS],
    /// `None` when absent.
    pub texts: [Option<&'a str>; HOST_TEXTS],
}

impl Default for HostRegisters<'_> {
    fn default() -> Self {
        Self { numbers: [-1.0; HOST_NUMBERS], texts: [None; HOST_TEXTS] }
    }
}

/// The kind of register of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// A number.
    Number,
    /// A string.
    Text,
}

/// The description of an argument for TypeScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The kind of register.
    pub register: Register,
    /// Its type in TypeScript.
    pub typescript: &'static str,
    /// Whether it may be absent.
    pub optional: bool,
    /// The names that its numbers stand for, if any.
    pub names: &'static [&'static str],
}

impl Shape {
    const fn new(register: Register, typescript: &'static str) -> Self {
        Self { register, typescript, optional: false, names: &[] }
    }

    const fn or_absent(self) -> Self {
        Self { optional: true, ..self }
    }
}

/// A type that an argument of the core's operations can have.
pub trait Argument<'a>: Sized {
    /// Its description for TypeScript.
    const SHAPE: Shape;

    /// Reads it from a register of its kind. Invalid values become harmless ones.
    #[cfg(target_arch = "wasm32")]
    fn take(registers: &mut Registers<'a>, at: usize) -> Self;
}

/// A type that an argument of the host's calls can have.
pub trait HostArgument<'a> {
    /// Its description for TypeScript.
    const SHAPE: Shape;

    /// Writes it to a register of its kind.
    fn put(self, registers: &mut HostRegisters<'a>, at: usize);
}

macro_rules! arguments {
    ($($type:ty: $register:ident $typescript:literal $(($optional:ident))?, $get:ident($value:ident) => $take:expr;)*) => {$(
        impl<'a> Argument<'a> for $type {
            const SHAPE: Shape = Shape::new(Register::$register, $typescript)$(.$optional())?;

            #[cfg(target_arch = "wasm32")]
            #[inline(always)]
            fn take(registers: &mut Registers<'a>, at: usize) -> Self {
                let $value = registers.$get(at);
                $take
            }
        }
    )*};
}

arguments! {
    bool: Number "boolean", number(value) => value > 0.0;
    u32: Number "number", number(value) => value as u32;
    Option<u32>: Number "number" (or_absent), number(value) => optional(value).map(|value| value as u32);
    u64: Number "number", number(value) => offset(value);
    Option<u64>: Number "number" (or_absent), number(value) => optional(value).map(offset);
    Handle: Number "Handle", number(value) => Handle(value as u32);
    Option<Handle>: Number "Handle" (or_absent), number(value) => {
        optional(value).map(|value| Handle(value as u32))
    };
    &'a str: Text "string", text(value) => value.map_or("", |text| text);
    Option<&'a str>: Text "string" (or_absent), text(value) => value.map(|text| text.as_str());
    String: Text "string", text(value) => value.map(mem::take).unwrap_or_default();
    Result<Uuid, NotAUuid>: Text "string", text(value) => value.and_then(|text| uuid(text)).ok_or(NotAUuid);
    Option<Uuid>: Text "string" (or_absent), text(value) => value.and_then(|text| uuid(text));
    ErrorCode: Text "string", text(value) => value.map_or(ErrorCode::Internal, |text| error_code(text));
    Option<ErrorCode>: Text "string" (or_absent), text(value) => value.map(|text| error_code(text));
    // An unknown reason is still a gap.
    Option<GapReason>: Text "GapReason" (or_absent), text(value) => {
        value.map(|reason| match reason.as_str() {
            "epoch" => GapReason::Epoch,
            "too_far" => GapReason::TooFar,
            _ => GapReason::Trimmed,
        })
    };
}

/// A string is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAUuid;

#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn optional(number: f64) -> Option<f64> {
    (number >= 0.0).then_some(number)
}

/// Converts any number to a valid offset.
#[cfg(target_arch = "wasm32")]
fn offset(number: f64) -> u64 {
    (number as u64).min(limits::MAX_OFFSET)
}

/// 32 hexadecimal digits, with hyphens anywhere. The uuid crate's parser accepts five forms and has detailed errors,
/// which costs a kilobyte.
#[cfg(target_arch = "wasm32")]
fn uuid(text: &str) -> Option<Uuid> {
    let (mut bytes, mut digits) = ([0_u8; 16], 0);
    for character in text.bytes().filter(|byte| *byte != b'-') {
        let byte = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | char::from(character).to_digit(16)? as u8;
        digits += 1;
    }
    (digits == 32).then(|| Uuid::from_bytes(bytes))
}

/// The core reads `retry`, and needs no more of an unknown code than that it is not terminal.
#[cfg(target_arch = "wasm32")]
fn error_code(text: &str) -> ErrorCode {
    ErrorCode::named(text).unwrap_or(ErrorCode::Internal)
}

macro_rules! host_arguments {
    ($($type:ty: $register:ident $typescript:literal, $place:ident, $value:ident => $into:expr, $absent:expr;)*) => {$(
        impl<'a> HostArgument<'a> for $type {
            const SHAPE: Shape = Shape::new(Register::$register, $typescript);

            #[inline(always)]
            fn put(self, registers: &mut HostRegisters<'a>, at: usize) {
                let $value = self;
                registers.$place[at] = $into;
            }
        }

        impl<'a> HostArgument<'a> for Option<$type> {
            const SHAPE: Shape = <$type as HostArgument<'a>>::SHAPE.or_absent();

            #[inline(always)]
            fn put(self, registers: &mut HostRegisters<'a>, at: usize) {
                registers.$place[at] = self.map_or($absent, |$value| $into);
            }
        }
    )*};
}

host_arguments! {
    bool: Number "0 | 1", numbers, value => f64::from(value), -1.0;
    u32: Number "number", numbers, value => f64::from(value), -1.0;
    u64: Number "number", numbers, value => value as f64, -1.0;
    Handle: Number "Handle", numbers, value => f64::from(value.0), -1.0;
    &'a str: Text "string", texts, value => Some(value), None;
    ErrorCode: Text "string", texts, value => Some(value.as_str()), None;
}

/// Enums that JavaScript receives by name: a number crosses, and is looked up there.
macro_rules! names {
    ($($type:ident $typescript:literal { $($variant:ident = $name:literal,)* })*) => {
        /// The names of each, by the name of their union in TypeScript.
        pub const UNIONS: &[(&str, &[&str])] = &[$(($typescript, &[$($name),*])),*];

        $(
            impl<'a> HostArgument<'a> for $type {
                const SHAPE: Shape =
                    Shape { names: &[$($name),*], ..Shape::new(Register::Number, $typescript) };

                #[inline(always)]
                fn put(self, registers: &mut HostRegisters<'a>, at: usize) {
                    Some(self).put(registers, at);
                }
            }

            impl<'a> HostArgument<'a> for Option<$type> {
                const SHAPE: Shape = <$type as HostArgument<'a>>::SHAPE.or_absent();

                #[inline(always)]
                fn put(self, registers: &mut HostRegisters<'a>, at: usize) {
                    enum Number { $($variant,)* }
                    registers.numbers[at] = self.map_or(-1.0, |value| {
                        f64::from(match value { $($type::$variant => Number::$variant,)* } as u8)
                    });
                }
            }
        )*
    };
}

names! {
    Status "ConnectionStatus" {
        Connecting = "connecting",
        Connected = "connected",
        Waiting = "waiting",
        Offline = "offline",
        Closed = "closed",
    }
    SendStatus "SendStatus" {
        Queued = "queued",
        Sent = "sent",
        Failed = "failed",
    }
    Transport "Transport" {
        WebSocket = "websocket",
        Polling = "polling",
    }
    GapReason "GapReason" {
        Trimmed = "trimmed",
        Epoch = "epoch",
        TooFar = "too_far",
    }
}
