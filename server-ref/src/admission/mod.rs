//! Who may open sockets. Each address has a limited number of seats for clients that have not signed in; further sockets wait
//! in a queue. A client that signs in gives its seat back and is counted by its user from then on, because an office or a
//! mobile network shares one address.

mod body;
mod door;
mod peers;
mod range;
mod refused;
mod users;

pub use body::{BodyError, read_body};
pub use door::Seat;
pub use peers::{Admission, AdmissionRules, Peer};
pub use range::AddressRange;
pub use refused::Refused;
