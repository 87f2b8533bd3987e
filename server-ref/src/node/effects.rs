//! One connection's end towards the rest of the server: how the outputs of its session are carried out.

use std::{sync::Arc, time::Instant};

use everwire_protocol::{Channel, Error, ErrorCode, ServerFrame, Uuid, batch};
use futures_util::FutureExt as _;

use super::{Counted, Node, Use, requests};
use crate::{
    connection::{
        Binding, Input, Opened, Opening, Output, Transport,
        mailbox::{Inbox, Letters, Mail, inbox},
    },
    model::{
        channels::owner,
        identity::{Identity, Refusal},
        log::{Page, PageBounds},
        people::Person,
    },
};

/// Most chats that a subscription to a user's own channel begins with.
const LISTED: usize = 100;

/// One connection's end towards the rest of the server: carries out what its session asks for.
#[derive(Debug)]
pub struct Link {
    node: Arc<Node>,
    transport: Transport,
    /// The connection's id.
    pub connection: Uuid,
    /// Where answers are put.
    pub inbox: Inbox,
    /// Where they are taken out.
    pub letters: Letters,
    session: Option<Uuid>,
    user: Option<Arc<str>>,
    /// Whether the client has ended its session for good.
    bye: bool,
    started: Instant,
    _counted: Counted,
}

impl Link {
    /// A link for a new connection.
    pub fn new(node: &Arc<Node>, transport: Transport) -> Self {
        let connection = Uuid::new_v4();
        let counted = node.count_connection();
        let (inbox, letters) = inbox();
        Self {
            node: node.clone(),
            transport,
            connection,
            inbox,
            letters,
            session: None,
            user: None,
            bye: false,
            started: Instant::now(),
            _counted: counted,
        }
    }

    /// How long the connection has lived, in ms.
    pub fn age_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// Carries out an output; answers arrive in the inbox. `Send` and `Close` are the transport's own.
    pub fn perform(&mut self, output: Output) {
        match output {
            Output::Bind { session, user, name } => {
                self.session = Some(session);
                self.user = Some(user.clone());
                let (node, transport, connection, inbox) =
                    (self.node.clone(), self.transport, self.connection, self.inbox.clone());
                tokio::spawn(async move {
                    let binding =
                        bind(&node, session, &user, name.as_deref(), transport, connection, &inbox).await;
                    inbox.input(Input::Bound(binding));
                });
            }
            Output::Open { key, opening } => {
                let Opening { channel, who } = *opening;
                // Before the hub tells others that somebody is here, and once more when everything has been read: who is
                // removed in between is either seen here or told by the hub.
                if let Err(refusal) = self.node.permit(&who, &channel, Use::Receive) {
                    return self.inbox.input(Input::Opened { key, channel, found: Err(refusal) });
                }
                self.node.hub.subscribe(&channel, self.connection, &self.inbox, who.member());
                let (node, inbox) = (self.node.clone(), self.inbox.clone());
                tokio::spawn(async move {
                    let found = open(&node, &channel, &who).await;
                    inbox.input(Input::Opened { key, channel, found });
                });
            }
            Output::Leave { channel, at_once } => {
                self.node.hub.leave(self.node.clock.now_ms(), &channel, self.connection, at_once);
            }
            Output::Read { key, channel, who, after, bounds } => {
                // At once if it can be had at once: each switch of tasks would cost more than the page.
                if let Some(page) = recent(&self.node, &channel, after, bounds) {
                    return self.inbox.input(Input::Page { key, channel, page: Some(page) });
                }
                let (node, inbox) = (self.node.clone(), self.inbox.clone());
                tokio::spawn(async move {
                    let page = node.store.page(&channel, after, bounds).await;
                    let page =
                        page.inspect_err(|error| tracing::error!(%error, "a log could not be read")).ok();
                    // Who was removed meanwhile is about to be told so. What was stored since is not for them.
                    let page = page.filter(|_| node.permit(&who, &channel, Use::Receive).is_ok());
                    inbox.input(Input::Page { key, channel, page });
                });
            }
            Output::Append(entries) => self.node.writer.append(entries, self.inbox.clone()),
            Output::Elsewhere { session, channel } => {
                if let (None, Some(user)) = (&channel, &self.user) {
                    self.node.users.bye(self.node.clock.now_ms(), user, session);
                }
                self.node.sessions.tell(session, Mail::Left(channel.map(Box::new)));
            }
            Output::Ask(asked) => {
                let (node, inbox) = (self.node.clone(), self.inbox.clone());
                tokio::spawn(async move {
                    let id = asked.id;
                    let answer = requests::answer(&node, *asked).await.map(Box::new);
                    inbox.input(Input::Answer { id, answer });
                });
            }
            Output::Ephemeral(ephemeral) => {
                match self.node.permit(&ephemeral.who, &ephemeral.channel, Use::Send) {
                    Ok(()) => self.node.pass_on(*ephemeral),
                    Err(refusal) => refuse(&self.inbox, &ephemeral.channel, &refusal),
                }
            }
            Output::Mark(receipt) => {
                let (node, inbox, channel) = (self.node.clone(), self.inbox.clone(), receipt.channel.clone());
                tokio::spawn(async move {
                    if let Err(refusal) = node.hear(*receipt).await {
                        refuse(&inbox, &channel, &refusal);
                    }
                });
            }
            Output::Idle { session, idle } => self.node.users.idle(session, idle),
            Output::Bye => self.bye = true,
            Output::Send(_) | Output::Close(_) => {}
        }
    }
}

