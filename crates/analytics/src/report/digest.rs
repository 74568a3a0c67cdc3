//! What the page and the terminal need of the tables, taken as the tables go by: it stays small however long they are.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;

use super::columns::{Table, Texts};
use super::lists;
use super::waits::Waits;
use crate::error::Result;
use crate::metrics::Metric;

/// So many rows of a long table wait until all but the heaviest are let go of.
const WAITING_ROWS: usize = 1 << 15;

/// Stands for a name.
pub(super) type Term = u32;

/// Names by numbers, and none by 0.
#[derive(Debug, Default)]
pub(super) struct Terms {
    known: HashMap<String, Term>,
    names: Vec<String>,
}

impl Terms {
    fn term(&mut self, name: Option<&str>) -> Term {
        let Some(name) = name else { return 0 };
        if let Some(&known) = self.known.get(name) {
            return known;
        }
        self.names.push(name.to_owned());
        let term = self.names.len() as Term;
        self.known.insert(name.to_owned(), term);
        term
    }

    pub(super) fn name(&self, term: Term) -> Option<&str> {
        self.names.get((term as usize).checked_sub(1)?).map(String::as_str)
    }
}

/// A column of names as terms: most rows have the name of the one before.
struct TermColumn<'a> {
    column: Texts<'a>,
    last: Option<(Option<&'a str>, Term)>,
}

impl<'a> TermColumn<'a> {
    fn of(table: Table<'a>, name: &str) -> Self {
        Self { column: table.texts(name), last: None }
    }

    fn get(&mut self, row: usize, terms: &mut Terms) -> Term {
        let name = self.column.get(row);
        match self.last {
            Some((last, term)) if last == name => term,
            _ => {
                let term = terms.term(name);
                self.last = Some((name, term));
                term
            }
        }
    }
}

/// How many people a bot has, how many of them returned, and how many had 1, 2, 3 to 5, 6 to 10 and more sessions.
pub(super) type People = [i64; 7];

/// Whose waits.
const WAIT_KEY: [&str; 4] = ["bot_id", "channel", "task", "kind"];
pub(super) type WaitKey = [Term; WAIT_KEY.len()];

/// What is told of waits over time.
pub(super) const BOT_RESPONSE: &str = "bot_response";

/// What is kept of the tables.
///
/// ```
/// use korpus_analytics::report::{Digest, Facts};
/// use korpus_analytics::{AnalyzeOptions, analyze};
/// use korpus_engine::InputList;
///
/// let mut digest = Digest::default();
/// let options = AnalyzeOptions::default();
/// analyze(&InputList::default(), &options, &mut |metric, batch| digest.add(metric, &batch), &())?;
/// assert!(digest.render(&Facts::default())?.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), korpus_analytics::AnalyticsError>(())
/// ```
#[derive(Debug, Default)]
pub struct Digest {
    /// Tables that are short, and of long ones the heaviest rows.
    tables: BTreeMap<Metric, Vec<RecordBatch>>,
    /// How many rows each list has, by its name and the bot.
    totals: BTreeMap<(&'static str, Term), usize>,
    pub(super) terms: Terms,
    /// All bots, with their messages; and all channels.
    pub(super) bots: HashMap<Term, i64>,
    pub(super) channels: HashMap<Term, i64>,
    /// Messages by day, bot, channel and type.
    pub(super) volumes: HashMap<(Option<i64>, [Term; 3]), i64>,
    pub(super) people: BTreeMap<Term, People>,
    pub(super) waits: HashMap<WaitKey, Waits>,
    /// Bot responses by day, bot and channel.
    pub(super) responses: HashMap<(Option<i64>, [Term; 2]), Waits>,
    /// How many bot responses there were by bot and task.
    pub(super) tasks: HashMap<[Term; 2], i64>,
    /// What bots said, by its hash, where the heaviest actions ask for it.
    pub(super) prompts: HashMap<String, String>,
    asked: Option<HashSet<String>>,
}

impl Digest {
    /// Adds some rows of a table; all tables in the order of [`Metric::ALL`].
    ///
    /// # Errors
    /// For batches with other columns than those of the table.
    pub fn add(&mut self, metric: Metric, batch: &RecordBatch) -> Result<()> {
        let table = Table::new(metric, Some(batch));
        match metric {
            Metric::Sessions => {}
            Metric::Volumes => self.add_volumes(table),
            Metric::Users => self.add_people(table),
            Metric::Latency => self.add_bounds(table),
            Metric::LatencyBuckets => self.add_buckets(table),
            _ => {
                self.add_names(metric, table);
                if matches!(metric, Metric::DropOffPoints | Metric::Reprompts) {
                    self.add_prompts(table)?;
                }
                let terms = &mut self.terms;
                lists::count(metric, table, |list, bot| {
                    *self.totals.entry((list, terms.term(bot))).or_default() += 1;
                });
                let waiting = self.tables.entry(metric).or_default();
                waiting.push(batch.clone());
                if waiting.iter().map(RecordBatch::num_rows).sum::<usize>() > WAITING_ROWS {
                    self.settle(metric)?;
                }
            }
        }
        Ok(())
    }

