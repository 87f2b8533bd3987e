//! The border in a real browser: a scripted host on one side, a scripted WebSocket on the other. What happens between
//! them is JavaScript, so the tests themselves are in tests/bindings.js; here they get their names and the core.

use alloc::borrow::ToOwned;

use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::Core;
use crate::browser::Host;

wasm_bindgen_test_configure!(run_in_browser);

type Make = Closure<dyn Fn(Host, bool, bool) -> Core>;

#[wasm_bindgen(module = "/tests/bindings.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn run(name: &str, make: &Make, memory: &JsValue) -> Result<(), JsValue>;
}

fn make(host: Host, websocket: bool, polling: bool) -> Core {
    let session = "01890000-0000-7000-8000-000000000001";
    let guest = || Some("ada".to_owned());
    Core::new(
        host,
        "http://chat.example",
        session,
        guest(),
        guest(),
        false,
        websocket,
        polling,
        false,
        false,
        true,
    )
}

macro_rules! tests {
    ($($name:ident)*) => {$(
        #[wasm_bindgen_test]
        fn $name() {
            let make = Make::new(make);
            if let Err(error) = run(stringify!($name), &make, &wasm_bindgen::memory()) {
                wasm_bindgen::throw_val(error);
            }
        }
    )*};
}

tests! {
    connects_and_says_hello
    delivers_each_entry_once_and_in_order
    answers_with_an_error_in_words
    tells_what_became_of_a_send
    asks_until_it_is_answered_and_says_what_is_fleeting_now_or_never
    announces_typing_and_marks_receipts
    tries_again_after_a_close_code_and_stops_after_a_terminal_one
    takes_calls_from_inside_the_hosts_own_calls
    survives_a_host_that_throws
    gives_up_a_server_that_sends_rubbish
    takes_any_number_for_an_offset
    ignores_what_comes_late
    polls_where_there_is_no_websocket
    works_where_everything_is_forbidden
    releases_everything_on_close
    a_thousand_clients_leave_no_memory_behind
}
