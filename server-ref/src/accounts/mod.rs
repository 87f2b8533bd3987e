//! What clients cost, and how much of it they may use: the accounts of users, sessions and addresses. Everything that a client
//! can cause is charged to a key that it cannot choose: the user of its token, or the address of a guest. Nothing here has a
//! clock; callers pass the time.

mod bucket;
pub mod costs;
mod queue_budget;
mod rates;
mod table;

pub use bucket::{Bucket, Level};
pub use queue_budget::{LARGE_QUEUE, QueueBudget};
pub use rates::Rates;
pub(crate) use table::Table;
