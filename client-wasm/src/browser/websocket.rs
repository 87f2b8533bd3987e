//! The browser's WebSocket: one at a time, as in the core.

use web_sys::WebSocket;

use super::{Driver, events::BrowserEvent};
use everwire_client_core::{Input, SocketId};

pub(super) struct Socket {
    id: SocketId,
    socket: WebSocket,
}

impl Driver {
    pub(super) fn open_socket(&self, id: SocketId) {
        let handler = |what| self.host.handler(what, id.0);
        let socket = match self.host.socket() {
            Ok(socket) => socket,
            // Reported later, like an event.
            Err(thrown) => return super::set_timeout_with(&handler(BrowserEvent::Refused), 0, &thrown),
        };
        socket.set_onopen(Some(&handler(BrowserEvent::Opened)));
        socket.set_onmessage(Some(&handler(BrowserEvent::Message)));
        socket.set_onclose(Some(&handler(BrowserEvent::Closed)));
        let is_open = socket.ready_state() == WebSocket::OPEN;
        self.socket.set(Some(Socket { id, socket }));
        if is_open {
            // It was opened early, and its event has passed.
            self.tell(Input::WebSocketOpened(id));
        }
    }

    /// Takes the socket with this id.
    fn take_socket(&self, id: SocketId) -> Option<Socket> {
        let socket = self.socket.take()?;
        if socket.id == id {
            return Some(socket);
        }
        self.socket.set(Some(socket));
        None
    }

    pub(super) fn send_socket(&self, id: SocketId, text: &str) {
        if let Some(socket) = self.take_socket(id) {
            // A socket that is closing drops what is sent, and browsers complain about it in the page's console. Its close
            // event follows and brings the code, which the core must see; then the core sends again what was not answered.
            if socket.socket.ready_state() <= WebSocket::OPEN {
                let _ = socket.socket.send_with_str(text);
            }
            self.socket.set(Some(socket));
        }
    }

    pub(super) fn close_socket(&self, id: SocketId, code: u16) {
        if let Some(Socket { socket, .. }) = self.take_socket(id) {
            socket.set_onopen(None);
            socket.set_onmessage(None);
            socket.set_onclose(None);
            let _ = socket.close_with_code(code);
        }
    }
}
