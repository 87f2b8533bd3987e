//! The members of presence channels and the receipts of chats: lists that a server sends in pages, and changes in the meantime.

use std::time::Duration;

use everwire_client_core::Handle;
use everwire_protocol::{ListMembers, ListReceipts, Member, UserReceipt, Uuid};

use super::{
    Pending, Room, Session,
    room::{Change, Load},
};
use crate::{event::Event, json};

/// How long a page is waited for.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

impl Session {
    /// A list begins with this page. `first`: the channel had none yet.
    pub(super) fn begin_members(
        &mut self,
        handle: Handle,
        page: Vec<Member>,
        next: Option<String>,
        first: bool,
    ) {
        if let Some(room) = self.rooms.get_mut(&handle) {
            room.load = Some(Load { tells: !first, ..Load::default() });
            self.members_page(handle, page, next);
        }
    }

    /// A page has arrived.
    pub(super) fn members_page(&mut self, handle: Handle, page: Vec<Member>, next: Option<String>) {
        let Some(Room { channel, load: Some(load), members, .. }) = self.rooms.get_mut(&handle) else {
            return;
        };
        for member in page {
            load.list.insert(member.user.clone(), member);
        }
        for change in load.since.drain(..) {
            change.apply(&mut load.list);
        }
        if !load.tells {
            members.clone_from(&load.list);
        }
        match next {
            Some(after) => {
                let id = self.ids.next();
                let request = ListMembers { id, channel: channel.clone(), after: Some(after) };
                self.ask_page(handle, id, json::frame("list_members", &request));
            }
            None => self.end_members(handle),
        }
    }

    /// The list is complete.
    fn end_members(&mut self, handle: Handle) {
        let Some(room) = self.rooms.get_mut(&handle) else { return };
        let Some(Load { list, tells, .. }) = room.load.take() else { return };
        let before = std::mem::replace(&mut room.members, list.clone());
        if tells {
            for member in list.values().filter(|member| !before.contains_key(&member.user)) {
                self.event(handle, Event::Joined(member.clone()));
            }
            for member in before.values().filter(|member| !list.contains_key(&member.user)) {
                self.event(handle, Event::Left(member.clone()));
            }
        }
        self.event(handle, Event::Members);
    }

    /// Somebody has come, gone or changed.
    pub(super) fn change_members(&mut self, handle: Handle, change: Change) {
        let Some(room) = self.rooms.get_mut(&handle) else { return };
        if let Some(load) = &mut room.load {
            load.since.push(change.clone());
        }
        let before = match &change {
            Change::Joined(member) => room.members.get(&member.user).cloned(),
            Change::Left(user) => room.members.get(user).cloned(),
            Change::Status(_) => None,
        };
        change.apply(&mut room.members);
        match (change, before) {
            (Change::Joined(member), None) => self.event(handle, Event::Joined(member)),
            (Change::Joined(_), Some(_)) => self.event(handle, Event::Members),
            (Change::Left(_), Some(member)) => self.event(handle, Event::Left(member)),
            (Change::Left(_), None) | (Change::Status(_), _) => {}
        }
    }

    /// Receipts have arrived: in `subscribed`, or (`later`) as a page, in which what is known already is older.
    pub(super) fn receipts_page(
        &mut self,
        handle: Handle,
        page: Vec<UserReceipt>,
        next: Option<String>,
        later: bool,
    ) {
        let Some(room) = self.rooms.get_mut(&handle) else { return };
        for receipt in page {
            if !(later && room.receipts.contains_key(&receipt.user)) {
                room.receipts.insert(receipt.user.clone(), receipt);
            }
        }
        if let Some(after) = next {
            let id = self.ids.next();
            let request = ListReceipts { id, channel: room.channel.clone(), after: Some(after) };
            self.ask_page(handle, id, json::frame("list_receipts", &request));
        }
    }

    fn ask_page(&mut self, handle: Handle, id: Uuid, frame: Result<String, crate::Error>) {
        let asked = frame.and_then(|frame| self.ask(id, frame, PAGE_TIMEOUT, Pending::Page(handle)));
        if let Err(error) = asked {
            self.report(&error);
            self.page_failed(handle);
        }
    }

    /// The rest of a list has not come: what has come is what is known, until the next `subscribed` brings it anew.
    pub(super) fn page_failed(&mut self, handle: Handle) {
        if let Some(room) = self.rooms.get_mut(&handle) {
            room.load = None;
        }
    }
}
