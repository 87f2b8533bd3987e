//! Remembers in localStorage, per server, that WebSocket does not work. Where storage is denied, nothing is remembered and
//! nothing fails.

use alloc::string::String;

use wasm_bindgen::prelude::*;

use crate::bindings::POLLING_UNTIL_KEY as KEY;
use everwire_client_core::{Memory, text};

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
    let text = get_item(&text!(KEY, server)).ok()??;
    Some(Memory { polling_until: text.parse().ok()? })
}

pub(super) fn remember(server: &str, what: Option<Memory>) {
    let key = text!(KEY, server);
    let _ = match what {
        Some(memory) => set_item(&key, &text!(memory.polling_until)),
        None => remove_item(&key),
    };
}
