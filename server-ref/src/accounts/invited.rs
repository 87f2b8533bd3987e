//! How often one user invites another. Open invitations of a user are bounded, whoever they are from; without this, one other user
//! could use up all of them, so that nobody else can invite the user any more.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Bucket, Level, table::Table};

/// What one invitation costs: one comes back in six minutes.
const INVITATION: u32 = 360;

/// 50 at once, and then ten per hour.
const OF_ONE_USER: Bucket = Bucket { per_second: 1, burst: 50 * INVITATION };

/// Who invites, and who is invited.
type Pair = (Arc<str>, Arc<str>);

/// The invitations of each pair of users.
#[derive(Debug, Default)]
pub struct Invited(Mutex<Table<Pair, Level>>);

impl Invited {
    /// Counts an invitation of `user` by another user. The error is how long to wait, in ms, and it is not counted.
    pub fn take(&self, by: &Arc<str>, user: &str, now_ms: u64) -> Result<(), u32> {
        let idle = |level: &Level| level.is_full(now_ms, OF_ONE_USER);
        let pair = (by.clone(), user.into());
        self.0.lock().of(now_ms, pair, idle).take(now_ms, OF_ONE_USER, INVITATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX_MINUTES: u64 = 360_000;

    #[test]
    fn one_user_invites_another_fifty_times_and_then_ten_times_an_hour() {
        let invited = Invited::default();
        let count = |by: &str, user: &str, at| {
            let by = by.into();
            (0..100).filter(|_| invited.take(&by, user, at).is_ok()).count()
        };
        assert_eq!([count("eve", "ann", 0), count("eve", "bob", 0), count("dan", "ann", 0)], [50; 3]);
        assert_eq!(invited.take(&"eve".into(), "ann", 0), Err(SIX_MINUTES as u32));
        assert_eq!([count("eve", "ann", SIX_MINUTES), count("eve", "ann", 50 * SIX_MINUTES)], [1, 49]);
    }
}
