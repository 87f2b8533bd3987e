//! The loop of every driver: what has happened goes into the session, and what that wants is carried out by a platform. It makes no
//! decisions.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use everwire_client_core::{Input, Output, receive};
#[cfg(not(target_arch = "wasm32"))]
use everwire_protocol::batch::{self, Bounds};
use everwire_protocol::{ServerFrame, batch::Unreadable};
use futures_channel::mpsc;
use futures_core::Stream;

use crate::{
    options::{TokenFuture, Tokens},
    report::{KeptSend, Report},
    session::{Session, Store},
    shared::Shared,
};

pub(crate) type Reports = mpsc::UnboundedSender<Report>;

/// Sockets, requests, timers and storage.
pub(crate) trait Platform: Unpin {
    /// Resolves after some ms.
    type Timer: Future<Output = ()> + Unpin;

    fn timer(ms: u64) -> Self::Timer;

    /// Everything but events and tokens, which have nothing to do with the platform.
    fn carry_out(&mut self, output: Output);

    /// Changes what is kept beyond the page.
    fn store(&mut self, change: Store) {
        drop(change);
    }

    /// Ready once what is on its way has left.
    fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Drives a session until it is closed.
pub(crate) struct Driver<P: Platform> {
    shared: Arc<Shared>,
    platform: P,
    reports: mpsc::UnboundedReceiver<Report>,
    tokens: Tokens,
    token: Option<TokenFuture>,
    timer: Option<P::Timer>,
    /// When it fires, in the core's time.
    due: u64,
}

/// How many reports are handled before others may run.
const AT_ONCE: usize = 64;

impl<P: Platform> Driver<P> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        platform: P,
        reports: mpsc::UnboundedReceiver<Report>,
        tokens: Tokens,
    ) -> Self {
        Self { shared, platform, reports, tokens, token: None, timer: None, due: u64::MAX }
    }

    /// Takes what has happened. Returns whether something has.
    fn take_reports(&mut self, cx: &mut Context<'_>) -> bool {
        for handled in 0..AT_ONCE {
            let Poll::Ready(Some(report)) = Pin::new(&mut self.reports).poll_next(cx) else {
                return handled > 0;
            };
            self.shared.drive(|session| take(session, report));
        }
        true
    }

    fn take_token(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(token) = &mut self.token else { return false };
        let Poll::Ready(token) = token.as_mut().poll(cx) else { return false };
        self.token = None;
        self.give(token);
        true
    }

    fn give(&mut self, token: Result<String, String>) {
        let input = match token {
            Ok(token) => Input::Token(token),
            Err(reason) => Input::TokenFailed(reason),
        };
        self.shared.drive(|session| session.tell(input));
    }

    /// Carries out what is wanted. Returns whether something was.
    fn carry_out(&mut self) -> bool {
        let (stores, outputs) = self
            .shared
            .drive(|session| (std::mem::take(&mut session.store), std::mem::take(&mut session.outputs)));
        let some = !stores.is_empty() || !outputs.is_empty();
        // Messages are stored before they are sent.
        for change in stores {
            self.platform.store(change);
        }
        for output in outputs {
            match (output, &mut self.tokens) {
                (Output::FetchToken, Tokens::Asked(ask)) => self.token = Some(ask()),
                (Output::FetchToken, Tokens::Constant(token)) => {
                    let token = token.clone();
                    self.give(Ok(token));
                }
                (Output::FetchToken, Tokens::None) => self.give(Err("there are no tokens".into())),
                (output, _) => self.platform.carry_out(output),
            }
        }
        some
    }

    fn take_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let (now, delay) = self.shared.peek(|session| (session.core.now(), session.core.poll_timeout()));
        let due = delay.map_or(u64::MAX, |delay| now + delay);
        // A timer that fires too early costs little, and is set again.
        if due < self.due {
            self.due = due;
            self.timer = delay.map(P::timer);
        }
        let Some(timer) = &mut self.timer else { return false };
        if Pin::new(timer).poll(cx).is_pending() {
            return false;
        }
        (self.timer, self.due) = (None, u64::MAX);
        self.shared.drive(|session| session.tell(Input::Timeout));
        true
    }
}

impl<P: Platform> Future for Driver<P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // First, so that nothing that is asked for from now on is missed.
        this.shared.peek(|session| session.driver = Some(cx.waker().clone()));
        loop {
            let carried_out = this.carry_out();
            if this.shared.peek(|session| session.is_closed() && session.outputs.is_empty()) {
                this.token = None;
                if this.platform.poll_finished(cx).is_pending() {
                    return Poll::Pending;
                }
                this.shared.drive(Session::end);
                return Poll::Ready(());
            }
            let happened = this.take_reports(cx) | this.take_token(cx) | this.take_timer(cx);
            if !carried_out && !happened {
                return Poll::Pending;
            }
        }
    }
}

/// The client has been given up, such as with the runtime that it was in.
impl<P: Platform> Drop for Driver<P> {
    fn drop(&mut self) {
        self.shared.drive(|session| {
            if !session.ended {
                session.close(false);
                session.end();
            }
        });
    }
}

fn take(session: &mut Session, report: Report) {
    let (source, text) = match report {
        Report::Input(input) => return session.tell(input),
        Report::Restored(kept) => {
            return session.restore(kept.into_iter().map(|KeptSend(kept)| kept).collect());
        }
        Report::Batch(source, text) => (source, text),
    };
    match read(&text) {
        Ok(frames) => {
            let now = session.now();
            receive(session, now, source, frames);
            session.drain();
        }
        Err(message) => session.tell(Input::Violation { source, message }),
    }
}

type Frames = Vec<Result<ServerFrame, Unreadable>>;

#[cfg(not(target_arch = "wasm32"))]
fn read(text: &str) -> Result<Frames, String> {
    let bounds = Bounds { bytes: usize::MAX, frames: usize::MAX, ..Bounds::default() };
    batch::decode_received(text, &bounds).map_err(|error| error.to_string())
}

/// In a browser its own parser has accepted the text.
#[cfg(target_arch = "wasm32")]
fn read(text: &str) -> Result<Frames, String> {
    crate::frames::read_batch(text).ok_or_else(|| "the message is not a batch".to_owned())
}
