//! The simulated store's part of erasing users: everything in one step.

use std::sync::Arc;

use everwire_protocol::{Channel, channels::user_channel};
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

use super::{Done, node::NodeStore};

impl ErasureStore for NodeStore {
    fn erasures(&self) -> Answer<'_, Vec<Arc<str>>> {
        self.at_once(|data| data.erasures.clone())
    }

    fn begin_erasure<'a>(&'a self, user: &'a str, tokens: &'a Revocation) -> Answer<'a, ()> {
        self.change(move |data| {
            data.access_changes.push(AccessChange::Revoke(tokens.clone()));
            if !data.erasures.iter().any(|other| **other == *user) {
                data.erasures.push(user.into());
            }
        })
    }

    fn erase_some<'a>(
        &'a self,
        at: u64,
        user: &'a str,
        _from: Place,
        report: &'a (dyn Fn(&Channel, &[u64]) -> Option<NewEntry> + Send + Sync),
    ) -> Answer<'a, Erased> {
        self.change(move |data| {
            data.forget_user(user);
            data.rooms.forget_inviter(user);
            data.plant_a_skipped_log(user);
            let erased = data.logs.erase(at, user, report);
            data.note_reports(self.node, &erased.reports);
            if let Some(own) = user_channel(user) {
                let trimmed = data.logs.log(&own).trimmed;
                data.done.push(Done::Trimmed(own, trimmed));
            }
            erased
        })
    }

    fn end_erasure<'a>(&'a self, user: &'a str) -> Answer<'a, ()> {
        self.change(move |data| {
            data.erasures.retain(|other| **other != *user);
            data.done.push(Done::ErasureEnded(user.into()));
        })
    }
}
