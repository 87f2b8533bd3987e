//! The macros that declare the bindings, and the declarations as data: `cargo xtask generate` writes
//! pkg-js/src/generated/bindings.ts from them, and the browser tests of this crate use their names.

use super::registers::Shape;

/// An operation of the core, or a call of the host.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Its name in Rust.
    pub name: &'static str,
    /// Its documentation, line by line.
    pub doc: &'static [&'static str],
    /// Its arguments in their order.
    pub arguments: &'static [ArgumentDeclaration],
    /// The type of its answer in TypeScript.
    pub answer: &'static str,
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub struct ArgumentDeclaration {
    /// Its name, in both languages.
    pub name: &'static str,
    /// Its documentation, line by line, if any.
    pub doc: &'static [&'static str],
    /// Its type.
    pub shape: Shape,
}

/// The index of an argument among the registers of its kind. Computed at compile time, which makes the code smaller.
pub(super) const fn place(arguments: &[ArgumentDeclaration], name: &str) -> usize {
    let mut at = 0;
    while !equal(arguments[at].name, name) {
        at += 1;
    }
    let register = arguments[at].shape.register;
    let mut place = 0;
    while at > 0 {
        at -= 1;
        place += (arguments[at].shape.register as u8 == register as u8) as usize;
    }
    place
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// Declares a set of arguments: a structure with a field for each.
macro_rules! arguments {
    (
        $(#[doc = $doc:literal])*
        $name:ident $(<$lifetime:lifetime>)? { $($(#[doc = $argument_doc:literal])* $argument:ident: $type:ty,)* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        #[allow(missing_docs, reason = "names of arguments say what they are")]
        pub struct $name$(<$lifetime>)? {
            $($(#[doc = $argument_doc])* pub $argument: $type,)*
        }

        impl<'a> $name$(<$lifetime>)? {
            /// The declaration as data.
            pub const ARGUMENTS: &'static [ArgumentDeclaration] = &[$(ArgumentDeclaration {
                name: stringify!($argument),
                doc: &[$($argument_doc),*],
                shape: <$type as Argument<'a>>::SHAPE,
            },)*];

            /// Reads the registers.
            #[cfg(target_arch = "wasm32")]
            #[inline(always)]
            #[allow(unused_mut, unused_variables, reason = "some operations have no arguments")]
            pub(crate) fn take(mut registers: Registers<'a>) -> Self {
                Self { $($argument: {
                    let at = const { place(Self::ARGUMENTS, stringify!($argument)) };
                    <$type as Argument<'a>>::take(&mut registers, at)
                },)* }
            }
        }
    };
}

/// Declares the operations of the core: each becomes a structure of its arguments, a method of the trait `Operations`, and a
/// method of the interface `Core` in TypeScript that takes the arguments by name.
macro_rules! operations {
    ($(
        $(#[doc = $doc:literal])*
        $method:ident($name:ident $(<$lifetime:lifetime>)? {
            $($(#[doc = $argument_doc:literal])* $argument:ident: $type:ty,)*
        }) $(-> $answer:literal)?;
    )*) => {
        $(arguments! {
            $(#[doc = $doc])*
            $name $(<$lifetime>)? { $($(#[doc = $argument_doc])* $argument: $type,)* }
        })*

        /// All of them, in the order of their numbers.
        pub const OPERATIONS: &[Declaration] = &[$(Declaration {
            name: stringify!($method),
            doc: &[$($doc),*],
            arguments: $name::ARGUMENTS,
            answer: concat!($($answer)?),
        },)*];

        /// Implements the operations. An operation without a method does not compile.
        pub trait Operations {
            /// The result of an operation.
            type Answer;

            $(
                $(#[doc = $doc])*
                fn $method(&mut self, arguments: $name) -> Self::Answer;
            )*
        }

        #[cfg(target_arch = "wasm32")]
        enum Number {
            $($name,)*
        }

        /// Carries out the operation with this number; `None` if there is none.
        #[cfg(target_arch = "wasm32")]
        #[inline(always)]
        pub(crate) fn carry_out<Core: Operations>(
            core: &mut Core,
            number: u32,
            registers: Registers,
        ) -> Option<Core::Answer> {
            $(if number == Number::$name as u32 {
                return Some(core.$method($name::take(registers)));
            })*
            None
        }
    };
}

/// Declares the calls of JavaScript by the core: each becomes a structure of its arguments and a method of the interface `Host`
/// in TypeScript.
macro_rules! host_calls {
    ($(
        $(#[doc = $doc:literal])*
        $method:ident($name:ident $(<$lifetime:lifetime>)? {
            $($(#[doc = $argument_doc:literal])* $argument:ident: $type:ty,)*
        });
    )*) => {
        /// All of them, in the order of their numbers.
        pub const HOST_CALLS: &[Declaration] = &[$(Declaration {
            name: stringify!($method),
            doc: &[$($doc),*],
            arguments: $name::ARGUMENTS,
            answer: "",
        },)*];

        enum Number {
            $($name,)*
        }

        $(
            $(#[doc = $doc])*
            #[derive(Debug)]
            #[allow(missing_docs, reason = "names of arguments say what they are")]
            pub struct $name$(<$lifetime>)? {
                $($(#[doc = $argument_doc])* pub $argument: $type,)*
            }

            impl<'a> $name$(<$lifetime>)? {
                /// The declaration as data.
                const ARGUMENTS: &'static [ArgumentDeclaration] = &[$(ArgumentDeclaration {
                    name: stringify!($argument),
                    doc: &[$($argument_doc),*],
                    shape: <$type as HostArgument<'a>>::SHAPE,
                },)*];

                /// Puts its arguments into empty registers, and returns its number.
                #[inline(always)]
                #[allow(unused_variables, reason = "some calls have no arguments")]
                pub fn put(self, registers: &mut HostRegisters<'a>) -> u32 {
                    $(self.$argument.put(registers, const { place(Self::ARGUMENTS, stringify!($argument)) });)*
                    Number::$name as u32
                }
            }
        )*
    };
}

pub(super) use {arguments, host_calls, operations};
