//! The bindings between the core and JavaScript: operations of the core (`operations`) and calls of the host (`host_calls`),
//! each declared once, with typed and named arguments. `cargo xtask generate` writes their TypeScript,
//! pkg-js/src/generated/bindings.ts, and `exports` implements the operations.

#![allow(
    clippy::inline_always,
    reason = "only what is inlined has constant registers, which is what keeps it small"
)]

mod declare;
#[cfg(target_arch = "wasm32")]
pub(crate) mod exports;
pub mod host_calls;
pub mod operations;
mod registers;
#[cfg(not(target_arch = "wasm32"))]
pub mod typescript;

pub use declare::{ArgumentDeclaration, Declaration};
pub use host_calls::HOST_CALLS;
pub use operations::{CoreOptions, OPERATIONS, Operations};
pub use registers::{
    Argument, HOST_NUMBERS, HOST_TEXTS, HostArgument, HostRegisters, NUMBERS, Register, Shape, TEXTS, UNIONS,
};

/// What is remembered in localStorage, per server: the key, followed by the URL for polls, of the time until which it is polled, in
/// ms since 1970.
pub const POLLING_UNTIL_KEY: &str = "everwire:polling-until:";

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
