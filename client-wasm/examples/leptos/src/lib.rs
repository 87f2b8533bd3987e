//! A chat with Leptos, in the same rooms as the example without a framework: `?as=ada` is who writes, `&room=news` the channel;
//! without one, the first of the user's chats. `&url=…` names another server than that of the page.
#![cfg(target_arch = "wasm32")]

use everwire_client::{
    Channel, Client, ConnectionState, Error, Event, Message, Options, Subscribe, Transport,
    protocol::{Chat, channels},
};
use futures_util::StreamExt;
use leptos::{html::Input, prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{SubmitEvent, UrlSearchParams};

/// How many messages are shown at first.
const RECENT: u32 = 100;

/// What the messages of the demo consist of.
#[derive(Clone, Serialize, Deserialize)]
struct Text {
    text: String,
}

/// A line of the conversation.
#[derive(Clone)]
struct Row {
    id: String,
    /// None until it is stored.
    offset: Option<u64>,
    /// Who wrote it; nobody for the user's own.
    name: Option<String>,
    text: String,
    error: Option<String>,
}

impl Row {
    fn class(&self) -> &'static str {
        match (&self.name, self.offset, &self.error) {
            (Some(_), _, _) => "",
            (None, _, Some(_)) => "own failed",
            (None, Some(_), None) => "own",
            (None, None, None) => "own pending",
        }
    }
}

/// What the views follow. A client can be in signals and contexts: it is `Send` and `Sync`.
#[derive(Clone, Copy)]
struct Conversation {
    title: RwSignal<String>,
    state: RwSignal<String>,
    chats: RwSignal<Vec<Chat>>,
    rows: RwSignal<Vec<Row>>,
    typing: RwSignal<String>,
    channel: RwSignal<Option<Channel<Text>>>,
}

/// Called by wasm-bindgen once the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    leptos::mount::mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let user = parameter("as").unwrap_or_else(|| "ada".into());
    let conversation = Conversation {
        title: RwSignal::new("Chat".into()),
        state: RwSignal::new("connecting".into()),
        chats: RwSignal::default(),
        rows: RwSignal::default(),
        typing: RwSignal::default(),
        channel: RwSignal::default(),
    };
    let who = user.clone();
    spawn_local(async move {
        if let Err(error) = conversation.run(&who).await {
            conversation.state.set(error.to_string());
        }
    });
    let target = move |chat: &Chat| ["?as=", &user, "&room=", channels::MESSAGES_PREFIX, &chat.id].concat();
    view! {
        <header>
            <h1 id="title">{conversation.title}</h1>
            <span id="state" role="status">{conversation.state}</span>
            <nav aria-label="Chats">
                {move || {
                    let link = |chat: Chat| view! { <a href=target(&chat)>{title(&chat)}</a> };
                    conversation.chats.get().into_iter().map(link).collect_view()
                }}
            </nav>
        </header>
        <Messages conversation/>
        <p id="typing">{conversation.typing}</p>
        <Composer conversation/>
    }
}

#[component]
fn Messages(conversation: Conversation) -> impl IntoView {
    let list = NodeRef::<leptos::html::Ol>::new();
    Effect::new(move || {
        conversation.rows.track();
        if let Some(list) = list.get() {
            list.set_scroll_top(list.scroll_height());
        }
    });
    view! {
        <ol id="messages" node_ref=list aria-label="Messages" aria-live="polite">
            <For
                each=move || conversation.rows.get()
                // What changes in a row makes it another one.
                key=|row| (row.id.clone(), row.offset, row.error.is_some())
                let(row)
            >
                <li
                    class=row.class()
                    data-id=row.id.clone()
                    data-offset=row.offset
                >
                    {row.name.clone().map(|name| view! { <b>{name}</b> })}
                    <span>{row.text.clone()}</span>
                    {row.error.clone().map(|error| view! { <b>{error}</b> })}
                </li>
            </For>
        </ol>
    }
}

