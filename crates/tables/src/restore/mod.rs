//! From the tables back to JSON: one message or record a line, in bounded memory.

mod object;
mod rows;

use std::io::Write;
use std::path::Path;

use arrow::record_batch::RecordBatch;
use rows::Children;

use crate::dataset::Dataset;
use crate::error::{Result, TablesError};
use crate::read::{Row, TableReader};
use crate::schema::{ComponentColumn, ConversationColumn, MessageColumn, SessionColumn, Table, TagColumn};

/// How much was written by [`restore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Messages.
    pub messages: u64,
    /// Conversation and session records.
    pub records: u64,
}

/// Writes every message and record of the dataset at `dir` to `out`, one a line: first the messages in the order of
/// `message_seq`, then the conversation records, then the session records.
///
/// Each line equals what came in as a JSON value; see [`json_equal`](crate::json_equal). The messages of a conversation record
/// are lines of their own.
///
/// # Errors
/// If `dir` holds no finished dataset, one without the tables that are needed, or one that cannot be read.
pub fn restore(dir: &Path, out: &mut impl Write) -> Result<Restored> {
    Dataset::open(dir)?.restore(out)
}

/// [`restore`] of a dataset that is open.
pub(crate) fn restore_from(dataset: &Dataset, out: &mut impl Write) -> Result<Restored> {
    dataset.require(&[Table::Messages, Table::Components, Table::Tags])?;
    dataset.require(&[Table::Conversations, Table::PlatformSessions])?;
    let mut restored = Restored::default();
    let mut write = |line: &str| {
        out.write_all(line.as_bytes()).map_err(TablesError::io("write", Path::new("the output")))
    };
    messages(Sources::of(dataset)?, |_, line| {
        restored.messages += 1;
        write(line)
    })?;
    records(RecordSources::of(dataset)?, |_, line| {
        restored.records += 1;
        write(line)
    })?;
    Ok(restored)
}

/// Where messages are restored from.
pub(crate) struct Sources {
    pub messages: TableReader,
    pub components: TableReader,
    pub tags: TableReader,
}

impl Sources {
    fn of(dataset: &Dataset) -> Result<Self> {
        Ok(Self {
            messages: dataset.read(Table::Messages)?,
            components: dataset.read(Table::Components)?,
            tags: dataset.read(Table::Tags)?,
        })
    }
}

/// Where records are restored from.
pub(crate) struct RecordSources {
    pub conversations: TableReader,
    pub sessions: TableReader,
    pub tags: TableReader,
}

impl RecordSources {
    fn of(dataset: &Dataset) -> Result<Self> {
        Ok(Self {
            conversations: dataset.read(Table::Conversations)?,
            sessions: dataset.read(Table::PlatformSessions)?,
            tags: dataset.read(Table::Tags)?,
        })
    }
}

/// Calls `each` with every row of `messages` and its message as a line.
pub(crate) fn messages(sources: Sources, mut each: impl FnMut(Row<'_>, &str) -> Result<()>) -> Result<()> {
    let mut components = Cursor::new(sources.components, ComponentColumn::MessageSeq as usize);
    let mut tags = Cursor::new(sources.tags, TagColumn::MessageSeq as usize);
    let mut children = Children::default();
    let mut line = Line::default();
    for batch in sources.messages {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let row = Row { batch: &batch, row };
            let seq = row.int64(MessageColumn::MessageSeq).unwrap_or_default();
            children.clear();
            components.rows_of(seq, |row| children.push_component(row))?;
            tags.rows_of(seq, |row| children.push_tag(row))?;
            rows::message(line.begin(), row, &children);
            each(row, line.end())?;
        }
    }
    Ok(())
}

/// Calls `each` with every row of `conversations` and of `platform_sessions` and its record as a line.
pub(crate) fn records(
    sources: RecordSources,
    mut each: impl FnMut(RecordRow<'_>, &str) -> Result<()>,
) -> Result<()> {
    let mut tags = Cursor::new(sources.tags, TagColumn::RecordSeq as usize);
    let mut children = Children::default();
    let mut line = Line::default();
    for batch in sources.conversations {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let row = Row { batch: &batch, row };
            rows::conversation(line.begin(), row);
            each(
                RecordRow {
                    seq: row.int64(ConversationColumn::RecordSeq).unwrap_or_default() as u64,
                    id: row.text(ConversationColumn::ConversationRecordId),
                    source_file: row.text(ConversationColumn::SourceFile).unwrap_or_default(),
                    page_index: row.int64(ConversationColumn::PageIndex).unwrap_or_default(),
                    record_index: row.int64(ConversationColumn::RecordIndex).unwrap_or_default(),
                },
                line.end(),
            )?;
        }
    }
    for batch in sources.sessions {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let row = Row { batch: &batch, row };
            let seq = row.int64(SessionColumn::RecordSeq).unwrap_or_default();
            children.clear();
            tags.rows_of(seq, |row| children.push_tag(row))?;
            rows::session(line.begin(), row, &children);
            each(
                RecordRow {
                    seq: seq as u64,
                    id: row.text(SessionColumn::SessionId),
                    source_file: row.text(SessionColumn::SourceFile).unwrap_or_default(),
                    page_index: row.int64(SessionColumn::PageIndex).unwrap_or_default(),
                    record_index: row.int64(SessionColumn::RecordIndex).unwrap_or_default(),
                },
                line.end(),
            )?;
        }
    }
    Ok(())
}

/// What both tables of records know of a row.
pub(crate) struct RecordRow<'a> {
    pub seq: u64,
    pub id: Option<&'a str>,
    pub source_file: &'a str,
    pub page_index: i64,
    pub record_index: i64,
}

/// A line of output. Raw slices of pretty-printed bodies hold line breaks: those are taken out.
#[derive(Default)]
struct Line {
    json: String,
    minified: Vec<u8>,
}

impl Line {
    fn begin(&mut self) -> &mut String {
        self.json.clear();
        &mut self.json
    }

    fn end(&mut self) -> &str {
        if self.json.contains(['\n', '\r']) {
            self.minified.clear();
            korpus_core::minify(self.json.as_bytes(), &mut self.minified);
            self.json.clear();
            self.json.push_str(&String::from_utf8_lossy(&self.minified));
        }
        self.json.push('\n');
        &self.json
    }
}

/// A child table that is read along with its parent: both are in the order of the ordinals.
struct Cursor {
    reader: TableReader,
    key: usize,
    batch: Option<RecordBatch>,
    row: usize,
}

impl Cursor {
    fn new(reader: TableReader, key: usize) -> Self {
        Self { reader, key, batch: None, row: 0 }
    }

    /// Calls `each` with the rows of `seq`, and passes over those before it.
    fn rows_of(&mut self, seq: i64, mut each: impl FnMut(Row<'_>)) -> Result<()> {
        loop {
            if let Some(batch) = &self.batch {
                while self.row < batch.num_rows() {
                    let row = Row { batch, row: self.row };
                    match row.int64(self.key) {
                        Some(at) if at > seq => return Ok(()),
                        Some(at) if at == seq => each(row),
                        _ => {}
                    }
                    self.row += 1;
                }
            }
            self.batch = self.reader.next().transpose()?;
            self.row = 0;
            if self.batch.is_none() {
                return Ok(());
            }
        }
    }
}
