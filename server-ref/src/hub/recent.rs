//! A cache of recently published entries: reconnecting clients receive these shared entries, instead of reading and encoding
//! them again. It holds copies of the ends of logs.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use everwire_protocol::Channel;
use parking_lot::Mutex;

use crate::model::log::{Entry, PageBounds, Rewrite};

/// Maximum bytes over all channels: some 90,000 short messages. That is half a minute of a busy server, within which nearly
/// all clients reconnect after a network failure.
const BYTES: usize = 32 * 1024 * 1024;

/// The overhead of an entry besides its text: the struct, its channel's name, and two queue slots.
const OVERHEAD: usize = 160;

#[derive(Debug)]
pub(super) struct Recent {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// In order, without holes, all of one epoch; never empty.
    ends: BTreeMap<Channel, VecDeque<Arc<Entry>>>,
    /// The channels of all of them, the oldest entry first.
    ages: VecDeque<Channel>,
    bytes: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self { most: BYTES, kept: Mutex::default() }
    }
}

impl Recent {
    /// Adds an entry that was just stored. Entries of one channel must be added in order.
    pub(super) fn add(&self, entry: &Arc<Entry>) {
        let mut kept = self.kept.lock();
        let follows = kept
            .ends
            .get(&entry.channel)
            .and_then(VecDeque::back)
            .is_none_or(|last| last.epoch == entry.epoch && last.offset + 1 == entry.offset);
        if !follows {
            kept.forget(&entry.channel);
        }
        kept.bytes += size(entry);
        kept.ages.push_back(entry.channel.clone());
        kept.ends.entry(entry.channel.clone()).or_default().push_back(entry.clone());
        while kept.bytes > self.most {
            kept.forget_oldest();
        }
    }

    /// Replaces entries by what an edit or a deletion has made of them.
    pub(super) fn rewrite(&self, channel: &Channel, rewrite: &Rewrite) {
        let mut kept = self.kept.lock();
        let Kept { ends, bytes, .. } = &mut *kept;
        let Some(end) = ends.get_mut(channel) else { return };
        let Some(first) = end.front().map(|entry| entry.offset) else { return };
        for offset in &rewrite.offsets {
            let at = offset.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            let Some(entry) = at.and_then(|at| end.get_mut(at)) else { continue };
            let Some(now) = entry.rewritten(rewrite) else { return kept.forget(channel) };
            *bytes = *bytes + size(&now) - size(entry);
            *entry = now;
        }
        while kept.bytes > self.most {
            kept.forget_oldest();
        }
    }

    /// Drops the entries of a channel.
    pub(super) fn forget(&self, channel: &Channel) {
        self.kept.lock().forget(channel);
    }

    /// Drops all entries.
    pub(super) fn forget_all(&self) {
        *self.kept.lock() = Kept::default();
    }

    /// The epoch and offset of the last cached entry of a channel.
    pub(super) fn last(&self, channel: &Channel) -> Option<(Arc<str>, u64)> {
        let kept = self.kept.lock();
        let last = kept.ends.get(channel)?.back()?;
        Some((last.epoch.clone(), last.offset))
    }

    /// The entries after `after`, up to one page; `None` if they have to be read from the store.
    pub(super) fn page(&self, channel: &Channel, after: u64, bounds: PageBounds) -> Option<Vec<Arc<Entry>>> {
        let kept = self.kept.lock();
        let end = kept.ends.get(channel)?;
        let first = end.front()?;
        let skipped = usize::try_from((after + 1).checked_sub(first.offset)?).ok()?;
        let mut bytes = 0;
        let page = end.range(skipped.min(end.len())..).take(bounds.entries as usize).take_while(|entry| {
            let first = bytes == 0;
            bytes += entry.text.len();
            first || bytes <= bounds.bytes
        });
        let page: Vec<_> = page.cloned().collect();
        // The store may already have more than was published.
        (!page.is_empty()).then_some(page)
    }
}

