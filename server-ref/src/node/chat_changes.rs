//! Changes of chats: decided, stored and told in one order with what is sent, because the writer does all of it.

use std::{fmt, sync::Arc};

use everwire_protocol::{ChatChange, ErrorCode, Payload, SERVER_EVENTS, Uuid};
use tokio::sync::{mpsc, oneshot};

use super::{
    chat_views::News,
    commit::{Effects, Writer},
};
use crate::{
    Error,
    chats::{Act, Actor, Book, Bounds, Change, Decided, decide},
    hub::Hub,
    model::{
        channels::here_of,
        chat::{Known, Room},
        identity::Refusal,
        log::{Entry, NewEntry, Outcome, Standing},
    },
    store::{Directory, Store},
};

/// All that is done with chats. Cheap to clone.
#[derive(Clone)]
pub struct Chats {
    /// All chats.
    pub book: Arc<Book>,
    bounds: Bounds,
    store: Arc<dyn Directory>,
    logs: Arc<dyn Store>,
    writer: Writer,
    news: mpsc::UnboundedSender<News>,
}

impl fmt::Debug for Chats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chats").field("chats", &self.book.len()).finish_non_exhaustive()
    }
}

impl Chats {
    /// These chats, and what members are to be told of them (see [`super::chat_views::keep_telling`]).
    pub(super) fn new(
        book: Arc<Book>,
        store: Arc<dyn Directory>,
        logs: Arc<dyn Store>,
        writer: Writer,
    ) -> (Self, mpsc::UnboundedReceiver<News>) {
        let (news, receiver) = mpsc::unbounded_channel();
        (Self { book, bounds: Bounds::default(), store, logs, writer, news }, receiver)
    }

    /// Hands in something that members are to be told. Told one after the other, always as things are by then: so what
    /// is told last is right.
    fn news(&self, news: News) {
        // The receiver lives as long as this.
        let _ = self.news.send(news);
    }
}

/// Where a change is to be made, and what for.
struct Wish {
    actor: Actor,
    chat: Arc<str>,
    act: Act,
}

impl Chats {
    /// Does what somebody wants. `chat` is the one that it is about; for [`Act::Create`] it is made from the act. Returns
    /// the chat as it is then; `None` if there is none, which [`Act::Leave`] does not mind. When this returns, those who
    /// were taken out receive nothing more.
    ///
    /// # Errors
    /// What the rules refuse, and [`ErrorCode::Unavailable`].
    pub async fn act(&self, actor: Actor, chat: Option<&str>, act: Act) -> Result<Option<Known>, Refusal> {
        let made = act.chat_made(&actor).map(|id| id.hyphenated().to_string());
        // A direct chat with too few users has no name. The rules say what is wrong with it.
        let chat: Arc<str> = made.as_deref().or(chat).unwrap_or_default().into();
        let wish = Wish { actor, chat, act };
        let (answer, answered) = oneshot::channel();
        let chats = self.clone();
        let work = Box::new(move |at| -> std::pin::Pin<Box<dyn Future<Output = Effects> + Send>> {
            Box::pin(async move {
                let done = chats.carry_out(at, wish).await;
                Box::new(move |hub: &Hub| {
                    let answered = done.map(|done| chats.make_known(hub, done));
                    // An error says that nobody waits for the answer any more. It is done all the same.
                    let _ = answer.send(answered);
                }) as Effects
            })
        });
        if !self.writer.work(work) {
            return Err(Refusal::of(ErrorCode::Unavailable));
        }
        answered.await.unwrap_or_else(|_| Err(Refusal::of(ErrorCode::Unavailable)))
    }

    /// Decides and stores. Runs in the writer: nothing else changes a chat or a log meanwhile.
    async fn carry_out(&self, at: u64, wish: Wish) -> Result<Done, Refusal> {
        let before = self.book.get(&wish.chat);
        let room = before.as_ref().map(|known| &*known.room);
        let Change { room: after, entries, gone } =
            match decide(room, &wish.actor, &wish.act, self.bounds, at)? {
                Decided::AlreadySo => return Ok(Done { known: before, change: None }),
                Decided::Changed(change) => change,
            };
        let unavailable = |error: Error| {
            tracing::error!(%error, "a chat could not be changed");
            Refusal::of(ErrorCode::Unavailable)
        };
        let log = after.log().ok_or_else(|| Refusal::of(ErrorCode::NotFound))?;
        if room.is_none() {
            // Somebody uses this channel already, without members: nobody becomes its owner by guessing its name.
            let found = self.logs.log(&log).await.map_err(unavailable)?;
            if found.head > 0 {
                return Err(Refusal::of(ErrorCode::IdReused));
            }
        }
        let new: Vec<NewEntry> =
            entries.iter().filter_map(|change| entry(&wish.actor, &after, change)).collect();
        let outcomes = self.store.change_chat(at, room, &after, &new).await.map_err(unavailable)?;
        let stored = new.iter().zip(outcomes).filter_map(|(entry, outcome)| match outcome {
            Outcome::Stored(place) => Some(Entry::of(entry, &place)),
            Outcome::Copy(_) | Outcome::IdReused | Outcome::Refused(_) => None,
        });
        let entries = stored.collect();
        let known = Known { room: Arc::new(after), at };
        // From now on the writer stores nothing of who has gone.
        self.book.put(known.clone());
        Ok(Done { known: Some(known), change: Some(Told { entries, gone }) })
    }

    /// Tells of a change: those who have gone receive nothing more, not even this. Runs when everything that was stored
    /// before has been handed out, and nothing that was stored after.
    fn make_known(&self, hub: &Hub, done: Done) -> Option<Known> {
        let known = done.known?;
        let Some(Told { entries, gone }) = done.change else { return Some(known) };
        for user in &gone {
            for channel in [known.room.log(), here_of(&known.room.id)].into_iter().flatten() {
                hub.remove_user(&channel, user);
            }
        }
        for entry in &entries {
            hub.publish(entry);
        }
        self.news(News::Changed { chat: known.room.id.clone(), gone });
        Some(known)
    }
}

/// What was stored.
struct Done {
    known: Option<Known>,
    change: Option<Told>,
}

struct Told {
    entries: Vec<Arc<Entry>>,
    gone: Vec<Arc<str>>,
}

fn entry(actor: &Actor, room: &Room, change: &ChatChange) -> Option<NewEntry> {
    let (user, name) = match actor {
        Actor::User { user, name } => (user.clone(), name.clone()),
        Actor::BackEnd => (Arc::default(), None),
    };
    Some(NewEntry {
        id: Uuid::new_v4(),
        channel: room.log()?,
        user,
        name,
        event: Some(format!("{SERVER_EVENTS}chat")),
        // Names and roles can always be written.
        data: Payload::from_value(change).ok()?,
        action: None,
        target: None,
        standing: Standing::Granted,
    })
}
