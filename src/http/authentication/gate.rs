//! Limits password checks: argon2 takes a processor and memory on purpose.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Checks in progress or waiting for one peer.
const MAX_OF_PEER: usize = 40;

/// The same for one name.
const MAX_OF_NAME: usize = 40;

/// The same for all together.
const MAX_OF_ALL: usize = 1000;

/// Admits password checks: few at a time, the peers by turns.
pub(super) struct Gate {
    hashing: Arc<Semaphore>,
    places: Arc<Mutex<Places>>,
}

#[derive(Default)]
struct Places {
    taken: usize,
    peers: HashMap<Option<IpAddr>, Queue>,
    names: HashMap<String, usize>,
}

/// The checks of a peer: only one of them waits for a processor, so that other peers wait for one check of each at most.
struct Queue {
    taken: usize,
    turn: Arc<Semaphore>,
}

/// A place in the queue; dropped, it is free again.
pub(super) struct Place {
    places: Arc<Mutex<Places>>,
    peer: Option<IpAddr>,
    name: String,
    turn: Arc<Semaphore>,
}

/// The right to check one password now; dropped, the next one has it.
pub(super) struct Turn {
    _hashing: Option<OwnedSemaphorePermit>,
    _turn: Option<OwnedSemaphorePermit>,
    _place: Option<Place>,
}

impl Gate {
    /// For as many checks at a time as half of the processors, at least one.
    pub fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { hashing: Arc::new(Semaphore::new((processors / 2).max(1))), places: Arc::default() }
    }

    /// Takes a place for a check. None: the peer, the name, or all together have too many.
    pub fn enter(&self, peer: Option<IpAddr>, name: &str) -> Option<Place> {
        let peer = peer.map(network);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = places.peers.get(&peer).map_or(0, |queue| queue.taken);
        let of_name = places.names.get(name).copied().unwrap_or(0);
        if places.taken >= MAX_OF_ALL || of_peer >= MAX_OF_PEER || of_name >= MAX_OF_NAME {
            return None;
        }
        places.taken += 1;
        *places.names.entry(name.to_owned()).or_default() += 1;
        let queue = places.peers.entry(peer);
        let queue = queue.or_insert_with(|| Queue { taken: 0, turn: Arc::new(Semaphore::new(1)) });
        queue.taken += 1;
        let turn = Arc::clone(&queue.turn);
        Some(Place { places: Arc::clone(&self.places), peer, name: name.to_owned(), turn })
    }

    /// Waits until the check may begin.
    pub async fn turn(&self, place: Place) -> Turn {
        // Semaphores that are never closed always have a permit in the end.
        let turn = Arc::clone(&place.turn).acquire_owned().await.ok();
        let hashing = self.hashing().await;
        Turn { _hashing: hashing, _turn: turn, _place: Some(place) }
    }

    /// The same for a password that an administrator sets.
    pub async fn turn_of_administrator(&self) -> Turn {
        Turn { _hashing: self.hashing().await, _turn: None, _place: None }
    }

    async fn hashing(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.hashing).acquire_owned().await.ok()
    }

    /// The same, blocking this thread.
    pub fn blocking_turn(&self, place: Place) -> Turn {
        block_on(self.turn(place))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let places = &mut *places;
        places.taken = places.taken.saturating_sub(1);
        release(&mut places.names, &self.name, |taken| taken);
        release(&mut places.peers, &self.peer, |queue| &mut queue.taken);
    }
}

fn release<K: Hash + Eq, V>(counted: &mut HashMap<K, V>, key: &K, taken: fn(&mut V) -> &mut usize) {
    let Some(value) = counted.get_mut(key) else { return };
    let count = taken(value);
    *count = count.saturating_sub(1);
    if *count == 0 {
        counted.remove(key);
    }
}

/// The peers that count as one: an address of IPv4, a /64 network of IPv6, which one host can have.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future that needs no runtime on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    fn peer(last: u8) -> Option<IpAddr> {
        Some([10, 0, 0, last].into())
    }

    #[test]
    fn a_peer_and_a_name_have_so_many_places() {
        let gate = Gate::new();
        let names: Vec<String> = (0..MAX_OF_PEER).map(|number| format!("user{number}")).collect();
        let mut taken: Vec<Place> = names.iter().map(|name| gate.enter(peer(1), name).unwrap()).collect();
        assert!(gate.enter(peer(1), "other").is_none());
        assert!(gate.enter(peer(2), "other").is_some());
        taken.pop();
        assert!(gate.enter(peer(1), "other").is_some());
        drop(taken);
        let of_name: Vec<Place> = (0..40).map(|last| gate.enter(peer(last), "anna").unwrap()).collect();
        assert!(gate.enter(peer(200), "anna").is_none());
        drop(of_name);
        let places = gate.places.lock().unwrap();
        assert_eq!((places.taken, places.peers.len(), places.names.len()), (0, 0, 0), "nothing is left");
    }

    #[test]
    fn addresses_of_one_host_are_one_peer() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    /// A peer that fills its queue delays another one by a single check.
    #[test]
    fn peers_take_turns() {
        let gate = Arc::new(Gate { hashing: Arc::new(Semaphore::new(1)), places: Arc::default() });
        let first = gate.blocking_turn(gate.enter(peer(1), "a").unwrap());
        let (sender, order) = channel();
        let mut waiting = Vec::new();
        for (who, count) in [(1, 10), (2, 1)] {
            for _ in 0..count {
                let (gate, sender) = (gate.clone(), sender.clone());
                let place = gate.enter(peer(who), "a").unwrap();
                waiting.push(thread::spawn(move || {
                    let turn = gate.blocking_turn(place);
                    sender.send(who).unwrap();
                    drop(turn);
                }));
            }
            // They wait, in this order.
            thread::sleep(Duration::from_millis(100));
        }
        drop(first);
        waiting.into_iter().for_each(|thread| thread.join().unwrap());
        let order: Vec<_> = order.try_iter().collect();
        let place = order.iter().position(|who| *who == 2).unwrap();
        assert!(place <= 1, "{order:?}");
    }
}
