//! The HTTP API: every call of `docs/api.md` as it stands there, who is let in, and what is refused how.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use everwire_protocol::{CloseCode, ErrorCode, ServerFrame};
use everwire_server::api::ApiKey;
use serde_json::{Value, json};

use super::kit::{
    Client, Ended, SECRET, Served, hello_with,
    http::Http,
    key, new_id,
    program::{self, Program},
    recent, serve, subscribe, text_of, token,
};

const KEY: &str = "the API key of the tests";

async fn with_key() -> Served {
    serve(|config| {
        config.dev = false;
        config.key = Some(key());
        config.api_key = Some(ApiKey::new(KEY).unwrap());
    })
    .await
}

async fn connect(served: &Served, user: &str) -> (Client, everwire_protocol::Welcome) {
    let mut client = Client::open(served.address()).await;
    client.say(&[hello_with(Some(&token(user, 60, &[])), new_id())]).await;
    let welcome = client.welcome().await;
    (client, welcome)
}

/// Calls with a bearer, and returns the status and the answer.
async fn call(http: &Http, method: Method, path: &str, bearer: &str, body: Option<Value>) -> (u16, Value) {
    let bearer = format!("Bearer {bearer}");
    let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
    let (status, headers, text) = http.request(method, path, &[("authorization", &bearer)], body).await;
    assert_eq!(headers["content-type"], "application/json", "{path}: {text}");
    (status.as_u16(), serde_json::from_str(&text).unwrap())
}

async fn publish(http: &Http, body: Value) -> (u16, Value) {
    call(http, Method::POST, "/api/v1/publish", KEY, Some(body)).await
}

/// The words of a line of shell: enough of its quoting for the lines of the document.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in line.chars() {
        match (quote, character) {
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (_, character) => word.push(character),
        }
    }
    words.push(word);
    words
}

#[tokio::test]
async fn every_line_of_the_document_works_and_every_operation_has_one() {
    let served = with_key().await;
    let (_ann, welcome) = connect(&served, "ann").await;
    let http = Http::to(served.address());
    let text = include_str!("../../../docs/api.md");
    let mut called = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("curl ")) {
        let line = line
            .replace("$EVERWIRE_API_KEY", KEY)
            .replace("$EVERWIRE", "")
            .replace("$CONNECTION", &welcome.connection.to_string())
            .replace("$TOKEN", &token("ann", 60, &[]));
        let (mut method, mut path, mut headers, mut data) = (None, String::new(), Vec::new(), String::new());
        let mut arguments = words(&line).into_iter().skip(1);
        while let Some(word) = arguments.next() {
            match word.as_str() {
                "-X" => method = arguments.next(),
                "-H" => headers.push(arguments.next().unwrap()),
                "-d" => data = arguments.next().unwrap(),
                _ => path = word,
            }
        }
        let method = method.unwrap_or_else(|| if data.is_empty() { "GET".into() } else { "POST".into() });
        let headers: Vec<_> = headers.iter().map(|header| header.split_once(": ").unwrap()).collect();
        let parsed = Method::from_bytes(method.as_bytes()).unwrap();
        let (status, _, answer) = http.request(parsed, &path, &headers, data).await;
        assert_eq!(status, StatusCode::OK, "{line}: {answer}");
        assert!(serde_json::from_str::<Value>(&answer).unwrap().is_object(), "{line}: {answer}");
        let place = path.split('?').next().unwrap();
        called.insert((method.to_lowercase(), place.to_owned()));
    }
    let (_, _, document) = http.get("/openapi.json").await;
    let document: Value = serde_json::from_str(&document).unwrap();
    let matches = |pattern: &str, place: &str| {
        let (pattern, place): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), place.split('/').collect());
        pattern.len() == place.len() && pattern.iter().zip(place).all(|(a, b)| a.starts_with('{') || *a == b)
    };
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            operations += 1;
            let is_called = called.iter().any(|(verb, place)| verb == method && matches(path, place));
            assert!(is_called, "docs/api.md has no line for {method} {path}");
        }
    }
    assert!(operations > 15, "the document is the whole one");
    served.server.stop().await;
}

