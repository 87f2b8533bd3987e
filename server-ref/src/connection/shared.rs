//! A connection that its driver shares with those who deliver to it directly, and the rules that keep everything in order:
//!
//! * Whoever handles mail, delivers or writes holds the connection's lock, and does nothing that waits.
//! * Mail is taken out of the mailbox under that lock. While there is some, or somebody else has the lock, entries go by mail
//!   too: so nothing overtakes what the same sender has sent before.
//! * What a connection wants besides sending is carried out by its driver only, without the lock.
//! * A transport that has not taken a whole batch gets nothing more until its driver has written the rest.
//! * What fails in a connection ends its driver, and nobody else: not those who deliver to it.
//!
//! The server drives it with sockets, the simulation under virtual time.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};

use super::{
    Connection, Input, Output, Phase,
    direct::{Delivered, DirectReceiver},
    encoding::BatchEncoder,
    mailbox::{MailboxReceiver, MailboxSender},
};
use crate::{accounts::LARGE_QUEUE, model::log::Entry};

/// Messages that are handled before the transport is looked at again.
const MESSAGES: usize = 256;

/// The writing side of a transport.
pub trait BatchWriter: fmt::Debug + Send + 'static {
    /// Takes a batch. Returns whether all of it was written; otherwise the driver has to write the rest, or the transport
    /// has failed.
    fn write(&mut self, frames: Vec<Arc<str>>, encoder: &mut BatchEncoder) -> bool;
}

/// The connection and its transport's writing side, under the lock.
#[derive(Debug)]
pub struct Shared<W> {
    /// The connection.
    pub connection: Connection,
    /// The writing side.
    pub writer: W,
    /// A panic of somebody who has delivered to it, for its driver.
    panic: Option<Box<dyn Any + Send>>,
}

/// A connection that is shared.
#[derive(Debug)]
pub struct SharedConnection<W> {
    shared: Mutex<Shared<W>>,
    /// The driver's.
    waker: AtomicWaker,
    /// Whether somebody is going to flush it.
    to_flush: AtomicBool,
    /// A planted bug: entries are delivered directly although there is mail.
    #[cfg(feature = "planted")]
    overtakes: bool,
}

/// What the driver has to do after the connection has written what it could.
#[derive(Debug, Default)]
pub struct Outputs {
    /// To be carried out, in order.
    pub outputs: Vec<Output>,
    /// The number of frames that were passed to the transport.
    pub frames: usize,
    /// The bytes that are queued.
    pub queued_bytes: usize,
    /// Whether these count in the budget of all queues.
    pub large: bool,
    /// When [`Connection::handle_timeout`] wants to be called.
    pub due: Option<u64>,
}

impl<W: BatchWriter> SharedConnection<W> {
    /// Shares a connection with those who know its mailbox.
    pub fn new(connection: Connection, writer: W, mailbox: &MailboxSender) -> Arc<Self> {
        let shared = Arc::new(Self {
            shared: Mutex::new(Shared { connection, writer, panic: None }),
            waker: AtomicWaker::new(),
            to_flush: AtomicBool::new(false),
            #[cfg(feature = "planted")]
            overtakes: mailbox.is_overtaken(),
        });
        mailbox.permit_direct_delivery(Arc::downgrade(&shared) as Weak<dyn DirectReceiver>);
        shared
    }

    /// The lock. Held for a moment only.
    pub fn lock(&self) -> MutexGuard<'_, Shared<W>> {
        self.shared.lock()
    }

    /// From now on this driver is woken if there is something to do for it. Called before it looks for what there is.
    pub fn register(&self, driver: &Waker) {
        self.waker.register(driver);
    }

    /// Handles the mail. Returns whether there was any; otherwise the driver is woken by the next one.
    pub fn handle_mail(
        &self,
        context: &Context<'_>,
        now_ms: impl FnOnce() -> u64,
        mailbox: &mut MailboxReceiver,
    ) -> bool {
        let mut messages = Vec::new();
        let mut shared = self.shared.lock();
        if let Some(panic) = shared.panic.take() {
            drop(shared);
            resume_unwind(panic);
        }
        if mailbox.poll_take(context, &mut messages, MESSAGES).is_pending() || messages.is_empty() {
            return false;
        }
        let now_ms = now_ms();
        for message in messages {
            // The rest is for polling connections only; dropping it notifies the sender.
            if let Ok(input) = message.into_input() {
                shared.connection.handle(now_ms, input);
            }
        }
        if mailbox.overflowed() {
            shared.connection.handle(now_ms, Input::Overflow);
        }
        true
    }

    /// Writes what can be written, and returns what else is to be done. Called until that is nothing.
    pub fn take_outputs(&self, now_ms: u64) -> Outputs {
        let mut all = Outputs::default();
        let mut encoder = BatchEncoder::default();
        let mut shared = self.shared.lock();
        while let Some(output) = shared.connection.poll_output() {
            match output {
                Output::Send(frames) => {
                    all.frames += frames.len();
                    shared.write(now_ms, frames, &mut encoder);
                }
                output => all.outputs.push(output),
            }
        }
        all.queued_bytes = shared.connection.queued_bytes();
        all.large = all.queued_bytes >= LARGE_QUEUE;
        all.due = shared.connection.poll_timeout();
        all
    }

    #[cfg_attr(not(feature = "planted"), expect(clippy::unused_self, reason = "only a planted bug does it"))]
    fn overtakes(&self) -> bool {
        #[cfg(feature = "planted")]
        return self.overtakes;
        #[cfg(not(feature = "planted"))]
        false
    }
}

