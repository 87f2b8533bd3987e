//! One WebSocket, from the attempt to open it until one side closes it.

use std::sync::Arc;

use everwire_client_core::{Input, SocketId, Source};
use everwire_protocol::{SUBPROTOCOL, paths::WEBSOCKET_PATH};
use futures_channel::mpsc as reporting;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::GOODBYE;
use crate::report::Report;

/// The code of a WebSocket that ends without one.
const ABNORMAL: u16 = 1006;

/// What a WebSocket is told.
pub(super) enum Order {
    Send(String),
    Close(u16),
}

/// Opens a WebSocket, and serves it. What is reported after an order to close it is ignored by the core.
pub(super) async fn websocket(
    url: String,
    socket: SocketId,
    mut orders: mpsc::UnboundedReceiver<Order>,
    leaving: Arc<Notify>,
    reports: reporting::UnboundedSender<Report>,
) {
    // The other side may not read what is sent last, nor answer.
    let too_long = async {
        leaving.notified().await;
        sleep(GOODBYE).await;
    };
    let ended = tokio::select! {
        ended = serve(&url, socket, &mut orders, &reports) => ended,
        () = too_long => Ok(abnormal()),
    };
    let (code, reason) = ended.unwrap_or_else(|error| (ABNORMAL, error.to_string()));
    let _ = reports.unbounded_send(Report::Input(Input::WebSocketClosed { socket, code, reason }));
}

type Ended = (u16, String);

fn abnormal() -> Ended {
    (ABNORMAL, String::new())
}

async fn serve(
    url: &str,
    socket: SocketId,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    reports: &reporting::UnboundedSender<Report>,
) -> Result<Ended, Error> {
    // What begins with http begins with ws otherwise.
    let url = format!("{}{WEBSOCKET_PATH}", url.replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let mut opening = std::pin::pin!(connect_async(request));
    let (stream, _) = loop {
        tokio::select! {
            opened = &mut opening => break opened?,
            order = orders.recv() => match order {
                // Nothing is sent before it is open.
                Some(Order::Send(_)) => {}
                Some(Order::Close(_)) | None => return Ok(abnormal()),
            },
        }
    };
    let _ = reports.unbounded_send(Report::Input(Input::WebSocketOpened(socket)));
    let (mut sink, mut stream) = stream.split();
    // Both at a time: the server may read nothing before it is read.
    let writing = async {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Send(text) => sink.send(Message::text(text)).await?,
                Order::Close(code) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
                    sink.send(Message::Close(Some(frame))).await?;
                    return Ok(Some(code));
                }
            }
        }
        Ok(None)
    };
    let reading = async {
        loop {
            let report = match stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    Report::Batch(Source::WebSocket(socket), text.as_str().to_owned())
                }
                Some(Ok(Message::Binary(_))) => {
                    let source = Source::WebSocket(socket);
                    Report::Input(Input::Violation { source, message: "a binary message".to_owned() })
                }
                Some(Ok(Message::Close(frame))) => {
                    return frame.map_or(Ok(abnormal()), |frame| {
                        Ok((frame.code.into(), frame.reason.as_str().to_owned()))
                    });
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(error),
                None => return Ok(abnormal()),
            };
            let _ = reports.unbounded_send(report);
        }
    };
    let ended: Result<Ended, Error> = {
        let mut reading = std::pin::pin!(reading);
        tokio::select! {
            ended = &mut reading => ended,
            written = writing => match written {
                // What still arrives counts for nothing; the other side answers and closes.
                Ok(Some(code)) => {
                    let _ = reading.await;
                    return Ok((code, String::new()));
                }
                Ok(None) => return Ok(abnormal()),
                Err(error) => return Err(error),
            },
        }
    };
    // Answers a close frame, as far as the other side still reads.
    let _ = sink.close().await;
    ended
}
