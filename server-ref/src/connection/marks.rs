//! Marks: how far a client's user has received and read a channel.

use everwire_protocol::{ErrorCode, Mark, channels::keeps_receipts};

use super::{
    Connection, Output, ReceivedMark,
    ephemeral::dropped,
    errors::{error, error_saying},
};
use crate::model::identity::{Identity, RateClass};

impl Connection {
    pub(super) fn mark(&mut self, now_ms: u64, frame: Mark, identity: &Identity) {
        let Mark { channel, epoch, delivered, read, run } = frame;
        if !self.access.may_subscribe(identity, &channel) {
            return self.push(dropped("mark", &channel, error(ErrorCode::Forbidden)));
        }
        if !keeps_receipts(&channel) {
            let words = "Nobody keeps receipts for this channel: it is public.";
            return self.push(dropped("mark", &channel, error_saying(ErrorCode::Forbidden, words)));
        }
        if let Err(refused) = self.keep_pace(now_ms, identity, RateClass::Receipt) {
            return self.push(dropped("mark", &channel, *refused));
        }
        let (who, epoch) = (identity.clone(), Some(epoch));
        self.outputs.push_back(Output::Mark(Box::new(ReceivedMark {
            channel,
            who,
            epoch,
            run,
            delivered,
            read,
        })));
    }
}
