//! Plays a dialogue against a server: takes its steps one after the other, each within a time.

use std::{collections::BTreeMap, future::Future, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::{
    dialogue::Dialogue,
    error::{Error, Result as Done},
    http::Http,
    inbox::{Arrivals, Inbox, KIND},
    invariants,
    pattern::compare,
    report::{Outcome, Played},
    run::{Peer, measured},
    scope::Scope,
    step::{Body, Step},
    tokens::Tokens,
    websocket::Connection,
};

/// The features that a server may lack, by the names that `welcome` and dialogues have for them.
pub const FEATURES: [&str; 6] = ["presence", "receipts", "status", "chats", "ephemeral", "history"];

/// How long an expected frame may take, unless the caller or the dialogue says otherwise.
const PATIENCE: Duration = Duration::from_secs(15);

/// The server under test.
#[derive(Clone)]
pub struct Server {
    websocket: String,
    http: String,
    tokens: Option<Tokens>,
    /// With which back ends use the API of the reference server.
    api_key: Option<String>,
    /// Whether dialogues that take half a minute and more are played.
    slow: bool,
    /// The profiles that it is said not to have.
    without: Vec<String>,
    client: Http,
    patience: Duration,
}

impl Server {
    /// A server by its address, such as `http://localhost:8787`. Without tokens the users are guests.
    pub fn new(address: &str, tokens: Option<Tokens>) -> Self {
        let server = Self {
            websocket: String::new(),
            http: String::new(),
            tokens,
            api_key: None,
            slow: false,
            without: Vec::new(),
            client: Http::new(),
            patience: PATIENCE,
        };
        server.at(address)
    }

    /// The same at another address.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        let http = address.trim_end_matches('/').to_owned();
        let websocket = format!("{}/everwire/v1/ws", http.replacen("http", "ws", 1));
        Self { websocket, http, ..self }
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.http
    }

    /// The same, with another limit for the time that an expected frame may take.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same, with a key for the HTTP API that the reference server has for back ends.
    #[must_use]
    pub fn with_api_key(self, api_key: Option<String>) -> Self {
        Self { api_key, ..self }
    }

    /// The same, with time for dialogues that take long.
    #[must_use]
    pub fn with_slow(self, slow: bool) -> Self {
        Self { slow, ..self }
    }

    /// The same without some of what dialogues need.
    #[must_use]
    pub fn without(mut self, lacking: Vec<String>) -> Self {
        self.without.extend(lacking);
        self
    }

    /// The same without the features that its welcome does not name.
    pub async fn as_welcomed(self) -> Done<Self> {
        let unique = format!("w{}", &Uuid::now_v7().simple().to_string()[24..]);
        let mut stage = self.stage(&unique);
        let welcome = stage.connect("ann", "ann").await;
        let welcome =
            welcome.map_err(|reason| Error::Argument(format!("the server welcomes nobody: {reason}")))?;
        let named =
            |feature: &&str| welcome["features"].as_array().is_none_or(|all| all.contains(&json!(feature)));
        let lacking = FEATURES.into_iter().filter(|feature| !named(feature)).map(str::to_owned).collect();
        Ok(self.without(lacking))
    }

    fn stage(&self, unique: &str) -> Stage<'_> {
        Stage {
            server: self,
            scope: Scope::new(unique).with_tokens(self.tokens.clone()),
            peers: BTreeMap::new(),
            patience: self.patience,
        }
    }

    async fn outcome(&self, dialogue: &Dialogue, unique: &str) -> Outcome {
        if let Some(why) = self.lacks(dialogue) {
            return Outcome::Skipped(why);
        }
        let mut stage = self.stage(unique);
        for (line, step) in &dialogue.steps {
            if let Err(reason) = stage.take(step).await {
                return Outcome::Failed { line: *line, reason };
            }
        }
        Outcome::Passed
    }

    /// Why a dialogue cannot be played.
    fn lacks(&self, dialogue: &Dialogue) -> Option<String> {
        dialogue.needs.iter().find_map(|need| match need.as_str() {
            "tokens" => self.tokens.is_none().then(|| "it needs tokens (--jwt-secret-file)".into()),
            "back-end" => self.api_key.is_none().then(|| "it needs a back end (--api-key-file)".into()),
            "time" => (!self.slow).then(|| "it takes long (--slow)".into()),
            need => match need.strip_prefix("no-") {
                Some(feature) => (!self.lacks_feature(feature)).then(|| format!("the server has {feature}")),
                None => self.lacks_feature(need).then(|| format!("without {need}")),
            },
        })
    }
}

