//! What wasm-bindgen exports: the class `Core` of pkg-js/src/border.ts. Numbers and short texts cross here, payloads
//! never do; offsets are JavaScript numbers below 2^53.

use std::rc::Rc;

use everwire_protocol::{ErrorCode, GapReason, Guest, Payload, Uuid};
use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::{
    browser::{Driver, Host, Place, now},
    core::{Config, Handle, Input, Position, Refusal, SubscribedFrame, Verdict, WelcomeFrame},
};

/// One connection.
#[wasm_bindgen]
pub struct Core(Rc<Driver>);

#[wasm_bindgen]
impl Core {
    /// `url`: absolute http(s) URL of the server, without a trailing slash. Throws `{code, message}`.
    #[wasm_bindgen(constructor)]
    #[expect(clippy::too_many_arguments, reason = "an options object would cost more code than it explains")]
    pub fn new(
        host: Host,
        url: &str,
        guest_user: Option<String>,
        guest_name: Option<String>,
        has_token: bool,
        websocket: bool,
        polling: bool,
        debug: bool,
        session: &str,
    ) -> Result<Core, JsValue> {
        // http://… becomes ws://…, and https://… wss://….
        let Some(rest) = url.strip_prefix("http") else { return Err(thrown(ErrorCode::InvalidOption)) };
        let place = Place {
            websocket: ["ws", rest, "/everwire/v1/ws"].concat(),
            poll: [url, "/everwire/v1/poll"].concat(),
        };
        let config = Config {
            session: uuid(session).ok_or_else(|| thrown(ErrorCode::InvalidOption))?,
            token: has_token,
            guest: guest_user.zip(guest_name).map(|(user, name)| Guest { user, name }),
            websocket,
            polling,
            client: concat!("everwire-js/", env!("CARGO_PKG_VERSION")).to_owned(),
            debug,
            seed: 0,
            memory: None,
            hidden: false,
            online: true,
        };
        Ok(Self(Driver::new(config, place, host)))
    }

    /// Starts connecting. Once.
    pub fn start(&self) {
        self.0.start();
    }

    /// Ends for good.
    pub fn close(&self) {
        self.0.close();
    }

    /// Starts to receive a channel; returns its handle. Throws `{code, message}`.
    pub fn subscribe(
        &self,
        channel: &str,
        recent: Option<u32>,
        epoch: Option<String>,
        offset: Option<f64>,
    ) -> Result<u32, JsValue> {
        let position = match (epoch, offset) {
            (Some(epoch), Some(offset)) if offset >= 0.0 => Some(Position { epoch, offset: offset as u64 }),
            (None, None) => None,
            _ => return Err(thrown(ErrorCode::InvalidOption)),
        };
        let handle = self.0.with(|core| core.subscribe(now(), channel, recent, position));
        handle.map(|handle| handle.0).map_err(thrown)
    }

    /// Stops receiving.
    pub fn unsubscribe(&self, handle: u32) {
        self.0.with(|core| core.unsubscribe(now(), Handle(handle)));
    }

    /// Queues a message; `data` is what `JSON.stringify` returned. Throws `{code, message}`.
    pub fn send(&self, id: &str, channel: &str, event: Option<String>, data: String) -> Result<(), JsValue> {
        let id = uuid(id).ok_or_else(|| thrown(ErrorCode::InvalidOption))?;
        let data = Payload::from_trusted_text(data);
        self.0.with(|core| core.send(now(), id, channel, event, data)).map_err(thrown)
    }

    /// Hot: 1 if the entry is to be delivered, 0 if it is to be dropped.
    pub fn accept(&self, handle: u32, offset: f64) -> u8 {
        let verdict = self.0.look(|core| core.accept(Handle(handle), offset as u64));
        u8::from(verdict == Verdict::Deliver)
    }

    /// Whether state frames for this subscription count now.
    pub fn live(&self, handle: u32) -> bool {
        self.0.look(|core| core.live(Handle(handle)))
    }

    /// `welcome`; `token_expires_in_ms` is -1 when absent.
    #[expect(clippy::too_many_arguments, reason = "one per field of the frame")]
    pub fn welcome(
        &self,
        connection: &str,
        user: String,
        ping_interval_ms: f64,
        hold_ms: f64,
        token_expires_in_ms: f64,
        payload_bytes: f64,
        batch_bytes: f64,
    ) {
        let Some(connection) = uuid(connection) else {
            return self.violation("the connection of a welcome is not a UUID".to_owned());
        };
        let frame = WelcomeFrame {
            connection,
            user,
            ping_interval: ping_interval_ms as u32,
            hold: hold_ms as u32,
            token_expires_in: (token_expires_in_ms >= 0.0).then_some(token_expires_in_ms as u64),
            payload_bytes: payload_bytes as u32,
            batch_bytes: batch_bytes as u32,
        };
        self.0.with(|core| core.welcome(frame));
    }

