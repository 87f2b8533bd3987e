//! The store of bans and revocations.

use super::Answer;
use crate::model::ban::{AccessChange, Ban, Revocation};

/// The store of bans and revocations. Every error is [`crate::Error::Unavailable`].
pub trait BanStore: Send + Sync + 'static {
    /// All bans and revocations. Some may be over.
    fn bans(&self) -> Answer<'_, (Vec<Ban>, Vec<Revocation>)>;

    /// Whether what is stored is what a change has made of it: whether one happened that was reported as failed.
    fn has_changed<'a>(&'a self, change: &'a AccessChange) -> Answer<'a, bool>;

    /// Stores a change.
    fn change_access<'a>(&'a self, change: &'a AccessChange) -> Answer<'a, ()>;
}
