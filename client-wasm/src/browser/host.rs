//! The JavaScript object that the core calls, made by pkg-js/src/wasm/create-core.ts. What it throws is caught here, because
//! an exception must not unwind through the driver.

use alloc::string::String;

use everwire_protocol::push_uuid;
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use super::events::BrowserEvent;
use crate::bindings::{
    HostRegisters,
    host_calls::{Error, Log, Sending, State, TypingExpired},
};
use everwire_client_core::Event;

#[wasm_bindgen]
extern "C" {
    /// The JavaScript object that the core calls.
    pub type Host;

    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn batch(this: &Host, frames: &JsValue) -> Result<(), JsValue>;

    /// A WebSocket to the server. It may have been opened early, while this module was being fetched.
    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn socket(this: &Host) -> Result<WebSocket, JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn call(
        this: &Host,
        number: u32,
        n0: f64,
        n1: f64,
        n2: f64,
        n3: f64,
        t0: Option<&str>,
        t1: Option<&str>,
        t2: Option<&str>,
    ) -> Result<(), JsValue>;

    /// Returns a function that calls `Core.browser_event` with these two and its own argument, for as long as there is a
    /// core. It does not throw.
    #[wasm_bindgen(method, structural, js_name = handler)]
    fn handler_of(this: &Host, event: u32, id: u32) -> Function;
}

impl Host {
    pub(super) fn handler(&self, event: BrowserEvent, id: u32) -> Function {
        self.handler_of(event as u32, id)
    }

    /// Calls JavaScript with the number that `put` returns and the registers that it fills.
    #[allow(clippy::inline_always, reason = "as in bindings")]
    #[inline(always)]
    pub(super) fn tell<'a>(&self, put: impl FnOnce(&mut HostRegisters<'a>) -> u32) {
        let mut registers = HostRegisters::default();
        let number = put(&mut registers);
        let ([n0, n1, n2, n3], [t0, t1, t2]) = (registers.numbers, registers.texts);
        // An exception is a bug in the package, which has reported it.
        let _ = self.call(number, n0, n1, n2, n3, t0, t1, t2);
    }

    pub(super) fn event(&self, event: &Event) {
        let mut uuid = String::new();
        self.tell(|registers| match event {
            Event::State { status, transport, attempt, retry_in, code, reason } => State {
                status: *status,
                transport: *transport,
                attempt: *attempt,
                retry_in_ms: *retry_in,
                code: *code,
                reason,
            }
            .put(registers),
            Event::Sending { id, status, error } => {
                push_uuid(id, &mut uuid);
                Sending {
                    id: &uuid,
                    status: *status,
                    code: error.as_ref().map(|(code, _)| *code),
                    message: error.as_ref().map(|(_, message)| message.as_str()),
                }
                .put(registers)
            }
            Event::TypingExpired { handle, typist } => {
                TypingExpired { handle: *handle, typist: *typist }.put(registers)
            }
            Event::Error { code, message } => Error { code: *code, message }.put(registers),
            Event::Log(line) => Log { line }.put(registers),
        });
    }
}
