//! The second exchange: what sessions know of their users, brought together by user, so that distinct users can be
//! counted exactly.

use std::ops::Range;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use twox_hash::XxHash3_128;

use super::walked::recently;
use crate::aggregate::{Aggregate, Aggregates, Key, USERS};
use crate::codec::{Reader, put_int, put_maybe, put_text, put_uint};
use crate::exchange::{frames, put_frame};
use crate::hash::{hash, short};
use crate::symbols::Names;

/// What one session, or one message without a session, knows of its users.
#[derive(Debug, Default)]
pub(crate) struct UserNotes {
    open: Vec<Note>,
    /// Where the note of a user stands, and which was asked for last.
    places: HashTable<usize>,
    last: usize,
    /// The keys of the groups that open notes name, one behind the other.
    keys: Vec<u8>,
    /// Notes that are done, as frames.
    pub frames: Vec<u8>,
}

/// A group of an aggregate that a user counts in.
#[derive(Debug, Clone)]
struct NotedGroup {
    aggregate: Aggregate,
    hash: u128,
    /// Where its key stands among those of all notes.
    key: Range<usize>,
}

/// What a frame of this exchange is: its kind is none of the first one's.
pub(crate) const NOTE: u8 = 6;
/// Past this many notes of one session, what remembers them is made anew.
const KEPT_NOTES: usize = 64;

/// What is known of one user.
#[derive(Debug)]
struct Note {
    user: String,
    bot: Option<String>,
    /// Messages in sessions, and when.
    messages: i64,
    first: Option<i64>,
    last: Option<i64>,
    days: Vec<i32>,
    groups: Vec<NotedGroup>,
}

impl Note {
    fn is_of(&self, bot: Option<&str>, user: &[u8]) -> bool {
        self.user.as_bytes() == user && self.bot.as_deref() == bot
    }
}

impl UserNotes {
    /// Where the note of a user stands until the session ends, by bytes that are a text.
    pub(crate) fn place(&mut self, bot: Option<&str>, user: &[u8]) -> usize {
        if !self.open.get(self.last).is_some_and(|note| note.is_of(bot, user)) {
            self.last = self.find(bot, std::str::from_utf8(user).unwrap_or_default());
        }
        self.last
    }

    /// Where the note of a user stands, which is made where there was none.
    fn find(&mut self, bot: Option<&str>, user: &str) -> usize {
        let Self { open, places, .. } = self;
        let hash_of = |bot: Option<&str>, user: &str| {
            let [bot, user] = [bot.unwrap_or_default(), user].map(|name| short(name.as_bytes()));
            user ^ bot.rotate_left(1)
        };
        let rehash = |&place: &usize| hash_of(open[place].bot.as_deref(), &open[place].user);
        let is = |&place: &usize| open[place].is_of(bot, user.as_bytes());
        match places.entry(hash_of(bot, user), is, rehash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                let place = open.len();
                vacant.insert(place);
                open.push(Note {
                    user: user.to_owned(),
                    bot: bot.map(str::to_owned),
                    messages: 0,
                    first: None,
                    last: None,
                    days: Vec::new(),
                    groups: Vec::new(),
                });
                place
            }
        }
    }

    /// Notes that a message of the user whose note stands there counts in a group of an aggregate, by its key, whose hash is
    /// given too.
    pub(crate) fn message(&mut self, place: usize, aggregate: Aggregate, hash: u128, key: &[u8]) {
        let start = self.keys.len();
        let groups = &mut self.open[place].groups;
        let is_known = |known: &NotedGroup| known.hash == hash && known.aggregate == aggregate;
        if recently(groups, is_known).is_none() {
            groups.push(NotedGroup { aggregate, hash, key: start..start + key.len() });
            self.keys.extend_from_slice(key);
        }
    }

    /// Notes a message in a session of the user whose note stands there.
    pub(crate) fn visit(&mut self, place: usize, at: Option<i64>, day: Option<i32>) {
        let note = &mut self.open[place];
        note.messages += 1;
        note.first = note.first.into_iter().chain(at).min();
        note.last = note.last.max(at);
        if let Some(day) = day
            && note.days.last() != Some(&day)
        {
            note.days.push(day);
        }
    }

    /// Ends the session.
    pub(crate) fn flush(&mut self) {
        let Self { open, frames, places, keys, .. } = self;
        if places.capacity() > KEPT_NOTES {
            *places = HashTable::new();
        }
        places.clear();
        for mut note in open.drain(..) {
            let id = |group: &NotedGroup| (group.aggregate, group.hash);
            note.groups.sort_unstable_by_key(id);
            note.groups.dedup_by_key(|group| id(group));
            note.days.sort_unstable();
            note.days.dedup();
            put_frame(frames, XxHash3_128::oneshot(note.user.as_bytes()), 0, NOTE, |out| {
                put_text(out, Some(&note.user));
                put_text(out, note.bot.as_deref());
                put_int(out, note.messages);
                put_maybe(out, note.first);
                put_maybe(out, note.last);
                put_uint(out, note.days.len() as u64);
                note.days.iter().for_each(|&day| put_int(out, i64::from(day)));
                for group in &note.groups {
                    out.push(group.aggregate as u8);
                    put_uint(out, group.key.len() as u64);
                    out.extend_from_slice(&keys[group.key.clone()]);
                }
            });
        }
        keys.clear();
    }
}

