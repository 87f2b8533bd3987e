//! A WebSocket connection to the server under test, as a client would open it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::inbox::{Arrival, Arrivals};

/// The subprotocol.
const SUBPROTOCOL: &str = "everwire.v1";

/// How long opening may take.
const OPENING: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One connection. Dropping it ends it without a word.
pub(crate) struct Connection {
    sink: SplitSink<Socket, Message>,
    reader: JoinHandle<()>,
}

impl Connection {
    /// Opens one. What arrives goes into `inbox`.
    pub(crate) async fn open(address: &str, inbox: Arrivals) -> Result<Self, String> {
        let mut request = address.into_client_request().map_err(|error| format!("{address}: {error}"))?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let opened = timeout(OPENING, connect_async(request)).await;
        let (socket, _) = opened
            .map_err(|_| format!("{address} did not open within {} ms", OPENING.as_millis()))?
            .map_err(|error| format!("{address} did not open: {error}"))?;
        let (sink, mut stream) = socket.split();
        let reader = tokio::spawn(async move {
            let code = loop {
                match stream.next().await {
                    Some(Ok(Message::Text(text))) => receive(&text, &inbox),
                    Some(Ok(Message::Close(frame))) => break frame.map_or(1005, |frame| frame.code.into()),
                    Some(Ok(Message::Binary(_))) => {
                        inbox.put(Arrival::Nonsense("a binary message".into()), None);
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break 1006,
                }
            };
            inbox.put(Arrival::Closed(code), None);
        });
        Ok(Self { sink, reader })
    }

    /// Sends one message.
    pub(crate) async fn send(&mut self, message: Message) -> Result<(), String> {
        self.sink.send(message).await.map_err(|error| format!("it cannot be sent: {error}"))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Puts the frames of a message into the inbox.
pub(crate) fn receive(text: &str, inbox: &Arrivals) {
    match serde_json::from_str(text) {
        Ok(Value::Array(frames)) => {
            let mut text = Some(text.to_owned());
            for frame in frames {
                inbox.put(Arrival::Frame(frame), text.take());
            }
        }
        _ => inbox.put(Arrival::Nonsense(text.chars().take(200).collect()), None),
    }
}
