//! Chats as their members see them: the list, and updates of changed and removed chats.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use everwire_protocol::{
    Channel, Chat, ChatChanged, ChatGone, ChatMember, Role, ServerFrame, Status, UserStatus, batch,
    channels::user_channel, limits::MAX_USERS,
};
use tokio::sync::mpsc;

use super::Node;
use crate::{
    Error,
    model::{broadcast::Broadcast, chat::ChatRecord},
};

/// Maximum updates that are combined at once.
const AT_ONCE: usize = 1024;

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

impl Node {
    /// The chats of a user, sorted by latest activity: those before `before`, at most `most`. Also whether there are more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn list_chats(
        &self,
        user: &str,
        before: Option<u64>,
        most: usize,
    ) -> Result<(Vec<Chat>, bool), Error> {
        let mut known = self.chats.of_user(user);
        known.retain(|known| before.is_none_or(|before| known.at_for(user) < before));
        known.sort_by(|a, b| b.at_for(user).cmp(&a.at_for(user)).then_with(|| a.room.id.cmp(&b.room.id)));
        let next = known.get(most).map(|known| known.at_for(user));
        known.truncate(most);
        // Chats with the same time come together, so that the next page omits nothing.
        if known.first().is_some_and(|first| next.is_some_and(|next| next < first.at_for(user))) {
            known.retain(|known| next.is_none_or(|next| known.at_for(user) > next));
        }
        let more = next.is_some();
        Ok((self.as_seen_by(user, &known).await?, more))
    }

    /// One chat as a user sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn chat(&self, user: &str, known: &ChatRecord) -> Result<Option<Chat>, Error> {
        Ok(self.as_seen_by(user, std::slice::from_ref(known)).await?.pop())
    }

    /// Chats as a user sees them, without those in which the user is not a participant.
    async fn as_seen_by(&self, user: &str, chats: &[ChatRecord]) -> Result<Vec<Chat>, Error> {
        let mut asked: Vec<(Channel, u64)> = Vec::new();
        let mut marks = BTreeMap::new();
        for known in chats.iter().filter(|known| is_member(known, user)) {
            let Some(log) = known.room.log() else { continue };
            let of_log: BTreeMap<String, (u64, u64)> = self
                .all_marks(&log)
                .await?
                .into_iter()
                .map(|mark| (mark.user, (mark.delivered, mark.read)))
                .collect();
            asked.push((log.clone(), of_log.get(user).map_or(0, |(_, read)| *read)));
            marks.insert(log, of_log);
        }
        let tails: BTreeMap<_, _> = {
            let tails = self.store.tails(user, &asked).await?;
            asked.into_iter().map(|(log, _)| log).zip(tails).collect()
        };
        let statuses = self.statuses_in(chats).await?;
        let seen = chats.iter().filter_map(|known| {
            let room = &known.room;
            let role = room.role(user)?;
            let log = room.log()?;
            let none = BTreeMap::new();
            let (marks, tail) =
                (marks.get(&log).unwrap_or(&none), tails.get(&log).cloned().unwrap_or_default());
            let members = room.participants.iter().take(MAX_USERS).map(|participant| {
                let user = participant.user.to_string();
                let (status, last_seen) = statuses.get(&user).copied().unwrap_or((Status::Offline, None));
                let (delivered, read) = marks.get(&user).copied().unwrap_or((0, 0));
                let name = participant.name.as_deref().map(Into::into);
                ChatMember { user, name, role: participant.role, status, last_seen, delivered, read }
            });
            Some(Chat {
                id: room.id.as_ref().into(),
                kind: room.kind,
                title: room.title.clone(),
                open: room.open,
                role,
                members: members.collect(),
                member_count: u32::try_from(room.participants.len()).unwrap_or(u32::MAX),
                head: tail.head,
                unread: tail.unread,
                last: tail.last,
                at: known.at_for(user),
            })
        });
        Ok(seen.collect())
    }

    async fn statuses_in(&self, chats: &[ChatRecord]) -> Result<Statuses, Error> {
        let people = chats.iter().flat_map(|known| known.room.participants.iter().take(MAX_USERS));
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

fn is_member(known: &ChatRecord, user: &str) -> bool {
    known.room.role(user).is_some_and(|role| role != Role::Invited)
}

fn broadcast(channel: Channel, frame: impl Into<ServerFrame>) -> Arc<Broadcast> {
    Arc::new(Broadcast { channel, text: batch::encode_frame(&frame.into()).into(), ephemeral: false })
}
