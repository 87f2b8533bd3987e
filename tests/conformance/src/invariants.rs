//! What holds for everything that a server sends, whatever is played: the form of frames, the bounds of batches, the codes and
//! the value of `retry`. Each dialogue fails on what violates it.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::Value;

use crate::{
    inbox::{Arrival, KIND},
    included,
};

/// The bounds of a batch of a server: EW-13-3.
const MAX_BATCH_BYTES: usize = 131_072;
const MAX_BATCH_FRAMES: usize = 256;
/// The reasons of a gap: section 5.2.
const REASONS: [&str; 3] = ["trimmed", "too_far", "epoch"];

/// What no server may send at all.
pub(crate) fn of_arrival(arrival: &Arrival, text: Option<&str>) -> Option<String> {
    let frames = match arrival {
        Arrival::Frame(frame) => std::slice::from_ref(frame),
        Arrival::Response(_, frames) => frames,
        Arrival::Closed(_) => &[],
        Arrival::Nonsense(what) => return Some(format!("nonsense: {what}")),
    };
    text.and_then(of_text).or_else(|| frames.iter().find_map(of_frame))
}

/// What is wrong with a batch as it was written.
pub(crate) fn of_text(text: &str) -> Option<String> {
    if text.len() > MAX_BATCH_BYTES {
        return Some(format!("a batch of {} bytes", text.len()));
    }
    let frames = serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).map_or(0, |frames| frames.len());
    (frames > MAX_BATCH_FRAMES).then(|| format!("a batch of {frames} frames"))
}

/// What is wrong with a frame.
pub(crate) fn of_frame(frame: &Value) -> Option<String> {
    let Some(fields) = frame.as_object() else { return Some(format!("a frame that is no object: {frame}")) };
    if !frame[KIND].is_string() {
        return Some(format!("a frame without a type: {frame}"));
    }
    // An optional field without a value is left out (EW-2-3); `data` may be null.
    if let Some((field, _)) = fields.iter().find(|(field, value)| value.is_null() && *field != "data") {
        return Some(format!("{field} is null: {frame}"));
    }
    let code = frame["code"].as_str();
    if let Some(code) = code.filter(|code| !retries().contains_key(code) && !code.contains('.')) {
        return Some(format!("the protocol has no code {code} (EW-15-2): {frame}"));
    }
    let reason = frame["gap"]["reason"].as_str();
    if let Some(reason) = reason.filter(|reason| !REASONS.contains(reason) && !reason.contains('.')) {
        return Some(format!("no gap has the reason {reason} (EW-15-2): {frame}"));
    }
    if frame[KIND] != "error" {
        return None;
    }
    match code.and_then(|code| retries().get(code)) {
        Some(retry) if frame["retry"] != Value::Bool(*retry) => {
            Some(format!("retry is not {retry}: {frame}"))
        }
        _ => None,
    }
}

/// `retry` of each code, as table 10.1 has it.
fn retries() -> &'static BTreeMap<&'static str, bool> {
    static RETRIES: OnceLock<BTreeMap<&str, bool>> = OnceLock::new();
    RETRIES.get_or_init(|| {
        let table = included::CORE.split_once("Table 10.1").map_or("", |(_, rest)| rest);
        let rows = table
            .lines()
            .skip_while(|line| !line.starts_with("| `"))
            .take_while(|line| line.starts_with('|'));
        rows.filter_map(|row| {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let code = cells.next()?.trim_matches('`');
            Some((code, cells.next()? == "yes"))
        })
        .collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_of_codes_is_read() {
        let retries = retries();
        assert!(retries["rate_limited"] && !retries["forbidden"], "{retries:?}");
        assert!(!retries.contains_key("code"));
    }

    #[test]
    fn violations_are_found() {
        let error = |retry| json!({"type": "error", "code": "forbidden", "message": "No.", "retry": retry});
        assert_eq!(of_frame(&error(false)), None);
        assert!(of_frame(&error(true)).is_some());
        assert!(of_frame(&json!({"type": "pong", "nonce": null})).is_some());
        let ended = |code| json!({"type": "unsubscribed", "channel": "news", "code": code});
        let gap = |reason| json!({"type": "subscribed", "gap": {"from": 1, "to": 2, "reason": reason}});
        for (word, fits) in [("acme.weather", true), ("weather", false)] {
            assert_eq!(of_frame(&ended(word)).is_none(), fits);
            assert_eq!(of_frame(&gap(word)).is_none(), fits);
        }
        assert!(of_frame(&ended("forbidden")).or(of_frame(&gap("epoch"))).is_none());
        assert!(of_text(&format!("[{}1]", "1,".repeat(256))).is_some());
    }
}
