//! Effects: how the outputs of one connection are carried out.

use std::sync::Arc;

use everwire_protocol::{
    Channel, CloseCode, Error, ErrorCode, Feature, OwnMark, ServerFrame, UserReceipt, Uuid, batch,
    channels::owner_of,
};
use futures_util::FutureExt as _;

use super::{Counted, Node, Use, chat_requests::MOST_CHATS, requests};
use crate::{
    connection::{
        Binding, Input, Opened, Opening, Output, Transport,
        mailbox::{MailboxMessage, MailboxReceiver, MailboxSender, mailbox},
    },
    environment::planted,
    model::{
        identity::{Identity, RateClass, Refusal},
        log::{Page, PageBounds},
        people::UserRecord,
    },
};

/// Carries out the outputs of one connection, and holds its mailbox.
#[derive(Debug)]
pub struct Effects {
    node: Arc<Node>,
    transport: Transport,
    /// The id of the connection.
    pub connection: Uuid,
    /// The sending half of the mailbox, for answers.
    pub sender: MailboxSender,
    /// The receiving half of the mailbox.
    pub mailbox: MailboxReceiver,
    session: Option<Uuid>,
    user: Option<Arc<str>>,
    /// Whether the client has ended its session for good.
    bye: bool,
    started_at: u64,
    _counted: Counted,
}

impl Effects {
    /// The effects of a new connection.
    pub fn new(node: &Arc<Node>, transport: Transport) -> Self {
        let connection = node.environment.new_id();
        let counted = node.count_connection();
        let (sender, mailbox) = mailbox(node.settings.mailbox_messages);
        #[cfg(feature = "planted")]
        let sender = if planted!(node.environment, MailboxLoses) { sender.losing() } else { sender };
        #[cfg(feature = "planted")]
        let sender = if planted!(node.environment, MailOvertaken) { sender.overtaken() } else { sender };
        Self {
            node: node.clone(),
            transport,
            connection,
            sender,
            mailbox,
            session: None,
            user: None,
            bye: false,
            started_at: node.now_ms(),
            _counted: counted,
        }
    }

    /// The user, once known.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The same, to be kept.
    pub fn user_shared(&self) -> Option<Arc<str>> {
        self.user.clone()
    }

    /// How long the connection has lived, in ms.
    pub fn age_ms(&self) -> u64 {
        self.node.now_ms() - self.started_at
    }

    /// The connection has this many bytes in its queue. If the queues of all connections exceed their budget, those of the
    /// slowest readers are given up.
    pub fn queued(&self, bytes: usize) {
        for slowest in self.node.queue_budget.set(self.node.now_ms(), self.connection, bytes) {
            tracing::warn!(connection = %slowest, "slow reader given up: too much is waiting for all of them together");
            self.node.sessions.end_connection(slowest, CloseCode::SlowConsumer);
        }
    }

