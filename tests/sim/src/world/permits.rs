//! A user is removed from a chat while a connection of theirs reads it, on the real node: nothing that was stored after the removal
//! may reach the connection.

use std::sync::{Arc, Mutex, PoisonError};

use everwire_protocol::{
    Channel, ChatKind, CreateChat, Guest, Hello, JoinChat, Payload, RemoveMember, Request, Subscribe, Uuid,
};
use everwire_server::{
    connection::{
        Connection, Input, Output, PendingRequest, Settings, Transport,
        mailbox::{MailboxMessage, mailbox},
    },
    environment::Environment as _,
    model::{
        identity::{Identity, Payer},
        log::{NewEntry, PageBounds, SendPermission},
    },
    node::{Effects, Node, NodeOptions},
};

use super::{EPOCH, access::SimAccess, store::SharedStore};
use crate::{
    executor::{Clock, Executor},
    mutants::Mutant,
    rng::Rng,
};

/// The data of entries that are stored after the removal.
const SECRET: &str = "secret";
/// How many ms are looked at.
const MS: u64 = 40;

/// One node, and the time.
pub(super) struct Scene {
    pub(super) clock: Clock,
    pub(super) executor: Executor,
    pub(super) store: SharedStore,
    pub(super) node: Arc<Node>,
}

impl Scene {
    pub(super) fn new(rng: &mut Rng, mutant: Option<Mutant>) -> Option<Self> {
        let clock = Clock::new(EPOCH);
        let planted = mutant.and_then(Mutant::of_server);
        let mut executor = Executor::new(clock.clone(), 1 << 100, planted, rng.fork(1));
        let environment = executor.environment().clone();
        let store = SharedStore::new(10_000, 0, rng.fork(2), None);
        let database = Arc::new(store.of(0, &environment));
        let (settings, access) = (Arc::new(Settings::default()), Arc::new(SimAccess));
        let options =
            NodeOptions { settings, access, bans: Arc::default(), leave_grace_ms: 10_000, return_ms: 10_000 };
        let on = Arc::new(environment);
        let node =
            finish(&mut executor, &clock, async move { Node::start(on, database, options).await.ok() })??;
        Some(Self { clock, executor, store, node })
    }

    pub(super) fn ask(&mut self, user: &str, request: Request) -> bool {
        let (node, request) = (self.node.clone(), pending(user, request));
        let answer =
            finish(&mut self.executor, &self.clock, async move { node.answer(request).await.is_ok() });
        answer.unwrap_or(false)
    }

    /// Hands entries of the owner to the commit loop.
    fn send(&self, channel: &Channel, first: u128, count: u128, data: &str) {
        let Ok(data) = Payload::from_value(&data) else { return };
        let entry = |n| NewEntry {
            id: Uuid::from_u128(n),
            channel: channel.clone(),
            user: "owner".into(),
            name: None,
            event: None,
            data: data.clone(),
            action: None,
            target: None,
            permission: SendPermission::AsMember,
        };
        let (reply, _answers) = mailbox(16);
        self.node.commits.append((first..first + count).map(entry).collect(), reply);
    }

    /// Lets this many ms pass.
    pub(super) fn pass(&mut self, ms: u64) {
        for _ in 0..ms {
            let _ = self.executor.run();
            self.clock.set(self.clock.now_ms() + 1);
        }
    }
}

/// Runs something to its end.
pub(super) fn finish<T: Send + 'static>(
    executor: &mut Executor,
    clock: &Clock,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let result = Arc::new(Mutex::new(None));
    let there = result.clone();
    executor.environment().spawn(Box::pin(async move {
        let done = work.await;
        *there.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    }));
    for _ in 0..10_000 {
        executor.run().ok()?;
        if let Some(done) = result.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Some(done);
        }
        clock.set(clock.now_ms() + 1);
    }
    None
}