    /// `polled`
    pub fn polled(&self, seq: f64) {
        self.0.with(|core| core.polled(seq as u64));
    }

    /// `subscribed`; true if it counts.
    #[expect(clippy::too_many_arguments, reason = "one per field of the frame")]
    pub fn subscribed(
        &self,
        handle: u32,
        epoch: &str,
        offset: f64,
        head: f64,
        _gap_from: f64,
        _gap_to: f64,
        gap_reason: Option<String>,
    ) -> bool {
        // What is missing follows from the client's own position; of the server's word only the reason is needed.
        let gap = gap_reason.map(|reason| match reason.as_str() {
            "too_far" => GapReason::TooFar,
            "epoch" => GapReason::Epoch,
            _ => GapReason::Trimmed,
        });
        let frame = SubscribedFrame { epoch, offset: offset as u64, head: head as u64, gap };
        self.0.with(|core| core.subscribed(Handle(handle), &frame))
    }

    /// `unsubscribed`; `handle` is negative when the channel has no subscription.
    pub fn unsubscribed(&self, handle: i32, channel: &str, code: Option<String>, message: Option<String>) {
        let code = code.as_deref().map(error_code);
        let message = message.unwrap_or_default();
        self.0.with(|core| core.unsubscribed(place(handle), channel, code, &message));
    }

    /// `ack`
    pub fn ack(&self, id: &str, offset: f64, at: f64) {
        if let Some(id) = uuid(id) {
            self.0.with(|core| core.acked(id, offset as u64, at as u64));
        }
    }

    /// `error`; `handle` is -1 when it names no channel, -2 when it names one without a subscription, and
    /// `retry_after_ms` is -1 when absent.
    pub fn refused(
        &self,
        code: &str,
        message: &str,
        retry: bool,
        id: Option<String>,
        handle: i32,
        retry_after_ms: f64,
    ) {
        let refusal = Refusal {
            code: error_code(code),
            message,
            retry,
            id: id.and_then(|id| uuid(&id)),
            handle: place(handle),
            about_channel: handle != -1,
            retry_after: (retry_after_ms >= 0.0).then_some(retry_after_ms as u64),
        };
        self.0.with(|core| core.refused(&refusal));
    }

    /// `ping`; `nonce` is -1 when absent.
    pub fn ping(&self, nonce: f64) {
        self.0.with(|core| core.pinged((nonce >= 0.0).then_some(nonce as u32)));
    }

    /// `pong`
    pub fn pong(&self, _nonce: f64) {
        self.0.with(|core| core.ponged());
    }

    /// `goaway`
    pub fn goaway(&self, delay_ms: f64, spread_ms: f64, reason: &str) {
        self.0.with(|core| core.told_to_leave(delay_ms as u32, spread_ms as u32, reason));
    }

    /// What is being unpacked is not the protocol.
    pub fn violation(&self, message: String) {
        self.0.violated(message);
    }

    /// The application's token.
    pub fn token(&self, token: String) {
        self.0.tell(Input::Token(token));
    }

    /// The application's token callback failed.
    pub fn token_failed(&self, message: String) {
        self.0.tell(Input::TokenFailed(message));
    }

    /// The last frames (redacted) and state changes, one a line.
    pub fn report(&self) -> String {
        self.0.look(|core| core.report())
    }
}

fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

fn place(handle: i32) -> Option<Handle> {
    u32::try_from(handle).ok().map(Handle)
}

/// A code that this version does not know is treated as one that nothing can be done about.
fn error_code(text: &str) -> ErrorCode {
    ErrorCode::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(ErrorCode::Internal)
}

pub(crate) fn gap_reason(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Trimmed => "trimmed",
        GapReason::Epoch => "epoch",
        GapReason::TooFar => "too_far",
    }
}

/// What the face makes an `EverwireError` of.
fn thrown(code: ErrorCode) -> JsValue {
    let error = Object::new();
    let _ = Reflect::set(&error, &"code".into(), &code.as_str().into());
    let _ = Reflect::set(&error, &"message".into(), &code.sentence().into());
    error.into()
}
