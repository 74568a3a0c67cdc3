//! The second exchange: what sessions know of their users, brought together by user, so that distinct users can be
//! counted exactly.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use korpus_engine::fetch_all;
use twox_hash::XxHash3_128;

use super::KEPT;
use super::walked::recently;
use crate::aggregate::{Aggregate, Aggregates, Part, USERS};
use crate::codec::{Reader, put_fixed, put_int, put_maybe, put_text, put_uint};
use crate::error::{AnalyticsError, Result};
use crate::exchange::{frames, put_frame};
use crate::hash::short;
use crate::symbols::{Name, Names};

/// What one session, or one message without a session, knows of its users.
#[derive(Debug)]
pub(crate) struct UserNotes {
    reach: Reach,
    /// The notes of the session, and behind them what sessions before had, for its memory.
    notes: Vec<Note>,
    open: usize,
    /// Where the note of a user stands, and which was asked for last.
    places: HashTable<usize>,
    last: usize,
    /// Notes that are done, as frames.
    pub frames: Vec<u8>,
}

/// How far notes go. Within the process, keys of groups have their hash before them: it is that of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Process,
    Anywhere,
}

/// A group of an aggregate that a user counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct NotedGroup {
    aggregate: Aggregate,
    /// Where it stands in the states.
    place: usize,
}

/// What a frame of this exchange is: its kind is none of the first one's.
pub(crate) const NOTE: u8 = 7;
/// The aggregates whose groups count users.
const COUNTED: [Aggregate; 2] = [Aggregate::Volumes, Aggregate::Tags];
/// So many groups are fetched at once.
const FETCHED: usize = 32;

/// What is known of one user.
#[derive(Debug, Default)]
struct Note {
    user: String,
    /// What tells the bot from others.
    bot: Option<u128>,
    bot_name: String,
    /// Messages in sessions, and when.
    messages: i64,
    first: Option<i64>,
    last: Option<i64>,
    days: Vec<i32>,
    groups: Vec<NotedGroup>,
}

impl Note {
    fn is_of(&self, bot: Option<u128>, user: &[u8]) -> bool {
        self.bot == bot && self.user.as_bytes() == user
    }

    /// Begins the note of another user, in the same memory.
    fn begin(&mut self, bot: Option<Name<'_>>, user: &str) {
        user.clone_into(&mut self.user);
        bot.map_or("", Name::text).clone_into(&mut self.bot_name);
        self.bot = bot.map(Name::hash);
        (self.messages, self.first, self.last) = (0, None, None);
        self.days.clear();
        self.groups.clear();
    }

    /// Lets go of memory that is more than other users will take.
    fn let_go(&mut self) {
        self.user.shrink_to(KEPT);
        self.bot_name.shrink_to(KEPT);
        self.days.shrink_to(KEPT);
        self.groups.shrink_to(KEPT);
    }
}

impl UserNotes {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, notes: Vec::new(), open: 0, places: HashTable::new(), last: 0, frames: Vec::new() }
    }

    /// Where the note of a user stands until the session ends, by bytes that are a text.
    pub(crate) fn place(&mut self, bot: Option<Name<'_>>, user: &[u8]) -> usize {
        let is_last = |note: &Note| note.is_of(bot.map(Name::hash), user);
        if !self.notes[..self.open].get(self.last).is_some_and(is_last) {
            self.last = self.find(bot, std::str::from_utf8(user).unwrap_or_default());
        }
        self.last
    }

    /// Where the note of a user stands, which is made where there was none.
    fn find(&mut self, bot: Option<Name<'_>>, user: &str) -> usize {
        let Self { notes, open, places, .. } = self;
        let hash_of = |bot: Option<u128>, user: &str| short(user.as_bytes()) ^ bot.unwrap_or_default() as u64;
        let bot_hash = bot.map(Name::hash);
        let rehash = |&place: &usize| hash_of(notes[place].bot, &notes[place].user);
        let is = |&place: &usize| notes[place].is_of(bot_hash, user.as_bytes());
        match places.entry(hash_of(bot_hash, user), is, rehash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                let place = *open;
                vacant.insert(place);
                *open += 1;
                if notes.len() < *open {
                    notes.push(Note::default());
                }
                notes[place].begin(bot, user);
                place
            }
        }
    }

    /// Notes that a message of the user whose note stands there counts in the group that stands at a place of the states.
    pub(crate) fn message(&mut self, note: usize, aggregate: Aggregate, place: usize) {
        let groups = &mut self.notes[note].groups;
        let group = NotedGroup { aggregate, place };
        if recently(groups, |&known| known == group).is_none() {
            groups.push(group);
        }
    }

    /// Notes a message in a session of the user whose note stands there.
    pub(crate) fn visit(&mut self, place: usize, at: Option<i64>, day: Option<i32>) {
        let note = &mut self.notes[place];
        note.messages += 1;
        note.first = note.first.into_iter().chain(at).min();
        note.last = note.last.max(at);
        if let Some(day) = day
            && note.days.last() != Some(&day)
        {
            note.days.push(day);
        }
    }

    /// Ends the session, whose groups are in `states`.
    pub(crate) fn flush(&mut self, states: &Aggregates) {
        let Self { reach, notes, open, frames, places, .. } = self;
        for note in &mut notes[..*open] {
            note.groups.sort_unstable();
            note.groups.dedup();
            note.days.sort_unstable();
            note.days.dedup();
            put_frame(frames, XxHash3_128::oneshot(note.user.as_bytes()), 0, NOTE, |out| {
                put_text(out, Some(&note.user));
                put_text(out, note.bot.map(|_| note.bot_name.as_str()));
                put_int(out, note.messages);
                put_maybe(out, note.first);
                put_maybe(out, note.last);
                put_uint(out, note.days.len() as u64);
                note.days.iter().for_each(|&day| put_int(out, i64::from(day)));
                for group in &note.groups {
                    let groups = states.groups(group.aggregate);
                    let key = groups.key(group.place);
                    out.push(group.aggregate as u8);
                    if *reach == Reach::Process {
                        groups.hash(group.place).iter().for_each(|&half| put_fixed(out, half));
                    }
                    put_uint(out, key.len() as u64);
                    out.extend_from_slice(key);
                }
            });
            note.let_go();
        }
        if *open > KEPT {
            *places = HashTable::new();
        }
        notes.truncate(KEPT);
        *open = 0;
        places.clear();
    }
}

