//! The Everwire client: messages over WebSocket or HTTP, exactly once and in order.
//!
//! The crate `everwire-client-core` is the client itself, as a state machine that does no input or output. In the
//! browser, `browser` drives it and `bindings` exports it to JavaScript; the npm package `everwire` is the API for
//! applications.

#![cfg_attr(all(target_arch = "wasm32", not(test)), no_std)]

extern crate alloc;

pub mod bindings;
#[cfg(target_arch = "wasm32")]
mod browser;

/// Half the size of the default allocator.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// A panic is a bug. It becomes a trap, which the npm package reports; panic messages would be a fifth of the download.
#[cfg(all(target_arch = "wasm32", not(test)))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
