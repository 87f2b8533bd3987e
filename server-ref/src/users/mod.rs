//! The users of this node: their status, and its delivery to other users in the order of the changes.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod people;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use everwire_protocol::{
    Channel, Member, MemberJoined, MemberLeft, Role, ServerFrame, Status, StatusChanged, StatusChoice,
    UserStatus, Uuid, batch,
    channels::{PRESENCE_USERS, user_channel},
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, mpsc};

use crate::{
    audience::Audience,
    chats::{ChatRegistry, Companions},
    connection::PresenceUsers,
    hub::{Hub, in_order::InOrder},
    model::{
        broadcast::{Broadcast, PresenceChange},
        paging::{Listed, MemberPage},
        people::UserRecord,
    },
};
use people::{People, StatusChange, StatusUpdate};

/// Online users who are looked at under one lock.
const SLICE: usize = 256;

/// The users of this node.
#[derive(Debug)]
pub struct Users {
    people: Mutex<People>,
    /// Changes that wait for delivery.
    updates: InOrder<StatusUpdate>,
    /// Which users share a chat.
    chats: Arc<ChatRegistry>,
    audience: Arc<Audience>,
    hub: Arc<Hub>,
    /// User data to be stored.
    remember: mpsc::UnboundedSender<UserRecord>,
    /// `presence-users`.
    channel: Option<Channel>,
    /// Who is listed in it.
    listed: PresenceUsers,
    /// Whether anybody is told of a change.
    has_status: bool,
    /// How long a leave is delayed, in ms.
    grace_ms: u64,
    /// Notified when something is due earlier than before.
    sooner: Notify,
}

impl Users {
    /// Starts without users. Companions are determined by `chats`, and user data to be stored is sent to `remember`.
    /// `grace_ms` is how long a leave is delayed.
    pub fn new(
        grace_ms: u64,
        chats: Arc<ChatRegistry>,
        audience: Arc<Audience>,
        hub: Arc<Hub>,
        remember: mpsc::UnboundedSender<UserRecord>,
    ) -> Self {
        let channel = Channel::new(PRESENCE_USERS).ok();
        let (people, updates, sooner) = (Mutex::default(), InOrder::default(), Notify::new());
        let listed = PresenceUsers::Everyone;
        let has_status = true;
        Self {
            people,
            updates,
            chats,
            audience,
            hub,
            remember,
            channel,
            listed,
            has_status,
            grace_ms,
            sooner,
        }
    }

    /// The same, with these users in `presence-users`.
    #[must_use]
    pub fn listing(self, listed: PresenceUsers) -> Self {
        Self { listed, ..self }
    }

    /// The same; changes of status are published only if this server has the feature.
    #[must_use]
    pub fn with_status(self, has_status: bool) -> Self {
        Self { has_status, ..self }
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock()
    }

    /// Whether a user is online or within the grace period: then nothing has to be looked up for a new session.
    pub fn knows(&self, user: &str) -> bool {
        self.lock().knows(user)
    }

    /// Users who were online when the server was stopped have until `leaves_at` to return.
    pub fn expect(&self, people: Vec<UserRecord>, leaves_at: u64) {
        self.lock().expect(people, leaves_at);
        self.sooner.notify_one();
    }

    /// A session has connected. `stored` is the stored data of its user, if it had to be looked up. The times are the monotonic
    /// one and the wall clock.
    pub fn enter(
        &self,
        times: (u64, u64),
        session: (Uuid, Uuid),
        user: &str,
        name: Option<&str>,
        stored: Option<&UserRecord>,
    ) {
        self.change_some(|people| vec![people.enter(times, session, user, name, stored)]);
    }

    /// A session's connection has ended. The user leaves with the last one, `at_once` or after the grace period. The times are
    /// the monotonic one and the wall clock.
    pub fn exit(&self, times: (u64, u64), session: Uuid, connection: Uuid, at_once: bool) {
        let (now_ms, _) = times;
        let leaves_at = now_ms + if at_once { 0 } else { self.grace_ms };
        self.change_some(|people| {
            let mut updates = vec![people.exit(times, session, connection, leaves_at).into()];
            updates.extend(people.expire(now_ms));
            updates
        });
    }

    /// A session has ended for good; its connection may already be closed.
    pub fn bye(&self, now_ms: u64, user: &str, session: Uuid) {
        self.lock().bye(now_ms, user, session);
        self.sooner.notify_one();
    }

    /// A session's connection has become idle or active.
    pub fn idle(&self, now_ms: u64, session: Uuid, idle: bool) {
        self.change(|people| people.idle(now_ms, session, idle));
    }

    /// Sets the status that a user has chosen. The times are the monotonic one and the wall clock.
    pub fn choose_status(&self, times: (u64, u64), user: &str, choice: StatusChoice) {
        self.change(|people| people.choose(times, user, choice));
    }

    /// A new token has given a session's user another name.
    pub fn rename(&self, now_ms: u64, session: Uuid, name: &str) {
        self.change_some(|people| vec![people.rename(now_ms, session, name)]);
    }

    fn change(&self, change: impl FnOnce(&mut People) -> Option<StatusChange>) {
        self.change_some(|people| vec![change(people).into()]);
    }

    /// Makes changes, and delivers them without the lock: delivery takes longer than others may have to wait.
    fn change_some(&self, change: impl FnOnce(&mut People) -> Vec<StatusUpdate>) {
        let mut people = self.lock();
        let before = people.next_expiry();
        for update in change(&mut people) {
            self.updates.add(update);
        }
        let sooner = people.next_expiry() != before;
        drop(people);
        self.updates.deliver(|update| self.deliver(update));
        if sooner {
            self.sooner.notify_one();
        }
    }

