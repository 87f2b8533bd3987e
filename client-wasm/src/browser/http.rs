//! Requests by fetch: one batch out, one batch back. Anything but a 200 with text comes from somebody between.

use std::{cell::RefCell, rc::Weak};

use js_sys::{JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, Headers, RequestInit, Response};

use super::Driver;
use crate::core::{Input, RequestId, Source};

#[wasm_bindgen]
extern "C" {
    // The global one, which windows, workers and Node share.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

type Then = Closure<dyn FnMut(JsValue)>;

struct Request {
    id: RequestId,
    abort: AbortController,
    // Kept until the request is over: a promise may call them late.
    handlers: [Then; 3],
}

#[derive(Default)]
pub(super) struct Requests {
    running: RefCell<Vec<Request>>,
    /// Over, but perhaps with a handler still running or a rejection still to come.
    retired: RefCell<Vec<Request>>,
}

impl Requests {
    pub(super) fn send(
        &self,
        driver: &Weak<Driver>,
        id: RequestId,
        url: &str,
        body: &str,
        token: Option<&str>,
        keepalive: bool,
    ) {
        let Some((promise, abort)) = start(url, body, token, keepalive) else {
            let driver = driver.clone();
            gloo_timers::callback::Timeout::new(0, move || fail(&driver, id, "fetch is not allowed here"))
                .forget();
            return;
        };
        let (on_body, on_failure) = (driver.clone(), driver.clone());
        let body = Then::new(move |text: JsValue| {
            if let Some(driver) = on_body.upgrade()
                && driver.requests.finish(id)
            {
                driver.batch(Source::Response(id), &text);
            }
        });
        let failure = Then::new(move |_: JsValue| fail(&on_failure, id, "the network failed"));
        let on_response = driver.clone();
        let response = Then::new(move |response: JsValue| respond(&on_response, id, &response));
        // `respond` goes on with the other two; they are found again by the request's id.
        let _ = promise.then2(&response, &failure);
        self.running.borrow_mut().push(Request { id, abort, handlers: [response, body, failure] });
    }

    pub(super) fn abort(&self, id: RequestId) {
        let mut running = self.running.borrow_mut();
        let Some(place) = running.iter().position(|r| r.id == id) else { return };
        let request = running.swap_remove(place);
        drop(running);
        request.abort.abort();
        self.retire(request);
    }

    /// The request is over. False if it was aborted before.
    fn finish(&self, id: RequestId) -> bool {
        let mut running = self.running.borrow_mut();
        let Some(place) = running.iter().position(|r| r.id == id) else { return false };
        let request = running.swap_remove(place);
        drop(running);
        self.retire(request);
        true
    }

    /// Keeps the handlers of the last few requests: their promises have settled by the time they are dropped.
    fn retire(&self, request: Request) {
        let mut retired = self.retired.borrow_mut();
        retired.push(request);
        if retired.len() > 8 {
            retired.remove(0);
        }
    }
}

fn start(url: &str, body: &str, token: Option<&str>, keepalive: bool) -> Option<(Promise, AbortController)> {
    let headers = Headers::new().ok()?;
    headers.set("content-type", "application/json").ok()?;
    if let Some(token) = token {
        headers.set("authorization", &["Bearer ", token].concat()).ok()?;
    }
    let abort = AbortController::new().ok()?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&JsString::from(body));
    init.set_signal(Some(&abort.signal()));
    if keepalive {
        let _ = js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    }
    Some((fetch(url, &init).ok()?, abort))
}

fn respond(driver: &Weak<Driver>, id: RequestId, response: &JsValue) {
    let Some(driver) = driver.upgrade() else { return };
    let response: &Response = response.unchecked_ref();
    if !response.ok() {
        let mut reason = String::from("HTTP status ");
        reason.push_str(itoa::Buffer::new().format(response.status()));
        fail(&driver.me, id, &reason);
        return;
    }
    let running = driver.requests.running.borrow();
    let Some(request) = running.iter().find(|r| r.id == id) else { return };
    if let Ok(text) = response.text() {
        let [_, body, failure] = &request.handlers;
        let _ = text.then2(body, failure);
    }
}

fn fail(driver: &Weak<Driver>, id: RequestId, reason: &str) {
    if let Some(driver) = driver.upgrade()
        && driver.requests.finish(id)
    {
        driver.tell(Input::RequestFailed { request: id, reason: reason.to_owned() });
    }
}
