//! The client behind a socket or a request: its address, directly or through proxies that are trusted, and whether it has
//! signed in.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Arc, Weak},
};

use axum::http::{HeaderMap, header};
use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    door::{Door, Seat},
    range::AddressRange,
    users::{UserDoor, UserDoors},
};
use crate::model::address::{AddressKey, Site, is_private};

/// The header in which proxies name the client.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// How many addresses have a door before those without clients are removed.
const FIRST_SWEEP: usize = 1_024;

/// Maximum addresses with a door. All others share one.
const DOORS: usize = 64 * 1_024;

/// Maximum private addresses that are remembered as proxies.
const PROXIES: usize = 4_096;

/// Whose addresses are counted.
#[derive(Debug, Clone, Default)]
pub struct AdmissionRules {
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressRange>,
    /// Whether clients on this machine are counted like others.
    pub count_loopback: bool,
}

/// The doors of all addresses.
#[derive(Debug)]
pub struct Admission {
    rules: AdmissionRules,
    doors: Mutex<Doors>,
    users: Arc<UserDoors>,
}

#[derive(Debug)]
struct Doors {
    of: BTreeMap<AddressKey, Arc<Door>>,
    /// The doors of sites, for as long as one of their networks has a door.
    sites: BTreeMap<Site, Weak<Door>>,
    sweep_at: usize,
    /// For addresses beyond the maximum.
    rest: Arc<Door>,
    /// Private addresses that forward for others, though they are not trusted.
    proxies: BTreeSet<IpAddr>,
}

/// The client behind a socket or a request.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// What guests are counted by; `None`: it is not counted.
    address: Option<AddressKey>,
    place: Arc<Mutex<Place>>,
    users: Option<Arc<UserDoors>>,
    /// Whether this request has waited for its turn.
    paced: bool,
}

/// Where a client is counted.
#[derive(Debug, Default)]
struct Place {
    /// Among those of its address that have not signed in.
    seat: Option<Seat>,
    user: Option<SignedIn>,
}

/// A user who has signed in.
#[derive(Debug)]
struct SignedIn {
    user: Arc<str>,
    door: Arc<UserDoor>,
    /// Kept for as long as the socket, or the request of one that others use too.
    _socket: Option<OwnedSemaphorePermit>,
}

impl Peer {
    fn seated(address: AddressKey, seat: Seat, users: &Arc<UserDoors>) -> Self {
        let place = Place { seat: Some(seat), user: None };
        let (address, users) = (Some(address), Some(users.clone()));
        Self { address, place: Arc::new(Mutex::new(place)), users, paced: false }
    }

    /// The address that limits are counted by.
    pub fn address(&self) -> Option<AddressKey> {
        self.address
    }

    /// The user, if one has signed in.
    pub fn user(&self) -> Option<Arc<str>> {
        self.place.lock().user.as_ref().map(|signed_in| signed_in.user.clone())
    }

    /// Waits until the request may be answered, if it has not waited yet: for others of its user or, before it has signed in, of
    /// its address.
    pub async fn pace(&mut self) {
        if self.paced {
            return;
        }
        let (seat, user) = {
            let place = self.place.lock();
            (place.seat.as_ref().map(Seat::door), place.user.as_ref().map(|of| of.door.clone()))
        };
        match (seat, user) {
            (Some(door), _) => door.pace().await,
            (None, Some(door)) => door.pace().await,
            (None, None) => return,
        }
        self.paced = true;
    }

    /// The client has signed in: it gives its seat to the next one, unless its user has too many sockets. Guests have not, and
    /// keep theirs.
    pub fn signed_in(&self, user: &Arc<str>) {
        let Some(users) = &self.users else { return };
        let mut place = self.place.lock();
        if place.user.as_ref().is_some_and(|known| known.user == *user && place.seat.is_none()) {
            return;
        }
        let door = users.door(user);
        let socket = if place.seat.is_some() { door.socket() } else { None };
        if socket.is_some() {
            place.seat = None;
        }
        place.user = Some(SignedIn { user: user.clone(), door, _socket: socket });
    }

    /// The client is trusted: it gives its seat to the next one, and is not counted any more.
    pub fn trusted(&self) {
        *self.place.lock() = Place::default();
    }
}

impl Admission {
    /// Empty.
    pub fn new(rules: AdmissionRules) -> Self {
        let doors = Doors {
            of: BTreeMap::new(),
            sites: BTreeMap::new(),
            sweep_at: FIRST_SWEEP,
            rest: Arc::new(Door::new(None)),
            proxies: BTreeSet::new(),
        };
        Self { rules, doors: Mutex::new(doors), users: Arc::default() }
    }

