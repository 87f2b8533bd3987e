//! The JavaScript side of the border: `Host` of pkg-js/src/border.ts. Calls that throw are cut off here, because an
//! exception must not unwind through the driver.

use wasm_bindgen::prelude::*;

use crate::core::{Carrier, Event, SendStatus, Status};

#[wasm_bindgen]
extern "C" {
    /// The JavaScript object that the core calls.
    pub type Host;

    #[wasm_bindgen(method, structural, catch)]
    pub(crate) fn batch(this: &Host, frames: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn state(
        this: &Host,
        status: u8,
        carrier: u8,
        attempt: u32,
        retry_in_ms: f64,
        code: Option<&str>,
        reason: &str,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn subscribed(
        this: &Host,
        handle: u32,
        epoch: &str,
        offset: f64,
        head: f64,
        recovered: bool,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn gap(this: &Host, handle: u32, from: f64, to: f64, reason: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn ended(this: &Host, handle: u32, code: &str, message: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn sending(
        this: &Host,
        id: &str,
        status: u8,
        offset: f64,
        at: f64,
        code: Option<&str>,
        message: Option<&str>,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = fetchToken)]
    fn fetch_token_(this: &Host) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn error(this: &Host, code: &str, message: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, structural, catch)]
    fn log(this: &Host, line: &str) -> Result<(), JsValue>;
}

impl Host {
    pub(super) fn fetch_token(&self) {
        // What it throws is the face's own defect, and it has reported it.
        let _ = self.fetch_token_();
    }

    pub(super) fn event(&self, event: Event) {
        let _ = match event {
            Event::State { status, carrier, attempt, retry_in, code, reason } => {
                let status = match status {
                    Status::Connecting => 0,
                    Status::Connected => 1,
                    Status::Waiting => 2,
                    Status::Offline => 3,
                    Status::Closed => 4,
                };
                let carrier = match carrier {
                    None => 0,
                    Some(Carrier::WebSocket) => 1,
                    Some(Carrier::Polling) => 2,
                };
                let retry_in = retry_in.map_or(-1.0, |ms| ms as f64);
                self.state(status, carrier, attempt, retry_in, code.map(|c| c.as_str()), &reason)
            }
            Event::Subscribed { handle, position, head, recovered } => {
                self.subscribed(handle.0, &position.epoch, position.offset as f64, head as f64, recovered)
            }
            Event::Gap { handle, from, to, reason } => {
                self.gap(handle.0, from as f64, to as f64, crate::border::gap_reason(reason))
            }
            Event::Ended { handle, code, message } => self.ended(handle.0, code.as_str(), &message),
            Event::Sending { id, status, stored, error } => {
                let status = match status {
                    SendStatus::Queued => 0,
                    SendStatus::Sent => 1,
                    SendStatus::Stored => 2,
                    SendStatus::Failed => 3,
                };
                let (offset, at) = stored.map_or((-1.0, -1.0), |(offset, at)| (offset as f64, at as f64));
                let (code, message) = error.unzip();
                let mut buffer = everwire_protocol::Uuid::encode_buffer();
                let id = id.hyphenated().encode_lower(&mut buffer);
                self.sending(id, status, offset, at, code.map(|c| c.as_str()), message.as_deref())
            }
            Event::Error { code, message } => self.error(code.as_str(), &message),
            Event::Log(line) => self.log(&line),
        };
    }
}
