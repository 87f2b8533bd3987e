//! The server over HTTP polling.

use axum::http::{Method, StatusCode};
use everwire_protocol::{ClientFrame, ErrorCode, ServerFrame, Subscribe, batch};

use super::kit::{
    self, Client, channel, hello, hello_with,
    http::{Http, poll, polled},
    new_id, resume, send, serve, subscribe, text_of, unsubscribe,
};

fn kinds(frames: &[ServerFrame]) -> Vec<&'static str> {
    frames.iter().map(batch::Frame::kind).collect()
}

fn texts(frames: &[ServerFrame]) -> Vec<String> {
    frames
        .iter()
        .filter_map(|f| if let ServerFrame::Message(m) = f { Some(text_of(m)) } else { None })
        .collect()
}

#[tokio::test]
async fn a_chat_by_polling_and_websocket_where_a_lost_response_loses_and_doubles_nothing() {
    let served = serve(|_| {}).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let mut socket = Client::connect(served.address(), "b").await;
    socket.join(subscribe("news")).await;
    let (seq, frames) =
        polled(http.post(&[hello("a", session), poll(None, 0, 25_000), subscribe("news")]).await);
    assert_eq!((seq, kinds(&frames)), (1, vec!["welcome", "subscribed"]));
    let (ServerFrame::Welcome(welcome), ServerFrame::Subscribed(at)) = (&frames[0], &frames[1]) else {
        panic!()
    };
    let (id, epoch) = (Some(welcome.connection), at.epoch.clone());
    let next =
        |ack: u64, offset: u64| [hello("a", session), poll(id, ack, 25_000), resume("news", &epoch, offset)];

    // Held until something comes.
    let waiting = tokio::spawn({
        let (http, frames) = (http.clone(), next(1, 0));
        async move { http.post(&frames).await }
    });
    socket.chat("news", "one").await;
    let lost = waiting.await.unwrap();
    assert_eq!(texts(&lost), ["one"]);
    socket.chat("news", "two").await;
    // As if that response had been lost.
    assert_eq!(http.post(&next(1, 0)).await, lost);
    let (seq, frames) = polled(http.post(&next(2, 1)).await);
    assert_eq!((seq, texts(&frames)), (3, vec!["two".to_owned()]));

    // Sending goes beside.
    let id = new_id();
    let batch = [hello("a", session), send(id, "news", "three"), send(id, "news", "three")];
    let answers = http.post(&batch).await;
    assert_eq!(kinds(&answers), ["ack", "ack"]);
    assert_eq!(answers[0], answers[1]);
    let (_, frames) = polled(http.post(&next(3, 2)).await);
    assert_eq!(texts(&frames), ["three"]);
    served.server.stop().await;
}

#[tokio::test]
async fn a_poll_lands_on_a_server_that_has_never_met_the_session() {
    let served = serve(|_| {}).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let mut socket = Client::connect(served.address(), "b").await;
    let epoch = socket.join(subscribe("news")).await.epoch;
    socket.chat("news", "one").await;
    socket.chat("news", "two").await;
    let frames = [hello("a", session), poll(Some(new_id()), 41, 25_000), resume("news", &epoch, 1)];
    let (seq, frames) = polled(http.post(&frames).await);
    assert_eq!((seq, kinds(&frames)), (1, vec!["welcome", "subscribed", "message"]));
    assert_eq!(texts(&frames), ["two"]);
    served.server.stop().await;
}