    /// A client that is not counted by its address.
    fn uncounted(&self) -> Peer {
        Peer { users: Some(self.users.clone()), ..Peer::default() }
    }

    /// Waits until a new socket may be served. `None`: it is to be closed.
    pub async fn socket(&self, from: IpAddr) -> Option<Peer> {
        if !self.counts(from) || self.is_trusted(from) || self.doors.lock().proxies.contains(&from) {
            return Some(self.uncounted());
        }
        self.seat(from).await
    }

    /// The client that makes a request, which has waited for its turn as far as it is known whose that is. When it has been
    /// handled, [`Peer::pace`] waits for the rest. `socket` is the peer of the socket. `None`: it is to be refused.
    pub async fn client(&self, from: IpAddr, socket: &Peer, headers: &HeaderMap) -> Option<Peer> {
        if headers.contains_key(FORWARDED_FOR) {
            if self.is_trusted(from) {
                return match self.forwarded_for(headers) {
                    Some(client) if self.counts(client) => self.request_of(client, headers).await,
                    _ => Some(self.uncounted()),
                };
            }
            if is_private(from) && self.counts(from) {
                self.found_proxy(from);
                socket.trusted();
            }
        }
        let mut peer = self.unless_proxy(from, socket);
        peer.pace().await;
        Some(peer)
    }

    /// A request through a trusted proxy. A WebSocket is a new socket of its client. A request that shows credentials is about to
    /// sign in, and waits afterwards: for its user, or for its address if it was not accepted.
    async fn request_of(&self, client: IpAddr, headers: &HeaderMap) -> Option<Peer> {
        let (address, door) = (AddressKey::of(client), self.door(AddressKey::of(client)));
        if headers.contains_key(header::UPGRADE) {
            let mut peer = Peer::seated(address, door.enter().await?, &self.users);
            peer.paced = true;
            return Some(peer);
        }
        let mut peer = Peer::seated(address, door.enter_request().await?, &self.users);
        if !headers.contains_key(header::AUTHORIZATION) {
            peer.pace().await;
        }
        Some(peer)
    }

    /// The client of a socket. One that is not counted by address may be a proxy, with another client for each request.
    fn unless_proxy(&self, from: IpAddr, socket: &Peer) -> Peer {
        let shared = socket.address.is_none() || self.doors.lock().proxies.contains(&from);
        if shared { self.uncounted() } else { socket.clone() }
    }

    async fn seat(&self, client: IpAddr) -> Option<Peer> {
        let address = AddressKey::of(client);
        let door = self.door(address);
        Some(Peer::seated(address, door.enter().await?, &self.users))
    }

    fn door(&self, address: AddressKey) -> Arc<Door> {
        let mut doors = self.doors.lock();
        if let Some(door) = doors.of.get(&address) {
            return door.clone();
        }
        if doors.of.len() >= doors.sweep_at {
            doors.of.retain(|_, door| Arc::strong_count(door) > 1 || !door.is_idle());
            doors.sites.retain(|_, site| site.strong_count() > 0);
            doors.sweep_at = (doors.of.len() * 2).max(FIRST_SWEEP);
        }
        if doors.of.len() >= DOORS {
            return doors.rest.clone();
        }
        let site = address.site().map(|site| {
            let known = doors.sites.get(&site).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let door = Arc::new(Door::of_site());
                doors.sites.insert(site, Arc::downgrade(&door));
                door
            })
        });
        doors.of.entry(address).or_insert_with(|| Arc::new(Door::new(site))).clone()
    }

    /// The last address that no trusted proxy has added: what stands before it was written by the client.
    fn forwarded_for(&self, headers: &HeaderMap) -> Option<IpAddr> {
        // By bytes: what a client has written must not hide what the proxy adds to the same line.
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        for hop in lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
            let address = address_of(std::str::from_utf8(hop).ok()?.trim())?;
            if !self.is_trusted(address) {
                return Some(address);
            }
        }
        None
    }

    fn counts(&self, address: IpAddr) -> bool {
        self.rules.count_loopback || !address.to_canonical().is_loopback()
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.rules.trusted_proxies.iter().any(|range| range.contains(address))
    }

    /// A private address forwards for others: all of them would share its limits.
    fn found_proxy(&self, from: IpAddr) {
        let mut doors = self.doors.lock();
        if doors.proxies.len() < PROXIES && doors.proxies.insert(from) {
            tracing::warn!(
                proxy = %from,
                "requests with X-Forwarded-For from a private address that is not a trusted proxy: limits by address are \
                 off for it; name it with --trusted-proxy to count its clients"
            );
        }
    }
}

