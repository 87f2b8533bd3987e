//! The server that the tool plays: it listens on a free port of this machine, and tells of everything that a client wants there.
//! What is answered, the dialogue decides.

use std::{net::SocketAddr, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{conduct::Conduct, socket::Socket};
use crate::error::{Error, Result};

const WEBSOCKET_PATH: &str = "/everwire/v1/ws";
const POLL_PATH: &str = "/everwire/v1/poll";

/// A running server. It ends, with all of its connections, when it is dropped.
pub(super) struct Site {
    address: SocketAddr,
    knocks: mpsc::UnboundedReceiver<Knock>,
    listening: JoinHandle<()>,
}

/// Something that the client wants.
pub(super) enum Knock {
    Opening(Opening),
    Post(Post),
}

/// A WebSocket that the client wants to open.
pub(super) struct Opening {
    pub(super) at: Instant,
    key: String,
    upgrade: OnUpgrade,
    answer: oneshot::Sender<Answer>,
}

/// A request of polling.
pub(super) struct Post {
    pub(super) at: Instant,
    pub(super) frames: Vec<Value>,
    pub(super) token: Option<String>,
    answer: oneshot::Sender<Answer>,
}

/// What the client is told: a response, or nothing, when the connection ends.
enum Answer {
    Response(Response<Full<Bytes>>),
    Cut,
}

impl Site {
    /// Starts it. What clients do is watched by `conduct`.
    pub(super) async fn start(conduct: Arc<Conduct>) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Argument(format!("no port is free: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (sender, knocks) = mpsc::unbounded_channel();
        let listening = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, conduct) = (sender.clone(), Arc::clone(&conduct));
                let service =
                    service_fn(move |request| answer(request, sender.clone(), Arc::clone(&conduct)));
                // An error is how a connection ends that the dialogue or the client has cut.
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(serving.with_upgrades());
            }
        });
        Ok(Self { address, knocks, listening })
    }

    /// Its address, for the client.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the client wants next.
    pub(super) async fn knock(&mut self) -> Option<Knock> {
        self.knocks.recv().await
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Knock {
    /// Whether the client no longer waits for the answer.
    pub(super) fn is_given_up(&self) -> bool {
        match self {
            Self::Opening(opening) => opening.answer.is_closed(),
            Self::Post(post) => post.answer.is_closed(),
        }
    }
}

impl Opening {
    /// Opens the WebSocket.
    pub(super) fn accept(self, conduct: Arc<Conduct>) -> Socket {
        let response = Response::builder()
            .status(101)
            .header(header::UPGRADE, "websocket")
            .header(header::CONNECTION, "Upgrade")
            .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(self.key.as_bytes()))
            .header(header::SEC_WEBSOCKET_PROTOCOL, super::conduct::SUBPROTOCOL)
            .body(Full::default());
        let socket = Socket::begin(self.upgrade, conduct);
        tell(self.answer, response);
        socket
    }

    /// Refuses it with a status.
    pub(super) fn refuse(self, status: u16) {
        tell(self.answer, Response::builder().status(status).body(Full::default()));
    }

    /// Ends the connection.
    pub(super) fn cut(self) {
        let _ = self.answer.send(Answer::Cut);
    }
}

impl Post {
    /// Answers it. A client that no longer waits for the answer does not get it.
    pub(super) fn answer(self, status: u16, body: String) {
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        tell(self.answer, response.header(header::CACHE_CONTROL, "no-store").body(Full::from(body)));
    }

    /// Ends the connection.
    pub(super) fn cut(self) {
        let _ = self.answer.send(Answer::Cut);
    }

    /// Waits until the client no longer waits for the answer.
    pub(super) async fn given_up(&mut self) {
        self.answer.closed().await;
    }
}

fn tell(answer: oneshot::Sender<Answer>, response: hyper::http::Result<Response<Full<Bytes>>>) {
    // A status that does not exist is one of the dialogue's mistakes, and ends the connection.
    let _ = answer.send(response.map_or(Answer::Cut, Answer::Response));
}

async fn answer(
    mut request: Request<Incoming>,
    knocks: mpsc::UnboundedSender<Knock>,
    conduct: Arc<Conduct>,
) -> std::result::Result<Response<Full<Bytes>>, Cut> {
    let (sender, answer) = oneshot::channel();
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = request.uri().to_string();
    let knock = if target == WEBSOCKET_PATH {
        conduct.opening(header(header::SEC_WEBSOCKET_PROTOCOL));
        let key = header(header::SEC_WEBSOCKET_KEY).to_owned();
        let upgrade = hyper::upgrade::on(&mut request);
        Knock::Opening(Opening { at: Instant::now(), key, upgrade, answer: sender })
    } else if target == POLL_PATH && request.method() == "POST" {
        let content_type = header(header::CONTENT_TYPE).to_owned();
        let token = header(header::AUTHORIZATION).strip_prefix("Bearer ").map(str::to_owned);
        let body = request.into_body().collect().await.map_err(|_| Cut)?.to_bytes();
        let frames = conduct.post(&content_type, token.as_deref(), &body);
        Knock::Post(Post { at: Instant::now(), frames, token, answer: sender })
    } else {
        conduct.violated(format!("{} {target} is no request of the protocol", request.method()));
        return Ok(Response::builder().status(404).body(Full::default()).unwrap_or_default());
    };
    let sending = match &knock {
        Knock::Post(post) => conduct.sending(&post.frames),
        Knock::Opening(_) => None,
    };
    // Nobody listens if the dialogue is over: then the connection ends.
    let _ = knocks.send(knock);
    let answer = answer.await;
    drop(sending);
    match answer {
        Ok(Answer::Response(response)) => Ok(response),
        Ok(Answer::Cut) | Err(_) => Err(Cut),
    }
}

/// How a connection ends without a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
struct Cut;
