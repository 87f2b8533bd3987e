//! The server on its port: opens the store, listens, accepts connections, and shuts down gracefully.

mod accepting;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use everwire_protocol::Goaway;
use tokio::{net::TcpListener, sync::watch, time::timeout};

use accepting::Acceptor;

use crate::{
    Error,
    admission::Admission,
    api::Api,
    config::Config,
    environment::TokioEnvironment,
    node::{Node, NodeOptions},
    router,
    store::sqlite::SqliteStore,
    transports::socket,
};

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
        let listener = listen(config.listen)?;
        let address = listener.local_addr().map_err(|source| Error::System { what: "no address", source })?;
        let store = SqliteStore::open(&config.database, config.retention).await?;
        let store = store.with_edit_retention(config.edit_retention_s.saturating_mul(1000));
        let settings = Arc::new(config.session);
        let spread_ms = u64::from(config.goaway_delay_ms) + u64::from(config.goaway_spread_ms);
        let leave_grace_ms = config.leave_grace_ms;
        let return_ms = (spread_ms + RETURN_MARGIN_MS).max(leave_grace_ms);
        let options = NodeOptions { settings, access: Arc::new(rules), bans, leave_grace_ms, return_ms };
        let environment = Arc::new(TokioEnvironment::start(config.wall.clone()));
        let node = Node::start(environment, Arc::new(store), options).await?;
        let api = Api::new(node.clone(), config.api_key, config.dev, config.min_free_bytes);
        let router = router::router(api, config.origins, config.serve_dir.as_deref());
        let admission = Arc::new(Admission::new(config.admission));
        let (stop, sockets) = (watch::Sender::new(false), watch::Sender::new(0));
        let acceptor = Acceptor { router, admission, sockets: sockets.clone() };
        tokio::spawn(acceptor.run(listener, stop.subscribe()));
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
        if let Err(error) = self.node.store.close().await {
            tracing::warn!(%error, "the database was not closed");
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    socket::listen(address).map_err(|error| {
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