    /// Puts what is kept of a table together, and of a long one lets go of all that is not among the heaviest.
    pub(super) fn settle(&mut self, metric: Metric) -> Result<()> {
        let Some(waiting) = self.tables.get_mut(&metric) else { return Ok(()) };
        let all = concat_batches(&metric.arrow_schema(), waiting.iter())?;
        let kept = match lists::heaviest_rows(metric, Table::new(metric, Some(&all))) {
            Some(rows) if rows.len() < all.num_rows() => take_record_batch(&all, &UInt32Array::from(rows))?,
            _ => all,
        };
        *waiting = vec![kept];
        Ok(())
    }

    /// Puts everything together, for reading.
    pub(super) fn settle_all(&mut self) -> Result<()> {
        Metric::ALL.into_iter().try_for_each(|metric| self.settle(metric))
    }

    /// What is kept of a table, when it is settled.
    pub(super) fn table(&self, metric: Metric) -> Table<'_> {
        Table::new(metric, self.tables.get(&metric).and_then(|batches| batches.first()))
    }

    /// How many rows of a table are held.
    #[cfg(test)]
    pub(super) fn rows_kept(&self, metric: Metric) -> usize {
        self.tables[&metric].iter().map(RecordBatch::num_rows).sum()
    }

    /// How many rows a list has, by bot.
    pub(super) fn totals(&self, list: &'static str) -> impl Iterator<Item = (Option<&str>, usize)> {
        let of_list = self.totals.range((list, 0)..=(list, Term::MAX));
        of_list.map(|(&(_, bot), &count)| (self.terms.name(bot), count))
    }

    fn add_names(&mut self, metric: Metric, table: Table<'_>) {
        let has = |name: &str| metric.columns().any(|column| column.name == name);
        for (name, known) in [("bot_id", &mut self.bots), ("channel", &mut self.channels)] {
            if has(name) {
                let mut column = TermColumn::of(table, name);
                for row in 0..table.rows() {
                    known.entry(column.get(row, &mut self.terms)).or_default();
                }
            }
        }
    }

    fn add_volumes(&mut self, table: Table<'_>) {
        let (days, messages) = (table.ints("event_date"), table.ints("messages"));
        let mut names = ["bot_id", "channel", "message_type"].map(|name| TermColumn::of(table, name));
        for row in 0..table.rows() {
            let key = names.each_mut().map(|column| column.get(row, &mut self.terms));
            let messages = messages.or_zero(row);
            *self.volumes.entry((days.get(row), key)).or_default() += messages;
            *self.bots.entry(key[0]).or_default() += messages;
            *self.channels.entry(key[1]).or_default() += messages;
        }
    }

