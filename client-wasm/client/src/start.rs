//! What every platform begins with: a session with the options of the application.

use std::sync::Arc;

use everwire_client_core::{Config, Connection, Input};

use crate::{
    Options,
    clock::Clock,
    ids::{Ids, seed},
    options::Tokens,
    session::Session,
    shared::Shared,
};

/// `config`: what the platform knows better. `stores`: it can keep messages beyond the page.
pub(crate) fn begin(options: &Options, config: impl FnOnce(Config) -> Config, stores: bool) -> Arc<Shared> {
    let mut ids = Ids::new();
    let config = config(Config {
        server: options.url.clone(),
        session: ids.next(),
        token: !matches!(options.tokens, Tokens::None),
        constant_token: matches!(options.tokens, Tokens::Constant(_)),
        guest: options.guest.clone(),
        websocket: options.websocket,
        polling: options.polling,
        share_polls: false,
        client: concat!("everwire-rust/", env!("CARGO_PKG_VERSION")).into(),
        debug: false,
        seed: seed(),
        memory: None,
        hidden: false,
        online: true,
    });
    let mut session =
        Session::new(Connection::new(config), Clock::start(), ids, options.buffer, stores && options.outbox);
    session.tell(Input::Start);
    Arc::new(Shared::new(session))
}
