//! In how many places things are, each with the first; bounded, because hostile inputs have no end of things.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use korpus_core::{Message, Value};
use korpus_engine::{InputInfo, Ledger};
use serde_json::{Value as Json, json};

use crate::show::{Grid, heading, thousands};

/// Things that are told apart.
const MOST: usize = 500;
/// Things of one group that are told apart.
const MOST_OF_GROUP: usize = 200;

/// Which input of a run, and which member of it where it is an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct InputKey {
    index: usize,
    member: Option<u64>,
}

impl InputKey {
    pub(crate) fn of(input: &InputInfo) -> Self {
        Self { index: input.index, member: input.member }
    }

    /// Its name.
    pub(crate) fn name(self, ledger: &Ledger) -> String {
        ledger.find(self.index, self.member).map_or_else(String::new, |report| report.input.display.clone())
    }
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub input: InputKey,
    pub page: u64,
    /// The message or record of the page.
    pub index: u64,
    pub is_record: bool,
    /// Where in the decoded body the text of the message begins that it stands in.
    pub text_at: Option<u64>,
    /// Where in that text, its escapes decoded.
    pub text_offset: Option<u64>,
}

impl Place {
    pub(crate) fn new(input: InputKey, page: u64, index: u64) -> Self {
        Self { input, page, index, is_record: false, text_at: None, text_offset: None }
    }

    pub(crate) fn of_record(input: InputKey, page: u64, index: u64) -> Self {
        Self { is_record: true, ..Self::new(input, page, index) }
    }

    /// The same place, in a text of the message.
    pub(crate) fn of_text(self, message: Message<'_>, text: Value<'_>) -> Self {
        let position = message.position_of(text.raw());
        Self { text_at: position.map(|position| position.byte_offset), ..self }
    }

    fn describe(self, name_of: &dyn Fn(InputKey) -> String) -> String {
        let what = if self.is_record { "record" } else { "message" };
        let offset = match (self.text_offset, self.text_at) {
            (Some(offset), Some(at)) => format!(", byte {offset} of the text at byte {at} of the body"),
            (Some(offset), None) => format!(", byte {offset} of the text"),
            _ => String::new(),
        };
        format!("{}, page {}, {what} {}{offset}", name_of(self.input), self.page, self.index)
    }

    /// Whether it is the same message or record.
    fn is_in_one_with(self, other: Self) -> bool {
        let message = |place: Self| Self { text_at: None, text_offset: None, ..place };
        message(self) == message(other)
    }

    fn to_json(self, name_of: &dyn Fn(InputKey) -> String) -> Json {
        let mut place = json!({"source_file": name_of(self.input), "page_index": self.page});
        let key = if self.is_record { "record_index" } else { "message_index" };
        place[key] = self.index.into();
        if let Some(offset) = self.text_offset {
            place["text_offset"] = offset.into();
            place["text_byte_offset"] = self.text_at.into();
        }
        place
    }
}

/// In how many places, and where first and last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u64,
    first: Place,
    last: Place,
}

/// Counts by thing: in how many messages or records it is. What a place has must come together.
#[derive(Debug)]
pub(crate) struct Tally<T, const LIMIT: usize = MOST> {
    seen: BTreeMap<T, Seen>,
    /// How often things were met that found no room.
    others: u64,
}

impl<T, const LIMIT: usize> Default for Tally<T, LIMIT> {
    fn default() -> Self {
        Self { seen: BTreeMap::new(), others: 0 }
    }
}

impl<T: Ord, const LIMIT: usize> Tally<T, LIMIT> {
    /// Counts one more place, if it is one.
    pub(crate) fn note(&mut self, thing: T, place: Place) {
        self.put(thing, Seen { count: 1, first: place, last: place });
    }

    /// Adds what came later.
    pub(crate) fn append(&mut self, later: Self) {
        self.others += later.others;
        for (thing, seen) in later.seen {
            self.put(thing, seen);
        }
    }

    fn put(&mut self, thing: T, new: Seen) {
        if let Some(seen) = self.seen.get_mut(&thing) {
            seen.count += new.count - u64::from(seen.last.is_in_one_with(new.first));
            seen.last = new.last;
        } else if self.seen.len() < LIMIT {
            self.seen.insert(thing, new);
        } else {
            self.others += new.count;
        }
    }

    /// The most frequent first.
    fn sorted(&self) -> Vec<(&T, Seen)> {
        let mut all: Vec<(&T, Seen)> = self.seen.iter().map(|(thing, seen)| (thing, *seen)).collect();
        all.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
        all
    }

    /// A table with a heading; nothing where nothing was seen.
    pub(crate) fn print(
        &self,
        title: &str,
        columns: &[&str],
        most: usize,
        name_of: &dyn Fn(InputKey) -> String,
        cells: impl Fn(&T) -> Vec<String>,
        out: &mut String,
    ) {
        if self.seen.is_empty() {
            return;
        }
        heading(out, title);
        let mut grid = Grid::new(&[columns, &["count>", "first at"]].concat());
        let all = self.sorted();
        for (thing, seen) in all.iter().take(most) {
            let place = seen.first.describe(name_of);
            grid.row(cells(thing).into_iter().chain([thousands(seen.count), place]));
        }
        grid.print(out);
        let left = all.len().saturating_sub(most) as u64;
        if left > 0 {
            let _ = writeln!(out, "  and {} more (--format json has them)", thousands(left));
        }
        if self.others > 0 {
            let _ =
                writeln!(out, "  and others, {} times: too many to be told apart", thousands(self.others));
        }
    }

    /// A list of objects, each with its count and first place.
    pub(crate) fn to_json(&self, name_of: &dyn Fn(InputKey) -> String, of: impl Fn(&T) -> Json) -> Json {
        let rows = self.sorted().into_iter().map(|(thing, seen)| {
            let mut row = of(thing);
            row["count"] = seen.count.into();
            row["first"] = seen.first.to_json(name_of);
            row
        });
        json!({"seen": rows.collect::<Vec<_>>(), "not_told_apart": self.others})
    }
}

/// Counts by group and thing. Each group has room of its own: what one has no end of does not push out what others have.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    groups: BTreeMap<String, Tally<String, MOST_OF_GROUP>>,
    /// How often things were met of groups that found no room, or that nobody told apart.
    others: u64,
}

impl Tallies {
    /// Counts one more place, if it is one.
    pub(crate) fn note(&mut self, group: &str, thing: String, place: Place) {
        if let Some(tally) = self.groups.get_mut(group) {
            tally.note(thing, place);
        } else if self.groups.len() < MOST {
            self.groups.entry(group.to_owned()).or_default().note(thing, place);
        } else {
            self.others += 1;
        }
    }

    /// Counts things that nobody told apart.
    pub(crate) fn miss(&mut self, count: u64) {
        self.others += count;
    }

    /// Adds what came later.
    pub(crate) fn append(&mut self, later: Self) {
        self.others += later.others;
        for (group, tally) in later.groups {
            if self.groups.contains_key(&group) || self.groups.len() < MOST {
                self.groups.entry(group).or_default().append(tally);
            } else {
                self.others += tally.others + tally.seen.values().map(|seen| seen.count).sum::<u64>();
            }
        }
    }

    /// All of them side by side.
    pub(crate) fn flat(&self) -> Tally<(&str, &str)> {
        let things = self.groups.iter().flat_map(|(group, tally)| {
            tally.seen.iter().map(|(thing, seen)| ((group.as_str(), thing.as_str()), *seen))
        });
        let others = self.groups.values().map(|tally| tally.others).sum::<u64>() + self.others;
        Tally { seen: things.collect(), others }
    }
}
