//! The reconnect policies of other libraries, modelled after the defaults in their sources. Only their WebSocket attempts
//! are modelled.

use super::{ROUND_TRIP_MS, SPREAD_MS, Tries};
use crate::rng::Rng;

/// A library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// socket.io-client 4.8: 1 s doubled up to 5 s, plus or minus up to half before the cap.
    SocketIo,
    /// phoenix 1.8: fixed steps up to 5 s, without any jitter.
    Phoenix,
    /// pusher-js 8.6: 1 s after a loss; a refused WebSocket is retried after its time-out of 15 s,
    /// then 30 s, then 60 s. Without jitter.
    Pusher,
    /// centrifuge 5.8: 500 ms plus a random part of 500 ms doubled up to 20 s, 20 s at most.
    Centrifuge,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SocketIo, Self::Phoenix, Self::Pusher, Self::Centrifuge];

    /// The name of its package.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SocketIo => "socket.io-client",
            Self::Phoenix => "phoenix",
            Self::Pusher => "pusher-js",
            Self::Centrifuge => "centrifuge",
        }
    }

    /// The wait before the n-th attempt, from 0, in ms after the preceding failure.
    fn wait(self, n: u32, rng: &mut Rng) -> u64 {
        match self {
            Self::SocketIo => {
                let base = 1_000_u64 << n.min(20);
                let deviation = rng.between(0, base / 2);
                let wait = if rng.chance(500) { base - deviation } else { base + deviation };
                wait.min(5_000)
            }
            Self::Phoenix => {
                const STEPS: [u64; 9] = [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000];
                STEPS.get(n as usize).copied().unwrap_or(5_000)
            }
            Self::Pusher => match n {
                0 => 1_000,
                1 => 15_000 - ROUND_TRIP_MS,
                2 => 30_000 - ROUND_TRIP_MS,
                _ => 60_000 - ROUND_TRIP_MS,
            },
            Self::Centrifuge => {
                let range = 20_000.min(500_u64 << n.min(20));
                (500 + rng.between(0, range)).min(20_000)
            }
        }
    }
}

pub(super) fn run(peer: Peer, clients: usize, outage_ms: u64, seed: u64) -> Tries {
    let mut tries = Tries::default();
    let mut rng = Rng::new(seed).fork(peer as u64);
    for _ in 0..clients {
        let mut at = rng.between(0, SPREAD_MS);
        for n in 0.. {
            at += peer.wait(n, &mut rng) + ROUND_TRIP_MS / 2;
            tries.connects.push(at);
            let up = at >= outage_ms;
            at += ROUND_TRIP_MS / 2;
            if up {
                tries.back.push(at);
                break;
            }
        }
    }
    tries
}
