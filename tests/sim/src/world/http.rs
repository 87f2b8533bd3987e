//! HTTP requests between clients and nodes: unordered, and each may be lost, duplicated, answered with an older response, or aborted
//! by a client while the node is still processing it.

use std::sync::Arc;

use everwire_client_core::{Input, RequestId, Source};

use super::{Event, ToClient, World, say};
use crate::mutants::Mutant;

/// The probability that a request or response is lost or duplicated during the fault, per mille.
const OFTEN: u64 = 300;
/// The same for an older response in place of the present one.
const REPEATED: u64 = 150;
/// How many older responses something between still has.
const KEPT: usize = 8;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) client: usize,
    /// The page of the client.
    pub(super) page: u32,
    pub(super) id: RequestId,
    pub(super) node: usize,
    pub(super) boot: u32,
    pub(super) body: String,
    pub(super) token: Option<String>,
    pub(super) arrived: bool,
    /// Its network is silently dead.
    pub(super) dead: bool,
    /// The connection on the node that processes it.
    pub(super) conn: Option<u64>,
}

impl World {
    pub(super) fn request(&mut self, client: usize, id: RequestId, body: String, token: Option<String>) {
        let node = self.led_to(client);
        let request = self.requests.len();
        let boot = self.nodes[node].boot;
        let there = self.latency(client);
        let now = self.now;
        let path = &mut self.clients[client].path;
        let proxy = path.proxy;
        let down = path.blocks_requests(now);
        let lost = path.loses_until > now && path.rng.chance(OFTEN);
        let doubled = path.doubles_until > now && path.rng.chance(OFTEN);
        let told = path.rng.chance(500);
        let later = path.rng.between(1, 4_000);
        self.clients[client].requests.insert(id, request);
        self.requests.push(Request {
            client,
            page: self.clients[client].page,
            id,
            node,
            boot,
            body,
            token,
            arrived: false,
            dead: down || lost,
            conn: None,
        });
        if down || lost {
            // Some networks fail, others leave the client waiting.
            if told {
                self.send_client(client, later, ToClient::Response { request, text: None });
            }
        } else if let Some(proxy) = proxy.filter(|proxy| proxy.refuses(&self.requests[request].body)) {
            let mut status = proxy.status;
            if self.has(Mutant::RefusalTakenForPassing) {
                status = 429;
            }
            self.stats.refused_requests += 1;
            self.send_client(client, 2 * there, ToClient::Refused { request, status });
        } else if self.nodes[node].accepts() {
            self.after(there, Event::Arrives { request, copy: false });
            if doubled {
                self.after(there + later, Event::Arrives { request, copy: true });
            }
        } else {
            self.send_client(client, 2 * there, ToClient::Response { request, text: None });
        }
    }

    /// The client aborts a request; the node may be processing it.
    pub(super) fn abort(&mut self, client: usize, id: RequestId) {
        let Some(request) = self.clients[client].requests.remove(&id) else { return };
        let latency = self.latency(client);
        let lost = self.clients[client].path.rng.chance(500);
        let on = &mut self.requests[request];
        if on.arrived {
            self.after(latency, Event::Abandoned { request });
        } else if lost {
            on.dead = true;
        }
    }

    pub(super) fn request_arrives(&mut self, request: usize, copy: bool) {
        let on = &self.requests[request];
        let (client, node) = (on.client, on.node);
        if on.dead {
            return;
        }
        if on.boot != self.nodes[node].boot || !self.nodes[node].accepts() {
            let latency = self.latency(client);
            return self.send_client(client, latency, ToClient::Response { request, text: None });
        }
        self.requests[request].arrived = true;
        self.accept_request(request, copy);
    }

    pub(super) fn request_abandoned(&mut self, request: usize) {
        let on = &self.requests[request];
        if on.boot == self.nodes[on.node].boot && !on.dead {
            self.abandon(request);
        }
    }

    /// A node answers a request.
    pub(super) fn respond(&mut self, request: usize, text: String) {
        let on = &self.requests[request];
        let client = on.client;
        if on.dead || !self.clients[client].requests.contains_key(&on.id) {
            return;
        }
        let latency = self.latency(client);
        let now = self.now;
        let path = &mut self.clients[client].path;
        let reading = path.reads.filter(|(_, until)| *until > now);
        let reading = reading.map_or(0, |(rate, _)| text.len() as u64 / rate.max(1));
        if path.blocks_requests(now) {
            return;
        }
        if path.loses_until > now && path.rng.chance(OFTEN) {
            let (told, later) = (path.rng.chance(500), path.rng.between(1, 4_000));
            say!(self, format!("n{}", self.requests[request].node), "its response {request} is lost");
            if told {
                self.send_client(client, later, ToClient::Response { request, text: None });
            }
            return;
        }
        let text = self.repeated(client, request, text.into());
        self.send_client(client, latency + reading, ToClient::Response { request, text: Some(text) });
    }

    /// What something between answers to a poll: the response, or an older one of the same page. The first response of a
    /// connection is repeated to polls of that connection only: nothing tells it from a new one otherwise.
    fn repeated(&mut self, client: usize, request: usize, text: Arc<str>) -> Arc<str> {
        if !text.starts_with(r#"[{"type":"polled""#) {
            return text;
        }
        let (page, now) = (self.clients[client].page, self.now);
        let body = &self.requests[request].body;
        let path = &mut self.clients[client].path;
        path.seen.retain(|(of, _)| *of == page);
        let fits = |older: &Arc<str>| {
            let connection = older.split(r#""connection":""#).nth(1).and_then(|rest| rest.split('"').next());
            !older.contains(r#"{"type":"welcome""#) || connection.is_some_and(|id| body.contains(id))
        };
        let older: Vec<_> = path.seen.iter().map(|(_, older)| older).filter(|older| fits(older)).collect();
        let repeats = path.doubles_until > now && !older.is_empty() && path.repeats.chance(REPEATED);
        let answer = if repeats { older[path.repeats.below(older.len())].clone() } else { text.clone() };
        path.seen.push_back((page, text));
        if path.seen.len() > KEPT {
            path.seen.pop_front();
        }
        if repeats {
            self.stats.repeated += 1;
            say!(self, format!("c{client}"), "an older response is repeated to request {request}");
        }
        answer
    }

    /// Something between answers in the node's place.
    pub(super) fn refused(&mut self, client: usize, request: usize, status: u16) {
        let id = self.requests[request].id;
        if self.clients[client].requests.get(&id) != Some(&request) {
            return;
        }
        self.clients[client].requests.remove(&id);
        say!(self, format!("c{client}"), "request {} was refused by a proxy ({status})", id.0);
        let reason = format!("a proxy ({status})");
        self.tell(client, Input::RequestFailed { request: id, status, reason });
    }

    /// A response, or the end of a request without one, reaches the page.
    pub(super) fn response(&mut self, client: usize, request: usize, text: Option<&str>) {
        let id = self.requests[request].id;
        if self.clients[client].requests.get(&id) != Some(&request) {
            return;
        }
        self.clients[client].requests.remove(&id);
        let Some(text) = text else {
            say!(self, format!("c{client}"), "request {} failed", id.0);
            return self
                .tell(client, Input::RequestFailed { request: id, status: 0, reason: "network".into() });
        };
        self.receives(client, Source::Response(id), text);
        let now = self.now;
        let path = &mut self.clients[client].path;
        if path.doubles_until > now && path.rng.chance(OFTEN) {
            self.receives(client, Source::Response(id), text);
        }
    }
}
