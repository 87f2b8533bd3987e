//! Promises 1, 3 and 15 while a stretch of entries is delivered: the core is asked about the first, and whatever a listener does
//! in the middle finds the position at exactly what was delivered.

use everwire_client_core::{
    Application, Confirmation, Connection, Event, Handle, Input, Now, Output, Source, Stretch, receive,
};
use everwire_protocol::{
    Ack, ClientFrame, Code, ErrorCode, GapReason, Message, OwnMark, ServerFrame, Subscribed, Uuid,
    batch::{FrameError, Unreadable},
};

use crate::harness::{Harness, config, frames, message, polled, subscribed, subscribed_with_gap, welcome};

/// A page whose listener acts once, when it is given the entry at `at`.
struct Page<'a, Act> {
    core: &'a mut Connection,
    stretch: Stretch,
    at: u64,
    act: Act,
    delivered: Vec<(Handle, u64)>,
}

impl<Act: FnMut(&mut Connection, Handle)> Application for Page<'_, Act> {
    fn reading(&mut self) -> (&mut Connection, &mut Stretch) {
        (self.core, &mut self.stretch)
    }

    fn message(&mut self, handle: Handle, message: Message) {
        self.delivered.push((handle, message.offset));
        if message.offset == self.at {
            self.stretch.settle(self.core);
            (self.act)(self.core, handle);
        }
    }

    fn unreadable(&mut self, _: Handle, _: u64, _: String) {}
    fn subscribed(&mut self, _: Handle, _: Subscribed, _: Confirmation) {}
    fn ended(&mut self, _: Handle, _: Code, _: String) {}
    fn stored(&mut self, _: Ack) {}
    fn failed(&mut self, _: Uuid, _: Code, _: String, _: Option<u32>) {}
    fn error(&mut self, _: Code, _: String, _: Option<u32>) {}
}

/// Reads a batch with such a page. Returns what was delivered.
fn reads(
    harness: &mut Harness,
    source: Source,
    said: &[Result<ServerFrame, Unreadable>],
    at: u64,
    act: impl FnMut(&mut Connection, Handle),
) -> Vec<u64> {
    let mut page =
        Page { core: &mut harness.core, stretch: Stretch::default(), at, act, delivered: Vec::new() };
    receive(&mut page, harness.now, source, said.iter().cloned());
    let delivered = page.delivered.iter().map(|(_, offset)| *offset).collect();
    harness.outputs.extend(std::iter::from_fn(|| harness.core.poll_output()));
    delivered
}

fn entries(offsets: impl IntoIterator<Item = u64>) -> Vec<Result<ServerFrame, Unreadable>> {
    offsets.into_iter().map(|offset| Ok(message("news", offset))).collect()
}

fn nothing(_: &mut Connection, _: Handle) {}

fn marks(sent: &[ClientFrame]) -> Vec<u64> {
    let marks = sent.iter().filter_map(|frame| match frame {
        ClientFrame::Mark(mark) => Some(mark.delivered),
        _ => None,
    });
    marks.collect()
}

/// Where subscriptions ask to continue.
fn positions(sent: &[ClientFrame]) -> Vec<u64> {
    let positions = sent.iter().filter_map(|frame| match frame {
        ClientFrame::Subscribe(frame) => frame.offset,
        _ => None,
    });
    positions.collect()
}

/// By WebSocket, in a channel for which the server keeps marks.
fn marking() -> (Harness, Source, Handle) {
    let mut harness = Harness::new(config());
    let handle = harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    let ServerFrame::Subscribed(frame) = subscribed("news", "a", 0, 9) else { unreachable!() };
    harness.says(socket, &[Subscribed { own_mark: Some(OwnMark { delivered: 0, read: 0 }), ..frame }.into()]);
    harness.outputs.clear();
    (harness, Source::WebSocket(socket), handle)
}

#[test]
fn promise_15_leaving_in_the_middle_marks_what_was_delivered_and_no_more() {
    let (mut harness, source, _) = marking();
    let now = harness.now;
    let got = reads(&mut harness, source, &entries(1..=9), 4, |core, handle| core.unsubscribe(now, handle));
    assert_eq!(got, [1, 2, 3, 4]);
    assert_eq!(marks(&harness.sent()), [4]);
}

#[test]
fn promise_15_closing_in_the_middle_marks_what_was_delivered() {
    let (mut harness, source, _) = marking();
    let now = harness.now;
    let got = reads(&mut harness, source, &entries(1..=9), 4, |core, _| core.handle(now, Input::Close));
    assert_eq!(got, [1, 2, 3, 4], "nothing counts after the end");
    assert_eq!(marks(&harness.sent()), [4]);
}

#[test]
fn promise_15_a_page_that_is_put_away_in_the_middle_receives_the_rest_when_it_is_back() {
    let (mut harness, source, _) = marking();
    let now = harness.now;
    let got = reads(&mut harness, source, &entries(1..=9), 4, |core, _| core.handle(now, Input::PageHide));
    assert_eq!(got, [1, 2, 3, 4]);
    assert_eq!(marks(&harness.sent()), [4]);
    harness.tell(Input::PageShow);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(positions(&harness.sent()), [4]);
    let said = [vec![Ok(subscribed("news", "a", 4, 9))], entries(5..=9)].concat();
    assert_eq!(reads(&mut harness, Source::WebSocket(socket), &said, 0, nothing), [5, 6, 7, 8, 9]);
}

