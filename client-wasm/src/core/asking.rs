//! What the application says besides sends, as the text of frames that it has written itself: questions that are asked
//! again after a reconnect until they are answered or their time is up, what is gone if it cannot go now, and what every
//! connection has to be told anew.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use everwire_protocol::{CoreFrame, ErrorCode, Uuid, batch};

use super::{Carrier, Connection, Now, connection::Phase};

/// Most questions that wait for an answer.
const MAX_QUESTIONS: usize = 100;
/// Most ephemeral frames that wait for the POST that is under way.
const MAX_FLEETING: usize = 32;
/// What is ephemeral is of no use any more after this long, in ms.
const FLEETING_MS: u64 = 3_000;

#[derive(Debug)]
struct Question {
    id: Uuid,
    text: String,
    /// When it is given up.
    until: u64,
    /// It is under way.
    asked: bool,
}

#[derive(Debug, Default)]
pub(super) struct Asking {
    questions: Vec<Question>,
    /// Ephemeral frames for the next POST, and when they came.
    fleeting: Vec<(u64, String)>,
    /// What each connection is told after its welcome.
    lasting: Option<String>,
    /// The present one was.
    told: bool,
}

impl Asking {
    /// Nothing is under way any more; what was ephemeral is gone.
    pub(super) fn recall(&mut self) {
        for question in &mut self.questions {
            question.asked = false;
        }
        self.fleeting.clear();
        self.told = false;
    }

    /// The next frames for one batch, marked as under way: half of it at most, or one that is larger.
    pub(super) fn take(&mut self, now: u64, max_bytes: usize) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let mut bytes = 0;
        if let Some(lasting) = self.lasting.as_ref().filter(|_| !self.told) {
            texts.push(lasting.clone());
            self.told = true;
        }
        for (at, text) in self.fleeting.drain(..) {
            bytes += text.len() + 1;
            if at + FLEETING_MS > now && (bytes <= max_bytes / 2 || texts.is_empty()) {
                texts.push(text);
            }
        }
        for question in self.questions.iter_mut().filter(|q| !q.asked) {
            bytes += question.text.len() + 1;
            if bytes > max_bytes / 2 && !texts.is_empty() {
                break;
            }
            question.asked = true;
            texts.push(question.text.clone());
        }
        texts
    }

    /// Whether a question is under way.
    pub(super) fn waits(&self) -> bool {
        self.questions.iter().any(|q| q.asked)
    }

    /// When the next question is given up.
    pub(super) fn until(&self) -> Option<u64> {
        self.questions.iter().map(|q| q.until).min()
    }

    fn remove(&mut self, id: Uuid) -> bool {
        let place = self.questions.iter().position(|q| q.id == id);
        place.map(|place| self.questions.remove(place)).is_some()
    }

    /// Ends everything.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Uuid> + use<> {
        core::mem::take(&mut self.questions).into_iter().map(|q| q.id)
    }
}

impl Connection {
    /// Asks something: `text` is a frame with the id `id`. It goes out again with every connection until it is answered
    /// ([`Connection::answered`]), refused, or `timeout` ms are over; the latter two are told by [`super::Event::Sending`].
    pub fn ask(&mut self, now: Now, id: Uuid, text: String, timeout: u64) -> Result<(), ErrorCode> {
        self.tick(now);
        if self.phase == Phase::Closed {
            return Err(ErrorCode::Closed);
        }
        if text.len() + 2 > self.max_batch {
            return Err(ErrorCode::TooLarge);
        }
        if self.asking.questions.len() >= MAX_QUESTIONS {
            return Err(ErrorCode::QueueFull);
        }
        let until = self.now() + timeout;
        self.asking.questions.push(Question { id, text, until, asked: false });
        self.flush();
        Ok(())
    }

    /// A frame has come that answers this question. False if nobody waits for it.
    pub fn answered(&mut self, id: Uuid) -> bool {
        if self.source.is_none() {
            return false;
        }
        self.brought();
        self.asking.remove(id)
    }

    /// Says something that is of use only now (promise 6): `text` is a frame. False if there is no connection.
    pub fn ephemeral(&mut self, now: Now, text: String) -> bool {
        self.tick(now);
        match self.active {
            None => return false,
            Some(Carrier::WebSocket) => self.send_texts(&[text]),
            Some(Carrier::Polling) => {
                if self.asking.fleeting.len() >= MAX_FLEETING {
                    return false;
                }
                let now = self.now();
                self.asking.fleeting.push((now, text));
                self.flush();
            }
        }
        true
    }

    /// Says something that holds for as long as a connection does: `text` is a frame, told again after every welcome.
    pub fn lasting(&mut self, now: Now, text: String) {
        self.tick(now);
        self.asking.lasting = Some(text);
        self.asking.told = false;
        self.flush();
    }

    /// The same for a frame of the core's own. Over HTTP it goes with the next [`Connection::flush`].
    pub(super) fn say(&mut self, frame: &CoreFrame) {
        match self.active {
            None => {}
            Some(Carrier::WebSocket) => self.send_websocket(core::slice::from_ref(frame)),
            Some(Carrier::Polling) => {
                let now = self.now();
                self.asking.fleeting.push((now, batch::encode_frame(frame)));
            }
        }
    }

    /// A question is refused. False if `id` is none.
    pub(super) fn question_refused(&mut self, id: Uuid, code: ErrorCode, message: &str) -> bool {
        let known = self.asking.remove(id);
        if known {
            self.failed(id, code, message.to_owned());
        }
        known
    }

    pub(super) fn asking_timers(&mut self, now: u64) {
        while let Some(late) = self.asking.questions.iter().find(|q| q.until <= now).map(|q| q.id) {
            self.question_refused(late, ErrorCode::Timeout, const { ErrorCode::Timeout.sentence() });
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