/// Something that is answered only if it may not be. Only the sentence names the channel: an error with the field `channel`
/// is the end of a subscription.
fn refuse(inbox: &Inbox, channel: &Channel, refusal: &Refusal) {
    let (code, message) = (refusal.code, format!("{} ({channel})", refusal.message));
    let error = Error { code, message, retry: code.retry(), id: None, channel: None, retry_after_ms: None };
    inbox.input(Input::Direct(batch::encode_frame(&ServerFrame::Error(error)).into()));
}

impl Drop for Link {
    fn drop(&mut self) {
        // First, so that a `bind` that is still under way either is undone here or notices by itself.
        self.letters.close();
        if let Some(session) = self.session {
            self.node.sessions.detach(session, self.connection);
            self.node.users.exit(self.node.clock.now_ms(), session, self.connection, self.bye);
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
    name: Option<&str>,
    transport: Transport,
    connection: Uuid,
    inbox: &Inbox,
) -> Binding {
    let live = node.sessions.user(session);
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
    if transport == Transport::Post {
        return Binding::Yours;
    }
    let stored = if node.users.knows(user) { None } else { remembered(node, user).await };
    let binding = node.sessions.attach(session, user, connection, transport, inbox);
    if binding == Binding::Yours {
        let now_ms = node.clock.now_ms();
        node.users.enter(now_ms, (session, connection), user, name, stored.as_ref());
    }
    if inbox.is_closed() {
        node.sessions.detach(session, connection);
        node.users.exit(node.clock.now_ms(), session, connection, false);
    }
    binding
}

async fn open(node: &Node, channel: &Channel, who: &Identity) -> Result<Opened, Refusal> {
    let log = node.store.log(channel).await.map_err(|error| {
        tracing::error!(%error, "a log could not be opened");
        Refusal::of(ErrorCode::Unavailable)
    })?;
    let receipts = node.marks(channel, &who.user).await?;
    // Read after the hub knows of the subscription: what changes meanwhile follows.
    let chats = match owner(channel) {
        Some(user) => Some(node.list_chats(user, None, LISTED).await.map_err(requests::unavailable)?.0),
        None => None,
    };
    // Once more, and after everything else: who is removed in between is seen here or told by the hub.
    node.permit(who, channel, Use::Receive)?;
    Ok(Opened { members: node.members(channel), receipts, chats, ..Opened::bare(log) })
}

/// What is remembered of a user. If that cannot be read, the user is let in as one of whom nothing is.
async fn remembered(node: &Node, user: &str) -> Option<Person> {
    let people = node.directory.people(&[user.to_owned()]).await;
    people.inspect_err(|error| tracing::error!(%error, "a user could not be looked up")).ok()?.pop()
}
