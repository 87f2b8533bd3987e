//! All chats in memory, for the lookups that every frame needs. Changed only by the commit loop, after the change is on disk;
//! so it has the state that applies to the next append.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use everwire_protocol::{Channel, ChatKind, Role, channels::chat_of};
use parking_lot::{RwLock, RwLockReadGuard};

use crate::model::chat::{ChatRecord, Participant};

/// More participants than these in all chats of a user are not listed; single users are looked up.
const MOST_LISTED: usize = 4096;

/// All chats of this node.
#[derive(Debug, Default)]
pub struct ChatRegistry {
    chats: RwLock<Chats>,
    /// The number of chats and participants that were looked at for companions: the cost, for tests.
    looked_at: AtomicUsize,
}

/// The users who are in a chat with one user.
#[derive(Debug)]
pub enum Companions<'a> {
    /// All of them.
    Few(BTreeSet<Arc<str>>),
    /// Too many to list while the registry is locked.
    Many {
        /// Where each of them is looked up.
        chats: &'a ChatRegistry,
        /// The user.
        user: Arc<str>,
    },
}

impl Companions<'_> {
    /// Whether a user is one of them.
    pub fn contains(&self, other: &str) -> bool {
        match self {
            Self::Few(users) => users.contains(other),
            Self::Many { chats, user } => **user == *other || chats.share_a_chat(user, other),
        }
    }
}

/// The participants of a chat, of whom there may be a thousand.
fn by_user(chat: Option<&ChatRecord>) -> BTreeMap<&str, &Participant> {
    let participants = chat.into_iter().flat_map(|chat| &chat.room.participants);
    participants.map(|participant| (&*participant.user, participant)).collect()
}

#[derive(Debug, Default)]
struct Chats {
    by_id: BTreeMap<Arc<str>, ChatRecord>,
    /// The role of each user in each of the user's chats.
    by_user: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Role>>,
    /// The open invitations by users: who has invited whom to which chat.
    invitations: BTreeSet<[Arc<str>; 3]>,
}

impl Chats {
    /// Forgets what a participant of a chat was.
    fn remove(&mut self, chat: &str, before: &Participant) {
        if let Some(roles) = self.by_user.get_mut(&before.user) {
            roles.remove(chat);
            if roles.is_empty() {
                self.by_user.remove(&before.user);
            }
        }
        if let Some(by) = &before.invited_by {
            self.invitations.remove(&[by.clone(), before.user.clone(), chat.into()]);
        }
    }

    fn add(&mut self, chat: &Arc<str>, now: &Participant) {
        self.by_user.entry(now.user.clone()).or_default().insert(chat.clone(), now.role);
        if let Some(by) = &now.invited_by {
            self.invitations.insert([by.clone(), now.user.clone(), chat.clone()]);
        }
    }

    /// The open invitations by a user, from the first or those of one user.
    fn invitations_by(&self, by: &str, user: &str) -> impl Iterator<Item = &[Arc<str>; 3]> {
        self.invitations
            .range([by.into(), user.into(), "".into()]..)
            .take_while(move |[who, ..]| **who == *by)
    }
}

impl ChatRegistry {
    /// A registry of these chats.
    pub fn of(chats: impl IntoIterator<Item = ChatRecord>) -> Self {
        let registry = Self::default();
        for chat in chats {
            registry.put(chat);
        }
        registry
    }

    #[cfg(test)]
    pub(crate) fn looked_at(&self) -> usize {
        self.looked_at.load(Ordering::Relaxed)
    }

    fn look_at(&self, number: usize) {
        self.looked_at.fetch_add(number, Ordering::Relaxed);
    }

