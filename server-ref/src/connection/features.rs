//! Frames of features that this server does not have: each is refused where it belongs, and has no other effect.

use everwire_protocol::{ClientFrame, ConnectionFrame, Error, SortedFrame, batch::Frame};

use super::{
    Connection,
    errors::{about, error_saying, re},
};

impl Connection {
    /// The refusal of a frame, if it is part of a feature that this server does not have.
    pub(super) fn not_offered(&self, frame: &ClientFrame) -> Option<Error> {
        let refusal = self.settings.features.check(frame.feature()?).err()?;
        let refused = re(frame.kind(), error_saying(refusal.code, refusal.message));
        Some(match SortedFrame::from(frame.clone()) {
            SortedFrame::Request(request) => Error { id: Some(request.id()), ..refused },
            SortedFrame::Connection(frame) => match frame {
                ConnectionFrame::Send(frame) => Error { id: Some(frame.id), ..about(frame.channel, refused) },
                ConnectionFrame::Typing(frame) => about(frame.channel, refused),
                ConnectionFrame::Signal(frame) => about(frame.channel, refused),
                ConnectionFrame::Mark(frame) => about(frame.channel, refused),
                ConnectionFrame::Subscribe(frame) => about(frame.channel, refused),
                ConnectionFrame::Unsubscribe(frame) => about(frame.channel, refused),
                ConnectionFrame::Hello(_)
                | ConnectionFrame::Poll(_)
                | ConnectionFrame::Token(_)
                | ConnectionFrame::Ping(_)
                | ConnectionFrame::Pong(_)
                | ConnectionFrame::Idle(_)
                | ConnectionFrame::Bye(_) => refused,
            },
        })
    }
}
