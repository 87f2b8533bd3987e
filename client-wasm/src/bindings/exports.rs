//! The class `Core` that wasm-bindgen exports. pkg-js/src/wasm/create-core.ts turns it into the interface of
//! pkg-js/src/generated/bindings.ts. Payloads never cross the boundary: only numbers, short strings, and frames to send as
//! JSON text do.

use alloc::borrow::ToOwned;

use everwire_client_core::{
    Config, Confirmation, Connection, ErrorFrame, GapStart, Handle, Input, Now, Outcome, Position,
    ReceivedFrame, Restored, WelcomeFrame,
};
use everwire_protocol::{ErrorCode, GapReason, Guest, limits};
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::{
    operations::{
        Ack, Answered, Cancel, Close, CoreOptions, Goaway, Live, Mark, Operations, OwnReceipt, Ping,
        PollSlot, Polled, Refused, Report, Request, Send, SendEphemeral, SendSticky, Start, Subscribe,
        SubscribedFrame, Token, TokenAccepted, TokenFailed, Typing, Unsubscribe, UnsubscribedFrame,
        UserTyping, Violation, Welcome, carry_out,
    },
    registers::{NotAUuid, Registers, texts},
};
use crate::browser::{Driver, Host, now};

/// One connection.
#[wasm_bindgen]
pub struct Core(Driver);

#[wasm_bindgen]
impl Core {
    /// The registers hold `CoreOptions`.
    #[wasm_bindgen(constructor)]
    #[expect(clippy::too_many_arguments, reason = "registers")]
    pub fn new(
        host: Host,
        n0: f64,
        n1: f64,
        n2: f64,
        n3: f64,
        n4: f64,
        n5: f64,
        t0: &JsValue,
        t1: &JsValue,
        t2: &JsValue,
        t3: &JsValue,
    ) -> Self {
        let mut texts = texts([t0, t1, t2, t3]);
        let options = CoreOptions::take(Registers::new([n0, n1, n2, n3, n4, n5], &mut texts));
        let config = Config {
            server: options.url.to_owned(),
            session: options.session.unwrap_or_default(),
            token: options.tokens > 0,
            constant_token: options.tokens == 1,
            guest: options
                .guest_user
                .zip(options.guest_name)
                .map(|(user, name)| Guest { user: user.to_owned(), name: name.to_owned() }),
            websocket: options.websocket,
            polling: options.polling,
            share_polls: true,
            client: concat!("everwire-js/", env!("CARGO_PKG_VERSION")).into(),
            debug: options.debug,
            seed: 0,
            memory: None,
            hidden: options.hidden,
            online: options.online,
        };
        let driver = Driver::new(config, options.url, host);
        driver.listen();
        Self(driver)
    }

    /// Whether to deliver `count` entries, the first of which is at `offset`. The hot path, so it is a separate function.
    pub fn accept(&self, handle: u32, offset: f64, count: u32) -> bool {
        // A batch usually contains only entries: the outputs are carried out at its end.
        self.0.core().accept(Handle(handle), (offset as u64).min(limits::MAX_OFFSET), count)
    }

    /// A browser event: the argument with which a function of `Host.handler` was called.
    pub fn browser_event(&self, event: u32, id: u32, value: &JsValue) {
        self.0.browser_event(event, id, value);
    }

    /// Every other operation, by its number; the registers hold its arguments. Throws the code of an error.
    #[expect(clippy::too_many_arguments, reason = "registers")]
    pub fn call(
        &self,
        number: u32,
        n0: f64,
        n1: f64,
        n2: f64,
        n3: f64,
        n4: f64,
        n5: f64,
        t0: &JsValue,
        t1: &JsValue,
        t2: &JsValue,
        t3: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let mut texts = texts([t0, t1, t2, t3]);
        let registers = Registers::new([n0, n1, n2, n3, n4, n5], &mut texts);
        let now = now();
        // The borrow ends with the statement, before what follows from it is carried out.
        let answer = carry_out(&mut At { core: &mut self.0.core(), now }, number, registers);
        self.0.pump();
        answer.unwrap_or(NOTHING).map_err(|code| code.as_str().into())
    }
}

