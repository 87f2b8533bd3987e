//! HTTP requests by fetch: one batch out, one batch back. Anything but a 200 with text comes from an intermediary.

use alloc::borrow::ToOwned;

use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, Response};

use super::{Driver, events::BrowserEvent, options, set_timeout};
use everwire_client_core::{Input, RequestId, text};

#[wasm_bindgen]
extern "C" {
    // The global one, which windows, workers and Node share.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &Object) -> Result<Promise, JsValue>;

    // js_sys::Promise::then takes Rust closures.
    #[wasm_bindgen(js_name = Promise)]
    type Thenable;
    #[wasm_bindgen(method, structural)]
    fn then(this: &Thenable, fulfilled: &Function, rejected: &Function);
}

pub(super) struct Request {
    id: RequestId,
    abort: AbortController,
}

impl Driver {
    pub(super) fn send_request(&self, id: RequestId, body: &str, token: Option<&str>, keepalive: bool) {
        let Some((promise, abort)) = self.start(body, token, keepalive) else {
            set_timeout(&self.host.handler(BrowserEvent::Denied, id.0), 0);
            return;
        };
        let mut requests = self.requests.take();
        requests.push(Request { id, abort });
        self.requests.set(requests);
        self.follow(&promise, BrowserEvent::Response, id);
    }

    fn start(&self, body: &str, token: Option<&str>, keepalive: bool) -> Option<(Promise, AbortController)> {
        let abort = AbortController::new().ok()?;
        let bearer = token.map(|token| JsValue::from(text!("Bearer ", token)));
        let headers = options([
            ("content-type", &"application/json".into()),
            ("authorization", bearer.as_ref().unwrap_or(&JsValue::UNDEFINED)),
        ]);
        let init = options([
            ("method", &"POST".into()),
            ("headers", headers.as_ref()),
            ("body", &body.into()),
            ("signal", abort.signal().as_ref()),
            ("keepalive", &keepalive.into()),
        ]);
        Some((fetch(&self.place.poll, &init).ok()?, abort))
    }

    /// Reports the result of a promise, unless the request has ended.
    fn follow(&self, promise: &Promise, then: BrowserEvent, id: RequestId) {
        let promise: &Thenable = promise.unchecked_ref();
        promise.then(&self.host.handler(then, id.0), &self.host.handler(BrowserEvent::Failure, id.0));
    }

    pub(super) fn respond(&self, id: RequestId, response: &Response) {
        if !response.ok() {
            self.request_failed(id, response.status(), &text!("HTTP status ", response.status()));
        } else if let Ok(body) = response.text() {
            self.follow(&body, BrowserEvent::Body, id);
        }
    }

    /// Ends the request. `None` if it has ended before.
    pub(super) fn forget_request(&self, id: RequestId) -> Option<Request> {
        let mut requests = self.requests.take();
        let place = requests.iter().position(|request| request.id == id);
        let request = place.map(|place| requests.swap_remove(place));
        self.requests.set(requests);
        request
    }

    pub(super) fn abort_request(&self, id: RequestId) {
        if let Some(request) = self.forget_request(id) {
            request.abort.abort();
        }
    }

    pub(super) fn request_failed(&self, id: RequestId, status: u16, reason: &str) {
        if self.forget_request(id).is_some() {
            self.tell(Input::RequestFailed { request: id, status, reason: reason.to_owned() });
        }
    }
}
