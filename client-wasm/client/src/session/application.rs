//! What the core says about incoming frames, on its way to those who subscribe, send and ask.

use everwire_client_core::{Application, Confirmation, Connection, Handle, Position, Stretch, typist};
use everwire_protocol::{
    Ack, Activity, ChatChanged, ChatGone, Code, MemberJoined, MemberLeft, Message, Receipt, ServerFrame,
    Signalled, StatusChanged, Subscribed as SubscribedFrame, UserReceipt, UserTyping, Uuid,
};

use super::{
    Pending, Session,
    room::{Change, Typist},
};
use crate::{
    Error, Gap, Notice, Subscribed, Unreadable,
    event::{Event, RawEvent},
};

impl Application for Session {
    fn reading(&mut self) -> (&mut Connection, &mut Stretch) {
        (&mut self.core, &mut self.stretch)
    }

    fn arrived(&mut self, frame: ServerFrame) -> Option<ServerFrame> {
        if let ServerFrame::Welcome(welcome) = &frame {
            self.connection = Some(welcome.connection);
            self.features.clone_from(&welcome.features);
            self.payload_bytes = welcome.limits.payload_bytes as usize;
        }
        Some(frame)
    }

    fn finished(&mut self) {
        self.drain();
    }

    fn message(&mut self, handle: Handle, message: Message) {
        self.moved(handle, message.offset);
        self.tell_subscribers(handle, &RawEvent::Message(Box::new(message)));
    }

    fn unreadable(&mut self, handle: Handle, offset: u64, reason: String) {
        self.moved(handle, offset);
        self.event(handle, Event::Unreadable(Unreadable { offset, reason, message: None }));
    }

    fn subscribed(&mut self, handle: Handle, frame: SubscribedFrame, confirmation: Confirmation) {
        let Some(room) = self.rooms.get_mut(&handle) else { return };
        let first = room.position.is_none();
        let position =
            Position { epoch: frame.epoch, offset: confirmation.offset, run: self.core.run().to_owned() };
        room.position = Some(position.clone());
        room.head = frame.head;
        if let Some(gap) = confirmation.gap {
            let gap = Gap { from: gap.from, to: gap.to, reason: gap.reason.into() };
            self.event(handle, Event::Gap(gap));
        }
        let recovered = confirmation.gap.is_none();
        self.event(handle, Event::Subscribed(Subscribed::at(position, frame.head, recovered)));
        if let Some(page) = frame.members {
            self.begin_members(handle, page, frame.members_next, first);
        }
        if let Some(page) = frame.receipts {
            self.receipts_page(handle, page, frame.receipts_next, false);
        }
        if let Some(chats) = frame.chats {
            self.event(handle, Event::Chats(chats, frame.chats_more.unwrap_or_default()));
        }
        self.set_ready(handle);
    }

    fn ended(&mut self, handle: Handle, code: Code, message: String) {
        self.end_subscription(handle, &Error::refused(code, message, None));
    }

    fn stored(&mut self, ack: Ack) {
        Session::stored(self, &ack);
    }

    fn failed(&mut self, id: Uuid, code: Code, message: String, retry_after_ms: Option<u32>) {
        self.fail(id, code, message, retry_after_ms);
    }

    fn error(&mut self, code: Code, message: String, retry_after_ms: Option<u32>) {
        self.report(&Error::refused(code, message, retry_after_ms));
    }

    fn answered(&mut self, answer: ServerFrame) {
        let Some(pending) = answer.answered_id().and_then(|id| self.requests.remove(&id)) else { return };
        match (pending, answer) {
            (Pending::Asked(done), answer) => {
                let _ = done.send(Ok(answer));
            }
            (Pending::Page(handle), ServerFrame::Members(page)) => {
                self.members_page(handle, page.members, page.next);
            }
            (Pending::Page(handle), ServerFrame::Receipts(page)) => {
                self.receipts_page(handle, page.receipts, page.next, true);
            }
            (Pending::Page(handle), _) => self.page_failed(handle),
        }
    }

    fn user_typing(&mut self, handle: Handle, frame: UserTyping) {
        let UserTyping { user, name, typing, .. } = frame;
        self.typing(handle, Typist { user, name }, typing);
    }

    fn receipt(&mut self, handle: Handle, frame: Receipt) {
        let Some(room) = self.rooms.get_mut(&handle) else { return };
        let Receipt { user, delivered, read, unread, .. } = frame;
        let receipt = UserReceipt { user, delivered, read };
        room.receipts.insert(receipt.user.clone(), receipt.clone());
        self.event(handle, Event::Receipt { receipt, unread });
    }

    fn member_joined(&mut self, handle: Handle, frame: MemberJoined) {
        self.change_members(handle, Change::Joined(frame.member));
    }

    fn member_left(&mut self, handle: Handle, frame: MemberLeft) {
        self.change_members(handle, Change::Left(frame.user));
    }

    fn signalled(&mut self, handle: Option<Handle>, frame: Signalled) {
        match handle {
            Some(handle) => self.event(handle, Event::Signal(frame)),
            None => self.notices.push(&Notice::Signal(frame), &mut self.wakers),
        }
    }

    fn status_changed(&mut self, handle: Handle, frame: StatusChanged) {
        self.change_members(handle, Change::Status(frame.clone()));
        let StatusChanged { user, name, status, last_seen, .. } = frame;
        self.event(handle, Event::Status { user, name, status, last_seen });
    }

    fn activity(&mut self, frame: Activity) {
        self.notices.push(&Notice::Activity(Box::new(frame)), &mut self.wakers);
    }

    fn chat_changed(&mut self, handle: Handle, frame: ChatChanged) {
        self.event(handle, Event::ChatChanged(Box::new(frame.chat)));
    }

    fn chat_gone(&mut self, handle: Handle, frame: ChatGone) {
        self.event(handle, Event::ChatGone { chat: frame.chat });
    }
}

impl Session {
    /// The position of a channel has moved to this offset.
    fn moved(&mut self, handle: Handle, offset: u64) {
        if let Some(room) = self.rooms.get_mut(&handle)
            && let Some(position) = &mut room.position
        {
            position.offset = offset;
        }
    }

    fn typing(&mut self, handle: Handle, who: Typist, typing: bool) {
        let Some(room) = self.rooms.get_mut(&handle) else { return };
        let Typist { user, name } = who.clone();
        let before = room.typists.remove(&user);
        if typing {
            room.typists.insert(user.clone(), who);
        }
        // What is announced again and again is told once.
        if before.is_some() != typing {
            self.event(handle, Event::Typing { user, name, typing });
        }
    }

    /// Somebody who typed has not been heard of for too long.
    pub(super) fn typing_expired(&mut self, handle: Handle, number: u32) {
        let Some(room) = self.rooms.get(&handle) else { return };
        let expired = room.typists.values().find(|who| typist(&who.user) == number).cloned();
        if let Some(who) = expired {
            self.typing(handle, who, false);
        }
    }
}