/// The core at one moment.
struct At<'a> {
    core: &'a mut Connection,
    now: Now,
}

type Answer = Result<JsValue, ErrorCode>;

const NOTHING: Answer = Ok(JsValue::UNDEFINED);

impl Operations for At<'_> {
    type Answer = Answer;

    fn start(&mut self, Start {}: Start) -> Answer {
        self.core.handle(self.now, Input::Start);
        NOTHING
    }

    fn close(&mut self, Close {}: Close) -> Answer {
        self.core.handle(self.now, Input::Close);
        NOTHING
    }

    fn subscribe(&mut self, frame: Subscribe) -> Answer {
        let Subscribe { channel, recent, epoch, offset, run, undelivered } = frame;
        let position = match (epoch, offset) {
            (Some(epoch), Some(offset)) => {
                Some(Position { epoch: epoch.to_owned(), offset, run: run.unwrap_or_default().to_owned() })
            }
            (None, None) => None,
            _ => return Err(ErrorCode::InvalidOption),
        };
        let handle = self.core.subscribe_from(self.now, channel, recent, position, undelivered)?;
        Ok(handle.0.into())
    }

    fn unsubscribe(&mut self, Unsubscribe { handle }: Unsubscribe) -> Answer {
        self.core.unsubscribe(self.now, handle);
        NOTHING
    }

    fn send(&mut self, Send { id, channel, frame, restored, left_ago_ms }: Send) -> Answer {
        let id = id.map_err(|NotAUuid| ErrorCode::InvalidOption)?;
        let restored = restored.then_some(Restored { left_ago: left_ago_ms });
        self.core.queue(self.now, id, channel, frame, restored)?;
        NOTHING
    }

    fn cancel(&mut self, Cancel { id }: Cancel) -> Answer {
        Ok(id.is_ok_and(|id| self.core.cancel(self.now, id)).into())
    }

    fn request(&mut self, Request { id, frame, timeout_ms }: Request) -> Answer {
        let id = id.map_err(|NotAUuid| ErrorCode::InvalidOption)?;
        self.core.request(self.now, id, frame, timeout_ms.into())?;
        NOTHING
    }

    fn send_ephemeral(&mut self, SendEphemeral { frame }: SendEphemeral) -> Answer {
        Ok(self.core.send_ephemeral(self.now, frame)?.into())
    }

    fn send_sticky(&mut self, SendSticky { frame }: SendSticky) -> Answer {
        self.core.send_always(self.now, frame)?;
        NOTHING
    }

    fn typing(&mut self, Typing { handle, key }: Typing) -> Answer {
        self.core.typing(self.now, handle, key);
        NOTHING
    }

    fn mark(&mut self, Mark { handle, delivered, read }: Mark) -> Answer {
        self.core.mark(self.now, handle, delivered.unwrap_or(0), read.unwrap_or(0));
        NOTHING
    }

    fn poll_slot(&mut self, PollSlot {}: PollSlot) -> Answer {
        self.core.handle(self.now, Input::PollSlot);
        NOTHING
    }

    fn token(&mut self, Token { token }: Token) -> Answer {
        self.core.handle(self.now, Input::Token(token));
        NOTHING
    }

    fn token_failed(&mut self, TokenFailed { message }: TokenFailed) -> Answer {
        self.core.handle(self.now, Input::TokenFailed(message));
        NOTHING
    }

    fn report(&mut self, Report {}: Report) -> Answer {
        Ok(self.core.report().as_str().into())
    }

    fn welcome(&mut self, frame: Welcome) -> Answer {
        self.receive(match frame.connection {
            Ok(connection) => ReceivedFrame::Welcome(WelcomeFrame {
                connection,
                run: frame.run,
                user: frame.user,
                ping_interval: frame.ping_interval_ms,
                hold: frame.hold_ms,
                token_expires_in: frame.token_expires_in_ms,
                payload_bytes: frame.payload_bytes,
                batch_bytes: frame.batch_bytes,
                batch_frames: frame.batch_frames,
                // The package counts them itself: here they would need one more register for every operation.
                subscriptions: limits::MAX_SUBSCRIPTIONS as u32,
            }),
            Err(NotAUuid) => {
                ReceivedFrame::Violation { message: "the connection of a welcome is not a UUID" }
            }
        })
    }

    fn subscribed_frame(&mut self, frame: SubscribedFrame) -> Answer {
        let SubscribedFrame { handle, epoch, offset, head, gap_from, gap } = frame;
        let gap = gap.map(|reason| GapStart { from: gap_from.unwrap_or(0), reason });
        let frame = everwire_client_core::SubscribedFrame { handle, epoch, offset, head, gap };
        self.receive(ReceivedFrame::Subscribed(frame))
    }

    fn unsubscribed_frame(&mut self, frame: UnsubscribedFrame) -> Answer {
        let UnsubscribedFrame { handle, channel, code, retry_after_ms: retry_after } = frame;
        let frame = everwire_client_core::UnsubscribedFrame { handle, channel, code, retry_after };
        self.receive(ReceivedFrame::Unsubscribed(frame))
    }

    fn ack(&mut self, Ack { id }: Ack) -> Answer {
        id.map_or(NOTHING, |id| self.receive(ReceivedFrame::Ack { id }))
    }

    fn refused(&mut self, frame: Refused) -> Answer {
        self.receive(ReceivedFrame::Error(ErrorFrame {
            code: frame.code,
            message: frame.message,
            retry: frame.retry,
            id: frame.id,
            retry_after: frame.retry_after_ms,
        }))
    }

    fn token_accepted(&mut self, TokenAccepted { expires_in_ms: expires_in }: TokenAccepted) -> Answer {
        self.receive(ReceivedFrame::TokenAccepted { expires_in })
    }

    fn polled(&mut self, Polled { seq, connection }: Polled) -> Answer {
        self.receive(ReceivedFrame::Polled { seq, connection })
    }

    fn ping(&mut self, Ping { nonce }: Ping) -> Answer {
        self.receive(ReceivedFrame::Ping { nonce })
    }

    fn goaway(&mut self, Goaway { delay_ms, spread_ms, reason }: Goaway) -> Answer {
        self.receive(ReceivedFrame::Goaway { delay: delay_ms, spread: spread_ms, reason })
    }

    fn answered(&mut self, Answered { id }: Answered) -> Answer {
        id.map_or(NOTHING, |id| self.receive(ReceivedFrame::Answer { id }))
    }

    fn live(&mut self, Live { handle }: Live) -> Answer {
        self.receive(ReceivedFrame::State { handle: Some(handle) })
    }

    fn user_typing(&mut self, UserTyping { handle, typist, typing }: UserTyping) -> Answer {
        self.receive(ReceivedFrame::UserTyping { handle, typist, typing })
    }

    fn own_receipt(&mut self, OwnReceipt { handle, delivered, read }: OwnReceipt) -> Answer {
        self.receive(ReceivedFrame::OwnReceipt { handle, delivered, read })
    }

    fn violation(&mut self, Violation { message }: Violation) -> Answer {
        self.receive(ReceivedFrame::Violation { message })
    }
}

impl At<'_> {
    /// Processes a frame: the answer tells what to report to the application.
    #[expect(clippy::unnecessary_wraps, reason = "the answer of every operation may be an error")]
    fn receive(&mut self, frame: ReceivedFrame<'_>) -> Answer {
        Ok(match self.core.receive_frame(frame) {
            Outcome::Nothing => JsValue::UNDEFINED,
            Outcome::Deliver | Outcome::Stored => JsValue::TRUE,
            Outcome::Ended => "ended".into(),
            Outcome::Failed => "failed".into(),
            Outcome::Error => "error".into(),
            Outcome::Subscribed(Confirmation { offset, gap }) => {
                let from = gap.map_or(JsValue::UNDEFINED, |gap| (gap.from as f64).into());
                let reason = gap.map_or(JsValue::UNDEFINED, |gap| name(gap.reason).into());
                Array::of3(&(offset as f64).into(), &from, &reason).into()
            }
        })
    }
}

fn name(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Trimmed => "trimmed",
        GapReason::TooFar => "too_far",
        GapReason::Epoch => "epoch",
    }
}
