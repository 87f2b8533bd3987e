//! The bans and revocations in the store of all nodes: every change, in order.

use everwire_server::{
    model::ban::{AccessChange, Ban, Revocation},
    store::{Answer, bans::BanStore},
};

use super::node::NodeStore;

impl BanStore for NodeStore {
    fn bans(&self) -> Answer<'_, (Vec<Ban>, Vec<Revocation>)> {
        self.at_once(|data| {
            let (mut bans, mut revocations): (Vec<Ban>, Vec<Revocation>) = Default::default();
            for change in &data.access_changes {
                match change {
                    AccessChange::Ban(ban) => bans.push(ban.clone()),
                    AccessChange::Unban(user) => bans.retain(|ban| ban.user != *user),
                    AccessChange::Revoke(revocation) => revocations.push(revocation.clone()),
                }
            }
            (bans, revocations)
        })
    }

    fn has_changed<'a>(&'a self, change: &'a AccessChange) -> Answer<'a, bool> {
        self.read(move |data| data.access_changes.contains(change))
    }

    fn change_access<'a>(&'a self, change: &'a AccessChange) -> Answer<'a, ()> {
        self.change(move |data| data.access_changes.push(change.clone()))
    }
}
