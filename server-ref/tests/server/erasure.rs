//! Erasing users and deleting chats by the API: what others see, what is refused, and what is left in the file.

use std::{path::Path, sync::Arc};

use axum::http::Method;
use everwire_protocol::{
    Action, ChatGone, ChatKind, CreateChat, ErasedEntries, ErrorCode, Message, Payload, Role, ServerFrame,
    Uuid,
};
use everwire_server::{
    api::ApiKey,
    config::Config,
    model::{
        ban::{Revocation, Revoked},
        log::{NewEntry, SendPermission},
    },
    server::Server,
    store::{
        Store as _,
        erasure::{ErasureStore as _, Place},
        sqlite::SqliteStore,
    },
};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::kit::{
    Client, Ended, act, channel, hello, history, http::Http, new_id, receipt, send, subscribe, text_of, until,
};

const KEY: &str = "the API key of the tests";

/// An id and a name that occur nowhere else.
const USER: &str = "annabel-lee";
const NAME: &str = "ANNABEL-LEE";

async fn start(directory: &Path) -> (Server, Http) {
    let mut config = Config::dev(directory.join("everwire.db"));
    config.api_key = Some(ApiKey::new(KEY).unwrap());
    config.leave_grace_ms = 100;
    let server = Server::start(config).await.unwrap();
    let http = Http::to(server.address());
    (server, http)
}

async fn call(http: &Http, method: Method, path: &str, body: Value) -> (u16, Value) {
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", &*bearer)];
    let (status, _, text) = http.request(method, path, &headers, body.to_string()).await;
    (status.as_u16(), serde_json::from_str(&text).unwrap())
}

async fn page(client: &mut Client, name: &str) -> Vec<Message> {
    client.say(&[history(name, None, None, Some(200))]).await;
    client
        .find(|frame| if let ServerFrame::HistoryPage(page) = frame { Some(page.messages) } else { None })
        .await
}

/// How often a text occurs in the files of a database.
fn occurrences(directory: &Path, text: &str) -> usize {
    let files = ["everwire.db", "everwire.db-wal"].map(|name| directory.join(name));
    let bytes: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect();
    // Not byte by byte: the library searches fast, also in a build without optimisations.
    String::from_utf8_lossy(&bytes).matches(text).count()
}

async fn create(client: &mut Client, kind: ChatKind, title: Option<&str>, with: &[&str]) -> String {
    let users = with.iter().map(|user| (*user).into()).collect();
    let (id, title) = (new_id(), title.map(Into::into));
    client.done(id, CreateChat { id, kind, title, open: None, users }).await.unwrap().id
}

