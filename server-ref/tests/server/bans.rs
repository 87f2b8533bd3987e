//! Bans and revocations by the API: open connections end over WebSocket and by polling, nothing new of the user is let in or
//! stored, and a restarted server remembers.

use std::time::Duration;

use axum::http::Method;
use everwire_protocol::{ClientFrame, CloseCode, ErrorCode, ServerFrame, Token, batch};
use everwire_server::{
    api::ApiKey,
    auth::token::Claims,
    environment::wall_ms,
    model::ban::{AccessChange, Ban, Revocation, Revoked},
    store::{Store as _, bans::BanStore as _, sqlite::SqliteStore},
};
use serde_json::{Value, json};

use super::kit::{
    Client, Ended, SECRET, Served, hello, hello_with,
    http::{Http, poll, polled},
    key, new_id,
    program::Program,
    send, serve, subscribe, token,
};

const KEY: &str = "the API key of the tests";

async fn with_key() -> Served {
    serve(|config| {
        config.key = Some(key());
        config.api_key = Some(ApiKey::new(KEY).unwrap());
    })
    .await
}

async fn call(http: &Http, method: Method, path: &str, body: Value) -> Value {
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", &*bearer)];
    let (status, _, text) = http.request(method, path, &headers, body.to_string()).await;
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// A token with an id, issued this many ms ago.
fn issued(user: &str, id: &str, ms_ago: u64) -> String {
    let now = wall_ms();
    let iat = serde_json::Number::from_f64((now - ms_ago) as f64 / 1000.0);
    let claims = Claims {
        sub: user.into(),
        name: None,
        exp: now / 1000 + 60,
        iat,
        jti: Some(id.into()),
        nbf: None,
        grants: vec![],
    };
    key().make(&claims).unwrap()
}

async fn connect_with(served: &Served, token: &str) -> Client {
    let mut client = Client::open(served.address()).await;
    client.say(&[hello_with(Some(token), new_id())]).await;
    client.welcome().await;
    client
}

/// How a new connection with this `hello` is refused.
async fn refused(served: &Served, hello: ClientFrame) -> (ErrorCode, Ended) {
    let mut client = Client::open(served.address()).await;
    client.say(&[hello]).await;
    let (frames, ended) = client.until_it_ends().await;
    match &frames[..] {
        [ServerFrame::Error(error)] => (error.code.listed().unwrap(), ended),
        other => panic!("{other:?}"),
    }
}

fn codes(frames: &[ServerFrame]) -> Vec<ErrorCode> {
    frames
        .iter()
        .filter_map(|frame| if let ServerFrame::Error(e) = frame { e.code.listed() } else { None })
        .collect()
}

const BANNED: Ended = Ended::Code(CloseCode::Banned.as_u16());
const UNAUTHORIZED: Ended = Ended::Code(CloseCode::Unauthorized.as_u16());

#[tokio::test]
async fn a_ban_ends_what_is_open_and_lets_nothing_in_until_it_is_lifted() {
    let served = with_key().await;
    let http = Http::to(served.address());
    let mut watcher = Client::connect(served.address(), "watcher").await;
    watcher.join(subscribe("presence-room")).await;
    let mut socket = Client::connect(served.address(), "ann").await;
    socket.join(subscribe("presence-room")).await;
    let session = new_id();
    let (_, frames) = polled(http.post(&[hello("ann", session), poll(None, 0, 25_000)]).await);
    let [ServerFrame::Welcome(welcome)] = &frames[..] else { panic!("{frames:?}") };
    let held = [hello("ann", session), poll(Some(welcome.connection), 1, 25_000)];
    let node = served.server.node().clone();
    let (polled, info) = tokio::join!(http.post(&held), async {
        super::kit::until(|| node.held_polls() == 1).await;
        call(&http, Method::PUT, "/api/v1/users/ann/ban", json!({"reason": "spam"})).await
    });
    assert_eq!((&info["banned"], &info["reason"]), (&json!(true), &json!("spam")));
    assert_eq!(codes(&polled), [ErrorCode::Banned], "{polled:?}");
    let (frames, ended) = socket.until_it_ends().await;
    assert_eq!((codes(&frames), ended), (vec![ErrorCode::Banned], BANNED));
    // At once and not after the grace period, within which others would see a banned user.
    let left =
        watcher.find(|frame| if let ServerFrame::MemberLeft(left) = frame { Some(left.user) } else { None });
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), left).await.unwrap(), "ann");

    assert_eq!(refused(&served, hello("ann", new_id())).await, (ErrorCode::Banned, BANNED));
    assert_eq!(
        refused(&served, hello_with(Some(&token("ann", 60, &[])), new_id())).await.0,
        ErrorCode::Banned
    );
    assert_eq!(codes(&http.post(&held).await), [ErrorCode::Banned]);
    let posted = http.post(&[hello("ann", new_id()), send(new_id(), "news", "spam")]).await;
    assert_eq!(codes(&posted), [ErrorCode::Banned]);
    let (status, _, _) = http.get("/api/v1/active-chats?user=ann").await;
    assert_eq!(status.as_u16(), 403);
    let listed = call(&http, Method::GET, "/api/v1/bans?limit=1", Value::Null).await;
    assert_eq!((&listed["bans"][0]["user"], &listed["more"]), (&json!("ann"), &json!(false)));

    let info = call(&http, Method::DELETE, "/api/v1/users/ann/ban", json!({})).await;
    assert_eq!(info, json!({"user": "ann", "banned": false}));
    let mut back = Client::connect(served.address(), "ann").await;
    back.chat("news", "sorry").await;
    served.server.stop().await;
}

