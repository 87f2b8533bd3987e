//! The two transports: a WebSocket, and POST requests. Each runs in a task of its own and reports to the driver. No TLS, which a
//! suite on the same machine does not need.

use everwire_client_core::{Input, RequestId, SocketId, Source};
use everwire_protocol::{SUBPROTOCOL, paths};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Bytes, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::sync::mpsc;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// The code of a WebSocket that ends without one.
const ABNORMAL: u16 = 1006;

/// What a transport reports.
pub(crate) enum Report {
    Input(Input),
    Batch(Source, String),
}

/// What a WebSocket is told.
pub(crate) enum Order {
    Send(String),
    Close(u16),
}

pub(crate) type Reports = mpsc::UnboundedSender<Report>;

/// Opens a WebSocket, and serves it until one side closes it. What is reported after an order to close it is ignored by the core.
pub(crate) async fn websocket(
    url: String,
    socket: SocketId,
    mut orders: mpsc::UnboundedReceiver<Order>,
    reports: Reports,
) {
    let (code, reason) = match serve(&url, socket, &mut orders, &reports).await {
        Ok(closed) => closed,
        Err(error) => (ABNORMAL, error.to_string()),
    };
    let _ = reports.send(Report::Input(Input::WebSocketClosed { socket, code, reason }));
}

async fn serve(
    url: &str,
    socket: SocketId,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    reports: &Reports,
) -> Result<(u16, String), tokio_tungstenite::tungstenite::Error> {
    // What begins with http begins with ws otherwise.
    let url = format!("{}{}", url.replacen("http", "ws", 1), paths::WEBSOCKET_PATH);
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let mut opening = std::pin::pin!(connect_async(request));
    let (stream, _) = loop {
        tokio::select! {
            opened = &mut opening => break opened?,
            order = orders.recv() => match order {
                // Nothing is sent before it is open.
                Some(Order::Send(_)) => {}
                Some(Order::Close(_)) | None => return Ok((ABNORMAL, String::new())),
            },
        }
    };
    let _ = reports.send(Report::Input(Input::WebSocketOpened(socket)));
    let (mut sink, mut stream) = stream.split();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let _ = reports.send(Report::Batch(Source::WebSocket(socket), text.as_str().to_owned()));
                }
                Some(Ok(Message::Binary(_))) => {
                    let message = "a binary message".to_owned();
                    let source = Source::WebSocket(socket);
                    let _ = reports.send(Report::Input(Input::Violation { source, message }));
                }
                Some(Ok(Message::Close(frame))) => {
                    let closed = frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned()));
                    // Answers it, as far as the other side still reads.
                    let _ = sink.close().await;
                    return Ok(closed.unwrap_or((ABNORMAL, String::new())));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok((ABNORMAL, String::new())),
            },
            order = orders.recv() => match order {
                Some(Order::Send(text)) => sink.send(Message::text(text)).await?,
                Some(Order::Close(code)) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
                    sink.send(Message::Close(Some(frame))).await?;
                    // What still arrives counts for nothing; the other side answers and closes.
                    while let Some(Ok(_)) = stream.next().await {}
                    return Ok((code, String::new()));
                }
                None => return Ok((ABNORMAL, String::new())),
            },
        }
    }
}

/// Sends requests. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// POSTs a batch. Dropping this gives the request up.
    pub(crate) async fn post(
        self,
        url: String,
        request: RequestId,
        token: Option<String>,
        body: String,
        reports: Reports,
    ) {
        let report = match self.answer(&url, token, body).await {
            Ok((StatusCode::OK, text)) => Report::Batch(Source::Response(request), text),
            Ok((status, _)) => {
                let reason = format!("HTTP status {status}");
                Report::Input(Input::RequestFailed { request, status: status.as_u16(), reason })
            }
            Err(reason) => Report::Input(Input::RequestFailed { request, status: 0, reason }),
        };
        let _ = reports.send(report);
    }

    async fn answer(
        &self,
        url: &str,
        token: Option<String>,
        body: String,
    ) -> Result<(StatusCode, String), String> {
        let mut request = Request::post(format!("{url}{}", paths::POLL_PATH))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        let response = self.0.request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
