//! How arguments cross between JavaScript and the core: as a fixed number of numbers and texts, because every exported
//! function with parameters of its own weighs more than an entry in a table (docs/size.md). Which register holds which
//! argument follows from the order in the declaration, and nobody writes it down.

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

/// How many numbers an operation has at most.
pub const NUMBERS: usize = 6;
/// How many texts an operation has at most.
pub const TEXTS: usize = 4;
/// How many numbers a call of the host has at most.
pub const HOST_NUMBERS: usize = 4;
/// How many texts a call of the host has at most.
pub const HOST_TEXTS: usize = 3;

/// The arguments of one call on their way in. An absent number is what JavaScript makes of `undefined`: NaN.
#[cfg(target_arch = "wasm32")]
pub struct Registers<'a> {
    /// In the order of their arguments.
    numbers: [f64; NUMBERS],
    /// Each stays where it is, so that all texts are released in one place.
    texts: [Option<&'a mut String>; TEXTS],
}

#[cfg(target_arch = "wasm32")]
impl<'a> Registers<'a> {
    /// All arguments of a call.
    #[inline(always)]
    pub(crate) fn new(numbers: [f64; NUMBERS], texts: &'a mut [Option<String>; TEXTS]) -> Self {
        Self { numbers, texts: texts.each_mut().map(Option::as_mut) }
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

/// The texts of a call.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
pub(crate) fn texts(values: [&JsValue; TEXTS]) -> [Option<String>; TEXTS] {
    values.map(JsValue::as_string)
}

/// The arguments of one call on their way out.
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

/// Which kind of register an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// A number.
    Number,
    /// A text.
    Text,
}

/// What TypeScript is told of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Where it crosses.
    pub register: Register,
    /// Its type in TypeScript.
    pub typescript: &'static str,
    /// Whether it may be absent.
    pub optional: bool,
    /// What its numbers stand for, if they stand for names.
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
    /// What TypeScript is told of it.
    const SHAPE: Shape;

    /// Takes it from a register of its kind. What JavaScript got wrong becomes a value that does no harm.
    #[cfg(target_arch = "wasm32")]
    fn take(registers: &mut Registers<'a>, at: usize) -> Self;
}

/// A type that an argument of the host's calls can have.
pub trait HostArgument<'a> {
    /// What TypeScript is told of it.
    const SHAPE: Shape;

    /// Puts it into a register of its kind.
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
    // A reason that this version does not know is a gap all the same.
    Option<GapReason>: Text "GapReason" (or_absent), text(value) => {
        value.map(|reason| match reason.as_str() {
            "epoch" => GapReason::Epoch,
            "too_far" => GapReason::TooFar,
            _ => GapReason::Trimmed,
        })
    };
}

/// A text that has to be a UUID is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAUuid;

#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn optional(number: f64) -> Option<f64> {
    (number >= 0.0).then_some(number)
}

/// Whatever JavaScript takes for an offset becomes one that the core can calculate with.
#[cfg(target_arch = "wasm32")]
fn offset(number: f64) -> u64 {
    (number as u64).min(limits::MAX_OFFSET)
}

/// 32 hexadecimal digits, with hyphens anywhere. The uuid crate's parser knows five forms and explains what is wrong with
/// others, which costs a kilobyte.
#[cfg(target_arch = "wasm32")]
fn uuid(text: &str) -> Option<Uuid> {
    let digits = || text.chars().filter(|c| *c != '-');
    let number = digits().try_fold(0_u128, |number, c| Some(number << 4 | u128::from(c.to_digit(16)?)))?;
    (digits().count() == 32).then(|| Uuid::from_u128(number))
}

/// A code that this version does not know is treated as one that cannot be retried.
#[cfg(target_arch = "wasm32")]
fn error_code(text: &str) -> ErrorCode {
    ErrorCode::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(ErrorCode::Internal)
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

/// Enums that JavaScript is told by their names: a number crosses, and is looked up there.
macro_rules! names {
    ($($type:ident $typescript:literal { $($variant:ident = $name:literal,)* })*) => {
        /// The names of each, under the name of their union in TypeScript.
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
