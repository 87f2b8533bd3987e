//! Promises 22 and 23 where something between refuses single messages: each fails alone, the others go, and nothing that
//! fails on the way out ends what comes in.

use everwire_client_core::{
    Config, Event, Input, Now, OutgoingMessage, Output, RequestId, Restored, SendStatus, Status,
};
use everwire_protocol::{ClientFrame, ErrorCode, Payload, ServerFrame};

use crate::harness::{HOUR, Harness, Progress, ack, config, id, ids, polled, subscribed, welcome};

/// What the proxy of a test answers to a POST with these messages: a status, 0 for a broken connection, or 200.
type Proxy<'a> = &'a dyn Fn(&[u128]) -> u16;

/// A client that polls, and everything that answers it.
struct Office<'a> {
    harness: Harness,
    proxy: Proxy<'a>,
    /// What the server has stored, in order.
    stored: Vec<u128>,
    /// What became of messages that failed: when, and why.
    failed: Vec<(u128, u64, ErrorCode, String)>,
    seq: u64,
    polls: u32,
    /// The poll that the server holds, and until when.
    held: Option<(RequestId, u64)>,
}

impl<'a> Office<'a> {
    fn new(seed: u64, proxy: Proxy<'a>) -> Self {
        let mut harness = Harness::new(Config { websocket: false, seed, ..config() });
        harness.subscribe("news");
        harness.tell(Input::Start);
        let (request, ..) = harness.wants_request();
        harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 0)]);
        harness.events();
        Self { harness, proxy, stored: Vec::new(), failed: Vec::new(), seq: 1, polls: 0, held: None }
    }

    /// Lets time pass, with an answer to every request that is not a held poll.
    fn run(&mut self, ms: u64) {
        let end = self.harness.now.mono + ms;
        loop {
            self.answer();
            let now = self.harness.now.mono;
            let wait = self.harness.core.poll_timeout().unwrap_or(u64::MAX);
            let wait = wait.min(self.held.map_or(u64::MAX, |(_, until)| until.saturating_sub(now))).max(1);
            if now.saturating_add(wait) > end {
                break;
            }
            self.harness.step(wait);
            self.harness.tell(Input::Timeout);
            if let Some((request, _)) = self.held.take_if(|(_, until)| *until <= now + wait) {
                self.respond_to_poll(request);
            }
        }
        let rest = end.saturating_sub(self.harness.now.mono);
        self.harness.step(rest);
        self.harness.tell(Input::Timeout);
    }

    fn answer(&mut self) {
        while self.harness.outputs.iter().any(|o| matches!(o, Output::Request { .. })) {
            let (request, frames, _) = self.harness.wants_request();
            match &frames[1..] {
                [ClientFrame::Poll(poll), ..] => {
                    self.polls += 1;
                    self.held = None;
                    match poll.hold_ms {
                        0 => self.respond_to_poll(request),
                        hold => self.held = Some((request, self.harness.now.mono + u64::from(hold))),
                    }
                }
                frames => self.answer_post(request, &ids(frames)),
            }
        }
        for event in self.harness.events() {
            match event {
                Event::Sending { id, status: SendStatus::Failed, error: Some((code, message)) } => {
                    self.failed.push((id.as_u128(), self.harness.now.mono, code, message));
                }
                Event::State { status, reason, .. } => assert_eq!(status, Status::Connected, "{reason}"),
                _ => {}
            }
        }
    }

    fn respond_to_poll(&mut self, request: RequestId) {
        self.seq += 1;
        self.harness.responds(request, &[polled(self.seq)]);
    }

    fn answer_post(&mut self, request: RequestId, messages: &[u128]) {
        // The way there and back.
        self.harness.step(40);
        let status = (self.proxy)(messages);
        if status == 200 {
            let mut acks = Vec::new();
            for message in messages {
                self.stored.push(*message);
                acks.push(ack(*message, self.stored.len() as u64));
            }
            self.harness.responds(request, &acks);
        } else {
            let reason = format!("HTTP status {status}");
            self.harness.tell(Input::RequestFailed { request, status, reason });
        }
    }

    fn failed_ids(&self) -> Vec<u128> {
        self.failed.iter().map(|(id, ..)| *id).collect()
    }
}

