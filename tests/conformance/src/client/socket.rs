//! A WebSocket that a client has opened to the server that the tool plays.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{CloseFrame, Role},
    },
};

use super::conduct::{Conduct, Watch};
use crate::inbox::{Arrival, Arrivals, Inbox, KIND};

/// One of them. Dropping it ends it without a word.
pub(super) struct Socket {
    orders: mpsc::UnboundedSender<Message>,
    /// What has arrived.
    pub(super) inbox: Inbox,
    watch: Arc<Watch>,
    task: JoinHandle<()>,
}

impl Socket {
    /// One whose opening is answered at this moment.
    pub(super) fn begin(upgrade: OnUpgrade, conduct: Arc<Conduct>) -> Self {
        let (orders, ordered) = mpsc::unbounded_channel();
        // What a client may not send, `Conduct` has noticed already.
        let (arrivals, inbox) = Inbox::new(KIND, |_, _| None);
        let watch = Arc::new(conduct.socket());
        let task = tokio::spawn(run(upgrade, ordered, arrivals, Arc::clone(&watch)));
        Self { orders, inbox, watch, task }
    }

    /// Sends a batch.
    pub(super) fn send(&self, batch: Value) {
        let batch = self.watch.told(batch);
        self.send_text(batch.to_string());
    }

    /// Sends a text as it is.
    pub(super) fn send_text(&self, text: String) {
        let _ = self.orders.send(Message::text(text));
    }

    /// Closes it with a code.
    pub(super) fn close(&self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "as the dialogue says".into() };
        let _ = self.orders.send(Message::Close(Some(frame)));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    upgrade: OnUpgrade,
    mut orders: mpsc::UnboundedReceiver<Message>,
    arrivals: Arrivals,
    watch: Arc<Watch>,
) {
    let Ok(upgraded) = upgrade.await else {
        return arrivals.put(Arrival::Closed(1006), None);
    };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let code = loop {
        tokio::select! {
            Some(order) = orders.recv() => {
                if socket.send(order).await.is_err() {
                    break 1006;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let mut whole = Some(text.to_string());
                    for frame in watch.heard(&text) {
                        arrivals.put(Arrival::Frame(frame), whole.take());
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    watch.closed(frame.as_ref().map(|frame| frame.reason.as_str()).unwrap_or_default());
                    break frame.map_or(1005, |frame| frame.code.into());
                }
                Some(Ok(Message::Binary(_))) => watch.binary(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break 1006,
            }
        }
    };
    arrivals.put(Arrival::Closed(code), None);
    // Answers the closing handshake.
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
}