    fn read(&self) -> RwLockReadGuard<'_, Chats> {
        self.chats.read()
    }

    /// The chat with this id.
    pub fn get(&self, chat: &str) -> Option<ChatRecord> {
        self.read().by_id.get(chat).cloned()
    }

    /// The role of a user in a chat.
    pub fn role(&self, chat: &str, user: &str) -> Option<Role> {
        self.read().by_user.get(user)?.get(chat).copied()
    }

    /// The role of a user in the chat that a channel belongs to.
    pub fn role_in(&self, channel: &Channel, user: &str) -> Option<Role> {
        self.role(chat_of(channel)?, user)
    }

    /// Whether a channel belongs to a direct chat that one of its two users has left.
    pub fn is_left(&self, channel: &Channel) -> bool {
        let chats = self.read();
        let chat = chat_of(channel).and_then(|chat| chats.by_id.get(chat));
        chat.is_some_and(|chat| chat.room.kind == ChatKind::Direct && chat.room.participants.len() < 2)
    }

    /// The chats that a user is in or invited to, by id.
    pub fn of_user(&self, user: &str) -> Vec<ChatRecord> {
        self.of_user_after(user, None, usize::MAX)
    }

    /// At most `most` of them, from the first or after an id.
    pub fn of_user_after(&self, user: &str, after: Option<&str>, most: usize) -> Vec<ChatRecord> {
        let chats = self.read();
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let ids = chats.by_user.get(user).into_iter().flat_map(|of| of.range::<str, _>(range));
        ids.filter_map(|(id, _)| chats.by_id.get(id).cloned()).take(most).collect()
    }

    /// The ids of the chats that a user is in or invited to, with the user's role.
    pub fn roles_of(&self, user: &str) -> Vec<(Arc<str>, Role)> {
        let chats = self.read();
        let roles = chats.by_user.get(user).into_iter().flatten();
        roles.map(|(id, role)| (id.clone(), *role)).collect()
    }

    /// The users who are in a chat with this one, and the user. Invitations do not count.
    pub fn companions(&self, user: &str) -> Companions<'_> {
        let mut rooms = Vec::new();
        let mut participants = 0;
        {
            let chats = self.read();
            let roles = chats.by_user.get(user).into_iter().flatten();
            for (id, _) in roles.filter(|(_, role)| **role != Role::Invited) {
                let Some(chat) = chats.by_id.get(id) else { continue };
                self.look_at(1);
                participants += chat.room.participants.len();
                if participants > MOST_LISTED {
                    return Companions::Many { chats: self, user: user.into() };
                }
                rooms.push(chat.room.clone());
            }
        }
        self.look_at(participants);
        let members = rooms.iter().flat_map(|room| room.members());
        Companions::Few(members.map(|other| other.user.clone()).chain([user.into()]).collect())
    }

    /// Whether two users are members of the same chat. Costs by the number of chats of the one who has fewer.
    fn share_a_chat(&self, one: &str, other: &str) -> bool {
        let chats = self.read();
        let (Some(one), Some(other)) = (chats.by_user.get(one), chats.by_user.get(other)) else {
            return false;
        };
        let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
        let is_member = |role: &Role| *role != Role::Invited;
        few.iter().any(|(chat, role)| {
            self.look_at(1);
            is_member(role) && many.get(chat).is_some_and(is_member)
        })
    }

    /// To how many chats a user has invited another one who has not answered yet.
    pub fn invitations_by(&self, inviter: &str, user: &str) -> usize {
        self.read().invitations_by(inviter, user).take_while(|[_, invited, _]| **invited == *user).count()
    }

    /// Forgets who has made the open invitations of a user who is erased: at most `most` of them. Returns whether there are more.
    pub fn forget_inviter(&self, inviter: &str, most: usize) -> bool {
        let mut chats = self.chats.write();
        for _ in 0..most {
            let Some([_, user, chat]) = chats.invitations_by(inviter, "").next().cloned() else {
                return false;
            };
            let Some(known) = chats.by_id.get_mut(&chat) else { return false };
            let room = Arc::make_mut(&mut known.room);
            let Some(at) = room.participants.iter().position(|participant| participant.user == user) else {
                return false;
            };
            let before = room.participants[at].clone();
            let now = Participant { invited_by: None, ..before.clone() };
            room.participants[at] = now.clone();
            chats.remove(&chat, &before);
            chats.add(&chat, &now);
        }
        true
    }

    /// The number of chats that a user is in, and of those that a user is only invited to.
    pub fn numbers_of(&self, user: &str) -> (usize, usize) {
        let chats = self.read();
        let Some(roles) = chats.by_user.get(user) else { return (0, 0) };
        let invited = roles.values().filter(|role| **role == Role::Invited).count();
        (roles.len() - invited, invited)
    }

    /// How many chats there are.
    pub fn len(&self) -> usize {
        self.read().by_id.len()
    }

    /// Whether there are no chats.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds or replaces a chat.
    pub fn put(&self, chat: ChatRecord) {
        let id = chat.room.id.clone();
        let before = self.get(&id);
        let known = by_user(before.as_ref());
        let now = by_user(Some(&chat));
        let gone = known.values().filter(|before| now.get(&*before.user) != Some(before));
        let new = now.values().filter(|now| known.get(&*now.user) != Some(now));
        let mut chats = self.chats.write();
        gone.for_each(|before| chats.remove(&id, before));
        new.for_each(|now| chats.add(&id, now));
        drop((known, now));
        chats.by_id.insert(id, chat);
    }

    /// Removes a chat that was deleted.
    pub fn remove(&self, chat: &str) {
        let mut chats = self.chats.write();
        let Some(known) = chats.by_id.remove(chat) else { return };
        known.room.participants.iter().for_each(|participant| chats.remove(chat, participant));
    }

    /// Records activity in a chat. Times never go back.
    pub fn touch(&self, chat: &str, at: u64) {
        let mut chats = self.chats.write();
        if let Some(chat) = chats.by_id.get_mut(chat) {
            chat.at = chat.at.max(at);
        }
    }
}