#[tokio::test]
async fn nothing_that_a_banned_user_sent_in_the_same_moment_is_stored_after_the_ban() {
    let served = with_key().await;
    let (http, node) = (Http::to(served.address()), served.server.node().clone());
    let mut ann = Client::connect(served.address(), "ann").await;
    ann.settle().await;
    let sends: Vec<_> = (0..200).map(|n| send(new_id(), "news", &n.to_string())).collect();
    let ((), _) = tokio::join!(ann.say(&sends), async {
        call(&http, Method::PUT, "/api/v1/users/ann/ban", json!({})).await
    });
    let head = node.store.log(&"news".parse().unwrap()).await.unwrap().head;
    let (frames, ended) = ann.until_it_ends().await;
    assert_eq!(ended, BANNED);
    let acked = frames.iter().filter(|frame| matches!(frame, ServerFrame::Ack(_))).count() as u64;
    assert!(acked <= head);
    // A back end may still publish in the name of the user.
    let body = json!({"to": {"channel": "news"}, "data": 1, "user": "ann"});
    let published = call(&http, Method::POST, "/api/v1/publish", body).await;
    assert_eq!(published["offset"], json!(head + 1));
    served.server.stop().await;
}

#[tokio::test]
async fn revoked_tokens_end_their_connections_and_newer_ones_are_accepted() {
    let served = with_key().await;
    let http = Http::to(served.address());
    let old = issued("ann", "t1", 5_000);
    let (mut ann, mut phone) =
        (connect_with(&served, &old).await, connect_with(&served, &issued("ann", "t2", 5_000)).await);
    let mut bob = connect_with(&served, &issued("bob", "t3", 5_000)).await;
    call(&http, Method::POST, "/api/v1/tokens/t2/revoke", json!({})).await;
    let (frames, ended) = phone.until_it_ends().await;
    assert_eq!((codes(&frames), ended), (vec![ErrorCode::Unauthorized], UNAUTHORIZED));
    ann.settle().await;
    let info = call(&http, Method::POST, "/api/v1/users/ann/revoke", json!({"for_seconds": 60})).await;
    assert_eq!(info["until"].as_u64().unwrap() - info["at"].as_u64().unwrap(), 60_000);
    assert_eq!(ann.until_it_ends().await.1, UNAUTHORIZED);
    assert_eq!(
        refused(&served, hello_with(Some(&old), new_id())).await,
        (ErrorCode::Unauthorized, UNAUTHORIZED)
    );
    // By `token` on an open connection, and by a poll.
    bob.say(&[Token { token: issued("bob", "t2", 0) }.into()]).await;
    assert_eq!(bob.until_it_ends().await.1, UNAUTHORIZED);
    let frames = batch::encode(&[hello_with(None, new_id()), poll(None, 0, 0)]);
    let answer = http.post_text(&frames, &[("authorization", &format!("Bearer {old}"))]).await;
    assert_eq!(codes(&answer), [ErrorCode::Unauthorized]);
    let at = info["at"].as_u64().unwrap();
    super::kit::until(|| wall_ms() > at + 1).await;
    connect_with(&served, &issued("ann", "t4", 0)).await.settle().await;
    served.server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_is_looked_for_where_it_is_used_and_nowhere_else() {
    let served = with_key().await;
    let (http, node) = (Http::to(served.address()), served.server.node().clone());
    let mut others = Vec::new();
    for n in 0..20 {
        others.push(connect_with(&served, &issued(&format!("u{n}"), &format!("other-{n}"), 0)).await);
    }
    let revoke = async |id: &str| {
        let (at, until) = (wall_ms(), wall_ms() + 60_000);
        let revocation = Revocation { of: Revoked::Token(id.into()), at, until };
        node.change_access(AccessChange::Revoke(revocation)).await.unwrap()
    };
    let mut ann = connect_with(&served, &issued("ann", "first", 0)).await;
    ann.say(&[Token { token: issued("ann", "second", 0) }.into()]).await;
    ann.settle().await;
    // The same by polling.
    let session = new_id();
    let poll_with = async |id: &str, poll: ClientFrame| {
        let bearer = format!("Bearer {}", issued("ann", id, 0));
        let frames = batch::encode(&[hello_with(None, session), poll]);
        http.post_text(&frames, &[("authorization", &bearer)]).await
    };
    let (_, frames) = polled(poll_with("first", poll(None, 0, 0)).await);
    let [ServerFrame::Welcome(welcome)] = &frames[..] else { panic!("{frames:?}") };
    polled(poll_with("second", poll(Some(welcome.connection), 1, 0)).await);
    assert_eq!((revoke("first").await, revoke("nobody's").await), (0, 0), "nobody uses them any more");
    ann.settle().await;
    assert_eq!(revoke("second").await, 2);
    assert_eq!(ann.until_it_ends().await.1, UNAUTHORIZED);
    let last = poll_with("third", poll(Some(welcome.connection), 2, 0)).await;
    assert_eq!(codes(&last), [ErrorCode::Unauthorized], "{last:?}");
    for other in &mut others {
        other.settle().await;
    }
    served.server.stop().await;
}

#[tokio::test]
async fn a_restarted_server_remembers_bans_and_forgets_those_that_are_over() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let store = SqliteStore::open(&database, 1000).await.unwrap();
    let ban = |user: &str, until| AccessChange::Ban(Ban { user: user.into(), since: 1, until, reason: None });
    store.change_access(&ban("old", Some(1_000))).await.unwrap();
    store.change_access(&ban("ann", None)).await.unwrap();
    store.change_access(&ban("bob", None)).await.unwrap();
    store.change_access(&AccessChange::Unban("bob".into())).await.unwrap();
    let eves = |at, until| AccessChange::Revoke(Revocation { of: Revoked::User("eve".into()), at, until });
    for (at, until) in [(50, 3_000), (40, 70)] {
        store.change_access(&eves(at, until)).await.unwrap();
        assert!(store.has_changed(&eves(at, until)).await.unwrap());
    }
    assert!(!store.has_changed(&eves(51, 70)).await.unwrap());
    store.cleanup(2_000).await.unwrap();
    let kept = Revocation { of: Revoked::User("eve".into()), at: 50, until: 3_000 };
    assert_eq!(store.bans().await.unwrap().1, [kept], "a later one for less time takes nothing back");
    let users = |bans: Vec<Ban>| bans.into_iter().map(|ban| ban.user.to_string()).collect::<Vec<_>>();
    assert_eq!(users(store.bans().await.unwrap().0), ["ann"]);
    drop(store);
    let program = Program::start(&database, &["--api-key", KEY, "--jwt-secret", SECRET]);
    let http = Http::to(program.address);
    call(&http, Method::POST, "/api/v1/tokens/t1/revoke", json!({})).await;
    call(&http, Method::PUT, "/api/v1/users/cyd/ban", json!({"until": wall_ms() + 3_600_000})).await;
    program.kill();
    let program = Program::start(&database, &["--api-key", KEY, "--jwt-secret", SECRET]);
    let http = Http::to(program.address);
    for (token, code) in [
        (token("ann", 60, &[]), ErrorCode::Banned),
        (token("cyd", 60, &[]), ErrorCode::Banned),
        (issued("dan", "t1", 0), ErrorCode::Unauthorized),
    ] {
        let frames = batch::encode(&[hello_with(None, new_id()), poll(None, 0, 0)]);
        let answer = http.post_text(&frames, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(codes(&answer), [code]);
    }
}
