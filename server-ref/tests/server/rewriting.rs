//! Edits and deletions change what is served from then on: replays from the cache and from the database, history, previews,
//! unread counts; and the old text is gone from the file.

use std::path::Path;

use axum::http::Method;
use everwire_protocol::{Action, Channel, Chat, ErrorCode, Message, Payload, ServerFrame, Uuid};
use everwire_server::{
    api::ApiKey,
    model::{
        log::{NewEntry, Outcome, SendPermission},
        people::HistoryRange,
    },
    store::{Store as _, people::UserStore as _, sqlite::SqliteStore},
};
use serde_json::Value;

use super::kit::{
    Client, act, channel, chat, history, http::Http, new_id, recent, send, serve, subscribe, text_of,
};
use everwire_protocol::Role;

const KEY: &str = "the API key of the tests";
const LOG: &str = "private-chat.7";

/// The text of each message, and who deleted it.
fn seen(messages: &[Message]) -> Vec<(Option<String>, Option<&str>)> {
    let text = |message: &Message| message.data.read::<Option<String>>().unwrap();
    messages.iter().map(|m| (text(m), m.deleted.as_ref().map(|deleted| deleted.user.as_str()))).collect()
}

async fn page(client: &mut Client, name: &str) -> Vec<Message> {
    match client.ask(history(name, None, None, None), &["history_page", "error"]).await {
        ServerFrame::HistoryPage(page) => page.messages,
        other => panic!("{other:?}"),
    }
}

/// The next entries that a new subscription receives.
async fn replay(client: &mut Client, name: &str, n: usize) -> Vec<Message> {
    client.join(recent(name, u32::try_from(n).unwrap())).await;
    let mut messages = Vec::new();
    while messages.len() < n {
        messages.push(client.message().await);
    }
    messages
}

async fn own_chat(client: &mut Client, user: &str) -> Chat {
    let subscribed = client.join(subscribe(&format!("private-user.{user}"))).await;
    subscribed.chats.unwrap().remove(0)
}

#[tokio::test]
async fn an_edit_and_a_deletion_change_what_is_served_everywhere() {
    let served = serve(|_| {}).await;
    chat(&served, "7", &[("ann", Role::Owner), ("bob", Role::Member)]);
    let mut ann = Client::connect(served.address(), "ann").await;
    let mut bob = Client::connect(served.address(), "bob").await;
    bob.join(subscribe("private-user.bob")).await;
    let ids: Vec<Uuid> = (0..3).map(|_| new_id()).collect();
    for (id, text) in ids.iter().zip(["one", "two", "three"]) {
        ann.say(&[send(*id, LOG, text)]).await;
        ann.ack().await;
    }
    for (target, action, text) in
        [(ids[1], Action::Edit, "zwo"), (ids[1], Action::Edit, "deux"), (ids[2], Action::Edit, "drei")]
    {
        ann.say(&[act(new_id(), LOG, action, target, text)]).await;
        ann.ack().await;
    }
    let text = |text: &str| (Some(text.to_owned()), None);
    let edited = [text("one"), text("deux"), text("drei"), text("deux"), text("deux"), text("drei")];
    assert_eq!(seen(&page(&mut bob, LOG).await), edited);
    assert_eq!(seen(&replay(&mut bob, LOG, 6).await), edited);

    ann.say(&[act(new_id(), LOG, Action::Delete, ids[2], "")]).await;
    ann.ack().await;
    let changed = bob
        .find(|frame| match frame {
            ServerFrame::ChatChanged(changed) if changed.chat.unread == 2 => Some(changed.chat),
            _ => None,
        })
        .await;
    assert_eq!(changed.last.as_ref().map(text_of).as_deref(), Some("deux"));
    let gone = || (None, Some("ann"));
    let after = [text("one"), text("deux"), gone(), text("deux"), text("deux"), gone(), (None, None)];
    assert_eq!(seen(&page(&mut bob, LOG).await), after);
    let mut cyd = Client::connect(served.address(), "bob").await;
    // From the cache, and from the database.
    let cached = replay(&mut cyd, LOG, 7).await;
    assert_eq!(seen(&cached), after);
    served.server.node().hub.forget_recent(&channel(LOG));
    let mut dan = Client::connect(served.address(), "bob").await;
    assert_eq!(replay(&mut dan, LOG, 7).await, cached);
    let deleted = cached[2].deleted.clone().unwrap();
    assert_eq!((cached[2].offset, cached[2].id, deleted.at), (3, ids[2], cached[6].at));

    // The list of chats shows and counts what can be read.
    let chat = own_chat(&mut dan, "bob").await;
    assert_eq!((chat.unread, chat.last.as_ref().map(text_of).as_deref()), (2, Some("deux")));
    // What is deleted stays deleted.
    ann.say(&[act(new_id(), LOG, Action::Edit, ids[2], "back")]).await;
    assert_eq!(ann.error().await.code, ErrorCode::NotFound);
    served.server.stop().await;
}

