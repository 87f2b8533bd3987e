//! Subscribing and unsubscribing, as the application asks for it.

use alloc::{string::String, vec::Vec};

use everwire_protocol::{Channel, ErrorCode, Unsubscribe, limits};

use super::{Connection, Now, Transport};
use crate::{
    Handle, Position,
    incoming::subscription::{StartFrom, Subscription},
    transport::websocket::WebSocket,
};

impl Connection {
    /// Receives a channel from now on. `recent`: how many entries before the end to replay at first; `position`: where
    /// to continue instead. Returns the handle under which entries and events arrive.
    pub fn subscribe(
        &mut self,
        now: Now,
        channel: &str,
        recent: Option<u32>,
        position: Option<Position>,
    ) -> Result<Handle, ErrorCode> {
        self.subscribe_from(now, channel, recent, position, false)
    }

    /// The same; `undelivered`: begin after what was delivered to this user, on whatever device.
    pub fn subscribe_from(
        &mut self,
        now: Now,
        channel: &str,
        recent: Option<u32>,
        position: Option<Position>,
        undelivered: bool,
    ) -> Result<Handle, ErrorCode> {
        self.tick(now);
        let channel = Channel::parse(channel).ok_or(ErrorCode::InvalidChannel)?;
        if self.lifecycle.is_closed() {
            return Err(ErrorCode::Closed);
        }
        if position.as_ref().is_some_and(|p| p.offset > limits::MAX_OFFSET) {
            return Err(ErrorCode::InvalidOption);
        }
        if let Some(handle) = self.subscriptions.find(&channel) {
            return Ok(handle);
        }
        if self.subscriptions.len() >= self.max_subscriptions {
            return Err(ErrorCode::TooManySubscriptions);
        }
        let recent = recent.map(|n| n.min(limits::MAX_RECENT));
        if let Some(poll) = &mut self.transports.poll {
            poll.channel_added(&channel);
        }
        let handle = self.subscriptions.add(channel, StartFrom { recent, position, undelivered });
        self.request_subscriptions();
        self.refresh_poll();
        Ok(handle)
    }

    /// The subscription of this channel, if there is one.
    pub fn subscription(&self, channel: &Channel) -> Option<Handle> {
        self.subscriptions.find(channel)
    }

    /// Stops receiving. Nothing is delivered for this handle any more.
    pub fn unsubscribe(&mut self, now: Now, handle: Handle) {
        self.typing(now, handle, false);
        self.send_receipts();
        let Some(subscription) = self.remove_subscription(handle) else { return };
        let open = self.transports.websocket.as_ref().is_some_and(WebSocket::is_open);
        if subscription.was_requested(Transport::WebSocket) && open {
            let channel = subscription.channel().clone();
            self.subscriptions.leave(channel.clone());
            self.send_websocket(&[Self::encode(Unsubscribe { channel })]);
        }
    }

    pub(super) fn remove_subscription(&mut self, handle: Handle) -> Option<Subscription> {
        self.typists.forget(handle);
        let subscription = self.subscriptions.remove(handle)?;
        if let Some(poll) = &mut self.transports.poll {
            poll.channel_removed(subscription.channel().clone());
        }
        self.refresh_poll();
        Some(subscription)
    }

    /// Sends `subscribe` for what the present WebSocket was not asked for yet. Polls carry the whole set anyway.
    pub(super) fn request_subscriptions(&mut self) {
        if self.transports.is_active(Transport::WebSocket) {
            let mut frames = Vec::new();
            self.add_subscriptions(Transport::WebSocket, &mut frames);
            self.send_websocket(&frames);
        }
    }

    /// Adds `subscribe` for every subscription that is to be requested by this transport.
    pub(super) fn add_subscriptions(&mut self, transport: Transport, frames: &mut Vec<String>) {
        for subscription in self.subscriptions.requests_for(transport) {
            frames.push(Self::encode(subscription));
        }
    }
}
