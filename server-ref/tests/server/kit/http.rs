//! An HTTP client that posts batches.

use std::net::SocketAddr;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use everwire_protocol::{ClientFrame, Poll, Polled, ServerFrame, Uuid, batch};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

use super::{PATIENCE, SERVER_BATCH};

/// An HTTP client. Connections are kept and used again, as a browser does.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector, Body>,
    address: SocketAddr,
}

impl Http {
    pub fn to(address: SocketAddr) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), address }
    }

    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response =
            timeout(PATIENCE, self.client.request(request)).await.expect("no answer in time").unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(Body::new(body), usize::MAX).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    pub async fn get(&self, path: &str) -> (StatusCode, HeaderMap, String) {
        self.request(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn post_text(&self, text: &str, headers: &[(&str, &str)]) -> Vec<ServerFrame> {
        let (status, _, body) =
            self.request(Method::POST, "/everwire/v1/poll", headers, text.to_owned()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        batch::decode::<ServerFrame>(&body, &SERVER_BATCH).unwrap().into_iter().map(Result::unwrap).collect()
    }

    pub async fn post(&self, frames: &[ClientFrame]) -> Vec<ServerFrame> {
        self.post_text(&batch::encode(frames), &[]).await
    }
}

pub fn poll(connection: Option<Uuid>, ack: u64, hold_ms: u32) -> ClientFrame {
    Poll { connection, ack, hold_ms }.into()
}

/// The number of a response, and what else is in it.
pub fn polled(frames: Vec<ServerFrame>) -> (u64, Vec<ServerFrame>) {
    let mut frames = frames.into_iter();
    match frames.next() {
        Some(ServerFrame::Polled(Polled { seq, .. })) => (seq, frames.collect()),
        other => panic!("not a response to a poll: {other:?}"),
    }
}
