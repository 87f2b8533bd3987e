//! Whatever clients say, the server's session does not panic, answers within its bounds, and can be ended.

use std::sync::Arc;

use everwire_fuzz::{Speaker, nearly_a_batch};
use everwire_protocol::{CloseCode, Done, ErrorCode, Uuid};
use everwire_server::{
    auth::Rules,
    connection::{Binding, Connection, Input, Opened, Output, Settings, Transport, decode},
    model::identity::Refusal,
    store::memory::Logs,
};

struct World {
    session: Connection,
    logs: Logs,
    now: u64,
    over: bool,
}

impl World {
    /// Carries out what the session wants; the store fails when `broken`.
    fn drain(&mut self, broken: bool) {
        let mut count = 0;
        while let Some(output) = self.session.poll_output() {
            count += 1;
            assert!(count < 20_000, "outputs without end");
            assert!(!self.over, "{output:?} after the last output");
            let input = match output {
                Output::Bind { .. } => Input::Bound(Binding::Yours),
                Output::Open { key, opening } => {
                    let channel = opening.channel;
                    let log = self.logs.log(&channel);
                    let seen = opening.seen;
                    let diverged =
                        seen.is_some_and(|(offset, run)| !self.logs.has_seen(&channel, offset, &run));
                    let found = if broken {
                        Err(Refusal::of(ErrorCode::Unavailable))
                    } else {
                        Ok(Opened { diverged, ..Opened::bare(log) })
                    };
                    Input::Opened { key, channel, found }
                }
                Output::Request(asked) => {
                    let done = Done { id: asked.request.id(), chat: None };
                    let answer = if broken {
                        Err(Refusal::of(ErrorCode::NotFound))
                    } else {
                        Ok(Box::new(done.into()))
                    };
                    Input::Answer { id: asked.request.id(), answer }
                }
                Output::Read { key, channel, after, bounds, .. } => {
                    let page = (!broken).then(|| self.logs.page(&channel, after, bounds));
                    Input::Page { key, channel, page }
                }
                Output::Append(entries) if broken => {
                    let _ = entries;
                    Input::Appended(None)
                }
                Output::Append(entries) => {
                    let (outcomes, stored) = self.logs.append(self.now, &entries);
                    for entry in stored {
                        self.session.handle(self.now, Input::Entry(entry));
                    }
                    Input::Appended(Some(outcomes))
                }
                Output::Send(frames) => {
                    let bytes: usize = frames.iter().map(|frame| frame.len() + 1).sum();
                    assert!(frames.len() == 1 || bytes <= 256 * 1024, "{bytes} bytes in one batch");
                    Input::Writable
                }
                Output::Close(_) => {
                    self.over = true;
                    continue;
                }
                Output::Leave { .. }
                | Output::ForwardToSession { .. }
                | Output::CheckMembership { .. }
                | Output::Ephemeral(_)
                | Output::Mark(_)
                | Output::Idle { .. }
                | Output::Rename { .. }
                | Output::Bye => continue,
            };
            self.session.handle(self.now, input);
        }
    }
}

#[test]
fn any_client() {
    bolero::check!(name = "any_client").with_type::<(bool, Vec<(u8, Vec<u8>)>)>().for_each(
        |(trims, story)| {
            let settings = Arc::new(Settings::default());
            let access = Arc::new(Rules { dev: true, ..Rules::default() });
            let session =
                Connection::new(0, Transport::WebSocket, Uuid::from_u128(9), settings.clone(), access);
            let logs = Logs::new(1, if *trims { 2 } else { 1_000 });
            let mut world = World { session, logs, now: 0, over: false };
            world.session.handle(0, Input::Writable);
            for (what, bytes) in story {
                match what % 8 {
                    0..=4 => {
                        let batch = decode(&nearly_a_batch(bytes, Speaker::Client), &settings.limits);
                        world.session.handle(world.now, Input::Batch(batch));
                    }
                    5 => {
                        world.now += u64::from(*what) * 500;
                        world.session.handle_timeout(world.now);
                    }
                    6 => world.session.handle(world.now, Input::Overflow),
                    _ => world.session.handle(world.now, Input::End(CloseCode::Replaced)),
                }
                world.drain(what % 5 == 0);
            }
            world.session.handle(world.now, Input::Gone);
            world.drain(false);
            assert!(world.session.is_over() && world.session.poll_timeout().is_none_or(|_| world.over));
        },
    );
}
