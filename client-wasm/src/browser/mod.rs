//! The browser around the core: carries out what it says and tells it what happened. No decision is taken in here.
//!
//! Two rules keep this sound. No borrow of the core is held while JavaScript runs, because a listener may call back
//! into the client. And JavaScript never holds a piece of Rust: what it calls are functions of its own, made by
//! `Host.handler`, which come back through `Core.browser_event` with the name of what they are about. One that comes late
//! names something that is no more, and is ignored.

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

use crate::bindings::host_calls::FetchToken;
use everwire_client_core::{Config, Connection, Event, Input, Now, Output, Source, Status, text};
use everwire_protocol::paths::{POLL_PATH, WEBSOCKET_PATH};
use http::Request;
use websocket::Socket;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    // js_sys::JSON::parse takes a &str, which would copy every message into wasm memory and out again.
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    fn parse(text: &JsValue) -> Result<JsValue, JsValue>;

    // gloo-timers keeps a closure of Rust's for every timer.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, ms: u32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    type Options;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set(this: &Options, name: &str, value: &JsValue);
}

/// An object of those of these properties that are not undefined.
fn options<const N: usize>(properties: [(&str, &JsValue); N]) -> Object {
    let options = Object::new();
    for (name, value) in properties {
        if !value.is_undefined() {
            options.unchecked_ref::<Options>().set(name, value);
        }
    }
    options
}

/// Where the server is.
struct Place {
    /// `ws(s)://…/everwire/v1/ws`
    websocket: String,
    /// `http(s)://…/everwire/v1/poll`
    poll: String,
}

/// One connection in a browser.
pub(crate) struct Driver {
    core: RefCell<Connection>,
    host: Host,
    place: Place,
    socket: Cell<Option<Socket>>,
    requests: Cell<Vec<Request>>,
    /// Ends what [`Driver::listen`] began.
    listening: Option<AbortController>,
    on_timeout: Function,
    timer: Cell<JsValue>,
    /// When the timer goes off, in the core's time; far away if none is set.
    due: Cell<u64>,
    /// Outputs are being carried out further up the stack, in order: a call from inside only adds to them.
    pumping: Cell<bool>,
}

/// What both of the browser's clocks say.
pub(crate) fn now() -> Now {
    Now { mono: performance_now() as u64, wall: Date::now() as u64 }
}

impl Driver {
    pub(crate) fn new(mut config: Config, url: &str, host: Host) -> Self {
        // http://… becomes ws://…, and https://… wss://….
        let place = Place {
            websocket: text!("ws", url.strip_prefix("http").unwrap_or(url), WEBSOCKET_PATH),
            poll: text!(url, POLL_PATH),
        };
        config.seed = (Math::random() * 9_007_199_254_740_992.0) as u64;
        config.memory = memory::recall(&place.poll);
        Self {
            core: RefCell::new(Connection::new(config)),
            on_timeout: host.handler(BrowserEvent::Timeout, 0),
            host,
            place,
            socket: Cell::default(),
            requests: Cell::default(),
            listening: AbortController::new().ok(),
            timer: Cell::default(),
            due: Cell::new(u64::MAX),
            pumping: Cell::default(),
        }
    }

    /// The core, to be told or asked something. Not to be held while JavaScript runs.
    pub(crate) fn core(&self) -> RefMut<'_, Connection> {
        self.core.borrow_mut()
    }

    /// Something happened.
    fn tell(&self, input: Input) {
        let now = now();
        self.core().handle(now, input);
        self.pump();
    }

    /// A batch's text has arrived.
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
            // A binary message is none either.
            Err(_) => "the message is not JSON",
        };
        self.tell(Input::Violation { source, message: message.to_owned() });
    }

    /// Carries out whatever the core wants.
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
            Output::FetchToken => self.host.tell(|registers| FetchToken {}.put(registers)),
            Output::Remember(what) => memory::remember(&self.place.poll, what),
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

    /// The timer has gone off.
    fn timeout(&self) {
        self.due.set(u64::MAX);
        self.tell(Input::Timeout);
    }

    /// A timer that goes off too early costs little, and sets itself again; setting it anew with every batch costs a
    /// tenth of what a page can receive.
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
            // setTimeout takes 31 bits.
            Some(delay) => set_timeout(&self.on_timeout, delay.min(0x7fff_ffff) as u32),
            None => JsValue::UNDEFINED,
        };
        clear_timeout(&self.timer.replace(timer));
    }
}
