//! Requests of a client: frames with an id that are answered by a frame with the same id. The driver of the connection
//! provides the answers.

use std::collections::BTreeMap;

use everwire_protocol::{Channel, Error, ErrorCode, Request, ServerFrame, Uuid};

use super::{
    Connection, Output, PendingRequest, Phase,
    errors::{error, error_saying, re},
};
use crate::model::identity::{Identity, RateClass, Refusal};

/// The requests that have no answer yet.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pending: BTreeMap<Uuid, Pending>,
}

#[derive(Debug)]
struct Pending {
    kind: &'static str,
    /// The channel that is read.
    channel: Option<Channel>,
    /// Who made it.
    who: Identity,
}

impl Requests {
    pub(super) fn is_pending(&self, id: Uuid) -> bool {
        self.pending.contains_key(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn begin(&mut self, request: &Request, who: Identity) {
        let (kind, channel) = (request.kind(), reads(request).cloned());
        self.pending.insert(request.id(), Pending { kind, channel, who });
    }

    /// Returns the request, if it was pending.
    fn end(&mut self, id: Uuid) -> Option<Pending> {
        let request = self.pending.remove(&id);
        if self.pending.is_empty() {
            // An empty map keeps its memory.
            self.pending = BTreeMap::new();
        }
        request
    }
}

/// The channel whose contents a request asks for: it requires the permission to subscribe.
const fn reads(request: &Request) -> Option<&Channel> {
    match request {
        Request::History(request) => Some(&request.channel),
        Request::ListMembers(request) => Some(&request.channel),
        Request::ListReceipts(request) => Some(&request.channel),
        Request::SetStatus(_)
        | Request::GetStatus(_)
        | Request::ListChats(_)
        | Request::ListChatMembers(_)
        | Request::CreateChat(_)
        | Request::Invite(_)
        | Request::JoinChat(_)
        | Request::LeaveChat(_)
        | Request::RemoveMember(_)
        | Request::RenameChat(_)
        | Request::SetRole(_) => None,
    }
}

impl Connection {
    pub(super) fn request(&mut self, now_ms: u64, request: Request, identity: &Identity) {
        let id = request.id();
        if self.requests.is_pending(id) {
            // A repetition: one answer answers both.
            return;
        }
        let kind = request.kind();
        let about = |error: Error| Error { id: Some(id), ..re(kind, error) };
        if let Err(refused) = self.keep_pace(now_ms, identity, RateClass::Request) {
            return self.push(about(*refused));
        }
        if self.requests.len() >= self.settings.waiting_requests {
            let words = "Too many pending requests. Retry when some have been answered.";
            let retry_after_ms = Some(self.settings.retry_after_ms);
            return self.push(about(Error { retry_after_ms, ..error_saying(ErrorCode::RateLimited, words) }));
        }
        if let Some(channel) = reads(&request)
            && !self.access.may_subscribe(identity, channel)
        {
            return self.push(about(Error { channel: Some(channel.clone()), ..error(ErrorCode::Forbidden) }));
        }
        self.requests.begin(&request, identity.clone());
        self.outputs.push_back(Output::Request(Box::new(PendingRequest { request, who: identity.clone() })));
    }

    pub(super) fn answer(&mut self, id: Uuid, answer: Result<Box<ServerFrame>, Refusal>) {
        let Some(Pending { kind, channel, who }) = self.requests.end(id) else { return };
        match answer {
            Ok(_) if channel.is_some_and(|channel| !self.may_still_receive(&who, &channel)) => {
                let words = "The user's token no longer grants this channel.";
                self.push(Error { id: Some(id), ..re(kind, error_saying(ErrorCode::Forbidden, words)) });
            }
            Ok(frame) => self.push(*frame),
            Err(refusal) => {
                let usual = refusal.code.retry().then_some(self.settings.retry_after_ms);
                let retry_after_ms = refusal.retry_after_ms.or(usual);
                let refused = re(kind, error_saying(refusal.code, refusal.message));
                self.push(Error { id: Some(id), retry_after_ms, ..refused });
            }
        }
    }

    /// Whether what a request of `before` has read may be sent now: the token may have been replaced since by one without
    /// the grant. Membership of a chat was checked for `before`, and may not have been necessary then.
    fn may_still_receive(&self, before: &Identity, channel: &Channel) -> bool {
        let Phase::Open(now) = &self.phase else { return true };
        let as_member = |who| self.access.chat(who, channel).is_some();
        self.access.may_subscribe(now, channel) && (as_member(before) || !as_member(now))
    }
}
