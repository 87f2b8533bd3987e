//! Marks: how far users have received and read channels. They only rise, are delivered immediately, and are written in
//! batches a little later.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Weak},
};

use everwire_protocol::{
    Channel, ErrorCode, Feature, Receipt, ServerFrame, UserReceipt, batch,
    channels::{chat_of, keeps_receipts, user_channel},
    limits::MAX_USERS,
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::{Node, Use, requests::unavailable};
use crate::{
    connection::ReceivedMark,
    environment::Environment,
    model::{
        broadcast::Broadcast,
        chat::Participant,
        identity::Refusal,
        paging::{Listed, MarkPage},
    },
    store::Database,
};

/// How long marks are batched before they are written, in ms.
const WRITE_AFTER_MS: u64 = 250;

/// Maximum number of cached marks. Beyond it, written ones are dropped and read again.
const KEPT: usize = 200_000;

/// Maximum length of the epoch and run in a receipt that is kept for a retry, in bytes: real ones have some 20, but clients
/// may send anything.
const LONGEST_EPOCH: usize = 64;

/// The recently used marks, and those that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    marks: Mutex<Marks>,
    dirty: Notify,
}

#[derive(Debug, Default)]
struct Marks {
    of: BTreeMap<Channel, BTreeMap<String, UserReceipt>>,
    /// Channels whose marks are all cached.
    whole: BTreeSet<Channel>,
    count: usize,
    dirty: BTreeMap<(Channel, String), UserReceipt>,
    /// Receipts that could not be processed while the store was unavailable: clients do not repeat them.
    deferred: BTreeMap<(Channel, Arc<str>), ReceivedMark>,
}

impl Marks {
    fn get(&self, channel: &Channel, user: &str) -> Option<&UserReceipt> {
        self.of.get(channel)?.get(user)
    }

    /// Raises a mark; lower values change nothing. Returns whether anything rose.
    fn put(&mut self, channel: &Channel, mark: &UserReceipt) -> bool {
        let marks = self.of.entry(channel.clone()).or_default();
        let Some(known) = marks.get_mut(&mark.user) else {
            marks.insert(mark.user.clone(), mark.clone());
            self.count += 1;
            return true;
        };
        let (delivered, read) = (known.delivered.max(mark.delivered), known.read.max(mark.read));
        let rose = (delivered, read) != (known.delivered, known.read);
        (known.delivered, known.read) = (delivered, read);
        rose
    }

    fn forget_written(&mut self) {
        // A channel without marks is remembered, too, and there is no end of names.
        if self.count + self.whole.len() > KEPT {
            self.of.clear();
            self.whole.clear();
            self.count = 0;
            for ((channel, _), mark) in self.dirty.clone() {
                self.put(&channel, &mark);
            }
        }
    }
}

