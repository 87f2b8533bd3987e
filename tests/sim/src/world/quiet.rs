//! The end of a run: after the last fault everything has to become and stay quiet.

use std::collections::BTreeSet;

use everwire_client_core::Status;
use everwire_protocol::ChannelKind;

use super::{
    Event, QUIET_WITHIN, STAYS_QUIET, World,
    client::{session_of, user_of},
    rights::Rights,
    say,
};
use crate::{
    fault::Kind,
    violation::{Rule, Violation, violated},
};

/// How often this is checked, in virtual ms.
const LOOK_EVERY: u64 = 500;
/// A POST that was lost is given up within this time, in virtual ms.
const POST_MS: u64 = 40_000;

impl World {
    /// Checks whether everything is quiet. Returns true at the end of the run.
    pub(super) fn look(&mut self) -> bool {
        let healed_at = self.case.seconds * 1_000;
        // What refuses messages goes on, and they are found among a full outbox by sending them alone.
        let refuses = [Kind::Proxy, Kind::CutMessages, Kind::RefuseBatches];
        let refuses = refuses.iter().any(|kind| self.case.kinds.has(*kind));
        let within = if refuses { 2 * QUIET_WITHIN } else { QUIET_WITHIN };
        if self.rights.as_ref().is_some_and(Rights::is_settled) {
            for client in 0..self.clients.len() {
                if !self.clients[client].refused.is_empty() {
                    self.subscribe_again(client);
                }
            }
        }
        for client in 0..self.clients.len() {
            let c = &self.clients[client];
            if !c.closed && !c.over && self.subscribe_to_own(client) {
                self.carry_out(client);
            }
        }
        self.signal_again();
        match self.unquiet() {
            Ok(()) => {
                let since = *self.quiet_since.get_or_insert(self.now);
                let waits = self.finale.is_none() && self.now < since + POST_MS && self.a_post_is_under_way();
                if self.now >= since + STAYS_QUIET && !waits && self.begin_finale() {
                    self.quiet_since = None;
                } else if !waits && self.now >= since + STAYS_QUIET {
                    let kept = self.check_kept_texts();
                    self.broken(kept);
                    self.stats.slowest_quiet_ms = since - healed_at;
                    say!(self, "END", "quiet since {} ms after the last fault", since - healed_at);
                    return true;
                }
            }
            Err(violation) => {
                self.quiet_since = None;
                let from = self.finale.as_ref().map_or(healed_at, |finale| finale.since);
                if self.now > from + within {
                    self.broken(Err(violation));
                    return true;
                }
            }
        }
        self.after(LOOK_EVERY, Event::Look);
        false
    }

    /// Whether a client waits for the answer to a request that sends. What it asks for would wait behind it.
    fn a_post_is_under_way(&self) -> bool {
        let open =
            self.clients.iter().filter(|client| !client.closed).flat_map(|client| client.requests.values());
        open.into_iter().any(|request| !self.requests[*request].body.contains("\"type\":\"poll\""))
    }

    /// What is not yet in its final state.
    fn unquiet(&mut self) -> Result<(), Violation> {
        for client in 0..self.clients.len() {
            let c = &self.clients[client];
            if c.closed {
                continue;
            }
            if let Some(place) = c.refused.first() {
                return violated(Rule::Quiet, format!("c{client} is refused {}", self.channels[*place]));
            }
            if c.status != Some(Status::Connected) {
                return violated(Rule::Quiet, format!("c{client} is {:?}", c.status));
            }
            if c.waiting > 0 || self.unanswered(client) > 0 {
                return violated(Rule::Quiet, format!("c{client} has {} sends without an answer", c.waiting));
            }
            for watch in c.watches.values() {
                let end = self.store.data().logs.log(&watch.channel);
                let log = self.ledger.open(&watch.channel, &end.epoch);
                let there = watch.place.is_some_and(|p| p.log == log && p.offset == end.head);
                if !there {
                    let what = format!(
                        "c{client} is at {:?} in {}, whose log {log} ends at {}",
                        watch.place, watch.channel, end.head
                    );
                    return violated(Rule::Quiet, what);
                }
            }
        }
        if self.rights.as_ref().is_some_and(|rights| !rights.is_settled()) {
            return violated(Rule::Quiet, "the back end still has calls to make");
        }
        self.chats_are_right()?;
        self.signals_are_heard()?;
        self.ghosts()?;
        self.presence()?;
        self.talk_is_over()
    }

    /// Each client has one connection, and there are no others.
    fn ghosts(&self) -> Result<(), Violation> {
        let clients = self.clients.iter().filter(|client| !client.closed).count();
        let conns: usize = self.nodes.iter().map(|node| node.conns.len()).sum();
        let nodes = self.nodes.iter().filter_map(|process| process.node());
        let sessions: usize = nodes.map(|node| node.sessions.len()).sum();
        // A WebSocket probe is briefly a second connection.
        if sessions == clients && conns == clients {
            return Ok(());
        }
        violated(Rule::Quiet, format!("{clients} clients have {conns} connections and {sessions} sessions"))
    }

    /// The node to which a client is connected: each node lists its own members.
    pub(super) fn node_of(&self, client: usize) -> Option<usize> {
        let session = session_of(client, self.clients[client].page);
        self.nodes
            .iter()
            .position(|process| process.node().is_some_and(|node| node.sessions.user(session).is_some()))
    }

    /// The clients' lists of members are correct.
    fn presence(&self) -> Result<(), Violation> {
        for (client, c) in self.clients.iter().enumerate() {
            for (handle, watch) in &c.watches {
                if watch.channel.kind() != ChannelKind::Presence {
                    continue;
                }
                let node = self.node_of(client);
                let truth: BTreeSet<String> = self
                    .clients
                    .iter()
                    .enumerate()
                    .filter(|(other, there)| {
                        self.node_of(*other) == node
                            && !there.closed
                            // All online users are in this one.
                            && (watch.channel.as_str() == "presence-users"
                                || there.channels.contains_key(&watch.channel))
                    })
                    .map(|(other, _)| user_of(other))
                    .collect();
                let listed: BTreeSet<String> =
                    c.members.get(handle).into_iter().flat_map(|m| m.keys().cloned()).collect();
                if listed != truth {
                    let what =
                        format!("c{client} lists {listed:?} in {}; {truth:?} are there", watch.channel);
                    return violated(Rule::Presence, what);
                }
            }
        }
        Ok(())
    }
}
