//! What the tests with real sockets share: a server in this process or as the real program, a WebSocket client and an
//! HTTP client that speak the protocol and know nothing of the server's insides.

pub mod http;
pub mod program;

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use everwire_protocol::{
    Ack, Action, Channel, Chat, ChatKind, ClientFrame, Error, ErrorCode, Guest, Hello, History, Mark,
    Message, Payload, Role, SUBPROTOCOL, Send, ServerFrame, Subscribe, Subscribed, Unsubscribe, Uuid,
    Welcome, batch,
    limits::{MAX_DEPTH, MAX_SERVER_BATCH_BYTES, MAX_SERVER_BATCH_FRAMES},
};
use everwire_server::{
    config::Config,
    model::chat::{ChatRecord, Participant, Room},
    server::Server,
};
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message as WsMessage, client::IntoClientRequest},
};

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server in this process, with a database of its own.
pub struct Served {
    pub server: Server,
    /// Removed with it.
    _directory: TempDir,
}

pub async fn serve(change: impl FnOnce(&mut Config)) -> Served {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::dev(directory.path().join("everwire.db"));
    change(&mut config);
    Served { server: Server::start(config).await.unwrap(), _directory: directory }
}

impl Served {
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// What tokens are signed with, in tests of servers that need them.
pub const SECRET: &str = "the secret of the tests";

pub fn key() -> everwire_server::auth::token::TokenKey {
    everwire_server::auth::token::TokenKey::new(SECRET).unwrap()
}

pub fn token(user: &str, valid_for: u64, grants: &[&str]) -> String {
    use everwire_server::{
        auth::token::{Claims, TokenKey},
        environment::wall_ms,
    };
    let grants = grants.iter().map(|grant| (*grant).to_owned()).collect();
    let iat = wall_ms() / 1000;
    let exp = iat + valid_for;
    TokenKey::new(SECRET)
        .unwrap()
        .make(&Claims {
            sub: user.into(),
            name: None,
            exp,
            iat: Some(iat.into()),
            jti: None,
            nbf: None,
            grants,
        })
        .unwrap()
}

/// Waits for a condition.
pub async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("the condition was not met in time");
}

pub fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

pub fn hello(user: &str, session: Uuid) -> ClientFrame {
    let guest = Some(Guest { user: user.into(), name: user.to_uppercase() });
    Hello { version: 1, versions: None, features: None, session, token: None, guest, client: None }.into()
}

pub fn hello_with(token: Option<&str>, session: Uuid) -> ClientFrame {
    Hello {
        version: 1,
        versions: None,
        features: None,
        session,
        token: token.map(Into::into),
        guest: None,
        client: None,
    }
    .into()
}

pub fn subscribe(name: &str) -> ClientFrame {
    Subscribe {
        channel: channel(name),
        epoch: None,
        offset: None,
        run: None,
        recent: None,
        undelivered: None,
    }
    .into()
}

pub fn recent(name: &str, n: u32) -> ClientFrame {
    Subscribe {
        channel: channel(name),
        epoch: None,
        offset: None,
        run: None,
        recent: Some(n),
        undelivered: None,
    }
    .into()
}

pub fn resume(name: &str, epoch: &str, offset: u64) -> ClientFrame {
    Subscribe {
        channel: channel(name),
        epoch: Some(epoch.into()),
        offset: Some(offset),
        run: None,
        recent: None,
        undelivered: None,
    }
    .into()
}

pub fn unsubscribe(name: &str) -> ClientFrame {
    Unsubscribe { channel: channel(name) }.into()
}

pub fn send(id: Uuid, name: &str, text: &str) -> ClientFrame {
    Send {
        id,
        channel: channel(name),
        event: None,
        data: Payload::from_value(text).unwrap(),
        action: None,
        target: None,
    }
    .into()
}

/// A message that does something to another one.
pub fn act(id: Uuid, name: &str, action: Action, target: Uuid, text: &str) -> ClientFrame {
    let deletes = action == Action::Delete;
    let data = if deletes { Payload::from_value(&()) } else { Payload::from_value(text) }.unwrap();
    let (channel, action, target) = (channel(name), Some(action), Some(target));
    Send { id, channel, event: None, data, action, target }.into()
}

pub fn history(name: &str, before: Option<u64>, after: Option<u64>, limit: Option<u32>) -> ClientFrame {
    History { id: new_id(), channel: channel(name), before, after, limit }.into()
}

