//! Pages of history: applications go through logs page by page, backwards and forwards. Pages join without a hole, hold what was
//! committed, and say rightly whether there is more.

use everwire_protocol::{Channel, ErrorCode, History, HistoryPage, Uuid};

use super::{World, client::user_of, requests::About};
use crate::{
    ledger::{Ledger, is_text_of, name},
    play::Play,
    violation::{Rule, Violation, violated},
};

/// Which part of a log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Latest,
    Before(u64),
    After(u64),
}

/// A page that is asked for.
#[derive(Debug, Clone)]
pub(super) struct AskedPage {
    pub(super) channel: Channel,
    range: Range,
    limit: u32,
    /// The log at that time, its end, and what was trimmed.
    log: Option<(usize, u64, u64)>,
}

/// How an application goes through a log.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    channel: Channel,
    next: Range,
    limit: u32,
}

impl World {
    /// The application reads on in some log, or begins.
    pub(super) fn play_history(&mut self, client: usize) {
        if !self.case.plays.has(Play::History) || self.clients[client].closed {
            return;
        }
        let channels: Vec<Channel> = self.channels.iter().cloned().chain(self.chats.logs()).collect();
        let c = &mut self.clients[client];
        if !c.play_rng.chance(400) {
            return;
        }
        if c.walk.is_none() || c.play_rng.chance(100) {
            let channel = channels[c.play_rng.below(channels.len())].clone();
            let next =
                if c.play_rng.chance(700) { Range::Latest } else { Range::After(c.play_rng.between(0, 20)) };
            let limit = c.play_rng.pick(&[1, 3, 20, 200]);
            c.walk = Some(Walk { channel, next, limit });
        }
        self.next_page_of_history(client);
    }

    /// Asks for the next page, unless one is asked for already.
    fn next_page_of_history(&mut self, client: usize) {
        let asks = &self.clients[client].asks;
        let asked = asks.pending.values().any(|pending| matches!(pending.about, About::Page(_)));
        let Some(Walk { channel, next, limit }) = self.clients[client].walk.clone().filter(|_| !asked) else {
            return;
        };
        let log = self.ledger.current(&channel).map(|log| {
            let now = &self.ledger.logs[log];
            (log, now.head(), now.trimmed)
        });
        let id = self.clients[client].asks.next_id(client);
        let (before, after) = match next {
            Range::Latest => (None, None),
            Range::Before(offset) => (Some(offset), None),
            Range::After(offset) => (None, Some(offset)),
        };
        let request = History { id, channel: channel.clone(), before, after, limit: Some(limit) };
        self.ask(client, id, request, About::Page(AskedPage { channel, range: next, limit, log }));
    }

    /// A page arrives.
    pub(super) fn page_arrives(
        &mut self,
        client: usize,
        asked: &AskedPage,
        page: &HistoryPage,
    ) -> Result<(), Violation> {
        self.stats.history += page.messages.len() as u64;
        let since = asked.log.map_or(0, |(log, ..)| log);
        let logs = self.ledger.logs.iter().enumerate().skip(since);
        let logs = logs.filter(|(_, log)| log.channel == asked.channel && log.epoch == page.epoch);
        let results: Vec<_> = logs.map(|(log, _)| check(&self.ledger, log, asked, page)).collect();
        let empty = page.messages.is_empty() && !page.more && asked.log.is_none();
        if !empty && results.iter().all(Option::is_some) {
            let why = results.into_iter().flatten().last().unwrap_or_else(|| "no such log".into());
            let offsets: Vec<_> = page.messages.iter().map(|message| message.offset).collect();
            let what = format!("c{client} asked for {asked:?}: {offsets:?}, more: {}; {why}", page.more);
            return violated(Rule::History, what);
        }
        let edge = match asked.range {
            Range::Latest | Range::Before(_) => {
                page.messages.first().map(|first| Range::Before(first.offset))
            }
            Range::After(_) => page.messages.last().map(|last| Range::After(last.offset)),
        };
        let c = &mut self.clients[client];
        match (&mut c.walk, edge) {
            (Some(walk), Some(edge)) if page.more && walk.channel == asked.channel => walk.next = edge,
            (walk, _) => *walk = None,
        }
        if self.finale.is_some() {
            self.next_page_of_history(client);
        }
        Ok(())
    }