#[tokio::test]
async fn nothing_is_left_of_an_erased_user_and_a_late_copy_is_not_stored_again() {
    let directory = tempfile::tempdir().unwrap();
    let (server, http) = start(directory.path()).await;
    let mut ann = Client::connect(server.address(), USER).await;
    let mut bob = Client::connect(server.address(), "bob").await;
    let group = create(&mut ann, ChatKind::Group, Some("Us"), &["bob", "dan"]).await;
    let log = format!("private-chat.{group}");
    let id = new_id();
    bob.done(id, everwire_protocol::JoinChat { id, chat: group.clone() }).await;
    let direct = create(&mut ann, ChatKind::Direct, None, &["bob"]).await;
    ann.join(subscribe(&format!("private-user.{USER}"))).await;
    ann.join(subscribe("presence-room")).await;
    bob.join(subscribe("private-user.bob")).await;
    let epoch = bob.join(subscribe(&log)).await.epoch;
    bob.join(subscribe("presence-room")).await;
    let ids: Vec<Uuid> = (0..4).map(|_| new_id()).collect();
    for (id, text) in ids.iter().zip(["first secret", "second secret", "third secret", "of bob"]) {
        let sender = if text == "of bob" { &mut bob } else { &mut ann };
        sender.say(&[send(*id, &log, text)]).await;
        sender.ack().await;
    }
    ann.say(&[act(new_id(), &log, Action::Edit, ids[0], "edited secret")]).await;
    let edited = ann.ack().await;
    let bobs = new_id();
    bob.say(&[send(bobs, &log, "deleted by the owner")]).await;
    bob.ack().await;
    ann.say(&[act(new_id(), &log, Action::Delete, bobs, "")]).await;
    ann.ack().await;
    ann.chat("news", "public secret").await;
    ann.chat(&format!("private-chat.{direct}"), "direct secret").await;
    ann.say(&[receipt(&log, &epoch, edited.offset, edited.offset)]).await;
    let notification = json!({"to": {"user": USER}, "event": "notification", "data": {"title": "t", "message": "told secret"}});
    assert_eq!(call(&http, Method::POST, "/api/v1/publish", notification).await.0, 200);
    let status = format!("/api/v1/users/{USER}/status");
    assert_eq!(call(&http, Method::PUT, &status, json!({"status": "away"})).await.0, 200);
    bob.settle().await;

    let path = format!("/api/v1/users/{USER}");
    let erased = call(&http, Method::DELETE, &path, Value::Null).await;
    assert_eq!(erased, (200, json!({"user": USER, "erasing": true})));
    let (frames, ended) = ann.until_it_ends().await;
    assert_eq!(ended, Ended::Code(4001));
    assert!(matches!(&frames[..], [.., ServerFrame::Error(error)] if error.code == ErrorCode::Unauthorized));
    let mut refused = Client::open(server.address()).await;
    refused.say(&[hello(USER, new_id())]).await;
    assert_eq!(refused.until_it_ends().await.1, Ended::Code(4001));

    // Whoever sees the messages is told which of them are gone, and does not get them again.
    let offsets = bob
        .find(|frame| match frame {
            ServerFrame::Message(message) if message.event.as_deref() == Some("everwire.erased") => {
                assert_eq!((message.user.as_str(), message.channel.as_str()), ("", &*log));
                let erased = message.data.read::<ErasedEntries>().unwrap();
                erased.offsets.contains(&edited.offset).then_some(erased.offsets)
            }
            _ => None,
        })
        .await;
    let erasing =
        async || call(&http, Method::GET, &format!("{path}/erasure"), Value::Null).await.1["erasing"].clone();
    while erasing().await == json!(true) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let messages = page(&mut bob, &log).await;
    let of_bob: Vec<_> =
        messages.iter().filter(|message| message.user == "bob" && message.event.is_none()).collect();
    assert_eq!(text_of(of_bob[0]), "of bob");
    let deleted = of_bob[1].deleted.as_ref().unwrap();
    assert_eq!((deleted.user.as_str(), of_bob[1].id), ("", bobs), "nobody says who has deleted it");
    let gone: Vec<_> = messages.iter().filter(|message| offsets.contains(&message.offset)).collect();
    assert!(gone.len() >= 6, "{gone:?}");
    for message in gone {
        assert_eq!((message.user.as_str(), &message.name, message.data.text()), ("", &None, "null"));
        let is_deletion = message.action == Some(Action::Delete);
        assert_eq!(message.deleted.is_none(), is_deletion, "{message:?}");
    }
    let everything = serde_json::to_string(&messages).unwrap()
        + &serde_json::to_string(&page(&mut bob, "news").await).unwrap();
    assert!(!everything.contains(USER) && !everything.contains(NAME) && !everything.contains("secret"));
    let (_, chat) = call(&http, Method::GET, &format!("/api/v1/chats/{group}"), Value::Null).await;
    let users: Vec<_> = chat["members"].as_array().unwrap().iter().map(|member| &member["user"]).collect();
    assert_eq!(users, ["dan", "bob"], "who was invited by the erased user stays invited");
    let (_, present) = call(&http, Method::GET, "/api/v1/channels/presence-room/presence", Value::Null).await;
    assert_eq!(present["members"], json!([{"user": "bob", "name": "BOB"}]));
    assert_eq!(
        call(&http, Method::GET, &status, Value::Null).await.1,
        json!({"user": USER, "status": "offline"})
    );

    // The text is gone from the files of the running server; the id is known to the revocation of the tokens only.
    let directory = directory.path();
    until(|| occurrences(directory, "secret") == 0 && occurrences(directory, NAME) == 0).await;
    // Its row, and the index by which it expires.
    until(|| occurrences(directory, USER) == 2).await;

    a_late_tab_stores_nothing_again(&server, &http, &mut bob, (&group, ids[1])).await;
    server.stop().await;
}

