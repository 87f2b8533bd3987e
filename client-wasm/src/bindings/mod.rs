//! What wasm-bindgen exports: the class `Core` that pkg-js/src/wasm/create-core.ts dresses up as the typed `Core` of
//! pkg-js/src/wasm/bindings.ts. Numbers and short texts cross here, payloads never do; offsets are JavaScript numbers below
//! 2^53.
//!
//! There is one door for each direction, with a number that says what is meant, because every exported function costs
//! a browser some hundreds of bytes (docs/size.md). Only what is called once per message has a door of its own. The
//! three enums of these numbers are exported too, and a test of pkg-js holds its own to them.

#![allow(clippy::float_cmp, reason = "what wasm_bindgen makes of an enum compares")]

use alloc::{borrow::ToOwned, string::String};

use everwire_client_core::{
    Config, Connection, GapStart, Handle, Input, Now, Position, Refusal, SubscribedFrame, Verdict,
    WelcomeFrame,
};
use everwire_protocol::{ErrorCode, GapReason, Guest, Uuid, limits};
use wasm_bindgen::prelude::*;

use crate::browser::{Driver, Happened, Host, now};

/// What JavaScript asks of the core: [`Core::call`]. The letters say which argument is what; numbers are -1 and texts
/// undefined when absent.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy)]
pub enum Operation {
    /// Starts connecting. Once.
    Start,
    /// Ends for good.
    Close,
    /// Starts to receive the channel `x`, with the latest `a` entries or from offset `b` of epoch `y`; `c` is 1 to begin
    /// after what was delivered to the user. Answers with the handle, or with an error.
    Subscribe,
    /// Stops receiving the subscription `a`.
    Unsubscribe,
    /// Queues the frame `data`, a `send` with the id `x` for the channel `y`; `a` is 1 if it was written before the page
    /// was loaded. Answers 0, or with an error.
    Send,
    /// Says the frame `data`: as the question `x`, for `a` ms at most; or, without `x`, now (0 is answered if that
    /// cannot be); or, without `a` too, to this and every later connection. May answer with an error.
    Ask,
    /// A frame has answered the question `x`: answers 1 if it was waited for.
    Answered,
    /// A key was pressed for the subscription `a`; or, with `b` 0, what was written is gone.
    Typing,
    /// In the subscription `a` the user with the number `b` has announced to be typing; or, with `c` 0, withdrawn it.
    HeardTyping,
    /// The subscription `a` was received up to `b` and read up to `c`.
    Mark,
    /// The server has these marks of the user for the subscription `a`: delivered `b`, read `c`.
    Marked,
    /// Whether state frames for the subscription `a` count now: answers 1 or 0.
    Live,
    /// `welcome` of the connection `x` to the user `y`: ping interval `a`, hold `b`, the token's lifetime `c`, bytes
    /// of a payload `d` and of a batch `e`.
    Welcome,
    /// `polled` with seq `a`.
    Polled,
    /// `subscribed` for the subscription `a`: epoch `x`, offset `b`, head `c`, where the gap begins `d`, its reason `y`.
    /// Answers 1 if it counts, or 0.
    Subscribed,
    /// `unsubscribed` for the subscription `a` of the channel `x`: code `y`, message `z`.
    Unsubscribed,
    /// `ack` of the id `x`: offset `a`, at `b`.
    Ack,
    /// `error` with the code `x` and the message `y`: whether it can be retried `a`, the subscription `b` (-1: it
    /// names no channel; -2: it names one without a subscription), when to retry `c`, the id `z`.
    Refused,
    /// `ping` with the nonce `a`.
    Ping,
    /// `goaway`: delay `a`, spread `b`, reason `x`.
    Goaway,
    /// What is being unpacked is not the protocol: the message `x`.
    Violation,
    /// The application's token `x`.
    Token,
    /// The application's token callback failed: the message `x`.
    TokenFailed,
    /// Answers with the last frames (redacted) and state changes, one a line.
    Report,
}

/// One connection.
#[wasm_bindgen]
pub struct Core(Driver);

