//! Who may open sockets. Each address has a limited number of seats for clients that have not signed in; further sockets wait
//! in a queue. A client that signs in gives its seat back and is counted by its user from then on, because an office or a
//! mobile network shares one address.

mod allowance;
mod door;
mod peers;
mod refused;
mod users;

pub use allowance::Allowance;
pub use door::Seat;
pub use peers::{AddressRange, Admission, AdmissionRules, Peer};
pub use refused::Refused;
