//! All limits of the protocol, with the reason for each number. A server may announce lower ones in `welcome`.

/// Maximum size of a batch from a client, in bytes of JSON. Large enough for a full POST of the outbox, small enough that a
/// slow upload does not block a phone for more than a second or two.
pub const MAX_BATCH_BYTES: usize = 64 * 1024;

/// How many times as large as other batches a request that receives may be: it names every subscription with its position,
/// and 256 names of 200 bytes are more than one batch.
pub const POLL_BATCHES: usize = 2;

/// Maximum size of the messages on a WebSocket before `hello` was accepted, in bytes of JSON without the token. Nobody pays for
/// them yet. Subscriptions that do not fit follow in the next batch, at once.
pub const MAX_FIRST_BYTES: usize = 4 * 1024;

/// Maximum frames in one batch from a client. The first batches are `hello` plus every subscription.
pub const MAX_BATCH_FRAMES: usize = 300;

/// Most frames in one POST without a `poll`, `hello` included. Bounds how much work one request is.
pub const MAX_POST_FRAMES: usize = 100;

/// Maximum size of a batch from a server, in bytes of JSON, so that a replay never becomes one message that blocks a page
/// while it is parsed.
pub const MAX_SERVER_BATCH_BYTES: usize = 128 * 1024;

/// Maximum size of a frame from a server, in bytes of JSON: it fits into a batch, with a `polled` in front.
pub const MAX_SERVER_FRAME_BYTES: usize = MAX_SERVER_BATCH_BYTES - 64;

/// Maximum size of the entries of a list in one frame, in bytes of JSON; the rest follows in further pages. Large enough for any
/// single entry (a chat with its members and its last message has at most 52 KiB), and small enough for two lists in a frame.
pub const MAX_PAGE_BYTES: usize = 60 * 1024;

/// Maximum size of the members in a chat, in bytes of JSON: an invitation is no means to make others download megabytes.
pub const MAX_CHAT_MEMBERS_BYTES: usize = 16 * 1024;

/// Maximum frames in one batch from a server. Beyond some 64 frames, batching gains little.
pub const MAX_SERVER_BATCH_FRAMES: usize = 256;

/// Maximum size of the `data` of a `send`, in bytes of JSON. Larger data belongs in files.
pub const MAX_PAYLOAD_BYTES: usize = 32 * 1024;

/// Maximum nesting depth of JSON in a batch. Real messages nest a handful deep; parsers recurse.
pub const MAX_DEPTH: usize = 32;

/// Maximum length of a channel name in bytes, including the prefix (other servers allow 164 to 200).
pub const MAX_CHANNEL_BYTES: usize = 200;

/// Maximum length of an event name, in bytes.
pub const MAX_EVENT_BYTES: usize = 100;

/// Maximum length of a display name or user id, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// Maximum subscriptions of one session: all of them, with their positions, must fit into the first batches.
pub const MAX_SUBSCRIPTIONS: usize = 256;

/// Maximum length of a token in bytes, to limit the work of parsing it.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Maximum of `recent` in `subscribe`.
pub const MAX_RECENT: u32 = 500;

/// Offsets stay below this, so that they are exact in a JavaScript number.
pub const MAX_OFFSET: u64 = (1 << 53) - 1;

/// How often the server pings an idle connection, in ms. Below the 30 s after which common proxies and mobile
/// networks drop idle connections.
pub const PING_INTERVAL_MS: u32 = 25_000;

/// How much longer than the ping interval a client waits before it considers a connection dead, in ms.
pub const PING_GRACE_MS: u32 = 10_000;

/// How long a server holds a poll without frames to send, in ms.
pub const POLL_HOLD_MS: u32 = 25_000;

/// When a client aborts a held poll, in ms.
pub const POLL_ABORT_MS: u32 = 35_000;

/// How often a client polls a server that cannot hold requests, in ms.
pub const POLL_INTERVAL_MS: u32 = 5_000;

/// How long a server remembers the ids of sends, in ms: a resend within this time gets the same ack and is not stored
/// again.
pub const DEDUPE_WINDOW_MS: u64 = 24 * 60 * 60 * 1000;

/// How long a server waits for `hello` on a new WebSocket, in ms.
pub const HELLO_TIMEOUT_MS: u32 = 5_000;

/// How long a member's leave is delayed, in ms, so that a reload causes no flicker.
pub const LEAVE_GRACE_MS: u32 = 10_000;

/// Maximum page size of `history`.
pub const MAX_HISTORY: u32 = 200;

/// Maximum page size of `list_chats`.
pub const MAX_CHATS_PAGE: u32 = 100;

/// Maximum users in one frame.
pub const MAX_USERS: usize = 100;

/// Maximum length of a chat's title, in bytes.
pub const MAX_TITLE_BYTES: usize = 128;

/// How often typing is announced again during keystrokes, in ms.
pub const TYPING_REPEAT_MS: u32 = 3_000;

/// How long after the last keystroke typing is withdrawn, in ms.
pub const TYPING_PAUSE_MS: u32 = 3_000;

/// When typing expires for receivers, in ms after the last announcement: one announcement may be lost.
pub const TYPING_EXPIRY_MS: u32 = 6_000;

/// How long receipts are batched before they are sent, in ms.
pub const RECEIPT_BATCH_MS: u32 = 1_000;
