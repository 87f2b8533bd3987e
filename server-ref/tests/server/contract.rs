//! What every store of logs has to do: the same operations, drawn at random, on SQLite and on the logs in memory that tests and the
//! simulation build their stores from. Both have to answer alike.

use std::sync::Arc;

use everwire_protocol::{Action, CHAT_EVENT, Channel, ChatAction, ChatChange, ErrorCode, Payload, Uuid};
use everwire_server::{
    model::{
        identity::Refusal,
        log::{NewEntry, Outcome, Page, PageBounds, SendPermission},
    },
    store::{
        Store,
        erasure::{ErasureStore as _, Place},
        memory::Logs,
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
        1 => Just(Op::Reopen),
        1 => select(&USERS[..2]).prop_map(Op::Erase),
        1 => (id(), select(&USERS[..2])).prop_map(|(session, user)| Op::Bind(session, user)),
    ];
    vec(op, 1..20)
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
    runs: Vec<(Arc<str>, Arc<str>)>,
}

impl Stores {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(&directory.path().join("everwire.db"), 1_000).await.unwrap();
        let memory = Logs::new(1, 1_000);
        let runs = vec![(sqlite.run(), memory.run())];
        Self { directory, sqlite, memory, runs }
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
            }
            Op::Bind(session, user) => {
                self.sqlite.bind_sessions(at, &[(*session, (*user).into())]).await.unwrap();
                self.memory.bind(*session, (*user).into());
            }
        }
    }

    /// Everything that can be read is the same.
    async fn compare(&self) {
        for name in CHANNELS {
            let name: Channel = channel(name);
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
    let run = TestRunner::new(config).run(&ops(), |ops| {
        runtime.block_on(async {
            let mut stores = Stores::open().await;
            for (n, op) in ops.iter().enumerate() {
                stores.perform(n as u64 + 1, op).await;
                stores.compare().await;
            }
        });
        Ok(())
    });
    run.unwrap();
}