#[wasm_bindgen]
impl Core {
    /// `url`: absolute http(s) URL of the server, without a trailing slash. `session`: a UUID. Both are checked where
    /// they are made; what is wrong here ends as a server that cannot be reached.
    #[wasm_bindgen(constructor)]
    #[expect(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "an options object would cost more code than it explains"
    )]
    pub fn new(
        host: Host,
        url: &str,
        session: &str,
        guest_user: Option<String>,
        guest_name: Option<String>,
        has_token: bool,
        websocket: bool,
        polling: bool,
        debug: bool,
        hidden: bool,
        online: bool,
    ) -> Self {
        let config = Config {
            session: uuid(session).unwrap_or_default(),
            token: has_token,
            guest: guest_user.zip(guest_name).map(|(user, name)| Guest { user, name }),
            websocket,
            polling,
            client: concat!("everwire-js/", env!("CARGO_PKG_VERSION")).to_owned(),
            debug,
            seed: 0,
            memory: None,
            hidden,
            online,
        };
        Self(Driver::new(config, url, host))
    }

    /// Hot: whether the entry is to be delivered.
    pub fn accept(&self, handle: u32, offset: f64) -> bool {
        // A batch brings nothing but entries as a rule: what follows from them is carried out when it ends.
        self.0.core().accept(Handle(handle), whole(offset)) == Verdict::Deliver
    }

    /// Something happened in the browser: what a function that `Host.handler` made was called with.
    pub fn happened(&self, what: Happened, id: u32, value: &JsValue) {
        self.0.happened(what, id, value);
    }

    /// Everything else. What is answered in words, an error or a report, is told first, and -1 returned.
    #[expect(clippy::too_many_arguments, clippy::many_single_char_names, reason = "see Operation")]
    pub fn call(
        &self,
        operation: Operation,
        a: f64,
        b: f64,
        c: f64,
        d: f64,
        e: f64,
        x: Option<String>,
        y: Option<String>,
        z: Option<String>,
        data: Option<String>,
    ) -> f64 {
        if let Operation::Start = operation {
            self.0.listen();
        }
        let now = now();
        let arguments = Arguments { a, b, c, d, e, x, y, z, data };
        // The borrow ends with the statement, before anything is carried out.
        let answer = operate(&mut self.0.core(), now, operation, arguments);
        self.0.pump();
        match answer {
            Answer::Number(number) => number,
            Answer::Error(code) => self.0.host().answer(code.as_str(), sentence(code)),
            Answer::Text(text) => self.0.host().answer(&text, ""),
        }
    }
}

struct Arguments {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
    x: Option<String>,
    y: Option<String>,
    z: Option<String>,
    data: Option<String>,
}

enum Answer {
    Number(f64),
    Error(ErrorCode),
    Text(String),
}

