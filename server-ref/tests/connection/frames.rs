//! Frames to send, and what to look for in those that arrive.

use super::*;

pub fn read(text: &str) -> Vec<ServerFrame> {
    let bounds = batch::Bounds { bytes: usize::MAX, frames: 256, ..batch::Bounds::default() };
    batch::decode::<ServerFrame>(text, &bounds).unwrap().into_iter().map(Result::unwrap).collect()
}

pub fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

pub fn unsubscribe(name: &str) -> ClientFrame {
    everwire_protocol::Unsubscribe { channel: channel(name) }.into()
}

pub fn subscribe(name: &str) -> ClientFrame {
    Subscribe {
        channel: channel(name),
        epoch: None,
        offset: None,
        run: None,
        recent: None,
        undelivered: None,
    }
    .into()
}

pub fn resume(name: &str, epoch: &str, offset: u64) -> ClientFrame {
    Subscribe {
        channel: channel(name),
        epoch: Some(epoch.into()),
        offset: Some(offset),
        run: None,
        recent: None,
        undelivered: None,
    }
    .into()
}

pub fn send(id: u128, name: &str) -> ClientFrame {
    let data = Payload::from_value(&id.to_string()).unwrap();
    Send { id: Uuid::from_u128(id), channel: channel(name), event: None, data, action: None, target: None }
        .into()
}

/// The offsets of the messages in `frames`.
pub fn offsets(frames: &[ServerFrame]) -> Vec<u64> {
    messages(frames).map(|message| message.offset).collect()
}

pub fn messages(frames: &[ServerFrame]) -> impl Iterator<Item = &Message> {
    frames.iter().filter_map(|frame| if let ServerFrame::Message(m) = frame { Some(m) } else { None })
}

pub fn acks(frames: &[ServerFrame]) -> Vec<&Ack> {
    frames.iter().filter_map(|frame| if let ServerFrame::Ack(a) = frame { Some(a) } else { None }).collect()
}

pub fn errors(frames: &[ServerFrame]) -> Vec<&Error> {
    frames.iter().filter_map(|frame| if let ServerFrame::Error(e) = frame { Some(e) } else { None }).collect()
}

pub fn subscribed(frames: &[ServerFrame]) -> Vec<&Subscribed> {
    frames
        .iter()
        .filter_map(|frame| if let ServerFrame::Subscribed(s) = frame { Some(s) } else { None })
        .collect()
}

pub fn kinds(frames: &[ServerFrame]) -> Vec<&'static str> {
    frames.iter().map(batch::Frame::kind).collect()
}

/// From 1 to `n`.
pub fn up_to(n: u64) -> Vec<u64> {
    (1..=n).collect()
}

pub fn typing(name: &str, typing: bool) -> ClientFrame {
    Typing { channel: channel(name), typing }.into()
}

pub fn signal(name: &str, event: &str, to: Option<Uuid>) -> ClientFrame {
    let data = Payload::from_value(&1).unwrap();
    Signal { channel: channel(name), event: event.into(), data, to }.into()
}

pub fn history(id: u128, name: &str) -> ClientFrame {
    let channel = channel(name);
    History { id: Uuid::from_u128(id), channel, before: None, after: None, limit: None }.into()
}
