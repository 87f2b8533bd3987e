//! What all connections of this process share, and how the outputs of their sessions are carried out.

pub mod chat_changes;
mod chat_requests;
mod chat_views;
pub mod clock;
pub mod commit;
mod effects;
mod people;
mod receipts;
mod requests;
pub mod stats;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use everwire_protocol::{Channel, ErrorCode, Goaway, Member, Role, ServerFrame};
use tokio::sync::{mpsc, oneshot, watch};

use chat_changes::Chats;
use chat_views::keep_telling;
use clock::Clock;
use commit::{Effects, Work, Writer};
pub use effects::Link;
use receipts::Receipts;
use stats::Counters;

use crate::{
    Error,
    chats::Book,
    connection::{Asked, Settings},
    hub::{Hub, noted::Notes},
    model::{
        broadcast::Ephemeral,
        channels::USERS,
        identity::{Access, Identity, Refusal, not_for},
    },
    sessions::Sessions,
    store::{Directory, Store, Tidied},
    users::Users,
};

/// What all connections share.
#[derive(Debug)]
pub struct Node {
    /// The numbers that sessions go by.
    pub settings: Arc<Settings>,
    /// Who may do what.
    pub access: Arc<dyn Access>,
    /// Where logs are kept.
    pub store: Arc<dyn Store>,
    /// Where everything else is kept.
    pub directory: Arc<dyn Directory>,
    /// All chats.
    pub book: Arc<Book>,
    /// What is done with them.
    pub chats: Chats,
    /// What has been counted.
    pub(crate) counters: Counters,
    /// Where things to be written are handed in.
    pub writer: Writer,
    /// Who receives what.
    pub hub: Arc<Hub>,
    /// Who is online.
    pub users: Arc<Users>,
    /// Which connection each session has.
    pub sessions: Sessions,
    receipts: Arc<Receipts>,
    notes: Arc<Notes>,
    /// The time that sessions are given.
    pub clock: Clock,
    /// What is said to clients when the server stops; `None` while it runs.
    pub stopping: watch::Sender<Option<Goaway>>,
    /// How many connections have not ended yet.
    pub connections: watch::Sender<usize>,
    next_request: AtomicU64,
    held_polls: AtomicU64,
}

impl std::fmt::Debug for dyn Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl std::fmt::Debug for dyn Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Directory")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.receipts.wake();
        self.notes.wake();
    }
}

/// What somebody wants to do with a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Receive it, or look at what is in it.
    Receive,
    /// Send to it, or announce something in it.
    Send,
}

impl Node {
    /// A node without connections. Starts the writer and the clock of presence. Who was there when the server was stopped has
    /// `return_ms` to come back unnoticed, and later `leave_grace_ms` after each lost connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the chats cannot be read.
    pub async fn start<S: Store + Directory>(
        settings: Arc<Settings>,
        access: Arc<dyn Access>,
        store: Arc<S>,
        leave_grace_ms: u64,
        return_ms: u64,
    ) -> Result<Arc<Self>, Error> {
        let book = Arc::new(Book::of(store.chats().await?));
        let (remember, remembered) = mpsc::unbounded_channel();
        let notes = Arc::<Notes>::default();
        let elsewhere = Channel::new(USERS).ok();
        let hub = Arc::new(Hub::new(leave_grace_ms).with_notes(notes.clone(), elsewhere));
        let users = Arc::new(Users::new(leave_grace_ms, book.clone(), hub.clone(), remember));
        let writer = Writer::start(store.clone(), book.clone(), hub.clone());
        let clock = Clock::start();
        // Nobody is to see them go who are only about to connect again.
        let (people, attendance) = (store.online().await?, store.attendance().await?);
        let leaves_at = clock.now_ms() + return_ms;
        users.expect(people, leaves_at);
        hub.expect_members(attendance, leaves_at);
        tokio::spawn(expire_presence(hub.clone(), users.clone(), clock));
        let receipts = Arc::<Receipts>::default();
        let (chats, news) = Chats::new(book.clone(), store.clone(), store.clone(), writer.clone());
        let node = Arc::new(Self {
            settings,
            access,
            directory: store.clone(),
            store,
            book,
            chats,
            counters: Counters::default(),
            writer,
            hub,
            users,
            sessions: Sessions::default(),
            receipts: receipts.clone(),
            notes: notes.clone(),
            clock,
            stopping: watch::Sender::new(None),
            connections: watch::Sender::new(0),
            next_request: AtomicU64::new(1),
            held_polls: AtomicU64::new(0),
        });
        tokio::spawn(receipts::write_marks(Arc::downgrade(&node), receipts));
        tokio::spawn(people::remember(Arc::downgrade(&node), remembered, notes));
        tokio::spawn(keep_telling(Arc::downgrade(&node), news));
        tokio::spawn(stats::keep_logging(Arc::downgrade(&node)));
        Ok(node)
    }

