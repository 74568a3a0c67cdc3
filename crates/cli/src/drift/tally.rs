//! Counts of things, each with the place where it was first; bounded, because hostile inputs have no end of things.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use korpus_engine::{InputInfo, Ledger};
use serde_json::{Value, json};

use crate::show::{Grid, heading, thousands};

/// Things that are told apart.
const MOST: usize = 500;

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
    /// Where in the text of the message.
    pub text_offset: Option<u64>,
}

impl Place {
    pub(crate) fn new(input: InputKey, page: u64, index: u64) -> Self {
        Self { input, page, index, is_record: false, text_offset: None }
    }

    pub(crate) fn of_record(input: InputKey, page: u64, index: u64) -> Self {
        Self { is_record: true, ..Self::new(input, page, index) }
    }

    fn describe(self, name_of: &dyn Fn(InputKey) -> String) -> String {
        let what = if self.is_record { "record" } else { "message" };
        let offset = self.text_offset.map(|offset| format!(", byte {offset} of the text"));
        let offset = offset.unwrap_or_default();
        format!("{}, page {}, {what} {}{offset}", name_of(self.input), self.page, self.index)
    }

    fn to_json(self, name_of: &dyn Fn(InputKey) -> String) -> Value {
        let mut place = json!({"source_file": name_of(self.input), "page_index": self.page});
        let key = if self.is_record { "record_index" } else { "message_index" };
        place[key] = self.index.into();
        if let Some(offset) = self.text_offset {
            place["text_offset"] = offset.into();
        }
        place
    }
}

/// How often, and where first.
#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u64,
    first: Place,
}

/// Counts by thing.
#[derive(Debug)]
pub(crate) struct Tally<T> {
    seen: BTreeMap<T, Seen>,
    /// Things that found no room.
    others: u64,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self { seen: BTreeMap::new(), others: 0 }
    }
}

impl<T: Ord> Tally<T> {
    /// Counts one more.
    pub(crate) fn note(&mut self, thing: T, place: Place) {
        self.put(thing, Seen { count: 1, first: place });
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
            seen.count += new.count;
        } else if self.seen.len() < MOST {
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
    pub(crate) fn to_json(&self, name_of: &dyn Fn(InputKey) -> String, of: impl Fn(&T) -> Value) -> Value {
        let rows = self.sorted().into_iter().map(|(thing, seen)| {
            let mut row = of(thing);
            row["count"] = seen.count.into();
            row["first"] = seen.first.to_json(name_of);
            row
        });
        json!({"seen": rows.collect::<Vec<_>>(), "not_told_apart": self.others})
    }
}
