//! A node: what all connections of this process share, and what carries out their outputs. Time, ids, tasks and sleep come
//! from its [`Environment`], so that a simulation can run it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod bans;
mod chat_changes;
mod chat_requests;
mod chat_views;
pub mod commit;
mod effects;
mod erasure;
mod publish;
mod receipts;
mod remembering;
mod requests;
pub mod stats;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use everwire_protocol::{
    Channel, ErrorCode, Feature, Goaway, Role, ServerFrame,
    channels::{PRESENCE_USERS, owner_of},
};
use tokio::sync::{mpsc, watch};

pub(crate) use chat_requests::most_chats;
use chat_views::keep_telling;
use commit::{
    CommitSender,
    erasing::{Erasures, Forgetting},
};
pub use effects::Effects;
use publish::Publisher;
use receipts::Receipts;
use stats::Counters;

use crate::{
    Error,
    accounts::QueueBudget,
    audience::Audience,
    auth::Bans,
    chats::ChatRegistry,
    connection::{PendingRequest, PresenceUsers, Settings},
    environment::{Environment, planted},
    hub::{Hub, pending_presence::PendingPresence},
    model::{
        broadcast::{Ephemeral, Receiver},
        identity::{Access, Identity, RateClass, Refusal, not_for},
        paging::MemberPage,
    },
    sessions::Sessions,
    store::{Database, Removed},
    users::Users,
};

/// How long an erasure takes at least, besides the time that leaves are delayed, in ms: what was under way is over by then.
const ERASURE_MS: u64 = 5_000;

/// How long one call of a cleanup goes on: whoever calls has more patience.
const CLEANUP_MS: u64 = 5_000;

/// The state that all connections share.
#[derive(Debug)]
pub struct Node {
    /// The environment.
    pub environment: Arc<dyn Environment>,
    /// The settings of connections.
    pub settings: Arc<Settings>,
    /// The permissions.
    pub access: Arc<dyn Access>,
    /// The store.
    pub store: Arc<dyn Database>,
    /// The bans and revocations.
    pub bans: Arc<Bans>,
    /// All chats.
    pub chats: Arc<ChatRegistry>,
    /// The statistics.
    pub(crate) counters: Arc<Counters>,
    /// The handle of the commit loop.
    pub commits: CommitSender,
    /// The channels.
    pub hub: Arc<Hub>,
    /// The audience of chats.
    pub audience: Arc<Audience>,
    /// The users.
    pub users: Arc<Users>,
    /// The sessions.
    pub sessions: Arc<Sessions>,
    /// The bytes in the queues of all connections.
    pub(crate) queue_budget: QueueBudget,
    receipts: Arc<Receipts>,
    pending_presence: Arc<PendingPresence>,
    /// When it started, in monotonic time.
    started_at: u64,
    /// The `goaway` when the server stops; `None` while it runs.
    pub stopping: watch::Sender<Option<Goaway>>,
    /// The number of open connections.
    pub connections: watch::Sender<usize>,
    next_request: AtomicU64,
    held_polls: AtomicU64,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.receipts.wake();
        self.pending_presence.wake();
    }
}

/// The configuration of a node.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The settings of connections.
    pub settings: Arc<Settings>,
    /// The permissions.
    pub access: Arc<dyn Access>,
    /// The bans and revocations that `access` obeys; filled from the store.
    pub bans: Arc<Bans>,
    /// How long a leave is delayed after a lost connection, in ms.
    pub leave_grace_ms: u64,
    /// How long users who were present when the server was stopped stay listed, in ms.
    pub return_ms: u64,
}

/// A use of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Receive it, or read its log.
    Receive,
    /// Send to it, or announce typing in it.
    Send,
}

