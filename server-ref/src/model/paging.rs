//! Pages: how much of a list fits into one frame. Every list that a client is sent is cut here, by the bytes that its entries
//! have as JSON, so that no state of the server makes a frame above the protocol's bound.

use std::io::{self, Write};

use everwire_protocol::{Member, UserReceipt, limits::MAX_PAGE_BYTES};
use serde::Serialize;

/// The first page of a list, or a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<Item> {
    /// The entries.
    pub items: Vec<Item>,
    /// Whether there are more after them.
    pub more: bool,
}

impl<Item> Default for Listed<Item> {
    fn default() -> Self {
        Self { items: Vec::new(), more: false }
    }
}

impl<Item: Serialize> Listed<Item> {
    /// As many of these as fit into a page.
    pub fn of(items: impl IntoIterator<Item = Item>) -> Self {
        let mut page = PageRoom::default();
        let mut listed = Self::default();
        for item in items {
            if !page.fits(&item) {
                listed.more = true;
                break;
            }
            listed.items.push(item);
        }
        listed
    }
}

impl<Item> Listed<Item> {
    /// Where the next page continues: after the id of the last entry; `None` if there is none.
    pub fn next(&self, id: impl Fn(&Item) -> &str) -> Option<String> {
        self.items.last().filter(|_| self.more).map(|last| id(last).to_owned())
    }
}

/// Members of a presence channel, by user id, and the version of the whole list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberPage {
    /// The members.
    pub listed: Listed<Member>,
    /// The version of the list when this was read.
    pub version: u64,
}

impl MemberPage {
    /// Where the next page continues.
    pub fn next(&self) -> Option<String> {
        self.listed.next(|member| &member.user)
    }
}

/// Marks of a channel, by user id.
pub type MarkPage = Listed<UserReceipt>;

/// The room that is left in a page.
#[derive(Debug)]
pub struct PageRoom {
    left: usize,
    empty: bool,
}

impl Default for PageRoom {
    fn default() -> Self {
        Self::of(MAX_PAGE_BYTES)
    }
}

impl PageRoom {
    /// A page of this many bytes, with its brackets.
    pub const fn of(bytes: usize) -> Self {
        Self { left: bytes.saturating_sub(1), empty: true }
    }

    /// Whether an entry still fits, which then takes its room. The first one always does: it is bounded by what it consists of,
    /// and without it the list could not go on.
    pub fn fits(&mut self, entry: &impl Serialize) -> bool {
        let mut size = Size(1);
        if serde_json::to_writer(&mut size, entry).is_err() || (size.0 > self.left && !self.empty) {
            return false;
        }
        self.left = self.left.saturating_sub(size.0);
        self.empty = false;
        true
    }
}

/// Counts the bytes of an entry, and the comma behind it.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_measured_in_the_bytes_that_are_sent() {
        // Each of them has 6 bytes as JSON, and a comma.
        let all = || std::iter::repeat_n("\"\"", 100_000);
        let listed = Listed::of(all());
        assert_eq!((listed.items.len(), listed.more), ((MAX_PAGE_BYTES - 1) / 7, true));
        assert!(serde_json::to_string(&listed.items).unwrap().len() <= MAX_PAGE_BYTES);
        assert_eq!(Listed::of(all().take(3)).items.len(), 3);
        assert!(!Listed::of(all().take(listed.items.len())).more);
    }

    #[test]
    fn a_page_has_at_least_one_entry_if_there_is_one() {
        let mut room = PageRoom::of(10);
        assert!(room.fits(&"longer than that"));
        assert!(!room.fits(&""));
        assert_eq!(Listed::<&str>::of([]), Listed::default());
    }

    #[test]
    fn the_next_page_begins_after_the_last_entry_of_a_page_that_was_cut() {
        let mut listed = Listed { items: vec!["a", "b"], more: true };
        assert_eq!(listed.next(|item| item).as_deref(), Some("b"));
        listed.more = false;
        assert_eq!(listed.next(|item| item), None);
    }
}
