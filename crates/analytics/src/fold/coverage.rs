//! What a dump covers of each bot: from when to when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use crate::error::{AnalyticsError, Result};
use crate::state::{MergeableState, columns_of};

/// What inputs cover of all bots.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Given for all bots alike.
    window: Option<(i64, i64)>,
    /// What requests asked for, where it is known.
    requested: BTreeMap<String, (i64, i64)>,
    /// From the first to the last message of a bot, and of messages without one. Bots are few: looking through their names takes
    /// less than a hash.
    seen: BTreeMap<String, (i64, i64)>,
    seen_without: Option<(i64, i64)>,
}

fn widen(edges: &mut (i64, i64), other: (i64, i64)) {
    edges.0 = edges.0.min(other.0);
    edges.1 = edges.1.max(other.1);
}

impl Coverage {
    pub(crate) fn new(window: Option<(i64, i64)>) -> Self {
        Self { window, ..Self::default() }
    }

    /// The same, but for a window that is given for all bots.
    pub(crate) fn within(self, window: Option<(i64, i64)>) -> Self {
        Self { window: window.or(self.window), ..self }
    }

    /// Whether messages need not be looked at.
    pub(crate) fn is_given(&self) -> bool {
        self.window.is_some()
    }

    /// Adds what a request asked for.
    pub(crate) fn add_request(&mut self, bot: &str, edges: (i64, i64)) {
        widen(self.requested.entry(bot.to_owned()).or_insert(edges), edges);
    }

    /// Adds a message.
    pub(crate) fn add(&mut self, bot: Option<&str>, at: i64) {
        self.add_seen(bot, (at, at));
    }

    fn add_seen(&mut self, bot: Option<&str>, edges: (i64, i64)) {
        match bot {
            Some(bot) => match self.seen.get_mut(bot) {
                Some(known) => widen(known, edges),
                None => drop(self.seen.insert(bot.to_owned(), edges)),
            },
            None => widen(self.seen_without.get_or_insert(edges), edges),
        }
    }

    /// Only what requests asked for: what messages show can be told anew [of their events](Self::of_events).
    #[must_use]
    pub fn of_requests(&self) -> Self {
        Self { requested: self.requested.clone(), ..Self::default() }
    }

    /// The edges of a bot, in microseconds.
    pub(crate) fn of(&self, bot: Option<&str>) -> Option<(i64, i64)> {
        self.window.or_else(|| match bot {
            Some(bot) => self.requested.get(bot).or_else(|| self.seen.get(bot)).copied(),
            None => self.seen_without,
        })
    }
}

impl MergeableState for Coverage {
    fn merge(&mut self, other: Self) {
        for (bot, edges) in other.requested {
            self.add_request(&bot, edges);
        }
        for (bot, edges) in other.seen {
            self.add_seen(Some(&bot), edges);
        }
        if let Some(edges) = other.seen_without {
            self.add_seen(None, edges);
        }
    }

    /// Moments are in microseconds since 1970, both edges included.
    fn arrow_schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("bot", DataType::Utf8, true),
            Field::new("requested_from", DataType::Int64, true),
            Field::new("requested_to", DataType::Int64, true),
            Field::new("seen_from", DataType::Int64, true),
            Field::new("seen_to", DataType::Int64, true),
        ]))
    }

    /// One row a bot, and one for messages without a bot. The window that options give for all bots is none of them.
    fn to_arrow(&self) -> Result<RecordBatch> {
        let bots: BTreeSet<&str> =
            self.requested.keys().chain(self.seen.keys()).map(String::as_str).collect();
        let without = self.seen_without.map(|seen| (None, None, Some(seen)));
        let rows: Vec<_> = without
            .into_iter()
            .chain(
                bots.into_iter()
                    .map(|bot| (Some(bot), self.requested.get(bot).copied(), self.seen.get(bot).copied())),
            )
            .collect();
        let edge = |of: fn(&Row<'_>) -> Option<i64>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<Int64Array>())
        };
        let columns = vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>()),
            edge(|row| row.1.map(|edges| edges.0)),
            edge(|row| row.1.map(|edges| edges.1)),
            edge(|row| row.2.map(|edges| edges.0)),
            edge(|row| row.2.map(|edges| edges.1)),
        ];
        Ok(RecordBatch::try_new(Self::arrow_schema(), columns)?)
    }

    fn from_arrow(batch: &RecordBatch) -> Result<Self> {
        let columns = columns_of(batch, &Self::arrow_schema())?;
        let bots: &StringArray = columns[0].as_string();
        let edges = [1, 2, 3, 4].map(|column: usize| columns[column].as_primitive::<Int64Type>());
        let mut coverage = Self::default();
        for row in 0..batch.num_rows() {
            let bot = bots.is_valid(row).then(|| bots.value(row));
            let [requested, seen] = [[edges[0], edges[1]], [edges[2], edges[3]]]
                .map(|edges| edges.map(|edge| edge.is_valid(row).then(|| edge.value(row))));
            match (bot, requested) {
                (Some(bot), [Some(from), Some(to)]) => coverage.add_request(bot, (from, to)),
                (_, [None, None]) => {}
                _ => return Err(AnalyticsError::State("a request of one edge, or of no bot")),
            }
            match seen {
                [Some(from), Some(to)] => coverage.add_seen(bot, (from, to)),
                [None, None] => {}
                _ => return Err(AnalyticsError::State("messages with one edge")),
            }
        }
        Ok(coverage)
    }
}

/// A bot, what requests asked for of it, and what was seen of it.
type Row<'c> = (Option<&'c str>, Option<(i64, i64)>, Option<(i64, i64)>);