    /// Forgets a user who was erased: the user is offline, and nothing is stored.
    pub fn forget(&self, user: &str) {
        self.change(|people| people.forget(user));
    }

    /// The status of a user as others see it; `None` for a user who has not been online recently.
    pub fn status(&self, user: &str) -> Option<UserStatus> {
        self.lock().status(user)
    }

    /// The name of an online user; `None` for other users, and for users without a name.
    pub fn name(&self, user: &str) -> Option<String> {
        self.lock().name(user)
    }

    /// The current data of all users, to be stored.
    pub fn remember(&self, wall_ms: u64) -> Vec<UserRecord> {
        self.lock().remember(wall_ms)
    }

    /// A page of the online users that a user may know of.
    pub fn members_for(&self, who: &str, after: Option<&str>) -> MemberPage {
        match self.listed {
            PresenceUsers::Off => self.lock().members(after, Some(&BTreeSet::new())),
            PresenceUsers::Everyone => self.lock().members(after, None),
            PresenceUsers::Companions => match self.chats.companions(who) {
                Companions::Few(users) => self.lock().members(after, Some(&users)),
                many @ Companions::Many { .. } => self.members_among(&many, after),
            },
        }
    }

    /// A page of those online users who are companions: slice by slice, so that nobody waits until all are looked up. Changes since
    /// the first slice are told with a later version.
    fn members_among(&self, companions: &Companions<'_>, after: Option<&str>) -> MemberPage {
        let version = self.lock().version();
        let mut last = after.map(str::to_owned);
        let slices = std::iter::from_fn(|| {
            let slice = self.lock().some_members(last.as_deref(), SLICE);
            last = slice.last().map(|member| member.user.clone());
            (!slice.is_empty()).then_some(slice)
        });
        let members = slices.flatten().filter(|member| companions.contains(&member.user));
        MemberPage { listed: Listed::of(members), version }
    }

    /// A page of the online users, from the first or after one.
    pub fn members(&self, after: Option<&str>) -> MemberPage {
        self.lock().members(after, None)
    }

    /// Handles users whose grace period is over. Returns when to call again.
    pub fn expire(&self, now_ms: u64) -> Option<u64> {
        let mut people = self.lock();
        for update in people.expire(now_ms) {
            self.updates.add(update);
        }
        let next = people.next_expiry();
        drop(people);
        self.updates.deliver(|update| self.deliver(update));
        next
    }

    /// Returns when [`Self::expire`] may have to be called earlier than it returned.
    pub async fn sooner(&self) {
        self.sooner.notified().await;
    }

    /// Delivers a change, after all earlier ones.
    fn deliver(&self, update: StatusUpdate) {
        if let Some(person) = update.remember {
            // An error means that the node was dropped.
            let _ = self.remember.send(person);
        }
        if let Some(change) = update.change.filter(|_| self.has_status) {
            self.tell_everybody(&change);
            self.tell_companions(&change);
        }
    }

    /// Delivers to the subscribers of `presence-users`.
    fn tell_everybody(&self, change: &StatusChange) {
        let Some(channel) = &self.channel else { return };
        let StatusChange { user, name, before, now, .. } = change;
        let mut frames: Vec<ServerFrame> = Vec::new();
        if *before == Status::Offline {
            let member = Member { user: user.clone(), name: name.clone(), status: Some(*now) };
            frames.push(MemberJoined { channel: channel.clone(), member }.into());
        } else {
            frames.push(changed(channel, change).into());
        }
        if *now == Status::Offline {
            frames.push(MemberLeft { channel: channel.clone(), user: user.clone() }.into());
        }
        let changes = frames.iter().map(|frame| {
            let text = batch::encode_frame(frame).into();
            Arc::new(PresenceChange { channel: channel.clone(), version: change.version, text })
        });
        let companions = match self.listed {
            PresenceUsers::Off => return,
            PresenceUsers::Companions => Some(self.chats.companions(user)),
            PresenceUsers::Everyone => None,
        };
        let may_know = |other: &str| companions.as_ref().is_none_or(|companions| companions.contains(other));
        self.hub.tell_presence(channel, changes, may_know);
    }

    /// Delivers to the user and to users who share a chat, where their own channels are open.
    fn tell_companions(&self, change: &StatusChange) {
        let mut told: BTreeSet<Arc<str>> = match self.chats.companions(&change.user) {
            Companions::Few(_) => {
                let chats = self.chats.roles_of(&change.user);
                let member = chats.iter().filter(|(_, role)| *role != Role::Invited);
                member.flat_map(|(chat, _)| self.audience.members(chat)).collect()
            }
            many @ Companions::Many { .. } => {
                self.audience.users().into_iter().filter(|other| many.contains(other)).collect()
            }
        };
        told.insert(change.user.as_str().into());
        for channel in told.iter().filter_map(|user| user_channel(user)) {
            let text = batch::encode_frame(&ServerFrame::StatusChanged(changed(&channel, change))).into();
            self.hub.tell(&Arc::new(Broadcast { channel, text, ephemeral: false }), |_| true, None);
        }
    }
}

fn changed(channel: &Channel, change: &StatusChange) -> StatusChanged {
    let StatusChange { user, name, renamed, now, last_seen, .. } = change;
    let name = name.clone().filter(|_| *renamed);
    StatusChanged { channel: channel.clone(), user: user.clone(), name, status: *now, last_seen: *last_seen }
}