/// A tab that wakes after its user was erased, for a new user with the same id.
async fn a_late_tab_stores_nothing_again(server: &Server, http: &Http, bob: &mut Client, sent: (&str, Uuid)) {
    let (group, old) = sent;
    let log = format!("private-chat.{group}");
    let mut late = Client::connect(server.address(), USER).await;
    let head = page(bob, &log).await.last().unwrap().offset;
    let id = new_id();
    let invited = call(http, Method::PUT, &format!("/api/v1/chats/{group}/members/{USER}"), json!({})).await;
    assert_eq!(invited.0, 200);
    late.say(&[send(old, &log, "second secret"), send(id, &log, "something new")]).await;
    let (copy, new) = (late.ack().await, late.ack().await);
    assert!(copy.offset < head && new.offset > head && new.id == id);
    assert!(!serde_json::to_string(&page(bob, &log).await).unwrap().contains("secret"));
    // The user's own channel goes on behind what was there.
    let notification =
        json!({"to": {"user": USER}, "event": "notification", "data": {"title": "t", "message": "m"}});
    let (_, published) = call(http, Method::POST, "/api/v1/publish", notification).await;
    assert_eq!(published["offset"], json!(2));
    assert_eq!(page(&mut late, &format!("private-user.{USER}")).await.len(), 1);
}

fn entry(n: u128, user: &str) -> NewEntry {
    NewEntry {
        id: Uuid::from_u128(n),
        channel: channel(if n.is_multiple_of(3) { "sport" } else { "news" }),
        user: user.into(),
        name: Some("Name".into()),
        event: None,
        data: Payload::from_value(&format!("words of {user}")).unwrap(),
        action: None,
        target: None,
        permission: SendPermission::Granted,
    }
}

#[tokio::test]
async fn an_erasure_goes_on_after_a_crash_in_steps_that_do_not_depend_on_how_much_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let store = SqliteStore::open(&database, 100_000).await.unwrap();
    for group in 0..10 {
        let entries: Vec<_> =
            (0..500).map(|n| entry(group * 500 + n, if n % 2 == 0 { "ann" } else { "bob" })).collect();
        store.append(1, &entries).await.unwrap();
    }
    let tokens = Revocation { of: Revoked::User("ann".into()), at: 1, until: u64::MAX / 4 };
    store.begin_erasure("ann", &tokens).await.unwrap();
    let step = store.erase_some(2, "ann", Place::default(), &|_, _| None).await.unwrap();
    let blanked: usize = step.blanked.values().map(Vec::len).sum();
    assert!((1..=200).contains(&blanked), "{blanked}");
    assert!(step.next.is_some());
    // As a crash does: nothing is written any more.
    drop(store);
    let (server, http) = start(directory.path()).await;
    let mut ann = Client::open(server.address()).await;
    ann.say(&[hello("ann", new_id())]).await;
    assert_eq!(ann.until_it_ends().await.1, Ended::Code(4001));
    let node = server.node().clone();
    until(|| !node.bans.is_erasing("ann")).await;
    assert!(node.store.erasures().await.unwrap().is_empty());
    let mut bob = Client::connect(server.address(), "bob").await;
    let rows = page(&mut bob, "news").await;
    assert!(rows.iter().all(|message| message.user != "ann" && message.data.text() != "\"words of ann\""));
    assert!(rows.iter().any(|message| message.data.text() == "\"words of bob\""));
    assert_eq!(
        call(&http, Method::GET, "/api/v1/users/ann/erasure", Value::Null).await.1["erasing"],
        json!(false)
    );
    server.stop().await;
    assert_eq!(occurrences(directory.path(), "words of ann"), 0);
    assert!(occurrences(directory.path(), "words of bob") >= 2_500);
}

