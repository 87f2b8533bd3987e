//! Peers that have not signed in: nobody pays for what they send, so the server reads little of it, and not for long. With raw
//! sockets, because clients do not send what is tested here.

use everwire_protocol::{
    ClientFrame, SUBPROTOCOL, ServerFrame, batch,
    limits::{MAX_FIRST_BYTES, MAX_TOKEN_BYTES},
};
use everwire_server::{api::ApiKey, server::Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message as WsMessage;

use super::kit::{Client, Ended, PATIENCE, Served, hello, hello_with, key, new_id, serve, subscribe, token};

async fn with_tokens() -> Served {
    serve(|config| {
        config.dev = false;
        config.key = Some(key());
        config.api_key = Some(ApiKey::new("the key of the tests").unwrap());
    })
    .await
}

/// A socket on which a WebSocket was opened by hand.
pub async fn raw_websocket(server: &Server) -> TcpStream {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "GET /everwire/v1/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        response.push(socket.read_u8().await.unwrap());
    }
    assert!(response.starts_with(b"HTTP/1.1 101"));
    socket
}

/// The code of the close frame with which the server ends it.
async fn closed_with(socket: &mut TcpStream) -> u16 {
    let read = async {
        loop {
            let (kind, length) = (socket.read_u8().await.unwrap(), socket.read_u8().await.unwrap());
            let mut payload = vec![0; length.into()];
            socket.read_exact(&mut payload).await.unwrap();
            if kind & 0x0f == 8 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    };
    timeout(PATIENCE, read).await.expect("it was not closed in time")
}

/// The beginning of a masked text message of this length, whose mask is 0.
fn message_head(length: u32) -> Vec<u8> {
    [&[0x81, 0x80 | 127, 0, 0, 0, 0][..], &length.to_be_bytes(), &[0; 4]].concat()
}

#[tokio::test]
async fn of_a_large_message_before_hello_only_the_beginning_is_read() {
    let served = serve(|_| {}).await;
    let mut socket = raw_websocket(&served.server).await;
    socket.write_all(&message_head(200_000)).await.unwrap();
    // The rest never comes: whoever wants to read all of it waits for ever.
    socket.write_all(&[b' '; MAX_FIRST_BYTES + MAX_TOKEN_BYTES + 1_000]).await.unwrap();
    assert_eq!(closed_with(&mut socket).await, 4011);
    served.server.stop().await;
}

#[tokio::test]
async fn small_messages_without_a_hello_are_bounded_together() {
    let served = serve(|config| config.session.bad_frames = u32::MAX).await;
    let mut socket = raw_websocket(&served.server).await;
    // Pings of the WebSocket, which no other limit counts.
    let ping = [&[0x89, 0x80 | 0x64, 0, 0, 0, 0][..], &[b'x'; 100]].concat();
    socket.write_all(&ping.repeat(200)).await.unwrap();
    assert_eq!(closed_with(&mut socket).await, 4011);
    served.server.stop().await;
}

#[tokio::test]
async fn the_first_message_is_small_besides_its_token_and_what_follows_it_may_be_large() {
    let served = with_tokens().await;
    let subscribes =
        |count: usize| (0..count).map(|n| subscribe(&format!("{n}-{}", "x".repeat(100)))).collect::<Vec<_>>();
    // A token of nearly the largest size.
    let grants = vec!["y"; 1_480];
    let large = token("a", 60, &grants);
    assert!((MAX_TOKEN_BYTES - 400..=MAX_TOKEN_BYTES).contains(&large.len()), "{}", large.len());
    let first = |count: usize, token: &str| {
        let hello = hello_with(Some(token), new_id());
        std::iter::once(hello).chain(subscribes(count)).collect::<Vec<ClientFrame>>()
    };
    let mut client = Client::open(served.address()).await;
    client.say(&first(20, &large)).await;
    // Sent at once, without waiting for the welcome.
    client.say(&subscribes(250)[20..]).await;
    client.welcome().await;
    for _ in 0..250 {
        client.subscribed().await;
    }
    for token in [&large, &token("a", 60, &[])] {
        let mut client = Client::open(served.address()).await;
        let text = batch::encode(&first(40, token));
        assert!(text.len() - token.len() > MAX_FIRST_BYTES);
        client.try_say_raw(WsMessage::text(text)).await;
        assert_eq!(client.until_it_ends().await, (vec![], Ended::Code(4011)));
    }
    served.server.stop().await;
}

#[tokio::test]
async fn who_says_nothing_is_closed_within_seconds() {
    let served = serve(|_| {}).await;
    let mut socket = raw_websocket(&served.server).await;
    let start = std::time::Instant::now();
    assert_eq!(closed_with(&mut socket).await, 4007);
    let waited = start.elapsed().as_secs_f32();
    assert!(waited < 10.0, "{waited}");
    served.server.stop().await;
}

#[tokio::test]
async fn the_body_of_a_request_is_not_read_before_the_token_or_the_key() {
    let served = with_tokens().await;
    for (request, status) in [
        ("POST /everwire/v1/poll HTTP/1.1\r\n", "200"),
        ("POST /everwire/v1/poll HTTP/1.1\r\nauthorization: Bearer wrong\r\n", "200"),
        ("POST /api/v1/chats HTTP/1.1\r\nauthorization: Bearer wrong\r\n", "401"),
        ("POST /api/v1/chats HTTP/1.1\r\n", "401"),
        ("PUT /api/v1/users/a/status HTTP/1.1\r\n", "401"),
    ] {
        let mut socket = TcpStream::connect(served.address()).await.unwrap();
        // The body never comes.
        let head =
            format!("{request}host: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut response = vec![0; 4_096];
        let read =
            timeout(PATIENCE, socket.read(&mut response)).await.expect("it waits for the body").unwrap();
        let response = String::from_utf8_lossy(&response[..read]).into_owned();
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {response}");
        assert!(response.contains("unauthorized"), "{request}: {response}");
    }
    served.server.stop().await;
}

#[tokio::test]
async fn a_guest_is_bounded_like_everybody_until_hello() {
    let served = serve(|_| {}).await;
    let mut client = Client::open(served.address()).await;
    client.say(&[hello("a", new_id())]).await;
    client.welcome().await;
    let padded = format!(r#"[{{"type":"ping","nonce":1,"padding":"{}"}}]"#, "x".repeat(60_000));
    client.say_text(&padded).await;
    assert!(matches!(client.next().await, ServerFrame::Pong(_)));
    let mut client = Client::open(served.address()).await;
    client.try_say_raw(WsMessage::text(padded)).await;
    assert_eq!(client.until_it_ends().await.1, Ended::Code(4011));
    served.server.stop().await;
}

#[tokio::test]
async fn fragments_that_complete_no_message_are_read_up_to_a_bound_also_from_a_user() {
    let served = serve(|_| {}).await;
    let mut socket = raw_websocket(&served.server).await;
    let text = batch::encode(&[hello("a", new_id())]);
    let head = [0x81, 0xfe, (text.len() >> 8) as u8, text.len() as u8, 0, 0, 0, 0];
    socket.write_all(&[&head[..], text.as_bytes()].concat()).await.unwrap();
    // The beginning of a message, and then nothing of it, again and again.
    socket.write_all(&[0x01, 0x80, 0, 0, 0, 0]).await.unwrap();
    let (mut read, mut write) = socket.split();
    let pour = async {
        let nothing = [0x00, 0x80, 0, 0, 0, 0].repeat(1_000);
        // An error says that the server has closed it.
        while write.write_all(&nothing).await.is_ok() {}
    };
    let ends = async {
        let mut received = Vec::new();
        // So is a reset.
        let _ = read.read_to_end(&mut received).await;
        received
    };
    let both = async { tokio::join!(ends, pour).0 };
    let received = timeout(PATIENCE, both).await.expect("it goes on for ever");
    assert!(String::from_utf8_lossy(&received).contains("welcome"));
    served.server.stop().await;
}
