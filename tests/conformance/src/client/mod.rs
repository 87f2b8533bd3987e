//! The other side: the tool plays a server against a client behind an adapter (README.md), by WebSocket and by HTTP.

mod adapter;
mod conduct;
mod form;
mod planted;
mod play;
mod site;
mod socket;
mod step;

use std::{future::Future, time::Duration};

pub use planted::{DEVIATIONS, Deviation, NONE, missed};
pub(crate) use step::ClientStep;

use crate::{
    dialogue::Dialogue,
    report::Played,
    run::{Peer, measured},
};

/// How long what is expected may take, unless the caller or the dialogue says otherwise.
const PATIENCE: Duration = Duration::from_secs(15);

/// The client under test.
#[derive(Clone)]
pub struct Client {
    /// How its adapter is started.
    command: String,
    /// Whether dialogues that take half a minute and more are played.
    slow: bool,
    patience: Duration,
    deviation: &'static Deviation,
}

impl Client {
    /// A client by the command of the shell that starts its adapter.
    pub fn new(command: &str) -> Self {
        Self { command: command.into(), slow: false, patience: PATIENCE, deviation: &NONE }
    }

    /// The same, with time for dialogues that take long.
    #[must_use]
    pub fn with_slow(self, slow: bool) -> Self {
        Self { slow, ..self }
    }

    /// The same, with another limit for the time that anything expected may take.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same as if it deviated from the protocol.
    #[must_use]
    pub fn deviating(self, deviation: &'static Deviation) -> Self {
        Self { deviation, ..self }
    }
}

impl Peer for Client {
    type Step = ClientStep;

    fn play(&self, dialogue: &Dialogue<ClientStep>, unique: &str) -> impl Future<Output = Played> + Send {
        measured(dialogue, play::outcome(self, dialogue, unique.to_owned()))
    }
}
