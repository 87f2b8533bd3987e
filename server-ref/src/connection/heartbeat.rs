//! When a connection was opened, and when it last heard from its client and last sent something.

use super::Settings;

#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "they are times")]
pub(super) struct Heartbeat {
    opened_at: u64,
    heard_at: u64,
    sent_at: u64,
}

impl Heartbeat {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { opened_at: now_ms, heard_at: now_ms, sent_at: now_ms }
    }

    /// The client has sent something.
    pub(super) fn heard(&mut self, now_ms: u64) {
        self.heard_at = now_ms;
    }

    /// Something was sent to the client.
    pub(super) fn sent(&mut self, now_ms: u64) {
        self.sent_at = now_ms;
    }

    /// When the client must have sent `hello`.
    pub(super) fn hello_by(&self, settings: &Settings) -> u64 {
        self.opened_at + u64::from(settings.hello_timeout_ms)
    }

    /// When a ping is due, unless something else is sent before.
    pub(super) fn ping_at(&self, settings: &Settings) -> u64 {
        self.sent_at + u64::from(settings.ping_interval_ms)
    }

    /// When the client has been silent for too long.
    pub(super) fn silent_at(&self, settings: &Settings) -> u64 {
        self.heard_at + 2 * u64::from(settings.ping_interval_ms) + u64::from(settings.silence_grace_ms)
    }
}
