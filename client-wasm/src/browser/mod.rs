//! The browser driver of the core: carries out its outputs and reports events to it. It makes no decisions.
//!
//! Two rules keep this sound. No borrow of the core is held while JavaScript runs, because a listener may call back
//! into the client. And JavaScript never holds Rust closures: it calls functions of its own, made by `Host.handler`, which
//! call `Core.browser_event` with the id of their socket or request. A late call has the id of one that no longer exists,
//! and is ignored.

mod events;
mod host;
mod http;
mod memory;
mod page;
mod websocket;

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::cell::{Cell, RefCell, RefMut};

use js_sys::{Date, Function, Math, Object};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use events::BrowserEvent;
pub(crate) use host::Host;

use crate::bindings::host_calls::{FetchToken, PollSlot};
use everwire_client_core::{Config, Connection, Event, Input, Now, Output, Source, Status, text};
use everwire_protocol::paths::POLL_PATH;
use http::Request;
use websocket::Socket;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    // js_sys::JSON::parse takes a &str, which would copy every message into wasm memory and out again.
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    fn parse(text: &JsValue) -> Result<JsValue, JsValue>;

    // gloo-timers keeps a Rust closure for every timer.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, ms: u32) -> JsValue;
    // The handler is called with this value.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout_with(handler: &Function, ms: u32, value: &JsValue);
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    type Options;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set(this: &Options, name: &str, value: &JsValue);
}

/// An object with those of these properties that are not undefined.
fn options<const N: usize>(properties: [(&str, &JsValue); N]) -> Object {
    let options = Object::new();
    for (name, value) in properties {
        if !value.is_undefined() {
            options.unchecked_ref::<Options>().set(name, value);
        }
    }
    options
}

/// One connection in a browser.
pub(crate) struct Driver {
    core: RefCell<Connection>,
    host: Host,
    /// `http(s)://…/everwire/v1/poll`
    poll_url: String,
    socket: Cell<Option<Socket>>,
    requests: Cell<Vec<Request>>,
    /// Removes the listeners of [`Driver::listen`].
    listening: Option<AbortController>,
    on_timeout: Function,
    timer: Cell<JsValue>,
    /// When the timer fires, in the core's time; the maximum if none is set.
    due: Cell<u64>,
    /// Whether outputs are being carried out further up the stack: a nested call only adds to them.
    pumping: Cell<bool>,
}

/// The time of both browser clocks.
pub(crate) fn now() -> Now {
    Now { mono: performance_now() as u64, wall: Date::now() as u64 }
}

impl Driver {
    pub(crate) fn new(mut config: Config, url: &str, host: Host) -> Self {
        let poll_url = text!(url, POLL_PATH);
        config.seed = (Math::random() * 9_007_199_254_740_992.0) as u64;
        config.memory = memory::recall(&poll_url);
        Self {
            core: RefCell::new(Connection::new(config)),
            on_timeout: host.handler(BrowserEvent::Timeout, 0),
            host,
            poll_url,
            socket: Cell::default(),
            requests: Cell::default(),
            listening: AbortController::new().ok(),
            timer: Cell::default(),
            due: Cell::new(u64::MAX),
            pumping: Cell::default(),
        }
    }

    /// The core. Must not be held while JavaScript runs.
    pub(crate) fn core(&self) -> RefMut<'_, Connection> {
        self.core.borrow_mut()
    }

    /// Passes an input to the core.
    fn tell(&self, input: Input) {
        let now = now();
        self.core().handle(now, input);
        self.pump();
    }

    /// A batch has arrived.
    fn batch(&self, source: Source, text: &JsValue) {
        let message = match parse(text) {
            Ok(frames) => {
                let now = now();
                self.core().begin_batch(now, source);
                self.pump();
                let unpacked = self.host.batch(&frames);
                self.core().end_batch();
                self.pump();
                if unpacked.is_ok() {
                    return;
                }
                "the batch could not be unpacked"
            }
            // A binary message is not a batch either.
            Err(_) => "the message is not JSON: a proxy or a login page may answer instead of the server",
        };
        self.tell(Input::Violation { source, message: message.to_owned() });
    }

    /// Carries out the outputs of the core.
    pub(crate) fn pump(&self) {
        if self.pumping.replace(true) {
            return;
        }
        loop {
            // The borrow ends with the statement, before anything is carried out.
            let output = self.core().poll_output();
            let Some(output) = output else { break };
            self.carry_out(output);
        }
        self.pumping.set(false);
        self.set_timer();
    }

    fn carry_out(&self, output: Output) {
        match output {
            Output::OpenWebSocket(socket) => self.open_socket(socket),
            Output::SendWebSocket { socket, text } => self.send_socket(socket, &text),
            Output::CloseWebSocket { socket, code } => self.close_socket(socket, code),
            Output::Request { request, body, token, keepalive } => {
                self.send_request(request, &body, token.as_deref(), keepalive);
            }
            Output::Abort(request) => self.abort_request(request),
            Output::PollSlot(wanted) => self.host.tell(|registers| PollSlot { wanted }.put(registers)),
            Output::FetchToken => self.host.tell(|registers| FetchToken {}.put(registers)),
            Output::Remember(what) => memory::remember(&self.poll_url, what),
            Output::Event(event) => {
                if let Event::State { status: Status::Closed, .. } = event
                    && let Some(listening) = &self.listening
                {
                    listening.abort();
                }
                self.host.event(&event);
            }
        }
    }

    /// The timer has fired.
    fn timeout(&self) {
        self.due.set(u64::MAX);
        self.tell(Input::Timeout);
    }

    /// A timer that fires too early costs little, and is set again; setting it for every batch would cost a tenth of the
    /// receive rate.
    fn set_timer(&self) {
        let (now, delay) = {
            let core = self.core();
            (core.now(), core.poll_timeout())
        };
        let due = delay.map_or(u64::MAX, |delay| now + delay);
        if due != u64::MAX && due >= self.due.get() {
            return;
        }
        self.due.set(due);
        let timer = match delay {
            // setTimeout is limited to 31 bits.
            Some(delay) => set_timeout(&self.on_timeout, delay.min(0x7fff_ffff) as u32),
            None => JsValue::UNDEFINED,
        };
        clear_timeout(&self.timer.replace(timer));
    }
}
