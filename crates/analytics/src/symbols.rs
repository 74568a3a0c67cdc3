//! Names that come again and again, each kept once for all threads. Which number a name gets depends on who was first:
//! numbers never reach an order or a result.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use korpus_core::Text;
use korpus_engine::RecentTexts;

use crate::hash::{hash, short};

const SHARDS: usize = 16;
/// Longer texts are written out.
pub(crate) const LONGEST: usize = 2048;
/// What a name takes besides its bytes, here and in the caches of the workers.
const OVERHEAD: usize = 160;

/// Hashes strings and numbers with the seed of the process.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(23) ^ short(bytes);
    }

    fn write_u8(&mut self, _: u8) {
        // The mark that ends a string.
    }

    fn write_usize(&mut self, _: usize) {
        // The length of a slice, which its bytes tell too.
    }
}

pub(crate) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;

/// A name and its hash, by which it is told from others: for those that come again and again it is found out once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name<'a> {
    text: &'a str,
    hash: u128,
}

impl<'a> Name<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, hash: hash(text.as_bytes()) }
    }

    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    pub(crate) fn hash(self) -> u128 {
        self.hash
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

/// The same, with a text of its own.
#[derive(Debug, Clone)]
pub(crate) struct OwnName {
    text: Box<str>,
    hash: u128,
}

impl OwnName {
    fn new(text: Box<str>) -> Self {
        let hash = hash(text.as_bytes());
        Self { text, hash }
    }

    pub(crate) fn name(&self) -> Name<'_> {
        Name { text: &self.text, hash: self.hash }
    }
}

/// The names of a profile that has a number.
pub(crate) type OwnProfile = [Option<OwnName>; PROFILE];

/// How many names say whose a message is, which way it came and how: bot, channel, language, type and status. The same
/// few sets of them come with all messages, so each set has a number of its own.
pub(crate) const PROFILE: usize = 5;

/// The names of a profile by their numbers.
type Numbers = [Option<u32>; PROFILE];

#[derive(Debug, Default)]
struct Profiles {
    known: FastMap<Numbers, u32>,
    profiles: Vec<Numbers>,
}

#[derive(Debug, Default)]
struct Shard {
    known: FastMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

/// All names of a run.
#[derive(Debug)]
pub(crate) struct Symbols {
    shards: [Mutex<Shard>; SHARDS],
    profiles: Mutex<Profiles>,
    bytes: AtomicUsize,
    budget: usize,
}

impl Symbols {
    /// Keeps names until they take `budget` bytes, in all caches together about twice that.
    pub(crate) fn new(budget: usize) -> Self {
        Self { shards: Default::default(), profiles: Mutex::default(), bytes: AtomicUsize::new(0), budget }
    }

    /// The number of `name`; none where there is no room for one more.
    fn intern(&self, name: &str) -> Option<u32> {
        if name.len() > LONGEST {
            return None;
        }
        let at = (short(name.as_bytes()) >> 60) as usize;
        let mut shard = self.shards[at].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&known) = shard.known.get(name) {
            return Some(known);
        }
        self.take_room(2 * name.len() + OVERHEAD)?;
        let number = (shard.names.len() * SHARDS + at) as u32;
        shard.names.push(name.into());
        shard.known.insert(name.into(), number);
        Some(number)
    }

    /// The number of a profile; none where there is no room for one more.
    fn profile(&self, names: Numbers) -> Option<u32> {
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&known) = profiles.known.get(&names) {
            return Some(known);
        }
        self.take_room(OVERHEAD)?;
        let number = profiles.profiles.len() as u32;
        profiles.profiles.push(names);
        profiles.known.insert(names, number);
        Some(number)
    }

    /// Takes so much of the budget, if that much is left.
    fn take_room(&self, cost: usize) -> Option<()> {
        if self.bytes.load(Ordering::Relaxed) + cost > self.budget {
            return None;
        }
        self.bytes.fetch_add(cost, Ordering::Relaxed);
        Some(())
    }

    /// The names, for reading.
    pub(crate) fn into_names(self) -> Names {
        let names = |shard: Mutex<Shard>| {
            let names = shard.into_inner().unwrap_or_else(PoisonError::into_inner).names;
            names.into_iter().map(OwnName::new).collect()
        };
        let mut names = Names { names: self.shards.map(names), profiles: Vec::new() };
        let profiles = self.profiles.into_inner().unwrap_or_else(PoisonError::into_inner).profiles;
        let own = |number: u32| names.get(number).cloned();
        names.profiles = profiles.into_iter().map(|numbers| numbers.map(|number| own(number?))).collect();
        names
    }
}