    /// Writes what would be written a little later. For the end.
    pub async fn write_all(&self) {
        self.receipts.write(&*self.directory).await;
        let (_writing, due) = self.notes.take().await;
        self.write_attendance(due).await;
    }

    /// Answers a question, as if a session had asked it.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn answer(self: &Arc<Self>, asked: Asked) -> Result<ServerFrame, Refusal> {
        requests::answer(self, asked).await
    }

    /// Removes what is no longer needed from the store, between what is stored otherwise. `None`: it cannot be done now.
    pub async fn tidy(&self) -> Option<Tidied> {
        let mut all = Tidied { more: true, ..Tidied::default() };
        while all.more {
            let (answer, answered) = oneshot::channel();
            let store = self.store.clone();
            let work: Work = Box::new(move |at| {
                Box::pin(async move {
                    let tidied = store.tidy(at).await;
                    let effects: Effects = Box::new(move |_| {
                        // An error says that nobody waits for the answer any more.
                        let _ = answer.send(tidied);
                    });
                    effects
                })
            });
            if !self.writer.work(work) {
                return None;
            }
            let tidied = answered.await.ok()?;
            all += tidied.inspect_err(|error| tracing::error!(%error, "nothing could be removed")).ok()?;
        }
        Some(all)
    }

    /// Whether somebody may use a channel: by the rules, and if it is a chat's, as a member.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`].
    pub fn permit(&self, who: &Identity, channel: &Channel, what: Use) -> Result<(), Refusal> {
        let by_rules = match what {
            Use::Receive => self.access.may_subscribe(who, channel),
            Use::Send => self.access.may_send(who, channel),
        };
        if !by_rules {
            return Err(Refusal::of(ErrorCode::Forbidden));
        }
        let Some(chat) = self.access.chat(who, channel) else { return Ok(()) };
        match (self.book.role(chat, &who.user), what) {
            (Some(Role::Owner | Role::Member), _) | (Some(Role::ReadOnly), Use::Receive) => Ok(()),
            (role, _) => Err(not_for(role)),
        }
    }

    /// Who is present in a channel, and which changes that contains; `None` if it does not list its members.
    pub fn members(&self, channel: &Channel) -> Option<(Vec<Member>, u64)> {
        if channel.as_str() == USERS { Some(self.users.members()) } else { self.hub.members(channel) }
    }

    /// Passes on something that is not stored, as of now.
    pub fn pass_on(&self, ephemeral: Ephemeral) {
        let from = self.sessions.connection(ephemeral.session);
        self.hub.pass_on(ephemeral, from);
    }

    /// A number that no other request has.
    pub fn next_request(&self) -> u64 {
        self.next_request.fetch_add(1, Ordering::Relaxed)
    }

    /// How many polls wait for their answer now.
    pub fn held_polls(&self) -> u64 {
        self.held_polls.load(Ordering::Relaxed)
    }

    /// A poll begins or ends to wait.
    pub(crate) fn poll_waits(&self, waits: bool) {
        if waits {
            self.held_polls.fetch_add(1, Ordering::Relaxed);
        } else {
            self.held_polls.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tells one connection when the server is about to stop.
    pub fn stop_notice(&self) -> StopNotice {
        StopNotice { stopping: self.stopping.subscribe(), given: false }
    }

    /// Counts a connection for as long as the result lives.
    pub fn count_connection(self: &Arc<Self>) -> Counted {
        self.connections.send_modify(|count| *count += 1);
        Counted(self.clone())
    }
}

/// Tells one connection, once, when the server is about to stop.
#[derive(Debug)]
pub struct StopNotice {
    stopping: watch::Receiver<Option<Goaway>>,
    given: bool,
}

impl StopNotice {
    /// Waits until the server is about to stop. Never returns a second time. May be cancelled.
    pub async fn wait(&mut self) -> Goaway {
        if !self.given {
            let goaway = self.stopping.wait_for(Option::is_some).await.ok().and_then(|goaway| goaway.clone());
            if let Some(goaway) = goaway {
                self.given = true;
                return goaway;
            }
        }
        std::future::pending().await
    }
}

/// One counted connection.
#[derive(Debug)]
pub struct Counted(Arc<Node>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.send_modify(|count| *count -= 1);
    }
}

async fn expire_presence(hub: Arc<Hub>, users: Arc<Users>, clock: Clock) {
    loop {
        let now_ms = clock.now_ms();
        let at = users.expire(now_ms).into_iter().chain(hub.expire(now_ms)).min();
        let due = async {
            match at {
                Some(at) => tokio::time::sleep_until(tokio::time::Instant::from_std(clock.instant(at))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = hub.sooner() => {}
            () = users.sooner() => {}
            () = due => {}
        }
    }
}
