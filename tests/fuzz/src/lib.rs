//! What the fuzz targets share: text that is nearly a batch, made from arbitrary bytes. The targets are in `tests/`;
//! `cargo test` replays their corpus and tries a few thousand inputs more, `cargo xtask fuzz` goes on for longer.

/// Pieces of which batches are made, and of which broken ones are made too.
const PIECES: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "0",
    "1",
    "2",
    "3",
    "1e9",
    "9007199254740991",
    "18446744073709551616",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"a\"",
    "\"b\"",
    "\"news\"",
    "\"presence-x\"",
    "\"private-user.ann\"",
    "\"private-\"",
    "\"00000000-0000-0000-0000-000000000001\"",
    "\"0190b5c0-0000-7000-8000-000000000002\"",
    "\"type\":",
    "\"version\":",
    "\"session\":",
    "\"token\":",
    "\"guest\":",
    "\"user\":",
    "\"name\":",
    "\"channel\":",
    "\"epoch\":",
    "\"offset\":",
    "\"recent\":",
    "\"undelivered\":",
    "\"action\":",
    "\"target\":",
    "\"typing\":",
    "\"to\":",
    "\"delivered\":",
    "\"read\":",
    "\"idle\":",
    "\"status\":",
    "\"users\":",
    "\"before\":",
    "\"after\":",
    "\"limit\":",
    "\"chat\":",
    "\"kind\":",
    "\"title\":",
    "\"role\":",
    "\"id\":",
    "\"event\":",
    "\"data\":",
    "\"connection\":",
    "\"ack\":",
    "\"hold_ms\":",
    "\"nonce\":",
    "\"head\":",
    "\"seq\":",
    "\"at\":",
    "\"code\":",
    "\"message\":",
    "\"retry\":",
    "\"hello\"",
    "\"subscribe\"",
    "\"unsubscribe\"",
    "\"send\"",
    "\"poll\"",
    "\"ping\"",
    "\"pong\"",
    "\"bye\"",
    "\"welcome\"",
    "\"run\"",
    "\"subscribed\"",
    "\"unsubscribed\"",
    "\"ack\"",
    "\"error\"",
    "\"joined\"",
    "\"left\"",
    "\"polled\"",
    "\"goaway\"",
    "\"typing\"",
    "\"signal\"",
    "\"receipt\"",
    "\"status\"",
    "\"history\"",
    "\"create_chat\"",
    "\"done\"",
    "\"page\"",
    "\"edit\"",
    "\"delete\"",
    "\"owner\"",
    "\"private-chat.7\"",
    "\"rate_limited\"",
    "\"unauthorized\"",
];

/// Whole frames from a client, for depth.
const FROM_CLIENTS: &[&str] = &[
    r#"{"type":"hello","version":1,"session":"00000000-0000-0000-0000-000000000001","guest":{"user":"ann","name":"Ann"}}"#,
    r#"{"type":"subscribe","channel":"news"}"#,
    r#"{"type":"subscribe","channel":"presence-x","recent":3}"#,
    r#"{"type":"subscribe","channel":"news","epoch":"a","offset":1}"#,
    r#"{"type":"unsubscribe","channel":"news"}"#,
    r#"{"type":"send","id":"0190b5c0-0000-7000-8000-000000000001","channel":"news","data":1}"#,
    r#"{"type":"send","id":"0190b5c0-0000-7000-8000-000000000002","channel":"news","event":"e","data":{}}"#,
    r#"{"type":"poll","ack":0,"hold_ms":25000}"#,
    r#"{"type":"ping","nonce":1}"#,
    r#"{"type":"pong"}"#,
    r#"{"type":"bye"}"#,
    r#"{"type":"subscribe","channel":"private-user.ann","undelivered":true}"#,
    r#"{"type":"subscribe","channel":"presence-users"}"#,
    r#"{"type":"subscribe","channel":"private-chat.0190b5c0-0000-7000-8000-000000000007","recent":5}"#,
    r#"{"type":"send","id":"0190b5c0-0000-7000-8000-000000000003","channel":"news","data":2,"action":"edit","target":"0190b5c0-0000-7000-8000-000000000001"}"#,
    r#"{"type":"send","id":"0190b5c0-0000-7000-8000-000000000004","channel":"news","data":null,"action":"delete","target":"0190b5c0-0000-7000-8000-000000000001"}"#,
    r#"{"type":"send","id":"0190b5c0-0000-7000-8000-000000000005","channel":"private-chat.0190b5c0-0000-7000-8000-000000000007","data":3,"action":"reply","target":"0190b5c0-0000-7000-8000-000000000001"}"#,
    r#"{"type":"send","id":"0190b5c0-0000-7000-8000-000000000006","channel":"news","event":"notification","data":{"title":"t"}}"#,
    r#"{"type":"typing","channel":"news","typing":true}"#,
    r#"{"type":"typing","channel":"presence-x","typing":false}"#,
    r#"{"type":"signal","channel":"news","event":"e","data":1}"#,
    r#"{"type":"signal","channel":"presence-x","event":"e","data":1,"to":"00000000-0000-0000-0000-000000000009"}"#,
    r#"{"type":"mark","channel":"presence-x","delivered":2,"read":1}"#,
    r#"{"type":"mark","channel":"private-user.ann","read":9007199254740991}"#,
    r#"{"type":"idle","idle":true}"#,
    r#"{"type":"set_status","id":"0190b5c0-0000-7000-8000-000000000011","status":"away"}"#,
    r#"{"type":"get_status","id":"0190b5c0-0000-7000-8000-000000000012","users":["ann","bob"]}"#,
    r#"{"type":"history","id":"0190b5c0-0000-7000-8000-000000000013","channel":"news","before":3,"limit":2}"#,
    r#"{"type":"history","id":"0190b5c0-0000-7000-8000-000000000014","channel":"news","after":0}"#,
    r#"{"type":"list_chats","id":"0190b5c0-0000-7000-8000-000000000015","limit":3}"#,
    r#"{"type":"create_chat","id":"0190b5c0-0000-7000-8000-000000000007","kind":"group","title":"T","users":["bob"]}"#,
    r#"{"type":"create_chat","id":"0190b5c0-0000-7000-8000-000000000008","kind":"direct","users":["bob"]}"#,
    r#"{"type":"invite","id":"0190b5c0-0000-7000-8000-000000000016","chat":"0190b5c0-0000-7000-8000-000000000007","user":"cy"}"#,
    r#"{"type":"join_chat","id":"0190b5c0-0000-7000-8000-000000000017","chat":"0190b5c0-0000-7000-8000-000000000007"}"#,
    r#"{"type":"leave_chat","id":"0190b5c0-0000-7000-8000-000000000018","chat":"0190b5c0-0000-7000-8000-000000000007"}"#,
    r#"{"type":"remove_member","id":"0190b5c0-0000-7000-8000-000000000019","chat":"0190b5c0-0000-7000-8000-000000000007","user":"bob"}"#,
    r#"{"type":"rename_chat","id":"0190b5c0-0000-7000-8000-00000000001a","chat":"0190b5c0-0000-7000-8000-000000000007","title":"U"}"#,
    r#"{"type":"set_role","id":"0190b5c0-0000-7000-8000-00000000001b","chat":"0190b5c0-0000-7000-8000-000000000007","user":"bob","role":"owner"}"#,
];