/// Reads `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn address_of(text: &str) -> Option<IpAddr> {
    let socket = || text.parse::<std::net::SocketAddr>().map(|socket| socket.ip());
    let bracketed = text.trim_start_matches('[').trim_end_matches(']');
    text.parse().or_else(|_| socket()).or_else(|_| bracketed.parse()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::admission::{
        door::{NETWORKS, SEATS},
        users::SOCKETS,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(hops: &[&str]) -> HeaderMap {
        let header = |hop: &str| HeaderValue::from_bytes(hop.as_bytes()).unwrap();
        let mut headers = HeaderMap::new();
        for hop in hops {
            headers.append(FORWARDED_FOR, header(hop));
        }
        headers
    }

    fn behind(ranges: &[&str]) -> Admission {
        let trusted_proxies = ranges.iter().map(|range| range.parse().unwrap()).collect();
        Admission::new(AdmissionRules { trusted_proxies, count_loopback: false })
    }

    #[tokio::test]
    async fn behind_trusted_proxies_the_client_is_who_the_last_of_them_saw() {
        let admission = behind(&["10.0.0.0/8", "192.0.2.7"]);
        let client = async |hops: &[&str]| {
            let peer = admission.client(ip("10.0.0.1"), &Peer::default(), &forwarded(hops)).await.unwrap();
            peer.address().map(|address| address.to_string())
        };
        assert_eq!(client(&["8.8.8.8"]).await.as_deref(), Some("8.8.8.8"));
        assert_eq!(client(&["1.1.1.1, 8.8.8.8, 192.0.2.7"]).await.as_deref(), Some("8.8.8.8"));
        assert_eq!(client(&["1.1.1.1", "8.8.8.8", "10.9.9.9"]).await.as_deref(), Some("8.8.8.8"));
        assert_eq!(client(&["[2001:db8::1]:4711"]).await.as_deref(), Some("2001:db8::/64"));
        assert_eq!(client(&["8.8.8.8:99"]).await.as_deref(), Some("8.8.8.8"));
        assert_eq!(client(&["::ffff:8.8.8.8, ::ffff:10.9.9.9"]).await.as_deref(), Some("8.8.8.8"));
        // Whatever a client writes before it.
        for written in ["\u{e9}", "unknown", "", "10.0.0.1", "\t", "[", "1.1.1.1:", "\u{1f600},"] {
            let hops = format!("{written}, 8.8.8.8, 10.9.9.9");
            assert_eq!(client(&[&hops]).await.as_deref(), Some("8.8.8.8"), "{written:?}");
            assert_eq!(client(&[written, "8.8.8.8"]).await.as_deref(), Some("8.8.8.8"), "{written:?}");
        }
        // Nothing that could be counted.
        assert_eq!(client(&["8.8.8.8, unknown"]).await, None);
        assert_eq!(client(&["10.1.1.1"]).await, None);
        // A stranger is not believed.
        let stranger = admission.socket(ip("8.8.4.4")).await.unwrap();
        let peer = admission.client(ip("8.8.4.4"), &stranger, &forwarded(&["1.1.1.1"])).await.unwrap();
        assert_eq!(peer.address().map(|address| address.to_string()).as_deref(), Some("8.8.4.4"));
    }

    #[tokio::test]
    async fn a_private_proxy_that_nobody_named_is_not_limited() {
        let admission = behind(&[]);
        let proxy = ip("172.17.0.1");
        let socket = admission.socket(proxy).await.unwrap();
        assert!(socket.address().is_some(), "until it has forwarded something");
        let peer = admission.client(proxy, &socket, &forwarded(&["8.8.8.8"])).await.unwrap();
        assert_eq!(peer.address(), None);
        for _ in 0..10 * SEATS {
            assert_eq!(admission.socket(proxy).await.unwrap().address(), None);
        }
        let later = admission.client(proxy, &socket, &HeaderMap::new()).await.unwrap();
        assert_eq!(later.address(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_signed_in_takes_no_seat_and_loopback_is_exempt() {
        let admission = behind(&[]);
        let mut peers = Vec::new();
        for _ in 0..3 * SEATS {
            let peer = admission.socket(ip("8.8.8.8")).await.unwrap();
            peer.signed_in(&peers.len().to_string().into());
            peers.push(peer);
            peers.push(admission.socket(ip("127.0.0.1")).await.unwrap());
        }
        let strict = Admission::new(AdmissionRules { count_loopback: true, ..AdmissionRules::default() });
        assert!(strict.socket(ip("127.0.0.1")).await.unwrap().address().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_subscriber_with_many_ipv6_networks_has_not_as_many_times_the_seats() {
        let admission = behind(&[]);
        let network = |site: u16, n: u16| IpAddr::from([0x2001, 0xdb8, site, n, 0, 0, 0, 1]);
        let mut peers = Vec::new();
        for n in 0..NETWORKS as u16 * 64 {
            peers.push(admission.socket(network(1, n)).await.unwrap());
        }
        assert_eq!(peers.len(), NETWORKS as usize * SEATS);
        assert!(admission.socket(network(1, 50_000)).await.is_none(), "all seats of the site are taken");
        assert!(admission.socket(network(2, 0)).await.is_some(), "another site has its own");
        peers[0].signed_in(&"ann".into());
        peers.push(admission.socket(network(1, 50_000)).await.unwrap());
        peers.clear();
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        for n in 0..2 * FIRST_SWEEP as u32 {
            admission.door(AddressKey::of(IpAddr::from(n.to_be_bytes())));
        }
        let doors = admission.doors.lock();
        assert!(doors.sites.is_empty() && doors.of.len() <= FIRST_SWEEP, "nobody is there any more");
    }

    #[tokio::test(start_paused = true)]
    async fn one_user_has_so_many_sockets_and_the_others_count_for_their_address() {
        let admission = behind(&[]);
        let mut peers = Vec::new();
        for _ in 0..SOCKETS + SEATS {
            let peer = admission.socket(ip("8.8.8.8")).await.unwrap();
            peer.signed_in(&"ann".into());
            peer.signed_in(&"ann".into());
            peers.push(peer);
        }
        assert!(admission.socket(ip("8.8.8.8")).await.is_none(), "all seats are taken");
        peers.pop();
        assert!(admission.socket(ip("8.8.8.8")).await.is_some());
        assert!(admission.socket(ip("8.8.4.4")).await.is_some(), "another address has its own");
        // A socket on which another user signs in is that user's.
        peers[0].signed_in(&"bob".into());
        assert_eq!(peers[0].user().as_deref(), Some("bob"));
        let one = admission.socket(ip("8.8.4.4")).await.unwrap();
        one.signed_in(&"ann".into());
        assert!(one.place.lock().seat.is_none());
    }

    /// How long some requests take, of a client who signs in with each or who is not accepted.
    async fn took(admission: &Admission, headers: &HeaderMap, count: usize, user: Option<&str>) -> u128 {
        let start = tokio::time::Instant::now();
        let socket = admission.socket(ip("10.0.0.1")).await.unwrap();
        for _ in 0..count {
            let mut peer = admission.client(ip("10.0.0.1"), &socket, headers).await.unwrap();
            if let Some(user) = user {
                peer.signed_in(&user.into());
            }
            peer.pace().await;
        }
        start.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_through_a_proxy_are_paced_whatever_they_show() {
        let shows = |name: header::HeaderName| {
            let mut headers = forwarded(&["8.8.8.8"]);
            headers.insert(name, "x".parse().unwrap());
            headers
        };
        let wrong = shows(header::AUTHORIZATION);
        let admission = || behind(&["10.0.0.0/8"]);
        // 500 at once, and 100 in a second: credentials that are not accepted are none.
        assert!((990..1_100).contains(&took(&admission(), &wrong, 600, None).await));
        // 2,000 at once, and 200 in a second.
        assert!((990..1_100).contains(&took(&admission(), &wrong, 2_200, Some("ann")).await));
        assert_eq!(took(&admission(), &wrong, 600, Some("ann")).await, 0);
        // A WebSocket is a new socket: 50 at once, and 50 in a second.
        assert!((990..1_100).contains(&took(&admission(), &shows(header::UPGRADE), 100, None).await));
        // A proxy that nobody named, and this machine: users count all the same.
        let unnamed = behind(&[]);
        assert!((990..1_100).contains(&took(&unnamed, &wrong, 2_200, Some("ann")).await));
        assert_eq!(took(&unnamed, &wrong, 5_000, None).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_on_the_socket_of_a_user_are_paced_also_without_credentials() {
        let admission = behind(&[]);
        let socket = admission.socket(ip("8.8.8.8")).await.unwrap();
        socket.signed_in(&"ann".into());
        let start = tokio::time::Instant::now();
        for _ in 0..2_200 {
            admission.client(ip("8.8.8.8"), &socket, &HeaderMap::new()).await.unwrap();
        }
        let took = start.elapsed().as_millis();
        assert!((990..1_100).contains(&took), "{took}");
    }

    #[test]
    fn doors_that_nobody_uses_are_forgotten() {
        let admission = behind(&[]);
        for n in 0..10_000_u32 {
            admission.door(AddressKey::of(IpAddr::from(n.to_be_bytes())));
        }
        assert!(admission.doors.lock().of.len() <= FIRST_SWEEP);
    }
}
