//! The limits of one address for sockets that have not signed in: how many at a time ("seats"), how many new ones a second, and
//! a queue for those that have to wait. The door of an IPv6 network stands within that of its site, because one subscriber may have
//! many networks.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};

use crate::accounts::{Bucket, Level};

/// Sockets of one address that have not signed in.
pub(super) const SEATS: usize = 64;

/// New sockets of one address.
const NEW: Bucket = Bucket { per_second: 50, burst: 50 };

/// Requests of one address that have not signed in, for pages and documents. More wait.
const REQUESTS: Bucket = Bucket { per_second: 100, burst: 500 };

/// Sockets of one address that wait for a seat. More are closed at once.
pub(super) const WAITING: usize = 1_024;

/// How much more a site has than one network: as many as the networks of an office or some phones of a carrier need at once.
pub(super) const NETWORKS: u32 = 8;

/// How long a socket waits. A client gives up sooner.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Door {
    /// The door of the site.
    within: Option<Arc<Self>>,
    /// How much more it has than the door of one address.
    times: u32,
    seats: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    level: Mutex<Level>,
    requests: Mutex<Level>,
    opened: Instant,
}

/// A place for one socket that has not signed in, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    /// Its own, and that at its site.
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
    door: Arc<Door>,
}

impl Door {
    /// The door of an address, which may belong to a site.
    pub(super) fn new(within: Option<Arc<Self>>) -> Self {
        Self::with(within, 1)
    }

    /// The door of a site.
    pub(super) fn of_site() -> Self {
        Self::with(None, NETWORKS)
    }

    fn with(within: Option<Arc<Self>>, times: u32) -> Self {
        Self {
            within,
            times,
            seats: Arc::new(Semaphore::new(SEATS * times as usize)),
            queue: Arc::new(Semaphore::new(WAITING * times as usize)),
            level: Mutex::default(),
            requests: Mutex::default(),
            opened: Instant::now(),
        }
    }

    /// Waits for a seat. `None`: too many are waiting, or it takes too long.
    pub(super) async fn enter(self: Arc<Self>) -> Option<Seat> {
        let _places = self.queue_up()?;
        timeout(PATIENCE, async {
            let seat = self.seat().await?;
            self.wait(&self.level, NEW).await;
            if let Some(site) = &self.within {
                site.wait(&site.level, NEW).await;
            }
            Some(seat)
        })
        .await
        .ok()?
    }

    /// Waits for a seat for one request of a socket that others use too, so that it is nothing new.
    pub(super) async fn enter_request(self: Arc<Self>) -> Option<Seat> {
        let _places = self.queue_up()?;
        timeout(PATIENCE, self.seat()).await.ok()?
    }

    /// A place in the queue of the address, and in that of its site.
    fn queue_up(&self) -> Option<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>)> {
        let place = self.queue.clone().try_acquire_owned().ok()?;
        let at_site = match &self.within {
            Some(site) => Some(site.queue.clone().try_acquire_owned().ok()?),
            None => None,
        };
        Some((place, at_site))
    }

    async fn seat(self: &Arc<Self>) -> Option<Seat> {
        let seat = self.seats.clone().acquire_owned().await.ok()?;
        let at_site = match &self.within {
            Some(site) => Some(site.seats.clone().acquire_owned().await.ok()?),
            None => None,
        };
        Some(Seat { _permits: (seat, at_site), door: self.clone() })
    }

    async fn wait(&self, level: &Mutex<Level>, bucket: Bucket) {
        loop {
            let taken = level.lock().take(self.now_ms(), bucket.times(self.times), 1);
            match taken {
                Ok(()) => return,
                Err(ms) => sleep(Duration::from_millis(ms.into())).await,
            }
        }
    }

    /// Whether it can be forgotten: nobody is inside, and a new one would let in as many.
    pub(super) fn is_idle(&self) -> bool {
        let (now_ms, times) = (self.now_ms(), self.times);
        self.level.lock().is_full(now_ms, NEW.times(times))
            && self.requests.lock().is_full(now_ms, REQUESTS.times(times))
    }

    fn now_ms(&self) -> u64 {
        self.opened.elapsed().as_millis() as u64
    }
}

impl Seat {
    /// The door of the seat.
    pub(super) fn door(&self) -> Arc<Door> {
        self.door.clone()
    }
}

impl Door {
    /// Waits until another request of this address may be answered.
    pub(super) async fn pace(&self) {
        self.wait(&self.requests, REQUESTS).await;
        if let Some(site) = &self.within {
            site.wait(&site.requests, REQUESTS).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_herd_from_one_address_is_let_in_one_after_the_other_and_nobody_is_refused() {
        let door = Arc::new(Door::new(None));
        let start = Instant::now();
        let herd: Vec<_> = (0..500)
            .map(|_| {
                let door = door.clone();
                // Signs in at once.
                tokio::spawn(async move { door.enter().await.map(drop).is_some() })
            })
            .collect();
        for one in herd {
            assert!(one.await.unwrap());
        }
        // 50 at once, and 450 at 50 in a second.
        let took = start.elapsed().as_millis();
        assert!((8_900..9_200).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_do_not_sign_in_take_all_seats_of_their_address_and_the_queue_has_an_end() {
        let door = Arc::new(Door::new(None));
        let mut seats = Vec::new();
        for _ in 0..SEATS {
            seats.push(door.clone().enter().await.unwrap());
        }
        let waiting: Vec<_> = (0..WAITING).map(|_| tokio::spawn(door.clone().enter())).collect();
        sleep(Duration::from_millis(1)).await;
        assert!(door.clone().enter().await.is_none(), "the queue is full");
        seats.pop();
        sleep(Duration::from_millis(100)).await;
        assert_eq!(waiting.iter().filter(|task| task.is_finished()).count(), 1);
        sleep(PATIENCE).await;
        assert!(waiting.iter().all(tokio::task::JoinHandle::is_finished));
    }
}
