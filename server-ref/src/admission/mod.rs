//! Who may open sockets: addresses of clients that have not signed in have few seats, and wait for one in a queue. A client
//! that has signed in gives its seat back, and counts by its user from then on, because an office or a mobile network shares
//! one address.

mod allowance;
mod door;
mod peers;
mod refused;
mod users;

pub use allowance::Allowance;
pub use door::Seat;
pub use peers::{AddressRange, Admission, AdmissionRules, Peer};
pub use refused::Refused;
