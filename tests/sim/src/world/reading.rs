//! What nodes send, decoded. A text is read when it leaves a node and by each client that it reaches, and many are the same for all
//! clients: the last ones are remembered, because most of a run's time would go into reading them again.

use std::collections::HashMap;

use everwire_protocol::{
    ServerFrame,
    batch::{self, BatchError, Unreadable},
};

use super::World;

/// How many texts are remembered.
const REMEMBERED: usize = 512;

/// The texts of nodes that were read last.
#[derive(Debug, Default)]
pub(super) struct LastRead(HashMap<String, Frames>);

type Frames = Vec<Result<ServerFrame, Unreadable>>;

impl World {
    /// The frames of a batch of a node. Nodes are not held to bounds here: clients are, by the core.
    pub(super) fn frames_of(&mut self, text: &str) -> Result<Frames, BatchError> {
        let LastRead(last) = &mut self.last_read;
        if let Some(frames) = last.get(text) {
            return Ok(frames.clone());
        }
        let bounds = batch::Bounds { bytes: usize::MAX, frames: usize::MAX, ..batch::Bounds::default() };
        let frames = batch::decode_received::<ServerFrame>(text, &bounds)?;
        if last.len() == REMEMBERED {
            last.clear();
        }
        last.insert(text.to_owned(), frames.clone());
        Ok(frames)
    }
}
