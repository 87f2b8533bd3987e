//! HTTP requests by fetch: one batch out, one batch back. Anything but a 200 with text comes from an intermediary.

use std::{cell::RefCell, rc::Rc};

use everwire_client_core::{Input, RequestId, Source};
use everwire_protocol::paths::POLL_PATH;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, Headers, RequestInit, Response};

use super::{batch_of, message_of};
use crate::{driver::Reports, report::Report};

#[wasm_bindgen]
extern "C" {
    // The global one, which windows and workers share.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    // Not every browser has it here, and web-sys only behind a flag.
    #[wasm_bindgen(extends = RequestInit)]
    type WithKeepalive;
    #[wasm_bindgen(method, setter)]
    fn set_keepalive(this: &WithKeepalive, keepalive: bool);
}

type Open = Rc<RefCell<Vec<(RequestId, AbortController)>>>;

pub(super) struct Requests {
    url: String,
    open: Open,
    reports: Reports,
}

impl Requests {
    pub(super) fn new(server: &str, reports: &Reports) -> Self {
        let url = [server, POLL_PATH].concat();
        Self { url, open: Open::default(), reports: reports.clone() }
    }

    pub(super) fn send(&self, id: RequestId, body: &str, token: Option<&str>, keepalive: bool) {
        let (open, reports) = (self.open.clone(), self.reports.clone());
        let url = ["POST ", &self.url, ": "].concat();
        let started = self.start(id, body, token, keepalive);
        spawn_local(async move {
            let answer = match started {
                Ok(promise) => answer(promise).await,
                Err(thrown) => Err((0, message_of(&thrown))),
            };
            if !take(&open, id) {
                return;
            }
            let source = Source::Response(id);
            let report = match answer.map(|body| batch_of(&body)) {
                Ok(Ok(text)) => Report::Batch(source, text),
                Ok(Err(message)) => Report::Input(Input::Violation { source, message }),
                Err((status, reason)) => {
                    Report::Input(Input::RequestFailed { request: id, status, reason: url + &reason })
                }
            };
            let _ = reports.unbounded_send(report);
        });
    }

    fn start(
        &self,
        id: RequestId,
        body: &str,
        token: Option<&str>,
        keepalive: bool,
    ) -> Result<Promise, JsValue> {
        let abort = AbortController::new()?;
        let headers = Headers::new()?;
        headers.set("content-type", "application/json")?;
        if let Some(token) = token {
            headers.set("authorization", &["Bearer ", token].concat())?;
        }
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&headers);
        init.set_body(&body.into());
        init.set_signal(Some(&abort.signal()));
        init.unchecked_ref::<WithKeepalive>().set_keepalive(keepalive);
        self.open.borrow_mut().push((id, abort));
        fetch(&self.url, &init)
    }

    pub(super) fn abort(&self, id: RequestId) {
        let at = self.open.borrow().iter().position(|(other, _)| *other == id);
        if let Some(at) = at {
            let (_, abort) = self.open.borrow_mut().swap_remove(at);
            abort.abort();
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // Not those that leave with a goodbye, which nobody waits for.
        self.open.borrow_mut().clear();
    }
}

/// Ends a request. False if it has ended before.
fn take(open: &Open, id: RequestId) -> bool {
    let mut open = open.borrow_mut();
    let before = open.len();
    open.retain(|(other, _)| *other != id);
    open.len() < before
}

/// The body of a response; or its status, and what is wrong.
async fn answer(promise: Promise) -> Result<JsValue, (u16, String)> {
    let failed = |thrown: JsValue| (0, message_of(&thrown));
    let response: Response = JsFuture::from(promise).await.map_err(failed)?.unchecked_into();
    if !response.ok() {
        let status = response.status();
        let hint = ", not from an Everwire server: a proxy, firewall or login page answers there";
        return Err((status, ["HTTP status ", &status.to_string(), hint].concat()));
    }
    JsFuture::from(response.text().map_err(failed)?).await.map_err(failed)
}
