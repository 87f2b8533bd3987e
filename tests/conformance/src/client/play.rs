//! Plays a dialogue against a client: takes its steps one after the other, each within a time, and watches everything that the
//! client does meanwhile.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    Client, ClientStep,
    adapter::Adapter,
    conduct::Conduct,
    site::{Knock, Opening, Post, Site},
    socket::Socket,
};
use crate::{dialogue::Dialogue, inbox::KIND, pattern::compare, report::Outcome, scope::Scope};

/// How long an adapter may take to begin: what it is started with may have to be compiled.
const START: Duration = Duration::from_secs(30);

/// The fields of an event that say what it is about.
const ABOUT: [&str; 5] = ["channel", "id", "ref", "status", "transport"];

/// How a dialogue ends.
pub(super) async fn outcome(client: &Client, dialogue: &Dialogue<ClientStep>, unique: String) -> Outcome {
    if dialogue.needs.iter().any(|need| need == "time") && !client.slow {
        return Outcome::Skipped("it takes long (--slow)".into());
    }
    let failed = |line, reason| Outcome::Failed { line, reason };
    let mut stage = match Stage::begin(client, &unique).await {
        Ok(stage) => stage,
        Err(error) => return failed(0, error),
    };
    if let Some(lack) = dialogue.needs.iter().find(|need| *need != "time" && !stage.has.contains(need)) {
        return Outcome::Skipped(format!("the client lacks `{lack}`"));
    }
    for (line, step) in &dialogue.steps {
        let taken = stage.step(step).await;
        let taken = taken.and_then(|()| stage.conduct.violation().map_or(Ok(()), Err));
        if let Err(reason) = taken {
            let log = stage.adapter.log();
            let log = if log.is_empty() { log } else { format!("\n         it logged: {}", log.trim_end()) };
            return failed(*line, format!("{reason}{log}"));
        }
    }
    Outcome::Passed
}

struct Stage {
    adapter: Adapter,
    conduct: Arc<Conduct>,
    site: Site,
    scope: Scope,
    /// The transports and the optional parts that the client has.
    has: Vec<String>,
    /// What the client wants and no step has asked for yet.
    waiting: VecDeque<Knock>,
    openings: BTreeMap<String, Opening>,
    sockets: BTreeMap<String, Socket>,
    posts: BTreeMap<String, Post>,
    /// With which status polls are answered that no step waits for; without one they wait.
    polls: Option<u16>,
    patience: Duration,
    /// When the step before was over, and when that came which this one has waited for.
    before: Instant,
    came: Instant,
}

impl Stage {
    async fn begin(client: &Client, unique: &str) -> Result<Self, String> {
        let conduct = Arc::new(Conduct::new(client.deviation));
        let site = Site::start(Arc::clone(&conduct)).await.map_err(|error| error.to_string())?;
        let started = Adapter::start(&client.command, client.deviation);
        let mut adapter = started.map_err(|error| error.to_string())?;
        let ready = adapter.events.frame("ready", &[], START).await;
        let ready =
            ready.map_err(|reason| format!("the adapter has not begun: {reason} {}", adapter.log()))?;
        let texts = |name: &str| ready[name].as_array().cloned().unwrap_or_default();
        let has = texts("transports").into_iter().chain(texts("features"));
        let has = has.filter_map(|one| one.as_str().map(str::to_owned)).collect();
        let mut scope = Scope::new(unique);
        scope.bind("$url", json!(site.url()));
        let now = Instant::now();
        Ok(Self {
            adapter,
            conduct,
            site,
            scope,
            has,
            waiting: VecDeque::new(),
            openings: BTreeMap::new(),
            sockets: BTreeMap::new(),
            posts: BTreeMap::new(),
            polls: None,
            patience: client.patience,
            before: now,
            came: now,
        })
    }

    async fn step(&mut self, step: &ClientStep) -> Result<(), String> {
        match step {
            ClientStep::After { least, most, step } => {
                self.take(step).await?;
                let took = self.came.saturating_duration_since(self.before);
                if took < *least || took > *most {
                    let (least, most) = (least.as_millis(), most.as_millis());
                    return Err(format!(
                        "it came after {} ms, not after {least} to {most} ms",
                        took.as_millis()
                    ));
                }
            }
            ClientStep::Times { times, step } => {
                for index in 1..=*times {
                    self.scope.bind("$index", json!(index));
                    self.take(step).await?;
                }
            }
            step => self.take(step).await?,
        }
        self.before = Instant::now();
        Ok(())
    }

    async fn take(&mut self, step: &ClientStep) -> Result<(), String> {
        let patience = self.patience;
        match step {
            ClientStep::Command(command) => self.command(command).await,
            ClientStep::Event(event) => {
                let kind = event["event"].as_str().unwrap_or_default();
                let fields = self.scope.known(event, &ABOUT)?;
                let found = self.adapter.events.frame(kind, &fields, patience).await?;
                self.came = self.adapter.events.found_at();
                self.compare(event, &found)
            }
            ClientStep::NoEvent { kind, wait } => none(self.adapter.events.frame(kind, &[], *wait).await),
            ClientStep::Exit => self.adapter.exit(patience).await,
            ClientStep::Polls { status } => {
                self.polls = *status;
                Ok(())
            }
            ClientStep::Silence { websockets, requests, wait } => {
                self.silence(*websockets, *requests, *wait).await
            }
            ClientStep::After { step, .. } | ClientStep::Times { step, .. } => {
                Err(format!("{step:?} cannot be timed and repeated at once"))
            }
            ClientStep::Wait(time) => {
                sleep(*time).await;
                Ok(())
            }
            ClientStep::Patience(time) => {
                self.patience = *time;
                Ok(())
            }
            step => self.of_socket(step).await,
        }
    }

