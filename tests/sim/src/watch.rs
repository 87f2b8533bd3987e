//! Checks every event of one subscription of one client against the ledger.

use everwire_protocol::{Channel, GapReason, Message};

use crate::{
    ledger::{Ledger, name},
    violation::{Rule, Violation, violated},
};

/// The position of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The log in the ledger.
    pub log: usize,
    /// The last offset that was delivered or declared missing.
    pub offset: u64,
}

/// One subscription, from the application's side.
#[derive(Debug)]
pub struct Watch {
    /// The channel.
    pub channel: Channel,
    /// How many entries before the end were requested.
    pub recent: u64,
    /// The position, once subscribed.
    pub place: Option<Place>,
    /// The last delivered entry.
    pub last: Option<Place>,
    /// A declared gap that was not yet followed by the new position.
    gap: Option<(u64, u64, GapReason)>,
}

impl Watch {
    /// A subscription that was just requested.
    pub fn new(channel: Channel, recent: u64) -> Self {
        Self { channel, recent, place: None, last: None, gap: None }
    }

    /// The core declares a gap.
    pub fn gap(&mut self, from: u64, to: u64, reason: GapReason) -> Result<(), Violation> {
        let Some(place) = self.place else {
            return violated(Rule::Gap, format!("{} has a gap before it began", self.channel));
        };
        if self.gap.replace((from, to, reason)).is_some() || from != place.offset + 1 {
            let (channel, offset) = (&self.channel, place.offset);
            return violated(
                Rule::Gap,
                format!("{channel} stands at {offset}; a gap from {from} is declared"),
            );
        }
        Ok(())
    }

    /// The core reports that it is active.
    pub fn subscribed(
        &mut self,
        ledger: &Ledger,
        (run, offset, head): (&str, u64, u64),
        recovered: bool,
        replay_limit: u64,
    ) -> Result<(), Violation> {
        let channel = &self.channel;
        let Some(log) = ledger.in_run(channel, run) else {
            return violated(Rule::Position, format!("{channel} has no log in run {run}"));
        };
        let truth = &ledger.logs[log];
        let gap = self.gap.take();
        if recovered != gap.is_none() {
            return violated(
                Rule::Gap,
                format!("{channel} is in place, recovered: {recovered}, gap: {gap:?}"),
            );
        }
        let fine = match (self.place, gap) {
            (None, None) => {
                let wanted = head.saturating_sub(self.recent);
                head <= truth.head() && (offset == wanted || (offset > wanted && offset <= truth.trimmed))
            }
            (Some(place), None) => place.offset == offset && ledger.agree(place.log, log, offset),
            (Some(place), Some((_, to, GapReason::Trimmed))) => {
                ledger.agree(place.log, log, place.offset) && offset == to && to <= truth.trimmed
            }
            (Some(place), Some((_, to, GapReason::TooFar))) => {
                let far = to == head && head - place.offset > replay_limit;
                ledger.agree(place.log, log, place.offset) && offset == to && far
            }
            (Some(place), Some((_, to, GapReason::Epoch))) => log != place.log && offset == to && to == head,
            (None, Some(_)) => false,
        };
        if !fine {
            let what = format!(
                "{channel} stood at {:?} and is now at {offset} of log {log} ({} entries, trimmed to {}), gap {gap:?}",
                self.place,
                truth.head(),
                truth.trimmed
            );
            let rule = if gap.is_some() { Rule::Gap } else { Rule::Lost };
            return violated(rule, what);
        }
        self.place = Some(Place { log, offset });
        Ok(())
    }

    /// The log goes on as that of a copy: what was delivered is in it.
    pub fn continued(&mut self, before: usize, now: usize) {
        if let Some(last) = self.last.as_mut().filter(|last| last.log == before) {
            last.log = now;
        }
    }

    /// An entry came that cannot be read.
    pub fn skipped(&mut self, offset: u64) -> Result<(), Violation> {
        self.next(offset).map(drop)
    }

    /// The next entry comes. Returns where it is.
    fn next(&mut self, got: u64) -> Result<Place, Violation> {
        let channel = &self.channel;
        let Some(place) = self.place.as_mut().filter(|_| self.gap.is_none()) else {
            return violated(Rule::Lost, format!("{channel} delivers {got} before it is in place"));
        };
        let expected = place.offset + 1;
        if got < expected {
            return violated(Rule::Duplicated, format!("{channel} delivers {got} again; {expected} is next"));
        }
        if got > expected {
            return violated(Rule::Lost, format!("{channel} delivers {got}; {expected} is missing"));
        }
        place.offset = got;
        Ok(*place)
    }

    /// An entry was delivered.
    pub fn delivered(&mut self, ledger: &Ledger, message: &Message) -> Result<(), Violation> {
        let got = message.offset;
        let place = self.next(got)?;
        let channel = &self.channel;
        let real = ledger.logs[place.log].entries.get(got as usize - 1);
        let says = format!("\"{}\"", name(message.id));
        // What the server itself writes about a chat says something else.
        let own = message.id.get_version_num() != 7;
        // What an entry says instead is checked where it leaves the node.
        let rewritten = message.action.is_some()
            || ledger.logs[place.log].texts.is_rewritten(got)
            || ledger.may_be_erased(message.id);
        let right = own || rewritten || message.data.text().starts_with(&says[..says.len() - 1]);
        if real != Some(&message.id) || !right {
            let real = real.map(|id| name(*id));
            return violated(
                Rule::WrongEntry,
                format!(
                    "{channel} delivers {} ({}) at {got}, where the log has {real:?}",
                    name(message.id),
                    message.data.text().chars().take(20).collect::<String>()
                ),
            );
        }
        self.last = Some(place);
        Ok(())
    }
}
