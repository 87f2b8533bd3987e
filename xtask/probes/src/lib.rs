//! A minimal module that could be a client (a class, a callback, a string in, a string or an error out), and by feature a
//! minimal use of one more dependency. `cargo xtask size --parts` builds every variant: the differences are the sizes of the
//! dependencies. Nothing here is part of the product.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "nobody calls this")]

use wasm_bindgen::prelude::*;

#[cfg(feature = "talc")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[wasm_bindgen]
extern "C" {
    pub type Host;
    #[wasm_bindgen(method)]
    fn say(this: &Host, text: &str);
}

#[wasm_bindgen]
pub struct Probe {
    host: Host,
    last: String,
}

#[wasm_bindgen]
impl Probe {
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host) -> Self {
        Self { host, last: String::new() }
    }

    pub fn hear(&mut self, text: String) -> Result<String, JsError> {
        if text.is_empty() {
            return Err(JsError::new("no text"));
        }
        self.host.say(&text);
        Ok(std::mem::replace(&mut self.last, text))
    }
}

#[cfg(feature = "sockets")]
#[wasm_bindgen]
pub fn socket(url: &str, heard: js_sys::Function) -> Result<web_sys::WebSocket, JsValue> {
    let socket = web_sys::WebSocket::new(url)?;
    let handler = Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
        let _ = heard.call1(&JsValue::NULL, &event.data());
    });
    socket.set_onmessage(Some(handler.into_js_value().unchecked_ref()));
    Ok(socket)
}

#[cfg(feature = "timers")]
#[wasm_bindgen]
pub fn timer(ms: u32, host: Host) {
    gloo_timers::callback::Timeout::new(ms, move || host.say("now")).forget();
}

#[cfg(feature = "futures")]
#[wasm_bindgen]
pub fn task(host: Host) {
    use futures_util::StreamExt as _;
    let (sender, mut receiver) = futures_channel::mpsc::unbounded::<String>();
    wasm_bindgen_futures::spawn_local(async move {
        while let Some(text) = receiver.next().await {
            host.say(&text);
        }
    });
    let _ = sender.unbounded_send("begin".into());
}

#[cfg(feature = "panic-hook")]
#[wasm_bindgen]
pub fn hook() {
    console_error_panic_hook::set_once();
}

#[cfg(any(feature = "serde-wasm-bindgen", feature = "serde-json"))]
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Options {
    url: String,
    token: Option<String>,
    attempt: u32,
    debug: bool,
}

#[cfg(feature = "serde-wasm-bindgen")]
#[wasm_bindgen]
pub fn options(value: JsValue) -> Result<JsValue, JsValue> {
    let mut options: Options = serde_wasm_bindgen::from_value(value)?;
    options.attempt += 1;
    Ok(serde_wasm_bindgen::to_value(&options)?)
}

#[cfg(feature = "serde-json")]
#[wasm_bindgen]
pub fn options_text(text: &str) -> Result<String, JsError> {
    let mut options: Options = serde_json::from_str(text)?;
    options.attempt += 1;
    Ok(serde_json::to_string(&options)?)
}