    /// A step that is about a WebSocket.
    async fn of_socket(&mut self, step: &ClientStep) -> Result<(), String> {
        let patience = self.patience;
        match step {
            ClientStep::Hold { name } => {
                let opening = self.opening().await?;
                self.openings.insert(name.clone(), opening);
                Ok(())
            }
            ClientStep::Accept { name } => self.accept(name).await,
            ClientStep::Welcome { name, fields } => self.welcome(name, fields).await,
            ClientStep::Refuse { name, status } => {
                let opening = match self.openings.remove(name) {
                    Some(opening) => opening,
                    None => self.opening().await?,
                };
                opening.refuse(*status);
                Ok(())
            }
            ClientStep::Send { name, batch } => {
                let batch = self.filled(batch)?;
                self.socket(name)?.send(batch);
                Ok(())
            }
            ClientStep::SendRaw { name, text } => {
                let text = self.scope.fill_text(text)?;
                self.socket(name)?.send_text(text);
                Ok(())
            }
            ClientStep::Expect { name, frame } => {
                let kind = frame[KIND].as_str().unwrap_or_default();
                let fields = self.scope.known(frame, &["channel", "id"])?;
                let found = self.socket(name)?.inbox.frame(kind, &fields, patience).await?;
                self.came = self.socket(name)?.inbox.found_at();
                self.compare(frame, &found)
            }
            ClientStep::ExpectNext { name, frame } => {
                let found = self.socket(name)?.inbox.any(patience).await?;
                self.came = self.socket(name)?.inbox.found_at();
                self.compare(frame, &found)
            }
            ClientStep::ExpectNone { name, kind, wait } => {
                let inbox = &mut self.socket(name)?.inbox;
                none(match kind.as_str() {
                    "frame" => inbox.any(*wait).await,
                    kind => inbox.frame(kind, &[], *wait).await,
                })
            }
            ClientStep::Close { name, code } => {
                self.conduct.closing(*code);
                self.socket(name)?.close(*code);
                Ok(())
            }
            ClientStep::ExpectClose { name, codes } => {
                let inbox = &mut self.socket(name)?.inbox;
                let code = inbox.close(patience).await?;
                self.came = self.socket(name)?.inbox.found_at();
                if codes.contains(&code) { Ok(()) } else { Err(format!("it was closed with {code}")) }
            }
            ClientStep::Drop { name } => self.cut(name).await,
            step => self.of_request(step).await,
        }
    }

    /// A step that is about a request of polling.
    async fn of_request(&mut self, step: &ClientStep) -> Result<(), String> {
        let patience = self.patience;
        match step {
            ClientStep::Request { name, frames, whole } => self.request(name, frames, *whole).await,
            ClientStep::Answer { name, batch } => {
                let batch = self.filled(batch)?;
                let post = self.post(name)?;
                post.answer(200, self.conduct.told_by_request(batch).to_string());
                Ok(())
            }
            ClientStep::AnswerOther { name, status, body } => {
                self.post(name)?.answer(*status, body.clone());
                Ok(())
            }
            ClientStep::GivenUp { name } => {
                let mut post = self.post(name)?;
                let given_up = timeout(patience, post.given_up()).await;
                self.came = Instant::now();
                given_up.map_err(|_| format!("it was not given up within {} ms", patience.as_millis()))
            }
            ClientStep::HasToken { name, token } => {
                let post =
                    self.posts.get(name).ok_or_else(|| format!("no request that waits is called {name}"))?;
                let found = post.token.as_deref().unwrap_or("none");
                if found == token { Ok(()) } else { Err(format!("it has the token {found}")) }
            }
            step => Err(format!("{step:?} cannot be taken here")),
        }
    }

    async fn command(&mut self, command: &Value) -> Result<(), String> {
        let mut command = self.scope.fill(command)?;
        if command["command"] == "connect" && command.get("url").is_none() {
            command["url"] = json!(self.site.url());
        }
        self.adapter.command(&command).await
    }

    /// What is sent, with the values of its variables.
    fn filled(&mut self, batch: &Value) -> Result<Value, String> {
        if let Some(session) = self.conduct.session() {
            self.scope.bind("$session", session);
        }
        self.scope.fill(batch)
    }

    /// What a step expects may be less than what is there.
    fn compare(&mut self, pattern: &Value, found: &Value) -> Result<(), String> {
        compare(pattern, Some(found), &mut self.scope).map_err(|reason| format!("{reason}, in {found}"))
    }

