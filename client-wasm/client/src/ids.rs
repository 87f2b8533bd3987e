//! Ids: UUIDs of version 7, each later than the one before, so that they sort in the order in which messages were written.

use everwire_protocol::Uuid;

#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub(crate) struct Ids;

#[cfg(not(target_arch = "wasm32"))]
impl Ids {
    pub(crate) fn new() -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "as in browsers")]
    pub(crate) fn next(&mut self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Something that nobody guesses.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn seed() -> u64 {
    Uuid::now_v7().as_u128() as u64
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill(bytes: &mut [u8]);
}

#[cfg(target_arch = "wasm32")]
#[derive(Debug)]
pub(crate) struct Ids {
    /// The time of the last one, in ms since 1970.
    last: u64,
    /// Counts those of one millisecond.
    count: u16,
}

#[cfg(target_arch = "wasm32")]
impl Ids {
    pub(crate) fn new() -> Self {
        Self { last: 0, count: 0 }
    }

    pub(crate) fn next(&mut self) -> Uuid {
        let now = js_sys::Date::now() as u64;
        let mut random = [0; 10];
        fill(&mut random);
        if now > self.last {
            // Room to count up.
            (self.last, self.count) = (now, u16::from_be_bytes([random[0], random[1]]) & 0x7ff);
        } else if self.count == 0xfff {
            (self.last, self.count) = (self.last + 1, 0);
        } else {
            self.count += 1;
        }
        // The twelve bits behind the time.
        [random[0], random[1]] = self.count.to_be_bytes();
        uuid::Builder::from_unix_timestamp_millis(self.last, &random).into_uuid()
    }
}

/// Something that nobody guesses.
#[cfg(target_arch = "wasm32")]
pub(crate) fn seed() -> u64 {
    let mut random = [0; 8];
    fill(&mut random);
    u64::from_be_bytes(random)
}
