//! Chats as their members see them: the list, and updates of changed and removed chats.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use everwire_protocol::{
    Channel, Chat, ChatChanged, ChatGone, ChatMember, Role, ServerFrame, Status, UserStatus, batch,
    channels::user_channel,
    limits::{MAX_CHAT_MEMBERS_BYTES, MAX_OFFSET, MAX_USERS},
};
use tokio::sync::mpsc;

use super::Node;
use crate::{
    Error,
    model::{
        broadcast::Broadcast,
        chat::{ChatRecord, Participant, Room},
        paging::{Listed, MOST_IN_A_PAGE, PageRoom},
    },
};

/// Maximum updates that are combined at once.
const AT_ONCE: usize = 1024;

/// How many chats are looked up at once for a page.
const LOOKED_UP: usize = 16;

/// A changed chat, to be delivered to its members.
#[derive(Debug)]
pub(super) struct ChatUpdate {
    /// The chat.
    pub(super) chat: Arc<str>,
    /// Users who are no longer in it.
    pub(super) gone: Vec<Arc<str>>,
}

/// The status of users, and when they were last online, in ms since 1970.
type Statuses = BTreeMap<String, (Status, Option<u64>)>;

/// How far users have received and read a log.
type Marks = BTreeMap<String, (u64, u64)>;

impl Node {
    /// A page of the chats of a user, by id: from the first or after one, at most `most`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn list_chats(
        &self,
        user: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listed<Chat>, Error> {
        self.page_of_chats(user, &self.chats.of_user_after(user, after, most + 1), most).await
    }

    /// A page of the chats of a user, by latest activity: from the latest, or after a chat that had its latest activity then, at
    /// most `most`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn latest_chats(
        &self,
        user: &str,
        after: Option<(u64, &str)>,
        most: usize,
    ) -> Result<Listed<Chat>, Error> {
        let mut known = self.chats.of_user(user);
        let place = |known: &ChatRecord| (Reverse(known.at_for(user)), known.room.id.clone());
        if let Some((at, chat)) = after {
            let after = (Reverse(at), chat.into());
            known.retain(|known| place(known) > after);
        }
        known.sort_by_cached_key(place);
        known.truncate(most + 1);
        self.page_of_chats(user, &known, most).await
    }

    /// As many of these as fit into a page, at most `most`. They are looked up a few at a time: large ones fill it soon.
    async fn page_of_chats(
        &self,
        user: &str,
        known: &[ChatRecord],
        most: usize,
    ) -> Result<Listed<Chat>, Error> {
        let mut page = PageRoom::default();
        let mut listed = Listed::default();
        for some in known.chunks(LOOKED_UP) {
            for chat in self.as_seen_by(user, some).await? {
                if listed.items.len() == most || !page.fits(&chat) {
                    listed.more = true;
                    return Ok(listed);
                }
                listed.items.push(chat);
            }
        }
        Ok(listed)
    }

    /// A page of the participants of a chat, by user id: from the first or after one. `None` if the user is not one of them.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn list_chat_members(
        &self,
        user: &str,
        chat: &str,
        after: Option<&str>,
    ) -> Result<Option<Listed<ChatMember>>, Error> {
        let Some(known) = self.chats.get(chat) else { return Ok(None) };
        let Some(role) = known.room.role(user) else { return Ok(None) };
        let mut marks = Marks::new();
        if let Some(log) = known.room.log().filter(|_| role != Role::Invited) {
            marks = self.marks_in(&log).await?;
        }
        let participants = known.room.participants.iter();
        let mut participants: Vec<_> =
            participants.filter(|other| after.is_none_or(|after| &*other.user > after)).collect();
        participants.sort_by(|a, b| a.user.cmp(&b.user));
        participants.truncate(MOST_IN_A_PAGE);
        let statuses = self.statuses_of(participants.iter().copied()).await?;
        Ok(Some(Listed::of(participants.into_iter().map(|other| chat_member(other, &marks, &statuses)))))
    }

    /// One chat as a user sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn chat(&self, user: &str, known: &ChatRecord) -> Result<Option<Chat>, Error> {
        Ok(self.as_seen_by(user, std::slice::from_ref(known)).await?.pop())
    }

    /// Chats as a user sees them, without those in which the user is not a participant, or was removed while they were read: what
    /// was read may have been stored since.
    async fn as_seen_by(&self, user: &str, chats: &[ChatRecord]) -> Result<Vec<Chat>, Error> {
        let mut asked: Vec<(Channel, u64)> = Vec::new();
        let mut marks = BTreeMap::new();
        for known in chats.iter().filter(|known| is_member(known, user)) {
            let Some(log) = known.room.log() else { continue };
            let of_log = self.marks_in(&log).await?;
            asked.push((log.clone(), of_log.get(user).map_or(0, |(_, read)| *read)));
            marks.insert(log, of_log);
        }
        let tails: BTreeMap<_, _> = {
            let tails = self.store.tails(user, &asked).await?;
            asked.into_iter().map(|(log, _)| log).zip(tails).collect()
        };
        let statuses = self.statuses_of(chats.iter().flat_map(|known| shown(&known.room))).await?;
        let seen = chats.iter().filter_map(|known| {
            let room = &known.room;
            let role = room.role(user)?;
            let now = self.chats.role(&room.id, user)?;
            if role != Role::Invited && now == Role::Invited {
                return None;
            }
            let log = room.log()?;
            let none = Marks::new();
            let (marks, tail) =
                (marks.get(&log).unwrap_or(&none), tails.get(&log).cloned().unwrap_or_default());
            let members = shown(room).map(|participant| chat_member(participant, marks, &statuses));
            Some(Chat {
                id: room.id.as_ref().into(),
                kind: room.kind,
                title: room.title.clone(),
                open: room.open,
                role,
                members: members.collect(),
                member_count: u32::try_from(room.participants.len()).unwrap_or(u32::MAX),
                read: marks.get(user).map_or(0, |(_, read)| *read),
                head: tail.head,
                unread: tail.unread,
                last: tail.last,
                at: known.at_for(user),
            })
        });
        Ok(seen.collect())
    }

    async fn marks_in(&self, log: &Channel) -> Result<Marks, Error> {
        let all = self.all_marks(log).await?.into_iter();
        Ok(all.map(|mark| (mark.user, (mark.delivered, mark.read))).collect())
    }

    async fn statuses_of(&self, people: impl Iterator<Item = &Participant>) -> Result<Statuses, Error> {
        let mut users: Vec<String> = people.map(|participant| participant.user.to_string()).collect();
        users.sort_unstable();
        users.dedup();
        let found = self.statuses(&users).await?;
        let pair = |found: UserStatus| (found.user, (found.status, found.last_seen));
        Ok(found.into_iter().map(pair).collect())
    }

    async fn tell_members(&self, update: ChatUpdate) {
        let ChatUpdate { chat, gone } = update;
        for user in gone {
            // A user who has returned meanwhile is notified next.
            if self.chats.role(&chat, &user).is_none()
                && let Some(channel) = user_channel(&user)
            {
                let frame = ChatGone { channel: channel.clone(), chat: chat.as_ref().into() };
                self.hub.tell(&broadcast(channel, frame), |_| true, None);
            }
        }
        let Some(known) = self.chats.get(&chat) else { return };
        for user in self.audience.participants(&chat) {
            let Some(channel) = user_channel(&user) else { continue };
            match self.chat(&user, &known).await {
                Ok(Some(chat)) => {
                    let frame = ChatChanged { channel: channel.clone(), chat };
                    self.hub.tell(&broadcast(channel, frame), |_| true, None);
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "chat change not sent to a member"),
            }
        }
    }
}

