//! How users can be reached: tells those who are to know, in the order of the changes.

use std::sync::{Arc, Mutex};

use everwire_protocol::{
    Channel, Joined, Left, Member, ServerFrame, Status, StatusChanged, StatusChoice, UserStatus, Uuid, batch,
};
use tokio::sync::mpsc;

use super::{
    Hub, PresenceChange,
    inbox::Mail,
    lock,
    people::{Came, News, People},
};
use crate::{auth::USERS, chats::Book, session::Note, store::people::Person};

/// Who is online, and who is to be told.
#[derive(Debug)]
pub(super) struct Registry {
    people: Mutex<People>,
    /// Who shares a chat with whom.
    book: Arc<Book>,
    /// What is to be remembered of who has come or gone.
    remember: mpsc::UnboundedSender<Person>,
    /// `presence-users`.
    users: Option<Channel>,
}

impl Registry {
    pub(super) fn new(book: Arc<Book>, remember: mpsc::UnboundedSender<Person>) -> Self {
        Self { people: Mutex::default(), book, remember, users: Channel::new(USERS).ok() }
    }
}

/// Whether a channel lists all who are online.
pub(super) fn is_users(channel: &Channel) -> bool {
    channel.as_str() == USERS
}

impl Hub {
    /// Changes who is online, and tells of it before anything else changes.
    fn change_people<T>(&self, change: impl FnOnce(&mut People) -> T, tell: impl FnOnce(&Registry, T)) {
        if let Some(registry) = &self.registry {
            let mut people = lock(&registry.people);
            let changed = change(&mut people);
            tell(registry, changed);
        }
    }

    /// Whether a user is online, or was a moment ago: then nothing has to be looked up when a session of the user comes.
    pub fn knows_user(&self, user: &str) -> bool {
        self.registry.as_ref().is_some_and(|registry| lock(&registry.people).knows(user))
    }

    /// Users who were online when the server was stopped have until `leaves_at` to come back.
    pub fn expect_users(&self, people: Vec<Person>, leaves_at: u64) {
        self.change_people(|known| known.expect(people, leaves_at), |_, ()| {});
        self.sooner.notify_one();
    }

    /// A session has a connection now. `stored` is what is remembered of its user, if that had to be looked up.
    pub fn enter_user(
        &self,
        now_ms: u64,
        session: (Uuid, Uuid),
        user: &str,
        name: Option<&str>,
        stored: Option<&Person>,
    ) {
        self.change_people(
            |people| people.enter(now_ms, session, user, name, stored),
            |registry, came| self.came(registry, came),
        );
    }

    /// A session's connection is over. The user leaves with the last one, `at_once` or after the grace.
    pub fn exit_user(&self, now_ms: u64, session: Uuid, connection: Uuid, at_once: bool) {
        let leaves_at = now_ms + if at_once { 0 } else { self.grace_ms };
        let mut sooner = false;
        self.change_people(
            |people| {
                let before = people.next_expiry();
                let news = people.exit(now_ms, session, connection, leaves_at);
                sooner = people.next_expiry() != before;
                (news, people.expire(now_ms))
            },
            |registry, (news, gone)| {
                self.came(registry, Came { news, remember: None });
                self.all_came(registry, gone);
            },
        );
        if sooner {
            self.sooner.notify_one();
        }
    }

    /// A session has ended for good, and its connection may be gone already.
    pub fn bye_user(&self, now_ms: u64, user: &str, session: Uuid) {
        self.change_people(|people| people.bye(now_ms, user, session), |_, ()| {});
        self.sooner.notify_one();
    }

    /// Nobody is at a session's connection, or somebody is again.
    pub fn idle(&self, session: Uuid, idle: bool) {
        self.change_people(
            |people| people.idle(session, idle),
            |registry, news| self.came(registry, Came { news, remember: None }),
        );
    }

