//! Pages: how much of a list fits into one frame. Every list that a client is sent is cut here, by the bytes that its entries
//! have as JSON, so that no state of the server makes a frame above the protocol's bound.

use std::io::{self, Write};

use everwire_protocol::{Member, UserReceipt, limits::MAX_PAGE_BYTES};
use serde::Serialize;

/// The least size of a user in a list, as JSON.
const LEAST_BYTES: usize = 60;

/// More users do not fit into a page, whatever else is said of them.
pub const MOST_IN_A_PAGE: usize = MAX_PAGE_BYTES / LEAST_BYTES;

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
    use everwire_protocol::{
        Action, Channel, Chat, ChatKind, ChatMember, Deleted, Message, Payload, Role, Status, Uuid,
        limits::{
            MAX_CHANNEL_BYTES, MAX_CHAT_MEMBERS_BYTES, MAX_EVENT_BYTES, MAX_NAME_BYTES, MAX_OFFSET,
            MAX_PAYLOAD_BYTES, MAX_TITLE_BYTES,
        },
    };

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
    fn the_largest_entry_of_any_list_fits_into_a_page() {
        // JSON writes it as two bytes each.
        let text = |bytes: usize| "\"".repeat(bytes);
        let (user, name) = (text(MAX_NAME_BYTES), Some(text(MAX_NAME_BYTES)));
        let member = ChatMember {
            user: user.clone(),
            name: name.clone(),
            role: Role::ReadOnly,
            status: Status::Offline,
            last_seen: Some(MAX_OFFSET),
            delivered: MAX_OFFSET,
            read: MAX_OFFSET,
        };
        let mut room = PageRoom::of(MAX_CHAT_MEMBERS_BYTES);
        let channel = Channel::new(&format!("private-{}", "c".repeat(MAX_CHANNEL_BYTES - 8))).unwrap();
        let last = Message {
            channel,
            offset: MAX_OFFSET,
            id: Uuid::max(),
            user: user.clone(),
            name,
            at: MAX_OFFSET,
            event: Some(text(MAX_EVENT_BYTES)),
            data: Payload::from_text(format!("\"{}\"", "x".repeat(MAX_PAYLOAD_BYTES - 2))).unwrap(),
            action: Some(Action::Delete),
            target: Some(Uuid::max()),
            deleted: Some(Deleted { user, at: MAX_OFFSET }),
        };
        let chat = Chat {
            id: "c".repeat(MAX_CHANNEL_BYTES),
            kind: ChatKind::Direct,
            title: Some(text(MAX_TITLE_BYTES)),
            open: false,
            role: Role::ReadOnly,
            members: std::iter::repeat_n(member, 1_000).take_while(|member| room.fits(member)).collect(),
            member_count: u32::MAX,
            read: MAX_OFFSET,
            head: MAX_OFFSET,
            unread: u32::MAX,
            last: Some(last),
            at: MAX_OFFSET,
        };
        let page = Listed::of(std::iter::repeat_n(&chat, 2));
        let bytes = serde_json::to_string(&page.items).unwrap().len();
        assert_eq!((page.items.len(), page.more), (1, true));
        assert!((50 * 1024..=MAX_PAGE_BYTES).contains(&bytes), "{bytes} bytes");
    }

    #[test]
    fn the_next_page_begins_after_the_last_entry_of_a_page_that_was_cut() {
        let mut listed = Listed { items: vec!["a", "b"], more: true };
        assert_eq!(listed.next(|item| item).as_deref(), Some("b"));
        listed.more = false;
        assert_eq!(listed.next(|item| item), None);
    }
}
