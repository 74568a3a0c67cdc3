//! Walks over all messages or all sessions of a dump in time order, a few hours of them in memory at once.

use std::collections::BTreeMap;

use crate::conversation::{self, Cast, Head, Turn, What};
use crate::options::{Shape, SynthOptions};
use crate::rng::{Rng, falls, mix};

/// The newest time of a dump that goes backwards: 2025-11-17T20:00:00Z.
const ANCHOR: i64 = 1_763_409_600_000;
/// Sessions are drawn for so much time at once.
const WINDOW: i64 = 2 * 3_600_000;
/// No session lasts longer.
const LONGEST: i64 = WINDOW;
/// Sessions in each two hours of a day.
const LOAD: [u64; 12] = [8, 5, 4, 6, 20, 60, 90, 100, 95, 80, 50, 25];
/// A copy comes at most so many messages after its original.
const SPREAD: u64 = 15_000;

/// A message as it stands in a body: which, and which state of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) head: Head,
    pub(crate) turn: Turn,
    /// Changed after the fact, with a newer `lmodifiedOn`.
    pub(crate) edited: bool,
    /// Occurrences of one message share a group; most messages occur once and have none.
    pub(crate) group: Option<u64>,
}

/// The parameters of both walks.
#[derive(Clone, Copy, Debug)]
struct Clock {
    cast: Cast,
    load: u64,
    forward: bool,
    anchor: i64,
}

impl Clock {
    fn new(options: &SynthOptions) -> Self {
        let cast = Cast {
            seed: options.seed,
            bots: options.bots,
            users: options.users,
            template_ppm: share(options.template_share),
            all_call: false,
        };
        Self {
            cast: if options.shapes.contains(&Shape::Call) { cast.with_calls() } else { cast },
            load: options.load.into(),
            forward: options.forward,
            anchor: if options.forward { ANCHOR - 60 * 24 * 3_600_000 } else { ANCHOR },
        }
    }

    fn start_of(&self, window: i64) -> i64 {
        if self.forward { self.anchor + window * WINDOW } else { self.anchor - (window + 1) * WINDOW }
    }

    /// Draws the sessions of a window; `each` gets what they share and their turns.
    fn draw(&self, window: i64, turns: &mut Vec<Turn>, mut each: impl FnMut(Head, &[Turn])) {
        let start = self.start_of(window);
        let mut rng = Rng::new(mix(self.cast.seed ^ 0x77, window as u64));
        let load = self.load * LOAD[(start.div_euclid(WINDOW).rem_euclid(12)) as usize];
        for index in 0..load {
            let begins = start + rng.range(0, WINDOW);
            turns.clear();
            let head = conversation::write(turns, self.cast, window as u64 * 128 * self.load + index, begins);
            each(head, turns);
        }
    }
}

/// A share between 0 and 1 in millionths.
pub(crate) fn share(fraction: f64) -> u32 {
    (fraction * 1e6).round() as u32
}

/// Messages that do not mix: what differs between them is not ordered by `lmodifiedOn` alone.
fn family(shape: Shape) -> usize {
    usize::from(shape == Shape::Stream)
}

/// All messages, newest (or oldest) first, with their copies.
#[derive(Debug)]
pub(crate) struct Messages {
    clock: Clock,
    window: i64,
    scratch: Vec<Turn>,
    /// Sorted so that the next one is the last.
    ready: Vec<(i64, Item)>,
    copies: [BTreeMap<(u64, u64), Item>; 2],
    count: u64,
    next_group: u64,
    duplicate_ppm: u32,
    edited_ppm: u32,
}

impl Messages {
    pub(crate) fn new(options: &SynthOptions) -> Self {
        Self {
            clock: Clock::new(options),
            window: 0,
            scratch: Vec::new(),
            ready: Vec::new(),
            copies: [BTreeMap::new(), BTreeMap::new()],
            count: 0,
            next_group: 0,
            duplicate_ppm: share(options.duplicates),
            edited_ppm: share(options.edited_copies),
        }
    }