impl Receipts {
    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock()
    }

    /// Reads the marks of a channel that are not cached: all, or those of one user.
    async fn load(&self, node: &Node, channel: &Channel, user: Option<&str>) -> Result<(), crate::Error> {
        {
            let marks = self.lock();
            let known = user.is_some_and(|user| marks.get(channel, user).is_some());
            if known || marks.whole.contains(channel) {
                return Ok(());
            }
        }
        let read = node.store.marks(channel, user).await?;
        let mut marks = self.lock();
        marks.forget_written();
        for mark in &read {
            marks.put(channel, mark);
        }
        if user.is_none() {
            marks.whole.insert(channel.clone());
        }
        Ok(())
    }

    /// Writes the unwritten marks.
    pub(super) async fn write(&self, store: &dyn Database) {
        let dirty: Vec<_> =
            self.lock().dirty.iter().map(|((channel, _), mark)| (channel.clone(), mark.clone())).collect();
        if dirty.is_empty() {
            return;
        }
        match store.raise_marks(&dirty).await {
            Ok(()) => {
                let mut marks = self.lock();
                for (channel, mark) in dirty {
                    let key = (channel, mark.user.clone());
                    if marks.dirty.get(&key) == Some(&mark) {
                        marks.dirty.remove(&key);
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "receipts not stored yet");
                self.dirty.notify_one();
            }
        }
    }

    /// Keeps a receipt for a retry, merged with an earlier one of the same user and log.
    fn defer(&self, receipt: ReceivedMark) {
        if receipt.epoch.iter().chain(&receipt.run).any(|text| text.len() > LONGEST_EPOCH) {
            return;
        }
        let mut marks = self.lock();
        let key = (receipt.channel.clone(), receipt.who.user.clone());
        if marks.deferred.len() >= KEPT && !marks.deferred.contains_key(&key) {
            return;
        }
        let before = marks.deferred.insert(key.clone(), receipt);
        if let (Some(before), Some(now)) = (before, marks.deferred.get_mut(&key))
            && (&before.epoch, &before.run) == (&now.epoch, &now.run)
        {
            now.delivered = now.delivered.max(before.delivered);
            now.read = now.read.max(before.read);
        }
        drop(marks);
        self.dirty.notify_one();
    }

    /// Forgets the marks of a user who was erased.
    pub(super) fn forget_user(&self, user: &str) {
        let mut marks = self.lock();
        let mut forgotten = 0;
        marks.of.retain(|_, of_channel| {
            forgotten += usize::from(of_channel.remove(user).is_some());
            !of_channel.is_empty()
        });
        marks.count -= forgotten;
        marks.dirty.retain(|(_, other), _| other != user);
        marks.deferred.retain(|(_, other), _| **other != *user);
    }

    /// Forgets the marks of a channel whose log was emptied.
    pub(super) fn forget_channel(&self, channel: &Channel) {
        let mut marks = self.lock();
        marks.count -= marks.of.remove(channel).map_or(0, |of_channel| of_channel.len());
        marks.whole.remove(channel);
        marks.dirty.retain(|(other, _), _| other != channel);
        marks.deferred.retain(|(other, _), _| other != channel);
    }

    /// Ends [`write_marks`] when the node is dropped.
    pub(super) fn wake(&self) {
        self.dirty.notify_one();
    }
}

/// Writes marks for as long as the node lives, and retries receipts.
pub(super) async fn write_marks(
    environment: Arc<dyn Environment>,
    node: Weak<Node>,
    receipts: Arc<Receipts>,
) {
    loop {
        receipts.dirty.notified().await;
        if node.strong_count() == 0 {
            return;
        }
        environment.sleep_until(environment.now_ms() + WRITE_AFTER_MS).await;
        let Some(node) = node.upgrade() else { return };
        let deferred = std::mem::take(&mut receipts.lock().deferred);
        for receipt in deferred.into_values() {
            if let Err(refusal) = node.hear(receipt).await {
                tracing::debug!(code = refusal.code.as_str(), "deferred receipt refused");
            }
        }
        receipts.write(&*node.store).await;
    }
}

impl Node {
    /// A page of the marks that `who` may see, from the first user or after one: of all members of a chat unless it is large,
    /// and of the user only in other channels. `None` where marks are not kept.
    pub(super) async fn marks(
        &self,
        channel: &Channel,
        who: &str,
        after: Option<&str>,
    ) -> Result<Option<MarkPage>, Refusal> {
        if !keeps_receipts(channel) || !self.settings.features.has(Feature::Receipts) {
            return Ok(None);
        }
        let Some(chat) = chat_of(channel).filter(|chat| self.shares_marks(chat)) else {
            let own = self.mark(channel, who).await.map_err(unavailable)?;
            return Ok(Some(Listed::of(own.filter(|own| after.is_none_or(|after| &*own.user > after)))));
        };
        self.receipts.load(self, channel, None).await.map_err(unavailable)?;
        let room = self.chats.get(chat).map(|known| known.room);
        // A chat that an application manages with grants has no members here.
        let is_member = |user: &str| {
            room.as_ref().is_none_or(|room| room.participant(user).is_some_and(Participant::is_member))
        };
        let marks = self.receipts.lock();
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let listed = marks.of.get(channel).into_iter().flat_map(|of| of.range::<str, _>(range));
        let seen = listed.map(|(_, mark)| mark).filter(|mark| mark.user == who || is_member(&mark.user));
        Ok(Some(Listed::of(seen.cloned())))
    }

    /// Whether the members of a chat receive each other's marks: not in large chats, because each message that all of them
    /// read costs each of them as many frames as there are members.
    fn shares_marks(&self, chat: &str) -> bool {
        self.chats.get(chat).is_none_or(|known| known.room.participants.len() <= MAX_USERS)
    }

    /// The mark of a user in a channel, if there is one.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`].
    pub async fn mark(&self, channel: &Channel, user: &str) -> Result<Option<UserReceipt>, crate::Error> {
        self.receipts.load(self, channel, Some(user)).await?;
        Ok(self.receipts.lock().get(channel, user).cloned())
    }

