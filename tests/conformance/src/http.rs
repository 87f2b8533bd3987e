//! HTTP requests to the server under test.

use std::sync::Once;

use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    body::Bytes,
    header::{self, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::inbox::Arrival;

/// Sends requests. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// Chooses the cryptography of TLS for the whole process, once.
pub(crate) fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the program has chosen another one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

impl Http {
    pub(crate) fn new() -> Self {
        install_tls();
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        // A new connection for each request: a server may close one after a body that it has refused to read.
        Self(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
    }

    /// The response to a batch, and its text.
    pub(crate) async fn post(
        &self,
        address: &str,
        token: Option<&str>,
        body: String,
    ) -> (Arrival, Option<String>) {
        let mut request = Request::post(address).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        match self.answer(request.body(Full::from(body))).await {
            Ok((status, _, body)) => {
                let frames = match serde_json::from_slice(&body) {
                    Ok(Value::Array(frames)) => frames,
                    _ => Vec::new(),
                };
                let text = String::from_utf8_lossy(&body).into_owned();
                (Arrival::Response(status, frames), Some(text))
            }
            Err(reason) => (Arrival::Nonsense(reason), None),
        }
    }

    /// The status of any other request, and the headers and the text of its response. Texts in `headers` are headers.
    pub(crate) async fn request(
        &self,
        method: &str,
        address: &str,
        headers: &Value,
        body: String,
    ) -> Result<(u16, Value, String), String> {
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers.as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let (status, headers, body) = self.answer(request.body(Full::from(body))).await?;
        Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
    }

    async fn answer(
        &self,
        request: hyper::http::Result<Request<Full<Bytes>>>,
    ) -> Result<(u16, Value, Bytes), String> {
        let request = request.map_err(|error| error.to_string())?;
        let response = self.0.request(request).await.map_err(|error| format!("no response: {error}"))?;
        let status = response.status().as_u16();
        let text = |value: &HeaderValue| Value::from(String::from_utf8_lossy(value.as_bytes()));
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body =
            response.into_body().collect().await.map_err(|error| format!("half a response: {error}"))?;
        Ok((status, Value::Object(headers), body.to_bytes()))
    }
}
