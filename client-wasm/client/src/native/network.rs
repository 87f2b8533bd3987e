//! What the core wants of a network: WebSockets and requests, each in a task of its own, which reports what happens.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, ready},
};

use everwire_client_core::{Input, Output, RequestId, SocketId, Source};
use everwire_protocol::paths::POLL_PATH;
use futures_channel::mpsc as reporting;
use tokio::{
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
};

use super::websocket::{Order, websocket};
use crate::{Error, report::Report};

/// What a response may have at most, in bytes: as much as a WebSocket message of tokio-tungstenite. A server sends
/// [`MAX_SERVER_BATCH_BYTES`](everwire_protocol::limits::MAX_SERVER_BATCH_BYTES) at most; an intermediary may send without end.
const MAX_BODY: usize = 64 << 20;

/// The network of one client. Dropping it ends its sockets and requests at once.
pub struct Network {
    url: String,
    http: reqwest::Client,
    sockets: HashMap<SocketId, Socket>,
    requests: HashMap<RequestId, AbortHandle>,
    tasks: JoinSet<()>,
    reports: reporting::UnboundedSender<Report>,
}

struct Socket {
    orders: mpsc::UnboundedSender<Order>,
    /// From now on it may take no longer than a goodbye.
    leaving: Arc<Notify>,
}

impl Network {
    /// `url`: where the server is, without a path. What happens is reported by `reports`.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] if the system's network or TLS cannot be used.
    pub fn new(url: String, reports: reporting::UnboundedSender<Report>) -> Result<Self, Error> {
        #[cfg(feature = "rustls")]
        {
            // An error means that the application has chosen one.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        // Redirects are answers of intermediaries: they are reported, as any status that is not 200.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| Error::InvalidOption(error.to_string()))?;
        Ok(Self {
            url,
            http,
            sockets: HashMap::new(),
            requests: HashMap::new(),
            tasks: JoinSet::new(),
            reports,
        })
    }

    /// Carries out an output of the core. Returns those that have nothing to do with a network. Must be called in a tokio runtime.
    pub fn carry_out(&mut self, output: Output) -> Option<Output> {
        match output {
            Output::OpenWebSocket(id) => {
                let (orders, ordered) = mpsc::unbounded_channel();
                let leaving = Arc::new(Notify::new());
                self.tasks.spawn(websocket(
                    self.url.clone(),
                    id,
                    ordered,
                    leaving.clone(),
                    self.reports.clone(),
                ));
                self.sockets.insert(id, Socket { orders, leaving });
            }
            // One that has ended takes no orders.
            Output::SendWebSocket { socket, text } => {
                if let Some(Socket { orders, .. }) = self.sockets.get(&socket) {
                    let _ = orders.send(Order::Send(text));
                }
            }
            Output::CloseWebSocket { socket, code } => {
                if let Some(Socket { orders, leaving }) = self.sockets.remove(&socket) {
                    let _ = orders.send(Order::Close(code));
                    leaving.notify_one();
                }
            }
            Output::Request { request, body, token, keepalive: _ } => {
                let post = post(self.http.clone(), self.url.clone(), request, token, body);
                let reports = self.reports.clone();
                let handle = self.tasks.spawn(async move {
                    let _ = reports.unbounded_send(post.await);
                });
                self.requests.retain(|_, handle| !handle.is_finished());
                self.requests.insert(request, handle);
            }
            Output::Abort(request) => {
                if let Some(handle) = self.requests.remove(&request) {
                    handle.abort();
                }
            }
            Output::FetchToken | Output::Event(_) | Output::Remember(_) | Output::PollSlot(_) => {
                return Some(output);
            }
        }
        // Those that have ended are forgotten.
        while self.tasks.try_join_next().is_some() {}
        None
    }

    /// Ready once what is on its way has left.
    pub(super) fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while ready!(self.tasks.poll_join_next(cx)).is_some() {}
        Poll::Ready(())
    }

    /// Waits until what is on its way has left.
    pub async fn finished(&mut self) {
        poll_fn(|cx| self.poll_finished(cx)).await;
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("url", &self.url).finish_non_exhaustive()
    }
}

/// POSTs a batch. Dropping this gives the request up.
async fn post(
    http: reqwest::Client,
    url: String,
    request: RequestId,
    token: Option<String>,
    body: String,
) -> Report {
    let mut builder = http.post(format!("{url}{POLL_PATH}")).header("content-type", "application/json");
    if let Some(token) = token {
        builder = builder.bearer_auth(token);
    }
    let failed = |status, reason| Report::Input(Input::RequestFailed { request, status, reason });
    let response = match builder.body(body).send().await {
        Ok(response) => response,
        Err(error) => return failed(0, chain(&error)),
    };
    let status = response.status();
    if status != reqwest::StatusCode::OK {
        return failed(status.as_u16(), format!("HTTP status {status}"));
    }
    match body_of(response).await {
        Ok(body) => Report::Batch(Source::Response(request), String::from_utf8_lossy(&body).into_owned()),
        Err(reason) => failed(0, reason),
    }
}

/// The body of a response, as long as it is bounded.
async fn body_of(mut response: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| chain(&error))? {
        if body.len() + part.len() > MAX_BODY {
            return Err(format!(
                "the response is longer than {MAX_BODY} bytes: it is not from an Everwire server"
            ));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The error with its causes, which alone say what has happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}
