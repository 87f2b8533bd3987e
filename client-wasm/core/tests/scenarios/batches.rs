//! Batches keep to the limits of the server, in frames and in bytes, and what does not fit into one is in the next.

use std::collections::BTreeSet;

use everwire_client_core::{Config, Handle, Input, Output};
use everwire_protocol::{ClientFrame, Done, Limits, ServerFrame, Welcome, limits};

use crate::harness::{
    Harness, ack, config, frames, id, ids, message, polled, subscribed, wants_request, welcome,
};

/// Everything that one batch cannot hold: a changed mark in each of 256 channels, 32 messages and 12 requests.
const CHANNELS: usize = 256;
const MESSAGES: u128 = 32;
const REQUESTS: u128 = 12;

fn name(n: usize) -> String {
    format!("channel-{n}")
}

fn welcome_with(batch_frames: u32) -> ServerFrame {
    let ServerFrame::Welcome(w) = welcome(9) else { unreachable!() };
    Welcome { limits: Limits { batch_frames, ..w.limits }, ..w }.into()
}

/// Polling, with this many subscriptions that each have a message.
fn polling(batch_frames: u32) -> (Harness, Vec<Handle>) {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    let handles = (0..CHANNELS).map(|n| harness.subscribe(&name(n))).collect();
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    let subscriptions = (0..CHANNELS).flat_map(|n| [subscribed(&name(n), "a", 0, 1), message(&name(n), 1)]);
    let batch: Vec<_> = [polled(1), welcome_with(batch_frames)].into_iter().chain(subscriptions).collect();
    harness.responds(request, &batch);
    harness.wants_request();
    harness.outputs.clear();
    (harness, handles)
}

fn request_text(n: u128) -> String {
    format!(r#"{{"type":"list_chats","id":"{}"}}"#, id(n))
}

/// Answers every message and request of a POST.
fn answers(frames: &[ClientFrame]) -> Vec<ServerFrame> {
    let answers = frames.iter().filter_map(|frame| match frame {
        ClientFrame::Send(send) => Some(ack(send.id.as_u128(), 1)),
        ClientFrame::ListChats(list) => Some(Done { id: list.id, chat: None }.into()),
        _ => None,
    });
    answers.collect()
}

fn marked(frames: &[ClientFrame]) -> impl Iterator<Item = String> {
    frames.iter().filter_map(|frame| match frame {
        ClientFrame::Mark(mark) => Some(mark.channel.to_string()),
        _ => None,
    })
}

#[test]
fn promise_12_what_does_not_fit_into_a_post_is_in_the_next() {
    for (batch_frames, most) in [(300, limits::MAX_POST_FRAMES), (40, 40)] {
        let (mut harness, handles) = polling(batch_frames);
        // All of it gathers behind a POST that is under way.
        harness.send(1_000, "channel-0");
        for handle in &handles {
            harness.core.mark(harness.now, *handle, 1, 1);
        }
        harness.pass(1_100);
        (0..REQUESTS).for_each(|n| {
            harness.core.request(harness.now, id(2_000 + n), request_text(2_000 + n), 60_000).unwrap();
        });
        (1..=MESSAGES).for_each(|n| harness.send(n, "channel-0"));
        let (mut marks, mut messages, mut requests) = (BTreeSet::new(), Vec::new(), 0);
        while harness.outputs.iter().any(wants_request) {
            let (post, frames, _) = harness.wants_request();
            assert!(frames.len() <= most, "{} frames", frames.len());
            marks.extend(marked(&frames));
            messages.extend(ids(&frames));
            requests += frames.iter().filter(|frame| matches!(frame, ClientFrame::ListChats(_))).count();
            harness.responds(post, &answers(&frames));
        }
        assert_eq!(marks.len(), CHANNELS);
        assert_eq!(messages, std::iter::once(1_000).chain(1..=MESSAGES).collect::<Vec<_>>(), "in order");
        assert_eq!(requests as u128, REQUESTS);
    }
}

#[test]
fn what_has_to_be_sent_before_the_page_goes_fits_into_several_posts_too() {
    let (mut harness, handles) = polling(300);
    for handle in &handles {
        harness.core.mark(harness.now, *handle, 1, 1);
    }
    harness.tell(Input::Close);
    let mut posts = Vec::new();
    while harness.outputs.iter().any(wants_request) {
        posts.push(harness.wants_request().1);
    }
    assert!(posts.iter().all(|frames| frames.len() <= limits::MAX_POST_FRAMES));
    assert_eq!(posts.iter().flat_map(|frames| marked(frames)).collect::<BTreeSet<_>>().len(), CHANNELS);
    assert!(matches!(posts.last().unwrap().last(), Some(ClientFrame::Bye(_))));
}

#[test]
fn a_websocket_keeps_to_the_frames_that_the_server_allows() {
    let mut harness = Harness::new(Config { polling: false, ..config() });
    for n in 0..CHANNELS {
        harness.subscribe(&name(n));
    }
    harness.tell(Input::Start);
    for (connection, most) in [300, 10, 10].into_iter().enumerate() {
        let socket = harness.opens_websocket();
        let batches: Vec<Vec<ClientFrame>> = harness
            .outputs
            .drain(..)
            .filter_map(|output| match output {
                Output::SendWebSocket { text, .. } => Some(frames(&text)),
                _ => None,
            })
            .collect();
        assert!(batches.iter().all(|batch| batch.len() <= most), "connection {connection}");
        let subscribes = batches.iter().flatten().filter(|frame| matches!(frame, ClientFrame::Subscribe(_)));
        assert_eq!(subscribes.count(), CHANNELS);
        harness.says(socket, &[welcome_with(10)]);
        (1..=MESSAGES).for_each(|n| harness.send(n + 100 * connection as u128, "channel-0"));
        harness.closes(socket, 1006);
        harness.pass_until(20_001, |output| matches!(output, Output::OpenWebSocket(_)));
        let wanted = harness.wants_websocket();
        harness.outputs.clear();
        harness.outputs.push(Output::OpenWebSocket(wanted));
    }
}

#[test]
fn a_websocket_keeps_to_the_bytes_that_the_server_allows() {
    let mut harness = Harness::new(config());
    for n in 0..CHANNELS {
        harness.subscribe(&format!("{n}-{}", "x".repeat(190)));
    }
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    let (mut bytes, mut count) = (Vec::new(), 0);
    for output in &harness.outputs {
        if let Output::SendWebSocket { text, .. } = output {
            bytes.push(text.len());
            count += frames(text).len();
        }
    }
    assert!(bytes.iter().all(|bytes| *bytes <= limits::MAX_BATCH_BYTES), "{bytes:?}");
    assert_eq!(count, CHANNELS + 1);
}
