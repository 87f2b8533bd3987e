//! Keeps messages that the server has not stored yet in IndexedDB, so that they survive a reload and a closed tab. It only stores
//! them: the core decides what is sent when. Where storage is denied, nothing is kept and nothing fails.
//!
//! The database and its records are those of the npm package: what a page of the one has not sent, a page of the other sends. Tabs
//! need no coordination: the id of a message never changes, and the server stores its first copy only.

use std::{future::poll_fn, pin::Pin};

use everwire_protocol::Uuid;
use futures_channel::mpsc;
use futures_core::Stream;
use js_sys::{Date, Promise};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    IdbDatabase, IdbFactory, IdbObjectStore, IdbObjectStoreParameters, IdbOpenDbRequest, IdbRequest,
    IdbTransactionMode,
};

use crate::{
    Options,
    driver::Reports,
    ids::Ids,
    report::{KeptSend, Report},
    session::{Kept, Store},
    table::Table,
};

const DATABASE: &str = "everwire";
const STORE: &str = "outbox";
const TAB: &str = "everwire:tab";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = indexedDB, thread_local_v2)]
    static DATABASES: Option<IdbFactory>;

    // By name, because even reading the property `sessionStorage` throws where cookies are blocked.
    #[wasm_bindgen(catch, js_namespace = sessionStorage, js_name = getItem)]
    fn get_item(key: &str) -> Result<Option<String>, JsValue>;
    #[wasm_bindgen(catch, js_namespace = sessionStorage, js_name = setItem)]
    fn set_item(key: &str, value: &str) -> Result<(), JsValue>;

    // web-sys declares it as one that may fail, and only behind a flag without a warning.
    type Transaction;
    #[wasm_bindgen(method, catch)]
    fn commit(this: &Transaction) -> Result<(), JsValue>;
}

/// One stored message.
#[derive(Clone, Serialize, Deserialize)]
struct StoredSend {
    id: Uuid,
    /// The server's URL.
    server: String,
    /// The user who wrote it; empty until the server has confirmed the user.
    user: String,
    /// The tab in which it was written: messages without a user are restored there only.
    tab: String,
    /// The frame as JSON text.
    frame: String,
    /// When it may have been sent first, in ms since 1970; absent if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<f64>,
}

/// The outbox of one client.
pub(super) struct Outbox(Option<mpsc::UnboundedSender<Store>>);

impl Outbox {
    pub(super) fn new(options: &Options, reports: &Reports) -> Self {
        if !options.outbox {
            return Self(None);
        }
        let (changes, queue) = mpsc::unbounded();
        let storage = Storage {
            db: None,
            server: options.url.clone(),
            user: options.guest.as_ref().map(|guest| guest.user.clone()).unwrap_or_default(),
            tab: tab(),
            kept: Table::default(),
        };
        spawn_local(storage.run(queue, reports.clone()));
        Self(Some(changes))
    }

    pub(super) fn change(&self, change: Store) {
        if let Some(changes) = &self.0 {
            let _ = changes.unbounded_send(change);
        }
    }
}

struct Storage {
    db: Option<IdbDatabase>,
    server: String,
    user: String,
    tab: String,
    /// The messages of this page that are in the database, or should be.
    kept: Table<Uuid, StoredSend>,
}

impl Storage {
    /// One change after the other, until the client has gone.
    async fn run(mut self, mut changes: mpsc::UnboundedReceiver<Store>, reports: Reports) {
        self.db = open().await.ok();
        while let Some(change) = poll_fn(|cx| Pin::new(&mut changes).poll_next(cx)).await {
            match change {
                Store::Put { id, frame, left } => {
                    let (server, user, tab) = (self.server.clone(), self.user.clone(), self.tab.clone());
                    let left = left.then(Date::now);
                    self.put(StoredSend { id, server, user, tab, frame, left }).await;
                }
                Store::Left(id) => {
                    if let Some(kept) = self.kept.get(&id).filter(|kept| kept.left.is_none()) {
                        self.put(StoredSend { left: Some(Date::now()), ..kept.clone() }).await;
                    }
                }
                Store::Delete(id) => {
                    self.kept.remove(&id);
                    self.write(|store| store.delete(&id.to_string().into()).map(drop)).await;
                }
                Store::SignedIn(user) => {
                    let kept = self.signed_in(user).await;
                    let _ = reports.unbounded_send(Report::Restored(kept));
                }
            }
        }
        if let Some(db) = self.db {
            db.close();
        }
    }