#[tokio::test]
async fn what_a_back_end_publishes_is_stored_once_per_key_and_reaches_whom_it_is_for() {
    let served = with_key().await;
    let http = Http::to(served.address());
    let (mut ann, welcome) = connect(&served, "ann").await;
    ann.join(subscribe("news")).await;
    ann.join(subscribe("everyone")).await;
    ann.join(subscribe("private-user.ann")).await;
    let headers = [("authorization", &*format!("Bearer {KEY}")), ("idempotency-key", "once")];
    let body =
        json!({"to": {"channel": "news"}, "data": "hello", "user": "desk", "name": "The desk"}).to_string();
    let mut answers = BTreeSet::new();
    for _ in 0..3 {
        let (status, _, answer) = http.request(Method::POST, "/api/v1/publish", &headers, body.clone()).await;
        assert_eq!(status, StatusCode::OK);
        answers.insert(answer);
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let message = ann.message().await;
    assert_eq!(
        (message.user.as_str(), message.name.as_deref(), &*text_of(&message)),
        ("desk", Some("The desk"), "hello")
    );
    let other = json!({"to": {"channel": "sport"}, "data": 1, "user": "desk"}).to_string();
    let (status, _, answer) = http.request(Method::POST, "/api/v1/publish", &headers, other).await;
    assert_eq!((status, answer.contains("id_reused")), (StatusCode::CONFLICT, true), "{answer}");

    let notification = json!({"title": "T", "message": "M"});
    publish(&http, json!({"to": "everyone", "event": "notification", "data": notification})).await;
    let message = ann.message().await;
    assert_eq!((message.channel.as_str(), message.user.as_str(), message.offset), ("everyone", "", 1));
    publish(&http, json!({"to": {"user": "ann"}, "event": "notification", "data": notification})).await;
    assert_eq!(ann.message().await.channel.as_str(), "private-user.ann");
    let signal = |frame| if let ServerFrame::Signalled(signal) = frame { Some(signal) } else { None };
    let (_, answer) =
        publish(&http, json!({"to": {"channel": "news"}, "event": "tick", "data": 1, "durable": false}))
            .await;
    assert_eq!((&answer["receivers"], &answer["offset"]), (&json!(1), &Value::Null));
    assert_eq!(ann.find(signal).await.channel.unwrap().as_str(), "news");
    publish(&http, json!({"to": {"connection": welcome.connection}, "event": "direct", "data": 2})).await;
    let direct = ann.find(signal).await;
    assert_eq!((direct.channel, direct.event.as_str(), direct.user), (None, "direct", None));
    assert_eq!(ann.join(recent("news", 9)).await.head, 1, "what was passed on was not stored");
    served.server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_as_json_with_the_codes_of_the_frames() {
    let served = with_key().await;
    let http = Http::to(served.address());
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let deep: Value = serde_json::from_str(&deep).unwrap();
    for (body, status, code) in [
        (json!({"to": "everyone", "data": 1, "more": 2}), 400, "invalid_frame"),
        (json!({"to": "nobody", "data": 1}), 400, "invalid_frame"),
        (json!({"to": "everyone"}), 400, "invalid_frame"),
        (json!({"to": {"channel": "two words"}, "data": 1}), 400, "invalid_frame"),
        (json!({"to": {"user": "x".repeat(129)}, "data": 1}), 400, "invalid_frame"),
        (json!({"to": "everyone", "event": "notification", "data": {"title": 1}}), 400, "invalid_payload"),
        (json!({"to": "everyone", "event": "everwire.chat", "data": 1}), 403, "forbidden"),
        (json!({"to": {"channel": "presence-users"}, "data": 1}), 403, "forbidden"),
        (json!({"to": "everyone", "data": deep}), 400, "invalid_payload"),
        (json!({"to": "everyone", "data": "x".repeat(40_000)}), 413, "too_large"),
        (json!({"to": "everyone", "data": "x".repeat(70_000)}), 413, "too_large"),
        (json!({"to": {"chat": "7"}, "data": 1}), 404, "not_found"),
        (json!({"to": {"connection": new_id()}, "event": "x", "data": 1}), 404, "not_found"),
        (json!({"to": {"connection": new_id()}, "data": 1, "durable": true}), 400, "invalid_frame"),
        (json!({"to": "everyone", "data": 1, "durable": false}), 400, "invalid_frame"),
        (json!({"to": "everyone", "data": 1, "user": ""}), 400, "invalid_frame"),
    ] {
        let (got, answer) = publish(&http, body.clone()).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{body}: {answer}");
        assert!(answer["message"].as_str().unwrap().len() > 10 && answer["retry"] == json!(false));
    }
    let ask = |method, path: &'static str, bearer: &'static str| call(&http, method, path, bearer, None);
    let ann = token("ann", 60, &[]);
    assert_eq!(ask(Method::GET, "/api/v1/stats", "another key altogether").await.0, 401);
    assert_eq!(ask(Method::GET, "/stats", "another key altogether").await.0, 401);
    assert_eq!(call(&http, Method::GET, "/api/v1/stats", &ann, None).await.0, 401);
    assert_eq!(ask(Method::GET, "/api/v1/active-chats", KEY).await.0, 401);
    assert_eq!(
        ask(Method::GET, "/api/v1/nothing", KEY).await,
        ask(Method::GET, "/api/v1/nothing", "x").await
    );
    assert_eq!(ask(Method::GET, "/api/v1/nothing", KEY).await.1["code"], "not_found");
    let (status, answer) = ask(Method::DELETE, "/api/v1/publish", KEY).await;
    assert_eq!((status, &answer["code"]), (405, &json!("unexpected")), "{answer}");
    let read = |path: &'static str| call(&http, Method::GET, path, &ann, None);
    assert_eq!(read("/api/v1/chats/7/messages").await.0, 403);
    assert_eq!(read("/api/v1/active-chats?limit=0").await.1["code"], "invalid_frame");
    assert_eq!(read("/api/v1/active-chats?limit=many").await.1["code"], "invalid_frame");
    let eve = token("eve", 60, &[]);
    let limited = loop {
        let (status, answer) = call(&http, Method::GET, "/api/v1/connection-info", &eve, None).await;
        if status != 200 {
            break (status, answer);
        }
    };
    assert_eq!((limited.0, &limited.1["code"]), (429, &json!("rate_limited")));
    assert!(limited.1["retry_after_ms"].as_u64().unwrap() > 0 && limited.1["retry"] == json!(true));
    let may = json!({"channel_name": "private-orders"});
    assert_eq!(call(&http, Method::POST, "/api/v1/broadcasting/auth", &ann, Some(may)).await.0, 403);
    served.server.stop().await;

    let served = serve(|_| {}).await;
    let http = Http::to(served.address());
    let (status, answer) = call(&http, Method::GET, "/api/v1/stats", KEY, None).await;
    assert_eq!(status, 403);
    assert!(answer["message"].as_str().unwrap().contains("EVERWIRE_API_KEY"), "{answer}");
    assert_eq!(http.get("/stats").await.0, StatusCode::OK, "a development server shows it to anybody");
    let (status, _, answer) = http.get("/api/v1/connection-info?user=ann&name=Ann%20A").await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["user"], &answer["name"]), (&json!("ann"), &json!("Ann A")));
    assert_eq!(answer["websocket_url"], format!("ws://{}/everwire/v1/ws", served.address()));
    served.server.stop().await;
}

