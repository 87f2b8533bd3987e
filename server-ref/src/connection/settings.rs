//! The settings of connections. All times are in ms.

use std::sync::Arc;

use everwire_protocol::{Limits, limits};

use crate::model::features::Features;

/// Who is listed in `presence-users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceUsers {
    /// Nobody: nobody may subscribe to it.
    Off,
    /// The users with whom the subscriber shares a chat.
    Companions,
    /// All users who are online.
    Everyone,
}

/// The settings of a connection. The defaults are those of the protocol.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The run of the store.
    pub run: Arc<str>,
    /// The longest silence of this server on a WebSocket.
    pub ping_interval_ms: u32,
    /// How much longer than twice the ping interval a client may be silent.
    pub silence_grace_ms: u32,
    /// How long a new WebSocket may take to send `hello`.
    pub hello_timeout_ms: u32,
    /// How long a poll may be held; 0 if requests cannot be held here.
    pub hold_ms: u32,
    /// How long a polling connection lives after its last poll was answered.
    pub poll_end_ms: u32,
    /// How long an answerable poll waits for entries that are being read, so that they can be included.
    pub poll_settle_ms: u32,
    /// How long to wait for a new token after the expiry.
    pub token_grace_ms: u32,
    /// How long writing one batch may take: beyond it, the client is not reading.
    pub write_timeout_ms: u32,
    /// How long a closing connection may take to flush its queue.
    pub drain_ms: u32,
    /// How long a client waits before it resends what could not be stored.
    pub retry_after_ms: u32,
    /// Maximum entries replayed to a resuming client; if it missed more, it gets a gap.
    pub replay_limit: u64,
    /// Capacity of a connection's mailbox. It is emptied whenever the connection runs, so it fills up only if the machine
    /// cannot keep up.
    pub mailbox_messages: usize,
    /// Maximum queued frames of a client. 8192 is a quarter of a second at the rate at which a browser can receive.
    pub queue_frames: usize,
    /// Maximum queued bytes of JSON text of a client. Frames are shared, so many slow readers of one channel cost little
    /// more than one.
    pub queue_bytes: usize,
    /// Maximum bytes in the queues of all clients together. Beyond it, those of the slowest readers are given up.
    pub total_queue_bytes: usize,
    /// Maximum sends that wait for the store. While there are more, nothing is read from the client.
    pub waiting_sends: usize,
    /// Maximum pending requests; more are refused.
    pub waiting_requests: usize,
    /// Who is listed in `presence-users`.
    pub presence_users: PresenceUsers,
    /// How many invalid batches or frames close a connection.
    pub bad_frames: u32,
    /// What this server has of the protocol beyond the core.
    pub features: Features,
    /// The limits for clients.
    pub limits: Limits,
    /// A planted bug: after a send was refused for now, later ones are stored all the same.
    #[cfg(feature = "planted")]
    pub never_defers: bool,
    /// A planted bug: a new token does not end what it no longer grants.
    #[cfg(feature = "planted")]
    pub keeps_lost_grants: bool,
    /// A planted bug: of the sends in a refused batch only the first is named.
    #[cfg(feature = "planted")]
    pub names_first_only: bool,
    /// A planted bug: the token of a later poll is not looked at.
    #[cfg(feature = "planted")]
    pub ignores_later_tokens: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run: "".into(),
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
            total_queue_bytes: 128 * 1024 * 1024,
            waiting_sends: 512,
            waiting_requests: 32,
            presence_users: PresenceUsers::Everyone,
            bad_frames: 10,
            features: Features::default(),
            limits: Limits {
                payload_bytes: limits::MAX_PAYLOAD_BYTES as u32,
                batch_bytes: limits::MAX_BATCH_BYTES as u32,
                batch_frames: limits::MAX_BATCH_FRAMES as u32,
                subscriptions: limits::MAX_SUBSCRIPTIONS as u32,
                sends_per_minute: None,
                text_characters: None,
            },
            #[cfg(feature = "planted")]
            never_defers: false,
            #[cfg(feature = "planted")]
            keeps_lost_grants: false,
            #[cfg(feature = "planted")]
            names_first_only: false,
            #[cfg(feature = "planted")]
            ignores_later_tokens: false,
        }
    }
}
