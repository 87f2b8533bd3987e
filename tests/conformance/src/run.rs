//! Plays many dialogues, several at the same time: each has users, channels and ports of its own.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    dialogue::{Dialogue, Play},
    report::{Outcome, Played},
};

/// How many dialogues are played at the same time.
const AT_ONCE: usize = 16;

/// What is under test.
pub trait Peer: Clone + Send + Sync + 'static {
    /// The steps of the dialogues that it is played with.
    type Step: Play + Send + Sync + 'static;

    /// Plays one dialogue. `unique` is part of all names that others could use as well.
    fn play(&self, dialogue: &Dialogue<Self::Step>, unique: &str) -> impl Future<Output = Played> + Send;
}

/// Plays dialogues, and returns how they ended in the same order.
pub async fn play_all<P: Peer>(peer: &P, dialogues: &[Arc<Dialogue<P::Step>>]) -> Vec<Played> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let run = uuid::Uuid::now_v7().simple().to_string();
    let mut playing = JoinSet::new();
    for (index, dialogue) in dialogues.iter().enumerate() {
        let (peer, dialogue, room) = (peer.clone(), Arc::clone(dialogue), Arc::clone(&room));
        // The end of the id is its random part.
        let unique = format!("c{}{index}", &run[24..]);
        playing.spawn(async move {
            // The semaphore is never closed.
            let _room = room.acquire_owned().await;
            (index, peer.play(&dialogue, &unique).await)
        });
    }
    let mut played = Vec::new();
    while let Some(ended) = playing.join_next().await {
        // A panic is a fault of the tool, and ends it.
        played.push(ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
    }
    played.sort_by_key(|(index, _)| *index);
    played.into_iter().map(|(_, played)| played).collect()
}

/// How a dialogue has ended, with the time that it took.
pub(crate) async fn measured<S>(
    dialogue: &Dialogue<S>,
    outcome: impl Future<Output = Outcome> + Send,
) -> Played {
    let started = Instant::now();
    let outcome = outcome.await;
    let took: Duration = started.elapsed();
    Played { dialogue: dialogue.name.clone(), outcome, took }
}
