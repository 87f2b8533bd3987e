//! Promise 15: receipts are high-water marks, collected for a second, and said until the server has them.

use everwire_client_core::{Config, Handle, Input, Output};
use everwire_protocol::{ClientFrame, Receipt, ServerFrame, Subscribed, UserReceipt};

use crate::bench::{Bench, ack, channel, config, message, polled, subscribed, welcome};

/// What was said since the last look: delivered and read.
fn said(bench: &mut Bench) -> Vec<(u64, u64)> {
    let receipts = bench.sent().into_iter().filter_map(|frame| match frame {
        ClientFrame::Mark(r) => Some((r.delivered, r.read)),
        _ => None,
    });
    receipts.collect()
}

/// The answer to `subscribe` of a channel for which the server keeps marks.
fn kept(epoch: &str, offset: u64, head: u64, delivered: u64, read: u64) -> ServerFrame {
    let ServerFrame::Subscribed(frame) = subscribed("news", epoch, offset, head) else { unreachable!() };
    let receipts = Some(vec![UserReceipt { user: "ann".into(), delivered, read }]);
    Subscribed { receipts, ..frame }.into()
}

fn receipted(delivered: u64, read: u64) -> ServerFrame {
    Receipt { channel: channel("news"), user: "ann".into(), delivered, read, unread: None }.into()
}

/// Connected, with marks kept for the channel and nothing in it.
fn marking() -> (Bench, everwire_client_core::LinkId, Handle) {
    let mut bench = Bench::new(config());
    let handle = bench.subscribe("news");
    bench.tell(Input::Start);
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    bench.says(link, &[kept("a", 0, 0, 0, 0)]);
    bench.outputs.clear();
    (bench, link, handle)
}

#[test]
fn promise_15_what_is_delivered_is_marked_once_a_second_by_the_highest_offset() {
    let (mut bench, link, handle) = marking();
    for offset in 1..=20 {
        bench.says(link, &[message("news", offset)]);
        bench.pass(40);
    }
    assert!(said(&mut bench).is_empty());
    bench.pass(300);
    assert_eq!(said(&mut bench), [(20, 0)]);
    bench.core.mark(bench.now, handle, 0, 15);
    bench.core.mark(bench.now, handle, 0, 12);
    bench.pass(1_100);
    assert_eq!(said(&mut bench), [(20, 15)]);
    bench.pass(60_000);
    assert!(said(&mut bench).is_empty());
}

#[test]
fn a_channel_without_marks_gets_none() {
    let (mut bench, link, _) = Bench::connected(&["news"]);
    bench.says(link, &[message("news", 1)]);
    bench.pass(5_000);
    assert!(said(&mut bench).is_empty());
}

#[test]
fn marks_are_said_again_after_a_reconnect_until_the_server_has_them() {
    let (mut bench, link, handle) = marking();
    bench.says(link, &[message("news", 1), message("news", 2)]);
    bench.core.mark(bench.now, handle, 0, 2);
    bench.pass(1_100);
    assert_eq!(said(&mut bench), [(2, 2)]);
    bench.closes(link, 1006);
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    // They were lost on the way: the server's own are lower.
    bench.says(link, &[kept("a", 2, 2, 1, 0)]);
    bench.pass(1_200);
    assert_eq!(said(&mut bench), [(2, 2)]);
    bench.says(link, &[receipted(2, 2)]);
    bench.closes(link, 1006);
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    bench.says(link, &[kept("a", 2, 2, 2, 2)]);
    bench.pass(5_000);
    assert!(said(&mut bench).is_empty(), "now it has them");
}

#[test]
fn marks_that_a_server_told_and_lost_are_said_again() {
    let (mut bench, link, handle) = marking();
    bench.says(link, &[message("news", 1), message("news", 2)]);
    bench.core.mark(bench.now, handle, 0, 2);
    bench.pass(1_100);
    bench.says(link, &[receipted(2, 2)]);
    bench.closes(link, 1006);
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    bench.outputs.clear();
    // It crashed before they were on its disk.
    bench.says(link, &[kept("a", 2, 2, 2, 1)]);
    bench.pass(1_200);
    assert_eq!(said(&mut bench), [(2, 2)]);
}

#[test]
fn what_another_device_has_read_is_not_said_here() {
    let (mut bench, link, _) = marking();
    bench.says(link, &[message("news", 1), receipted(1, 1)]);
    bench.pass(5_000);
    assert!(said(&mut bench).is_empty());
}

#[test]
fn a_new_log_begins_with_new_marks() {
    let (mut bench, link, handle) = marking();
    bench.says(link, &[message("news", 1), message("news", 2), message("news", 3)]);
    bench.core.mark(bench.now, handle, 0, 3);
    bench.pass(1_100);
    bench.closes(link, 1006);
    bench.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let link = bench.opens_websocket();
    bench.welcome_websocket(link);
    bench.outputs.clear();
    bench.says(link, &[kept("b", 0, 0, 0, 0), message("news", 1)]);
    bench.pass(1_100);
    assert_eq!(said(&mut bench), [(1, 0)], "what was read was another log's");
}

#[test]
fn marks_that_were_collected_go_before_the_page_does() {
    let (mut bench, link, handle) = marking();
    bench.says(link, &[message("news", 1)]);
    bench.core.mark(bench.now, handle, 0, 1);
    bench.tell(Input::PageHide);
    assert_eq!(said(&mut bench), [(1, 1)]);
    let (mut bench, link, handle) = marking();
    bench.says(link, &[message("news", 1)]);
    bench.core.mark(bench.now, handle, 0, 1);
    bench.tell(Input::Close);
    let sent = bench.sent();
    assert!(matches!(&sent[..], [ClientFrame::Mark(_), ClientFrame::Bye(_)]), "{sent:?}");
}

#[test]
fn by_polling_marks_wait_for_the_running_post_however_long_it_takes_and_name_their_log() {
    let mut bench = Bench::new(Config { websocket: false, ..config() });
    bench.subscribe("news");
    bench.tell(Input::Start);
    let (request, ..) = bench.wants_request();
    bench.responds(request, &[polled(1), welcome(9), kept("a", 0, 0, 0, 0)]);
    let (held, ..) = bench.wants_request();
    bench.send(1, "news");
    let (post, ..) = bench.wants_request();
    bench.responds(held, &[polled(2), message("news", 1), message("news", 2)]);
    let _held = bench.wants_request();
    bench.pass(9_000);
    assert!(said(&mut bench).is_empty(), "one POST at a time");
    bench.responds(post, &[ack(1, 3)]);
    let (_, frames, _) = bench.wants_request();
    let [ClientFrame::Hello(_), ClientFrame::Mark(receipt)] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!((receipt.epoch.as_str(), receipt.delivered, receipt.read), ("a", 2, 0));
}
