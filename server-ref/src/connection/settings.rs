//! The numbers that a session goes by. All times are in ms.

use everwire_protocol::{Limits, limits};

/// What a session goes by. The defaults are those of the protocol.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest silence of this server on a WebSocket.
    pub ping_interval_ms: u32,
    /// How much longer than twice the ping interval a silent client is borne.
    pub silence_grace_ms: u32,
    /// How long a new WebSocket may take to say hello.
    pub hello_timeout_ms: u32,
    /// How long a poll may be held; 0 if requests cannot be held here.
    pub hold_ms: u32,
    /// How long a polling connection lives after its last poll was answered.
    pub poll_end_ms: u32,
    /// How long a poll with something to say waits for what is just being read, so that it can travel along.
    pub poll_settle_ms: u32,
    /// How long after a token's expiry a new one is waited for.
    pub token_grace_ms: u32,
    /// How long one batch may take to be taken by the network: beyond it, nobody is reading.
    pub write_timeout_ms: u32,
    /// How long a connection that is to be closed may take to hand out what is queued.
    pub drain_ms: u32,
    /// How long a client waits before it sends again what could not be stored.
    pub retry_after_ms: u32,
    /// Most entries that a resuming client is sent from the log; if it missed more, that is a gap.
    pub replay_limit: u64,
    /// Most messages that wait in a connection's mailbox. It is emptied whenever the connection runs, so this much waits only
    /// if the machine cannot keep up.
    pub mailbox_messages: usize,
    /// Most frames that wait for a client. 8192 is a quarter of a second at the rate at which a browser can receive.
    pub queue_frames: usize,
    /// Most bytes of JSON text that wait for a client. Frames are shared, so many slow readers of one channel cost
    /// little more than one.
    pub queue_bytes: usize,
    /// Most sends that wait for the store. While there are more, nothing is read from the client.
    pub waiting_sends: usize,
    /// Most questions that wait for their answers; more are refused.
    pub waiting_requests: usize,
    /// How many bad batches or frames end a connection.
    pub bad_frames: u32,
    /// What a client may send.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ping_interval_ms: limits::PING_INTERVAL_MS,
            silence_grace_ms: limits::PING_GRACE_MS,
            hello_timeout_ms: limits::HELLO_TIMEOUT_MS,
            hold_ms: limits::POLL_HOLD_MS,
            poll_end_ms: 10_000,
            poll_settle_ms: 1_000,
            token_grace_ms: 10_000,
            write_timeout_ms: 20_000,
            drain_ms: 5_000,
            retry_after_ms: 1_000,
            replay_limit: 10_000,
            mailbox_messages: 16 * 1024,
            queue_frames: 8_192,
            queue_bytes: 4 * 1024 * 1024,
            waiting_sends: 512,
            waiting_requests: 32,
            bad_frames: 10,
            limits: Limits {
                payload_bytes: limits::MAX_PAYLOAD_BYTES as u32,
                batch_bytes: limits::MAX_BATCH_BYTES as u32,
                batch_frames: limits::MAX_BATCH_FRAMES as u32,
                subscriptions: limits::MAX_SUBSCRIPTIONS as u32,
                sends_per_minute: None,
                text_characters: None,
            },
        }
    }
}
