//! Permission is checked again whenever its basis changes: a token without the grant, over WebSocket and by polling, and an
//! origin that is not allowed.

use axum::http::{Method, StatusCode};
use everwire_protocol::{ClientFrame, ErrorCode, ServerFrame, Token, Uuid, batch};
use everwire_server::transports::Origins;

use super::kit::{
    self, Client, Served, channel, chat, hello, hello_with, history,
    http::{Http, poll, polled},
    key, new_id, resume, send, serve, subscribe, token,
};
use everwire_protocol::Role;

async fn with_tokens() -> Served {
    let served = serve(|config| {
        config.dev = false;
        config.key = Some(key());
    })
    .await;
    chat(&served, "7", &[("ann", Role::Owner), ("bob", Role::Member)]);
    chat(&served, "8", &[("bob", Role::Owner)]);
    served
}

async fn connect(served: &Served, user: &str, grants: &[&str]) -> Client {
    let mut client = Client::open(served.address()).await;
    client.say(&[hello_with(Some(&token(user, 60, grants)), new_id())]).await;
    client.welcome().await;
    client
}

fn renew(user: &str, grants: &[&str]) -> ClientFrame {
    Token { token: token(user, 60, grants) }.into()
}

/// The channels whose subscriptions ended, in alphabetical order.
fn ended(frames: &[ServerFrame]) -> Vec<&str> {
    let mut ended: Vec<_> = frames
        .iter()
        .filter_map(|frame| match frame {
            ServerFrame::Unsubscribed(end) if end.code == Some(ErrorCode::Forbidden.into()) => {
                assert_eq!(end.retry_after_ms, None);
                Some(end.channel.as_str())
            }
            _ => None,
        })
        .collect();
    ended.sort_unstable();
    ended
}

const CHANNELS: [&str; 5] = ["news", "private-chat.7", "private-chat.8", "private-orders", "private-stock"];
const ALL: [&str; 2] = ["private-chat.*", "private-*"];

#[tokio::test]
async fn a_token_without_the_grant_ends_what_it_granted_over_websocket() {
    let served = with_tokens().await;
    let mut ann = connect(&served, "ann", &ALL).await;
    let mut bob = connect(&served, "bob", &["private-orders"]).await;
    for name in CHANNELS {
        ann.join(subscribe(name)).await;
    }
    ann.say(&[renew("ann", &["private-stock"])]).await;
    let mut frames = ann.settle().await;
    // Membership is looked up beside the connection.
    frames.extend(ann.settle().await);
    // A member of the chat 7 needs no grant for it.
    assert_eq!(ended(&frames), ["private-chat.8", "private-orders"]);
    bob.chat("private-orders", "a secret").await;
    bob.chat("private-chat.8", "another").await;
    bob.chat("private-chat.7", "for members").await;
    assert_eq!(kit::text_of(&ann.message().await), "for members");
    ann.say(&[send(new_id(), "private-orders", "x")]).await;
    assert_eq!(ann.error().await.code, ErrorCode::Forbidden);
    for name in ["private-orders", "private-chat.8"] {
        ann.say(&[history(name, None, None, None)]).await;
        assert_eq!(ann.error().await.code, ErrorCode::Forbidden, "{name}");
    }
    ann.chat("private-stock", "still granted").await;
    served.server.stop().await;
}

