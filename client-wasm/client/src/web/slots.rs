//! A slot for held polls, which all pages of a browser share with those of the npm package: a browser opens six connections to a host
//! over HTTP/1.1, for all its pages together, and at most four pages hold a poll. A slot is a lock, which the browser releases when
//! its page ends. Pages without locks, such as those from http, get none, and poll every 5 seconds.

use std::{cell::RefCell, rc::Rc};

use everwire_client_core::Input;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::{driver::Reports, report::Report};

const SLOTS: u32 = 4;

#[wasm_bindgen]
extern "C" {
    type Locks;
    #[wasm_bindgen(js_namespace = navigator, js_name = locks, thread_local_v2)]
    static LOCKS: Option<Locks>;
    #[wasm_bindgen(method, catch)]
    fn request(this: &Locks, name: &str, options: &Object, held: &JsValue) -> Result<Promise, JsValue>;
}

/// Ends the wait that holds a lock.
type Release = Rc<RefCell<Option<Function>>>;

pub(super) struct Slot {
    name: String,
    reports: Reports,
    /// Of the slot that is held or being asked for.
    wanted: Option<Release>,
}

impl Slot {
    pub(super) fn new(server: &str, reports: &Reports) -> Self {
        let name = ["everwire:poll:", server, ":"].concat();
        Self { name, reports: reports.clone(), wanted: None }
    }

    /// Takes a slot if one is free, or gives it up.
    pub(super) fn want(&mut self, wanted: bool) {
        if !wanted {
            if let Some(release) = self.wanted.take().and_then(|release| release.take()) {
                let _ = release.call0(&JsValue::NULL);
            }
        } else if self.wanted.is_none() {
            let release = Release::default();
            self.wanted = Some(release.clone());
            spawn_local(take(self.name.clone(), release, self.reports.clone()));
        }
    }
}

async fn take(name: String, release: Release, reports: Reports) {
    let released = Promise::new(&mut |resolve, _| *release.borrow_mut() = Some(resolve));
    for slot in 0..SLOTS {
        if try_lock(&[&name, slot.to_string().as_str()].concat(), &released).await == Some(true) {
            // Given up meanwhile, it is released already.
            if release.borrow().is_some() {
                let _ = reports.unbounded_send(Report::Input(Input::PollSlot));
            }
            return;
        }
    }
}

/// Whether the lock was free; it is then held until `released`. None: there are no locks for this page.
async fn try_lock(name: &str, released: &Promise) -> Option<bool> {
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &true.into()).ok()?;
    let mut refused = None;
    // Resolves to whether the lock was free, as soon as that is known.
    let known = Promise::new(&mut |resolve, reject| {
        let released = released.clone();
        let held = Closure::once_into_js(move |lock: JsValue| -> JsValue {
            let free = !lock.is_null();
            let _ = resolve.call1(&JsValue::NULL, &free.into());
            if free { released.into() } else { JsValue::UNDEFINED }
        });
        let asked = LOCKS.with(|locks| Some(locks.as_ref()?.request(name, &options, &held)));
        match asked {
            Some(Ok(ended)) => {
                // Where storage is denied, locks are too.
                let rejected =
                    Closure::once_into_js(move |why: JsValue| drop(reject.call1(&JsValue::NULL, &why)));
                let _ = Reflect::get(&ended, &"catch".into())
                    .map(|catch| Function::from(catch).call1(&ended, &rejected));
            }
            Some(Err(why)) => drop(reject.call1(&JsValue::NULL, &why)),
            None => refused = Some(()),
        }
    });
    if refused.is_some() {
        return None;
    }
    JsFuture::from(known).await.ok()?.as_bool()
}
