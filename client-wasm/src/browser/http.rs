//! HTTP requests by fetch: one batch out, one batch back. Anything but a 200 with text comes from an intermediary.

use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, Response};

use super::{Driver, events::BrowserEvent, options, set_timeout_with};
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
        let (promise, abort) = match self.start(body, token, keepalive) {
            Ok(started) => started,
            Err(thrown) => {
                return set_timeout_with(&self.host.handler(BrowserEvent::Denied, id.0), 0, &thrown);
            }
        };
        let mut requests = self.requests.take();
        requests.push(Request { id, abort });
        self.requests.set(requests);
        self.follow(&promise, BrowserEvent::Response, id);
    }

    fn start(
        &self,
        body: &str,
        token: Option<&str>,
        keepalive: bool,
    ) -> Result<(Promise, AbortController), JsValue> {
        let abort = AbortController::new()?;
        let bearer = token.map(|token| JsValue::from_str(&text!("Bearer ", token)));
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
        Ok((fetch(&self.poll_url, &init)?, abort))
    }

    /// Reports the result of a promise, unless the request has ended.
    fn follow(&self, promise: &Promise, then: BrowserEvent, id: RequestId) {
        let promise: &Thenable = promise.unchecked_ref();
        promise.then(&self.host.handler(then, id.0), &self.host.handler(BrowserEvent::Failure, id.0));
    }

    pub(super) fn respond(&self, id: RequestId, response: &Response) {
        if !response.ok() {
            let status = response.status();
            let hint = ", not from an Everwire server: a proxy, firewall or login page answers there";
            self.request_failed(id, status, &text!("HTTP status ", status, hint));
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
            let reason = text!("POST ", self.poll_url.as_str(), ": ", reason);
            self.tell(Input::RequestFailed { request: id, status, reason });
        }
    }
}
