//! Browser WebSockets. Handlers are taken off a socket before it is let go, because a late event would call a closure
//! that no longer exists.

use std::{cell::RefCell, rc::Weak};

use everwire_protocol::SUBPROTOCOL;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use super::Driver;
use crate::core::{Input, LinkId, Source};

/// There was no close frame (RFC 6455, section 7.1.5).
const ABNORMAL: u16 = 1006;

struct Socket {
    link: LinkId,
    socket: WebSocket,
    // One closure for all events: each costs code at the border.
    handler: Closure<dyn FnMut(Event)>,
}

#[derive(Default)]
pub(super) struct Sockets {
    open: RefCell<Vec<Socket>>,
    /// Let go while their own handler may still be running; freed when the next socket is opened.
    retired: RefCell<Vec<Socket>>,
}

impl Sockets {
    pub(super) fn open(&self, driver: &Weak<Driver>, link: LinkId, url: &str) {
        self.retired.borrow_mut().clear();
        let Ok(socket) = WebSocket::new_with_str(url, SUBPROTOCOL) else {
            // A Content-Security-Policy, or a wrapper of the page's, forbids it: as good as refused.
            let driver = driver.clone();
            later(move || tell(&driver, Input::WebSocketClosed { link, code: ABNORMAL }));
            return;
        };
        let weak = driver.clone();
        let handler = Closure::new(move |event: Event| on_event(&weak, link, &event));
        let function: &js_sys::Function = handler.as_ref().unchecked_ref();
        socket.set_onopen(Some(function));
        socket.set_onmessage(Some(function));
        socket.set_onclose(Some(function));
        self.open.borrow_mut().push(Socket { link, socket, handler });
    }

    pub(super) fn send(&self, link: LinkId, text: &str) {
        let socket = self.open.borrow().iter().find(|s| s.link == link).map(|s| s.socket.clone());
        if let Some(socket) = socket {
            // A socket that cannot send is closing, and says so by its own event.
            let _ = socket.send_with_str(text);
        }
    }

    pub(super) fn close(&self, link: LinkId, code: u16) {
        let mut open = self.open.borrow_mut();
        let Some(place) = open.iter().position(|s| s.link == link) else { return };
        let old = open.swap_remove(place);
        drop(open);
        old.socket.set_onopen(None);
        old.socket.set_onmessage(None);
        old.socket.set_onclose(None);
        let _ = old.socket.close_with_code(code);
        self.retired.borrow_mut().push(old);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Read so that the field is used: it only has to live as long as the socket may call it.
        let _ = &self.handler;
    }
}

fn tell(driver: &Weak<Driver>, input: Input) {
    if let Some(driver) = driver.upgrade() {
        driver.tell(input);
    }
}

fn later(act: impl FnOnce() + 'static) {
    gloo_timers::callback::Timeout::new(0, act).forget();
}

fn on_event(driver: &Weak<Driver>, link: LinkId, event: &Event) {
    if let Some(message) = event.dyn_ref::<MessageEvent>() {
        if let Some(driver) = driver.upgrade() {
            driver.batch(Source::WebSocket(link), &message.data());
        }
    } else if let Some(close) = event.dyn_ref::<CloseEvent>() {
        tell(driver, Input::WebSocketClosed { link, code: close.code() });
    } else {
        tell(driver, Input::WebSocketOpened(link));
    }
}