impl<W: BatchWriter> Shared<W> {
    /// Writes a batch. Returns whether the next one may follow.
    fn write(&mut self, now_ms: u64, frames: Vec<Arc<str>>, encoder: &mut BatchEncoder) -> bool {
        let whole = self.writer.write(frames, encoder);
        if whole {
            self.connection.handle(self.connection.now.max(now_ms), Input::Writable);
        }
        whole
    }
}

/// What has to be done without the lock.
enum Then {
    Nothing,
    Flush,
    WakeDriver,
}

impl<W: BatchWriter> Shared<W> {
    fn deliver(&mut self, now_ms: u64, entries: &[Arc<Entry>]) -> Then {
        self.connection.deliver(now_ms, entries);
        if self.connection.needs_driver() {
            Then::WakeDriver
        } else if self.connection.has_batch() {
            Then::Flush
        } else {
            Then::Nothing
        }
    }

    fn flush(&mut self, now_ms: u64, encoder: &mut BatchEncoder) -> (usize, Then) {
        let mut sent = 0;
        while let Some(frames) = self.connection.poll_batch(now_ms) {
            sent += frames.len();
            if !self.write(now_ms, frames, encoder) {
                return (sent, Then::WakeDriver);
            }
        }
        (sent, if self.connection.needs_driver() { Then::WakeDriver } else { Then::Nothing })
    }

    /// Does something on behalf of somebody who is not the driver, and leaves a panic to it.
    fn guard<T>(&mut self, action: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.panic.is_some() {
            return None;
        }
        catch_unwind(AssertUnwindSafe(|| action(self))).map_err(|panic| self.panic = Some(panic)).ok()
    }
}

impl<W: BatchWriter> DirectReceiver for SharedConnection<W> {
    fn deliver(&self, now_ms: u64, entries: &[Arc<Entry>], has_mail: &dyn Fn() -> bool) -> Delivered {
        let Some(mut shared) = self.shared.try_lock() else { return Delivered::ByMail };
        if has_mail() && !self.overtakes() {
            return Delivered::ByMail;
        }
        let then = shared.guard(|shared| shared.deliver(now_ms, entries));
        drop(shared);
        match then {
            Some(Then::Flush) if !self.to_flush.swap(true, Ordering::AcqRel) => Delivered::ToFlush,
            Some(Then::Flush | Then::Nothing) => Delivered::Queued,
            Some(Then::WakeDriver) | None => {
                self.waker.wake();
                Delivered::Queued
            }
        }
    }

    fn flush(&self, now_ms: u64, encoder: &mut BatchEncoder) -> usize {
        // First: what is delivered from now on is flushed once more.
        self.to_flush.store(false, Ordering::Release);
        let Some(mut shared) = self.shared.try_lock() else {
            // Whoever has the lock may have looked at the queue already.
            self.waker.wake();
            return 0;
        };
        let flushed = shared.guard(|shared| shared.flush(now_ms, encoder));
        drop(shared);
        let (sent, then) = flushed.unwrap_or((0, Then::WakeDriver));
        if matches!(then, Then::WakeDriver) {
            self.waker.wake();
        }
        sent
    }
}

impl Connection {
    /// Handles entries of one channel, as [`Input::Entry`] does.
    fn deliver(&mut self, now_ms: u64, entries: &[Arc<Entry>]) {
        // Whoever delivers has looked at the clock before it had the lock.
        self.now = self.now.max(now_ms);
        if self.has_failed() || matches!(self.phase, Phase::Ended) {
            return;
        }
        for entry in entries {
            self.entry(entry.clone());
        }
        self.advance(self.now);
    }

    /// Whether there is something to do that only the driver can do.
    fn needs_driver(&self) -> bool {
        !self.outputs.is_empty() || self.closing.is_some() || self.queue.bytes() >= LARGE_QUEUE
    }

    /// Whether there is a batch that the transport can take.
    fn has_batch(&self) -> bool {
        self.queue.is_writable() && !self.queue.is_empty()
    }

    /// The next batch, if the transport can take one and nothing else has to be done before. Not an output, which costs more.
    fn poll_batch(&mut self, now_ms: u64) -> Option<Vec<Arc<str>>> {
        self.now = self.now.max(now_ms);
        if !self.outputs.is_empty() || self.closing.is_some() || matches!(self.phase, Phase::Ended) {
            return None;
        }
        let batch = self.queue.write(self.now)?;
        self.heartbeat.sent(self.now);
        // There may be room for more now.
        self.advance(self.now);
        Some(batch)
    }
}
