//! Signals: the applications' part, and the rules. A signal leaves a client within 3 s, on the connection that it was made on, or
//! never. It is delivered as it was sent, with its true sender, to those who are subscribed and permitted, not to the connection that
//! sent it, and with `to` to no other connection than that; and to nobody more often than it has reached a node. It may get lost, but
//! not in the end, when nothing is in its way.

use std::collections::{BTreeMap, BTreeSet};

use everwire_client_core::{Handle, Status, Transport};
use everwire_protocol::{
    Channel, ClientFrame, ErrorCode, Payload, ServerFrame, Signal, Signalled, Uuid, batch, channels::chat_of,
};
use everwire_server::connection::BadFrame;

use super::{EPOCH, World, client::user_of, leaving::What, node::Conn, say};
use crate::{
    mutants::Mutant,
    play::Play,
    violation::{Rule, Violation, violated},
};

/// A signal is of no use after this long, in ms.
const USE_MS: u64 = 3_000;
/// Maximum connections that a client remembers, to reply to them.
const KNOWN: usize = 8;
/// The event of all signals.
const EVENT: &str = "cursor";

/// A signal that an application has made.
#[derive(Debug)]
struct Made {
    /// The client's page, and which of its connections was in use.
    page: u32,
    connection: u32,
    channel: Channel,
    data: Payload,
    to: Option<Uuid>,
    /// When it was made: by the client's clock, and in virtual ms.
    mono: u64,
    at: u64,
    /// The core has taken it.
    taken: bool,
    left: bool,
    /// How often it has reached a node, and the step of the run in which it first did.
    arrivals: u32,
    arrived: u64,
}

/// The signals of one client.
#[derive(Debug, Default)]
pub(super) struct Signals {
    made: Vec<Made>,
    /// How often it has received each signal, by client and number.
    heard: BTreeMap<(usize, usize), u32>,
    /// Connections that have signalled.
    known: Vec<Uuid>,
    /// Counts its connections.
    connection: u32,
    transport: Option<Transport>,
    /// For a planted bug: signals that were sent without a connection.
    kept: Vec<String>,
}

impl Signals {
    /// The page is gone.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.kept.clear();
    }
}

/// The client and the number of a signal, as its data says.
fn named(data: &Payload) -> Option<(usize, usize)> {
    let (client, number) = data.text().strip_prefix("\"s")?.trim_end_matches(['"', ' ']).split_once('.')?;
    Some((client.parse().ok()?, number.parse().ok()?))
}

// The applications

impl World {
    /// The application signals, mostly where it is subscribed, sometimes to a connection that has signalled before.
    pub(super) fn play_signals(&mut self, client: usize) {
        let c = &mut self.clients[client];
        if !self.case.plays.has(Play::Signals) || c.closed || c.over || !c.play_rng.chance(400) {
            return;
        }
        for _ in 0..c.play_rng.pick(&[1, 1, 1, 3, 10]) {
            let c = &mut self.clients[client];
            let rng = &mut c.play_rng;
            let subscribed = if rng.chance(100) { 0 } else { c.channels.len() };
            let channel = match subscribed {
                0 => self.channels.get(rng.below(self.channels.len())).cloned(),
                subscribed => c.channels.keys().nth(rng.below(subscribed)).cloned(),
            };
            let to = rng.chance(300).then(|| c.signals.known.get(rng.below(KNOWN)).copied()).flatten();
            let padding = if rng.chance(30) { rng.below(6_000) } else { 0 };
            if let Some(channel) = channel {
                self.signal(client, channel, to, padding);
            }
        }
    }

    fn signal(&mut self, client: usize, channel: Channel, to: Option<Uuid>, padding: usize) {
        let c = &mut self.clients[client];
        let clocks = c.clocks(self.now);
        let text = format!("\"s{client}.{}{}\"", c.signals.made.len(), " ".repeat(padding));
        let Ok(data) = Payload::from_text(text) else { return };
        let frame = Signal { channel: channel.clone(), event: EVENT.to_owned(), data: data.clone(), to };
        let text = batch::encode_frame(&ClientFrame::from(frame));
        let taken = match c.core.send_ephemeral(clocks, text.clone()) {
            Ok(taken) => taken,
            // Too much waits: it would be late.
            Err(ErrorCode::QueueFull) => false,
            Err(code) => {
                let what = format!("c{client} cannot signal: {code:?}");
                return self.broken(violated(Rule::Signals, what));
            }
        };
        say!(
            self,
            format!("c{client}"),
            "signals {} in {channel}, to {to:?}: {taken}",
            self.clients[client].signals.made.len()
        );
        let keeps = self.has(Mutant::SignalKept);
        let c = &mut self.clients[client];
        c.signals.kept.extend((!taken && keeps).then_some(text));
        c.signals.made.push(Made {
            page: c.page,
            connection: c.signals.connection,
            channel,
            data,
            to,
            mono: clocks.mono,
            at: self.now,
            taken,
            left: false,
            arrivals: 0,
            arrived: 0,
        });
    }