#[tokio::test]
async fn what_is_no_page_is_never_taken_for_one_and_kept_by_nobody() {
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("index.html"), "<p>a page</p>").unwrap();
    for directory in [None, Some(files.path().to_owned())] {
        let has_page = directory.is_some();
        let served = serve(move |config| {
            config.api_key = Some(ApiKey::new(KEY).unwrap());
            config.serve_dir = directory;
        })
        .await;
        let http = Http::to(served.address());
        for (method, path) in [
            (Method::GET, "/api/v1/%3Cscript%3Ealert(1)%3C/script%3E"),
            (Method::GET, "/api/v1/channels/%3Cscript%3E/presence"),
            (Method::GET, "/api/v1/stats"),
            (Method::DELETE, "/api/v1/publish"),
            (Method::GET, "/api/v1/connection-info?user=ann"),
            (Method::GET, "/stats"),
            (Method::GET, "/livez"),
            (Method::GET, "/readyz"),
            (Method::GET, "/openapi.json"),
            (Method::GET, "/everwire/v1/ws"),
            (Method::GET, "/everwire/v1/poll"),
            (Method::POST, "/everwire/v1/poll"),
        ] {
            let auth = [("authorization", &*format!("Bearer {KEY}"))];
            let (_, headers, text) = http.request(method, path, &auth, Body::empty()).await;
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
            let kept = if path == "/openapi.json" { "no-cache" } else { "no-store" };
            assert_eq!(headers["cache-control"], kept, "{path}");
            let kind = headers["content-type"].to_str().unwrap();
            assert!(
                ["application/json", "text/plain; charset=utf-8"].contains(&kind),
                "{path}: {kind} {text}"
            );
        }
        let (status, headers, text) = http.get("/an/unknown/%3Cb%3Epath%3C/b%3E").await;
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers.contains_key("content-security-policy"), !has_page, "an application has its own");
        assert_eq!((status == StatusCode::OK, text.contains("<p>a page")), (has_page, has_page));
        served.server.stop().await;
    }
}

#[tokio::test]
async fn what_a_query_says_is_understood_or_refused() {
    let served = with_key().await;
    let http = Http::to(served.address());
    for (method, path) in [
        (Method::DELETE, "/api/v1/users/ann?for_second=1"),
        (Method::DELETE, "/api/v1/users/ann?for_seconds=0"),
        (Method::DELETE, "/api/v1/users/ann?for_seconds=18446744073709551615"),
        (Method::GET, "/api/v1/bans?limits=1"),
        (Method::GET, "/api/v1/bans?limit=101"),
        (Method::GET, "/api/v1/bans?limit=1&limit=2"),
        (Method::GET, "/api/v1/channels/presence-x/presence?before=a"),
        (Method::GET, "/api/v1/chats/7/members?limit=1"),
    ] {
        let (status, answer) = call(&http, method, path, KEY, None).await;
        assert_eq!((status, &answer["code"]), (400, &json!("invalid_frame")), "{path}: {answer}");
    }
    // An id in another spelling is no id.
    let upper = new_id().to_string().to_uppercase();
    for id in [upper.as_str(), "{01930000-0000-7000-8000-000000000007}", "-1", "1e3"] {
        let path = format!("/api/v1/channels/news/messages/{id}");
        let (status, answer) = call(&http, Method::DELETE, &path.replace(['{', '}'], "%7B"), KEY, None).await;
        assert_eq!((status, &answer["message"]), (404, &json!("Message not found.")), "{id}: {answer}");
    }
    served.server.stop().await;
}

