//! Which keys messages and records have: how often, and which of them no column takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use korpus_core::{ConversationField, Message, MessageField, Record, SessionField, Value};
use korpus_engine::Work;
use serde_json::json;

use crate::show::{Grid, thousands, visible_short};

/// Different unknown keys that are told apart; hostile inputs have no end of them.
const MOST_UNKNOWN: usize = 500;

/// Counts keys.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    messages: u64,
    records: u64,
    known: BTreeMap<&'static str, Count>,
    unknown: BTreeMap<String, u64>,
    /// Unknown keys that did not find room.
    others: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    there: u64,
    null: u64,
}

impl Fields {
    /// Counts the keys of all that match in a block.
    pub(crate) fn add(&mut self, work: &Work<'_>) {
        for item in work.messages().filter(|item| item.matches) {
            self.message(item.message);
        }
        for item in work.records().filter(|item| item.matches) {
            self.records += 1;
            match item.record {
                Record::Conversation(record) => {
                    for &field in ConversationField::ALL {
                        self.value(field.key(), record.value(field).map(Value::is_null));
                    }
                    record.others().for_each(|other| self.unknown(&other.key.lossy(), other.is_earlier));
                }
                Record::Session(record) => {
                    for &field in SessionField::ALL {
                        self.value(field.key(), record.value(field).map(Value::is_null));
                    }
                    record.others().for_each(|other| self.unknown(&other.key.lossy(), other.is_earlier));
                }
            }
        }
    }

    fn message(&mut self, message: Message<'_>) {
        self.messages += 1;
        for &field in MessageField::ALL {
            self.value(field.key(), message.value(field).map(Value::is_null));
        }
        message.others().for_each(|other| self.unknown(&other.key.lossy(), other.is_earlier));
    }

    fn value(&mut self, key: &'static str, is_null: Option<bool>) {
        if let Some(is_null) = is_null {
            let count = self.known.entry(key).or_default();
            count.there += 1;
            count.null += u64::from(is_null);
        }
    }

    fn unknown(&mut self, key: &str, is_earlier: bool) {
        if is_earlier {
            return;
        }
        if let Some(count) = self.unknown.get_mut(key) {
            *count += 1;
        } else if self.unknown.len() < MOST_UNKNOWN {
            self.unknown.insert(key.to_owned(), 1);
        } else {
            self.others += 1;
        }
    }

    /// Adds the counts of a later block.
    pub(crate) fn append(&mut self, later: Self) {
        self.messages += later.messages;
        self.records += later.records;
        self.others += later.others;
        for (key, count) in later.known {
            let sum = self.known.entry(key).or_default();
            sum.there += count.there;
            sum.null += count.null;
        }
        for (key, count) in later.unknown {
            if self.unknown.len() < MOST_UNKNOWN || self.unknown.contains_key(&key) {
                *self.unknown.entry(key).or_default() += count;
            } else {
                self.others += count;
            }
        }
    }

    /// Whether any key is there that no column takes.
    pub(crate) fn has_unknown(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// The known keys, as a table.
    pub(crate) fn print_known(&self, out: &mut String) {
        let mut grid = Grid::new(&["key", "there>", "null>"]);
        for (key, count) in &self.known {
            grid.row([(*key).to_owned(), thousands(count.there), thousands(count.null)]);
        }
        grid.print(out);
    }

    /// The unknown keys, the most frequent first.
    pub(crate) fn print_unknown(&self, most: usize, out: &mut String) {
        let mut keys: Vec<(&String, &u64)> = self.unknown.iter().collect();
        keys.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let mut grid = Grid::new(&["key", "there>"]);
        for (key, count) in keys.iter().take(most) {
            grid.row([visible_short(key, 60), thousands(**count)]);
        }
        grid.print(out);
        let left = keys.len().saturating_sub(most) as u64;
        if left > 0 || self.others > 0 {
            let more = if self.others > 0 { " or more" } else { "" };
            let _ = writeln!(out, "  and {}{more} others", thousands(left));
        }
    }

    /// All of it as JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let known = self.known.iter().map(|(key, count)| {
            let count = json!({"there": count.there, "null": count.null});
            ((*key).to_owned(), count)
        });
        json!({
            "messages": self.messages,
            "records": self.records,
            "known": known.collect::<serde_json::Map<_, _>>(),
            "unknown": self.unknown,
            "unknown_not_told_apart": self.others,
        })
    }
}
