//! The bytes that wait in the queues of all connections together. If they exceed the budget of the server, those that wait for
//! the slowest readers are given up first: the clients resume from their positions.

use std::collections::BTreeMap;

use everwire_protocol::Uuid;
use parking_lot::Mutex;

/// Queues below this size, in bytes, are not counted: they are what every connection has while its batch is being written.
pub const LARGE_QUEUE: usize = 64 * 1024;

/// The large queues of all connections.
#[derive(Debug)]
pub struct QueueBudget {
    most: usize,
    queues: Mutex<Queues>,
}

#[derive(Debug, Default)]
struct Queues {
    of: BTreeMap<Uuid, Queue>,
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct Queue {
    bytes: usize,
    /// Since when it has been large, in ms.
    since: u64,
}

impl QueueBudget {
    /// A budget of this many bytes.
    pub fn new(most: usize) -> Self {
        Self { most, queues: Mutex::default() }
    }

    /// A connection has this many bytes in its queue. Returns the connections that have to be given up.
    pub fn set(&self, now_ms: u64, connection: Uuid, bytes: usize) -> Vec<Uuid> {
        let mut queues = self.queues.lock();
        if bytes < LARGE_QUEUE {
            queues.remove(connection);
            return Vec::new();
        }
        let queue = queues.of.entry(connection).or_insert(Queue { bytes: 0, since: now_ms });
        let before = std::mem::replace(&mut queue.bytes, bytes);
        queues.bytes = queues.bytes + bytes - before;
        let mut given_up = Vec::new();
        while queues.bytes > self.most {
            // The one that has been behind for the longest time; of several, the one that is furthest behind.
            let slowest = queues.of.iter().min_by_key(|(_, queue)| (queue.since, usize::MAX - queue.bytes));
            let Some(slowest) = slowest.map(|(connection, _)| *connection) else { break };
            queues.remove(slowest);
            given_up.push(slowest);
        }
        given_up
    }

    /// The bytes that are counted.
    pub fn bytes(&self) -> usize {
        self.queues.lock().bytes
    }
}

impl Queues {
    fn remove(&mut self, connection: Uuid) {
        if let Some(queue) = self.of.remove(&connection) {
            self.bytes -= queue.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn the_reader_that_has_been_behind_for_the_longest_time_goes_first() {
        let budget = QueueBudget::new(10 * MIB);
        assert!(budget.set(1, id(1), 4 * MIB).is_empty());
        assert!(budget.set(2, id(2), MIB).is_empty());
        assert!(budget.set(3, id(3), 4 * MIB).is_empty());
        // It has caught up, and is behind again.
        assert!(budget.set(4, id(1), 10).is_empty());
        assert!(budget.set(5, id(1), 4 * MIB).is_empty());
        assert_eq!(budget.set(6, id(3), 7 * MIB), [id(2), id(3)]);
        assert_eq!(budget.bytes(), 4 * MIB);
        assert!(budget.set(7, id(1), 0).is_empty());
        assert_eq!(budget.bytes(), 0);
    }

    #[test]
    fn one_queue_above_the_whole_budget_is_given_up_itself() {
        let budget = QueueBudget::new(MIB);
        assert_eq!(budget.set(1, id(1), 2 * MIB), [id(1)]);
        assert_eq!(budget.bytes(), 0);
    }
}
