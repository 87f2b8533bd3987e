//! The log: every end and every refusal is in it, with who it was and why.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use axum::{body::Body, http::Method};
use everwire_protocol::batch;
use serde_json::Value;

use super::kit::{
    Client, SECRET, hello_with, history,
    http::Http,
    new_id,
    program::{command, exited},
    token,
};

const KEY: &str = "the API key of the tests";

#[tokio::test]
async fn every_end_and_every_refusal_is_in_the_log_with_who_it_was_and_why() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let arguments = [
        ["--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()],
        ["--jwt-secret", SECRET, "--api-key", KEY],
        ["--log", "info", "--log-format", "json"],
    ];
    let arguments = [&arguments.concat()[..], &["--count-loopback"]].concat();
    let mut child = command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
    let http = Http::to(address);
    let bearer = |text: &str| format!("Bearer {text}");

    let session = new_id();
    let mut ann = Client::open(address).await;
    ann.say(&[hello_with(Some(&token("ann", 60, &[])), session)]).await;
    ann.welcome().await;
    let mut nobody = Client::open(address).await;
    nobody.say(&[hello_with(Some("not a token"), new_id())]).await;
    nobody.until_it_ends().await;
    let frames = batch::encode(&[hello_with(None, new_id()), history("news", None, None, None)]);
    http.post_text(&frames, &[("authorization", &bearer("not a token"))]).await;
    let wrong = [("authorization", &*bearer("another key altogether"))];
    http.request(Method::POST, "/api/v1/users/eve/disconnect", &wrong, Body::empty()).await;
    // The session is that of ann.
    let eves = bearer(&token("eve", 60, &[]));
    let frames = batch::encode(&[hello_with(None, session), history("news", None, None, None)]);
    http.post_text(&frames, &[("authorization", &eves)]).await;
    http.request(Method::GET, "/api/v1/chats/7/messages", &[("authorization", &eves)], Body::empty()).await;
    // While she is connected, her session is hers for certain.
    drop(ann);

    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    assert!(exited(&mut child).success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let session = session.to_string();
    // The message, the path, the user, the session, and the code: as far as they are known.
    for (message, path, user, session, code) in [
        ("websocket closed", None, Some("ann"), Some(&*session), None),
        ("websocket closed", None, None, None, Some("4001")),
        ("request refused", Some("/everwire/v1/poll"), None, None, Some("unauthorized")),
        ("request refused", Some("/api/v1/users/eve/disconnect"), None, None, Some("unauthorized")),
        ("post refused", None, Some("eve"), Some(&*session), Some("4005")),
        ("request refused", Some("/api/v1/chats/7/messages"), Some("eve"), None, Some("forbidden")),
    ] {
        let found = lines.iter().any(|line| {
            let text = |name: &str| match &line[name] {
                Value::String(text) => Some(text.clone()),
                Value::Null => None,
                other => Some(other.to_string()),
            };
            let is =
                |name: &str, expected: Option<&str>| expected.is_none() || text(name).as_deref() == expected;
            is("message", Some(message))
                && is("path", path)
                && is("user", user)
                && is("session", session)
                && is("code", code)
                && is("address", Some("127.0.0.1"))
                && text("reason").is_some_and(|reason| reason.len() > 5)
        });
        assert!(found, "{message} {path:?} {user:?} {code:?} is not in the log:\n{log}");
    }
    assert!(!log.contains("another key") && !log.contains("not a token"), "{log}");
}

#[tokio::test]
async fn the_limit_of_open_files_is_said_at_start_and_an_unnamed_proxy_once() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let arguments = ["--dev", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()];
    let arguments = [&arguments[..], &["--log", "info", "--log-format", "json", "--count-loopback"]].concat();
    let mut child = command(&arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        // Each on a socket of its own.
        let forwarded = [("x-forwarded-for", client)];
        Http::to(address).request(Method::GET, "/livez", &forwarded, Body::empty()).await;
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    assert!(exited(&mut child).success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let open_files = lines.iter().find_map(|line| line["open_files"].as_u64());
    assert!(open_files.is_some_and(|limit| limit >= 1024), "{log}");
    let of_proxies = lines.iter().filter(|line| line["proxy"] == "127.0.0.1");
    let messages: Vec<_> = of_proxies.filter_map(|line| line["message"].as_str()).collect();
    assert!(matches!(&messages[..], [one] if one.contains("--trusted-proxy")), "{log}");
}