#[component]
fn Composer(conversation: Conversation) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(input), Some(channel)) = (input.get(), conversation.channel.get_untracked()) else {
            return;
        };
        let text = input.value();
        if !text.trim().is_empty() {
            input.set_value("");
            conversation.send(&channel, text);
        }
    };
    let typing = move |_| {
        if let Some(channel) = conversation.channel.get_untracked() {
            channel.typing();
        }
    };
    view! {
        <form id="composer" on:submit=send>
            <input
                id="text"
                node_ref=input
                on:input=typing
                autocomplete="off"
                placeholder="Message"
                aria-label="Message"
            />
            <button>"Send"</button>
        </form>
    }
}

impl Conversation {
    async fn run(self, user: &str) -> Result<(), Error> {
        let url = parameter("url").unwrap_or_else(|| "/".into());
        let client = Client::connect(Options::new(url).guest(user, capitalised(user)))?;
        let mut states = client.states();
        spawn_local(async move {
            while let Some(state) = states.next().await {
                self.state.set(words(&state));
            }
        });
        let room = match parameter("room") {
            Some(room) => room,
            None => self.first_chat(&client, user).await?,
        };
        self.title.set(room.clone());
        let channel = client.channel::<Text>(&room)?;
        self.channel.set(Some(channel.clone()));
        let mut events = channel.subscribe(Subscribe::recent(RECENT)).await?;
        while let Some(event) = events.next().await {
            match event {
                Event::Message(message) => self.show(message, user),
                Event::Typing { .. } => {
                    let names: Vec<_> =
                        channel.typists().into_iter().map(|who| who.name.unwrap_or(who.user)).collect();
                    self.typing.set(if names.is_empty() { String::new() } else { names.join(", ") + " …" });
                }
                Event::Ended(error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Lists the user's chats, and returns the channel of the first.
    async fn first_chat(self, client: &Client, user: &str) -> Result<String, Error> {
        let name = channels::user_channel(user).ok_or_else(|| Error::InvalidOption("no such user".into()))?;
        let mut own = client.channel::<()>(name.as_str())?.subscribe(Subscribe::live()).await?;
        while let Some(event) = own.next().await {
            if let Event::Chats(chats, _) = event
                && let Some(first) = chats.first()
            {
                let room = [channels::MESSAGES_PREFIX, &first.id].concat();
                self.chats.set(chats);
                return Ok(room);
            }
        }
        Ok("lobby".into())
    }

    /// A row that is pending takes its place in the order of the channel; what is still pending stays below.
    fn show(self, message: Message<Text>, user: &str) {
        let name = (message.user != user).then(|| message.name.unwrap_or(message.user));
        let text = message.data.map_or_else(|| "deleted".into(), |data| data.text);
        let id = message.id.to_string();
        self.rows.update(|rows| {
            rows.retain(|row| row.id != id);
            let at = rows.partition_point(|row| row.offset.is_some());
            rows.insert(at, Row { id, offset: Some(message.offset), name, text, error: None });
        });
    }

    fn send(self, channel: &Channel<Text>, text: String) {
        let sending = channel.send(&Text { text: text.clone() });
        let id = sending.id().to_string();
        self.rows
            .update(|rows| rows.push(Row { id: id.clone(), offset: None, name: None, text, error: None }));
        spawn_local(async move {
            if let Err(error) = sending.await {
                self.rows.update(|rows| {
                    for row in rows.iter_mut().filter(|row| row.id == id) {
                        row.error = Some(error.to_string());
                    }
                });
            }
        });
    }
}

fn words(state: &ConnectionState) -> String {
    match state {
        ConnectionState::Connected { transport: Transport::WebSocket } => "connected".into(),
        ConnectionState::Connected { transport: Transport::Polling } => "connected by polling".into(),
        ConnectionState::Waiting { retry_in, .. } => format!("trying again in {} s", retry_in.as_secs()),
        ConnectionState::Offline => "offline".into(),
        ConnectionState::Closed { reason, .. } => format!("closed: {reason}"),
        _ => "connecting".into(),
    }
}

fn title(chat: &Chat) -> String {
    let names =
        || chat.members.iter().filter_map(|member| member.name.clone()).collect::<Vec<_>>().join(", ");
    chat.title.clone().unwrap_or_else(names)
}

/// Of the page's address.
fn parameter(name: &str) -> Option<String> {
    let query = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&query).ok()?.get(name).filter(|value| !value.is_empty())
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
