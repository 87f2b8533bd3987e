//! Remembers in localStorage, per server, that WebSocket does not work. Where storage is denied, nothing is remembered and nothing
//! fails. The npm package uses the same place: what one has found out is good for the other.

use everwire_client_core::Memory;
use everwire_protocol::paths::POLL_PATH;
use wasm_bindgen::prelude::*;

/// Before the address of the server.
const KEY: &str = "everwire:polling-until:";

// By name, because even reading the property `localStorage` throws where cookies are blocked, and workers have none.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = localStorage, js_name = getItem)]
    fn get_item(key: &str) -> Result<Option<String>, JsValue>;
    #[wasm_bindgen(catch, js_namespace = localStorage, js_name = setItem)]
    fn set_item(key: &str, value: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_namespace = localStorage, js_name = removeItem)]
    fn remove_item(key: &str) -> Result<(), JsValue>;
}

pub(super) fn recall(server: &str) -> Option<Memory> {
    let text = get_item(&key(server)).ok()??;
    Some(Memory { polling_until: text.parse().ok()? })
}

pub(super) fn remember(server: &str, what: Option<Memory>) {
    let key = key(server);
    let _ = match what {
        Some(memory) => set_item(&key, &memory.polling_until.to_string()),
        None => remove_item(&key),
    };
}

fn key(server: &str) -> String {
    [KEY, server, POLL_PATH].concat()
}
