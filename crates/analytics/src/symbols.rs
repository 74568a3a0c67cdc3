//! Names that come again and again, each kept once for all threads. Which number a name gets depends on who was first:
//! numbers never reach an order or a result.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

const SHARDS: usize = 16;
/// Longer texts are written out.
const LONGEST: usize = 2048;
/// What a name takes besides its bytes, here and in the caches of the workers.
const OVERHEAD: usize = 160;

/// Hashes strings and keys: what they hold is not under the control of one attacker who also sees timing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(23) ^ xxh3_64(bytes);
    }

    fn write_u8(&mut self, _: u8) {
        // The mark that ends a string.
    }

    fn write_usize(&mut self, _: usize) {
        // The length of a slice, which its bytes tell too.
    }
}

pub(crate) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;

#[derive(Debug, Default)]
struct Shard {
    known: FastMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

/// All names of a run.
#[derive(Debug)]
pub(crate) struct Symbols {
    shards: [Mutex<Shard>; SHARDS],
    bytes: AtomicUsize,
    budget: usize,
}

impl Symbols {
    /// Keeps names until they take `budget` bytes, in all caches together about twice that.
    pub(crate) fn new(budget: usize) -> Self {
        Self { shards: Default::default(), bytes: AtomicUsize::new(0), budget }
    }

    /// The number of `name`; none where there is no room for one more.
    fn intern(&self, name: &str) -> Option<u32> {
        if name.len() > LONGEST {
            return None;
        }
        let at = (xxh3_64(name.as_bytes()) >> 60) as usize;
        let mut shard = self.shards[at].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&known) = shard.known.get(name) {
            return Some(known);
        }
        let cost = 2 * name.len() + OVERHEAD;
        if self.bytes.load(Ordering::Relaxed) + cost > self.budget {
            return None;
        }
        self.bytes.fetch_add(cost, Ordering::Relaxed);
        let number = (shard.names.len() * SHARDS + at) as u32;
        shard.names.push(name.into());
        shard.known.insert(name.into(), number);
        Some(number)
    }

    /// The names, for reading.
    pub(crate) fn into_names(self) -> Names {
        let names = |shard: Mutex<Shard>| shard.into_inner().unwrap_or_else(PoisonError::into_inner).names;
        Names(self.shards.map(names))
    }
}

/// One worker's memory of what names it met.
#[derive(Debug)]
pub(crate) struct SymbolCache {
    known: FastMap<Box<str>, u32>,
    /// Names that were met last, at a place that their length and a few of their bytes choose: the same few names come with
    /// every message.
    recent: [(String, u32); RECENT],
}

const RECENT: usize = 128;

impl Default for SymbolCache {
    fn default() -> Self {
        Self { known: FastMap::default(), recent: std::array::from_fn(|_| Default::default()) }
    }
}

impl SymbolCache {
    pub(crate) fn intern(&mut self, symbols: &Symbols, name: &str) -> Option<u32> {
        let bytes = name.as_bytes();
        let Some((&first, &last)) = bytes.first().zip(bytes.last()) else { return symbols.intern(name) };
        let middle = bytes[bytes.len() / 2];
        let place =
            (usize::from(first) * 7 + usize::from(middle) * 31 + usize::from(last) + bytes.len()) % RECENT;
        let recent = &mut self.recent[place];
        if recent.0 == name {
            return Some(recent.1);
        }
        let number = if let Some(&known) = self.known.get(name) {
            known
        } else {
            let number = symbols.intern(name)?;
            self.known.insert(name.into(), number);
            number
        };
        recent.0.clear();
        recent.0.push_str(name);
        recent.1 = number;
        Some(number)
    }
}

/// The names by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Names([Vec<Box<str>>; SHARDS]);

impl Names {
    /// The name with this number; nothing where there is none.
    pub(crate) fn get(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        self.0[number % SHARDS].get(number / SHARDS).map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_the_budget_holds() {
        let symbols = Symbols::new(40 * (OVERHEAD + 4));
        let mut cache = SymbolCache::default();
        let numbers: Vec<_> = (0..100).map(|n| cache.intern(&symbols, &format!("n{n}"))).collect();
        assert!(numbers.iter().flatten().count() < 50 && numbers.iter().flatten().count() > 30);
        assert_eq!(SymbolCache::default().intern(&symbols, "n3"), numbers[3]);
        assert_eq!(cache.intern(&symbols, &"x".repeat(LONGEST + 1)), None);
        let names = symbols.into_names();
        for (n, number) in numbers.iter().enumerate() {
            if let Some(number) = number {
                assert_eq!(names.get(*number), Some(format!("n{n}").as_str()));
            }
        }
        assert_eq!(names.get(9999), None);
    }
}
