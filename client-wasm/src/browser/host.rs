//! The JavaScript side of the border: the host that pkg-js/src/wasm/create-core.ts makes. What throws there is cut off here, because
//! an exception must not unwind through the driver.

#![allow(clippy::float_cmp, reason = "what wasm_bindgen makes of an enum compares")]

use everwire_protocol::{ErrorCode, GapReason, Uuid};
use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::events::Happened;
use everwire_client_core::{Event, SendStatus, Status, Transport};

/// What the core tells JavaScript: `Host.tell`. The letters say which argument is what; numbers are -1 and texts
/// undefined when absent.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// The connection's state is `a`, over the transport `b`, at try `c`, waiting for `d` ms: error code `x`, reason `y`.
    State,
    /// The subscription `a` is in place at offset `b` of epoch `x`, with head `c`; recovered `d`.
    Subscribed,
    /// Entries `b` to `c` of the subscription `a` are missing for the reason `x`.
    Gap,
    /// The subscription `a` has ended: code `x`, message `y`.
    Ended,
    /// The send `x` has the status `a`: offset `b`, at `c`, code `y`, message `z`.
    Sending,
    /// The core needs a token.
    FetchToken,
    /// In the subscription `a` the user with the number `b` is not typing any more.
    Quiet,
    /// Something went wrong: code `x`, message `y`.
    Error,
    /// The line `x` for the application's log.
    Log,
    /// What the running call answers in words: a report `x`, or the error code `x` with its sentence `y`.
    Answer,
}

#[wasm_bindgen]
extern "C" {
    /// The JavaScript object that the core calls.
    pub type Host;

    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn batch(this: &Host, frames: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn tell(
        this: &Host,
        what: Told,
        a: f64,
        b: f64,
        c: f64,
        d: f64,
        x: Option<&str>,
        y: Option<&str>,
        z: Option<&str>,
    ) -> Result<(), JsValue>;

    /// A function that calls `Core.happened` with these two and its own argument, as long as there is a core. It does
    /// not throw.
    #[wasm_bindgen(method, structural)]
    pub(super) fn handler(this: &Host, what: Happened, id: u32) -> Function;
}

impl Host {
    #[expect(clippy::many_single_char_names, reason = "see Told")]
    fn say(&self, what: Told, [a, b, c, d]: [f64; 4], [x, y, z]: [Option<&str>; 3]) {
        // What it throws is the face's own defect, and it has reported it.
        let _ = self.tell(what, a, b, c, d, x, y, z);
    }

    pub(super) fn fetch_token(&self) {
        self.say(Told::FetchToken, [0.0; 4], [None; 3]);
    }

    /// Returns what the call then returns.
    pub(crate) fn answer(&self, text: &str, sentence: &str) -> f64 {
        self.say(Told::Answer, [0.0; 4], [Some(text), Some(sentence), None]);
        -1.0
    }

    pub(super) fn event(&self, event: &Event) {
        let (what, numbers, texts) = match event {
            Event::State { status, transport, attempt, retry_in, code, reason } => {
                let status = match status {
                    Status::Connecting => 0.0,
                    Status::Connected => 1.0,
                    Status::Waiting => 2.0,
                    Status::Offline => 3.0,
                    Status::Closed => 4.0,
                };
                let transport = match transport {
                    None => 0.0,
                    Some(Transport::WebSocket) => 1.0,
                    Some(Transport::Polling) => 2.0,
                };
                let retry_in = retry_in.map_or(-1.0, |ms| ms as f64);
                let code = code.map(ErrorCode::as_str);
                (Told::State, [status, transport, f64::from(*attempt), retry_in], [code, Some(reason), None])
            }
            Event::Subscribed { handle, position, head, recovered } => (
                Told::Subscribed,
                [f64::from(handle.0), position.offset as f64, *head as f64, f64::from(*recovered)],
                [Some(position.epoch.as_str()), None, None],
            ),
            Event::Gap { handle, from, to, reason } => {
                let reason = match reason {
                    GapReason::Trimmed => "trimmed",
                    GapReason::Epoch => "epoch",
                    GapReason::TooFar => "too_far",
                };
                (Told::Gap, [f64::from(handle.0), *from as f64, *to as f64, 0.0], [Some(reason), None, None])
            }
            Event::Ended { handle, code, message } => (
                Told::Ended,
                [f64::from(handle.0), 0.0, 0.0, 0.0],
                [Some(code.as_str()), Some(message), None],
            ),
            Event::Sending { id, status, stored, error } => {
                let status = match status {
                    SendStatus::Queued => 0.0,
                    SendStatus::Sent => 1.0,
                    SendStatus::Stored => 2.0,
                    SendStatus::Failed => 3.0,
                };
                let (offset, at) = stored.map_or((-1.0, -1.0), |(offset, at)| (offset as f64, at as f64));
                let code = error.as_ref().map(|(code, _)| code.as_str());
                let message = error.as_ref().map(|(_, message)| message.as_str());
                let mut buffer = Uuid::encode_buffer();
                let id = id.hyphenated().encode_lower(&mut buffer);
                return self.say(Told::Sending, [status, offset, at, 0.0], [Some(id), code, message]);
            }
            Event::Quiet { handle, typist } => {
                (Told::Quiet, [f64::from(handle.0), f64::from(*typist), 0.0, 0.0], [None; 3])
            }
            Event::Error { code, message } => {
                (Told::Error, [0.0; 4], [Some(code.as_str()), Some(message), None])
            }
            Event::Log(line) => (Told::Log, [0.0; 4], [Some(line.as_str()), None, None]),
        };
        self.say(what, numbers, texts);
    }
}
