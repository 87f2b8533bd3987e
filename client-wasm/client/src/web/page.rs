//! The life of the page: what it tells becomes inputs, and the core decides what they mean. Workers have no page, and no events.

use everwire_client_core::Input;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, Document, Event, PageTransitionEvent};

use crate::{driver::Reports, report::Report};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = addEventListener)]
    fn on_window(event: &str, listener: &JsValue, options: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = document, js_name = addEventListener)]
    fn on_document(event: &str, listener: &JsValue, options: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = document, thread_local_v2)]
    static DOCUMENT: Option<Document>;

    #[wasm_bindgen(js_namespace = navigator, js_name = onLine, thread_local_v2)]
    static ON_LINE: Option<bool>;
}

/// Listens until it is dropped.
pub(super) struct Page {
    listening: Option<AbortController>,
    _listener: Closure<dyn FnMut(Event)>,
}

impl Page {
    pub(super) fn listen(reports: &Reports) -> Self {
        let to = reports.clone();
        let listener: Closure<dyn FnMut(Event)> = Closure::new(move |event: Event| {
            if let Some(input) = input_of(&event) {
                let _ = to.unbounded_send(Report::Input(input));
            }
        });
        let listening = AbortController::new().ok();
        let options = js_sys::Object::new();
        if let Some(listening) = &listening {
            let _ = js_sys::Reflect::set(&options, &"signal".into(), &listening.signal());
        }
        for name in ["online", "offline", "pagehide", "pageshow"] {
            let _ = on_window(name, listener.as_ref(), &options);
        }
        for name in ["visibilitychange", "resume"] {
            let _ = on_document(name, listener.as_ref(), &options);
        }
        Self { listening, _listener: listener }
    }

    #[allow(clippy::unused_self, reason = "it is about the page")]
    pub(super) fn is_hidden(&self) -> bool {
        DOCUMENT.with(|document| document.as_ref().is_some_and(Document::hidden))
    }

    #[allow(clippy::unused_self, reason = "it is about the page")]
    pub(super) fn is_online(&self) -> bool {
        ON_LINE.with(|online| *online != Some(false))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

fn input_of(event: &Event) -> Option<Input> {
    Some(match event.type_().as_str() {
        "online" => Input::Online,
        "offline" => Input::Offline,
        "visibilitychange" => {
            let document: Document = event.target()?.unchecked_into();
            Input::Visible(!document.hidden())
        }
        "pagehide" => Input::PageHide,
        // Fired after every page load; only a page from the cache was suspended.
        "pageshow" if !event.unchecked_ref::<PageTransitionEvent>().persisted() => return None,
        "pageshow" | "resume" => Input::PageShow,
        _ => return None,
    })
}