impl Node {
    /// A node without connections. Starts the commit loop, the expiry of presence, and the delayed writes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the chats cannot be read.
    pub async fn start(
        environment: Arc<dyn Environment>,
        store: Arc<dyn Database>,
        options: NodeOptions,
    ) -> Result<Arc<Self>, Error> {
        let NodeOptions { settings, access, bans, leave_grace_ms, return_ms } = options;
        let settings = Arc::new(Settings { run: store.run(), ..Settings::clone(&settings) });
        let (banned, revoked) = store.bans().await?;
        if !planted!(environment, BansNotLoaded) {
            bans.load(banned, revoked);
        }
        let chats = Arc::new(ChatRegistry::of(store.chats().await?));
        let (remember, to_remember) = mpsc::unbounded_channel();
        let (updates, chat_updates) = mpsc::unbounded_channel();
        let pending_presence = Arc::<PendingPresence>::default();
        let elsewhere = Channel::new(PRESENCE_USERS).ok();
        let hub = Arc::new(Hub::new(leave_grace_ms).with_pending(pending_presence.clone(), elsewhere));
        let audience = Arc::<Audience>::default();
        let users = Users::new(leave_grace_ms, chats.clone(), audience.clone(), hub.clone(), remember)
            .listing(settings.presence_users)
            .with_status(settings.features.has(Feature::Status));
        let users = Arc::new(users);
        let counters = Arc::<Counters>::default();
        let publisher = Publisher {
            environment: environment.clone(),
            counters: counters.clone(),
            hub: hub.clone(),
            chats: chats.clone(),
            audience: audience.clone(),
            updates,
        };
        let started_at = environment.now_ms();
        let erasing = store.erasures().await?;
        for user in &erasing {
            bans.set_erasing(user, true);
        }
        let erasures = Erasures::resume(erasing, leave_grace_ms + ERASURE_MS, started_at);
        let (sessions, receipts) = (Arc::<Sessions>::default(), Arc::<Receipts>::default());
        let forgetting =
            Forgetting { sessions: sessions.clone(), users: users.clone(), receipts: receipts.clone() };
        let commits =
            commit::start(&environment, store.clone(), bans.clone(), erasures, forgetting, publisher);
        // They are about to reconnect, so their leave is delayed.
        let (mut online, mut presence) = (store.online_users().await?, store.presence().await?);
        online.retain(|record| !bans.is_erasing(&record.user));
        presence.retain(|record| !bans.is_erasing(&record.user));
        let leaves_at = started_at + return_ms;
        users.expect(online, leaves_at);
        hub.expect_members(presence, leaves_at);
        environment.spawn(Box::pin(expire_presence(environment.clone(), hub.clone(), users.clone())));
        let node = Arc::new(Self {
            environment: environment.clone(),
            queue_budget: QueueBudget::new(settings.total_queue_bytes),
            settings,
            access,
            store,
            bans,
            chats,
            counters,
            commits,
            hub,
            audience,
            users,
            sessions,
            receipts: receipts.clone(),
            pending_presence,
            started_at,
            stopping: watch::Sender::new(None),
            connections: watch::Sender::new(0),
            next_request: AtomicU64::new(1),
            held_polls: AtomicU64::new(0),
        });
        let weak = || Arc::downgrade(&node);
        environment.spawn(Box::pin(receipts::write_marks(environment.clone(), weak(), receipts)));
        environment.spawn(Box::pin(remembering::remember(weak(), to_remember)));
        environment.spawn(Box::pin(keep_telling(weak(), chat_updates)));
        environment.spawn(Box::pin(stats::keep_logging(environment.clone(), weak())));
        Ok(node)
    }

    /// The monotonic time, for timers.
    pub fn now_ms(&self) -> u64 {
        self.environment.now_ms()
    }

    /// The wall clock, in ms since 1970.
    pub fn wall_ms(&self) -> u64 {
        self.environment.wall_ms()
    }

    /// Performs the delayed writes now. For the shutdown.
    pub async fn write_all(&self) {
        self.receipts.write(&*self.store).await;
        let (_writing, due) = self.pending_presence.take().await;
        self.write_presence(due).await;
    }

    /// Answers a request, as if a connection had made it.
    ///
    /// # Errors
    /// The refusal.
    pub async fn answer(self: &Arc<Self>, request: PendingRequest) -> Result<ServerFrame, Refusal> {
        requests::answer(self, request).await
    }

    /// Cleans up the store in steps between other writes, until nothing is left or this many steps are done: then there is more to
    /// do. `None`: it is not possible now.
    pub async fn cleanup(&self, steps: u32) -> Option<Removed> {
        let until = self.now_ms() + CLEANUP_MS;
        let mut all = Removed { more: true, ..Removed::default() };
        for step in 0..steps {
            match self.commits.cleanup().await {
                Some(Ok(removed)) => all += removed,
                // What was removed is said; whoever asks again is told of the failure.
                _ if step > 0 => break,
                Some(Err(error)) => {
                    tracing::error!(%error, "cleanup failed");
                    return None;
                }
                None => return None,
            }
            if !all.more || self.now_ms() >= until {
                break;
            }
        }
        Some(all)
    }

    /// Whether a user may use a channel: by the rules and, for a chat, as a member.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`], or the reason why the user may not use the server at all.
    pub fn permit(&self, who: &Identity, channel: &Channel, what: Use) -> Result<(), Refusal> {
        self.access.check(who, self.now_ms())?;
        let by_rules = match what {
            Use::Receive => self.access.may_subscribe(who, channel),
            Use::Send => self.access.may_send(who, channel),
        };
        if !by_rules {
            return Err(Refusal::of(ErrorCode::Forbidden));
        }
        if channel.as_str() == PRESENCE_USERS && self.settings.presence_users == PresenceUsers::Off {
            return Err(Refusal::new(ErrorCode::Forbidden, "This server does not list its users."));
        }
        let Some(chat) = self.access.chat(who, channel) else { return Ok(()) };
        if planted!(self.environment, MembersNotChecked) {
            return Ok(());
        }
        match (self.chats.role(chat, &who.user), what) {
            (Some(Role::Owner | Role::Member), _) | (Some(Role::ReadOnly), Use::Receive) => Ok(()),
            (role, _) => Err(not_for(role)),
        }
    }

