//! The users of this node: who is online and how, and who is told of it, in the order of the changes.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod people;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use everwire_protocol::{
    Channel, Member, MemberJoined, MemberLeft, Role, ServerFrame, Status, StatusChanged, StatusChoice,
    UserStatus, Uuid, batch,
    channels::{PRESENCE_USERS, user_channel},
};
use tokio::sync::{Notify, mpsc};

use crate::{
    audience::Audience,
    chats::ChatRegistry,
    hub::Hub,
    model::{
        broadcast::{Broadcast, PresenceChange},
        people::UserRecord,
    },
};
use people::{People, StatusChange, StatusUpdate};

/// Who is online, and who is to be told.
#[derive(Debug)]
pub struct Users {
    people: Mutex<People>,
    /// Who shares a chat with whom.
    chats: Arc<ChatRegistry>,
    audience: Arc<Audience>,
    hub: Arc<Hub>,
    /// What is to be remembered of who has come or gone.
    remember: mpsc::UnboundedSender<UserRecord>,
    /// `presence-users`.
    channel: Option<Channel>,
    /// How long a leave is held back, in ms.
    grace_ms: u64,
    /// Something may have to be said earlier than before.
    sooner: Notify,
}

impl Users {
    /// Nobody is online. Tells those who share a chat by `chats`, and sends through `remember` what is to be stored of users
    /// who come and go. `grace_ms` is how long a leave is held back.
    pub fn new(
        grace_ms: u64,
        chats: Arc<ChatRegistry>,
        audience: Arc<Audience>,
        hub: Arc<Hub>,
        remember: mpsc::UnboundedSender<UserRecord>,
    ) -> Self {
        let channel = Channel::new(PRESENCE_USERS).ok();
        let (people, sooner) = (Mutex::default(), Notify::new());
        Self { people, chats, audience, hub, remember, channel, grace_ms, sooner }
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a user is online, or was a moment ago: then nothing has to be looked up when a session of the user comes.
    pub fn knows(&self, user: &str) -> bool {
        self.lock().knows(user)
    }

    /// Users who were online when the server was stopped have until `leaves_at` to come back.
    pub fn expect(&self, people: Vec<UserRecord>, leaves_at: u64) {
        self.lock().expect(people, leaves_at);
        self.sooner.notify_one();
    }

    /// A session has a connection now. `stored` is what is remembered of its user, if that had to be looked up.
    pub fn enter(
        &self,
        now_ms: u64,
        session: (Uuid, Uuid),
        user: &str,
        name: Option<&str>,
        stored: Option<&UserRecord>,
    ) {
        let mut people = self.lock();
        let came = people.enter(now_ms, session, user, name, stored);
        self.came(came);
    }

    /// A session's connection is over. The user leaves with the last one, `at_once` or after the grace.
    pub fn exit(&self, now_ms: u64, session: Uuid, connection: Uuid, at_once: bool) {
        let leaves_at = now_ms + if at_once { 0 } else { self.grace_ms };
        let mut people = self.lock();
        let before = people.next_expiry();
        let news = people.exit(now_ms, session, connection, leaves_at);
        let sooner = people.next_expiry() != before;
        let gone = people.expire(now_ms);
        self.came(StatusUpdate { news, remember: None });
        self.all_came(gone);
        drop(people);
        if sooner {
            self.sooner.notify_one();
        }
    }

    /// A session has ended for good, and its connection may be gone already.
    pub fn bye(&self, now_ms: u64, user: &str, session: Uuid) {
        self.lock().bye(now_ms, user, session);
        self.sooner.notify_one();
    }

    /// Nobody is at a session's connection, or somebody is again.
    pub fn idle(&self, session: Uuid, idle: bool) {
        let mut people = self.lock();
        let news = people.idle(session, idle);
        self.came(StatusUpdate { news, remember: None });
    }

    /// What a user says about the own status.
    pub fn choose_status(&self, now_ms: u64, user: &str, choice: StatusChoice) {
        let mut people = self.lock();
        let news = people.choose(now_ms, user, choice);
        self.came(StatusUpdate { news, remember: None });
    }

    /// How a user is, as others see it; `None` for who has not been here for a while.
    pub fn status(&self, user: &str) -> Option<UserStatus> {
        self.lock().status(user)
    }

    /// The name that others see of a user who is online; `None` for others, and for who has none.
    pub fn name(&self, user: &str) -> Option<String> {
        self.lock().name(user)
    }

    /// All who are here, to be remembered as of now.
    pub fn remember(&self, now_ms: u64) -> Vec<UserRecord> {
        self.lock().remember(now_ms)
    }

    /// Who is online, and which changes that contains.
    pub fn members(&self) -> (Vec<Member>, u64) {
        self.lock().members()
    }

    /// Says who has gone offline because the grace is over. Returns when to call again.
    pub fn expire(&self, now_ms: u64) -> Option<u64> {
        let mut people = self.lock();
        let gone = people.expire(now_ms);
        let next = people.next_expiry();
        self.all_came(gone);
        next
    }

    /// Returns when [`Self::expire`] may have to be called earlier than it said.
    pub async fn sooner(&self) {
        self.sooner.notified().await;
    }

    fn all_came(&self, all: Vec<StatusUpdate>) {
        for came in all {
            self.came(came);
        }
    }

    /// Tells of a change. Called with the lock, so before anything else changes.
    fn came(&self, came: StatusUpdate) {
        if let Some(person) = came.remember {
            // An error says that the node is gone.
            let _ = self.remember.send(person);
        }
        if let Some(news) = came.news {
            self.tell_everybody(&news);
            self.tell_companions(&news);
        }
    }

    /// Those who see everybody who is online.
    fn tell_everybody(&self, news: &StatusChange) {
        let Some(channel) = &self.channel else { return };
        let StatusChange { user, name, before, now, .. } = news;
        let mut frames: Vec<ServerFrame> = Vec::new();
        if *before == Status::Offline {
            let member = Member { user: user.clone(), name: name.clone(), status: Some(*now) };
            frames.push(MemberJoined { channel: channel.clone(), member }.into());
        } else {
            frames.push(changed(channel, news).into());
        }
        if *now == Status::Offline {
            frames.push(MemberLeft { channel: channel.clone(), user: user.clone() }.into());
        }
        let changes = frames.iter().map(|frame| {
            let text = batch::encode_frame(frame).into();
            Arc::new(PresenceChange { channel: channel.clone(), version: news.version, text })
        });
        self.hub.tell_presence(channel, changes);
    }

    /// Those who share a chat with the user, and the user's own connections, as far as their own channels are open.
    fn tell_companions(&self, change: &StatusChange) {
        let chats = self.chats.roles_of(&change.user);
        let member = chats.iter().filter(|(_, role)| *role != Role::Invited);
        let mut told: BTreeSet<Arc<str>> = member.flat_map(|(chat, _)| self.audience.members(chat)).collect();
        told.insert(change.user.as_str().into());
        for channel in told.iter().filter_map(|user| user_channel(user)) {
            let text = batch::encode_frame(&ServerFrame::StatusChanged(changed(&channel, change))).into();
            self.hub.tell(&Arc::new(Broadcast { channel, text, ephemeral: false }), |_| true, None);
        }
    }
}

fn changed(channel: &Channel, news: &StatusChange) -> StatusChanged {
    let StatusChange { user, now, last_seen, .. } = news;
    StatusChanged { channel: channel.clone(), user: user.clone(), status: *now, last_seen: *last_seen }
}
