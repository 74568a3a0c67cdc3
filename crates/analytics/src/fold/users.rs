//! The second exchange: what sessions know of their users, brought together by user, so that distinct users can be
//! counted exactly.

use xxhash_rust::xxh3::xxh3_128;

use crate::aggregate::{Aggregate, Aggregates, Key};
use crate::codec::{Reader, put_int, put_maybe, put_text, put_uint};
use crate::events::session_key;
use crate::exchange::{frames, put_frame};
use crate::symbols::{FastMap, Names};

/// What one session, or one message without a session, knows of its users.
#[derive(Debug, Default)]
pub(crate) struct UserNotes {
    open: Vec<Note>,
    /// Where the note of a user stands, by hash, and which was asked for last.
    places: FastMap<u128, usize>,
    last: usize,
    /// Notes that are done, as frames.
    pub frames: Vec<u8>,
}

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
    /// Groups of aggregates that the user counts in.
    groups: Vec<u128>,
}

impl UserNotes {
    fn note(&mut self, bot: Option<&str>, user: &str) -> &mut Note {
        let is = |note: &Note| note.user == user && note.bot.as_deref() == bot;
        if !self.open.get(self.last).is_some_and(is) {
            let next = self.open.len();
            self.last = *self.places.entry(session_key(b'u', bot, user)).or_insert(next);
            if self.last == next {
                self.open.push(Note {
                    user: user.to_owned(),
                    bot: bot.map(str::to_owned),
                    messages: 0,
                    first: None,
                    last: None,
                    days: Vec::new(),
                    groups: Vec::new(),
                });
            }
        }
        &mut self.open[self.last]
    }

    /// Notes that a message of the user counts in a group.
    pub(crate) fn message(&mut self, bot: Option<&str>, user: &str, group: u128) {
        let groups = &mut self.note(bot, user).groups;
        if groups.last() != Some(&group) {
            groups.push(group);
        }
    }

    /// Notes a message of the user in a session.
    pub(crate) fn visit(&mut self, bot: Option<&str>, user: &str, at: Option<i64>, day: Option<i32>) {
        let note = self.note(bot, user);
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
        let Self { open, frames, places, .. } = self;
        *places = FastMap::default();
        for mut note in open.drain(..) {
            note.groups.sort_unstable();
            note.groups.dedup();
            note.days.sort_unstable();
            note.days.dedup();
            put_frame(frames, xxh3_128(note.user.as_bytes()), 0, 0, |out| {
                put_text(out, Some(&note.user));
                put_text(out, note.bot.as_deref());
                put_int(out, note.messages);
                put_maybe(out, note.first);
                put_maybe(out, note.last);
                put_uint(out, note.days.len() as u64);
                note.days.iter().for_each(|&day| put_int(out, i64::from(day)));
                note.groups.iter().for_each(|group| out.extend_from_slice(&group.to_le_bytes()));
            });
        }
    }
}

/// Folds the notes of all users whose notes are in `bytes`, and of no others, into the states. `counts` takes the hash of a
/// group once for each user that counts in it.
pub(crate) fn fold_users(bytes: &[u8], states: &mut Aggregates, mut counts: impl FnMut(u128)) {
    let names = Names::default();
    let mut notes: Vec<_> = frames(bytes).map(|(frame, _)| (frame.key, frame.payload)).collect();
    notes.sort_unstable_by_key(|note| note.0);
    let mut key = Key::default();
    let mut days: Vec<(&str, Option<&str>, i64)> = Vec::new();
    let mut groups: Vec<u128> = Vec::new();
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
            groups.extend(from.rest().as_chunks::<16>().0.iter().map(|&bytes| u128::from_le_bytes(bytes)));
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
        for (user, bot, _) in &days {
            states.at(Aggregate::Users, key.start().text(*bot).text(Some(user)).bytes()).add(4, 1);
        }
        groups.sort_unstable();
        groups.dedup();
        for &group in &groups {
            counts(group);
        }
    }
}

/// The key under which the distinct users of a group are counted.
pub(crate) fn distinct_key(key: &mut Key, group: u128) -> &[u8] {
    key.start().hash((group >> 64) as u64).hash(group as u64).bytes()
}