impl Kept {
    fn forget_oldest(&mut self) {
        let Some(channel) = self.ages.pop_front() else { return };
        let Some(end) = self.ends.get_mut(&channel) else { return };
        if let Some(entry) = end.pop_front() {
            self.bytes -= size(&entry);
        }
        if end.is_empty() {
            self.ends.remove(&channel);
        }
    }

    /// A log was replaced, an entry in between was not published, or the store has changed entries: none of it happens
    /// normally.
    fn forget(&mut self, channel: &Channel) {
        let end = self.ends.remove(channel).unwrap_or_default();
        self.bytes -= end.iter().map(size).sum::<usize>();
        self.ages.retain(|other| other != channel);
    }
}

fn size(entry: &Arc<Entry>) -> usize {
    entry.text.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: PageBounds = PageBounds { entries: 3, bytes: 100 };

    fn channel(name: &str) -> Channel {
        name.parse().unwrap()
    }

    fn add(recent: &Recent, name: &str, epoch: &str, offsets: impl IntoIterator<Item = u64>) {
        for offset in offsets {
            let text = "x".repeat(10).into();
            recent.add(&Arc::new(Entry {
                channel: channel(name),
                epoch: epoch.into(),
                offset,
                at: 0,
                plain: true,
                text,
            }));
        }
    }

    fn page(recent: &Recent, name: &str, after: u64) -> Option<Vec<u64>> {
        let page = recent.page(&channel(name), after, PAGE)?;
        Some(page.iter().map(|entry| entry.offset).collect())
    }

    #[test]
    fn a_page_is_what_follows_and_no_more_than_a_page_holds() {
        let recent = Recent::default();
        add(&recent, "a", "e", 5..=20);
        assert_eq!(page(&recent, "a", 4), Some(vec![5, 6, 7]));
        assert_eq!(page(&recent, "a", 18), Some(vec![19, 20]));
        let bytes = |bytes| recent.page(&channel("a"), 10, PageBounds { entries: 9, bytes }).unwrap().len();
        assert_eq!([1, 10, 29, 30].map(bytes), [1, 1, 2, 3]);
    }

    #[test]
    fn what_is_not_there_has_to_be_read() {
        let recent = Recent::default();
        add(&recent, "a", "e", 5..=20);
        assert_eq!(page(&recent, "b", 6), None);
        assert_eq!([0, 3, 20, 25].map(|after| page(&recent, "a", after)), [None, None, None, None]);
    }

    #[test]
    fn another_epoch_and_a_hole_begin_anew() {
        let recent = Recent::default();
        add(&recent, "a", "e", [1, 2, 3, 5, 6]);
        assert_eq!(page(&recent, "a", 1), None);
        assert_eq!(page(&recent, "a", 4), Some(vec![5, 6]));
        add(&recent, "a", "f", [7]);
        assert_eq!(page(&recent, "a", 4), None);
        assert_eq!(page(&recent, "a", 6), Some(vec![7]));
        assert_eq!(recent.kept.lock().bytes, 10 + OVERHEAD);
        assert_eq!(recent.kept.lock().ages.len(), 1);
    }

    #[test]
    fn the_oldest_go_first_whatever_their_channel_and_nothing_is_left_of_them() {
        let recent = Recent { most: 4 * (10 + OVERHEAD), ..Recent::default() };
        add(&recent, "a", "e", [1, 2]);
        add(&recent, "b", "e", [1]);
        add(&recent, "a", "e", [3, 4]);
        assert_eq!(page(&recent, "a", 0), None);
        assert_eq!(page(&recent, "a", 1), Some(vec![2, 3, 4]));
        add(&recent, "c", "e", [1, 2]);
        assert_eq!(page(&recent, "b", 0), None);
        assert_eq!(page(&recent, "a", 2), Some(vec![3, 4]));
        let kept = recent.kept.lock();
        assert_eq!((kept.ends.len(), kept.ages.len(), kept.bytes), (2, 4, 4 * (10 + OVERHEAD)));
    }
}
