//! Carries out what the core wants, and tells it what has happened. It makes no decisions.

use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

use everwire_client_core::{Event, Now, Output, RequestId, SocketId};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use crate::network::{Http, Order, Reports, websocket};

/// The network and the clocks of one client.
pub(crate) struct Driver {
    url: String,
    http: Http,
    begun: Instant,
    sockets: HashMap<SocketId, mpsc::UnboundedSender<Order>>,
    requests: HashMap<RequestId, AbortHandle>,
    tasks: JoinSet<()>,
    reports: Reports,
}

/// What the network has no part in.
pub(crate) enum Wanted {
    Token,
    Event(Event),
}

impl Driver {
    pub(crate) fn new(url: String, reports: Reports) -> Self {
        Self {
            url,
            http: Http::new(),
            begun: Instant::now(),
            sockets: HashMap::new(),
            requests: HashMap::new(),
            tasks: JoinSet::new(),
            reports,
        }
    }

    /// What both clocks say.
    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono: self.begun.elapsed().as_millis() as u64, wall: wall.as_millis() as u64 }
    }

    pub(crate) fn carry_out(&mut self, output: Output) -> Option<Wanted> {
        match output {
            Output::OpenWebSocket(socket) => {
                let (sender, orders) = mpsc::unbounded_channel();
                self.sockets.insert(socket, sender);
                self.tasks.spawn(websocket(self.url.clone(), socket, orders, self.reports.clone()));
            }
            Output::SendWebSocket { socket, text } => self.order(socket, Order::Send(text)),
            Output::CloseWebSocket { socket, code } => {
                self.order(socket, Order::Close(code));
                self.sockets.remove(&socket);
            }
            Output::Request { request, body, token, keepalive: _ } => {
                let (http, url, reports) = (self.http.clone(), self.url.clone(), self.reports.clone());
                let handle = self.tasks.spawn(http.post(url, request, token, body, reports));
                self.requests.insert(request, handle);
                self.requests.retain(|_, handle| !handle.is_finished());
            }
            Output::Abort(request) => {
                if let Some(handle) = self.requests.remove(&request) {
                    handle.abort();
                }
            }
            Output::FetchToken => return Some(Wanted::Token),
            Output::Event(event) => return Some(Wanted::Event(event)),
            // Nothing is kept for a later start, and no other page shares this one's connections.
            Output::Remember(_) | Output::PollSlot(_) => {}
        }
        None
    }

    /// A WebSocket that has ended takes no orders.
    fn order(&self, socket: SocketId, order: Order) {
        if let Some(orders) = self.sockets.get(&socket) {
            let _ = orders.send(order);
        }
    }

    /// Waits until what is on its way has left.
    pub(crate) async fn finished(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
