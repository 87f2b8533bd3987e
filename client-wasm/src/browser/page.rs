//! Listens to page lifecycle events. Workers and Node have no page, and no events.

use js_sys::{Function, Object};
use wasm_bindgen::prelude::*;

use super::{Driver, events::BrowserEvent, options};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = addEventListener)]
    fn on_window(event: &str, listener: &Function, options: &Object) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = document, js_name = addEventListener)]
    fn on_document(event: &str, listener: &Function, options: &Object) -> Result<(), JsValue>;
}

impl Driver {
    /// Until [`Driver::listening`] is aborted.
    pub(crate) fn listen(&self) {
        let Some(listening) = &self.listening else { return };
        let options = options([("signal", listening.signal().as_ref())]);
        for (name, what) in [
            ("online", BrowserEvent::Online),
            ("offline", BrowserEvent::Offline),
            ("pagehide", BrowserEvent::PageHide),
            ("pageshow", BrowserEvent::PageShow),
        ] {
            let _ = on_window(name, &self.host.handler(what, 0), &options);
        }
        for (name, what) in [("visibilitychange", BrowserEvent::Visibility), ("resume", BrowserEvent::Resume)]
        {
            let _ = on_document(name, &self.host.handler(what, 0), &options);
        }
    }
}
