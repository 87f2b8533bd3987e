//! Stands before a conforming server and changes what passes, so that it deviates.

use std::{net::SocketAddr, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Bytes,
    body::Incoming,
    header::{self, HeaderName},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream, connect_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        handshake::derive_accept_key,
        http::HeaderValue,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Deviation, failed};
use crate::error::Result;

const SUBPROTOCOL: &str = "everwire.v1";

/// A running proxy. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

type Change = fn(Vec<Value>) -> Vec<Value>;

#[derive(Clone)]
struct Way {
    /// The address of the server, such as `http://localhost:8787`.
    server: Arc<str>,
    up: Change,
    down: Change,
}

impl Proxy {
    /// Starts one on a free port.
    pub async fn start(server: &str, deviation: &Deviation) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let way = Way { server: server.into(), up: deviation.up, down: deviation.down };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            // It ends when no more connections can be accepted; dialogues then fail with the reason.
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, way.clone()));
            }
        });
        Ok(Self { address, _tasks: tasks })
    }

    /// Its address, as that of a server.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn serve(stream: TcpStream, way: Way) {
    let service = service_fn(|request| answer(request, way.clone()));
    // A client that goes away is none of the proxy's business.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn answer(mut request: Request<Incoming>, way: Way) -> Result<Response<Full<Bytes>>> {
    let offered = request.headers().get(header::SEC_WEBSOCKET_PROTOCOL).is_some_and(|it| it == SUBPROTOCOL);
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).filter(|_| offered);
    if let Some(accept) = key.map(|key| derive_accept_key(key.as_bytes()))
        && request.headers().get(header::ORIGIN).is_none()
    {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let (io, config) = (TokioIo::new(upgraded), None::<WebSocketConfig>);
            let client = WebSocketStream::from_raw_socket(io, Role::Server, config).await;
            between(client, way).await;
        });
        return Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, accept)
            .header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)
            .body(Full::default())
            .map_err(|error| failed(&error));
    }
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| failed(&error))?.to_bytes();
    let mut passed = Request::builder().method(head.method).uri(format!("{}{}", way.server, head.uri));
    for (name, value) in head.headers.iter().filter(|(name, _)| !hop_by_hop(name)) {
        passed = passed.header(name, value);
    }
    let passed = passed.body(Full::from(changed(&body, way.up))).map_err(|error| failed(&error))?;
    let response = client.request(passed).await.map_err(|error| failed(&error))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| failed(&error))?.to_bytes();
    let body = Full::from(changed(&body, way.down));
    Response::builder().status(status).body(body).map_err(|error| failed(&error))
}

/// Headers that belong to one connection or one body. Upgrades that the proxy does not take part in keep theirs.
fn hop_by_hop(name: &HeaderName) -> bool {
    [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name)
}

async fn between(client: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>, way: Way) {
    let address = format!("{}/everwire/v1/ws", way.server.replacen("http", "ws", 1));
    let Ok(mut request) = address.into_client_request() else { return };
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let Ok((server, _)) = connect_async(request).await else { return };
    let ((mut to_client, mut from_client), (mut to_server, mut from_server)) =
        (client.split(), server.split());
    // Each direction ends with its source; the other one then has nobody to talk to.
    let up = async {
        while let Some(Ok(message)) = from_client.next().await {
            if to_server.send(passed(message, way.up)).await.is_err() {
                break;
            }
        }
    };
    let down = async {
        while let Some(Ok(message)) = from_server.next().await {
            if to_client.send(passed(message, way.down)).await.is_err() {
                break;
            }
        }
    };
    tokio::select! { () = up => {} () = down => {} }
}

fn passed(message: Message, change: Change) -> Message {
    match message {
        Message::Text(text) => {
            let bytes = changed(text.as_bytes(), change);
            Message::text(String::from_utf8_lossy(&bytes).into_owned())
        }
        other => other,
    }
}

/// What is no batch passes as it is.
fn changed(text: &[u8], change: Change) -> Vec<u8> {
    // Numbers and white space in data would not survive: what is not to be changed stays as it is.
    let Ok(Value::Array(batch)) = serde_json::from_slice(text) else { return text.to_vec() };
    let deviating = change(batch.clone());
    if deviating == batch { text.to_vec() } else { Value::Array(deviating).to_string().into_bytes() }
}