#[tokio::test]
async fn errors_of_a_whole_request_are_a_200_with_an_error_frame() {
    let served = serve(|config| {
        config.dev = false;
        config.key = Some(everwire_server::auth::token::TokenKey::new(kit::SECRET).unwrap());
    })
    .await;
    let http = Http::to(served.address());
    let code = |frames: Vec<ServerFrame>| match &frames[..] {
        [ServerFrame::Error(error)] => error.code.listed().unwrap(),
        other => panic!("{other:?}"),
    };
    let bearer = format!("Bearer {}", kit::token("a", 3600, &["news"]));
    let signed_in = [("authorization", &*bearer)];
    let poll_alone = batch::encode(&[poll(None, 0, 0)]);
    assert_eq!(code(http.post_text("rubbish", &signed_in).await), ErrorCode::InvalidBatch);
    assert_eq!(code(http.post_text("", &signed_in).await), ErrorCode::InvalidBatch);
    assert_eq!(code(http.post_text("[]", &signed_in).await), ErrorCode::Unexpected);
    assert_eq!(code(http.post_text(&"x".repeat(70_000), &signed_in).await), ErrorCode::TooLarge);
    assert_eq!(code(http.post_text(&poll_alone, &signed_in).await), ErrorCode::Unexpected);
    // Nothing is read from a client that has not signed in.
    assert_eq!(code(http.post_text(&"x".repeat(70_000), &[]).await), ErrorCode::Unauthorized);
    for frames in [
        vec![hello_with(None, new_id()), poll(None, 0, 0)],
        vec![hello_with(None, new_id()), send(new_id(), "news", "x")],
        vec![hello_with(Some("rubbish"), new_id()), poll(None, 0, 0)],
    ] {
        assert_eq!(code(http.post(&frames).await), ErrorCode::Unauthorized);
    }
    let text = batch::encode(&[hello_with(None, new_id()), send(new_id(), "news", "x")]);
    assert_eq!(kinds(&http.post_text(&text, &signed_in).await), ["ack"]);
    served.server.stop().await;
}

#[tokio::test]
async fn a_post_can_leave_a_channel_and_end_the_session() {
    let served = serve(|_| {}).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let mut watcher = Client::connect(served.address(), "w").await;
    watcher.join(subscribe("presence-a")).await;
    watcher.join(subscribe("presence-b")).await;
    let set = [subscribe("presence-a"), subscribe("presence-b")];
    http.post(&[&[hello("a", session), poll(None, 0, 25_000)], &set[..]].concat()).await;
    let mut joined = 0;
    while joined < 2 {
        joined += usize::from(matches!(watcher.next().await, ServerFrame::MemberJoined(_)));
    }
    assert_eq!(kinds(&http.post(&[hello("a", session), unsubscribe("presence-a")]).await), ["unsubscribed"]);
    let left = |frame: ServerFrame| {
        if let ServerFrame::MemberLeft(left) = frame { Some(left.channel) } else { None }
    };
    assert_eq!(watcher.find(left).await, channel("presence-a"));
    assert_eq!(http.post(&[hello("a", session), everwire_protocol::Bye {}.into()]).await, []);
    assert_eq!(watcher.find(left).await, channel("presence-b"));
    served.server.stop().await;
}

#[tokio::test]
async fn a_held_poll_is_answered_when_the_server_stops() {
    let served = serve(|_| {}).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let (_, frames) = polled(http.post(&[hello("a", session), poll(None, 0, 25_000)]).await);
    let ServerFrame::Welcome(welcome) = &frames[0] else { panic!() };
    let held = [hello("a", session), poll(Some(welcome.connection), 1, 25_000)];
    let node = served.server.node().clone();
    let (frames, ()) = tokio::join!(http.post(&held), async {
        // The poll is there as soon as its socket is one more than the connection's own.
        kit::until(|| *node.connections.borrow() == 1 && node.held_polls() == 1).await;
        served.server.stop().await;
    });
    assert!(kinds(&frames).contains(&"goaway"), "{frames:?}");
}

#[tokio::test]
async fn pages_of_other_origins_are_allowed_as_configured() {
    let served = serve(|config| {
        config.origins =
            everwire_server::transports::Origins::Listed(vec!["https://chat.example".parse().unwrap()]);
    })
    .await;
    let http = Http::to(served.address());
    let ask = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        let (_, headers, _) = http.request(Method::OPTIONS, "/everwire/v1/poll", &headers, "").await;
        headers.get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    assert_eq!(ask("https://chat.example").await.as_deref(), Some("https://chat.example"));
    assert_eq!(ask("https://evil.example").await, None);
    served.server.stop().await;
}

