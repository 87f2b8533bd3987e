//! The browser around the core: carries out what it says and tells it what happened. No decision is taken in here.
//!
//! Two rules keep this sound. No borrow of the core is held while JavaScript runs, because a listener may call back
//! into the client. And whatever closes over the driver holds it weakly, so that it ends with its last owner.

mod host;
mod http;
mod lifecycle;
mod memory;
mod websocket;

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;
use js_sys::{Array, Date, JsString, Math};
use wasm_bindgen::prelude::*;

pub(crate) use host::Host;

use crate::core::{Config, Connection, Input, Now, Output, Source};
use http::Requests;
use lifecycle::Lifecycle;
use websocket::Sockets;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    // js_sys::JSON::parse takes a &str, which would copy every message into wasm memory and out again.
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    fn parse(text: &JsString) -> Result<JsValue, JsValue>;
}

/// What the driver needs to know besides the core's own options.
pub(crate) struct Place {
    /// `ws(s)://…/everwire/v1/ws`
    pub(crate) websocket: String,
    /// `http(s)://…/everwire/v1/poll`
    pub(crate) poll: String,
}

/// One connection in a browser.
pub(crate) struct Driver {
    core: RefCell<Connection>,
    host: Host,
    place: Place,
    sockets: Sockets,
    requests: Requests,
    lifecycle: RefCell<Option<Lifecycle>>,
    timer: RefCell<Option<Timeout>>,
    /// Outputs are being carried out further up the stack, in order: a call from inside only adds to them.
    pumping: Cell<bool>,
    /// Where the batch that is being unpacked came from.
    source: Cell<Option<Source>>,
    me: Weak<Driver>,
}

/// What both of the browser's clocks say.
pub(crate) fn now() -> Now {
    Now { mono: performance_now() as u64, wall: Date::now() as u64 }
}

impl Driver {
    pub(crate) fn new(mut config: Config, place: Place, host: Host) -> Rc<Self> {
        config.seed = (Math::random() * 9_007_199_254_740_992.0) as u64;
        config.memory = memory::recall(&place.poll);
        (config.hidden, config.online) = lifecycle::look();
        Rc::new_cyclic(|me| Self {
            core: RefCell::new(Connection::new(config)),
            host,
            place,
            sockets: Sockets::default(),
            requests: Requests::default(),
            lifecycle: RefCell::new(None),
            timer: RefCell::new(None),
            pumping: Cell::new(false),
            source: Cell::new(None),
            me: me.clone(),
        })
    }

    pub(crate) fn start(&self) {
        *self.lifecycle.borrow_mut() = Some(Lifecycle::new(&self.me));
        self.tell(Input::Start);
    }

    pub(crate) fn close(&self) {
        self.tell(Input::Close);
        self.lifecycle.borrow_mut().take();
    }

    /// Something happened.
    pub(crate) fn tell(&self, input: Input) {
        self.core.borrow_mut().handle(now(), input);
        self.pump();
    }

    /// Asks or tells the core something, then carries out what follows from it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        let result = act(&mut self.core.borrow_mut());
        self.pump();
        result
    }

    /// The hot path: nothing follows from an entry that is accepted, so there is nothing to carry out.
    pub(crate) fn look<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        act(&mut self.core.borrow_mut())
    }

    /// A batch's text has arrived.
    fn batch(&self, source: Source, text: &JsValue) {
        let parsed = match text.dyn_ref::<JsString>() {
            None => Err("the message is not text"),
            Some(text) => parse(text).map_err(|_| "the message is not JSON"),
        };
        let frames = match parsed {
            Ok(frames) if Array::is_array(&frames) => frames,
            Ok(_) => return self.violation(source, "the message is not an array of frames"),
            Err(message) => return self.violation(source, message),
        };
        self.core.borrow_mut().begin_batch(now(), source);
        self.pump();
        self.source.set(Some(source));
        let unpacked = self.host.batch(&frames);
        self.source.set(None);
        self.core.borrow_mut().end_batch();
        self.pump();
        if unpacked.is_err() {
            self.violation(source, "the batch could not be unpacked");
        }
    }

    fn violation(&self, source: Source, message: &str) {
        self.tell(Input::Violation { source, message: message.to_owned() });
    }

    /// What is being unpacked right now is not the protocol.
    pub(crate) fn violated(&self, message: String) {
        if let Some(source) = self.source.get() {
            self.tell(Input::Violation { source, message });
        }
    }

    fn pump(&self) {
        if self.pumping.replace(true) {
            return;
        }
        loop {
            // The borrow ends with the statement, before anything is carried out.
            let output = self.core.borrow_mut().poll_output();
            let Some(output) = output else { break };
            self.carry_out(output);
        }
        self.pumping.set(false);
        self.set_timer();
    }

    fn carry_out(&self, output: Output) {
        match output {
            Output::OpenWebSocket(link) => self.sockets.open(&self.me, link, &self.place.websocket),
            Output::SendWebSocket { link, text } => self.sockets.send(link, &text),
            Output::CloseWebSocket { link, code } => self.sockets.close(link, code),
            Output::Request { request, body, token, keepalive } => {
                self.requests.send(&self.me, request, &self.place.poll, &body, token.as_deref(), keepalive);
            }
            Output::Abort(request) => self.requests.abort(request),
            Output::FetchToken => self.host.fetch_token(),
            Output::Remember(what) => memory::remember(&self.place.poll, what),
            Output::Event(event) => self.host.event(event),
        }
    }

    fn set_timer(&self) {
        let delay = self.core.borrow().poll_timeout();
        let timer = delay.map(|delay| {
            let me = self.me.clone();
            // setTimeout takes 31 bits.
            Timeout::new(delay.min(0x7fff_ffff) as u32, move || {
                if let Some(me) = me.upgrade() {
                    me.tell(Input::Timeout);
                }
            })
        });
        *self.timer.borrow_mut() = timer;
    }
}