/// One worker's memory of what names it met.
#[derive(Debug)]
pub(crate) struct SymbolCache {
    known: FastMap<Box<str>, u32>,
    /// Names that were met last, at a place that their length and a few of their bytes choose: the same few names come with
    /// every message.
    recent: [(String, u32); RECENT],
    profiles: FastMap<Numbers, u32>,
    recent_profiles: RecentTexts<PROFILE>,
}

const RECENT: usize = 128;

impl Default for SymbolCache {
    fn default() -> Self {
        Self {
            known: FastMap::default(),
            recent: std::array::from_fn(|_| Default::default()),
            profiles: FastMap::default(),
            recent_profiles: RecentTexts::default(),
        }
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

    /// The number of the profile of a message.
    pub(crate) fn profile(&mut self, symbols: &Symbols, names: &[Option<Text<'_>>; PROFILE]) -> Option<u32> {
        let recent = self.recent_profiles.get(names);
        if recent.is_some() {
            return recent;
        }
        let mut numbers = [None; PROFILE];
        for (number, name) in numbers.iter_mut().zip(names) {
            if let Some(name) = name {
                *number = Some(self.intern(symbols, &name.lossy())?);
            }
        }
        let number = if let Some(&known) = self.profiles.get(&numbers) {
            known
        } else {
            let number = symbols.profile(numbers)?;
            self.profiles.insert(numbers, number);
            number
        };
        self.recent_profiles.put(names, number);
        Some(number)
    }
}

/// The names by their numbers, and sets of them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: [Vec<OwnName>; SHARDS],
    /// Written out: they are asked for with every event.
    profiles: Vec<OwnProfile>,
}

impl Names {
    /// The name with this number; nothing where there is none.
    pub(crate) fn get(&self, number: u32) -> Option<&OwnName> {
        let number = number as usize;
        self.names[number % SHARDS].get(number / SHARDS)
    }

    /// The names of the profile with this number; none where there is no such profile.
    pub(crate) fn profile(&self, number: u32) -> &OwnProfile {
        static NONE: OwnProfile = [const { None }; PROFILE];
        self.profiles.get(number as usize).unwrap_or(&NONE)
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
                assert_eq!(names.get(*number).map(|name| name.name().text()), Some(format!("n{n}").as_str()));
            }
        }
        assert!(names.get(9999).is_none());
    }

    #[test]
    fn profiles_come_back_and_the_budget_holds() {
        let symbols = Symbols::new(1400);
        let mut cache = SymbolCache::default();
        let jsons = [
            "[\"b\",\"web\",null,\"in\",\"r\"]",
            "[\"bw\",\"eb\",null,\"in\",\"r\"]",
            "[\"b\",\"w\\u0065b\",\"\",\"in\",null]",
        ];
        let texts = |json| {
            let mut texts = [None; PROFILE];
            let elements = korpus_core::Value::parse(json).unwrap().elements();
            texts.iter_mut().zip(elements).for_each(|(text, value)| *text = value.as_text());
            texts
        };
        let numbers = jsons.map(|json| cache.profile(&symbols, &texts(json)));
        assert_eq!(jsons.map(|json| cache.profile(&symbols, &texts(json))), numbers);
        assert_eq!(SymbolCache::default().profile(&symbols, &texts(jsons[0])), numbers[0]);
        assert!(
            numbers[0].is_some() && numbers[1].is_some() && numbers[0] != numbers[1] && numbers[2].is_none()
        );
        let names = symbols.into_names();
        let texts =
            |number| names.profile(number).each_ref().map(|name| name.as_ref().map(|name| &*name.text));
        assert_eq!(numbers[0].map(texts), Some([Some("b"), Some("web"), None, Some("in"), Some("r")]));
        assert_eq!(texts(99), [None; PROFILE]);
    }
}
