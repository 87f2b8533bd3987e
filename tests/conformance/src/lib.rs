//! Plays scripted dialogues against a server of the Everwire protocol, and reports which numbered requirements of
//! docs/protocol.md hold. README.md describes how it is used and how dialogues are written.

pub mod dialogue;
pub mod error;
mod http;
mod inbox;
mod included;
mod invariants;
mod pattern;
pub mod planted;
pub mod play;
pub mod report;
pub mod requirements;
mod scope;
mod step;
pub mod tokens;
pub mod vectors;
mod websocket;

use std::sync::Arc;

use tokio::{sync::Semaphore, task::JoinSet};

use dialogue::Dialogue;
use play::Server;
use report::Played;

/// How many dialogues are played at the same time. They use different users and channels.
const AT_ONCE: usize = 16;

/// All dialogues for servers that the tool contains, those of the golden vectors included.
pub fn all_for_servers() -> error::Result<Vec<Dialogue>> {
    let mut dialogues = dialogue::for_servers()?;
    dialogues.extend(vectors::dialogues()?);
    Ok(dialogues)
}

/// Plays dialogues, several at the same time, and returns how they ended in the same order.
pub async fn play_all(server: &Server, dialogues: &[Arc<Dialogue>]) -> Vec<Played> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let run = uuid::Uuid::now_v7().simple().to_string();
    let mut playing = JoinSet::new();
    for (index, dialogue) in dialogues.iter().enumerate() {
        let (server, dialogue, room) = (server.clone(), Arc::clone(dialogue), Arc::clone(&room));
        // The end of the id is its random part.
        let unique = format!("c{}{index}", &run[24..]);
        playing.spawn(async move {
            // The semaphore is never closed.
            let _room = room.acquire_owned().await;
            (index, server.play(&dialogue, &unique).await)
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