/// Folds the notes of all users whose notes are in `runs`, and of no others, into the states.
pub(crate) fn fold_users<'b>(runs: impl IntoIterator<Item = &'b [u8]>, states: &mut Aggregates) {
    let names = Names::default();
    let all = runs.into_iter().flat_map(frames);
    let mut notes: Vec<_> = all.map(|(frame, _)| (frame.key, frame.payload)).collect();
    notes.sort_unstable_by_key(|note| note.0);
    let mut key = Key::default();
    let mut days: Vec<(&str, Option<&str>, i64)> = Vec::new();
    let mut groups: Vec<(u8, u128, &[u8])> = Vec::new();
    for of_user in notes.chunk_by(|a, b| a.0 == b.0) {
        days.clear();
        groups.clear();
        for (_, payload) in of_user {
            let mut from = Reader::new(payload, &names);
            let user = from.text().unwrap_or_default();
            let bot = from.text();
            let messages = from.int();
            let (first, last) = (from.maybe(), from.maybe());
            for _ in 0..from.uint().min(payload.len() as u64) {
                days.push((user, bot, from.int()));
            }
            while !from.is_empty() {
                let aggregate = from.byte();
                let len = from.uint();
                let key = from.take(usize::try_from(len).unwrap_or(usize::MAX));
                groups.push((aggregate, hash(key), key));
            }
            if messages == 0 {
                continue;
            }
            let mut group = states.at(Aggregate::Users, key.start().text(bot).text(Some(user)).bytes());
            if let (Some(first), Some(last)) = (first, last) {
                group.least(0, first);
                group.greatest(1, last);
            }
            group.add(2, 1);
            group.add(3, messages);
        }
        days.sort_unstable();
        days.dedup();
        for days in days.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (user, bot, _) = days[0];
            let key = key.start().text(bot).text(Some(user)).bytes();
            states.at(Aggregate::Users, key).add(4, days.len() as i64);
        }
        groups.sort_unstable_by_key(|group| (group.0, group.1));
        groups.dedup_by_key(|group| (group.0, group.1));
        for &(aggregate, hash, key) in &groups {
            let counted = [Aggregate::Volumes, Aggregate::Tags].into_iter();
            if let Some(aggregate) = counted.into_iter().find(|&known| known as u8 == aggregate) {
                let place = states.place_hashed(aggregate, hash, key);
                states.at_place(aggregate, place).add(USERS, 1);
            }
        }
    }
}