#[test]
fn promise_22_a_message_that_a_proxy_refuses_fails_alone_within_5_s_and_the_next_goes_within_2_s() {
    for status in [403, 413, 404, 0, 502] {
        for seed in 0..20 {
            let proxy = |messages: &[u128]| if messages.contains(&1) { status } else { 200 };
            let mut office = Office::new(seed, &proxy);
            let start = office.harness.now.mono;
            office.harness.send(1, "news");
            office.harness.send(2, "news");
            let mut failed_at = 0;
            while office.stored.is_empty() && office.harness.now.mono < start + 20_000 {
                office.run(50);
                if let [(1, at, ErrorCode::Blocked, _)] = office.failed[..] {
                    failed_at = at;
                }
            }
            assert!(failed_at > start, "{status} {seed}: {}", office.harness.core.report());
            assert!(failed_at - start <= 5_000, "{status} {seed}: {:?}", office.failed);
            assert!(office.harness.now.mono - failed_at <= 2_000, "{status} {seed}");
            assert_eq!((office.failed_ids(), &office.stored[..]), (vec![1], &[2][..]), "{status} {seed}");
            assert!(office.failed[0].3.contains(&status.to_string()), "{}", office.failed[0].3);
        }
    }
}

#[test]
fn promise_22_it_is_found_wherever_it_is_among_others_which_keep_their_order() {
    for bad in [1, 2, 20, 32, 33, 60] {
        let proxy = |messages: &[u128]| if messages.contains(&bad) { 403 } else { 200 };
        let mut office = Office::new(7, &proxy);
        for n in 1..=60 {
            office.harness.send(n, "news");
        }
        let start = office.harness.now.mono;
        office.run(7_000);
        let others: Vec<u128> = (1..=60).filter(|n| *n != bad).collect();
        assert_eq!((&office.stored, office.failed_ids()), (&others, vec![bad]));
        assert!(office.failed[0].1 - start <= 5_000, "{bad}");
    }
}

#[test]
fn promise_22_a_batch_that_is_too_large_for_a_proxy_goes_in_smaller_ones() {
    let proxy = |messages: &[u128]| if messages.len() > 4 { 413 } else { 200 };
    let mut office = Office::new(7, &proxy);
    for n in 1..=60 {
        office.harness.send(n, "news");
    }
    office.run(20_000);
    assert_eq!((office.stored, office.failed), ((1..=60).collect(), Vec::new()));
}

#[test]
fn promise_22_what_may_pass_fails_nothing_and_receiving_goes_on() {
    for status in [403, 413, 200 + 1, 0, 502, 429, 511] {
        let open = std::cell::Cell::new(false);
        // A login page answers to everything that is sent, with or without content.
        let proxy = |_: &[u128]| if open.get() { 200 } else { status };
        let mut office = Office::new(7, &proxy);
        office.harness.send(1, "news");
        office.run(50);
        office.harness.send(2, "news");
        office.run(180_000);
        assert_eq!((office.failed_ids(), &office.stored), (Vec::new(), &Vec::new()), "{status}");
        open.set(true);
        office.run(20_000);
        assert_eq!(office.stored, [1, 2], "{status}");
    }
}

#[test]
fn promise_22_a_message_that_passes_later_is_not_given_up() {
    for status in [429, 425] {
        let attempts = std::cell::Cell::new(0);
        let proxy = |messages: &[u128]| {
            attempts.set(attempts.get() + u32::from(!messages.is_empty()));
            if messages.is_empty() || attempts.get() > 12 { 200 } else { status }
        };
        let mut office = Office::new(7, &proxy);
        office.harness.send(1, "news");
        office.run(60_000);
        assert_eq!((office.stored, office.failed), (vec![1], Vec::new()), "{status}");
    }
}

#[test]
fn promise_22_a_status_proves_more_than_a_connection_that_breaks() {
    for (status, proof) in [(403, 2), (413, 2), (499, 2), (500, 8), (502, 8), (0, 8)] {
        let attempts = std::cell::Cell::new(0);
        let proxy = |messages: &[u128]| {
            attempts.set(attempts.get() + usize::from(!messages.is_empty()));
            if messages.is_empty() { 200 } else { status }
        };
        let mut office = Office::new(7, &proxy);
        office.harness.send(1, "news");
        office.run(60_000);
        assert_eq!((office.failed_ids(), attempts.get()), (vec![1], proof), "{status}");
    }
}

