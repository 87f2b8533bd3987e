//! What is said besides sends, as the text of frames: questions that are asked again after a reconnect until they are
//! answered or their time is up, what is gone if it cannot go now, and what every connection has to be told anew. One
//! list for all three, because a browser downloads every list's code.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use everwire_protocol::{CoreFrame, ErrorCode, Uuid, batch};

use super::{Connection, Now, connection::Phase};

/// Most frames that wait, or wait for an answer.
const MOST: usize = 128;
/// What is ephemeral is of no use any more after this long, in ms.
pub(super) const FLEETING_MS: u64 = 3_000;
/// How long what is told to every connection is kept: for ever.
const LASTING: u64 = u64::MAX;
/// What is told to this connection alone is of use as long as there is one: longer than anything else.
pub(super) const WHILE_CONNECTED_MS: u64 = 1 << 62;

#[derive(Debug)]
struct Said {
    /// Names a question; nil if no answer is expected.
    id: Uuid,
    text: String,
    /// When it is given up.
    until: u64,
    /// It is under way.
    asked: bool,
}

impl Said {
    fn is_fleeting(&self) -> bool {
        self.id.is_nil() && self.until < LASTING
    }
}

#[derive(Debug, Default)]
pub(super) struct Asking(Vec<Said>);

impl Asking {
    /// Nothing is under way any more; what was ephemeral is gone.
    pub(super) fn recall(&mut self) {
        self.0.retain_mut(|said| {
            said.asked = false;
            !said.is_fleeting()
        });
    }

    /// The next frames for one batch, marked as under way: half of it at most, or one that is larger.
    pub(super) fn take(&mut self, max_bytes: usize) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let mut bytes = 0;
        self.0.retain_mut(|said| {
            if said.asked {
                return true;
            }
            bytes += said.text.len() + 1;
            if bytes > max_bytes / 2 && !texts.is_empty() {
                return true;
            }
            said.asked = true;
            texts.push(said.text.clone());
            !said.is_fleeting()
        });
        texts
    }

    /// Whether a question is under way.
    pub(super) fn waits(&self) -> bool {
        self.0.iter().any(|said| said.asked && !said.id.is_nil())
    }

    /// When the next frame is given up.
    pub(super) fn until(&self) -> Option<u64> {
        self.0.iter().map(|said| said.until).min().filter(|until| *until < WHILE_CONNECTED_MS)
    }

    /// Takes out what answers to this description.
    fn remove(&mut self, wanted: impl Fn(&Said) -> bool) -> Option<Uuid> {
        let place = self.0.iter().position(wanted)?;
        Some(self.0.remove(place).id)
    }
}

impl Connection {
    /// Says a frame that the driver has written. With an `id`, which is in `text` too, it is a question: it goes out
    /// again with every connection until it is answered ([`Connection::answered`]), refused, or `timeout` ms are over;
    /// the latter two are told by [`super::Event::Sending`]. Without one and with any timeout it is ephemeral (promise 6):
    /// if there is no connection it is dropped, and false returned. With neither it is told to this and every later
    /// connection, in the place of what was said so before.
    pub fn ask(
        &mut self,
        now: Now,
        id: Option<Uuid>,
        text: String,
        timeout: Option<u64>,
    ) -> Result<bool, ErrorCode> {
        self.tick(now);
        if self.phase == Phase::Closed {
            return Err(ErrorCode::Closed);
        }
        if text.len() + 2 > self.max_batch {
            return Err(ErrorCode::TooLarge);
        }
        if id.is_none() && timeout.is_some() && self.active.is_none() {
            return Ok(false);
        }
        if timeout.is_none() {
            self.asking.remove(|said| said.until == LASTING);
        }
        if self.asking.0.len() >= MOST {
            return Err(ErrorCode::QueueFull);
        }
        let until = match (id, timeout) {
            (_, None) => LASTING,
            (None, Some(_)) => self.now() + FLEETING_MS,
            (Some(_), Some(timeout)) => self.now() + timeout,
        };
        self.asking.0.push(Said { id: id.unwrap_or_default(), text, until, asked: false });
        self.flush();
        Ok(true)
    }

    /// The same for a frame of the core's own, which is of use for `ms`; it goes with the next [`Connection::flush`].
    pub(super) fn say(&mut self, frame: &CoreFrame, ms: u64) {
        if self.active.is_some() {
            let until = self.now() + ms;
            let text = batch::encode_frame(frame);
            self.asking.0.push(Said { id: Uuid::nil(), text, until, asked: false });
        }
    }

    /// A frame has come that answers this question. False if nobody waits for it.
    pub fn answered(&mut self, id: Uuid) -> bool {
        if self.source.is_none() {
            return false;
        }
        self.brought();
        self.asking.remove(|said| said.id == id).is_some()
    }

    /// A question is refused. False if `id` is none.
    pub(super) fn question_refused(&mut self, id: Uuid, code: ErrorCode, message: &str) -> bool {
        let known = self.asking.remove(|said| said.id == id).is_some();
        if known {
            self.failed(id, code, message.to_owned());
        }
        known
    }

    /// Gives up what is due by `now`.
    pub(super) fn give_up_asking(&mut self, now: u64, code: ErrorCode, message: &str) {
        while let Some(id) = self.asking.remove(|said| said.until <= now) {
            if !id.is_nil() {
                self.failed(id, code, message.to_owned());
            }
        }
    }
}

/// Puts frames that are texts already at the end of a batch.
pub(super) fn with_texts(mut batch: String, texts: &[String]) -> String {
    for text in texts {
        batch.pop();
        if batch.len() > 1 {
            batch.push(',');
        }
        batch.push_str(text);
        batch.push(']');
    }
    batch
}
