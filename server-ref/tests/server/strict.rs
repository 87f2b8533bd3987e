//! The strict door: what a strict JSON reader refuses, and control characters in ids, names and titles, are refused on every
//! way in; one invalid frame does not affect its neighbours.

use axum::http::{Method, StatusCode};
use everwire_protocol::{ErrorCode, ServerFrame, Uuid, batch};
use everwire_server::api::ApiKey;
use serde_json::Value;

use super::kit::{Client, hello, hello_with, http::Http, key, new_id, send, serve, token};

/// Texts of `data` that strict readers refuse, with a part of the reason.
const REFUSED: [(&str, &str); 5] = [
    (r#"{"text":"a\ud800b"}"#, r"data.text: lone surrogate \ud800"),
    (r#"["\uffff"]"#, "data[0]: noncharacter U+FFFF"),
    (r#"{"a":1,"b":{},"a":2}"#, "data.a: duplicate key"),
    (r#"{"n":1e400}"#, "data.n: number out of range"),
    ("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested deeper"),
];

fn text_of(frame: &impl batch::Frame) -> String {
    batch::encode_frame(frame)
}

fn spoiled(id: Uuid, data: &str) -> String {
    format!(r#"{{"type":"send","id":"{id}","channel":"news","data":{data}}}"#)
}

/// A batch of good sends around one that is spoiled, and the id of that one.
fn around(data: &str, before: Option<String>) -> (String, Uuid) {
    let id = new_id();
    let (first, last) = (text_of(&send(new_id(), "news", "1")), text_of(&send(new_id(), "news", "2")));
    let frames: Vec<String> = before.into_iter().chain([first, spoiled(id, data), last]).collect();
    (format!("[{}]", frames.join(",")), id)
}

/// Two acks, and the refusal of the frame between them.
fn check_answers(frames: &[ServerFrame], id: Uuid, reason: &str) {
    let acks = frames.iter().filter(|frame| matches!(frame, ServerFrame::Ack(_))).count();
    assert_eq!((acks, frames.len()), (2, 3), "{frames:?}");
    let error = frames.iter().find_map(|frame| match frame {
        ServerFrame::Error(error) => Some(error),
        _ => None,
    });
    let error = error.unwrap();
    assert_eq!((&error.code, error.id), (&ErrorCode::InvalidPayload.into(), Some(id)));
    assert_eq!((error.re.as_deref(), error.retry), (Some("send"), false));
    assert!(error.message.contains(reason), "{}", error.message);
}

#[tokio::test]
async fn a_spoiled_send_is_refused_alone_by_websocket_however_often() {
    let served = serve(|_| {}).await;
    let mut client = Client::connect(served.address(), "a").await;
    for _ in 0..3 {
        for (data, reason) in REFUSED {
            let (batch, id) = around(data, None);
            client.say_text(&batch).await;
            let frames = [client.next().await, client.next().await, client.next().await];
            check_answers(&frames, id, reason);
        }
    }
    served.server.stop().await;
}

#[tokio::test]
async fn a_spoiled_send_is_refused_alone_in_a_post() {
    let served = serve(|_| {}).await;
    let http = Http::to(served.address());
    for (data, reason) in REFUSED {
        let (batch, id) = around(data, Some(text_of(&hello("a", new_id()))));
        check_answers(&http.post_text(&batch, &[]).await, id, reason);
    }
    // A hello that is invalid is named too.
    let upper = Uuid::now_v7().to_string().to_uppercase();
    let frames =
        http.post_text(&format!(r#"[{{"type":"hello","version":1,"session":"{upper}"}}]"#), &[]).await;
    let [ServerFrame::Error(error)] = &frames[..] else { panic!("{frames:?}") };
    assert!(error.code == ErrorCode::InvalidFrame && error.message.contains("lower case"), "{error:?}");
    served.server.stop().await;
}

#[tokio::test]
async fn the_http_api_refuses_the_same() {
    let served = serve(|config| config.api_key = Some(ApiKey::new("the key of the tests").unwrap())).await;
    let http = Http::to(served.address());
    let headers = [("authorization", "Bearer the key of the tests"), ("content-type", "application/json")];
    let publish = async |body: String| {
        let (status, _, body) = http.request(Method::POST, "/api/v1/publish", &headers, body).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (status, text("code"), text("message"))
    };
    for (data, reason) in REFUSED {
        let (status, code, message) =
            publish(format!(r#"{{"to":{{"channel":"news"}},"data":{data}}}"#)).await;
        assert_eq!((status, &*code), (StatusCode::BAD_REQUEST, "invalid_payload"), "{data}");
        assert!(message.contains(reason), "{message}");
    }
    for (body, reason) in [
        (r#"{"to":{"channel":"news"},"to":{"channel":"other"},"data":1}"#, "to: duplicate key"),
        (r#"{"to":{"user":"a\u0007"},"data":1}"#, "control characters"),
        (r#"{"to":{"channel":"news"},"user":"a\n","data":1}"#, "control characters"),
        (r#"{"to":{"channel":"news"},"user":"a","name":"\u009f","data":1}"#, "control characters"),
        (r#"{"to":{"channel":"news"},"event":"e\u0000","data":1}"#, "control characters"),
        (
            r#"{"to":{"connection":"0190A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B"},"event":"e","data":1}"#,
            "lower case",
        ),
    ] {
        let (status, _, message) = publish(body.into()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(message.contains(reason), "{message}");
    }
    for (method, path, body) in [
        (Method::POST, "/api/v1/chats", r#"{"kind":"group","title":"a\u0001","users":[]}"#),
        (Method::POST, "/api/v1/chats", r#"{"kind":"group","users":[{"user":"a\u0001"}]}"#),
        (Method::POST, "/api/v1/chats", r#"{"kind":"group","users":[{"user":"a","name":"\u0001"}]}"#),
        (Method::PUT, "/api/v1/users/a%0A/status", r#"{"status":"away"}"#),
        (Method::POST, "/api/v1/users/a%7F/disconnect", ""),
    ] {
        let (status, _, answer) = http.request(method, path, &headers, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}");
        assert!(answer.contains("control characters"), "{answer}");
    }
    served.server.stop().await;
}

#[tokio::test]
async fn control_characters_in_ids_names_and_titles_are_refused_in_frames() {
    let served = serve(|config| config.key = Some(key())).await;
    let http = Http::to(served.address());
    let bearer = format!("Bearer {}", token("a\u{1b}", 60, &[]));
    let signed_in = batch::encode(&[hello_with(None, new_id())]);
    let by_token = http.post_text(&signed_in, &[("authorization", &bearer)]).await;
    for frames in [by_token, http.post(&[hello("a\u{1b}", new_id())]).await] {
        let [ServerFrame::Error(error)] = &frames[..] else { panic!("{frames:?}") };
        assert_eq!(error.code, ErrorCode::Unauthorized);
        assert!(error.message.contains("control characters"), "{}", error.message);
    }
    let mut client = Client::connect(served.address(), "a").await;
    for (kind, fields) in [
        ("create_chat", r#""kind":"group","title":"a\u0085","users":[]"#),
        ("create_chat", r#""kind":"group","users":["b","c\n"]"#),
        ("create_chat", r#""kind":"direct","users":["c\n"]"#),
        ("get_status", r#""users":["b","c\n"]"#),
        ("send", r#""channel":"news","event":"e\n","data":1"#),
    ] {
        let id = new_id();
        client.say_text(&format!(r#"[{{"type":"{kind}","id":"{id}",{fields}}}]"#)).await;
        let error = client.error().await;
        assert_eq!((&error.code, error.id), (&ErrorCode::InvalidFrame.into(), Some(id)), "{fields}");
        assert_eq!(error.re.as_deref(), Some(kind));
        assert!(error.message.contains("control characters"), "{}", error.message);
    }
    served.server.stop().await;
}

#[tokio::test]
async fn an_answer_does_not_quote_without_bound() {
    let served = serve(|_| {}).await;
    let mut client = Client::connect(served.address(), "a").await;
    let long = "\\u0001".repeat(9_000);
    for text in [
        format!(r#"[{{"type":"{long}"}}]"#),
        format!(r#"[{{"type":"subscribe","channel":"{long}"}}]"#),
        format!(r#"[{{"type":"set_status","id":"{}","status":"{long}"}}]"#, new_id()),
    ] {
        client.say_text(&text).await;
        let answer = text_of(&client.next().await);
        assert!(answer.len() < 2_000, "{} bytes", answer.len());
    }
    served.server.stop().await;
}
