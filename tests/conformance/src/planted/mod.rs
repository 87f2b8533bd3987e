//! The test of the tool itself: a proxy before a conforming server makes it deviate in one way at a time, and the dialogue that
//! is about it must fail.

mod deviations;
mod proxy;

use std::{sync::Arc, time::Duration};

pub use deviations::{DEVIATIONS, Deviation, NONE};
pub use proxy::Proxy;

use crate::{
    dialogue::Dialogue,
    error::{Error, Result},
    play::Server,
    play_all,
    report::Outcome,
};

/// How long an expected frame may take: a machine that is too busy for this finds only more.
const PATIENCE: Duration = Duration::from_secs(2);

/// Plants all deviations in a server, one after the other. Returns the names of those that were not found.
pub async fn missed(server: &Server, dialogues: &[Arc<Dialogue>]) -> Result<Vec<&'static str>> {
    let mut missed = Vec::new();
    for deviation in DEVIATIONS {
        let about: Vec<_> =
            dialogues.iter().filter(|dialogue| dialogue.name == deviation.found_by).cloned().collect();
        let proxy = Proxy::start(server.address(), deviation).await?;
        let deviating = server.clone().at(&proxy.address()).with_patience(PATIENCE);
        let played = play_all(&deviating, &about).await;
        if !matches!(played.first().map(|played| &played.outcome), Some(Outcome::Failed { .. })) {
            missed.push(deviation.name);
        }
    }
    Ok(missed)
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Proxy(error.to_string())
}