#[tokio::test]
async fn an_address_that_is_opened_wrongly_says_what_it_is() {
    let served = serve(|_| {}).await;
    let http = Http::to(served.address());
    for (path, status, word) in [
        ("/everwire/v1/ws", StatusCode::UPGRADE_REQUIRED, "WebSocket"),
        ("/everwire/v1/poll", StatusCode::METHOD_NOT_ALLOWED, "POST"),
        ("/", StatusCode::NOT_FOUND, "Everwire server"),
    ] {
        let (got, _, body) = http.get(path).await;
        assert_eq!(got, status);
        assert!(body.contains(word), "{body}");
    }
    let (status, _, body) = http.get("/healthz").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains(r#""status":"ok""#) && body.contains(r#""writable":true"#), "{body}");
    served.server.stop().await;
}

#[tokio::test]
async fn an_application_is_served_from_the_same_port() {
    let pages = tempfile::tempdir().unwrap();
    std::fs::create_dir(pages.path().join("assets")).unwrap();
    std::fs::write(pages.path().join("index.html"), "<p>the application</p>").unwrap();
    std::fs::write(pages.path().join("assets/core-1a2b.wasm"), b"\0asm").unwrap();
    let served = serve(|config| config.serve_dir = Some(pages.path().into())).await;
    let http = Http::to(served.address());
    for path in ["/", "/rooms/42"] {
        let (status, headers, body) = http.get(path).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "<p>the application</p>"));
        assert_eq!(headers["cache-control"], "no-cache");
    }
    let (status, headers, _) = http.get("/assets/core-1a2b.wasm").await;
    assert_eq!((status, headers["content-type"].as_bytes()), (StatusCode::OK, &b"application/wasm"[..]));
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(http.get("/assets/gone.js").await.0, StatusCode::NOT_FOUND);
    assert_eq!(http.get("/../Cargo.toml").await.0, StatusCode::NOT_FOUND);
    served.server.stop().await;
}

#[tokio::test]
async fn a_poll_that_comes_late_does_not_take_the_session_back_from_a_websocket() {
    let served = serve(|_| {}).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let (_, frames) = polled(http.post(&[hello("a", session), poll(None, 0, 0), subscribe("news")]).await);
    let ServerFrame::Welcome(welcome) = &frames[0] else { panic!("{frames:?}") };
    let (mut socket, _) = Client::connect_as(served.address(), "a", session).await;
    socket.join(subscribe("news")).await;
    // Sent before the WebSocket took over, and arriving after.
    let late = [hello("a", session), poll(Some(welcome.connection), 1, 25_000), subscribe("news")];
    assert_eq!(http.post(&late).await, []);
    socket.chat("news", "still here").await;
    assert_eq!(text_of(&socket.message().await), "still here");
    served.server.stop().await;
}

/// All that a session may have, each with the longest name, a position and its run: more than one batch of another kind holds.
#[tokio::test]
async fn every_subscription_of_a_session_works_by_polling_alone() {
    let served = serve(|_| {}).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let names: Vec<_> = (0..256).map(|n| format!("{n:03}{}", "x".repeat(197))).collect();
    let mut first = vec![hello("a", session), poll(None, 0, 25_000)];
    first.extend(names.iter().map(|name| subscribe(name)));
    let (mut seq, mut frames) = polled(http.post(&first).await);
    let ServerFrame::Welcome(welcome) = &frames[0] else { panic!("{:?}", kinds(&frames)) };
    let (id, run) = (Some(welcome.connection), welcome.run.clone());
    // As a client does: each poll names the positions that the responses before it have led to.
    let mut next = first;
    let mut subscribed = 0;
    loop {
        for frame in frames {
            let ServerFrame::Subscribed(at) = frame else { continue };
            let place = names.iter().position(|name| name == at.channel.as_str()).unwrap();
            next[2 + place] = match resume(at.channel.as_str(), &at.epoch, at.offset) {
                ClientFrame::Subscribe(frame) => Subscribe { run: Some(run.clone()), ..frame }.into(),
                other => other,
            };
            subscribed += 1;
        }
        next[1] = poll(id, seq, 25_000);
        if subscribed == names.len() {
            break;
        }
        (seq, frames) = polled(http.post(&next).await);
    }
    let size = batch::encode(&next).len();
    assert!((65_537..=131_072).contains(&size), "{size}");
    let waiting = tokio::spawn({
        let http = http.clone();
        async move { http.post(&next).await }
    });
    let mut socket = Client::connect(served.address(), "b").await;
    socket.join(subscribe(&names[255])).await;
    socket.chat(&names[255], "one").await;
    let (_, frames) = polled(waiting.await.unwrap());
    assert_eq!(texts(&frames), ["one"], "{:?}", kinds(&frames));
    served.server.stop().await;
}
