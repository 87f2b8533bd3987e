//! A chat without a framework: `?as=ada` is who writes, `&room=news` the channel; without one, the first of the user's chats, such as
//! those of the demo. `&url=…` names another server than that of the page.
#![cfg(target_arch = "wasm32")]

use everwire_client::{
    Channel, Client, ConnectionState, Error, Event, Message, Options, Subscribe, Transport,
    protocol::{Chat, channels},
};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Document, Element, HtmlElement, HtmlInputElement, UrlSearchParams};

/// How many messages are shown at first.
const RECENT: u32 = 100;

/// What the messages of the demo consist of.
#[derive(Serialize, Deserialize)]
struct Text {
    text: String,
}

/// Called by wasm-bindgen once the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    spawn_local(async {
        if let Err(error) = run().await {
            show_state(&error.to_string());
        }
    });
}

async fn run() -> Result<(), Error> {
    let user = parameter("as").unwrap_or_else(|| "ada".into());
    let url = parameter("url").unwrap_or_else(|| "/".into());
    let client = Client::connect(Options::new(url).guest(&user, capitalised(&user)))?;
    spawn_local(show_states(client.clone()));
    let room = match parameter("room") {
        Some(room) => room,
        None => first_chat(&client, &user).await?,
    };
    element("title").set_text_content(Some(&room));
    let channel = client.channel::<Text>(&room)?;
    compose(&channel);
    show_messages(&channel, &user).await
}

/// Lists the user's chats, and returns the channel of the first.
async fn first_chat(client: &Client, user: &str) -> Result<String, Error> {
    let name = channels::user_channel(user).ok_or_else(|| Error::InvalidOption("no such user".into()))?;
    let mut own = client.channel::<()>(name.as_str())?.subscribe(Subscribe::live()).await?;
    while let Some(event) = own.next().await {
        if let Event::Chats(chats, _) = event
            && let Some(first) = chats.first()
        {
            list_chats(&chats, user);
            return Ok([channels::MESSAGES_PREFIX, &first.id].concat());
        }
    }
    Ok("lobby".into())
}

fn list_chats(chats: &[Chat], user: &str) {
    for chat in chats {
        let others = || chat.members.iter().filter(|member| member.user != user);
        let names = || others().map(|member| member.name.clone().unwrap_or_default()).collect::<Vec<_>>();
        let link =
            append(&element("chats"), "a", "", &chat.title.clone().unwrap_or_else(|| names().join(", ")));
        let target = ["?as=", user, "&room=", channels::MESSAGES_PREFIX, &chat.id].concat();
        set(&link, "href", &target);
    }
}

/// Sends what is typed. What is not stored yet is shown as pending.
fn compose(channel: &Channel<Text>) {
    let keys = channel.clone();
    listen("text", "input", move |_| keys.typing());
    let channel = channel.clone();
    listen("composer", "submit", move |event| {
        event.prevent_default();
        let input: HtmlInputElement = element("text").unchecked_into();
        let text = input.value();
        if text.trim().is_empty() {
            return;
        }
        input.set_value("");
        let sending = channel.send(&Text { text: text.clone() });
        let row = append(&element("messages"), "li", "own pending", &text);
        set(&row, "data-id", &sending.id().to_string());
        scroll_down();
        spawn_local(async move {
            if let Err(error) = sending.await {
                row.set_class_name("own failed");
                append(&row, "b", "", &error.to_string());
            }
        });
    });
}

async fn show_messages(channel: &Channel<Text>, user: &str) -> Result<(), Error> {
    let mut events = channel.subscribe(Subscribe::recent(RECENT)).await?;
    while let Some(event) = events.next().await {
        match event {
            Event::Message(message) => show_message(&message, message.user == user),
            Event::Gap(gap) => {
                let lost = ["messages ", &gap.from.to_string(), " to ", &gap.to.to_string(), " are lost"];
                append(&element("messages"), "li", "note", &lost.concat());
            }
            Event::Typing { .. } => {
                let names: Vec<_> =
                    channel.typists().into_iter().map(|who| who.name.unwrap_or(who.user)).collect();
                let text = if names.is_empty() { String::new() } else { names.join(", ") + " …" };
                element("typing").set_text_content(Some(&text));
            }
            Event::Ended(error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn show_message(message: &Message<Text>, own: bool) {
    let id = message.id.to_string();
    let list = element("messages");
    // It takes its place in the order of the channel.
    if let Ok(Some(pending)) = list.query_selector(&["li[data-id=\"", &id, "\"].pending"].concat()) {
        pending.remove();
    }
    let text = message.data.as_ref().map_or("deleted", |data| data.text.as_str());
    let row = append(&list, "li", if own { "own" } else { "" }, "");
    if !own {
        append(&row, "b", "", message.name.as_deref().unwrap_or(&message.user));
    }
    append(&row, "span", "", text);
    set(&row, "data-id", &id);
    set(&row, "data-offset", &message.offset.to_string());
    // What is still pending stays below.
    if let Ok(Some(first)) = list.query_selector("li.pending") {
        let _ = list.insert_before(&row, Some(&first));
    }
    scroll_down();
}

async fn show_states(client: Client) {
    let mut states = client.states();
    // The stream does not keep the client open, but the page shall.
    while let Some(state) = states.next().await {
        show_state(&match state {
            ConnectionState::Connected { transport: Transport::WebSocket } => "connected".into(),
            ConnectionState::Connected { transport: Transport::Polling } => "connected by polling".into(),
            ConnectionState::Waiting { retry_in, .. } => {
                ["trying again in ", &retry_in.as_secs().to_string(), " s"].concat()
            }
            ConnectionState::Offline => "offline".into(),
            ConnectionState::Closed { reason, .. } => ["closed: ", &reason].concat(),
            _ => "connecting".to_owned(),
        });
    }
}

fn show_state(text: &str) {
    element("state").set_text_content(Some(text));
}

fn scroll_down() {
    let list = element("messages");
    list.set_scroll_top(list.scroll_height());
}

fn document() -> Document {
    web_sys::window().and_then(|window| window.document()).unwrap_throw()
}

/// An element of index.html.
fn element(id: &str) -> Element {
    document().get_element_by_id(id).unwrap_throw()
}

fn append(parent: &Element, tag: &str, class: &str, text: &str) -> Element {
    let child = document().create_element(tag).unwrap_throw();
    child.set_class_name(class);
    child.set_text_content(Some(text));
    parent.append_child(&child).unwrap_throw();
    child
}

fn set(element: &Element, name: &str, value: &str) {
    element.set_attribute(name, value).unwrap_throw();
}

/// For as long as the page lives.
fn listen(id: &str, event: &str, listener: impl FnMut(web_sys::Event) + 'static) {
    let listener: Closure<dyn FnMut(web_sys::Event)> = Closure::new(listener);
    let element: HtmlElement = element(id).unchecked_into();
    element.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref()).unwrap_throw();
    listener.forget();
}

/// Of the page's address.
fn parameter(name: &str) -> Option<String> {
    let query = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&query).ok()?.get(name).filter(|value| !value.is_empty())
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
