//! Accepts sockets and serves HTTP on them.
//!
//! Not `axum::serve`: it has neither a timeout for the head of a request, nor a count of open sockets that a stop can wait for, nor
//! a queue for sockets of one address.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    admission::{Admission, Peer},
    logs,
    transports::socket::Socket,
};

/// How long the head of a request may take to arrive, and how long a socket may be idle between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// When a head that is not complete is refused: a token of the largest size, and what browsers and proxies add, must fit. The read that
/// passes this mark may complete a head that is larger by some KiB.
const HEAD_BYTES: usize = 32 * 1024;

/// How soon a client that was not let in may try again, in seconds.
const RETRY_AFTER: &str = "30";

/// What is needed to serve a socket.
#[derive(Debug, Clone)]
pub(super) struct Acceptor {
    pub(super) router: Router,
    pub(super) admission: Arc<Admission>,
    /// The number of open sockets.
    pub(super) sockets: watch::Sender<usize>,
}

impl Acceptor {
    /// Accepts sockets until it is time to stop.
    pub(super) async fn run(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = told_to_stop(&mut stop) => return,
            };
            match accepted {
                Ok((socket, from)) => {
                    self.sockets.send_modify(|count| *count += 1);
                    let (acceptor, stop) = (self.clone(), stop.clone());
                    tokio::spawn(async move {
                        acceptor.admit(socket, from.ip(), stop).await;
                        acceptor.sockets.send_modify(|count| *count -= 1);
                    });
                }
                Err(error) => {
                    // Usually too many open files: others have to close first.
                    tracing::error!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Waits for the socket's turn, then serves it.
    async fn admit(&self, socket: TcpStream, from: IpAddr, mut stop: watch::Receiver<bool>) {
        let peer = tokio::select! {
            peer = self.admission.socket(from) => peer,
            () = told_to_stop(&mut stop) => None,
        };
        if let Some(peer) = peer {
            self.serve(socket, from, peer, stop).await;
        } else {
            tracing::info!(%from, "socket closed: its address has too many");
        }
    }

    async fn serve(&self, socket: TcpStream, from: IpAddr, peer: Peer, mut stop: watch::Receiver<bool>) {
        // Frames are already batched: the network must not wait for more.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "socket closed early");
            return;
        }
        let socket = Socket::new(socket);
        let service = service_fn(|request: Request<Incoming>| self.answer(request, from, &peer));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = told_to_stop(&mut stop) => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a request ended early");
        }
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        from: IpAddr,
        socket: &Peer,
    ) -> Result<Response<Body>, Infallible> {
        let Some(mut peer) = self.admission.client(from, socket, request.headers()).await else {
            let path = logs::short(request.uri().path());
            tracing::info!(%from, path, "request refused: its address has too many");
            let mut refused = Response::new(Body::from("Too many requests from this address.\n"));
            *refused.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            refused.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER));
            return Ok(refused);
        };
        request.extensions_mut().insert(peer.clone());
        let response = TowerToHyperService::new(self.router.clone()).call(request).await;
        // Only now is it known whose request it was.
        peer.pace().await;
        response
    }
}

/// Returns when it is time to stop, or the server was dropped.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender was dropped, which is equivalent.
    let _ = stop.wait_for(|stop| *stop).await;
}
