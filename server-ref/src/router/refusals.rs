//! Logs every refused request: who made it, and why it was refused.

use axum::{extract::Request, middleware::Next, response::Response};

use crate::{
    admission::{Peer, Refused},
    logs,
};

pub(super) async fn log(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let (method, path) = (request.method().clone(), logs::short(request.uri().path()).to_owned());
    let response = next.run(request).await;
    if let Some(Refused { code, reason }) = response.extensions().get() {
        let address = peer.address().map(|address| address.to_string());
        let (user, code) = (peer.user(), code.as_str());
        tracing::info!(%method, path, address, user = user.as_deref(), code, reason, "request refused");
    }
    response
}