/// Whole frames from a server, for depth.
const FROM_SERVERS: &[&str] = &[
    r#"{"type":"welcome","version":1,"session":"00000000-0000-0000-0000-000000000001","connection":"00000000-0000-0000-0000-000000000009","run":"1","user":"u","server_time":1,"ping_interval_ms":25000,"hold_ms":25000,"limits":{"payload_bytes":1000,"batch_bytes":10000,"batch_frames":10,"subscriptions":5}}"#,
    r#"{"type":"subscribed","channel":"news","epoch":"a","offset":0,"head":3}"#,
    r#"{"type":"subscribed","channel":"news","epoch":"b","offset":2,"head":2,"gap":{"from":1,"to":2,"reason":"epoch"}}"#,
    r#"{"type":"message","channel":"news","offset":1,"id":"0190b5c0-0000-7000-8000-000000000001","user":"u","at":1,"data":1}"#,
    r#"{"type":"message","channel":"news","offset":2,"id":"0190b5c0-0000-7000-8000-000000000002","user":"u","at":1,"data":1}"#,
    r#"{"type":"ack","id":"0190b5c0-0000-7000-8000-000000000001","channel":"news","offset":1,"at":1}"#,
    r#"{"type":"error","code":"rate_limited","message":"m","retry":true,"id":"0190b5c0-0000-7000-8000-000000000001"}"#,
    r#"{"type":"unsubscribed","channel":"news"}"#,
    r#"{"type":"polled","seq":1}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"goaway","delay_ms":5,"spread_ms":5,"reason":"r"}"#,
    r#"{"type":"subscribed","channel":"private-user.u","epoch":"a","offset":0,"head":3,"receipts":[{"user":"u","delivered":2,"read":1}],"chats":[]}"#,
    r#"{"type":"user_typing","channel":"news","user":"v","typing":true}"#,
    r#"{"type":"signalled","channel":"news","event":"e","data":1,"user":"v","at":1}"#,
    r#"{"type":"signalled","event":"e","data":1,"at":1}"#,
    r#"{"type":"receipt","channel":"news","user":"u","delivered":2,"read":1,"unread":1}"#,
    r#"{"type":"status_changed","channel":"presence-users","user":"v","status":"offline","last_seen":1}"#,
    r#"{"type":"activity","message":{"channel":"private-chat.7","offset":1,"id":"0190b5c0-0000-7000-8000-000000000001","user":"v","at":1,"data":1}}"#,
    r#"{"type":"chat_gone","channel":"private-user.u","chat":"7"}"#,
    r#"{"type":"done","id":"0190b5c0-0000-7000-8000-000000000011"}"#,
    r#"{"type":"history_page","id":"0190b5c0-0000-7000-8000-000000000013","channel":"news","epoch":"a","messages":[],"more":false}"#,
    r#"{"type":"chats","id":"0190b5c0-0000-7000-8000-000000000015","chats":[],"more":false}"#,
    r#"{"type":"statuses","id":"0190b5c0-0000-7000-8000-000000000012","statuses":[{"user":"v","status":"away"}]}"#,
];

/// Who is speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// A client.
    Client,
    /// A server.
    Server,
}

/// A batch of whole frames and loose pieces, as the bytes say.
pub fn nearly_a_batch(bytes: &[u8], speaker: Speaker) -> String {
    let whole = if speaker == Speaker::Client { FROM_CLIENTS } else { FROM_SERVERS };
    let mut text = String::from("[");
    for (place, byte) in bytes.iter().enumerate() {
        // Most of it fits together: rubbish that is refused at its first byte tests little.
        if *byte < 200 {
            if place > 0 {
                text.push(',');
            }
            text.push_str(whole[usize::from(*byte) % whole.len()]);
        } else {
            let which = bytes.get(place + 1).copied().unwrap_or(0);
            text.push_str(PIECES[usize::from(which) % PIECES.len()]);
        }
    }
    text.push(']');
    text
}

/// Pieces in any order.
pub fn loose_pieces(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| PIECES[usize::from(*byte) % PIECES.len()]).collect()
}
