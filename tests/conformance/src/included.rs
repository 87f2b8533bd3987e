//! What is contained in the program: dialogues, and the documents of the protocol. build.rs lists the files.

include!(concat!(env!("OUT_DIR"), "/included.rs"));

/// The core of the protocol.
pub(crate) const CORE: &str = include_str!("../../../docs/protocol.md");

/// The golden vectors.
pub(crate) const VECTORS: &str = include_str!("../../../protocol/generated/vectors.json");

/// Which requirements the vectors show.
pub(crate) const VECTOR_COVERS: &str = include_str!("../dialogues/vectors.covers");

/// The requirements of servers that no dialogue can show, with the reasons.
pub(crate) const NOT_COVERED_OF_SERVERS: &str = include_str!("../dialogues/server.not-covered");

/// Those of clients.
pub(crate) const NOT_COVERED_OF_CLIENTS: &str = include_str!("../dialogues/client.not-covered");

/// The text of the protocol: the core and the profiles.
pub(crate) fn documents() -> impl Iterator<Item = &'static str> {
    [CORE].into_iter().chain(PROFILES.iter().map(|(_, text)| *text))
}

/// The dialogues for servers, by name.
pub(crate) fn server_dialogues() -> &'static [(&'static str, &'static str)] {
    SERVER_DIALOGUES
}

/// The dialogues for clients, by name.
pub(crate) fn client_dialogues() -> &'static [(&'static str, &'static str)] {
    CLIENT_DIALOGUES
}
