//! Ephemeral frames: passed on to those who are subscribed now, and stored nowhere.

use everwire_protocol::{Channel, Error, ErrorCode, ServerFrame, Signal, Signalled, Typing, UserTyping};

use super::{
    Connection, Output,
    errors::{error, error_saying, re},
    payloads::check_size,
};
use crate::model::{
    broadcast::{Ephemeral, Receiver},
    identity::{Identity, RateClass},
};

impl Connection {
    pub(super) fn typing(&mut self, now_ms: u64, frame: Typing, identity: &Identity) {
        let Typing { channel, typing } = frame;
        let (user, name) = (identity.user.as_ref().into(), identity.name.as_deref().map(Into::into));
        let typed = UserTyping { channel: channel.clone(), user, name, typing };
        self.pass_on(now_ms, "typing", channel, typed.into(), Receiver::OtherUsers, identity);
    }

    pub(super) fn signal(&mut self, now_ms: u64, frame: Signal, identity: &Identity) {
        let Signal { channel, event, data, to } = frame;
        if let Err(refusal) = check_size(&self.settings.limits, &data) {
            return self.push(dropped("signal", &channel, error_saying(refusal.code, refusal.message)));
        }
        let (user, name) = (identity.user.as_ref().into(), identity.name.as_deref().map(Into::into));
        let signalled = Signalled {
            channel: Some(channel.clone()),
            event,
            data,
            user: Some(user),
            name,
            from: Some(self.connection),
            at: self.access.wall_ms(now_ms),
        };
        let to = to.map_or(Receiver::Others, Receiver::One);
        self.pass_on(now_ms, "signal", channel, signalled.into(), to, identity);
    }

    fn pass_on(
        &mut self,
        now_ms: u64,
        kind: &str,
        channel: Channel,
        frame: ServerFrame,
        to: Receiver,
        who: &Identity,
    ) {
        if !self.access.may_send(who, &channel) {
            return self.push(dropped(kind, &channel, error(ErrorCode::Forbidden)));
        }
        if let Err(refused) = self.keep_pace(now_ms, who, RateClass::Ephemeral) {
            return self.push(dropped(kind, &channel, *refused));
        }
        let (who, session) = (who.clone(), self.session);
        self.outputs.push_back(Output::Ephemeral(Box::new(Ephemeral { channel, frame, who, session, to })));
    }

    /// Counts something that the client does not retry.
    pub(super) fn keep_pace(&self, now_ms: u64, who: &Identity, what: RateClass) -> Result<(), Box<Error>> {
        self.access.pace(who, self.session, what, now_ms).map_err(|ms| {
            let words = "Too much in too short a time. This was dropped; wait a little before the next.";
            Box::new(Error { retry_after_ms: Some(ms), ..error_saying(ErrorCode::RateLimited, words) })
        })
    }
}

/// Tells the client that a frame of this type for a channel was dropped. The message names the channel too, for people.
pub(super) fn dropped(kind: &str, channel: &Channel, error: Error) -> Error {
    let message = format!("{} ({channel})", error.message);
    Error { channel: Some(channel.clone()), message, ..re(kind, error) }
}