impl Server {
    fn lacks_feature(&self, name: &str) -> bool {
        self.without.iter().any(|without| without == name)
    }
}

impl Peer for Server {
    type Step = Step;

    fn play(&self, dialogue: &Dialogue, unique: &str) -> impl Future<Output = Played> + Send {
        measured(dialogue, self.outcome(dialogue, unique))
    }
}

/// One of the tool's own peers of the server, by the name that the dialogue gives it.
struct Visitor {
    inbox: Inbox,
    arrivals: Arrivals,
    connection: Option<Connection>,
}

struct Stage<'a> {
    server: &'a Server,
    scope: Scope,
    peers: BTreeMap<String, Visitor>,
    patience: Duration,
}

impl Stage<'_> {
    async fn take(&mut self, step: &Step) -> Result<(), String> {
        let patience = self.patience;
        match step {
            Step::Token { name, claims } => self.scope.token(name, claims),
            Step::Open { peer } => self.open(peer).await,
            Step::Connect { peer, token } => self.connect(peer, token).await.map(drop),
            Step::Send { peer, batch } => {
                let batch = self.scope.fill(batch)?;
                self.send(peer, Message::text(batch.to_string())).await
            }
            Step::SendRaw { peer, text } => {
                let text = self.scope.fill_text(text)?;
                self.send(peer, Message::text(text)).await
            }
            Step::SendBinary { peer, text } => {
                self.send(peer, Message::binary(text.clone().into_bytes())).await
            }
            Step::Post { peer, token, body } => {
                let body = match body {
                    Body::Batch(batch) => self.scope.fill(batch)?.to_string(),
                    Body::Raw(text) => self.scope.fill_text(text)?,
                };
                self.post(peer, token.as_deref(), body)
            }
            Step::Expect { peer, frame } => {
                let kind = frame["type"].as_str().unwrap_or_default();
                // An entry has the id of whoever sent it: it is no answer to something.
                let names: &[&str] = if kind == "message" { &["channel"] } else { &["channel", "id"] };
                let fields = self.scope.known(frame, names)?;
                let found = self.peer(peer).inbox.frame(kind, &fields, patience).await?;
                self.compare(frame, &found)
            }
            Step::ExpectNext { peer, frame } => {
                let found = self.peer(peer).inbox.any(patience).await?;
                self.compare(frame, &found)
            }
            Step::HasRead { peer, text } => {
                let text = self.scope.fill_text(text)?;
                let read = self.peer(peer).inbox.has_read(&text);
                if read { Ok(()) } else { Err("it has not arrived as it was written".into()) }
            }
            Step::ExpectResponse { peer, frames, whole } => self.expect_response(peer, frames, *whole).await,
            Step::ExpectClose { peer, codes } => {
                let code = self.peer(peer).inbox.close(patience).await?;
                if codes.contains(&code) { Ok(()) } else { Err(format!("it was closed with {code}")) }
            }
            Step::ExpectNone { peer, kind, wait } => self.expect_none(peer, kind, *wait).await,
            Step::Request { method, path, headers, status, answer } => {
                let headers = self.scope.fill(headers)?;
                let found = self.request(method, path, &headers, String::new(), *status).await?;
                self.compare(answer, &found)
            }
            Step::BackEnd { method, path, body, status } => {
                let key = self.server.api_key.as_deref().ok_or("it needs a back end: give --api-key-file")?;
                let headers = serde_json::json!({"authorization": format!("Bearer {key}")});
                let body = if body.is_null() { String::new() } else { self.scope.fill(body)?.to_string() };
                self.request(method, path, &headers, body, *status).await.map(drop)
            }
            Step::Drop { peer } => {
                self.peer(peer).connection = None;
                Ok(())
            }
            Step::Wait(time) => {
                sleep(*time).await;
                Ok(())
            }
            Step::Patience(time) => {
                self.patience = *time;
                Ok(())
            }
        }
    }

    fn compare(&mut self, pattern: &Value, found: &Value) -> Result<(), String> {
        compare(pattern, Some(found), &mut self.scope).map_err(|reason| format!("{reason}, in {found}"))
    }

    async fn expect_response(&mut self, peer: &str, frames: &[Value], whole: bool) -> Result<(), String> {
        let patience = self.patience;
        let (status, mut found) = self.peer(peer).inbox.response(patience).await?;
        if status != 200 {
            return Err(format!("the response has status {status}, not 200"));
        }
        if !whole && found.len() > frames.len() {
            let rest = found.split_off(frames.len());
            self.peer(peer).inbox.put_back(rest);
        }
        self.compare(&Value::Array(frames.to_vec()), &Value::Array(found))
    }

    async fn expect_none(&mut self, peer: &str, kind: &str, wait: Duration) -> Result<(), String> {
        let inbox = &mut self.peer(peer).inbox;
        let found = match kind {
            "frame" => inbox.any(wait).await,
            "response" => inbox.response(wait).await.map(|(_, frames)| Value::Array(frames)),
            kind => inbox.frame(kind, &[], wait).await,
        };
        match found {
            Ok(found) => Err(format!("it should not have arrived: {found}")),
            Err(_) => Ok(()),
        }
    }

    async fn connect(&mut self, peer: &str, token: &str) -> Result<Value, String> {
        self.open(peer).await?;
        let hello = self.scope.hello(peer, Some(token))?;
        self.send(peer, Message::text(Value::Array(vec![hello]).to_string())).await?;
        let patience = self.patience;
        let welcome = self.peer(peer).inbox.frame("welcome", &[], patience).await?;
        for field in ["connection", "run", "user"] {
            if let Some(value) = welcome.get(field) {
                self.scope.bind(&format!("${peer}.{field}"), value.clone());
            }
        }
        Ok(welcome)
    }

    async fn open(&mut self, name: &str) -> Result<(), String> {
        // What an earlier connection of the peer left unread is not to be taken for this one's.
        let (arrivals, inbox) = Inbox::new(KIND, invariants::of_arrival);
        let connection = Connection::open(&self.server.websocket, arrivals.clone()).await?;
        self.peers.insert(name.into(), Visitor { inbox, arrivals, connection: Some(connection) });
        Ok(())
    }

    async fn send(&mut self, name: &str, message: Message) -> Result<(), String> {
        match &mut self.peer(name).connection {
            Some(connection) => connection.send(message).await,
            None => Err(format!("{name} has no WebSocket: `{name} opens` comes first")),
        }
    }

    fn post(&mut self, name: &str, token: Option<&str>, body: String) -> Result<(), String> {
        let token = match (&self.server.tokens, token) {
            (Some(_), Some(token)) => self.scope.value(&format!("$token.{token}"))?,
            _ => None,
        };
        let client = self.server.client.clone();
        let address = format!("{}/everwire/v1/poll", self.server.http);
        let arrivals = self.peer(name).arrivals.clone();
        tokio::spawn(async move {
            let token = token.as_ref().and_then(Value::as_str);
            let (arrival, text) = client.post(&address, token, body).await;
            arrivals.put(arrival, text);
        });
        Ok(())
    }

    async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &Value,
        body: String,
        status: u16,
    ) -> Result<Value, String> {
        let address = format!("{}{}", self.server.http, self.scope.fill_text(path)?);
        let (found, headers, text) = self.server.client.request(method, &address, headers, body).await?;
        if found == status { Ok(headers) } else { Err(format!("it was answered with {found}: {text}")) }
    }

    fn peer(&mut self, name: &str) -> &mut Visitor {
        self.peers.entry(name.into()).or_insert_with(|| {
            let (arrivals, inbox) = Inbox::new(KIND, invariants::of_arrival);
            Visitor { inbox, arrivals, connection: None }
        })
    }
}
