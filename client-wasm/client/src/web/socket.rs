//! The browser's WebSocket.

use everwire_client_core::{Input, SocketId, Source};
use everwire_protocol::{SUBPROTOCOL, paths::WEBSOCKET_PATH};
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::batch_of;
use crate::{driver::Reports, report::Report};

/// There was no close frame (RFC 6455, section 7.1.5).
pub(super) const ABNORMAL: u16 = 1006;

pub(super) struct Socket {
    pub(super) id: SocketId,
    inner: WebSocket,
    _opened: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _closed: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    pub(super) fn open(url: &str, id: SocketId, reports: &Reports) -> Result<Self, JsValue> {
        // What begins with http begins with ws otherwise.
        let url = url.replacen("http", "ws", 1) + WEBSOCKET_PATH;
        let socket = WebSocket::new_with_str(&url, SUBPROTOCOL)?;
        let report = |reports: &Reports, input| drop(reports.unbounded_send(Report::Input(input)));
        let to = reports.clone();
        let opened: Closure<dyn FnMut()> = Closure::new(move || report(&to, Input::WebSocketOpened(id)));
        let to = reports.clone();
        let message: Closure<dyn FnMut(MessageEvent)> = Closure::new(move |event: MessageEvent| {
            let source = Source::WebSocket(id);
            let report = match batch_of(&event.data()) {
                Ok(text) => Report::Batch(source, text),
                Err(message) => Report::Input(Input::Violation { source, message }),
            };
            let _ = to.unbounded_send(report);
        });
        let to = reports.clone();
        let closed: Closure<dyn FnMut(CloseEvent)> = Closure::new(move |event: CloseEvent| {
            let (code, reason) = (event.code(), event.reason());
            report(&to, Input::WebSocketClosed { socket: id, code, reason });
        });
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Ok(Self { id, inner: socket, _opened: opened, _message: message, _closed: closed })
    }

    pub(super) fn send(&self, text: &str) {
        // One that is closing drops what is sent, and browsers complain about it in the page's console. Its close event follows;
        // then the core sends again what was not answered.
        if self.inner.ready_state() <= WebSocket::OPEN {
            let _ = self.inner.send_with_str(text);
        }
    }

    pub(super) fn close(self, code: u16) {
        let _ = self.inner.close_with_code(code);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The closures go with it.
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        if self.inner.ready_state() <= WebSocket::OPEN {
            let _ = self.inner.close();
        }
    }
}