#[tokio::test]
async fn a_poll_with_a_token_without_the_grant_ends_what_it_granted() {
    let served = with_tokens().await;
    let (http, session) = (Http::to(served.address()), new_id());
    let post = async |grants: &[&str], poll: ClientFrame, set: &[ClientFrame]| {
        let bearer = format!("Bearer {}", token("ann", 60, grants));
        let frames = [&[hello_with(None, session), poll], set].concat();
        http.post_text(&batch::encode(&frames), &[("authorization", &bearer)]).await
    };
    let (_, frames) = polled(post(&ALL, poll(None, 0, 25_000), &CHANNELS.map(subscribe)).await);
    let [ServerFrame::Welcome(welcome), ..] = &frames[..] else { panic!("{frames:?}") };
    let mut set: Vec<_> = frames
        .iter()
        .filter_map(|frame| match frame {
            ServerFrame::Subscribed(s) => Some(resume(s.channel.as_str(), &s.epoch, s.offset)),
            _ => None,
        })
        .collect();
    assert_eq!(set.len(), CHANNELS.len());
    let mut bob = connect(&served, "bob", &["private-orders"]).await;
    bob.chat("private-orders", "a secret").await;
    let (mut ack, mut received) = (1, Vec::new());
    // Membership is looked up beside the connection: its answer may be in the next response.
    while ended(&received).len() < 2 {
        let (seq, frames) =
            polled(post(&["private-stock"], poll(Some(welcome.connection), ack, 25_000), &set).await);
        ack = seq;
        received.extend(frames);
        // As a client does with a subscription that has ended for good.
        set.retain(|frame| match frame {
            ClientFrame::Subscribe(subscribe) => !ended(&received).contains(&subscribe.channel.as_str()),
            _ => true,
        });
    }
    assert_eq!(ended(&received), ["private-chat.8", "private-orders"]);
    let secret = |frame: &ServerFrame| matches!(frame, ServerFrame::Message(m) if m.channel == channel("private-orders"));
    let before = received.iter().position(|frame| matches!(frame, ServerFrame::Unsubscribed(_)));
    assert!(!received[before.unwrap()..].iter().any(secret), "{received:?}");
    served.server.stop().await;
}

#[tokio::test]
async fn a_page_of_another_origin_may_neither_post_nor_call_and_a_token_is_not_taken_from_a_body() {
    let served = serve(|config| {
        config.dev = false;
        config.key = Some(key());
        config.origins = Origins::Listed(vec!["https://chat.example".parse().unwrap()]);
    })
    .await;
    let http = Http::to(served.address());
    let bearer = format!("Bearer {}", token("ann", 60, &["private-orders"]));
    let body = |token: Option<&str>| {
        batch::encode(&[hello_with(token, Uuid::now_v7()), send(new_id(), "private-orders", "x")])
    };
    let post = async |path: &str, origin: &str, body: String| {
        let headers = [("origin", origin), ("authorization", &*bearer), ("content-type", "text/plain")];
        let (status, _, text) = http.request(Method::POST, path, &headers, body).await;
        (status, text)
    };
    for path in ["/everwire/v1/poll", "/api/v1/online-status"] {
        let (status, text) = post(path, "https://evil.example", body(None)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains("--allow-origin"), "{text}");
    }
    let (status, text) = post("/everwire/v1/poll", "https://chat.example", body(None)).await;
    assert!(status == StatusCode::OK && text.contains("\"ack\""), "{text}");
    let (status, _) =
        post("/api/v1/online-status", "https://chat.example", r#"{"is_online":true}"#.into()).await;
    assert_eq!(status, StatusCode::OK);
    let shown = token("ann", 60, &["private-orders"]);
    let refused = http.post_text(&body(Some(&shown)), &[]).await;
    assert!(
        matches!(&refused[..], [ServerFrame::Error(error)] if error.code == ErrorCode::Unauthorized),
        "{refused:?}"
    );
    // Somebody else's poll does not continue a session.
    let session = new_id();
    let frames = batch::encode(&[hello_with(None, session), poll(None, 0, 0)]);
    let (_, frames) = polled(http.post_text(&frames, &[("authorization", &bearer)]).await);
    let [ServerFrame::Welcome(welcome)] = &frames[..] else { panic!("{frames:?}") };
    let guest = http.post(&[hello("eve", session), poll(Some(welcome.connection), 1, 0)]).await;
    assert!(
        matches!(&guest[..], [ServerFrame::Error(error)] if error.code == ErrorCode::Unauthorized),
        "{guest:?}"
    );
    served.server.stop().await;
}
