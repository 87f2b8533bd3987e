//! Implements the faults, and their end.

use everwire_client_core::Input;
use everwire_protocol::Goaway;

use super::{
    Event, ToClient, World,
    client::{Rest, Sent},
    links::{Block, Cutter, Passes, Proxy},
    say,
};
use crate::{
    fault::{Fault, Kind},
    mutants::Mutant,
    rng::Rng,
};

impl World {
    #[expect(clippy::too_many_lines, reason = "a list: one arm for each kind")]
    pub(super) fn fault(&mut self, fault: Fault) {
        let mut rng = Rng::new(fault.rng);
        let client = rng.below(self.clients.len());
        let node = rng.below(self.nodes.len());
        *self.stats.faults.entry(fault.kind.name()).or_default() += 1;
        say!(self, "FAULT", "{} (c{client}, n{node})", fault.kind.name());
        let until = |rng: &mut Rng, least: u64, most: u64| rng.between(least, most);
        let now = self.now;
        match fault.kind {
            Kind::Drop => {
                if let Some(link) = self.live_link(client) {
                    self.reset_link(link, 1006);
                }
            }
            Kind::HalfOpen => {
                for link in self.clients[client].links.values() {
                    self.links[*link].dead = true;
                }
                for request in self.clients[client].requests.values() {
                    self.requests[*request].dead = true;
                }
            }
            Kind::Delay => {
                let path = &mut self.clients[client].path;
                path.slow_by = rng.pick(&[100, 1_000, 4_000]);
                path.slow_until = now + until(&mut rng, 500, 20_000);
            }
            Kind::LoseResponse => {
                self.clients[client].path.loses_until = now + until(&mut rng, 1_000, 40_000);
            }
            Kind::Duplicate => {
                self.clients[client].path.doubles_until = now + until(&mut rng, 1_000, 40_000);
            }
            Kind::BlockWebSocket => {
                let how = rng.pick(&[Block::Refuse, Block::Silent]);
                self.clients[client].path.blocked = Some((how, now + until(&mut rng, 5_000, 60_000)));
                if rng.chance(700)
                    && let Some(link) = self.live_link(client)
                {
                    self.reset_link(link, 1006);
                }
            }
            Kind::KillWebSocket => {
                let after = rng.pick(&[5, 100, 2_000, 8_000]);
                self.clients[client].path.killed = Some((after, now + until(&mut rng, 5_000, 60_000)));
                if let Some(link) = self.live_link(client) {
                    self.reset_link(link, 1006);
                }
            }
            Kind::Crash => {
                let back = until(&mut rng, 10, 15_000);
                self.crash(node, rng.chance(300), back);
            }
            Kind::Wipe => self.wipe(&mut rng),
            Kind::Restore => self.copy_or_restore(&mut rng),
            Kind::Restart => self.restart(node, &mut rng),
            Kind::Trim => {
                let channel = self.channels[rng.below(self.channels.len())].clone();
                let up_to = self.store.data().logs.log(&channel).head.saturating_sub(rng.between(0, 6));
                self.store.data().trim(&channel, up_to);
                say!(self, "store", "{channel} is trimmed to {up_to}");
                self.write_down();
            }
            Kind::StoreFails => {
                let most = rng.pick(&[50, 500, 8_000]);
                self.store.data().fails_until = now + until(&mut rng, 1, most);
            }
            Kind::StoreSlow => {
                let mut data = self.store.data();
                data.slow_by = rng.pick(&[50, 500, 3_000]);
                data.slow_until = now + until(&mut rng, 500, 15_000);
            }
            Kind::Stall => {
                let ms = until(&mut rng, 20, 6_000);
                self.nodes[node].stalled = Some((now + ms, rng.between(0, 1)));
                let boot = self.nodes[node].boot;
                self.after(ms, Event::NodeTimer { node, boot });
            }
            Kind::StoreDoubt => {
                let most = rng.pick(&[50, 500, 8_000]);
                self.store.data().doubt_until = now + until(&mut rng, 1, most);
            }
            Kind::SlowReader => {
                let rate = rng.pick(&[1, 5, 50]);
                self.clients[client].path.reads = Some((rate, now + until(&mut rng, 2_000, 30_000)));
            }
            Kind::Hide => {
                let throttle = rng.pick(&[1_000, 1_000, 60_000]);
                self.clients[client].throttle = throttle;
                self.clients[client].hidden = true;
                self.send_client(client, 0, ToClient::Input(Input::Visible(false)));
                let back = until(&mut rng, 1_000, 90_000);
                self.send_client(client, back, ToClient::Input(Input::Visible(true)));
            }
            Kind::Freeze => self.rest(client, Rest::Frozen, until(&mut rng, 500, 90_000)),
            Kind::Sleep => {
                let ms = until(&mut rng, 1_000, 120_000);
                self.rest(client, Rest::Asleep { since: now }, ms);
                if rng.chance(700) {
                    self.silence(client);
                }
            }
            Kind::PutAway => {
                let c = &self.clients[client];
                if c.rest.is_none() && !c.closed && !c.over {
                    self.tell(client, Input::PageHide);
                    self.rest(client, Rest::PutAway, until(&mut rng, 100, 60_000));
                }
            }
            Kind::Offline => {
                let ms = until(&mut rng, 100, 40_000);
                self.clients[client].path.down_until = now + ms;
                self.silence(client);
                if rng.chance(600) {
                    self.send_client(client, 10, ToClient::Input(Input::Offline));
                    self.send_client(client, ms, ToClient::Input(Input::Online));
                }
            }
            Kind::Clock => {
                // The clock of a sleeping machine is not set: if it were set by exactly the time it slept, no page could
                // detect the sleep.
                let by = rng.between(0, 7_200_000).cast_signed() - 3_600_000;
                if !matches!(self.clients[client].rest, Some(Rest::Asleep { .. })) {
                    self.clients[client].wall += by;
                }
            }
            // Tokens are bad throughout such a run; this requests one sooner.
            Kind::Token => self.clients[client].token_until = now,
            Kind::Permission => {
                for _ in 0..rng.between(1, 3) {
                    self.change_rights(&mut rng);
                }
            }
            Kind::Erasure => self.erase_or_delete(&mut rng),
            Kind::Reload => self.reload(client, &mut rng),
            Kind::Proxy => self.clients[client].path.proxy = Some(Proxy::draw(&mut rng)),
            Kind::Move => self.moves(client, &mut rng),
            Kind::CutMessages => self.clients[client].path.cutter = Some(Cutter::draw(&mut rng)),
            Kind::SpoilEntries => self.spoils = Some(rng.pick(&[2, 7, 50])),
            Kind::RefuseBatches => self.clients[client].path.refuses_batches = true,
        }
    }