    /// A client is connected, perhaps by another transport than before.
    pub(super) fn signals_connected(&mut self, client: usize, before: bool, transport: Option<Transport>) {
        let now = self.now;
        let c = &mut self.clients[client];
        if !before || c.signals.transport != transport {
            c.signals.connection += 1;
        }
        c.signals.transport = transport;
        let clocks = c.clocks(now);
        for text in std::mem::take(&mut c.signals.kept) {
            // The planted bug.
            let _ = c.core.send_ephemeral(clocks, text);
        }
    }

    /// A batch is about to leave a client.
    pub(super) fn signals_leave(&mut self, client: usize, text: &str) {
        if !text.contains("\"signal\"") {
            return;
        }
        let c = &mut self.clients[client];
        let (now, page, connection) = (c.clocks(self.now).mono, c.page, c.signals.connection);
        let connected = c.status == Some(Status::Connected);
        let frames = batch::decode::<ClientFrame>(text, &batch::Bounds::default()).unwrap_or_default();
        for frame in frames.into_iter().flatten() {
            let ClientFrame::Signal(frame) = frame else { continue };
            let number = named(&frame.data).filter(|(by, _)| *by == client).map(|(_, number)| number);
            let Some(made) = number.and_then(|number| c.signals.made.get_mut(number)) else {
                let what = format!("c{client} sends {frame:?}, which it has not made");
                return self.broken(violated(Rule::Signals, what));
            };
            let here = connected && (made.page, made.connection) == (page, connection);
            if !made.taken || made.left || !here || now > made.mono + USE_MS {
                let what =
                    format!("c{client} signals on connection {connection} of page {page} at {now}: {made:?}");
                return self.broken(violated(Rule::Signals, what));
            }
            made.left = true;
        }
    }

    /// A signal arrives at a page.
    pub(super) fn hears_signal(&mut self, client: usize, handle: Option<Handle>, frame: &Signalled) {
        self.stats.signals += 1;
        let Some((by, number)) = named(&frame.data).filter(|(by, _)| *by < self.clients.len()) else {
            let what = format!("c{client} is given {frame:?}, which nobody has sent");
            return self.broken(violated(Rule::Signals, what));
        };
        let watch = handle.and_then(|handle| self.clients[client].watches.get(&handle));
        if watch.map(|watch| &watch.channel) != frame.channel.as_ref() || watch.is_none() {
            let what = format!("c{client} is given {frame:?}, and is not subscribed");
            return self.broken(violated(Rule::AfterUnsubscribe, what));
        }
        let arrivals = self.clients[by].signals.made.get(number).map_or(0, |made| made.arrivals);
        let signals = &mut self.clients[client].signals;
        let times = signals.heard.entry((by, number)).or_default();
        *times += 1;
        if *times > arrivals {
            let what =
                format!("c{client} is given {frame:?} {times} times, which a node had {arrivals} times");
            return self.broken(violated(Rule::Signals, what));
        }
        if let Some(from) = frame.from.filter(|from| !signals.known.contains(from)) {
            signals.known.truncate(KNOWN - 1);
            signals.known.insert(0, from);
        }
        if let (Some(finale), Some(channel)) = (&mut self.finale, &frame.channel) {
            finale.heard.insert((channel.clone(), by, client));
        }
    }
}

// The nodes

impl World {
    /// A node reads frames of a client.
    pub(super) fn signals_arrive(&mut self, frames: &[Result<ClientFrame, BadFrame>]) {
        for frame in frames {
            let Ok(ClientFrame::Signal(frame)) = frame else { continue };
            let Some((by, number)) = named(&frame.data) else { continue };
            let made = self.clients.get_mut(by).and_then(|c| c.signals.made.get_mut(number));
            if let Some(made) = made {
                if made.arrivals == 0 {
                    made.arrived = self.stats.steps;
                }
                made.arrivals += 1;
            }
        }
    }