/// Delivers chat updates one after the other, for as long as the node lives. Those of one chat that are waiting become one,
/// so that a series of edits costs the members one update.
pub(super) async fn keep_telling(node: Weak<Node>, mut updates: mpsc::UnboundedReceiver<ChatUpdate>) {
    let mut waiting = Vec::new();
    while updates.recv_many(&mut waiting, AT_ONCE).await > 0 {
        let mut by_chat: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        for ChatUpdate { chat, gone } in waiting.drain(..) {
            by_chat.entry(chat).or_default().extend(gone);
        }
        for (chat, gone) in by_chat {
            let Some(node) = node.upgrade() else { return };
            node.tell_members(ChatUpdate { chat, gone }).await;
        }
    }
}

/// The participants that a chat's members are shown with it: the first ones, up to a number and up to a size. They are measured
/// without what changes by itself, so that a status or a mark neither adds nor removes one.
fn shown(room: &Room) -> impl Iterator<Item = &Participant> {
    let mut page = PageRoom::of(MAX_CHAT_MEMBERS_BYTES);
    let fits = move |participant: &&Participant| {
        page.fits(&ChatMember {
            status: Status::Offline,
            last_seen: Some(MAX_OFFSET),
            delivered: MAX_OFFSET,
            read: MAX_OFFSET,
            ..chat_member(participant, &Marks::new(), &Statuses::new())
        })
    };
    room.participants.iter().take(MAX_USERS).take_while(fits)
}

fn chat_member(participant: &Participant, marks: &Marks, statuses: &Statuses) -> ChatMember {
    let user = participant.user.to_string();
    let (status, last_seen) = statuses.get(&user).copied().unwrap_or((Status::Offline, None));
    let (delivered, read) = marks.get(&user).copied().unwrap_or((0, 0));
    let name = participant.name.as_deref().map(Into::into);
    ChatMember { user, name, role: participant.role, status, last_seen, delivered, read }
}

fn is_member(known: &ChatRecord, user: &str) -> bool {
    known.room.role(user).is_some_and(|role| role != Role::Invited)
}

fn broadcast(channel: Channel, frame: impl Into<ServerFrame>) -> Arc<Broadcast> {
    Arc::new(Broadcast { channel, text: batch::encode_frame(&frame.into()).into(), ephemeral: false })
}