    fn socket(&mut self, name: &str) -> Result<&mut Socket, String> {
        self.sockets.get_mut(name).ok_or_else(|| format!("no WebSocket is called {name}"))
    }

    fn post(&mut self, name: &str) -> Result<Post, String> {
        self.posts.remove(name).ok_or_else(|| format!("no request that waits for an answer is called {name}"))
    }

    async fn accept(&mut self, name: &str) -> Result<(), String> {
        let opening = match self.openings.remove(name) {
            Some(opening) => opening,
            None => self.opening().await?,
        };
        let socket = opening.accept(Arc::clone(&self.conduct));
        self.sockets.insert(name.into(), socket);
        Ok(())
    }

    async fn welcome(&mut self, name: &str, fields: &Value) -> Result<(), String> {
        if !self.sockets.contains_key(name) {
            self.accept(name).await?;
        }
        let came = self.came;
        let patience = self.patience;
        let hello = self.socket(name)?.inbox.frame("hello", &[], patience).await?;
        self.came = came;
        self.scope.bind(&format!("${name}.hello"), hello);
        let mut welcome = json!({"$like": format!("$welcome.{name}")});
        for (field, value) in fields.as_object().into_iter().flatten() {
            welcome[field] = value.clone();
        }
        let batch = self.filled(&json!([welcome]))?;
        self.socket(name)?.send(batch);
        Ok(())
    }

    async fn cut(&mut self, name: &str) -> Result<(), String> {
        if self.sockets.remove(name).is_some() {
            return Ok(());
        }
        if let Some(post) = self.posts.remove(name) {
            post.cut();
            return Ok(());
        }
        let opening = match self.openings.remove(name) {
            Some(opening) => opening,
            None => self.opening().await?,
        };
        opening.cut();
        Ok(())
    }

    /// The next WebSocket that the client wants to open.
    async fn opening(&mut self) -> Result<Opening, String> {
        let is_opening = |knock: &Knock| matches!(knock, Knock::Opening(_));
        match self.knock(is_opening, self.patience).await {
            Some(Knock::Opening(opening)) => {
                self.came = opening.at;
                Ok(opening)
            }
            _ => Err(format!(
                "no WebSocket was opened within {} ms; {}",
                self.patience.as_millis(),
                self.instead()
            )),
        }
    }

    /// The next request that begins with frames of these types, which must be like these.
    async fn request(&mut self, name: &str, frames: &[Value], whole: bool) -> Result<(), String> {
        let fits = |knock: &Knock| match knock {
            Knock::Post(post) => {
                let begins =
                    frames.iter().zip(&post.frames).all(|(wanted, found)| wanted[KIND] == found[KIND]);
                let many =
                    if whole { post.frames.len() == frames.len() } else { post.frames.len() >= frames.len() };
                begins && many
            }
            Knock::Opening(_) => false,
        };
        let Some(Knock::Post(post)) = self.knock(fits, self.patience).await else {
            let patience = self.patience.as_millis();
            return Err(format!("no such request was made within {patience} ms; {}", self.instead()));
        };
        self.came = post.at;
        for (wanted, found) in frames.iter().zip(&post.frames) {
            self.compare(wanted, found)?;
        }
        self.posts.insert(name.into(), post);
        Ok(())
    }

    async fn silence(&mut self, websockets: bool, requests: bool, wait: Duration) -> Result<(), String> {
        let is_noise = move |knock: &Knock| match knock {
            Knock::Opening(_) => websockets,
            Knock::Post(_) => requests,
        };
        match self.knock(is_noise, wait).await {
            None => Ok(()),
            Some(Knock::Opening(_)) => Err("it has opened a WebSocket".into()),
            Some(Knock::Post(post)) => Err(format!("it has made a request: {}", Value::Array(post.frames))),
        }
    }

    /// The next thing that the client wants and that fits.
    async fn knock(&mut self, fits: impl Fn(&Knock) -> bool, patience: Duration) -> Option<Knock> {
        let deadline = Instant::now() + patience;
        self.waiting.retain(|knock| !knock.is_given_up());
        if let Some(index) = self.waiting.iter().position(&fits) {
            return self.waiting.remove(index);
        }
        loop {
            let knock = timeout_at(deadline, self.site.knock()).await.ok()??;
            if fits(&knock) && !knock.is_given_up() {
                return Some(knock);
            }
            match (knock, self.polls) {
                (Knock::Post(post), Some(status)) => post.answer(status, String::new()),
                (knock, _) => self.waiting.push_back(knock),
            }
        }
    }

    fn instead(&self) -> String {
        let told: Vec<_> = self
            .waiting
            .iter()
            .map(|knock| match knock {
                Knock::Opening(_) => "a WebSocket".to_owned(),
                Knock::Post(post) => format!("{:.300}", Value::Array(post.frames.clone()).to_string()),
            })
            .collect();
        if told.is_empty() { "nothing else either".into() } else { format!("instead {}", told.join(", ")) }
    }
}

/// A step that waits for nothing.
fn none(found: Result<Value, String>) -> Result<(), String> {
    match found {
        Ok(found) => Err(format!("it should not have come: {found}")),
        Err(_) => Ok(()),
    }
}
