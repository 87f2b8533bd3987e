//! What every store of logs and chats has to do: the same operations, drawn at random, on SQLite and on the logs and chats in memory
//! that tests and the simulation build their stores from. Both have to answer alike.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use everwire_protocol::{
    Action, CHAT_EVENT, ChatAction, ChatChange, ChatKind, ErrorCode, Payload, Role, Uuid,
    channels::messages_channel,
};
use everwire_server::{
    chats::{Actor, Bounds, ChatRegistry, Command, Decision, Newcomer, decide},
    model::{
        chat::Room,
        identity::Refusal,
        log::{NewEntry, Outcome, Page, PageBounds, SendPermission},
    },
    store::{
        Store,
        chats::{ChatStore as _, ChatWrite},
        erasure::{ErasureStore as _, Place},
        memory::{Chats, Logs},
        sqlite::SqliteStore,
    },
};
use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestRunner};

use super::kit::channel;

const USERS: [&str; 3] = ["ann", "bob", ""];
const CHANNELS: [&str; 3] = ["news", "private-chat.7", "private-user.ann"];

#[derive(Debug, Clone)]
enum Op {
    Append(Vec<NewEntry>),
    /// The store is opened again, which begins a run.
    Reopen,
    Erase(&'static str),
    Bind(Uuid, &'static str),
    /// Changes of chats in one transaction, as far as the rules permit them: the number of each chat, who changes it, and how.
    Change(Vec<(u128, Actor, Command)>),
    Delete(u128),
}

/// Users of chats: those who are erased among them.
const MEMBERS: [&str; 4] = ["ann", "bob", "cyd", "dan"];

/// The ids of chats.
const CHATS: std::ops::Range<u128> = 20..23;

fn chat_id(chat: u128) -> String {
    Uuid::from_u128(chat).hyphenated().to_string()
}

fn command() -> impl Strategy<Value = (u128, Actor, Command)> {
    let user = || select(&MEMBERS[..]).prop_map(Arc::<str>::from);
    let name = || select(vec![None, Some("Name")]).prop_map(|name| name.map(Arc::<str>::from));
    let role = || select(vec![Role::Owner, Role::Member, Role::ReadOnly]);
    let newcomer = || (user(), name()).prop_map(|(user, name)| Newcomer { user, name, role: None });
    let actor = prop_oneof![
        6 => (user(), name()).prop_map(|(user, name)| Actor::User { user, name }),
        1 => Just(Actor::BackEnd),
    ];
    let create = (vec(newcomer(), 0..4), any::<bool>()).prop_map(|(users, open)| Command::Create {
        id: Uuid::nil(),
        kind: ChatKind::Group,
        title: open.then(|| "Open".into()),
        open,
        users,
    });
    let invite = (user(), name(), role());
    let command = prop_oneof![
        2 => create,
        4 => invite.prop_map(|(user, name, role)| Command::Invite { user, name, role }),
        1 => newcomer().prop_map(Command::Add),
        2 => Just(Command::Join),
        2 => Just(Command::Leave),
        1 => user().prop_map(|user| Command::Remove { user }),
        1 => (user(), role()).prop_map(|(user, role)| Command::SetRole { user, role }),
        1 => select(vec!["A", "B"]).prop_map(|title| Command::Rename { title: title.into() }),
    ];
    (CHATS, actor, command).prop_map(|(chat, actor, command)| match command {
        Command::Create { kind, title, open, users, .. } => {
            (chat, actor, Command::Create { id: Uuid::from_u128(chat), kind, title, open, users })
        }
        command => (chat, actor, command),
    })
}

/// Few ids, so that they are used again.
fn id() -> impl Strategy<Value = Uuid> {
    (1..12_u128).prop_map(Uuid::from_u128)
}

fn permission() -> impl Strategy<Value = SendPermission> {
    let refused = SendPermission::Refused(Refusal::new(ErrorCode::Forbidden, "no"));
    select(vec![
        SendPermission::Granted,
        SendPermission::Server,
        SendPermission::Member,
        SendPermission::Owner,
        SendPermission::AsMember,
        refused,
    ])
}

fn entry() -> impl Strategy<Value = NewEntry> {
    let action = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Action::Reply)),
        2 => Just(Some(Action::Edit)),
        1 => Just(Some(Action::Delete)),
    ];
    let event = prop_oneof![
        4 => Just(None),
        1 => Just(Some("notification".to_owned())),
        1 => Just(Some("typo".to_owned())),
        1 => Just(Some(CHAT_EVENT.to_owned())),
    ];
    let names = (select(&CHANNELS[..]), select(&USERS[..]), select(vec![None, Some("Name")]));
    (id(), names, event, action, id(), 0..100_u32, permission()).prop_map(
        |(id, (name, user, shown), event, action, target, number, permission)| {
            let about = ChatChange { user: Some("ann".into()), ..change(ChatAction::Joined) };
            let data = match (action, event.as_deref()) {
                (Some(Action::Delete), _) => Payload::from_value(&()),
                (_, Some(CHAT_EVENT)) => Payload::from_value(&about),
                _ => Payload::from_value(&number),
            };
            NewEntry {
                id,
                channel: channel(name),
                user: user.into(),
                name: shown.map(Into::into),
                event,
                data: data.unwrap(),
                target: action.map(|_| target),
                action,
                permission,
            }
        },
    )
}