    /// Whether a page may be refused.
    pub(super) fn page_may_fail(&self, client: usize, asked: &AskedPage, at: u64, code: ErrorCode) -> bool {
        let user = user_of(client);
        let chat = everwire_protocol::channels::chat_of(&asked.channel);
        let out = chat.is_some_and(|chat| self.chats.was_out(chat, &user, at));
        let restricted = self.rights.as_ref().is_some_and(|rights| rights.was_restricted(&user));
        code == ErrorCode::Forbidden && (out || restricted)
    }

    /// In the end one client reads a whole log.
    pub(super) fn read_everything(&mut self) {
        let open = |client: &usize| !self.clients[*client].closed;
        let Some(client) = (0..self.clients.len()).find(open) else { return };
        let channel = self.channels[0].clone();
        self.clients[client].walk = Some(Walk { channel, next: Range::Latest, limit: 200 });
        self.next_page_of_history(client);
        self.carry_out(client);
    }
}

/// What is wrong with a page, if it is one of this log.
fn check(ledger: &Ledger, log: usize, asked: &AskedPage, page: &HistoryPage) -> Option<String> {
    let truth = &ledger.logs[log];
    // As they were when it was asked for, and as they are now.
    let (head, trimmed) = match asked.log {
        Some((same, head, trimmed)) if same == log => (head, trimmed),
        _ => (0, 0),
    };
    let messages = &page.messages;
    let (first, last) = (messages.first().map(|m| m.offset), messages.last().map(|m| m.offset));
    if messages.len() > asked.limit as usize {
        return Some("there are too many".into());
    }
    if messages.windows(2).any(|two| two[0].offset + 1 != two[1].offset) {
        return Some("they do not follow each other".into());
    }
    for message in messages {
        let real = truth.entries.get(message.offset as usize - 1);
        if message.channel != asked.channel || real != Some(&message.id) {
            return Some(format!("the log has {:?} at {}", real.map(|id| name(*id)), message.offset));
        }
        let rewritten = message.action.is_some()
            || truth.texts.is_rewritten(message.offset)
            || ledger.may_be_erased(message.id);
        if !rewritten && !says_who_sent_it(message.id, message.data.text()) {
            return Some(format!("{} says something else: {}", name(message.id), message.data.text()));
        }
    }
    let wrong = match asked.range {
        Range::Latest | Range::Before(_) => {
            let top = if let Range::Before(offset) = asked.range { offset - 1 } else { u64::MAX };
            let due = top.min(head);
            let ends = last.map_or(due <= truth.trimmed, |last| last <= top && last >= due);
            let rest = first.map_or(0, |first| first - 1);
            !ends || (page.more && rest <= trimmed) || (!page.more && rest > truth.trimmed)
        }
        Range::After(offset) => {
            let begins = first.map_or(head <= offset.max(truth.trimmed), |first| {
                first > offset.max(trimmed) && first <= offset.max(truth.trimmed) + 1
            });
            let end = last.unwrap_or(offset);
            !begins
                || (page.more && (last.is_none() || end >= truth.head()))
                || (!page.more && end.max(truth.trimmed) < head)
        }
    };
    wrong.then(|| {
        let (now, gone) = (truth.head(), truth.trimmed);
        format!("log {log} ended at {head} and ends at {now}, was trimmed to {trimmed} and is to {gone}")
    })
}

/// Every message of a client begins with its name.
fn says_who_sent_it(id: Uuid, text: &str) -> bool {
    id.get_version_num() != 7 || is_text_of(id, text)
}