/// Folds the notes of all users whose notes are in `runs`, and of no others, into the states.
///
/// # Errors
/// [`AnalyticsError::State`] for a note that names no group, which none of the process does.
pub(crate) fn fold_users<'b>(
    runs: impl IntoIterator<Item = &'b [u8]>,
    reach: Reach,
    states: &mut Aggregates,
) -> Result<()> {
    let names = Names::default();
    let all = runs.into_iter().inspect(|run| fetch_all(run)).flat_map(frames);
    let mut notes: Vec<_> = all.map(|(frame, _)| (frame.key, frame.payload)).collect();
    notes.sort_unstable_by_key(|note| note.0);
    // Each by the place of its group.
    let mut days: Vec<(usize, i64)> = Vec::new();
    let mut counted = COUNTED.map(|aggregate| (aggregate, Vec::new()));
    let (mut asked, mut places) = (Vec::new(), Vec::new());
    for of_user in notes.chunk_by(|a, b| a.0 == b.0) {
        days.clear();
        for (_, payload) in of_user {
            let mut from = Reader::new(payload, &names);
            let user = Part::Text(from.name().unwrap_or_else(|| Name::new("")));
            let bot = Part::text(from.name());
            let messages = from.int();
            let (first, last) = (from.maybe(), from.maybe());
            let day_count = from.uint().min(payload.len() as u64);
            if messages != 0 || day_count > 0 {
                let place = states.place(Aggregate::Users, &[bot, user]);
                days.extend((0..day_count).map(|_| (place, from.int())));
                let mut group = states.at_place(Aggregate::Users, place);
                if messages != 0 {
                    if let (Some(first), Some(last)) = (first, last) {
                        group.least(0, first);
                        group.greatest(1, last);
                    }
                    group.add(2, 1);
                    group.add(3, messages);
                }
            }
            while !from.is_empty() {
                let aggregate = from.byte();
                let hash = (reach == Reach::Process).then(|| [from.fixed(), from.fixed()]);
                let len = from.uint();
                let key = from.take(usize::try_from(len).unwrap_or(usize::MAX));
                let mut known = counted.iter_mut();
                if let Some((aggregate, keys)) = known.find(|(known, _)| *known as u8 == aggregate) {
                    if reach == Reach::Anywhere && !aggregate.is_key(key) {
                        return Err(AnalyticsError::State("a key that is none of its aggregate"));
                    }
                    keys.push((hash, key));
                }
            }
        }
        days.sort_unstable();
        days.dedup();
        for &(place, _) in &days {
            states.at_place(Aggregate::Users, place).add(4, 1);
        }
        for (aggregate, keys) in &mut counted {
            // They lie anywhere.
            for keys in keys.chunks(FETCHED) {
                asked.clear();
                asked.extend(keys.iter().filter_map(|(hash, _)| *hash));
                states.fetch(*aggregate, &asked);
                places.extend(keys.iter().map(|&(hash, key)| states.place_of_key(*aggregate, hash, key)));
            }
            keys.clear();
            places.sort_unstable();
            places.dedup();
            for place in places.drain(..) {
                states.at_place(*aggregate, place).add(USERS, 1);
            }
        }
    }
    Ok(())
}
