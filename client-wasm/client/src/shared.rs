//! A [`Session`] that handles of the application share with the driver.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::session::Session;

pub(crate) struct Shared(Mutex<Session>);

impl Shared {
    pub(crate) fn new(session: Session) -> Self {
        Self(Mutex::new(session))
    }

    fn lock(&self) -> MutexGuard<'_, Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or takes something. What may have to be done outside is left as it is.
    pub(crate) fn peek<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        act(&mut self.lock())
    }

    /// Changes something: the driver looks at what follows. Wakers are called without the lock, since they may do anything.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        let mut session = self.lock();
        let result = act(&mut session);
        let wakers = mem::take(&mut session.wakers);
        let driver = session.driver.take();
        drop(session);
        wakers.into_iter().chain(driver).for_each(std::task::Waker::wake);
        result
    }

    /// The same by the driver, which need not be woken.
    pub(crate) fn drive<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        let mut session = self.lock();
        let result = act(&mut session);
        let wakers = mem::take(&mut session.wakers);
        drop(session);
        wakers.into_iter().for_each(std::task::Waker::wake);
        result
    }
}
