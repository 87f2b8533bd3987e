//! Whatever a server, a network and a page do, the client's core does not panic, asks for a finite number of things,
//! and can be closed.

#![expect(clippy::unwrap_used, reason = "text is always JSON")]

use everwire_client_core::{Config, Connection, Input, Now, Output, RequestId, SocketId, Source};
use everwire_fuzz::{Speaker, nearly_a_batch};
use everwire_protocol::{Payload, Uuid};

struct World {
    core: Connection,
    now: Now,
    link: SocketId,
    request: RequestId,
    ids: u128,
}

impl World {
    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.core.poll_output() {
            count += 1;
            assert!(count < 20_000, "outputs without end");
            match output {
                Output::OpenWebSocket(link) => self.link = link,
                Output::Request { request, .. } => self.request = request,
                _ => {}
            }
        }
    }

    fn tell(&mut self, input: Input) {
        self.core.handle(self.now, input);
        self.drain();
    }

    fn step(&mut self, what: u8, amount: u8, text: &str) {
        let (link, request) = (self.link, self.request);
        match what % 20 {
            0..=3 => drop(self.core.receive_text(self.now, Source::WebSocket(link), text)),
            4..=6 => drop(self.core.receive_text(self.now, Source::Response(request), text)),
            7 => self.tell(Input::WebSocketOpened(link)),
            8 => self.tell(Input::WebSocketClosed {
                socket: link,
                code: 1000 + u16::from(amount) * 16,
                reason: String::new(),
            }),
            9 => self.tell(Input::RequestFailed { request, status: 0, reason: "x".into() }),
            10 => self.tell(Input::Token("t".into())),
            11 => self.tell(Input::TokenFailed("x".into())),
            12 => self.tell(
                [Input::Online, Input::Offline, Input::PageHide, Input::PageShow][usize::from(amount) % 4]
                    .clone(),
            ),
            13 => self.tell(Input::Visible(amount.is_multiple_of(2))),
            14 => self.now.wall += u64::from(amount) * 10_000,
            15 => {
                self.ids += 1;
                let data = Payload::from_value(text).unwrap();
                let _ = self.core.send(self.now, Uuid::from_u128(self.ids), "news", None, data);
            }
            16 => {
                if let Ok(handle) = self.core.subscribe(self.now, "news", Some(amount.into()), None)
                    && amount.is_multiple_of(3)
                {
                    self.core.unsubscribe(self.now, handle);
                }
            }
            _ => {
                let wait = self.core.poll_timeout().unwrap_or(1_000).max(1) + u64::from(amount) * 7;
                self.now.mono += wait;
                self.now.wall += wait;
                self.tell(Input::Timeout);
            }
        }
        self.drain();
    }
}

#[test]
fn any_story() {
    bolero::check!(name = "any_story").with_type::<(bool, bool, Vec<(u8, u8, Vec<u8>)>)>().for_each(
        |(token, polling, story)| {
            let config = Config {
                server: String::new(),
                session: Uuid::from_u128(1),
                token: *token,
                constant_token: false,
                guest: None,
                websocket: true,
                polling: *polling,
                share_polls: false,
                client: "fuzz".into(),
                debug: true,
                seed: 3,
                memory: None,
                hidden: false,
                online: true,
            };
            let now = Now { mono: 0, wall: 1_700_000_000_000 };
            let (link, request) = (SocketId(0), RequestId(0));
            let mut world = World { core: Connection::new(config), now, link, request, ids: 0 };
            world.tell(Input::Start);
            for (what, amount, bytes) in story {
                world.step(*what, *amount, &nearly_a_batch(bytes, Speaker::Server));
            }
            let _ = world.core.report();
            world.tell(Input::Close);
            assert_eq!(world.core.poll_timeout(), None, "closed is closed");
        },
    );
}