/// In the log of this epoch. 0 says nothing.
pub fn receipt(name: &str, epoch: &str, delivered: u64, read: u64) -> ClientFrame {
    Mark { channel: channel(name), epoch: epoch.into(), delivered, read, run: None }.into()
}

pub fn undelivered(name: &str, recent: u32) -> ClientFrame {
    let channel = channel(name);
    Subscribe { channel, epoch: None, offset: None, run: None, recent: Some(recent), undelivered: Some(true) }
        .into()
}

/// Makes a chat as if it had been read from the database.
pub fn chat(served: &Served, id: &str, members: &[(&str, Role)]) {
    let participants = members.iter().map(|(user, role)| Participant {
        user: (*user).into(),
        name: None,
        role: *role,
        becomes: *role,
        since: 1,
        invited_by: None,
    });
    let room = Room {
        id: id.into(),
        kind: ChatKind::Group,
        title: None,
        open: false,
        created_at: 1,
        participants: participants.collect(),
    };
    served.server.node().chats.put(ChatRecord { room: room.into(), at: 1 });
}

pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// What is in a message's `data`, if it is a text.
pub fn text_of(message: &Message) -> String {
    message.data.read().unwrap()
}

/// The question that a frame answers.
pub fn answered(frame: &ServerFrame) -> Option<Uuid> {
    match frame {
        ServerFrame::Done(done) => Some(done.id),
        ServerFrame::Chats(chats) => Some(chats.id),
        ServerFrame::ChatMembers(members) => Some(members.id),
        ServerFrame::Members(members) => Some(members.id),
        ServerFrame::Receipts(receipts) => Some(receipts.id),
        ServerFrame::HistoryPage(page) => Some(page.id),
        ServerFrame::Statuses(statuses) => Some(statuses.id),
        ServerFrame::Error(error) => error.id,
        _ => None,
    }
}

/// What a server's batches keep to.
pub const SERVER_BATCH: batch::Bounds =
    batch::Bounds { bytes: MAX_SERVER_BATCH_BYTES, frames: MAX_SERVER_BATCH_FRAMES, depth: MAX_DEPTH };

/// How a WebSocket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Code(u16),
    Dropped,
}

/// A client by WebSocket.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    waiting: VecDeque<ServerFrame>,
    /// How many messages came, to see what was packed.
    pub messages: usize,
}