#[test]
fn promise_3_what_is_asked_in_the_middle_names_what_was_delivered() {
    let mut harness = Harness::new(everwire_client_core::Config { websocket: false, ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 0, 9)]);
    harness.pass_until(8_000, crate::harness::wants_request);
    let (request, ..) = harness.wants_request();
    let now = harness.now;
    let said = [vec![Ok(polled(2))], entries(1..=9)].concat();
    let mut asked = Vec::new();
    let got = reads(&mut harness, Source::Response(request), &said, 4, |core, _| {
        core.handle(now, Input::PageHide);
        core.handle(now, Input::PageShow);
        while let Some(output) = core.poll_output() {
            if let Output::Request { body, .. } = output {
                asked.extend(positions(&frames(&body)));
            }
        }
    });
    assert_eq!((got, asked), (vec![1, 2, 3, 4], vec![4]));
}

#[test]
fn promise_1_a_stretch_goes_on_after_a_listener_has_acted() {
    let (mut harness, source, _) = marking();
    let now = harness.now;
    let got = reads(&mut harness, source, &entries(1..=9), 4, |core, handle| core.typing(now, handle, true));
    assert_eq!(got, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    harness.pass(1_100);
    assert_eq!(marks(&harness.sent()), [9]);
}

#[test]
fn promise_1_copies_at_the_start_of_a_stretch_and_in_it_are_dropped() {
    let (mut harness, source, _) = marking();
    assert_eq!(reads(&mut harness, source, &entries(1..=3), 0, nothing), [1, 2, 3]);
    assert_eq!(reads(&mut harness, source, &entries([2, 3, 4, 5, 5, 3, 6]), 0, nothing), [4, 5, 6]);
}

#[test]
fn promise_2_a_hole_ends_a_stretch_and_the_connection() {
    let (mut harness, source, _) = marking();
    assert_eq!(reads(&mut harness, source, &entries([1, 2, 4, 5, 3]), 0, nothing), [1, 2]);
    let broken = |event: &Event| matches!(event, Event::Error { code: ErrorCode::ProtocolViolation, .. });
    assert!(harness.events().iter().any(broken));
    harness.pass_until(20_001, |output| matches!(output, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    let said = [vec![Ok(subscribed("news", "a", 2, 4))], entries(3..=4)].concat();
    assert_eq!(reads(&mut harness, Source::WebSocket(socket), &said, 0, nothing), [3, 4]);
}

#[test]
fn promise_3_a_position_that_goes_back_begins_another_stretch() {
    let (mut harness, source, _) = marking();
    let other = || Ok(subscribed_with_gap("news", "b", 1, 4, GapReason::Epoch));
    let said = [entries(1..=3), vec![other()], entries(2..=3)].concat();
    assert_eq!(reads(&mut harness, source, &said, 0, nothing), [1, 2, 3], "it was asked from elsewhere");
    assert_eq!(positions(&harness.sent()), [3]);
    let said = [vec![other()], entries(2..=3)].concat();
    assert_eq!(reads(&mut harness, source, &said, 0, nothing), [2, 3]);
}

#[test]
fn promise_1_channels_that_take_turns_are_stretches_of_one_each() {
    let (mut harness, socket, _) = Harness::connected(&["news", "sport"]);
    let turns = (1..=3).flat_map(|offset| [message("news", offset), message("sport", offset)]);
    let said: Vec<_> = turns.map(Ok).collect();
    assert_eq!(reads(&mut harness, Source::WebSocket(socket), &said, 0, nothing), [1, 1, 2, 2, 3, 3]);
    assert_eq!(
        reads(&mut harness, Source::WebSocket(socket), &entries(4..=5), 0, nothing),
        [4, 5],
        "the core has heard of all of them"
    );
}

#[test]
fn promise_1_what_does_not_count_any_more_is_not_delivered_with_what_went_before() {
    let (mut harness, source, _) = marking();
    let unreadable =
        Err(Unreadable { error: FrameError::NotAFrame { index: 2, reason: String::new() }, entry: None });
    let said = [entries(1..=2), vec![unreadable], entries(3..=4)].concat();
    assert_eq!(reads(&mut harness, source, &said, 0, nothing), [1, 2], "a violation ends the connection");
}

#[test]
fn a_new_subscription_in_the_middle_is_not_given_the_rest() {
    let (mut harness, source, handle) = marking();
    let now: Now = harness.now;
    let mut again = None;
    let got = reads(&mut harness, source, &entries(1..=9), 4, |core, handle| {
        core.unsubscribe(now, handle);
        again = core.subscribe(now, "news", None, None).ok();
    });
    assert_eq!(got, [1, 2, 3, 4]);
    assert!(again.is_some_and(|again| again != handle));
}
