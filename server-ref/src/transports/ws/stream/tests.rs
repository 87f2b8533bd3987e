//! With real sockets, whose buffers are full when the other side does not read.

use std::future::poll_fn;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (far, near) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (far.unwrap(), near.unwrap().0)
}

async fn flush(writer: &mut Writer) -> io::Result<()> {
    poll_fn(|context| writer.poll_flush(context)).await
}

/// A masked frame, whose mask is 0.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// Writes batches until the socket takes no more. Returns everything that was written.
fn fill(writer: &mut Writer) -> Vec<u8> {
    let mut all = Vec::new();
    for n in 0_u32.. {
        let batch = vec![Arc::from(format!("{n}{}", "x".repeat(100_000)))];
        all.extend_from_slice(&BatchEncoder::default().message(batch.clone()));
        if !writer.write(batch, &mut BatchEncoder::default()) {
            break;
        }
    }
    all
}

#[tokio::test]
async fn what_a_socket_does_not_take_is_written_later_and_in_order() {
    let (mut far, near) = pair().await;
    let (_reader, mut writer) = split(near, Bytes::new(), 1_000);
    let mut expected = fill(&mut writer);
    assert!(writer.waits());
    for n in 0..2 * PIECES {
        let batch = vec![Arc::from(format!("<{n}>"))];
        expected.extend_from_slice(&BatchEncoder::default().message(batch.clone()));
        assert!(!writer.write(batch, &mut BatchEncoder::default()), "nothing overtakes what waits");
    }
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        all
    });
    flush(&mut writer).await.unwrap();
    assert!(!writer.waits() && writer.waiting.capacity() == 0);
    drop(writer);
    assert!(reading.await.unwrap() == expected);
}

#[tokio::test]
async fn pings_are_answered_and_only_the_last_one_while_something_waits() {
    let (mut far, near) = pair().await;
    let (_reader, mut writer) = split(near, Bytes::new(), 1_000);
    writer.write_control(Control::Pong, b"at once");
    let mut expected = [&[0x8a, 7], &b"at once"[..]].concat();
    expected.extend(fill(&mut writer));
    for n in 0..1_000 {
        writer.write_control(Control::Pong, n.to_string().as_bytes());
    }
    assert_eq!(writer.waiting.len(), 1);
    expected.extend([0x8a, 3, b'9', b'9', b'9']);
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        all
    });
    flush(&mut writer).await.unwrap();
    drop(writer);
    assert!(reading.await.unwrap() == expected);
}

#[tokio::test]
async fn nothing_is_written_behind_a_close_frame() {
    let (mut far, near) = pair().await;
    let (_reader, mut writer) = split(near, Bytes::new(), 1_000);
    let mut expected = fill(&mut writer);
    writer.write_control(Control::Pong, b"before");
    writer.write_control(Control::Close, b"\x03\xe8");
    expected.extend([0x88, 2, 3, 0xe8]);
    writer.write_control(Control::Pong, b"after");
    writer.write_control(Control::Close, b"\x03\xe9");
    assert!(!writer.write(vec![Arc::from("<1>")], &mut BatchEncoder::default()));
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        all
    });
    flush(&mut writer).await.unwrap();
    assert!(!writer.write(vec![Arc::from("<2>")], &mut BatchEncoder::default()));
    drop(writer);
    assert!(reading.await.unwrap() == expected);
}

#[tokio::test]
async fn a_socket_that_fails_takes_nothing_more_and_its_driver_is_told() {
    let (far, near) = pair().await;
    far.set_zero_linger().unwrap();
    let (_reader, mut writer) = split(near, Bytes::new(), 1_000);
    drop(far);
    let batch = || vec![Arc::from("<1>")];
    let mut encoder = BatchEncoder::default();
    // The first one may be lost on its way.
    while writer.write(batch(), &mut encoder) {
        tokio::task::yield_now().await;
    }
    assert!(writer.waits() && writer.waiting.is_empty());
    writer.write_control(Control::Pong, b"x");
    assert!(!writer.write(batch(), &mut encoder) && writer.waiting.is_empty());
    assert!(flush(&mut writer).await.is_err());
}

#[tokio::test]
async fn what_was_read_with_the_request_comes_first_and_no_more_is_read_than_permitted() {
    let (mut far, near) = pair().await;
    let first = [frame(0x81, b"a"), frame(0x81, b"b"), vec![0x81]].concat();
    let (mut reader, _writer) = split(near, first.into(), 1_000);
    far.write_all(&[&frame(0x81, b"c")[1..], &frame(0x89, b"d"), &frame(0x81, &[b'e'; 100])].concat())
        .await
        .unwrap();
    reader.limit(13);
    let mut received = Vec::new();
    for _ in 0..4 {
        received.push(poll_fn(|context| reader.poll_next(context)).await.unwrap().unwrap());
    }
    let text = |text: &str| Message::Text(text.into());
    assert_eq!(received, [text("a"), text("b"), text("c"), Message::Ping(b"d".into())]);
    assert_eq!(reader.take_framing(), 4 * 6);
    assert!(reader.is_used_up() && reader.unread.is_empty());
    let more = poll_fn(|context| Poll::Ready(reader.poll_next(context).is_ready())).await;
    assert!(!more);
    reader.limit(1_000);
    let last = poll_fn(|context| reader.poll_next(context)).await;
    assert_eq!(last, Some(Ok(text(&"e".repeat(100)))));
    drop(far);
    assert_eq!(poll_fn(|context| reader.poll_next(context)).await, None);
}