impl Client {
    /// Opens a WebSocket and says nothing.
    pub async fn open(address: SocketAddr) -> Self {
        let mut request = format!("ws://{address}/everwire/v1/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
        let (socket, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
        Self { socket, waiting: VecDeque::new(), messages: 0 }
    }

    /// Opens a WebSocket and says hello as a guest.
    pub async fn connect(address: SocketAddr, user: &str) -> Self {
        Self::connect_as(address, user, new_id()).await.0
    }

    pub async fn connect_as(address: SocketAddr, user: &str, session: Uuid) -> (Self, Welcome) {
        let mut client = Self::open(address).await;
        client.say(&[hello(user, session)]).await;
        let welcome = client.welcome().await;
        (client, welcome)
    }

    pub async fn say(&mut self, frames: &[ClientFrame]) {
        self.say_raw(WsMessage::text(batch::encode(frames))).await;
    }

    pub async fn say_text(&mut self, text: &str) {
        self.say_raw(WsMessage::text(text)).await;
    }

    pub async fn say_raw(&mut self, message: WsMessage) {
        self.socket.send(message).await.unwrap();
    }

    /// Says something that the server may not hear to its end.
    pub async fn try_say_raw(&mut self, message: WsMessage) {
        // An error says that the server has closed already; what it said before can still be read.
        let _ = self.socket.send(message).await;
    }

    /// The next frame.
    pub async fn next(&mut self) -> ServerFrame {
        match self.next_or_end().await {
            Ok(frame) => frame,
            Err(ended) => panic!("the connection ended: {ended:?}"),
        }
    }

    pub async fn next_or_end(&mut self) -> Result<ServerFrame, Ended> {
        while self.waiting.is_empty() {
            match timeout(PATIENCE, self.socket.next()).await.expect("nothing came in time") {
                Some(Ok(WsMessage::Text(text))) => {
                    self.messages += 1;
                    // No server sends more, whatever a test does.
                    let bounds = SERVER_BATCH;
                    let frames = batch::decode::<ServerFrame>(&text, &bounds).unwrap();
                    self.waiting.extend(frames.into_iter().map(Result::unwrap));
                }
                Some(Ok(WsMessage::Close(frame))) => {
                    return Err(frame.map_or(Ended::Dropped, |frame| Ended::Code(frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Ended::Dropped),
            }
        }
        Ok(self.waiting.pop_front().unwrap())
    }

    /// Reads until the connection ends. Returns what came before, and how it ended.
    pub async fn until_it_ends(&mut self) -> (Vec<ServerFrame>, Ended) {
        let mut frames = Vec::new();
        loop {
            match self.next_or_end().await {
                Ok(frame) => frames.push(frame),
                Err(ended) => return (frames, ended),
            }
        }
    }

    /// The next frame of a kind; others before it are dropped.
    pub async fn find<T>(&mut self, kind: impl Fn(ServerFrame) -> Option<T>) -> T {
        loop {
            if let Some(found) = kind(self.next().await) {
                return found;
            }
        }
    }

    pub async fn welcome(&mut self) -> Welcome {
        match self.next().await {
            ServerFrame::Welcome(welcome) => welcome,
            other => panic!("not a welcome: {other:?}"),
        }
    }

    pub async fn subscribed(&mut self) -> Subscribed {
        self.find(|frame| if let ServerFrame::Subscribed(s) = frame { Some(s) } else { None }).await
    }

    pub async fn message(&mut self) -> Message {
        self.find(|frame| if let ServerFrame::Message(m) = frame { Some(m) } else { None }).await
    }

    pub async fn ack(&mut self) -> Ack {
        self.find(|frame| if let ServerFrame::Ack(a) = frame { Some(a) } else { None }).await
    }

    /// The chat as the user sees it after a change.
    pub async fn changed_chat(&mut self) -> Chat {
        self.find(|frame| if let ServerFrame::ChatChanged(c) = frame { Some(c.chat) } else { None }).await
    }

    /// Asks something, and returns the answer. What else comes before it is dropped.
    pub async fn request(&mut self, id: Uuid, question: impl Into<ClientFrame>) -> ServerFrame {
        self.say(&[question.into()]).await;
        self.find(|frame| (answered(&frame) == Some(id)).then_some(frame)).await
    }

    /// Asks for something that is done, and returns the chat that it is about.
    pub async fn done(&mut self, id: Uuid, question: impl Into<ClientFrame>) -> Option<Chat> {
        match self.request(id, question).await {
            ServerFrame::Done(done) => done.chat,
            other => panic!("not done: {other:?}"),
        }
    }

    /// Asks for something that is refused, and returns why.
    pub async fn refused(&mut self, id: Uuid, question: impl Into<ClientFrame>) -> ErrorCode {
        match self.request(id, question).await {
            ServerFrame::Error(error) => error.code.listed().unwrap(),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub async fn error(&mut self) -> Error {
        self.find(|frame| if let ServerFrame::Error(e) = frame { Some(e) } else { None }).await
    }

    /// Why the server refused or ended the next subscription.
    pub async fn ended(&mut self) -> ErrorCode {
        self.find(|frame| if let ServerFrame::Unsubscribed(u) = frame { u.code?.listed() } else { None })
            .await
    }

    /// Says something, and returns the first frame of these kinds. Others before it are dropped.
    pub async fn ask(&mut self, frame: ClientFrame, kinds: &[&str]) -> ServerFrame {
        self.say(&[frame]).await;
        self.find(|frame| kinds.contains(&batch::Frame::kind(&frame)).then_some(frame)).await
    }

    /// Subscribes, and returns the answer.
    pub async fn join(&mut self, frame: ClientFrame) -> Subscribed {
        self.say(&[frame]).await;
        self.subscribed().await
    }

    /// Sends a text, and returns its ack. What else comes before it is dropped.
    pub async fn chat(&mut self, name: &str, text: &str) -> Ack {
        self.say(&[send(new_id(), name, text)]).await;
        self.ack().await
    }

    /// Shows that everything that was said before has been handled.
    pub async fn settle(&mut self) -> Vec<ServerFrame> {
        let nonce = Some(4_711);
        self.say(&[ClientFrame::Ping(everwire_protocol::Ping { nonce })]).await;
        let mut before = Vec::new();
        loop {
            match self.next().await {
                ServerFrame::Pong(pong) if pong.nonce == nonce => return before,
                frame => before.push(frame),
            }
        }
    }
}
