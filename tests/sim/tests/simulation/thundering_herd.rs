//! Promise 7: ten thousand clients reconnect without overloading the server.

use everwire_sim::thundering_herd::{BLIP_MS, MOST_CONNECTS, OUTAGE_MS, Peer, everwire, peer};

#[test]
fn promise_7_after_an_outage_of_60_s() {
    let figures = everwire(OUTAGE_MS, 1);
    // WebSockets and the first polls of refused clients together.
    assert!(figures.most_connects_per_100_ms <= MOST_CONNECTS, "{figures:?}");
    assert!(figures.p50_ms <= 6_000, "{figures:?}");
    assert!(figures.p95_ms <= 16_000, "{figures:?}");
}

#[test]
fn promise_7_after_a_blip() {
    let figures = everwire(BLIP_MS, 1);
    assert!(figures.p95_ms <= 1_000, "{figures:?}");
}

#[test]
fn policies_without_a_wide_jitter_crowd_more() {
    // Not centrifuge, whose jitter is as wide as Everwire's.
    for other in [Peer::SocketIo, Peer::Phoenix, Peer::Pusher] {
        let figures = peer(other, OUTAGE_MS, 1);
        assert!(figures.most_connects_per_100_ms > MOST_CONNECTS, "{figures:?}");
    }
}
