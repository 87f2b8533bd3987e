//! The server on its port: opens the store, listens, accepts connections, and shuts down gracefully.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use everwire_protocol::Goaway;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::{
    Error,
    api::Api,
    config::Config,
    environment::TokioEnvironment,
    node::{Node, NodeOptions},
    router,
    store::sqlite::SqliteStore,
};

/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// How much longer than the connections' deadline a stop may take.
const STOP_MARGIN: Duration = Duration::from_secs(3);

/// Extra time for clients to reconnect after a planned restart, in ms.
const RETURN_MARGIN_MS: u64 = 4_000;

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    node: Arc<Node>,
    goaway: Goaway,
    /// Becomes `true` when no more connections are accepted.
    stop: watch::Sender<bool>,
    /// The number of open sockets.
    sockets: watch::Sender<usize>,
}

impl Server {
    /// Opens the database, listens, and starts serving.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Database`] or [`Error::Listen`], with a message for the operator.
    pub async fn start(mut config: Config) -> Result<Self, Error> {
        let rules = config.rules();
        let bans = rules.bans.clone();
        // The address first: if a server is already running there, that is the more useful error.
        let listener = listen(config.listen).await?;
        let address = listener.local_addr().map_err(|source| Error::System { what: "no address", source })?;
        let store = SqliteStore::open(&config.database, config.retention).await?;
        let settings = Arc::new(config.session);
        let spread_ms = u64::from(config.goaway_delay_ms) + u64::from(config.goaway_spread_ms);
        let leave_grace_ms = config.leave_grace_ms;
        let return_ms = (spread_ms + RETURN_MARGIN_MS).max(leave_grace_ms);
        let options = NodeOptions { settings, access: Arc::new(rules), bans, leave_grace_ms, return_ms };
        let environment = Arc::new(TokioEnvironment::start());
        let node = Node::start(environment, Arc::new(store), options).await?;
        let api = Api::new(node.clone(), config.api_key, config.dev);
        let router = router::router(api, config.origins, config.serve_dir.as_deref());
        let (stop, sockets) = (watch::Sender::new(false), watch::Sender::new(0));
        tokio::spawn(accept(listener, router, stop.subscribe(), sockets.clone()));
        tracing::info!(%address, database = %config.database.display(), dev = config.dev, "serving");
        if config.dev {
            tracing::warn!("development mode: guests may use any name and nearly every channel");
        }
        let goaway = Goaway {
            delay_ms: config.goaway_delay_ms,
            spread_ms: config.goaway_spread_ms,
            reason: "The server is restarting.".into(),
        };
        Ok(Self { address, node, goaway, stop, sockets })
    }

    /// The address on which it listens, with the real port even if 0 was requested.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The node.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Stops: accepts no more connections, tells every client when to reconnect, flushes the queues, and closes.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.node.stopping.send_replace(Some(self.goaway.clone()));
        let patience = Duration::from_millis(u64::from(self.node.settings.drain_ms)) + STOP_MARGIN;
        let done = async {
            // The counters never close: this struct holds them.
            let _ = self.node.connections.subscribe().wait_for(|count| *count == 0).await;
            let _ = self.sockets.subscribe().wait_for(|count| *count == 0).await;
        };
        if timeout(patience, done).await.is_err() {
            tracing::warn!(
                connections = *self.node.connections.borrow(),
                sockets = *self.sockets.borrow(),
                "some connections did not end in time"
            );
        }
        self.node.write_all().await;
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "the port is in use; stop the other program, or choose another port with --listen".into()
            }
            std::io::ErrorKind::PermissionDenied => {
                "permission denied; choose a port above 1023 with --listen".into()
            }
            std::io::ErrorKind::AddrNotAvailable => "this machine does not have the address".into(),
            _ => error.to_string(),
        };
        Error::Listen { address, reason }
    })
}

/// Not `axum::serve`: it has neither a timeout for the head of a request, nor a count of open sockets that a stop can wait for.
async fn accept(
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
    sockets: watch::Sender<usize>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told_to_stop(&mut stop) => return,
        };
        match accepted {
            Ok((socket, _)) => {
                sockets.send_modify(|count| *count += 1);
                let (router, stop, sockets) = (router.clone(), stop.clone(), sockets.clone());
                tokio::spawn(async move {
                    serve(socket, router, stop).await;
                    sockets.send_modify(|count| *count -= 1);
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

/// Returns when it is time to stop, or the server was dropped.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender was dropped, which is equivalent.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn serve(socket: TcpStream, router: Router, mut stop: watch::Receiver<bool>) {
    // Frames are already batched: the network must not wait for more.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "socket closed early");
        return;
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router))
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