    fn live_link(&self, client: usize) -> Option<usize> {
        let link = self.clients[client].links.values().copied().last()?;
        (!self.links[link].cut && !self.links[link].dead).then_some(link)
    }

    /// All open transports of a client go dead silently.
    fn silence(&mut self, client: usize) {
        for link in self.clients[client].links.values() {
            self.links[*link].dead = true;
        }
        for request in self.clients[client].requests.values() {
            self.requests[*request].dead = true;
        }
    }

    /// A client gets into another network. One that may use a single transport stays where that works.
    fn moves(&mut self, client: usize, rng: &mut Rng) {
        // Where few attempts reach a server, refusals of a token do not add up to the end of a page.
        let needs_an_answer = self.clients[client].signs_in_wrongly;
        if !self.manner.websocket || !self.manner.polling || needs_an_answer {
            return;
        }
        let how = rng.pick(&[Block::Refuse, Block::Silent]);
        let passes = match self.clients[client].path.passes {
            None | Some(Passes::WebSockets) => Passes::Requests(how),
            Some(Passes::Requests(_)) => Passes::WebSockets,
        };
        say!(self, format!("c{client}"), "is now where only {passes:?} pass");
        self.clients[client].path.passes = Some(passes);
        self.silence(client);
        if rng.chance(500) {
            // The machine tells the page at once that its requests have failed.
            for request in self.clients[client].requests.values().copied().collect::<Vec<_>>() {
                self.send_client(client, 5, ToClient::Response { request, text: None });
            }
        }
        if rng.chance(300) {
            self.send_client(client, 10, ToClient::Input(Input::Offline));
            self.send_client(client, 500, ToClient::Input(Input::Online));
        }
    }

    /// A page is suspended for a while.
    fn rest(&mut self, client: usize, how: Rest, ms: u64) {
        let c = &mut self.clients[client];
        if c.closed || c.over || c.rest.is_some() {
            return;
        }
        c.rest = Some(how);
        c.rest_turn += 1;
        let turn = c.rest_turn;
        self.after(ms, Event::Wake { client, turn });
    }

    pub(super) fn wakes(&mut self, client: usize, turn: u64) {
        let c = &mut self.clients[client];
        if c.rest_turn != turn {
            return;
        }
        let Some(rest) = c.rest.take() else { return };
        let backlog = std::mem::take(&mut c.backlog);
        say!(self, format!("c{client}"), "wakes from being {rest:?}; {} things wait", backlog.len());
        if let Rest::Asleep { since } = rest {
            self.clients[client].slept += self.now - since;
        }
        // Browsers differ in what runs first: page events, timers, or network events.
        let first = self.clients[client].rng.between(0, 2);
        let told = |world: &mut Self| match rest {
            Rest::Frozen | Rest::PutAway => world.tell(client, Input::PageShow),
            Rest::Asleep { .. } => world.tell(client, Input::Timeout),
        };
        if first == 0 {
            told(self);
        } else if first == 1 && rest != Rest::PutAway {
            self.tell(client, Input::Timeout);
        }
        for what in backlog {
            self.page_gets(client, what);
        }
        if first != 0 {
            told(self);
        }
    }

    /// A node crashes, and restarts after a while.
    fn crash(&mut self, node: usize, silently: bool, back: u64) {
        if !self.nodes[node].up {
            return;
        }
        if self.has(Mutant::LostOnCrash) {
            self.store.data().lose_the_last_commit();
        }
        self.die(node, silently);
        self.after(back, Event::Up { node });
    }

