//! The events of the page's life, translated one to one. What they mean is decided in core/waking.rs.

use std::rc::Weak;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Event, EventTarget, VisibilityState};

use super::Driver;
use crate::core::Input;

const OF_WINDOW: [&str; 4] = ["online", "offline", "pagehide", "pageshow"];
const OF_DOCUMENT: [&str; 2] = ["visibilitychange", "resume"];

/// Listens as long as it lives.
pub(super) struct Lifecycle {
    handler: Closure<dyn FnMut(Event)>,
}

impl Lifecycle {
    pub(super) fn new(driver: &Weak<Driver>) -> Self {
        let driver = driver.clone();
        let handler = Closure::new(move |event: Event| {
            if let (Some(driver), Some(input)) = (driver.upgrade(), read(&event)) {
                driver.tell(input);
            }
        });
        let this = Self { handler };
        this.each(|target, name, function| {
            let _ = target.add_event_listener_with_callback(name, function);
        });
        this
    }

    fn each(&self, act: impl Fn(&EventTarget, &str, &js_sys::Function)) {
        let function = self.handler.as_ref().unchecked_ref();
        if let Ok(window) = js_sys::global().dyn_into::<EventTarget>() {
            OF_WINDOW.iter().for_each(|name| act(&window, name, function));
        }
        if let Some(document) = document() {
            OF_DOCUMENT.iter().for_each(|name| act(&document, name, function));
        }
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        self.each(|target, name, function| {
            let _ = target.remove_event_listener_with_callback(name, function);
        });
    }
}

fn read(event: &Event) -> Option<Input> {
    Some(match event.type_().as_str() {
        "online" => Input::Online,
        "offline" => Input::Offline,
        "pagehide" => Input::PageHide,
        "visibilitychange" => Input::Visible(!look().0),
        "resume" => Input::PageShow,
        // Every page load ends with one; only a page that comes out of the cache was away.
        "pageshow" if Reflect::get(event, &"persisted".into()).is_ok_and(|p| p.is_truthy()) => {
            Input::PageShow
        }
        _ => return None,
    })
}

fn document() -> Option<Document> {
    // Workers and Node have none.
    Reflect::get(&js_sys::global(), &"document".into()).ok()?.dyn_into().ok()
}

/// Whether the page is hidden, and whether the browser believes to be online.
pub(super) fn look() -> (bool, bool) {
    let hidden = document().is_some_and(|d| d.visibility_state() == VisibilityState::Hidden);
    let online = Reflect::get(&js_sys::global(), &"navigator".into())
        .and_then(|navigator| Reflect::get(&navigator, &"onLine".into()))
        .map_or(true, |online| online != JsValue::FALSE);
    (hidden, online)
}