#[tokio::test]
async fn a_back_end_puts_users_into_chats_takes_them_out_and_disconnects_them() {
    let served = with_key().await;
    let http = Http::to(served.address());
    let (mut ann, _) = connect(&served, "ann").await;
    ann.join(subscribe("private-user.ann")).await;
    let body = json!({"kind": "group", "title": "Support", "users": [{"user": "ann"}, {"user": "bob", "role": "read_only"}]});
    let (_, chat) = call(&http, Method::POST, "/api/v1/chats", KEY, Some(body)).await;
    assert_eq!(chat["members"][0]["role"], "owner", "the first user without a role");
    let id = chat["id"].as_str().unwrap();
    assert_eq!(ann.changed_chat().await.id, id);
    let log = format!("private-chat.{id}");
    ann.join(subscribe(&log)).await;
    ann.chat(&log, "hello").await;
    let member = format!("/api/v1/chats/{id}/members/ann");
    let last = call(&http, Method::PATCH, &member, KEY, Some(json!({"role": "member"}))).await;
    assert_eq!((last.0, &last.1["code"]), (403, &json!("forbidden")), "a chat keeps an owner");
    let (_, chat) = call(&http, Method::DELETE, &member, KEY, None).await;
    assert_eq!(
        chat["members"],
        json!([{"user": "bob", "role": "owner", "since": chat["members"][0]["since"], "status": "offline"}])
    );
    let ended = ann.find(|frame| if let ServerFrame::Unsubscribed(u) = frame { Some(u) } else { None }).await;
    assert_eq!((ended.channel.as_str(), ended.code), (&*log, Some(ErrorCode::Forbidden.into())));
    let (_, ended) = call(&http, Method::POST, "/api/v1/users/ann/disconnect", KEY, None).await;
    assert_eq!(ended, json!({"connections": 1}));
    assert_eq!(ann.until_it_ends().await.1, Ended::Code(CloseCode::Disconnected.as_u16()));
    served.server.stop().await;
}

#[tokio::test]
async fn a_server_counts_what_it_does_and_its_program_shows_it_and_cleans_up() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let file = database.to_str().unwrap();
    let server =
        Program::start(&database, &["--api-key", KEY, "--jwt-secret", SECRET, "--retention", "1000"]);
    let mut ann = Client::connect(server.address, "ann").await;
    ann.join(subscribe("news")).await;
    for n in 0..30 {
        ann.chat("news", &n.to_string()).await;
    }
    let url = format!("http://{}", server.address);
    let (worked, out, err) = program::run(&["stats", "--server", &url, "--json"]);
    assert!(worked, "{err}");
    let stats: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&stats["users"], &stats["sessions"], &stats["messages_stored"]),
        (&json!(1), &json!(1), &json!(30))
    );
    assert_eq!((&stats["connections"]["websocket"], &stats["channels"]), (&json!(1), &json!(1)));
    assert_eq!(stats["frames_in"], 32, "hello, subscribe and the sends");
    assert!(stats["frames_out"].as_u64().unwrap() >= 62, "welcome, subscribed, acks and messages: {stats}");
    let (worked, out, _) = program::run(&["stats", "--server", &url]);
    assert!(worked && out.contains("messages stored") && out.contains("30"), "{out}");

    let cleanup = ["cleanup", "--database", file, "--server", &url, "--retention", "10", "--json"];
    let (worked, _, err) = program::run(&cleanup);
    assert!(!worked && err.contains("API key"), "{err}");
    let (worked, out, err) = program::run(&[&cleanup[..], &["--api-key", KEY]].concat());
    assert!(worked, "{err}");
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap()["messages"],
        0,
        "the server's own retention counts"
    );
    server.kill();
    let (worked, _, err) = program::run(&["stats", "--server", &url]);
    assert!(!worked && err.contains("is the server running"), "{err}");
    let (worked, out, err) = program::run(&cleanup);
    assert!(worked, "{err}");
    let done: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&done["messages"], &done["more"]), (&json!(20), &json!(false)));
    let (worked, _, err) = program::run(&["cleanup", "--database", "/no/such/file.db"]);
    assert!(!worked && err.contains("file not found"), "{err}");
}