    /// What a user says about the own status.
    pub fn choose_status(&self, now_ms: u64, user: &str, choice: StatusChoice) {
        self.change_people(
            |people| people.choose(now_ms, user, choice),
            |registry, news| self.came(registry, Came { news, remember: None }),
        );
    }

    /// How a user is, as others see it; `None` for who has not been here for a while.
    pub fn status(&self, user: &str) -> Option<UserStatus> {
        lock(&self.registry.as_ref()?.people).status(user)
    }

    /// The name that others see of a user who is online; `None` for others, and for who has none.
    pub fn user_name(&self, user: &str) -> Option<String> {
        lock(&self.registry.as_ref()?.people).name(user)
    }

    /// How many users are online, or were a moment ago.
    pub fn users(&self) -> usize {
        self.registry.as_ref().map_or(0, |registry| lock(&registry.people).len())
    }

    /// All who are here, to be remembered as of now.
    pub fn people(&self, now_ms: u64) -> Vec<Person> {
        self.registry.as_ref().map_or_else(Vec::new, |registry| lock(&registry.people).remember(now_ms))
    }

    pub(super) fn listed_users(&self) -> Option<(Vec<Member>, u64)> {
        Some(lock(&self.registry.as_ref()?.people).members())
    }

    /// Says who has gone offline because the grace is over. Returns when to call again.
    pub(super) fn expire_users(&self, now_ms: u64) -> Option<u64> {
        let mut next = None;
        self.change_people(
            |people| {
                let gone = people.expire(now_ms);
                next = people.next_expiry();
                gone
            },
            |registry, gone| self.all_came(registry, gone),
        );
        next
    }

    fn all_came(&self, registry: &Registry, all: Vec<Came>) {
        for came in all {
            self.came(registry, came);
        }
    }

    fn came(&self, registry: &Registry, came: Came) {
        if let Some(person) = came.remember {
            // An error says that the node is gone.
            let _ = registry.remember.send(person);
        }
        if let Some(news) = came.news {
            self.tell_users(registry, &news);
            self.tell_companions(registry, &news);
        }
    }

    /// Those who see everybody who is online.
    fn tell_users(&self, registry: &Registry, news: &News) {
        let Some(channel) = &registry.users else { return };
        let News { user, name, before, now, .. } = news;
        let mut frames: Vec<ServerFrame> = Vec::new();
        if *before == Status::Offline {
            let member = Member { user: user.clone(), name: name.clone(), status: Some(*now) };
            frames.push(Joined { channel: channel.clone(), member }.into());
        } else {
            frames.push(changed(channel, news).into());
        }
        if *now == Status::Offline {
            frames.push(Left { channel: channel.clone(), user: user.clone() }.into());
        }
        let shard = self.shard(channel);
        let Some(room) = shard.get(channel) else { return };
        for frame in frames {
            let text = batch::encode_frame(&frame).into();
            let change = Arc::new(PresenceChange { channel: channel.clone(), version: news.version, text });
            room.tell(None, &|| Mail::Presence(change.clone()));
        }
    }

    /// Those who share a chat with the user, and the user's own connections.
    fn tell_companions(&self, registry: &Registry, news: &News) {
        let companions = registry.book.companions(&news.user);
        let all = companions.iter().map(|user| &**user).chain([&*news.user]);
        // A user whose id cannot be part of a channel's name has no such channel.
        for channel in all.filter_map(|user| Channel::new(&format!("private-user.{user}")).ok()) {
            if self.subscribers(&channel) > 0 {
                let text = batch::encode_frame(&ServerFrame::StatusChanged(changed(&channel, news))).into();
                self.tell(&Arc::new(Note { channel, text, ephemeral: false }), |_| true, None);
            }
        }
    }
}

fn changed(channel: &Channel, news: &News) -> StatusChanged {
    let News { user, now, last_seen, .. } = news;
    StatusChanged { channel: channel.clone(), user: user.clone(), status: *now, last_seen: *last_seen }
}