    /// The marks of all users in a channel.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`].
    pub async fn all_marks(&self, channel: &Channel) -> Result<Vec<UserReceipt>, crate::Error> {
        self.receipts.load(self, channel, None).await?;
        Ok(self
            .receipts
            .lock()
            .of
            .get(channel)
            .map_or_else(Vec::new, |marks| marks.values().cloned().collect()))
    }

    /// Processes a receipt, and delivers the result.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`] or [`ErrorCode::Unavailable`].
    pub async fn receive(&self, receipt: ReceivedMark) -> Result<(), Refusal> {
        let ReceivedMark { channel, who, epoch, run, delivered, read } = receipt;
        self.permit(&who, &channel, Use::Receive)?;
        let log = self.store.log(&channel).await.map_err(unavailable)?;
        if epoch.is_some_and(|epoch| *epoch != *log.epoch) {
            // The client will learn of the current log, and then send its marks in it.
            return Ok(());
        }
        if let Some(run) = run.filter(|run| **run != *self.settings.run)
            && !self.store.has_seen(&channel, delivered.max(read), &run).await.map_err(unavailable)?
        {
            // Marks in a history that was lost when the database was restored.
            return Ok(());
        }
        let said = UserReceipt {
            user: who.user.as_ref().into(),
            // Everything that was read was also delivered.
            delivered: delivered.max(read).min(log.head),
            read: read.min(log.head),
        };
        self.receipts.load(self, &channel, Some(&said.user)).await.map_err(unavailable)?;
        loop {
            let known = self.receipts.lock().get(&channel, &said.user).cloned();
            let read = known.as_ref().map_or(0, |known| known.read).max(said.read);
            let unread = if read >= log.head {
                0
            } else {
                self.store.unread(&channel, &said.user, read).await.map_err(unavailable)?
            };
            let mut marks = self.receipts.lock();
            if marks.get(&channel, &said.user) != known.as_ref() {
                // Another client of the user was faster. The count belongs to an older mark.
                continue;
            }
            let rose = marks.put(&channel, &said);
            let Some(now) = marks.get(&channel, &said.user).cloned() else { return Ok(()) };
            if rose {
                marks.dirty.insert((channel.clone(), said.user), now.clone());
                self.receipts.dirty.notify_one();
            }
            // Delivered under the lock, so that a lower mark never follows a higher one.
            self.tell_receipt(&channel, &now, unread, rose);
            return Ok(());
        }
    }

    /// The same for a client that sends it once: if the store is unavailable, it is retried.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`].
    pub(super) async fn hear(&self, receipt: ReceivedMark) -> Result<(), Refusal> {
        match self.receive(receipt.clone()).await {
            Err(refusal) if refusal.code == ErrorCode::Unavailable => {
                self.receipts.defer(receipt);
                Ok(())
            }
            done => done,
        }
    }

    fn tell_receipt(&self, channel: &Channel, mark: &UserReceipt, unread: u32, rose: bool) {
        if !self.settings.features.has(Feature::Receipts) {
            return;
        }
        let UserReceipt { user, delivered, read } = mark;
        let receipt = |unread| {
            let (channel, user) = (channel.clone(), user.clone());
            let receipt = Receipt { channel, user, delivered: *delivered, read: *read, unread };
            let text: Arc<str> = batch::encode_frame(&ServerFrame::Receipt(receipt)).into();
            text
        };
        let note = |channel: &Channel, text| {
            Arc::new(Broadcast { channel: channel.clone(), text, ephemeral: false })
        };
        if rose && chat_of(channel).is_some_and(|chat| self.shares_marks(chat)) {
            self.hub.tell(&note(channel, receipt(None)), |other| other != user, None);
        }
        let own = receipt(Some(unread));
        self.hub.tell(&note(channel, own.clone()), |other| other == user, None);
        if let Some(home) = user_channel(user)
            && home != *channel
        {
            self.hub.tell(&note(&home, own), |other| other == user, Some(channel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_without_marks_are_not_remembered_without_end() {
        let mut marks = Marks::default();
        for n in 0..KEPT + 10 {
            marks.forget_written();
            marks.whole.insert(format!("private-{n}").parse().unwrap());
        }
        assert!(marks.whole.len() <= KEPT, "{}", marks.whole.len());
    }
}