fn operate(core: &mut Connection, now: Now, operation: Operation, arguments: Arguments) -> Answer {
    let Arguments { a, b, c, d, e, x, y, z, data } = arguments;
    let number = |number: bool| Answer::Number(f64::from(number));
    match operation {
        Operation::Start => core.handle(now, Input::Start),
        Operation::Close => core.handle(now, Input::Close),
        Operation::Subscribe => {
            let position = match (y, optional(b)) {
                (Some(epoch), Some(offset)) => Some(Position { epoch, offset }),
                (None, None) => None,
                _ => return Answer::Error(ErrorCode::InvalidOption),
            };
            let recent = optional(a).map(|recent| recent as u32);
            return match core.subscribe_from(now, text(&x), recent, position, c > 0.0) {
                Ok(handle) => Answer::Number(f64::from(handle.0)),
                Err(error) => Answer::Error(error),
            };
        }
        Operation::Unsubscribe => core.unsubscribe(now, Handle(a as u32)),
        Operation::Send => {
            let Some(id) = uuid(text(&x)) else { return Answer::Error(ErrorCode::InvalidOption) };
            if let Err(code) = core.queue(now, id, text(&y), data.unwrap_or_default(), a > 0.0) {
                return Answer::Error(code);
            }
        }
        Operation::Ask => {
            let id = x.as_deref().and_then(uuid);
            return match core.ask(now, id, data.unwrap_or_default(), optional(a)) {
                Ok(said) => number(said),
                Err(error) => Answer::Error(error),
            };
        }
        Operation::Answered => return number(uuid(text(&x)).is_some_and(|id| core.answered(id))),
        Operation::Typing => core.typing(now, Handle(a as u32), b > 0.0),
        Operation::HeardTyping => core.heard_typing(Handle(a as u32), b as u32, c > 0.0),
        Operation::Mark => core.mark(now, Handle(a as u32), whole(b), whole(c)),
        Operation::Marked => core.marked(Handle(a as u32), whole(b), whole(c)),
        Operation::Live => return number(core.live(Handle(a as u32))),
        Operation::Welcome => match uuid(text(&x)) {
            Some(connection) => core.welcome(WelcomeFrame {
                connection,
                user: y.unwrap_or_default(),
                ping_interval: a as u32,
                hold: b as u32,
                token_expires_in: optional(c),
                payload_bytes: d as u32,
                batch_bytes: e as u32,
            }),
            None => core.violation("the connection of a welcome is not a UUID"),
        },
        Operation::Polled => core.polled(whole(a)),
        Operation::Subscribed => {
            let gap = y.map(|reason| {
                let reason = match reason.as_str() {
                    "too_far" => GapReason::TooFar,
                    "epoch" => GapReason::Epoch,
                    _ => GapReason::Trimmed,
                };
                GapStart { from: whole(d), reason }
            });
            let frame = SubscribedFrame { epoch: text(&x), offset: whole(b), head: whole(c), gap };
            return number(core.subscribed(Handle(a as u32), &frame));
        }
        Operation::Unsubscribed => {
            core.unsubscribed(place(a), text(&x), y.as_deref().map(error_code), text(&z));
        }
        Operation::Ack => {
            if let Some(id) = uuid(text(&x)) {
                core.acked(id, whole(a), whole(b));
            }
        }
        Operation::Refused => core.refused(&Refusal {
            code: error_code(text(&x)),
            message: text(&y),
            retry: a > 0.0,
            id: z.as_deref().and_then(uuid),
            handle: place(b),
            about_channel: b as i32 != -1,
            retry_after: optional(c),
        }),
        Operation::Ping => core.pinged(optional(a).map(|nonce| nonce as u32)),
        Operation::Goaway => core.told_to_leave(a as u32, b as u32, text(&x)),
        Operation::Violation => core.violation(text(&x)),
        Operation::Token => core.handle(now, Input::Token(x.unwrap_or_default())),
        Operation::TokenFailed => core.handle(now, Input::TokenFailed(x.unwrap_or_default())),
        Operation::Report => return Answer::Text(core.report()),
    }
    Answer::Number(0.0)
}

#[expect(clippy::ref_option, reason = "it is for arguments, which are of this type")]
fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// Whatever JavaScript calls a number becomes one that the core can count with.
fn whole(number: f64) -> u64 {
    (number as u64).min(limits::MAX_OFFSET)
}

fn optional(number: f64) -> Option<u64> {
    (number >= 0.0).then(|| whole(number))
}

fn place(handle: f64) -> Option<Handle> {
    optional(handle).map(|handle| Handle(handle as u32))
}

/// 32 hexadecimal digits, hyphens wherever. The crate's own parser takes five forms and explains what is wrong with
/// others, which costs a kilobyte.
fn uuid(text: &str) -> Option<Uuid> {
    let digits = || text.chars().filter(|c| *c != '-');
    let number = digits().try_fold(0_u128, |number, c| Some(number << 4 | u128::from(c.to_digit(16)?)))?;
    (digits().count() == 32).then(|| Uuid::from_u128(number))
}

/// A code that this version does not know is treated as one that nothing can be done about.
fn error_code(text: &str) -> ErrorCode {
    ErrorCode::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(ErrorCode::Internal)
}

/// What a call can be refused with. The other sentences would be carried to the browser for nothing: with an error of
/// the server's comes the server's own.
fn sentence(code: ErrorCode) -> &'static str {
    macro_rules! sentences {
        ($($code:ident),*) => {
            match code {
                $(ErrorCode::$code => const { ErrorCode::$code.message() },)*
                _ => const { ErrorCode::InvalidOption.message() },
            }
        };
    }
    sentences![Closed, IdReused, InvalidChannel, QueueFull, TooLarge, TooManySubscriptions]
}

#[cfg(test)]
mod tests;