fn pending(user: &str, request: Request) -> PendingRequest {
    let who = Identity {
        user: user.into(),
        name: Some(user.into()),
        grants: Arc::default(),
        expires_at: None,
        token: None,
        payer: Payer::User(user.into()),
    };
    PendingRequest { request, who }
}

/// Whether a removed user gets what was stored after the removal; `None` if the scene could not be set.
pub fn leaks(seed: u64, mutant: Option<Mutant>) -> Option<bool> {
    let mut rng = Rng::new(seed);
    let mut scene = Scene::new(&mut rng, mutant)?;
    let chat = Uuid::from_u128(0x7000_8000_0000_0000_0001);
    let name = chat.hyphenated().to_string();
    let channel: Channel = format!("private-chat.{name}").parse().ok()?;
    let group = CreateChat {
        id: chat,
        kind: ChatKind::Group,
        title: Some("Room".into()),
        open: Some(true),
        users: Vec::new(),
    };
    let joins = JoinChat { id: Uuid::from_u128(2), chat: name.clone() };
    if !scene.ask("owner", group.into()) || !scene.ask("guest", joins.into()) {
        return None;
    }
    scene.send(&channel, 100, 20, "hello");
    scene.pass(20);
    let before = scene.store.data().logs.log(&channel).head;

    let settings = Arc::new(Settings::default());
    let mut effects = Effects::new(&scene.node, Transport::WebSocket);
    let connection = effects.connection;
    let now = scene.clock.now_ms();
    let mut guest = Connection::new(now, Transport::WebSocket, connection, settings, Arc::new(SimAccess));
    let (subscribes, removes, sends) = (rng.between(0, 12), rng.between(5, 20), rng.between(0, 6));
    let mut got = String::new();
    guest.handle(now, Input::Writable);
    let hello = Hello {
        version: everwire_protocol::VERSION,
        versions: None,
        features: None,
        session: Uuid::from_u128(9),
        token: None,
        guest: Some(Guest { user: "guest".into(), name: "guest".into() }),
        client: None,
    };
    guest.handle(now, Input::Batch(Ok(vec![Ok(hello.into())])));
    for ms in 0..MS {
        let now = scene.clock.now_ms();
        if ms == subscribes {
            let (channel, recent) = (channel.clone(), Some(500));
            let subscribe =
                Subscribe { channel, epoch: None, offset: None, run: None, recent, undelivered: None };
            guest.handle(now, Input::Batch(Ok(vec![Ok(subscribe.into())])));
        }
        if ms == removes {
            let (node, chat) = (scene.node.clone(), name.clone());
            let removal = RemoveMember { id: Uuid::from_u128(3), chat, user: "guest".into() };
            let request = pending("owner", removal.into());
            scene.executor.environment().spawn(Box::pin(async move {
                let _ = node.answer(request).await;
            }));
        }
        if ms >= removes && ms <= removes + sends {
            scene.send(&channel, 1_000 + u128::from(ms) * 10, 2, SECRET);
        }
        loop {
            let ran = scene.executor.run().ok()?;
            let message = effects.mailbox.try_take();
            let busy = ran || message.is_some();
            if let Some(Ok(input)) = message.map(MailboxMessage::into_input) {
                guest.handle(now, input);
            }
            // After each message: a connection may run between any two.
            while let Some(output) = guest.poll_output() {
                match output {
                    Output::Send(frames) => {
                        got.extend(frames.iter().map(|frame| &**frame));
                        guest.handle(now, Input::Writable);
                    }
                    output => effects.perform(output),
                }
            }
            if !busy {
                break;
            }
        }
        scene.clock.set(now + 1);
    }
    let bounds = PageBounds { entries: u32::MAX, bytes: usize::MAX };
    let after = scene.store.data().logs.page(&channel, before, bounds).entries;
    let removal = after.iter().find(|entry| !entry.text.contains(SECRET))?.offset;
    Some(after.iter().any(|entry| {
        entry.offset > removal
            && entry.text.contains(SECRET)
            && got.contains(&format!("\"offset\":{},", entry.offset))
    }))
}