    fn add_people(&mut self, table: Table<'_>) {
        let mut bots = TermColumn::of(table, "bot_id");
        let (returning, sessions) = (table.flags("returning"), table.ints("sessions"));
        for row in 0..table.rows() {
            let bot = bots.get(row, &mut self.terms);
            self.bots.entry(bot).or_default();
            let people = self.people.entry(bot).or_default();
            people[0] += 1;
            people[1] += i64::from(returning.get(row).unwrap_or(false));
            people[match sessions.or_zero(row) {
                ..=1 => 2,
                2 => 3,
                3..=5 => 4,
                6..=10 => 5,
                _ => 6,
            }] += 1;
        }
    }

    fn add_bounds(&mut self, table: Table<'_>) {
        let (days, kinds) = (table.ints("day"), table.texts("kind"));
        let (min, max, counts) = (table.ints("min_ms"), table.ints("max_ms"), table.ints("count"));
        let mut names = WAIT_KEY.map(|name| TermColumn::of(table, name));
        for row in 0..table.rows() {
            let key = names.each_mut().map(|column| column.get(row, &mut self.terms));
            let [bot, channel, task, _] = key;
            self.bots.entry(bot).or_default();
            self.channels.entry(channel).or_default();
            let (min, max) = (min.or_zero(row), max.or_zero(row));
            self.waits.entry(key).or_default().bound(min, max);
            if kinds.get(row) == Some(BOT_RESPONSE) {
                self.responses.entry((days.get(row), [bot, channel])).or_default().bound(min, max);
                *self.tasks.entry([bot, task]).or_default() += counts.or_zero(row);
            }
        }
    }

    /// The buckets of a sketch follow one another, ascending: those of each are added as one.
    fn add_buckets(&mut self, table: Table<'_>) {
        let (days, kinds) = (table.ints("day"), table.texts("kind"));
        let (buckets, counts) = (table.ints("bucket"), table.ints("count"));
        let mut names = WAIT_KEY.map(|name| TermColumn::of(table, name));
        let mut key_of = |row: usize, terms: &mut Terms| {
            (days.get(row), names.each_mut().map(|column| column.get(row, terms)))
        };
        let (mut row, mut values) = (0, Vec::new());
        while row < table.rows() {
            let (day, key) = key_of(row, &mut self.terms);
            let start = row;
            values.clear();
            while row < table.rows() && (row == start || key_of(row, &mut self.terms) == (day, key)) {
                let bucket = i32::try_from(buckets.or_zero(row)).unwrap_or(0).max(0);
                if values.last().is_some_and(|&(last, _)| bucket <= last) {
                    break;
                }
                values.push((bucket, u64::try_from(counts.or_zero(row)).unwrap_or(0)));
                row += 1;
            }
            self.bots.entry(key[0]).or_default();
            self.channels.entry(key[1]).or_default();
            let values = || values.iter().copied();
            self.waits.entry(key).or_default().sketch.add_all(values());
            if kinds.get(start) == Some(BOT_RESPONSE) {
                self.responses.entry((day, [key[0], key[1]])).or_default().sketch.add_all(values());
            }
        }
    }

    /// Keeps the texts that the heaviest actions were offered with.
    fn add_prompts(&mut self, table: Table<'_>) -> Result<()> {
        if self.asked.is_none() {
            self.settle(Metric::ActionsUsage)?;
            let actions = self.table(Metric::ActionsUsage);
            let hashes = actions.texts("prompt_text_hash");
            let asked = (0..actions.rows()).filter_map(|row| hashes.get(row).map(str::to_owned));
            self.asked = Some(asked.collect());
        }
        let Some(asked) = &self.asked else { return Ok(()) };
        let (hashes, texts) = (table.texts("text_hash"), table.texts("text"));
        for row in 0..table.rows() {
            if let Some((hash, text)) = hashes.get(row).zip(texts.get(row))
                && asked.contains(hash)
            {
                self.prompts.entry(hash.to_owned()).or_insert_with(|| text.to_owned());
            }
        }
        Ok(())
    }
}