    /// Carries out an output; answers arrive in the mailbox. `Send` and `Close` are the transport's own.
    pub fn perform(&mut self, output: Output) {
        match output {
            Output::Bind { session, user, name, who } => {
                self.session = Some(session);
                self.user = Some(user.clone());
                let (transport, connection) = (self.transport, self.connection);
                self.spawn(async move |node, sender| {
                    let binding =
                        bind(&node, session, &who, name.as_deref(), transport, connection, &sender).await;
                    sender.input(Input::Bound(binding));
                });
            }
            Output::UseToken(who) => {
                let token = who.token.as_ref().and_then(|token| token.id.as_ref());
                if let Some(session) = self.session {
                    self.node.sessions.set_token(session, self.connection, token);
                }
                // A revocation that came before did not find this connection.
                if self.node.access.check(&who, self.node.now_ms()).is_err() {
                    self.sender.input(Input::CheckIdentity);
                }
            }
            Output::Open { key, opening } => self.open(key, *opening),
            Output::CheckMembership { channels, who } => {
                for (channel, key) in channels {
                    if self.node.permit(&who, &channel, Use::Receive).is_err() {
                        self.sender.input(Input::Revoked { channel, key });
                    }
                }
            }
            Output::Rename { session, who, channels } => {
                if let Some(name) = &who.name {
                    self.node.users.rename(self.node.now_ms(), session, name);
                }
                for channel in channels {
                    self.node.hub.rename(&channel, self.connection, who.member());
                }
            }
            Output::Leave { channel, at_once } => {
                self.node.hub.leave(self.node.now_ms(), &channel, self.connection, at_once);
                self.node.stop_listening(&channel);
            }
            Output::Read { key, channel, who, after, bounds } => {
                // Immediately if available: a task switch would cost more than the page.
                if let Some(page) = recent(&self.node, &channel, after, bounds) {
                    return self.sender.input(Input::Page { key, channel, page: Some(page) });
                }
                self.spawn(async move |node, sender| {
                    let page = node.store.page(&channel, after, bounds).await;
                    let page = page.inspect_err(|error| tracing::error!(%error, "log not read")).ok();
                    // A user who was removed meanwhile gets nothing that was stored since.
                    let may = planted!(node.environment, SecondPermitLeftOut)
                        || node.permit(&who, &channel, Use::Receive).is_ok();
                    sender.input(Input::Page { key, channel, page: page.filter(|_| may) });
                });
            }
            Output::Append(entries) => self.node.commits.append(entries, self.sender.clone()),
            Output::ForwardToSession { session, channel } => {
                if let (None, Some(user)) = (&channel, &self.user) {
                    self.node.users.bye(self.node.now_ms(), user, session);
                }
                self.node.sessions.tell(session, MailboxMessage::Left(channel.map(Box::new)));
            }
            Output::Request(request) => self.spawn(async move |node, sender| {
                let id = request.request.id();
                let answer = requests::answer(&node, *request).await.map(Box::new);
                if planted!(node.environment, AnswersLost) && id.as_u128().is_multiple_of(4) {
                    return;
                }
                sender.input(Input::Answer { id, answer });
            }),
            Output::Ephemeral(ephemeral) => {
                let kind =
                    if matches!(ephemeral.frame, ServerFrame::UserTyping(_)) { "typing" } else { "signal" };
                let permitted = self.node.permit(&ephemeral.who, &ephemeral.channel, Use::Send);
                let unchecked = planted!(self.node.environment, SignalsUnchecked);
                let paid = if unchecked { Ok(()) } else { permitted }
                    .map_err(|refusal| (refusal, None))
                    .and_then(|()| {
                        let charged = self.node.charge_deliveries(&ephemeral);
                        charged.map_err(|(refusal, ms)| (refusal, Some(ms)))
                    });
                match paid {
                    Ok(()) => self.node.pass_on(*ephemeral),
                    Err((refusal, after)) => refuse(&self.sender, kind, &ephemeral.channel, &refusal, after),
                }
            }
            Output::Mark(mark) => self.spawn(async move |node, sender| {
                let channel = mark.channel.clone();
                if let Err(refusal) = node.hear(*mark).await {
                    refuse(&sender, "mark", &channel, &refusal, None);
                }
            }),
            Output::Idle { session, idle } => self.node.users.idle(self.node.now_ms(), session, idle),
            Output::Bye => self.bye = true,
            Output::Send(_) | Output::Close(_) => {}
        }
    }

    /// Subscribes the connection, then reads the channel. Permission is checked before the join is delivered to others, and
    /// again after everything was read: a user who is removed in between is detected here or notified by the hub.
    fn open(&self, key: u64, opening: Opening) {
        let Opening { channel, who, seen } = opening;
        if let Err(refusal) = self.node.permit(&who, &channel, Use::Receive) {
            return self.sender.input(Input::Opened { key, channel, found: Err(refusal) });
        }
        let late = planted!(self.node.environment, SubscribeAfterRead);
        let subscription = (self.connection, key);
        if !late {
            subscribe(&self.node, &channel, subscription, &self.sender, &who);
        }
        self.spawn(async move |node, sender| {
            let found = open(&node, &channel, &who, seen).await;
            if late {
                subscribe(&node, &channel, subscription, &sender, &who);
            }
            sender.input(Input::Opened { key, channel, found });
        });
    }

    /// Runs an asynchronous effect.
    fn spawn<F>(&self, work: impl FnOnce(Arc<Node>, MailboxSender) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.node.environment.spawn(Box::pin(work(self.node.clone(), self.sender.clone())));
    }
}

fn subscribe(
    node: &Node,
    channel: &Channel,
    subscription: (Uuid, u64),
    sender: &MailboxSender,
    who: &Identity,
) {
    node.hub.subscribe(channel, subscription, sender, who.member());
    if let Some(user) = owner_of(channel) {
        node.listen(&user);
    }
}

/// Tells the client that a frame for a channel was refused. The message names the channel too, for people.
fn refuse(
    mailbox: &MailboxSender,
    re: &str,
    channel: &Channel,
    refusal: &Refusal,
    retry_after_ms: Option<u32>,
) {
    let (code, message) = (refusal.code, format!("{} ({channel})", refusal.message));
    let (re, channel) = (Some(re.into()), Some(channel.clone()));
    let retry = code.retry();
    let error = Error {
        code: code.into(),
        message,
        retry,
        id: None,
        ids: Vec::new(),
        re,
        channel,
        retry_after_ms,
        versions: None,
    };
    mailbox.input(Input::Direct(batch::encode_frame(&ServerFrame::Error(error)).into()));
}

