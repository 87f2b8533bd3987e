//! Every bound of the protocol, with the reason for its number. A server may announce tighter ones in `welcome`.

/// Largest batch that a client may send, in bytes of JSON text. Big enough for a full POST of the outbox, small enough
/// that one slow upload does not hold up a phone for more than a second or two.
pub const MAX_BATCH_BYTES: usize = 64 * 1024;

/// Most frames in one batch from a client. A first batch is `hello` plus every subscription.
pub const MAX_BATCH_FRAMES: usize = 300;

/// Most `send` frames that a client puts into one POST. Bounds how much work one request is.
pub const MAX_SENDS_PER_POST: usize = 100;

/// Largest batch that a server sends, in bytes of JSON text: the packing of waiting frames stops here, so that a
/// replay never becomes one message that blocks a page while it is parsed. A single larger frame travels alone.
pub const MAX_SERVER_BATCH_BYTES: usize = 128 * 1024;

/// Most frames that a server packs into one batch. Past some 64 frames, batching gains little more.
pub const MAX_SERVER_BATCH_FRAMES: usize = 256;

/// Largest `data` of one `send`, in bytes of JSON text. Larger things are files, and travel as files.
pub const MAX_PAYLOAD_BYTES: usize = 32 * 1024;

/// Deepest nesting of JSON arrays and objects in a batch. Real messages nest a handful deep; parsers recurse.
pub const MAX_DEPTH: usize = 32;

/// Longest channel name in bytes, prefix included (the field's convention allows 164 to 200).
pub const MAX_CHANNEL_BYTES: usize = 200;

/// Longest name of a custom event, in bytes.
pub const MAX_EVENT_BYTES: usize = 100;

/// Longest display name or user id, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// Most subscriptions of one session: they must all fit, with their positions, into the first batch.
pub const MAX_SUBSCRIPTIONS: usize = 256;

/// Longest token in bytes. Beyond this it is not a token but an attempt to make the server work.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Largest `recent` that `subscribe` may ask for.
pub const MAX_RECENT: u32 = 500;

/// Offsets stay below this, so that they are exact in a JavaScript number.
pub const MAX_OFFSET: u64 = (1 << 53) - 1;

/// How often the server pings an idle connection, in ms. Below the 30 s after which common proxies and mobile
/// networks drop idle connections.
pub const PING_INTERVAL_MS: u32 = 25_000;

/// How much longer than the ping interval a client waits before it calls a connection dead, in ms.
pub const PING_GRACE_MS: u32 = 10_000;

/// How long a server holds a poll that has nothing to say, in ms.
pub const POLL_HOLD_MS: u32 = 25_000;

/// When a client gives up on a held poll, in ms.
pub const POLL_ABORT_MS: u32 = 35_000;

/// How often a client polls a server that cannot hold requests, in ms.
pub const POLL_INTERVAL_MS: u32 = 5_000;

/// How long a server remembers the ids of what was sent, in ms: a resend within this time is answered with the same
/// ack and is not stored again.
pub const DEDUPE_WINDOW_MS: u64 = 24 * 60 * 60 * 1000;

/// How long a server waits for `hello` on a new WebSocket, in ms.
pub const HELLO_TIMEOUT_MS: u32 = 10_000;

/// How long a member's leave is held back, in ms, so that a reload shows no flicker.
pub const LEAVE_GRACE_MS: u32 = 10_000;

/// Largest page that `history` may ask for.
pub const MAX_HISTORY: u32 = 200;

/// Most users that one frame names.
pub const MAX_USERS: usize = 100;

/// Longest title of a chat, in bytes.
pub const MAX_TITLE_BYTES: usize = 128;

/// How often typing is announced again while keys come, in ms.
pub const TYPING_REPEAT_MS: u32 = 3_000;

/// How long after the last key typing is withdrawn, in ms.
pub const TYPING_PAUSE_MS: u32 = 3_000;

/// When receivers take typing back by themselves, in ms after they last heard of it: one announcement may be lost.
pub const TYPING_EXPIRY_MS: u32 = 6_000;

/// For how long receipts are collected before they are sent, in ms.
pub const RECEIPT_BATCH_MS: u32 = 1_000;
