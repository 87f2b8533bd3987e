//! What the browser reports, translated one to one into what the core understands. What it means is decided there.

#![allow(clippy::float_cmp, reason = "what wasm_bindgen makes of an enum compares")]

use alloc::string::String;

use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, Document, Event, MessageEvent, PageTransitionEvent, Response};

use super::Driver;
use everwire_client_core::{Input, RequestId, SocketId, Source};

/// There was no close frame (RFC 6455, section 7.1.5).
const ABNORMAL: u16 = 1006;

/// What the functions that `Host.handler` makes are called for. The id is that of a socket or of a request.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy)]
pub enum Happened {
    /// The timer's time has come.
    Timeout,
    /// A WebSocket is open.
    Opened,
    /// A WebSocket brought a message.
    Message,
    /// A WebSocket is gone.
    Closed,
    /// A WebSocket could not even be made.
    Refused,
    /// A request has a response, whose body is yet to come.
    Response,
    /// The body of a response.
    Body,
    /// A request has no response.
    Failure,
    /// A request could not even be made.
    Denied,
    /// The browser believes to be online.
    Online,
    /// The browser believes to be offline.
    Offline,
    /// The page is shown or hidden.
    Visibility,
    /// The page goes away.
    PageHide,
    /// The page is there, perhaps for the first time.
    PageShow,
    /// The page is not frozen any more.
    Resume,
}

#[wasm_bindgen]
extern "C" {
    // web-sys promises a text; a stand-in for WebSocket may have none.
    type Close;
    #[wasm_bindgen(method, getter, structural)]
    fn reason(this: &Close) -> Option<String>;
}

impl Driver {
    /// `value`: the event, or what the promise has become.
    pub(crate) fn happened(&self, what: Happened, id: u32, value: &JsValue) {
        let (socket, request) = (SocketId(id), RequestId(id));
        let event: &Event = value.unchecked_ref();
        let input = match what {
            Happened::Timeout => return self.timeout(),
            Happened::Opened => Input::WebSocketOpened(socket),
            Happened::Message => {
                let message: &MessageEvent = event.unchecked_ref();
                return self.batch(Source::WebSocket(socket), &message.data());
            }
            Happened::Closed => {
                let close: &CloseEvent = event.unchecked_ref();
                let reason = event.unchecked_ref::<Close>().reason().unwrap_or_default();
                Input::WebSocketClosed { socket, code: close.code(), reason }
            }
            // A Content-Security-Policy, or a wrapper of the page's, forbids it: as good as refused.
            Happened::Refused => Input::WebSocketClosed { socket, code: ABNORMAL, reason: String::new() },
            Happened::Response => {
                let response: &Response = value.unchecked_ref();
                return self.respond(request, response);
            }
            Happened::Body => {
                if self.forget_request(request).is_some() {
                    self.batch(Source::Response(request), value);
                }
                return;
            }
            Happened::Failure => return self.request_failed(request, "the network failed"),
            Happened::Denied => return self.request_failed(request, "fetch is not allowed here"),
            Happened::Online => Input::Online,
            Happened::Offline => Input::Offline,
            Happened::Visibility => {
                let Some(document) = event.target() else { return };
                let document: &Document = document.unchecked_ref();
                Input::Visible(!document.hidden())
            }
            Happened::PageHide => Input::PageHide,
            // Every page load ends with one; only a page that comes out of the cache was away.
            Happened::PageShow if !event.unchecked_ref::<PageTransitionEvent>().persisted() => return,
            Happened::PageShow | Happened::Resume => Input::PageShow,
        };
        self.tell(input);
    }
}