fn change(action: ChatAction) -> ChatChange {
    ChatChange { action, user: None, name: None, role: None, title: None }
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        12 => vec(entry(), 1..8).prop_map(Op::Append),
        16 => vec(command(), 1..4).prop_map(Op::Change),
        1 => CHATS.prop_map(Op::Delete),
        1 => Just(Op::Reopen),
        1 => select(&USERS[..2]).prop_map(Op::Erase),
        1 => (id(), select(&USERS[..2])).prop_map(|(session, user)| Op::Bind(session, user)),
    ];
    vec(op, 1..30)
}

/// An outcome without the epoch, which is another one in each store.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Stored(place) => format!("stored {} {}", place.offset, place.at),
        Outcome::Rewrote(place, offsets) => format!("rewrote {} {} {offsets:?}", place.offset, place.at),
        Outcome::Copy(place) => format!("copy {} {}", place.offset, place.at),
        Outcome::IdReused => "id reused".into(),
        Outcome::Refused(refusal) => format!("refused {} {}", refusal.code.as_str(), refusal.message),
    }
}

/// A page without the epoch.
fn read(page: &Page) -> Vec<String> {
    let log = format!("head {}, trimmed {}", page.log.head, page.log.trimmed);
    let entries = page.entries.iter().map(|entry| {
        assert_eq!(entry.epoch, page.log.epoch);
        format!("{} {} {} {}", entry.offset, entry.at, entry.plain, entry.text)
    });
    std::iter::once(log).chain(entries).collect()
}

/// Both stores, and the tags of their runs.
struct Stores {
    directory: tempfile::TempDir,
    sqlite: SqliteStore,
    memory: Logs,
    chats: Chats,
    runs: Vec<(Arc<str>, Arc<str>)>,
    /// Counts the entries about chats.
    changes: u128,
    /// How many open invitations by users the chats have had, to see that they are tested.
    invitations: usize,
}

