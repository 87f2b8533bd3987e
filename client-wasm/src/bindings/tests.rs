//! The bindings in a real browser: a scripted host on one side, a scripted WebSocket on the other. The tests
//! are JavaScript, in tests/bindings; this file gives them their names, the core, and the declarations, so that they need no
//! copy of the numbers and registers.

use alloc::{borrow::ToOwned, format};

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::{Declaration, HOST_CALLS, HOST_NUMBERS, NUMBERS, OPERATIONS, Register, exports::Core};
use crate::browser::Host;

wasm_bindgen_test_configure!(run_in_browser);

type Make = Closure<dyn Fn(Host, bool, bool) -> Core>;

#[wasm_bindgen(module = "/tests/bindings/harness.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn run(
        test: &JsValue,
        make: &Make,
        memory: &JsValue,
        operations: &Array,
        host_calls: &Array,
    ) -> Result<(), JsValue>;
}

fn make(host: Host, websocket: bool, polling: bool) -> Core {
    let flag = f64::from;
    let session = "01890000-0000-7000-8000-000000000001".into();
    let (url, guest) = ("http://chat.example".into(), "ada".into());
    let [has_token, debug, hidden, online] = [false, false, false, true].map(flag);
    let [websocket, polling] = [websocket, polling].map(flag);
    Core::new(host, has_token, websocket, polling, debug, hidden, online, &url, &session, &guest, &guest)
}

/// The name of each, and the names of its arguments by register.
fn tables(declarations: &[Declaration], numbers: usize) -> Array {
    let lines = declarations.iter().map(|declaration| {
        let names = |register| {
            declaration.arguments.iter().filter(move |argument| argument.shape.register == register)
        };
        let line = Array::of1(&declaration.name.into());
        let mut free = numbers;
        for argument in names(Register::Number) {
            let names = argument.shape.names;
            let name = if names.is_empty() {
                argument.name.to_owned()
            } else {
                format!("{}={}", argument.name, names.join("|"))
            };
            line.push(&name.into());
            free -= 1;
        }
        for _ in 0..free {
            line.push(&JsValue::UNDEFINED);
        }
        for argument in names(Register::Text) {
            line.push(&argument.name.into());
        }
        line
    });
    lines.collect()
}

/// The tests of one file by their names.
macro_rules! tests {
    ($file:literal: $($name:ident)*) => {
        #[wasm_bindgen(module = $file)]
        extern "C" {
            #[wasm_bindgen(thread_local_v2)]
            static TESTS: JsValue;
        }

        $(
            #[wasm_bindgen_test]
            fn $name() {
                TESTS.with(|tests| run_one(tests, stringify!($name)));
            }
        )*
    };
}

fn run_one(tests: &JsValue, name: &str) {
    let make = Make::new(make);
    let (operations, calls) = (tables(OPERATIONS, NUMBERS), tables(HOST_CALLS, HOST_NUMBERS));
    let ran = Reflect::get(tests, &name.into())
        .and_then(|test| run(&test, &make, &wasm_bindgen::memory(), &operations, &calls));
    if let Err(error) = ran {
        wasm_bindgen::throw_val(error);
    }
}

mod connecting {
    use super::*;

    tests! { "/tests/bindings/connecting.js":
        connects_and_says_hello
        tries_again_after_a_close_code_and_stops_after_a_terminal_one
        sends_nothing_on_a_socket_that_is_closing
        ignores_what_comes_late
        polls_where_there_is_no_websocket
        takes_a_socket_that_is_open_already
        works_where_everything_is_forbidden
        releases_everything_on_close
        a_thousand_clients_leave_no_memory_behind
    }
}

mod frames {
    use super::*;

    tests! { "/tests/bindings/frames.js":
        delivers_each_entry_once_and_in_order
        throws_the_codes_of_errors
        reports_the_status_of_a_send
        repeats_a_request_until_it_is_answered_and_drops_what_is_ephemeral_without_a_connection
        announces_typing_and_marks_receipts
    }
}

mod misuse {
    use super::*;

    tests! { "/tests/bindings/misuse.js":
        takes_calls_from_inside_the_hosts_own_calls
        survives_a_host_that_throws
        gives_up_a_server_that_sends_rubbish
        takes_any_number_for_an_offset
    }
}
