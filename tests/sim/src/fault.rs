//! The kinds of faults, and their schedule in one run. `world/faults.rs` implements them.

use crate::rng::Rng;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name in the corpus and in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }
        }
    };
}

kinds! {
    /// A WebSocket is reset; both ends notice, and data in flight is lost.
    Drop = "drop";
    /// A WebSocket goes dead and neither end notices.
    HalfOpen = "half_open";
    /// Everything takes longer for one client.
    Delay = "delay";
    /// Requests or their responses are lost.
    LoseResponse = "lose_response";
    /// Requests and responses are duplicated, and polls answered with older responses.
    Duplicate = "duplicate";
    /// WebSocket cannot be opened: refused, or without a response.
    BlockWebSocket = "block_websocket";
    /// An intermediary lets WebSockets open and kills them soon after.
    KillWebSocket = "kill_websocket";
    /// A node crashes and restarts with its data.
    Crash = "crash";
    /// All nodes crash and restart without data.
    Wipe = "wipe";
    /// A node is restarted as planned: goaway, drain, down, up.
    Restart = "restart";
    /// Logs lose their oldest entries.
    Trim = "trim";
    /// The store fails to read and write.
    StoreFails = "store_fails";
    /// The store commits, but reports a failure.
    StoreDoubt = "store_doubt";
    /// The store is slow.
    StoreSlow = "store_slow";
    /// Some connections of a node stall for a while, and their mailboxes fill up.
    Stall = "stall";
    /// A client reads slowly.
    SlowReader = "slow_reader";
    /// A page is hidden and its timers are throttled.
    Hide = "hide";
    /// A page is frozen.
    Freeze = "freeze";
    /// A machine sleeps.
    Sleep = "sleep";
    /// A page enters the back/forward cache and returns.
    PutAway = "put_away";
    /// A machine loses its network, with or without an event.
    Offline = "offline";
    /// A wall clock is set.
    Clock = "clock";
    /// Tokens expire soon; the callback fails, is slow, or never answers.
    Token = "token";
    /// A copy of the data is taken; or all nodes crash, and continue with the last copy.
    Restore = "restore";
    /// The back end grants, withdraws, bans, revokes tokens, and changes the members of a chat.
    Permission = "permission";
    /// A page is closed, and the next one has its storage; or the page gives tokens that nobody accepts until it is reloaded.
    Reload = "reload";
    /// A proxy refuses some requests of a client for good: for what they contain, or for their size.
    Proxy = "proxy";
    /// The back end erases users, and deletes messages and chats.
    Erasure = "erasure";
    /// A client gets into a network that passes requests and no WebSockets, or the other way round. It stays in the last one.
    Move = "move";
    /// Something between ends WebSockets because of some messages: for what they contain, or for their size.
    CutMessages = "cut_messages";
    /// The nodes refuse batches of a client as a whole, if one of the messages contains a word.
    RefuseBatches = "refuse_batches";
    /// From then on some entries are stored in a form that no client can read.
    SpoilEntries = "spoil_entries";
}

impl Kind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it is drawn on its own.
    const fn is_drawn_alone(self) -> bool {
        matches!(
            self,
            Self::Restore
                | Self::Permission
                | Self::Reload
                | Self::Proxy
                | Self::Erasure
                | Self::Move
                | Self::CutMessages
                | Self::RefuseBatches
                | Self::SpoilEntries
        )
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The kinds of faults in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds(u32);

impl Kinds {
    /// Each kind with a probability of one half; sometimes none, or all. The later ones are drawn
    /// on their own, so that the others of a seed stay what they were.
    pub fn draw(rng: &mut Rng) -> Self {
        let mut rare = rng.fork(1);
        let rare = |kind: &&Kind| match kind {
            Kind::Restore => rare.chance(500),
            kind => kind.is_drawn_alone() && rare.chance(250),
        };
        let rare = Kind::ALL.iter().filter(rare).fold(Self::default(), |kinds, kind| kinds.with(*kind));
        let usual = Kind::ALL.iter().filter(|kind| !kind.is_drawn_alone());
        let usual = Self::draw_of(usual, rng);
        Self(usual.0 | rare.0)
    }

    fn draw_of<'a>(kinds: impl Iterator<Item = &'a Kind>, rng: &mut Rng) -> Self {
        let bits = rng.word() as u32;
        match rng.between(0, 19) {
            0 => Self::default(),
            1 => kinds.fold(Self::default(), |kinds, kind| kinds.with(*kind)),
            // A few at a time find bugs that need one of them often.
            2..=8 => kinds.filter(|_| rng.chance(150)).fold(Self::default(), |kinds, kind| kinds.with(*kind)),
            _ => kinds
                .filter(|kind| bits & kind.bit() != 0)
                .fold(Self::default(), |kinds, kind| kinds.with(*kind)),
        }
    }

    /// Whether a kind is included.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// With another kind.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// Without one kind.
    #[must_use]
    pub const fn without(self, kind: Kind) -> Self {
        Self(self.0 & !kind.bit())
    }

    /// The kinds one by one.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.has(*kind))
    }
}

/// A fault.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// When, in virtual ms.
    pub at: u64,
    /// The kind of fault.
    pub kind: Kind,
    /// The seed for its target, duration and details.
    pub rng: u64,
}

/// Draws the faults of a run of `ms`. Each kind is drawn independently.
pub fn plan(kinds: Kinds, seed: &Rng, ms: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    for kind in kinds.iter() {
        let mut rng = seed.fork(1_000 + kind as u64);
        let mean = rng.pick(&[4_000, 8_000, 15_000, 30_000, 60_000]);
        let mut at = rng.around(mean);
        while at < ms {
            faults.push(Fault { at, kind, rng: rng.word() });
            at += 200 + rng.around(mean);
        }
    }
    faults.sort_by_key(|fault| fault.at);
    faults
}
