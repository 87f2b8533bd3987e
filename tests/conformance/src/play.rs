//! Plays a dialogue against a server: takes its steps one after the other, each within a time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{sync::mpsc::UnboundedSender, time::sleep};

use crate::{
    dialogue::{Dialogue, Step},
    http::Http,
    inbox::{Arrival, Inbox},
    pattern::compare,
    report::{Outcome, Played},
    scope::Scope,
    tokens::Tokens,
    websocket::Connection,
};

/// How long an expected frame may take. Longer than anything that the protocol lets a server wait for, apart from presence
/// and held polls, for which dialogues say so themselves.
const PATIENCE: Duration = Duration::from_secs(12);

/// The server under test.
#[derive(Clone)]
pub struct Server {
    websocket: String,
    http: String,
    tokens: Option<Tokens>,
    client: Http,
}

impl Server {
    /// A server by its address, such as `http://localhost:8787`. Without tokens the users are guests.
    pub fn new(address: &str, tokens: Option<Tokens>) -> Self {
        let http = address.trim_end_matches('/').to_owned();
        let websocket = http.replacen("http", "ws", 1);
        Self { websocket: format!("{websocket}/everwire/v1/ws"), http, tokens, client: Http::new() }
    }

    /// Plays one dialogue.
    pub async fn play(&self, dialogue: &Dialogue, unique: &str) -> Played {
        let started = Instant::now();
        let mut stage = Stage {
            server: self,
            scope: Scope::new(unique).with_tokens(self.tokens.clone()),
            peers: BTreeMap::new(),
        };
        let mut outcome = Outcome::Passed;
        for (line, step) in &dialogue.steps {
            if let Err(reason) = stage.take(step).await {
                outcome = Outcome::Failed { line: *line, reason };
                break;
            }
        }
        Played { dialogue: dialogue.name.clone(), outcome, took: started.elapsed() }
    }
}

/// A peer of the server, by the name that the dialogue gives it.
struct Peer {
    inbox: Inbox,
    arrivals: UnboundedSender<Arrival>,
    connection: Option<Connection>,
}

struct Stage<'a> {
    server: &'a Server,
    scope: Scope,
    peers: BTreeMap<String, Peer>,
}

impl Stage<'_> {
    async fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Open { peer } => self.open(peer).await,
            Step::Connect { peer } => {
                self.open(peer).await?;
                let hello = self.hello(peer)?;
                self.send(peer, Value::Array(vec![hello]).to_string()).await?;
                let welcome = self.peer(peer).inbox.frame("welcome", PATIENCE).await?;
                for field in ["connection", "run", "user"] {
                    if let Some(value) = welcome.get(field) {
                        self.scope.bind(&format!("${peer}.{field}"), value.clone());
                    }
                }
                Ok(())
            }
            Step::Send { peer, batch } => {
                let batch = self.scope.fill(batch)?;
                self.send(peer, batch.to_string()).await
            }
            Step::SendRaw { peer, text } => self.send(peer, text.clone()).await,
            Step::Post { peer, batch } => {
                let batch = self.scope.fill(batch)?;
                self.post(peer, batch.to_string())
            }
            Step::PostRaw { peer, text } => self.post(peer, text.clone()),
            Step::Expect { peer, frame } => {
                let kind = frame["type"].as_str().unwrap_or_default();
                let found = self.peer(peer).inbox.frame(kind, PATIENCE).await?;
                compare(frame, Some(&found), &mut self.scope)
                    .map_err(|reason| format!("{reason}, in {found}"))
            }
            Step::ExpectResponse { peer, frames } => {
                let (status, found) = self.peer(peer).inbox.response(PATIENCE).await?;
                if status != 200 {
                    return Err(format!("the response has status {status}, not 200"));
                }
                let beginning = Value::Array(found.iter().take(frames.len()).cloned().collect());
                compare(&Value::Array(frames.clone()), Some(&beginning), &mut self.scope)
                    .map_err(|reason| format!("{reason}, in {}", Value::Array(found)))
            }
            Step::ExpectClose { peer, codes } => {
                let code = self.peer(peer).inbox.close(PATIENCE).await?;
                if codes.contains(&code) { Ok(()) } else { Err(format!("it was closed with {code}")) }
            }
            Step::ExpectNone { peer, kind, wait } => match self.peer(peer).inbox.frame(kind, *wait).await {
                Ok(frame) => Err(format!("it should not have arrived: {frame}")),
                Err(_) => Ok(()),
            },
            Step::Get { path, status } => {
                let found = self.server.client.get(&format!("{}{path}", self.server.http)).await?;
                if found == *status { Ok(()) } else { Err(format!("it was answered with {found}")) }
            }
            Step::Drop { peer } => {
                self.peer(peer).connection = None;
                Ok(())
            }
            Step::Wait(time) => {
                sleep(*time).await;
                Ok(())
            }
        }
    }

    async fn open(&mut self, name: &str) -> Result<(), String> {
        // What an earlier connection of the peer left unread is not to be taken for this one's.
        let (arrivals, inbox) = Inbox::new();
        let connection = Connection::open(&self.server.websocket, arrivals.clone()).await?;
        self.peers.insert(name.into(), Peer { inbox, arrivals, connection: Some(connection) });
        Ok(())
    }

    fn hello(&mut self, peer: &str) -> Result<Value, String> {
        let mut hello =
            serde_json::json!({"type": "hello", "version": 1, "session": format!("$session.{peer}")});
        if self.server.tokens.is_some() {
            hello["token"] = format!("$token.{peer}").into();
        }
        self.scope.fill(&hello)
    }

    async fn send(&mut self, name: &str, text: String) -> Result<(), String> {
        match &mut self.peer(name).connection {
            Some(connection) => connection.send(text).await,
            None => Err(format!("{name} has no WebSocket: `{name} opens` comes first")),
        }
    }

    fn post(&mut self, name: &str, body: String) -> Result<(), String> {
        let token = match self.server.tokens {
            Some(_) => self.scope.value(&format!("$token.{name}"))?,
            None => None,
        };
        let (client, address) =
            (self.server.client.clone(), format!("{}/everwire/v1/poll", self.server.http));
        let arrivals = self.peer(name).arrivals.clone();
        tokio::spawn(async move {
            let token = token.as_ref().and_then(Value::as_str);
            // Nobody listens if the dialogue is over.
            let _ = arrivals.send(client.post(&address, token, body).await);
        });
        Ok(())
    }

    fn peer(&mut self, name: &str) -> &mut Peer {
        self.peers.entry(name.into()).or_insert_with(|| {
            let (arrivals, inbox) = Inbox::new();
            Peer { inbox, arrivals, connection: None }
        })
    }
}