    /// Frames are about to leave a node.
    pub(super) fn check_signals(&self, conn: &mut Conn, frames: &[ServerFrame]) -> Result<(), Violation> {
        for frame in frames {
            match frame {
                ServerFrame::Subscribed(frame) => {
                    conn.subscribed.insert(frame.channel.clone());
                }
                ServerFrame::Signalled(frame) => self.check_signal(conn, frame)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check_signal(&self, conn: &Conn, frame: &Signalled) -> Result<(), Violation> {
        let made = named(&frame.data)
            .and_then(|(by, number)| Some((by, self.clients.get(by)?.signals.made.get(number)?)));
        let Some((by, made)) = made.filter(|(_, made)| made.arrivals > 0) else {
            return violated(Rule::Signals, format!("{frame:?} leaves, which nobody has sent"));
        };
        let (user, sender) = (user_of(by), (by, made.page));
        let (channel, right) = (&made.channel, Some(&*user));
        let from = frame.from.and_then(|from| self.owners.get(&from));
        let told = (frame.user.as_deref(), frame.name.as_deref(), from);
        let sent = frame.channel.as_ref() == Some(channel) && frame.event == EVENT && frame.data == made.data;
        let now = self.server_ms();
        if !sent || told != (right, right, Some(&sender)) || !(EPOCH + made.at..=now).contains(&frame.at) {
            let what = format!("c{by} has sent {made:?}; what leaves is {frame:?}, from {from:?}");
            return violated(Rule::Signals, what);
        }
        let here = conn.effects.connection;
        let wrong = if conn.owner == sender {
            Some("it is the sender's own")
        } else if made.to.is_some_and(|to| to != here) {
            Some("it is for another one")
        } else if !conn.subscribed.contains(channel) {
            Some("it is not subscribed")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let what = format!("{frame:?} leaves on {here} of {:?}: {wrong}", conn.owner);
            return violated(Rule::Signals, what);
        }
        let what = What::Signal(made.arrived);
        self.chats.may_leave(conn.effects.user().unwrap_or_default(), channel, what)?;
        let forbidden = self.rights.as_ref().and_then(|rights| {
            let silenced = rights.silences(user, (channel, what), now);
            rights.forbids(conn, channel, what, now).or(silenced)
        });
        forbidden.map_or(Ok(()), |why| violated(Rule::Permission, format!("{frame:?} leaves: {why}")))
    }
}

// What has to be true in the end

impl World {
    /// Who has not received a signal of whom in which channel since everything was quiet.
    fn unheard(&self) -> Vec<(Channel, usize, usize)> {
        let Some(finale) = self.finale.as_ref().filter(|_| self.case.plays.has(Play::Signals)) else {
            return Vec::new();
        };
        let open = |client: &usize| !self.clients[*client].closed && !self.clients[*client].over;
        let clients: Vec<_> = (0..self.clients.len()).filter(open).map(|c| (c, self.node_of(c))).collect();
        let mut unheard = Vec::new();
        for (client, node) in &clients {
            for (by, _) in clients.iter().filter(|(by, of)| by != client && of == node && of.is_some()) {
                // Who may write in a chat is another question.
                let channels = self.clients[*client].channels.keys();
                let own =
                    channels.filter(|channel| self.channels.contains(channel) && chat_of(channel).is_none());
                let missing = own.map(|channel| (channel.clone(), *by, *client));
                unheard.extend(missing.filter(|missing| !finale.heard.contains(missing)));
            }
        }
        unheard
    }

    /// Everybody signals, until everybody who is subscribed has received it: one may be lost, while a client changes its transport.
    pub(super) fn signal_again(&mut self) {
        let unheard: BTreeSet<_> = self.unheard().into_iter().map(|(channel, by, _)| (by, channel)).collect();
        for (by, channel) in unheard {
            self.signal(by, channel, None, 0);
            self.carry_out(by);
        }
    }

    /// In the end a signal reaches everybody who is subscribed.
    pub(super) fn signals_are_heard(&self) -> Result<(), Violation> {
        match self.unheard().first() {
            Some((channel, by, client)) => {
                violated(Rule::Signals, format!("c{client} receives no signal of c{by} in {channel}"))
            }
            None => Ok(()),
        }
    }
}
