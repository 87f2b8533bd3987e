//! What a client says to others: what is stored, what is gone when missed, and how far it has read.

use everwire_protocol::{
    Ack, Action, Channel, Error, ErrorCode, Mark, Send, ServerFrame, Signal, Signalled, Typing, UserTyping,
    channels::keeps_receipts, limits::MAX_EVENT_BYTES,
};

use super::{
    Connection, Output, ReceivedMark, check_payload,
    frames::{about_send, error, error_saying},
};
use crate::model::{
    broadcast::{Ephemeral, Receiver},
    identity::{Identity, RateClass},
    log::{NewEntry, Outcome, SendPermission},
};

impl Connection {
    pub(super) fn send(&mut self, now_ms: u64, frame: Send, identity: &Identity) {
        let Send { id, channel, event, data, action, target } = frame;
        if event.as_deref().is_some_and(|event| !is_event(event)) {
            let wrong = error_saying(ErrorCode::InvalidFrame, event_rule());
            return self.bad(now_ms, about_send(id, channel, wrong));
        }
        if action.is_some() != target.is_some() {
            let wrong = error_saying(
                ErrorCode::InvalidFrame,
                "An action needs a target, and a target an action: give both, or neither.",
            );
            return self.bad(now_ms, about_send(id, channel, wrong));
        }
        if let Err(refusal) = check_payload(&self.settings.limits, event.as_deref(), &data) {
            return self.push(about_send(id, channel, error_saying(refusal.code, refusal.message)));
        }
        if action == Some(Action::Delete) && data.text() != "null" {
            let wrong =
                error_saying(ErrorCode::InvalidPayload, "What deletes a message has no data: send null.");
            return self.push(about_send(id, channel, wrong));
        }
        if !self.access.may_send(identity, &channel) {
            return self.push(about_send(id, channel, error(ErrorCode::Forbidden)));
        }
        if self.sending.defers(id) {
            return self.push(about_send(id, channel, error(ErrorCode::Deferred)));
        }
        if let Err(ms) = self.access.pace(identity, self.session, RateClass::Send, now_ms) {
            self.sending.refuse(id);
            let refused = Error { retry_after_ms: Some(ms), ..error(ErrorCode::RateLimited) };
            return self.push(about_send(id, channel, refused));
        }
        let (user, name) = (identity.user.clone(), identity.name.clone());
        let chat = self.access.chat(identity, &channel);
        let permission = if chat.is_some() { SendPermission::AsMember } else { SendPermission::Granted };
        let entry = NewEntry { id, channel, user, name, event, data, action, target, permission };
        if let Err(put_off) = self.sending.submit(entry) {
            self.push(about_send(put_off.id, put_off.channel, error(ErrorCode::Deferred)));
        }
    }

    pub(super) fn appended(&mut self, outcomes: Option<Vec<Outcome>>) {
        let Some(outcomes) = outcomes else {
            let retry_after_ms = Some(self.settings.retry_after_ms);
            for put_off in self.sending.failed() {
                let code = if put_off.first { ErrorCode::Unavailable } else { ErrorCode::Deferred };
                let refused = Error { retry_after_ms, ..error(code) };
                self.push(about_send(put_off.id, put_off.channel, refused));
            }
            return;
        };
        for ((id, channel), outcome) in self.sending.stored().into_iter().zip(outcomes) {
            match outcome {
                Outcome::Stored(place) | Outcome::Copy(place) => {
                    self.push(Ack { id, channel, offset: place.offset, at: place.at });
                }
                Outcome::IdReused => self.push(about_send(id, channel, error(ErrorCode::IdReused))),
                Outcome::Refused(refusal) => {
                    self.push(about_send(id, channel, error_saying(refusal.code, refusal.message)));
                }
            }
        }
    }

    // What is gone when missed

    pub(super) fn typing(&mut self, now_ms: u64, frame: Typing, identity: &Identity) {
        let Typing { channel, typing } = frame;
        let (user, name) = (identity.user.as_ref().into(), identity.name.as_deref().map(Into::into));
        let typed = UserTyping { channel: channel.clone(), user, name, typing };
        self.pass_on(now_ms, channel, typed.into(), Receiver::OtherUsers, identity);
    }

    pub(super) fn signal(&mut self, now_ms: u64, frame: Signal, identity: &Identity) {
        let Signal { channel, event, data, to } = frame;
        if !is_event(&event) {
            return self.bad(now_ms, dropped(&channel, error_saying(ErrorCode::InvalidFrame, event_rule())));
        }
        if let Err(refusal) = check_payload(&self.settings.limits, Some(&event), &data) {
            return self.push(dropped(&channel, error_saying(refusal.code, refusal.message)));
        }
        let (user, name) = (identity.user.as_ref().into(), identity.name.as_deref().map(Into::into));
        let signalled = Signalled {
            channel: Some(channel.clone()),
            event,
            data,
            user: Some(user),
            name,
            from: Some(self.connection),
            at: now_ms,
        };
        let to = to.map_or(Receiver::Others, Receiver::One);
        self.pass_on(now_ms, channel, signalled.into(), to, identity);
    }

    fn pass_on(&mut self, now_ms: u64, channel: Channel, frame: ServerFrame, to: Receiver, who: &Identity) {
        if !self.access.may_send(who, &channel) {
            return self.push(dropped(&channel, error(ErrorCode::Forbidden)));
        }
        if let Err(refused) = self.keep_pace(now_ms, who, RateClass::Ephemeral) {
            return self.push(dropped(&channel, refused));
        }
        let (who, session) = (who.clone(), self.session);
        self.outputs.push_back(Output::Ephemeral(Box::new(Ephemeral { channel, frame, who, session, to })));
    }

    /// Counts something that the client will not repeat by itself.
    pub(super) fn keep_pace(&self, now_ms: u64, who: &Identity, what: RateClass) -> Result<(), Error> {
        self.access.pace(who, self.session, what, now_ms).map_err(|ms| {
            let words = "Too much in too short a time. This was dropped; wait a little before the next.";
            Error { retry_after_ms: Some(ms), ..error_saying(ErrorCode::RateLimited, words) }
        })
    }

    // How far it has read

    pub(super) fn receipt(&mut self, now_ms: u64, frame: Mark, identity: &Identity) {
        let Mark { channel, epoch, delivered, read } = frame;
        if !self.access.may_subscribe(identity, &channel) {
            return self.push(dropped(&channel, error(ErrorCode::Forbidden)));
        }
        if !keeps_receipts(&channel) {
            let words = "Nobody keeps receipts for this channel: it is public.";
            return self.push(dropped(&channel, error_saying(ErrorCode::Forbidden, words)));
        }
        if let Err(refused) = self.keep_pace(now_ms, identity, RateClass::Receipt) {
            return self.push(dropped(&channel, refused));
        }
        let (who, epoch) = (identity.clone(), Some(epoch));
        self.outputs.push_back(Output::Mark(Box::new(ReceivedMark { channel, who, epoch, delivered, read })));
    }
}

/// Says that something about a channel was dropped. Only the sentence names the channel: an error with the field `channel`
/// is the end of a subscription.
fn dropped(channel: &Channel, error: Error) -> Error {
    Error { message: format!("{} ({channel})", error.message), ..error }
}

fn is_event(event: &str) -> bool {
    (1..=MAX_EVENT_BYTES).contains(&event.len())
}

fn event_rule() -> String {
    format!("Invalid event: must be 1 to {MAX_EVENT_BYTES} bytes.")
}