    /// The next message of a body of this shape.
    pub(crate) fn next(&mut self, shape: Shape) -> Item {
        self.count += 1;
        let copies = &mut self.copies[family(shape)];
        if let Some(entry) = copies.first_entry()
            && entry.key().0 <= self.count
        {
            return entry.remove();
        }
        let mut item = self.original();
        let hash = mix(item.turn.id, 0xc0);
        let duplicate = falls(hash, self.duplicate_ppm);
        // The lite form shows no modification: a changed copy would be an equal one there.
        let edited = shape != Shape::Lite && falls(mix(hash, 1), self.edited_ppm);
        if duplicate || edited {
            self.group(&mut item);
            for (wanted, edited) in [(duplicate, false), (edited, true)] {
                if wanted {
                    let salt = mix(hash, 2 + u64::from(edited));
                    let due = self.count + 1 + salt % (SPREAD >> ((salt >> 60) & 7));
                    let copy = Item { edited, ..item };
                    self.copies[family(shape)].insert((due, salt), copy);
                }
            }
            // An edited copy may come before what it replaces.
            if edited && hash.is_multiple_of(2) {
                item.edited = true;
                let salt = mix(hash, 3);
                let due = self.count + 1 + salt % (SPREAD >> ((salt >> 60) & 7));
                self.copies[family(shape)].insert((due, salt), Item { edited: false, ..item });
            }
        }
        item
    }

    /// Gives the message a group, because it occurs again.
    pub(crate) fn group(&mut self, item: &mut Item) {
        if item.group.is_none() {
            item.group = Some(self.next_group);
            self.next_group += 1;
        }
    }

    fn original(&mut self) -> Item {
        loop {
            // Windows not drawn yet cannot hold anything before this bound (in the order of the walk).
            let bound = if self.clock.forward {
                self.clock.start_of(self.window)
            } else {
                -(self.clock.start_of(self.window) + WINDOW + LONGEST)
            };
            if let Some(&(key, item)) = self.ready.last()
                && key < bound
            {
                self.ready.pop();
                return item;
            }
            let Self { clock, ready, scratch, window, .. } = self;
            clock.draw(*window, scratch, |head, turns| {
                for turn in turns {
                    // Now and then the goodbye of a session that fell asleep sits out of order.
                    let late = turn.what == What::Closing && turn.id.is_multiple_of(8);
                    let at = turn.at - if late { 90_000 } else { 0 };
                    let item = Item { head, turn: *turn, edited: false, group: None };
                    ready.push((if clock.forward { at } else { -at }, item));
                }
            });
            *window += 1;
            ready.sort_unstable_by_key(|&(key, item)| (std::cmp::Reverse(key), item.turn.id));
        }
    }
}

/// All sessions in the order of their windows, with their turns in time order.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    clock: Clock,
    window: i64,
    ready: Vec<(Head, Vec<Turn>)>,
}

impl Sessions {
    pub(crate) fn new(options: &SynthOptions) -> Self {
        Self { clock: Clock::new(options), window: 0, ready: Vec::new() }
    }

    pub(crate) fn next(&mut self) -> (Head, Vec<Turn>) {
        loop {
            if let Some(session) = self.ready.pop() {
                return session;
            }
            let ready = &mut self.ready;
            self.clock.draw(self.window, &mut Vec::new(), |head, turns| ready.push((head, turns.to_vec())));
            ready.sort_unstable_by_key(|(head, _)| (head.started, head.ordinal));
            if self.clock.forward {
                ready.reverse();
            }
            self.window += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The first messages: which session each is of, and its time; none of goodbyes, some of which sit out of order.
    fn first(load: u32, forward: bool) -> Vec<(u64, i64)> {
        let options = SynthOptions { load, forward, ..SynthOptions::default() };
        let mut messages = Messages::new(&options);
        let items = std::iter::repeat_with(|| messages.next(Shape::V2)).take(5000);
        let kept = items.filter(|item| item.turn.what != What::Closing);
        kept.map(|item| (item.head.ordinal, item.turn.at)).collect()
    }

    /// How many messages lie from one of a session to its next, in the middle.
    fn distance(messages: &[(u64, i64)]) -> usize {
        let mut last = BTreeMap::new();
        let places = messages.iter().enumerate();
        let mut distances: Vec<usize> =
            places.filter_map(|(at, &(session, _))| Some(at - last.insert(session, at)?)).collect();
        distances.sort_unstable();
        distances[distances.len() / 2]
    }

    #[test]
    fn sessions_overlap_where_there_is_load() {
        for forward in [false, true] {
            let [quiet, busy] = [1, 100].map(|load| first(load, forward));
            let distances = [&quiet, &busy].map(|messages| distance(messages));
            assert!(distances[1] > 5 * distances[0], "{distances:?}");
            for messages in [quiet, busy] {
                assert!(messages.is_sorted_by_key(|&(_, at)| if forward { at } else { -at }));
            }
        }
    }
}
