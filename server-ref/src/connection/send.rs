//! Sends: what is stored, and what became of it.

use everwire_protocol::{Ack, Error, ErrorCode, Send};

use super::{
    Connection,
    errors::{about_send, error, error_saying},
    payloads::check_size,
};
use crate::model::{
    identity::{Identity, RateClass, Refusal},
    log::{NewEntry, Outcome, SendPermission},
};

impl Connection {
    pub(super) fn send(&mut self, now_ms: u64, frame: Send, identity: &Identity) {
        let Send { id, channel, event, data, action, target } = frame;
        if let Err(refusal) = check_size(&self.settings.limits, &data) {
            return self.push(about_send(id, channel, error_saying(refusal.code, refusal.message)));
        }
        if self.sending.defers(id) {
            return self.push(about_send(id, channel, error(ErrorCode::Deferred)));
        }
        let may_send = self.access.may_send(identity, &channel);
        if !may_send {
            // Charged now: the store, which knows whether it is a copy, answers later.
            self.spending.refused();
        } else if let Err(ms) = self.access.pace(identity, self.session, RateClass::Send, now_ms) {
            self.sending.refuse(id);
            let refused = Error { retry_after_ms: Some(ms), ..error(ErrorCode::RateLimited) };
            return self.push(about_send(id, channel, refused));
        }
        let (user, name) = (identity.user.clone(), identity.name.clone());
        let chat = self.access.chat(identity, &channel);
        let permission = match chat {
            _ if !may_send => SendPermission::Refused(Refusal::of(ErrorCode::Forbidden)),
            Some(_) => SendPermission::AsMember,
            None => SendPermission::Granted,
        };
        let entry = NewEntry { id, channel, user, name, event, data, action, target, permission };
        if let Err(deferred) = self.sending.submit(entry) {
            self.push(about_send(deferred.id, deferred.channel, error(ErrorCode::Deferred)));
        }
    }

    pub(super) fn appended(&mut self, outcomes: Option<Vec<Outcome>>) {
        let Some(outcomes) = outcomes else {
            let retry_after_ms = Some(self.settings.retry_after_ms);
            for deferred in self.sending.failed() {
                let code = if deferred.first { ErrorCode::Unavailable } else { ErrorCode::Deferred };
                let refused = Error { retry_after_ms, ..error(code) };
                self.push(about_send(deferred.id, deferred.channel, refused));
            }
            return;
        };
        for ((id, channel), outcome) in self.sending.stored().into_iter().zip(outcomes) {
            match outcome {
                Outcome::Stored(place) | Outcome::Rewrote(place, _) | Outcome::Copy(place) => {
                    self.push(Ack { id, channel, offset: place.offset, at: place.at });
                }
                Outcome::IdReused => self.push(about_send(id, channel, error(ErrorCode::IdReused))),
                Outcome::Refused(refusal) => {
                    self.push(about_send(id, channel, error_saying(refusal.code, refusal.message)));
                }
            }
        }
    }
}
