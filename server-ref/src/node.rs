//! What all connections of this process share, and how the outputs of their sessions are carried out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use everwire_protocol::{Channel, Goaway, Uuid};
use futures_util::FutureExt as _;
use tokio::sync::watch;

use crate::{
    auth::Access,
    clock::Clock,
    hub::{
        Hub,
        inbox::{Inbox, Letters, Mail, inbox},
    },
    session::{Binding, Carrier, Input, Opened, Output, Settings},
    store::{Page, PageBounds, Store, writer::Writer},
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
    /// Where things to be written are handed in.
    pub writer: Writer,
    /// Who receives what.
    pub hub: Arc<Hub>,
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

impl Node {
    /// A node without connections. Starts the writer and the clock of presence.
    pub fn start(
        settings: Arc<Settings>,
        access: Arc<dyn Access>,
        store: Arc<dyn Store>,
        leave_grace_ms: u64,
    ) -> Arc<Self> {
        let hub = Arc::new(Hub::new(leave_grace_ms));
        let writer = Writer::start(store.clone(), hub.clone());
        let clock = Clock::start();
        tokio::spawn(expire_presence(hub.clone(), clock));
        Arc::new(Self {
            settings,
            access,
            store,
            writer,
            hub,
            clock,
            stopping: watch::Sender::new(None),
            connections: watch::Sender::new(0),
            next_request: AtomicU64::new(1),
            held_polls: AtomicU64::new(0),
        })
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

async fn expire_presence(hub: Arc<Hub>, clock: Clock) {
    loop {
        match hub.expire(clock.now_ms()) {
            Some(at) => {
                let at = tokio::time::Instant::from_std(clock.instant(at));
                tokio::select! {
                    () = hub.sooner() => {}
                    () = tokio::time::sleep_until(at) => {}
                }
            }
            None => hub.sooner().await,
        }
    }
}

/// One connection's end towards the rest of the server: carries out what its session asks for.
#[derive(Debug)]
pub struct Link {
    node: Arc<Node>,
    carrier: Carrier,
    /// The connection's id.
    pub connection: Uuid,
    /// Where answers are put.
    pub inbox: Inbox,
    /// Where they are taken out.
    pub letters: Letters,
    session: Option<Uuid>,
    started: Instant,
    _counted: Counted,
}

impl Link {
    /// A link for a new connection.
    pub fn new(node: &Arc<Node>, carrier: Carrier) -> Self {
        let connection = Uuid::new_v4();
        let counted = node.count_connection();
        let (inbox, letters) = inbox();
        Self {
            node: node.clone(),
            carrier,
            connection,
            inbox,
            letters,
            session: None,
            started: Instant::now(),
            _counted: counted,
        }
    }

    /// How long the connection has lived, in ms.
    pub fn age_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// Carries out an output; answers arrive in the inbox. `Send` and `Close` are the carrier's own.
    pub fn perform(&mut self, output: Output) {
        match output {
            Output::Bind { session, user } => {
                self.session = Some(session);
                let (node, carrier, connection, inbox) =
                    (self.node.clone(), self.carrier, self.connection, self.inbox.clone());
                tokio::spawn(async move {
                    let binding = bind(&node, session, &user, carrier, connection, &inbox).await;
                    inbox.input(Input::Bound(binding));
                });
            }
            Output::Open { key, channel, member } => {
                let (node, inbox) = (self.node.clone(), self.inbox.clone());
                node.hub.subscribe(&channel, self.connection, &inbox, member);
                tokio::spawn(async move {
                    let log = node.store.log(&channel).await;
                    let log =
                        log.inspect_err(|error| tracing::error!(%error, "a log could not be opened")).ok();
                    let found = log.map(|log| Opened { log, members: node.hub.members(&channel) });
                    inbox.input(Input::Opened { key, channel, found });
                });
            }
            Output::Leave { channel, at_once } => {
                self.node.hub.leave(self.node.clock.now_ms(), &channel, self.connection, at_once);
            }
            Output::Read { key, channel, after, bounds } => {
                // At once if it can be had at once: each switch of tasks would cost more than the page.
                if let Some(page) = recent(&self.node, &channel, after, bounds) {
                    return self.inbox.input(Input::Page { key, channel, page: Some(page) });
                }
                let (node, inbox) = (self.node.clone(), self.inbox.clone());
                tokio::spawn(async move {
                    let page = node.store.page(&channel, after, bounds).await;
                    let page =
                        page.inspect_err(|error| tracing::error!(%error, "a log could not be read")).ok();
                    inbox.input(Input::Page { key, channel, page });
                });
            }
            Output::Append(entries) => self.node.writer.append(entries, self.inbox.clone()),
            Output::Elsewhere { session, channel } => {
                self.node.hub.sessions.tell(session, Mail::Left(channel.map(Box::new)));
            }
            Output::Send(_) | Output::Close(_) => {}
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // First, so that a `bind` that is still under way either is undone here or notices by itself.
        self.letters.close();
        if let Some(session) = self.session {
            self.node.hub.sessions.detach(session, self.connection);
        }
    }
}

/// A page of what was handed out a short while ago, if the log is still the same.
fn recent(node: &Node, channel: &Channel, after: u64, bounds: PageBounds) -> Option<Page> {
    let entries = node.hub.recent(channel, after, bounds)?;
    let log = node.store.log(channel).now_or_never()?.ok()?;
    let same = entries.first().is_some_and(|first| first.epoch == log.epoch) && after >= log.trimmed;
    same.then_some(Page { log, entries })
}

/// Finds out whose a session is: from the connections of this node, then from the store. If the store cannot say, the
/// session is the user's who comes first: a server with a full disk still lets people read.
async fn bind(
    node: &Node,
    session: Uuid,
    user: &Arc<str>,
    carrier: Carrier,
    connection: Uuid,
    inbox: &Inbox,
) -> Binding {
    let live = node.hub.sessions.user(session);
    let known = live.is_some();
    let bound = match live {
        Some(user) => Some(user),
        None => node.store.bound_user(session).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a session could not be looked up");
            None
        }),
    };
    if bound.as_deref().is_some_and(|bound| bound != &**user) {
        return Binding::Another;
    }
    if !known {
        node.writer.bind(session, user.clone());
    }
    if carrier == Carrier::Post {
        return Binding::Yours;
    }
    let binding = node.hub.sessions.attach(session, user, connection, carrier, inbox);
    if inbox.is_closed() {
        node.hub.sessions.detach(session, connection);
    }
    binding
}