    /// A planned stop is complete.
    pub(super) fn down(&mut self, node: usize, back: u64) {
        self.die(node, false);
        self.after(back, Event::Up { node });
    }

    fn die(&mut self, node: usize, silently: bool) {
        say!(self, format!("n{node}"), "is down");
        let boot = self.nodes[node].boot;
        self.nodes[node].die();
        for link in 0..self.links.len() {
            let on = &mut self.links[link];
            if on.node != node || on.boot != boot || !std::mem::take(&mut on.server_open) {
                continue;
            }
            on.cut = true;
            if silently {
                on.dead = true;
            } else {
                let client = on.client;
                let latency = self.latency(client);
                self.send_client(client, latency, ToClient::Closed { link, code: 1006 });
            }
        }
        for request in 0..self.requests.len() {
            let on = &mut self.requests[request];
            if on.node != node || on.boot != boot || on.dead || !on.arrived {
                continue;
            }
            if silently {
                on.dead = true;
            } else if self.clients[on.client].requests.get(&on.id) == Some(&request) {
                let client = on.client;
                let latency = self.latency(client);
                self.send_client(client, latency, ToClient::Response { request, text: None });
            }
        }
    }

    pub(super) fn up(&mut self, node: usize) {
        if !self.nodes[node].up {
            say!(self, format!("n{node}"), "is up");
            self.start_process(node);
        }
    }

    /// All nodes crash, and their data is lost.
    fn wipe(&mut self, rng: &mut Rng) {
        for node in 0..self.nodes.len() {
            let back = rng.between(10, 5_000);
            self.crash(node, rng.chance(200), back);
        }
        if self.nodes.iter().all(|node| !node.up) {
            self.store.data().wipe();
            self.ledger.wiped();
            self.chats.reset(self.now, std::iter::empty());
            self.rights_are_lost();
        }
    }

    /// Takes a copy of the data; or all nodes crash, and the last copy takes the place of the data.
    fn copy_or_restore(&mut self, rng: &mut Rng) {
        if self.copy.is_none() || rng.chance(400) {
            say!(self, "store", "a copy is taken");
            self.write_down();
            self.copy = Some((self.store.data().copy(), self.ledger.copy()));
            return;
        }
        for node in 0..self.nodes.len() {
            let back = rng.between(10, 5_000);
            self.crash(node, rng.chance(200), back);
        }
        let Some((data, logs)) = self.copy.as_ref().filter(|_| self.nodes.iter().all(|node| !node.up)) else {
            return;
        };
        say!(self, "store", "the copy is restored");
        self.store.data().restore(data);
        for (original, place) in self.ledger.restored(logs) {
            let head = self.ledger.logs[place].head();
            self.copies.push((original, place, head));
            let read: Vec<_> = self.reads.iter().filter(|((log, _), _)| *log == original).collect();
            let read: Vec<_> = read
                .into_iter()
                .map(|((_, user), read)| ((place, user.clone()), (*read).min(head)))
                .collect();
            self.reads.extend(read);
        }
        self.chats.reset(self.now, self.store.data().rooms());
        let channels: Vec<_> = self.ledger.channels().cloned().collect();
        for channel in &channels {
            let up_to = self.store.data().logs.log(channel).trimmed;
            self.ledger.trimmed(channel, up_to);
        }
        self.rights_are_lost();
    }

    /// A planned restart: clients receive goaway, then the node stops.
    fn restart(&mut self, node: usize, rng: &mut Rng) {
        if !self.nodes[node].accepts() {
            return;
        }
        self.nodes[node].stopping = true;
        let goaway = Goaway {
            delay_ms: rng.pick(&[0, 500, 2_000]),
            spread_ms: rng.pick(&[0, 1_000, 5_000]),
            reason: "restart".into(),
        };
        self.goaway(node, &goaway);
        let boot = self.nodes[node].boot;
        self.after(rng.between(500, 6_000), Event::Down { node, boot });
    }

    /// Everything works from now on.
    pub(super) fn heal(&mut self) {
        say!(self, "HEAL", "all faults stop");
        self.healed = true;
        {
            let mut data = self.store.data();
            (data.fails_until, data.slow_until, data.doubt_until) = (0, 0, 0);
        }
        for node in 0..self.nodes.len() {
            if !self.nodes[node].up {
                self.up(node);
            }
        }
        for node in 0..self.nodes.len() {
            self.nodes[node].stalled = None;
            self.pump(node);
        }
        for client in 0..self.clients.len() {
            self.clients[client].path.heal();
            self.clients[client].hidden = false;
            let turn = self.clients[client].rest_turn;
            self.wakes(client, turn);
            if self.clients[client].closed {
                continue;
            }
            self.tell(client, Input::Visible(true));
            self.tell(client, Input::Online);
        }
        self.give_rights_back();
        self.after(0, Event::Look);
    }

    /// The number of a client's unanswered sends.
    pub(super) fn unanswered(&self, client: usize) -> usize {
        self.clients[client].sends.values().filter(|sent| **sent == Sent::Waiting).count()
    }
}
