//! The store's part of erasing users: what is kept of a user is found by an index and removed in small steps, because nothing else
//! can be stored during one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use everwire_protocol::{Channel, Uuid};
use sha2::{Digest, Sha256};

use super::Answer;
use crate::model::{
    ban::Revocation,
    log::{Entry, NewEntry},
};

/// The store of erasures. Every error is [`crate::Error::Unavailable`].
pub trait ErasureStore: Send + Sync + 'static {
    /// The users who are being erased.
    fn erasures(&self) -> Answer<'_, Vec<Arc<str>>>;

    /// Stores the request to erase a user together with the revocation of the user's tokens. Nothing is removed yet.
    fn begin_erasure<'a>(&'a self, user: &'a str, tokens: &'a Revocation) -> Answer<'a, ()>;

    /// Removes some of what is kept of a user. For each log in which entries are blanked, `report` makes the entry that says so, from
    /// their offsets; it is stored in the same transaction.
    fn erase_some<'a>(
        &'a self,
        at: u64,
        user: &'a str,
        from: Place,
        report: &'a (dyn Fn(&Channel, &[u64]) -> Option<NewEntry> + Send + Sync),
    ) -> Answer<'a, Erased>;

    /// Forgets the request: nothing is kept of the user any more.
    fn end_erasure<'a>(&'a self, user: &'a str) -> Answer<'a, ()>;
}

/// How far an erasure has come in what is looked through in an order: entries about members, by channel and offset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the channel in the store.
    pub channel: i64,
    /// The offset.
    pub offset: u64,
}

/// What one step of an erasure has done.
#[derive(Debug, Default)]
pub struct Erased {
    /// The offsets of the entries that were blanked.
    pub blanked: BTreeMap<Channel, Vec<u64>>,
    /// Logs in which the user had deleted messages of others, who are not told who it was any more.
    pub unnamed: BTreeSet<Channel>,
    /// The entries that were stored.
    pub reports: Vec<Arc<Entry>>,
    /// Where the next step begins; `None`: nothing was left.
    pub next: Option<Place>,
}

/// In place of an erased user, for a message that such a user has sent: a client that wakes later and sends it again gets the ack of
/// the first time, and the text is not stored again. No user has such an id, which begins with a control character.
pub fn hash_of(user: &str, id: Uuid) -> String {
    let mut hash = Sha256::new();
    hash.update(user);
    hash.update(id.as_bytes());
    hashed(hash)
}

/// In place of the name of a channel that belonged to an erased user. If the channel is used again, its offsets go on.
pub fn hash_of_channel(channel: &Channel) -> String {
    hashed(Sha256::new_with_prefix(channel.as_str()))
}

/// The first character of these hashes.
pub const HASHED: char = '\u{1}';

fn hashed(hash: Sha256) -> String {
    use std::fmt::Write as _;
    let mut text = String::from(HASHED);
    for byte in &hash.finalize()[..16] {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use everwire_protocol::names::check_user;

    use super::*;

    #[test]
    fn a_hash_names_one_message_of_one_user_and_is_nobodys_id() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let hashes = BTreeSet::from([hash_of("ann", a), hash_of("ann", b), hash_of("bob", a)]);
        assert_eq!(hashes.len(), 3);
        assert_eq!(hash_of("ann", a), hash_of("ann", a));
        assert!(hashes.iter().all(|hash| check_user(hash).is_err() && hash.starts_with(HASHED)));
        let own: Channel = "private-user.ann".parse().unwrap();
        assert!(hash_of_channel(&own).parse::<Channel>().is_err());
    }
}
