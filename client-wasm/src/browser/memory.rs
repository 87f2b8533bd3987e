//! What worked is kept in localStorage, per server. Where storage is denied, nothing is remembered and nothing fails.

use web_sys::Storage;

use crate::core::Memory;

const KEY: &str = "everwire:polling-until:";

fn storage() -> Option<Storage> {
    // Reading the property itself throws where cookies are blocked; workers have no window.
    web_sys::window()?.local_storage().ok()?
}

pub(super) fn recall(server: &str) -> Option<Memory> {
    let text = storage()?.get_item(&[KEY, server].concat()).ok()??;
    Some(Memory { polling_until: text.parse().ok()? })
}

pub(super) fn remember(server: &str, what: Option<Memory>) {
    let Some(storage) = storage() else { return };
    let key = [KEY, server].concat();
    let _ = match what {
        Some(memory) => storage.set_item(&key, itoa::Buffer::new().format(memory.polling_until)),
        None => storage.remove_item(&key),
    };
}
