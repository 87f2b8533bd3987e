//! What applications do besides sending and subscribing, in some of the runs: each in a fourth of the seeds, and in the lines that
//! name it.

use crate::rng::Rng;

/// Something that applications do in some runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// Chats are created, joined and left, and users invited and removed, by requests of clients.
    Chats,
    /// Logs are read page by page.
    History,
    /// Messages are edited, deleted and answered.
    Edits,
    /// Signals are sent, to channels and to single connections.
    Signals,
}

impl Play {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Chats, Self::History, Self::Edits, Self::Signals];

    /// Its name in the corpus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chats => "chats",
            Self::History => "history",
            Self::Edits => "edits",
            Self::Signals => "signals",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|play| play.name() == name)
    }

    /// Whether it needs a server of one node: nodes do not tell each other of chats, edits and erasures yet. Nor of signals, but
    /// those may get lost.
    pub const fn needs_one_node(self) -> bool {
        match self {
            Self::Chats | Self::Edits => true,
            Self::History | Self::Signals => false,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What applications do in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plays(u8);

impl Plays {
    /// Each with a probability of a fourth.
    pub fn draw(rng: &mut Rng) -> Self {
        let drawn = |plays: Self, play: &Play| if rng.chance(250) { plays.with(*play) } else { plays };
        Play::ALL.iter().fold(Self::default(), drawn)
    }

    /// Whether one is included.
    pub const fn has(self, play: Play) -> bool {
        self.0 & play.bit() != 0
    }

    /// With another one.
    #[must_use]
    pub const fn with(self, play: Play) -> Self {
        Self(self.0 | play.bit())
    }

    /// Without one.
    #[must_use]
    pub const fn without(self, play: Play) -> Self {
        Self(self.0 & !play.bit())
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Play> {
        Play::ALL.iter().copied().filter(move |play| self.has(*play))
    }
}