/// Stops a server, and waits until it has let go of its database.
async fn stop(server: Server) {
    let store = Arc::downgrade(&server.node().store);
    server.stop().await;
    until(|| store.strong_count() == 0).await;
}

/// Makes a database refuse something from now on.
async fn change(directory: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(directory.join("everwire.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_chat_that_cannot_be_left_holds_up_neither_the_rest_of_an_erasure_nor_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let (server, http) = start(directory.path()).await;
    let mut ann = Client::connect(server.address(), "ann").await;
    let mut cyd = Client::connect(server.address(), "cyd").await;
    ann.chat("news", "words of ann").await;
    cyd.chat("news", "words of cyd").await;
    let mut chats = Vec::new();
    for others in [&["bob"][..], &["bob"], &[]] {
        let users: Vec<_> = ["ann"].iter().chain(others).map(|user| json!({"user": user})).collect();
        let body = json!({"kind": "group", "users": users});
        let (_, chat) = call(&http, Method::POST, "/api/v1/chats", body).await;
        chats.push(chat["id"].as_str().unwrap().to_owned());
    }
    // By id, as they are left: the first of those with others, and the one that is deleted, refuse.
    chats[..2].sort();
    stop(server).await;
    let refuse = format!(
        "CREATE TRIGGER stays BEFORE DELETE ON chat_members WHEN OLD.chat = '{}'
            BEGIN SELECT RAISE(ABORT, 'refused by the test'); END;
         CREATE TRIGGER lasts BEFORE DELETE ON chats WHEN OLD.id = '{}'
            BEGIN SELECT RAISE(ABORT, 'refused by the test'); END;",
        chats[0], chats[2]
    );
    change(directory.path(), &refuse).await;

    let (server, http) = start(directory.path()).await;
    let node = server.node().clone();
    for user in ["ann", "cyd"] {
        assert_eq!(call(&http, Method::DELETE, &format!("/api/v1/users/{user}"), Value::Null).await.0, 200);
    }
    until(|| !node.bans.is_erasing("cyd")).await;
    until(|| node.chats.role(&chats[1], "ann").is_none()).await;
    let mut bob = Client::connect(server.address(), "bob").await;
    let news = page(&mut bob, "news").await;
    assert!(news.len() >= 2 && news.iter().all(|message| message.user.is_empty()), "{news:?}");
    assert!(node.bans.is_erasing("ann"), "it goes on until nothing is kept");
    assert!(node.chats.role(&chats[0], "ann").is_some() && node.chats.role(&chats[2], "ann").is_some());
    assert_eq!(call(&http, Method::GET, "/api/v1/users/ann/erasure", Value::Null).await.1["erasing"], true);
    // Nobody is brought into a chat meanwhile: the erasure would take them out again.
    let group = json!({"kind": "group", "title": "more", "users": [{"user": "bob"}]});
    let (_, chat) = call(&http, Method::POST, "/api/v1/chats", group).await;
    let member = format!("/api/v1/chats/{}/members/ann", chat["id"].as_str().unwrap());
    let (status, problem) = call(&http, Method::PUT, &member, json!({})).await;
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{problem}");
    assert!(node.chats.role(chat["id"].as_str().unwrap(), "ann").is_none());
    drop(node);
    stop(server).await;

    change(directory.path(), "DROP TRIGGER stays; DROP TRIGGER lasts;").await;
    let (server, http) = start(directory.path()).await;
    let node = server.node().clone();
    until(|| !node.bans.is_erasing("ann")).await;
    assert!(node.chats.roles_of("ann").is_empty());
    assert!(node.chats.get(&chats[2]).is_none(), "nobody was left in it");
    assert_eq!(call(&http, Method::GET, &format!("/api/v1/chats/{}", chats[0]), Value::Null).await.0, 200);
    drop(node);
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_chat_ends_for_everybody_and_nothing_of_it_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let (server, http) = start(directory.path()).await;
    let mut ann = Client::connect(server.address(), "ann").await;
    let mut bob = Client::connect(server.address(), "bob").await;
    let id = Uuid::now_v7();
    let body = json!({"id": id, "kind": "group", "title": "A title of its own", "users": [{"user": "ann"}, {"user": "bob"}]});
    assert_eq!(call(&http, Method::POST, "/api/v1/chats", body.clone()).await.0, 200);
    let log = format!("private-chat.{id}");
    for client in [&mut ann, &mut bob] {
        let user = client.join(subscribe(&log)).await;
        assert_eq!(user.channel.as_str(), log);
    }
    ann.join(subscribe(&format!("presence-chat.{id}"))).await;
    bob.join(subscribe("private-user.bob")).await;
    // More than one step removes.
    for _ in 0..6 {
        let sends: Vec<_> =
            (0..100).map(|n| send(new_id(), &log, &format!("words of the chat {n}"))).collect();
        ann.say(&sends).await;
        for _ in 0..100 {
            ann.ack().await;
        }
    }
    let epoch = ann.join(subscribe("news")).await.epoch;
    ann.say(&[receipt(&log, &epoch, 3, 3)]).await;
    let before = page(&mut bob, &log).await.last().unwrap().offset;
    let path = format!("/api/v1/chats/{id}");
    assert_eq!(call(&http, Method::DELETE, &path, Value::Null).await, (200, json!({"id": id.to_string()})));
    assert_eq!((ann.ended().await, ann.ended().await), (ErrorCode::NotFound, ErrorCode::NotFound));
    let gone =
        |frame| if let ServerFrame::ChatGone(ChatGone { chat, .. }) = frame { Some(chat) } else { None };
    assert_eq!(bob.find(gone).await, id.to_string());
    ann.say(&[send(new_id(), &log, "too late")]).await;
    assert_eq!(ann.error().await.code, ErrorCode::Forbidden);
    ann.say(&[history(&log, None, None, None)]).await;
    assert_eq!(ann.error().await.code, ErrorCode::Forbidden);
    for method in [Method::DELETE, Method::GET] {
        assert_eq!(call(&http, method, &path, Value::Null).await.0, 404);
    }
    // Who was away learns it from the list, and from the answer to a subscription.
    let mut back = Client::connect(server.address(), "bob").await;
    let own = back.join(subscribe("private-user.bob")).await;
    assert_eq!(own.chats.unwrap(), []);
    back.say(&[subscribe(&log)]).await;
    assert_eq!(back.ended().await, ErrorCode::Forbidden);
    // The id is not used again.
    assert_eq!(call(&http, Method::POST, "/api/v1/chats", body).await.1["code"], json!("id_reused"));
    let node = server.node();
    assert_eq!(node.store.unread(&channel(&log), "bob", 0).await.unwrap(), 0);
    let empty = node.store.log(&channel(&log)).await.unwrap();
    assert_eq!((empty.head, empty.trimmed), (before, before));
    let directory = directory.path();
    until(|| occurrences(directory, "words of the chat") == 0 && occurrences(directory, "A title of") == 0)
        .await;
    assert_eq!(node.store.marks(&channel(&log), None).await.unwrap(), []);
    server.stop().await;
}

#[tokio::test]
async fn two_users_whose_direct_chat_was_deleted_may_begin_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let (server, http) = start(directory.path()).await;
    let mut ann = Client::connect(server.address(), "ann").await;
    let chat = create(&mut ann, ChatKind::Direct, None, &["bob"]).await;
    let log = format!("private-chat.{chat}");
    let last = ann.chat(&log, "old words").await;
    assert_eq!(call(&http, Method::DELETE, &format!("/api/v1/chats/{chat}"), Value::Null).await.0, 200);
    assert_eq!(create(&mut ann, ChatKind::Direct, None, &["bob"]).await, chat);
    let next = ann.chat(&log, "new words").await;
    assert!(next.offset > last.offset);
    let texts = page(&mut ann, &log).await;
    let texts: Vec<_> = texts.iter().filter(|message| message.event.is_none()).map(text_of).collect();
    assert_eq!(texts, ["new words"]);
    assert_eq!(server.node().chats.role(&chat, "bob"), Some(Role::Member));
    server.stop().await;
}
