//! Requests and their answers.

use std::{sync::Arc, time::Duration};

use everwire_protocol::{Answered, ErrorCode, Uuid};
use serde::Serialize;

use crate::{Error, json, shared::Shared};

/// How long an answer is waited for.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A request of the protocol: one of the frames that are answered by another with the same id.
pub trait Request: Serialize + Answered {}

impl<R: Serialize + Answered> Request for R {}

/// Nobody waits any more once this is dropped.
struct Waiting {
    shared: Arc<Shared>,
    id: Uuid,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.peek(|session| session.forget(self.id));
    }
}

pub(crate) async fn answer<R: Request>(
    shared: Arc<Shared>,
    make: impl FnOnce(Uuid) -> R,
    limit: Duration,
) -> Result<R::Answer, Error> {
    let id = shared.peek(|session| session.ids.next());
    let frame = json::frame(R::KIND, &make(id))?;
    let wait = shared.with(|session| session.request(id, frame, limit))?;
    let waiting = Waiting { shared, id };
    let answered = wait.await;
    let answer = answered.unwrap_or_else(|_| Err(waiting.shared.peek(|session| session.closed())))?;
    R::answer_in(answer).ok_or_else(|| Error::from(ErrorCode::ProtocolViolation))
}
