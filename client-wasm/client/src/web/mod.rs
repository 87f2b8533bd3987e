//! The driver for browsers: WebSocket and fetch, the page's life, and what is kept beyond the page.
//!
//! Browser events become reports in a queue, and wake the task that drives the session: no Rust code of the session runs while
//! JavaScript does, so no listener can call back into it.

mod fetch;
mod memory;
#[cfg(feature = "outbox")]
mod outbox;
mod page;
mod slots;
mod socket;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use everwire_client_core::{Input, Output};
use futures_channel::mpsc;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;

use crate::{
    Error, Options,
    driver::{Driver, Platform, Reports},
    options::Tokens,
    report::Report,
    session::Store,
    shared::Shared,
    start::begin,
};
use fetch::Requests;
use page::Page;
use slots::Slot;
use socket::Socket;

#[wasm_bindgen]
extern "C" {
    // By name: workers have the same, without a window.
    #[wasm_bindgen(js_namespace = location, js_name = origin, thread_local_v2)]
    static ORIGIN: Option<String>;
}

/// `/` is the server that the page is from.
pub(crate) fn resolve(url: &mut String) {
    if url.starts_with('/') {
        let origin = ORIGIN.with(Clone::clone).unwrap_or_default();
        *url = origin + url;
    }
}

/// Starts a session, and the task that drives it.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there may be no runtime")]
pub(crate) fn start(
    mut options: Options,
    reports: Reports,
    reported: mpsc::UnboundedReceiver<Report>,
) -> Result<Arc<Shared>, Error> {
    let page = Page::listen(&reports);
    let (hidden, online) = (page.is_hidden(), page.is_online());
    let url = options.url.clone();
    let shared = begin(
        &options,
        |mut config| {
            config.memory = memory::recall(&url);
            (config.hidden, config.online, config.share_polls) = (hidden, online, true);
            config
        },
        cfg!(feature = "outbox"),
    );
    let browser = Browser {
        #[cfg(feature = "outbox")]
        outbox: outbox::Outbox::new(&options, &reports),
        socket: None,
        requests: Requests::new(&url, &reports),
        slot: Slot::new(&url, &reports),
        page: Some(page),
        url,
        reports,
    };
    let tokens = std::mem::replace(&mut options.tokens, Tokens::None);
    wasm_bindgen_futures::spawn_local(Driver::new(shared.clone(), browser, reported, tokens));
    Ok(shared)
}

/// One client in a browser.
struct Browser {
    url: String,
    reports: Reports,
    /// One at a time, as in the core.
    socket: Option<Socket>,
    requests: Requests,
    slot: Slot,
    page: Option<Page>,
    #[cfg(feature = "outbox")]
    outbox: outbox::Outbox,
}

/// A timer of the browser. One that fires late, in a page that is throttled, is what the core expects.
struct Timer(TimeoutFuture);

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Platform for Browser {
    type Timer = Timer;

    fn timer(ms: u64) -> Timer {
        // Limited to 31 bits.
        Timer(TimeoutFuture::new(ms.min(0x7fff_ffff) as u32))
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::OpenWebSocket(id) => match Socket::open(&self.url, id, &self.reports) {
                Ok(socket) => self.socket = Some(socket),
                // A Content-Security-Policy or mixed content: as if it was refused.
                Err(thrown) => {
                    let reason = message_of(&thrown);
                    self.report(Input::WebSocketClosed { socket: id, code: socket::ABNORMAL, reason });
                }
            },
            Output::SendWebSocket { socket, text } => {
                if let Some(open) = self.socket.as_ref().filter(|open| open.id == socket) {
                    open.send(&text);
                }
            }
            Output::CloseWebSocket { socket, code } => {
                if let Some(open) = self.socket.take_if(|open| open.id == socket) {
                    open.close(code);
                }
            }
            Output::Request { request, body, token, keepalive } => {
                self.requests.send(request, &body, token.as_deref(), keepalive);
            }
            Output::Abort(request) => self.requests.abort(request),
            Output::PollSlot(wanted) => self.slot.want(wanted),
            Output::Remember(what) => memory::remember(&self.url, what),
            // The loop does these.
            Output::FetchToken | Output::Event(_) => {}
        }
    }

    fn store(&mut self, change: Store) {
        #[cfg(feature = "outbox")]
        self.outbox.change(change);
        #[cfg(not(feature = "outbox"))]
        drop(change);
    }

    fn poll_finished(&mut self, _: &mut Context<'_>) -> Poll<()> {
        // The browser sends what was handed to it.
        self.page = None;
        self.slot.want(false);
        Poll::Ready(())
    }
}

impl Browser {
    fn report(&self, input: Input) {
        let _ = self.reports.unbounded_send(Report::Input(input));
    }
}

#[wasm_bindgen]
extern "C" {
    // Of the browser's own string: js_sys::JSON::parse takes one of Rust.
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    fn parse(text: &JsValue) -> Result<JsValue, JsValue>;

    // What was thrown, nearly always an Error.
    type Thrown;
    #[wasm_bindgen(method, getter, structural)]
    fn message(this: &Thrown) -> Option<String>;
}

/// What a thrown value says; a wrapper of the page may throw anything.
fn message_of(thrown: &JsValue) -> String {
    let says_something = !thrown.is_undefined() && !thrown.is_null();
    let message = says_something.then(|| thrown.unchecked_ref::<Thrown>().message());
    message.flatten().unwrap_or_else(|| "the browser does not say why".to_owned())
}

/// The text of a batch, if it is JSON.
fn batch_of(value: &JsValue) -> Result<String, String> {
    const NOT_JSON: &str =
        "the message is not JSON: a proxy or a login page may answer instead of the server";
    match (value.as_string(), parse(value)) {
        (Some(text), Ok(_)) => Ok(text),
        // A binary message is not a batch either.
        _ => Err(NOT_JSON.to_owned()),
    }
}