    async fn put(&mut self, message: StoredSend) {
        let record = serde_wasm_bindgen::to_value(&message);
        self.kept.insert(message.id, message);
        if let Ok(record) = record {
            self.write(|store| store.put(&record).map(drop)).await;
        }
    }

    /// Changes the database. Browsers close it under a page that was suspended, or when they run out of memory: then it is opened
    /// anew, and what may not have been written is written again.
    async fn write(&mut self, act: impl Fn(&IdbObjectStore) -> Result<(), JsValue>) {
        if self.db.as_ref().is_none_or(|db| transact(db, &act).is_ok()) {
            return;
        }
        self.reopen().await;
        if let Some(db) = &self.db {
            // Gone again: the next change opens it.
            let _ = transact(db, |store| {
                for message in self.kept.values() {
                    store.put(&serde_wasm_bindgen::to_value(message)?)?;
                }
                act(store)
            });
        }
    }

    async fn reopen(&mut self) {
        if let Some(db) = self.db.take() {
            db.close();
        }
        self.db = open().await.ok();
    }

    /// The server has confirmed the user. Returns the user's unsent messages of earlier pages, oldest first.
    async fn signed_in(&mut self, user: String) -> Vec<KeptSend> {
        self.user.clone_from(&user);
        let unnamed: Vec<_> = self.kept.values().filter(|kept| kept.user.is_empty()).cloned().collect();
        for kept in unnamed {
            self.put(StoredSend { user: user.clone(), ..kept }).await;
        }
        let mut all = self.read().await;
        if all.is_none() {
            self.reopen().await;
            all = self.read().await;
        }
        // The store is ordered by id, and ids by creation time.
        all.into_iter()
            .flatten()
            .filter(|kept| {
                kept.server == self.server
                    && (kept.user == user || (kept.user.is_empty() && kept.tab == self.tab))
            })
            .map(|StoredSend { id, frame, left, .. }| {
                let left_ago = left.map(|left| (Date::now() - left).max(0.0) as u64);
                KeptSend(Kept { id, frame, left_ago })
            })
            .collect()
    }

    async fn read(&self) -> Option<Vec<StoredSend>> {
        let db = self.db.as_ref()?;
        let request = db.transaction_with_str(STORE).ok()?.object_store(STORE).ok()?.get_all().ok()?;
        let records: js_sys::Array = result(&request).await.ok()?.unchecked_into();
        // One by one: those of a version with other fields are left to it.
        Some(records.iter().filter_map(|record| serde_wasm_bindgen::from_value(record).ok()).collect())
    }
}

fn transact(
    db: &IdbDatabase,
    act: impl FnOnce(&IdbObjectStore) -> Result<(), JsValue>,
) -> Result<(), JsValue> {
    let transaction = db.transaction_with_str_and_mode(STORE, IdbTransactionMode::Readwrite)?;
    act(&transaction.object_store(STORE)?)?;
    // Explicitly: the page may be closed before the browser does it.
    transaction.unchecked_ref::<Transaction>().commit()
}

async fn open() -> Result<IdbDatabase, JsValue> {
    let request = DATABASES
        .with(|databases| databases.as_ref().ok_or(JsValue::UNDEFINED)?.open_with_u32(DATABASE, 1))?;
    let made = request.clone();
    request.set_onupgradeneeded(Some(
        Closure::once_into_js(move || -> Result<(), JsValue> { create(&made) }).unchecked_ref(),
    ));
    let db: IdbDatabase = result(&request).await?.unchecked_into();
    // A later version of the library in another tab must not wait for this one.
    let closed = db.clone();
    db.set_onversionchange(Some(Closure::once_into_js(move || closed.close()).unchecked_ref()));
    Ok(db)
}

fn create(request: &IdbOpenDbRequest) -> Result<(), JsValue> {
    let db: IdbDatabase = request.result()?.unchecked_into();
    let parameters = IdbObjectStoreParameters::new();
    parameters.set_key_path(&"id".into());
    db.create_object_store_with_optional_parameters(STORE, &parameters).map(drop)
}

async fn result(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let done = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(done).await?;
    request.result()
}

/// The id of this tab, kept across reloads where storage permits.
fn tab() -> String {
    let known = get_item(TAB).ok().flatten();
    let tab = known.unwrap_or_else(|| Ids::new().next().to_string());
    if set_item(TAB, &tab).is_ok() { tab } else { "none".to_owned() }
}