impl Stores {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(&directory.path().join("everwire.db"), 1_000).await.unwrap();
        let memory = Logs::new(1, 1_000);
        let runs = vec![(sqlite.run(), memory.run())];
        Self { directory, sqlite, memory, chats: Chats::default(), runs, changes: 0, invitations: 0 }
    }

    async fn perform(&mut self, at: u64, op: &Op) {
        match op {
            Op::Append(entries) => {
                let sqlite = self.sqlite.append(at, entries).await.unwrap();
                let (memory, stored) = self.memory.append(at, entries);
                assert_eq!(
                    sqlite.iter().map(said).collect::<Vec<_>>(),
                    memory.iter().map(said).collect::<Vec<_>>()
                );
                assert_eq!(stored.len(), memory.iter().filter(|outcome| outcome.stored().is_some()).count());
            }
            Op::Reopen => {
                self.sqlite.close().await.unwrap();
                let other = tempfile::tempdir().unwrap();
                // The lock of a file is free when its store is gone.
                let unused = SqliteStore::open(&other.path().join("unused.db"), 1).await.unwrap();
                drop(std::mem::replace(&mut self.sqlite, unused));
                let path = self.directory.path().join("everwire.db");
                self.sqlite = SqliteStore::open(&path, 1_000).await.unwrap();
                self.memory.begin_run(format!("run {}", self.runs.len()).into());
                self.runs.push((self.sqlite.run(), self.memory.run()));
            }
            Op::Erase(user) => {
                let mut from = Some(Place::default());
                while let Some(place) = from {
                    from = self.sqlite.erase_some(at, user, place, &|_, _| None).await.unwrap().next;
                }
                // Removed entries are gone at once, or in steps.
                while self.sqlite.cleanup(at).await.unwrap().more {}
                self.memory.erase(at, user, &|_, _| None);
                self.chats.forget_inviter(user);
            }
            Op::Change(commands) => self.change(at, commands).await,
            Op::Delete(chat) => {
                if let Some(known) = self.chats.get(&chat_id(*chat), &self.memory) {
                    self.sqlite.delete_chat(&known.room).await.unwrap();
                    // Removed entries are gone at once, or in steps.
                    while self.sqlite.cleanup(at).await.unwrap().more {}
                    self.chats.remove(&known.room.id);
                    self.memory.empty(&known.room.log().unwrap());
                }
            }
            Op::Bind(session, user) => {
                self.sqlite.bind_sessions(at, &[(*session, (*user).into())]).await.unwrap();
                self.memory.bind(*session, (*user).into());
            }
        }
    }

    /// What the rules permit of these changes, each of another chat.
    async fn change(&mut self, at: u64, commands: &[(u128, Actor, Command)]) {
        let mut changed: Vec<(Option<Arc<Room>>, Room, Vec<NewEntry>)> = Vec::new();
        for (chat, actor, command) in commands {
            let id = chat_id(*chat);
            if changed.iter().any(|(_, after, _)| *after.id == *id) {
                continue;
            }
            let before = self.chats.get(&id, &self.memory).map(|record| record.room);
            let bounds = Bounds { participants: 4 };
            let Ok(Decision::Changed(change)) = decide(before.as_deref(), actor, command, bounds, at) else {
                continue;
            };
            let user = match actor {
                Actor::User { user, .. } => user.clone(),
                Actor::BackEnd => Arc::default(),
            };
            let entries = change.entries.iter().map(|about| {
                self.changes += 1;
                NewEntry {
                    id: Uuid::from_u128(1_000 + self.changes),
                    channel: change.room.log().unwrap(),
                    user: user.clone(),
                    name: None,
                    event: Some(CHAT_EVENT.into()),
                    data: Payload::from_value(about).unwrap(),
                    target: None,
                    action: None,
                    permission: SendPermission::Server,
                }
            });
            let entries = entries.collect();
            changed.push((before, change.room, entries));
        }
        let writes: Vec<_> = changed
            .iter()
            .map(|(before, after, entries)| ChatWrite { before: before.as_deref(), after, entries })
            .collect();
        let outcomes = self.sqlite.change_chats(at, &writes).await.unwrap();
        for ((_, after, entries), outcomes) in changed.into_iter().zip(outcomes) {
            let (memory, _) = self.memory.append(at, &entries);
            assert_eq!(
                outcomes.iter().map(said).collect::<Vec<_>>(),
                memory.iter().map(said).collect::<Vec<_>>()
            );
            self.chats.put(Arc::new(after));
        }
    }

    /// The chats are the same, with the order of their members, who has invited them, and the open invitations that follow from it.
    async fn compare_chats(&mut self) {
        let (mut sqlite, memory) = (self.sqlite.chats().await.unwrap(), self.chats.all(&self.memory));
        sqlite.sort_by(|a, b| a.room.id.cmp(&b.room.id));
        assert_eq!(sqlite, memory);
        for chat in CHATS {
            let id = chat_id(chat);
            assert_eq!(self.sqlite.chat(&id).await.unwrap(), self.chats.get(&id, &self.memory));
        }
        let registry = ChatRegistry::of(sqlite);
        for inviter in MEMBERS {
            for user in MEMBERS {
                let is_open = |room: &&Arc<Room>| {
                    room.participant(user).is_some_and(|found| {
                        found.role == Role::Invited && found.invited_by.as_deref() == Some(inviter)
                    })
                };
                let open = self.chats.rooms().filter(is_open).count();
                assert_eq!(registry.invitations_by(inviter, user), open, "{inviter} has invited {user}");
                self.invitations += open;
            }
        }
        for participant in self.chats.rooms().flat_map(|room| &room.participants) {
            assert!(participant.invited_by.is_none() || !participant.is_member(), "{participant:?}");
        }
    }

    /// Everything that can be read is the same.
    async fn compare(&mut self) {
        self.compare_chats().await;
        let logs = CHATS.map(|chat| messages_channel(&chat_id(chat)).unwrap());
        for name in CHANNELS.map(channel).into_iter().chain(logs) {
            for (after, bounds) in [
                (0, PageBounds { entries: 1_000, bytes: usize::MAX }),
                (1, PageBounds { entries: 2, bytes: usize::MAX }),
                (0, PageBounds { entries: 1_000, bytes: 400 }),
            ] {
                let sqlite = self.sqlite.page(&name, after, bounds).await.unwrap();
                assert_eq!(read(&sqlite), read(&self.memory.page(&name, after, bounds)), "{name} {bounds:?}");
            }
            let log = self.memory.log(&name);
            // Before that nothing is left that could be another history.
            for offset in log.trimmed..=log.head + 1 {
                for (sqlite, memory) in &self.runs {
                    assert_eq!(
                        self.sqlite.has_seen(&name, offset, sqlite).await.unwrap(),
                        self.memory.has_seen(&name, offset, memory),
                        "{name} {offset}"
                    );
                }
                assert!(!self.sqlite.has_seen(&name, offset, "no run").await.unwrap());
            }
        }
        for n in 1..12 {
            let session = Uuid::from_u128(n);
            let bound = self.sqlite.bound_user(session).await.unwrap();
            assert_eq!(bound.as_deref(), self.memory.bound_user(session));
        }
    }
}

#[test]
fn sqlite_and_the_logs_in_memory_answer_alike() {
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let invitations = AtomicUsize::new(0);
    let run = TestRunner::new(config).run(&ops(), |ops| {
        runtime.block_on(async {
            let mut stores = Stores::open().await;
            for (n, op) in ops.iter().enumerate() {
                stores.perform(n as u64 + 1, op).await;
                stores.compare().await;
            }
            invitations.fetch_add(stores.invitations, Ordering::Relaxed);
        });
        Ok(())
    });
    run.unwrap();
    assert!(invitations.into_inner() > 100, "there were open invitations");
}