    /// A connection has subscribed to its user's own channel: the user receives updates of all chats from now on.
    pub(super) fn listen(&self, user: &str) {
        if !self.settings.features.has(Feature::Chats) {
            return;
        }
        let chats = self.chats.roles_of(user);
        let chats = chats.into_iter().map(|(chat, role)| (chat, role != Role::Invited));
        self.audience.open(&user.into(), chats);
    }

    /// A connection has left a channel. If it was the last one in a user's own channel, the user receives no more updates.
    pub(super) fn stop_listening(&self, channel: &Channel) {
        if let Some(user) = owner_of(channel) {
            self.audience.close(&user, || self.hub.subscribers(channel) > 0);
        }
    }

    /// A page of the members of a channel, from the first user or after one; `None` if it does not list its members.
    pub fn members(&self, channel: &Channel, after: Option<&str>) -> Option<MemberPage> {
        if channel.as_str() == PRESENCE_USERS {
            Some(self.users.members(after))
        } else {
            self.hub.members(channel, after)
        }
    }

    /// The same, as far as a user may know of them.
    pub fn members_for(&self, channel: &Channel, user: &str, after: Option<&str>) -> Option<MemberPage> {
        if channel.as_str() == PRESENCE_USERS {
            Some(self.users.members_for(user, after))
        } else {
            self.hub.members(channel, after)
        }
    }

    /// Charges the deliveries of something ephemeral to its sender: by receivers, and by the kibibytes that each receives.
    ///
    /// # Errors
    /// [`ErrorCode::RateLimited`], and how long to wait, in ms.
    pub fn charge_deliveries(&self, ephemeral: &Ephemeral) -> Result<(), (Refusal, u32)> {
        let receivers = match ephemeral.to {
            Receiver::One(_) => 1,
            Receiver::Others | Receiver::OtherUsers => self.hub.subscribers(&ephemeral.channel),
        };
        let kib = match &ephemeral.frame {
            ServerFrame::Signalled(signal) => signal.data.text().len() / 1024,
            _ => 0,
        };
        let number = u32::try_from(receivers * (1 + kib)).unwrap_or(u32::MAX);
        let paid =
            self.access.pace(&ephemeral.who, ephemeral.session, RateClass::Deliveries(number), self.now_ms());
        paid.map_err(|ms| {
            let words =
                "Too much for so many receivers in too short a time. This was dropped; wait before the next.";
            (Refusal::new(ErrorCode::RateLimited, words), ms)
        })
    }

    /// Delivers something ephemeral.
    pub fn pass_on(&self, ephemeral: Ephemeral) {
        let from = self.sessions.connection(ephemeral.session);
        let from = from.filter(|_| !planted!(self.environment, SignalsEchoed));
        let to_all = planted!(self.environment, SignalsToAll) && matches!(ephemeral.to, Receiver::One(_));
        let to = if to_all { Receiver::Others } else { ephemeral.to };
        self.hub.pass_on(Ephemeral { to, ..ephemeral }, from);
    }

    /// A unique number for a request.
    pub fn next_request(&self) -> u64 {
        self.next_request.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of held polls.
    pub fn held_polls(&self) -> u64 {
        self.held_polls.load(Ordering::Relaxed)
    }

    /// A poll starts or ends to be held.
    pub(crate) fn poll_waits(&self, waits: bool) {
        if waits {
            self.held_polls.fetch_add(1, Ordering::Relaxed);
        } else {
            self.held_polls.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Notifies one connection when the server is about to stop.
    pub fn stop_notice(&self) -> StopNotice {
        StopNotice { stopping: self.stopping.subscribe(), given: false }
    }

    /// Counts a connection until the result is dropped.
    pub fn count_connection(self: &Arc<Self>) -> Counted {
        self.connections.send_modify(|count| *count += 1);
        Counted(self.clone())
    }
}

/// Notifies one connection, once, when the server is about to stop.
#[derive(Debug)]
pub struct StopNotice {
    stopping: watch::Receiver<Option<Goaway>>,
    given: bool,
}

impl StopNotice {
    /// Waits until the server is about to stop. Never returns a second time. Can be cancelled.
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

/// A counted connection.
#[derive(Debug)]
pub struct Counted(Arc<Node>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.send_modify(|count| *count -= 1);
    }
}

/// Removes users whose grace period is over, for as long as the process lives.
async fn expire_presence(environment: Arc<dyn Environment>, hub: Arc<Hub>, users: Arc<Users>) {
    loop {
        let now_ms = environment.now_ms();
        let at = users.expire(now_ms).into_iter().chain(hub.expire(now_ms)).min();
        let due = async {
            match at {
                Some(at) => environment.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = hub.sooner() => {}
            () = users.sooner() => {}
            () = due => {}
        }
    }
}
