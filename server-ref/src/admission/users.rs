//! Limits for signed-in users of HTTP: sockets at a time, and requests per second. What a request does is charged where it is
//! done; this is the base cost of every request, whatever it asks for and however it is answered.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Duration, Instant, sleep},
};

use crate::accounts::{Bucket, Level, Table};

/// Sockets of one user. A WebSocket is one until its session counts it. Further ones count for their address, like those of
/// clients that have not signed in.
pub(super) const SOCKETS: usize = 128;

/// Requests of one user. More wait.
const REQUESTS: Bucket = Bucket { per_second: 200, burst: 2_000 };

/// What is known of one user.
#[derive(Debug)]
pub(super) struct UserDoor {
    sockets: Arc<Semaphore>,
    requests: Mutex<Level>,
    opened: Instant,
}

impl Default for UserDoor {
    fn default() -> Self {
        Self {
            sockets: Arc::new(Semaphore::new(SOCKETS)),
            requests: Mutex::default(),
            opened: Instant::now(),
        }
    }
}

impl UserDoor {
    /// A place for a socket, if there is one.
    pub(super) fn socket(&self) -> Option<OwnedSemaphorePermit> {
        self.sockets.clone().try_acquire_owned().ok()
    }

    /// Waits until another request may be answered.
    pub(super) async fn pace(&self) {
        loop {
            let now_ms = self.opened.elapsed().as_millis() as u64;
            let taken = self.requests.lock().take(now_ms, REQUESTS, 1);
            match taken {
                Ok(()) => return,
                Err(ms) => sleep(Duration::from_millis(ms.into())).await,
            }
        }
    }

    /// Whether it can be forgotten: nobody is inside, and a new one would let in as many.
    fn is_idle(&self) -> bool {
        let now_ms = self.opened.elapsed().as_millis() as u64;
        self.sockets.available_permits() == SOCKETS && self.requests.lock().is_full(now_ms, REQUESTS)
    }
}

/// The doors of all users.
#[derive(Debug)]
pub(super) struct UserDoors {
    of: Mutex<Table<Arc<str>, Arc<UserDoor>>>,
    opened: Instant,
}

impl Default for UserDoors {
    fn default() -> Self {
        Self { of: Mutex::default(), opened: Instant::now() }
    }
}

impl UserDoors {
    pub(super) fn door(&self, user: &Arc<str>) -> Arc<UserDoor> {
        let now_ms = self.opened.elapsed().as_millis() as u64;
        let idle = |door: &Arc<UserDoor>| Arc::strong_count(door) == 1 && door.is_idle();
        self.of.lock().of(now_ms, user.clone(), idle).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_of_one_user_wait_for_each_other_and_not_for_those_of_others() {
        let doors = UserDoors::default();
        let (ann, bob) = (doors.door(&"ann".into()), doors.door(&"bob".into()));
        let start = Instant::now();
        for _ in 0..2_400 {
            ann.pace().await;
        }
        // 2,000 at once, and 400 at 200 in a second.
        let took = start.elapsed().as_millis();
        assert!((1_990..2_100).contains(&took), "{took}");
        bob.pace().await;
        assert_eq!(start.elapsed().as_millis(), took);
    }

    #[tokio::test(start_paused = true)]
    async fn users_who_ask_for_nothing_any_more_are_forgotten() {
        let doors = UserDoors::default();
        for n in 0..5_000 {
            doors.door(&n.to_string().into()).pace().await;
            sleep(Duration::from_millis(10)).await;
        }
        assert!(doors.of.lock().len() <= 1_024);
        let ann = doors.door(&"ann".into());
        let place = ann.socket();
        drop(ann);
        for n in 0..5_000 {
            doors.door(&n.to_string().into());
        }
        assert_eq!(doors.door(&"ann".into()).sockets.available_permits(), SOCKETS - 1);
        drop(place);
    }
}
