//! What costs by its pieces and not by its bytes: fragments of a WebSocket's messages, chunks of a request's body, and the receivers
//! of what is passed on. With raw sockets, because clients do not send what is tested here.

use everwire_protocol::{ClientFrame, CloseCode, ErrorCode, Payload, Ping, ServerFrame, Signal, batch};
use everwire_server::server::Server;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    kit::{Client, PATIENCE, channel, hello, new_id, serve, subscribe},
    unsigned::raw_websocket,
};

/// A masked frame of a message, whose mask is 0.
fn frame(kind: u8, is_last: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind | if is_last { 0x80 } else { 0 }];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A text message in pieces of this many bytes.
fn in_pieces(text: &str, size: usize) -> Vec<u8> {
    let pieces: Vec<_> = text.as_bytes().chunks(size).collect();
    let last = pieces.len() - 1;
    let kind = |n| u8::from(n == 0);
    pieces.iter().enumerate().flat_map(|(n, piece)| frame(kind(n), n == last, piece)).collect()
}

/// The next frame that the server sends on a WebSocket: its kind, and what is in it.
async fn received(socket: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    let (kind, length) = (socket.read_u8().await.unwrap(), socket.read_u8().await.unwrap());
    let length = match length {
        126 => u64::from(socket.read_u16().await.unwrap()),
        127 => socket.read_u64().await.unwrap(),
        length => length.into(),
    };
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    socket.read_exact(&mut payload).await.unwrap();
    (kind & 0x0f, payload)
}

/// Signs in and sends these bytes, and a ping behind them. Returns the code of the close frame; `None` if the ping was answered.
async fn sent(server: &Server, bytes: &[u8]) -> Option<u16> {
    let mut socket = raw_websocket(server).await;
    let signs_in = batch::encode(&[hello("mallory", new_id())]);
    let ping = batch::encode(&[ClientFrame::Ping(Ping { nonce: Some(4_711) })]);
    socket.write_all(&frame(0x01, true, signs_in.as_bytes())).await.unwrap();
    received(&mut socket).await;
    let (mut reader, mut writer) = socket.into_split();
    let bytes = [bytes, &frame(0x01, true, ping.as_bytes())].concat();
    // An error says that the server has closed already. What it said before can still be read.
    let writing = tokio::spawn(async move { writer.write_all(&bytes).await.map(|()| writer) });
    let answered = async {
        loop {
            let (kind, payload) = received(&mut reader).await;
            if kind == 8 {
                return Some(u16::from_be_bytes([payload[0], payload[1]]));
            }
            if String::from_utf8_lossy(&payload).contains("4711") {
                return None;
            }
        }
    };
    let answer = timeout(PATIENCE, answered).await.expect("nothing came in time");
    writing.abort();
    answer
}

#[tokio::test]
async fn messages_in_tiny_fragments_are_charged_and_others_are_not() {
    let served = serve(|_| {}).await;
    let text = format!("[{}]", " ".repeat(60_000));
    let many = |size| in_pieces(&text, size).repeat(40);
    assert_eq!(sent(&served.server, &many(60_002)).await, None, "whole");
    assert_eq!(sent(&served.server, &many(300)).await, None, "as a careful proxy might cut them");
    assert_eq!(sent(&served.server, &many(1)).await, Some(CloseCode::RateLimited.as_u16()));
    served.server.stop().await;
}

/// Posts a body in chunks of one byte. Returns the beginning of the answer.
async fn post_in_chunks(server: &Server, path: &str, chunks: usize) -> String {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nx-everwire-user: ann\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let body = format!("{}0\r\n\r\n", "1\r\n \r\n".repeat(chunks));
    // An error says that the server has answered already.
    let _ = socket.write_all(body.as_bytes()).await;
    let mut status = [0; 12];
    timeout(PATIENCE, socket.read_exact(&mut status)).await.unwrap().unwrap();
    String::from_utf8_lossy(&status).into_owned()
}

#[tokio::test]
async fn a_body_in_tiny_chunks_is_refused() {
    let served = serve(|_| {}).await;
    // An empty batch is answered with an error in a batch.
    assert_eq!(post_in_chunks(&served.server, "/everwire/v1/poll", 1_000).await, "HTTP/1.1 200");
    assert_eq!(post_in_chunks(&served.server, "/everwire/v1/poll", 60_000).await, "HTTP/1.1 400");
    assert_eq!(post_in_chunks(&served.server, "/api/v1/online-status", 60_000).await, "HTTP/1.1 400");
    served.server.stop().await;
}

#[tokio::test]
async fn what_is_passed_on_to_many_is_counted_by_its_receivers() {
    let served = serve(|_| {}).await;
    let mut audience = Vec::new();
    for n in 0..300 {
        let mut client = Client::connect(served.address(), &format!("u{n}")).await;
        client.join(subscribe("hall")).await;
        audience.push(client);
    }
    let mut mallory = Client::connect(served.address(), "mallory").await;
    mallory.join(subscribe("hall")).await;
    let signal = |n: u32| {
        let data = Payload::from_value(&n).unwrap();
        ClientFrame::Signal(Signal { channel: channel("hall"), event: "x".into(), data, to: None })
    };
    // Within the limit of frames.
    let signals: Vec<_> = (0..200).map(signal).collect();
    mallory.say(&signals).await;
    let error = mallory.error().await;
    assert_eq!(error.code, ErrorCode::RateLimited);
    assert_eq!(error.re.as_deref(), Some("signal"));
    assert!(error.retry_after_ms.is_some_and(|ms| ms > 0), "{error:?}");
    // Others have accounts of their own, and to one receiver there are many.
    audience[0].say(&[signal(1_000)]).await;
    let is_hers = |frame| match frame {
        ServerFrame::Signalled(signal) if signal.user.as_deref() == Some("u0") => Some(()),
        _ => None,
    };
    audience[1].find(is_hers).await;
    served.server.stop().await;
}
