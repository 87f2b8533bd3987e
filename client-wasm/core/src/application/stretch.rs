//! A stretch of entries: one that the connection has accepted, and those that directly follow it in its channel. There is one
//! question for all of them, because in a browser a question costs as much as all other checks of an entry together: there,
//! pkg-js/src/wasm/create-core.ts does the same.

use super::super::{Connection, Handle};

/// The entries that are being delivered. The connection must hear how far they came before it hears of anything else.
#[derive(Debug, Default)]
pub struct Stretch(Option<Entries>);

#[derive(Debug)]
struct Entries {
    handle: Handle,
    /// The entry that would continue them.
    next: u64,
    /// How many of the last ones the connection has not heard of.
    untold: u32,
}

impl Stretch {
    /// An entry has arrived: whether it is to be delivered.
    pub(super) fn accept(&mut self, connection: &mut Connection, handle: Handle, offset: u64) -> bool {
        match &mut self.0 {
            Some(entries) if entries.handle == handle && entries.next == offset => {
                entries.next += 1;
                entries.untold += 1;
                true
            }
            _ => {
                self.settle(connection);
                let accepted = connection.accept(handle, offset, 1);
                self.0 = accepted.then_some(Entries { handle, next: offset + 1, untold: 0 });
                accepted
            }
        }
    }

    /// Tells the connection how far the stretch came, which ends it.
    pub fn settle(&mut self, connection: &mut Connection) {
        if let Some(Entries { handle, next, untold }) = self.0.take()
            && untold > 0
        {
            connection.accept(handle, next - u64::from(untold), untold);
        }
    }
}
