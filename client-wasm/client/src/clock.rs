//! What both clocks say: one that only runs forward, and the time of day.

use everwire_client_core::Now;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) struct Clock(std::time::Instant);

#[cfg(not(target_arch = "wasm32"))]
impl Clock {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn now(&self) -> Now {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Now { mono: self.0.elapsed().as_millis() as u64, wall: wall.as_millis() as u64 }
    }
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    // The global one, which windows and workers share.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

#[cfg(target_arch = "wasm32")]
pub(crate) struct Clock;

#[cfg(target_arch = "wasm32")]
impl Clock {
    pub(crate) fn start() -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "as elsewhere")]
    pub(crate) fn now(&self) -> Now {
        Now { mono: performance_now() as u64, wall: js_sys::Date::now() as u64 }
    }
}