impl Drop for Effects {
    fn drop(&mut self) {
        // First, so that a `bind` in progress is either undone here or detects this.
        self.mailbox.close();
        self.queued(0);
        if let Some(session) = self.session {
            self.node.sessions.detach(session, self.connection);
            self.node.users.exit(
                (self.node.now_ms(), self.node.wall_ms()),
                session,
                self.connection,
                self.bye,
            );
        }
    }
}

/// A page of recently published entries, if the log is still the same.
fn recent(node: &Node, channel: &Channel, after: u64, bounds: PageBounds) -> Option<Page> {
    let entries = node.hub.recent(channel, after, bounds)?;
    let log = node.store.log(channel).now_or_never()?.ok()?;
    let same = entries.first().is_some_and(|first| first.epoch == log.epoch) && after >= log.trimmed;
    same.then_some(Page { log, entries })
}

/// Looks up the user of a session: in the connections of this node, then in the store. If the store is unavailable, the
/// session belongs to the first user: a server with a full disk still permits reading.
async fn bind(
    node: &Node,
    session: Uuid,
    who: &Identity,
    name: Option<&str>,
    transport: Transport,
    connection: Uuid,
    sender: &MailboxSender,
) -> Binding {
    let user = &who.user;
    let live = node.sessions.user(session);
    let known = live.is_some();
    let bound = match live {
        Some(user) => Some(user),
        None => node.store.bound_user(session).await.unwrap_or_else(|error| {
            tracing::error!(%error, "session lookup failed");
            None
        }),
    };
    if bound.as_deref().is_some_and(|bound| bound != &**user) {
        return Binding::Another;
    }
    if bound.is_none()
        && let Err(ms) = node.access.pace(who, session, RateClass::NewSession, node.now_ms())
    {
        return Binding::TooMany(ms);
    }
    if !known {
        node.commits.bind_session(session, user.clone());
    }
    if transport == Transport::Post {
        return Binding::Yours;
    }
    let stored = if node.users.knows(user) { None } else { remembered(node, user).await };
    let binding = node.sessions.attach(session, user, connection, transport, sender);
    if binding == Binding::Yours {
        node.users.enter((node.now_ms(), node.wall_ms()), (session, connection), user, name, stored.as_ref());
    }
    if sender.is_closed() {
        node.sessions.detach(session, connection);
        node.users.exit((node.now_ms(), node.wall_ms()), session, connection, false);
    }
    binding
}

async fn open(
    node: &Node,
    channel: &Channel,
    who: &Identity,
    seen: Option<(u64, Arc<str>)>,
) -> Result<Opened, Refusal> {
    let unavailable = |error| {
        tracing::error!(%error, "log not opened");
        Refusal::of(ErrorCode::Unavailable)
    };
    // Before the comparison of runs: what is stored in between may fill the place of entries that only the client has seen.
    let log = node.store.log(channel).await.map_err(unavailable)?;
    let diverged = match seen {
        Some((offset, run)) => !node.store.has_seen(channel, offset, &run).await.map_err(unavailable)?,
        None => false,
    };
    let receipts = node.marks(channel, &who.user, None).await?;
    let own_mark = match &receipts {
        Some(_) => node.mark(channel, &who.user).await.map_err(requests::unavailable)?,
        None => None,
    };
    let own_mark = own_mark.map(|UserReceipt { delivered, read, .. }| OwnMark { delivered, read });
    // Read after the hub knows the subscription: later changes follow.
    let chats = match owner_of(channel).filter(|_| node.settings.features.has(Feature::Chats)) {
        Some(user) => {
            let latest = node.latest_chats(&user, None, MOST_CHATS).await;
            Some(latest.map_err(requests::unavailable)?)
        }
        None => None,
    };
    let members = node.members_for(channel, &who.user, None);
    if !planted!(node.environment, SecondPermitLeftOut) {
        node.permit(who, channel, Use::Receive)?;
    }
    Ok(Opened { log, diverged, members, own_mark, receipts, chats })
}

/// The stored data of a user. If it cannot be read, the user is treated as unknown.
async fn remembered(node: &Node, user: &str) -> Option<UserRecord> {
    let people = node.store.users(&[user.to_owned()]).await;
    people.inspect_err(|error| tracing::error!(%error, "user lookup failed")).ok()?.pop()
}