#[tokio::test]
async fn a_back_end_deletes_a_message_by_its_offset_or_its_id() {
    let served = serve(|config| config.api_key = Some(ApiKey::new(KEY).unwrap())).await;
    let http = Http::to(served.address());
    let mut ann = Client::connect(served.address(), "ann").await;
    ann.join(subscribe("news")).await;
    let ids = [new_id(), new_id()];
    for id in ids {
        ann.say(&[send(id, "news", "spam")]).await;
        ann.message().await;
    }
    let delete = async |message: &str| {
        let bearer = format!("Bearer {KEY}");
        let path = format!("/api/v1/channels/news/messages/{message}");
        let (status, _, text) = http.request(Method::DELETE, &path, &[("authorization", &bearer)], "").await;
        (status.as_u16(), serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, published) = delete("1").await;
    assert_eq!((status, published["offset"].as_u64()), (200, Some(3)));
    let live = ann.message().await;
    assert_eq!((live.action, live.target, live.user.as_str()), (Some(Action::Delete), Some(ids[0]), ""));
    assert_eq!(delete(&ids[1].to_string()).await.0, 200);
    let messages = page(&mut ann, "news").await;
    assert_eq!(seen(&messages)[..2], [(None, Some("")), (None, Some(""))]);
    for gone in ["1", "9", "x", &new_id().to_string()] {
        assert_eq!(delete(gone).await.0, 404, "{gone}");
    }
    served.server.stop().await;
}

#[tokio::test]
async fn a_direct_chat_that_one_has_left_takes_nothing_from_the_other() {
    use everwire_protocol::{ChatKind, CreateChat, LeaveChat};
    let served = serve(|_| {}).await;
    let mut ann = Client::connect(served.address(), "ann").await;
    let mut bob = Client::connect(served.address(), "bob").await;
    let create = |with: &str| {
        let (id, kind, users) = (new_id(), ChatKind::Direct, vec![with.into()]);
        (id, CreateChat { id, kind, title: None, open: None, users })
    };
    let (id, frame) = create("bob");
    let chat = ann.done(id, frame).await.unwrap().id;
    let log = format!("private-chat.{chat}");
    ann.chat(&log, "hello").await;
    let id = new_id();
    bob.done(id, LeaveChat { id, chat: chat.clone() }).await;
    let (id, frame) = create("bob");
    assert_eq!(ann.done(id, frame).await.unwrap().members.len(), 1, "bob is not brought back");
    ann.say(&[send(new_id(), &log, "are you there?")]).await;
    assert_eq!(ann.error().await.code, ErrorCode::Forbidden);
    let (id, frame) = create("ann");
    assert_eq!(bob.done(id, frame).await.unwrap().members.len(), 2);
    ann.chat(&log, "there you are").await;
    served.server.stop().await;
}

fn entry(n: u128, action: Option<Action>, target: Option<u128>, text: &str) -> NewEntry {
    NewEntry {
        id: Uuid::from_u128(n),
        channel: channel("news"),
        user: "ann".into(),
        name: None,
        event: None,
        data: if text.is_empty() { Payload::from_value(&()) } else { Payload::from_value(text) }.unwrap(),
        action,
        target: target.map(Uuid::from_u128),
        permission: SendPermission::Granted,
    }
}

fn occurs(database: &Path, text: &str) -> bool {
    let files = [database.to_owned(), database.with_extension("db-wal")];
    let bytes: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn deleted_text_is_gone_from_the_file_unless_it_is_kept_for_a_while() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let long = "a secret that fills more than a page of the database. ".repeat(200);
    let channel: Channel = channel("news");
    for (base, keep_ms) in [(0, 0), (10, 5_000)] {
        let store = SqliteStore::open(&database, 1000).await.unwrap().with_edit_retention(keep_ms);
        let texts = ["first words", "second words", "third words"];
        // The edit and the deletion in one transaction, and in one of their own.
        store
            .append(1_000, &[entry(base + 1, None, None, texts[0]), entry(base + 2, None, None, &long)])
            .await
            .unwrap();
        let changes = [
            entry(base + 3, Some(Action::Edit), Some(base + 1), texts[1]),
            entry(base + 4, Some(Action::Edit), Some(base + 1), texts[2]),
            entry(base + 5, Some(Action::Delete), Some(base + 1), ""),
        ];
        let outcomes = store.append(1_000, &changes).await.unwrap();
        let Outcome::Rewrote(_, offsets) = &outcomes[2] else { panic!("{outcomes:?}") };
        let first = if base == 0 { 1 } else { 7 };
        assert_eq!(offsets, &[first, first + 2, first + 3]);
        store.append(1_000, &[entry(base + 6, Some(Action::Delete), Some(base + 2), "")]).await.unwrap();
        let unread = store.unread(&channel, "bob", 0).await.unwrap();
        assert_eq!(unread, 0, "nothing of it can be read");
        let read = store.history(&channel, HistoryRange::Latest, 20).await.unwrap().messages;
        assert!(read.iter().all(|message| message.data.text() == "null"), "{read:?}");
        store.cleanup(1_000 + keep_ms.saturating_sub(1)).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        for text in texts.into_iter().chain(["a secret that fills"]) {
            assert_eq!(occurs(&database, text), keep_ms > 0, "{text:.20}");
        }
        let store = SqliteStore::open(&database, 1000).await.unwrap().with_edit_retention(keep_ms);
        store.cleanup(1_000 + keep_ms).await.unwrap();
        store.close().await.unwrap();
        assert!(!occurs(&database, texts[0]) && !occurs(&database, texts[2]));
    }
}
