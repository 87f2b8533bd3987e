//! The simulated store's part of erasing users: everything in one step.

use std::sync::Arc;

use everwire_protocol::Channel;
use everwire_server::{
    model::{
        ban::{AccessChange, Revocation},
        log::NewEntry,
    },
    store::{
        Answer,
        erasure::{Erased, ErasureStore, Place},
    },
};

use super::node::NodeStore;

impl ErasureStore for NodeStore {
    fn erasures(&self) -> Answer<'_, Vec<Arc<str>>> {
        self.at_once(|data| data.erasures.clone())
    }

    fn begin_erasure<'a>(&'a self, user: &'a str, tokens: &'a Revocation) -> Answer<'a, ()> {
        self.read(move |data| {
            data.access_changes.push(AccessChange::Revoke(tokens.clone()));
            data.erasures.push(user.into());
        })
    }

    fn erase_some<'a>(
        &'a self,
        at: u64,
        user: &'a str,
        _from: Place,
        report: &'a (dyn Fn(&Channel, &[u64]) -> Option<NewEntry> + Send + Sync),
    ) -> Answer<'a, Erased> {
        self.read(move |data| {
            data.forget_user(user);
            data.logs.erase(at, user, report)
        })
    }

    fn end_erasure<'a>(&'a self, user: &'a str) -> Answer<'a, ()> {
        self.read(move |data| data.erasures.retain(|other| **other != *user))
    }
}
