//! Translates browser events one to one into inputs of the core, which decides what they mean.

use alloc::{borrow::ToOwned, string::String};

use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, Document, Event, MessageEvent, PageTransitionEvent, Response};

use super::Driver;
use everwire_client_core::{Input, RequestId, SocketId, Source};

/// There was no close frame (RFC 6455, section 7.1.5).
const ABNORMAL: u16 = 1006;

/// Declares an enum and the list of its variants.
macro_rules! browser_events {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The events for functions of `Host.handler`. The id is that of a socket or a request.
        #[derive(Debug, Clone, Copy)]
        pub(crate) enum BrowserEvent {
            $($(#[doc = $doc])* $name,)*
        }

        impl BrowserEvent {
            const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

browser_events! {
    /// The timer has fired.
    Timeout,
    /// A WebSocket is open.
    Opened,
    /// A WebSocket has received a message.
    Message,
    /// A WebSocket was closed.
    Closed,
    /// A WebSocket could not be created.
    Refused,
    /// A request has a response, whose body follows.
    Response,
    /// The body of a response.
    Body,
    /// A request has failed.
    Failure,
    /// A request could not be created.
    Denied,
    /// The browser reports to be online.
    Online,
    /// The browser reports to be offline.
    Offline,
    /// The page is shown or hidden.
    Visibility,
    /// The page is being left.
    PageHide,
    /// The page is shown, perhaps for the first time.
    PageShow,
    /// The page was resumed.
    Resume,
}

#[wasm_bindgen]
extern "C" {
    // web-sys declares a string; a replacement for WebSocket may have none.
    type Close;
    #[wasm_bindgen(method, getter, structural)]
    fn reason(this: &Close) -> Option<String>;

    // What was thrown, nearly always an Error.
    type Thrown;
    #[wasm_bindgen(method, getter, structural)]
    fn message(this: &Thrown) -> Option<String>;
}

impl Driver {
    /// `value`: the event, or the result of the promise.
    pub(crate) fn browser_event(&self, number: u32, id: u32, value: &JsValue) {
        let Some(browser_event) = BrowserEvent::ALL.get(number as usize) else { return };
        let (socket, request) = (SocketId(id), RequestId(id));
        let event: &Event = value.unchecked_ref();
        let input = match browser_event {
            BrowserEvent::Timeout => return self.timeout(),
            BrowserEvent::Opened => Input::WebSocketOpened(socket),
            BrowserEvent::Message => {
                let message: &MessageEvent = event.unchecked_ref();
                return self.batch(Source::WebSocket(socket), &message.data());
            }
            BrowserEvent::Closed => {
                let close: &CloseEvent = event.unchecked_ref();
                let reason = event.unchecked_ref::<Close>().reason().unwrap_or_default();
                Input::WebSocketClosed { socket, code: close.code(), reason }
            }
            // There is no WebSocket, or a Content-Security-Policy, mixed content or a wrapper of the page forbids it: treated
            // as refused.
            BrowserEvent::Refused => {
                let reason = message_of(value);
                Input::WebSocketClosed { socket, code: ABNORMAL, reason }
            }
            BrowserEvent::Response => {
                let response: &Response = value.unchecked_ref();
                return self.respond(request, response);
            }
            BrowserEvent::Body => {
                if self.forget_request(request).is_some() {
                    self.batch(Source::Response(request), value);
                }
                return;
            }
            BrowserEvent::Failure | BrowserEvent::Denied => {
                return self.request_failed(request, 0, &message_of(value));
            }
            BrowserEvent::Online => Input::Online,
            BrowserEvent::Offline => Input::Offline,
            BrowserEvent::Visibility => {
                let Some(document) = event.target() else { return };
                let document: &Document = document.unchecked_ref();
                Input::Visible(!document.hidden())
            }
            BrowserEvent::PageHide => Input::PageHide,
            // Fired after every page load; only a page from the cache was suspended.
            BrowserEvent::PageShow if !event.unchecked_ref::<PageTransitionEvent>().persisted() => return,
            BrowserEvent::PageShow | BrowserEvent::Resume => Input::PageShow,
        };
        self.tell(input);
    }
}

/// What a thrown value says; a wrapper of the page may throw anything.
fn message_of(thrown: &JsValue) -> String {
    let says_something = !thrown.is_undefined() && !thrown.is_null();
    let message = says_something.then(|| thrown.unchecked_ref::<Thrown>().message());
    message.flatten().unwrap_or_else(|| "the browser does not say why".to_owned())
}
