//! A message on its way.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use everwire_protocol::Uuid;
use futures_channel::oneshot;

use crate::{Error, Stored, shared::Shared};

/// A message that waits to be stored: resolves once it is, or is refused for good. It is on its way whether this is polled or not,
/// and dropping this only stops waiting for it.
#[must_use = "the message is sent, but nobody will know whether it was stored"]
pub struct Sending {
    id: Uuid,
    shared: Arc<Shared>,
    /// None: it was refused at once, or has been told.
    wait: Option<oneshot::Receiver<Result<Stored, Error>>>,
    refused: Option<Error>,
}

impl Sending {
    pub(crate) fn new(
        shared: Arc<Shared>,
        id: Uuid,
        queued: Result<oneshot::Receiver<Result<Stored, Error>>, Error>,
    ) -> Self {
        match queued {
            Ok(wait) => Self { id, shared, wait: Some(wait), refused: None },
            Err(error) => Self { id, shared, wait: None, refused: Some(error) },
        }
    }

    /// The id of the message.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Withdraws the message. False if it is on its way, and may be stored.
    pub fn cancel(&self) -> bool {
        self.shared.with(|session| session.cancel(self.id))
    }
}

impl Future for Sending {
    type Output = Result<Stored, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(error) = self.refused.take() {
            return Poll::Ready(Err(error));
        }
        let Some(wait) = &mut self.wait else { return Poll::Pending };
        let Poll::Ready(told) = Pin::new(wait).poll(cx) else { return Poll::Pending };
        self.wait = None;
        Poll::Ready(told.unwrap_or_else(|_| Err(self.shared.peek(|session| session.closed()))))
    }
}

impl std::fmt::Debug for Sending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending").field("id", &self.id).finish_non_exhaustive()
    }
}