#[test]
fn promise_22_a_request_that_a_proxy_refuses_fails_alone_too() {
    let proxy = |_: &[u128]| 200;
    let mut office = Office::new(7, &proxy);
    let text = format!(r#"{{"type":"history","id":"{}","channel":"news"}}"#, id(5));
    office.harness.core.request(office.harness.now, id(5), text, 60_000).unwrap();
    office.harness.tell(Input::Timeout);
    for _ in 0..20 {
        let (request, frames, _) = office.harness.wants_request();
        if matches!(frames[..], [_, ClientFrame::History(_)]) {
            office.harness.tell(Input::RequestFailed {
                request,
                status: 403,
                reason: "HTTP status 403".into(),
            });
        } else if !matches!(frames[..], [_, ClientFrame::Poll(_), ..]) {
            office.harness.responds(request, &[] as &[ServerFrame]);
            let failed = |o: &Output| {
                matches!(o, Output::Event(Event::Sending { error: Some((ErrorCode::Blocked, _)), .. }))
            };
            if office.harness.outputs.iter().any(failed) {
                return;
            }
        }
        office.harness.pass_until(1_000, |o| matches!(o, Output::Request { .. }));
    }
    panic!("the request was never given up");
}

#[test]
fn a_post_that_waits_for_a_connection_of_the_browsers_is_neither_repeated_nor_taken_for_a_dead_network() {
    let mut office = Office::new(7, &|_| 200);
    office.answer();
    office.harness.send(1, "news");
    let (post, ..) = office.harness.wants_request();
    office.run(32_000);
    assert!(office.polls >= 2, "receiving was probed");
    assert!(!office.harness.outputs.contains(&Output::Abort(post)));
    office.harness.responds(post, &[ack(1, 1)]);
    assert_eq!(office.harness.sendings().last(), Some(&(1, Progress::Stored)));
}

#[test]
fn a_message_can_be_withdrawn_until_it_is_sent() {
    let mut harness = Harness::started(config());
    harness.send(1, "news");
    harness.send(2, "news");
    assert!(harness.core.cancel(harness.now, id(1)));
    assert!(!harness.core.cancel(harness.now, id(1)), "once");
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(harness.sent_ids(), [2]);
    assert!(!harness.core.cancel(harness.now, id(2)), "it may be stored by now");
    assert_eq!(harness.sendings()[2..], [(1, Progress::Failed), (2, Progress::Sent)]);
    harness.closes(socket, 1006);
    assert!(harness.core.cancel(harness.now, id(2)), "the user's word counts, whatever was stored");
}

#[test]
fn promise_23_a_message_that_left_longer_ago_than_the_server_recognises_it_is_not_sent_again() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.send(1, "news");
    assert_eq!(harness.sent_ids(), [1]);
    harness.closes(socket, 1001);
    harness.send(2, "news");
    // A laptop is closed over night, and the next day.
    harness.now = Now { mono: harness.now.mono + 10, wall: harness.now.wall + 25 * HOUR };
    harness.tell(Input::Timeout);
    harness.pass_until(2_000, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(harness.sent_ids(), [2], "what never left goes out");
    assert!(harness.sendings().contains(&(1, Progress::Failed)));
}

#[test]
fn promise_23_the_same_holds_for_what_an_earlier_page_has_sent() {
    let mut harness = Harness::started(config());
    for (n, left_ago) in [(1, Some(25 * HOUR)), (2, Some(23 * HOUR)), (3, None)] {
        let data = Payload::from_value("x").unwrap();
        let restored = Some(Restored { left_ago });
        let message = OutgoingMessage { id: id(n), event: None, data, about: None, restored };
        harness.core.send_message(harness.now, "news", message).unwrap();
    }
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(harness.sent_ids(), [2, 3]);
    let too_old =
        |o: &Output| matches!(o, Output::Event(Event::Sending { error: Some((ErrorCode::TooOld, _)), .. }));
    assert!(harness.outputs.iter().any(too_old));
}
