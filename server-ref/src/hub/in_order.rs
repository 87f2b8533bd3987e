//! Changes that are delivered in the order in which they were made, but not under the lock under which they were made: delivery
//! costs by the number of receivers, and nobody else has to wait for that.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// Changes that wait for delivery.
#[derive(Debug)]
pub struct InOrder<T> {
    waiting: Mutex<VecDeque<T>>,
    /// Held by the thread that delivers.
    delivering: Mutex<()>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), delivering: Mutex::default() }
    }
}

impl<T> InOrder<T> {
    /// Adds a change. Called under the lock that protects what has changed, so that the order is the same.
    pub fn add(&self, change: T) {
        self.waiting.lock().push_back(change);
    }

    /// Delivers what waits. Called without that lock. A thread that is delivering already does this, too.
    pub fn deliver(&self, deliver: impl Fn(T)) {
        // Looked at again after the lock was released: what was added before is delivered by this thread or the next one.
        while !self.waiting.lock().is_empty() {
            let Some(_delivering) = self.delivering.try_lock() else { return };
            loop {
                let next = self.waiting.lock().pop_front();
                let Some(next) = next else { break };
                deliver(next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn everything_is_delivered_once_and_in_order_by_however_many_threads() {
        let (changes, made, delivered) =
            (Arc::new(InOrder::default()), Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (changes, made, delivered) = (changes.clone(), made.clone(), delivered.clone());
                std::thread::spawn(move || {
                    for _ in 0..1_000 {
                        let mut last = made.lock();
                        *last += 1;
                        changes.add(*last);
                        drop(last);
                        changes.deliver(|change| {
                            delivered.lock().push(change);
                        });
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*delivered.lock(), (1..=8_000).collect::<Vec<_>>());
    }

    #[test]
    fn what_changes_during_delivery_is_delivered_afterwards() {
        let (changes, delivered) = (InOrder::default(), Mutex::new(Vec::new()));
        changes.add(1);
        let deliver = |change| {
            delivered.lock().push(change);
            if change < 3 {
                changes.add(change + 1);
                changes.deliver(|_| panic!("another call is delivering"));
            }
        };
        changes.deliver(deliver);
        assert_eq!(*delivered.lock(), [1, 2, 3]);
    }
}
