//! Changes that are told in the order in which they were made, and not under the lock under which they were made: telling costs
//! by the number of receivers, and nobody else has to wait for that.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// What waits to be told.
#[derive(Debug)]
pub struct InOrder<T> {
    waiting: Mutex<VecDeque<T>>,
    /// Held by whoever is telling.
    telling: Mutex<()>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), telling: Mutex::default() }
    }
}

impl<T> InOrder<T> {
    /// Adds a change. Called under the lock that protects what has changed, so that the order is the same.
    pub fn add(&self, change: T) {
        self.waiting.lock().push_back(change);
    }

    /// Tells what waits. Called without that lock. If another thread is telling, it does this too.
    pub fn tell(&self, tell: impl Fn(T)) {
        // Looked at again after the lock was released: what was added before is told by this thread, or by one that follows.
        while !self.waiting.lock().is_empty() {
            let Some(_telling) = self.telling.try_lock() else { return };
            loop {
                let next = self.waiting.lock().pop_front();
                let Some(next) = next else { break };
                tell(next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn everything_is_told_once_and_in_order_by_however_many_threads() {
        let (changes, made, told) =
            (Arc::new(InOrder::default()), Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (changes, made, told) = (changes.clone(), made.clone(), told.clone());
                std::thread::spawn(move || {
                    for _ in 0..1_000 {
                        let mut last = made.lock();
                        *last += 1;
                        changes.add(*last);
                        drop(last);
                        changes.tell(|change| {
                            told.lock().push(change);
                        });
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*told.lock(), (1..=8_000).collect::<Vec<_>>());
    }

    #[test]
    fn what_changes_while_it_is_told_is_told_afterwards() {
        let (changes, told) = (InOrder::default(), Mutex::new(Vec::new()));
        changes.add(1);
        let tell = |change| {
            told.lock().push(change);
            if change < 3 {
                changes.add(change + 1);
                changes.tell(|_| panic!("another call is telling"));
            }
        };
        changes.tell(tell);
        assert_eq!(*told.lock(), [1, 2, 3]);
    }
}
