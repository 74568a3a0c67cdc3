//! The table `superseded`: copies that lost, brought back to JSON from the rows that were written of them.

use korpus_engine::{Fate, Fates};

use crate::build::TableBuffer;
use crate::error::Result;
use crate::read::TableReader;
use crate::restore::{self, RecordSources, Sources};
use crate::schema::{MessageColumn, SupersededColumn, Table};
use crate::write::{Encoder, Repair, TableGroups, TableWriter};

/// Rows after which the encoder gets them: few, as each may be large.
const FLUSH: usize = 64;

/// Copies that were duplicates of what an earlier run kept, and lost together with that.
#[derive(Debug, Default)]
pub(crate) struct Raised {
    /// By the copy that they are equal to.
    pub messages: Vec<RaisedCopy>,
    /// Likewise.
    pub records: Vec<RaisedCopy>,
}

/// One of them, and where it was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct RaisedCopy {
    /// The ordinal of the copy that was kept.
    pub champion: u64,
    pub seq: u64,
    pub source_file: String,
    pub page_index: i64,
    /// Which message, or record, of the body.
    pub index: i64,
}

/// A copy that lost.
#[derive(Clone, Copy)]
struct Lost<'r> {
    seq: u64,
    id: Option<&'r str>,
    source_file: &'r str,
    page_index: i64,
    index: i64,
    winner: u64,
    json: &'r str,
}

/// Writes the file of the table: what lost of the rows in `files`, and what is equal to it.
pub(crate) fn put_superseded(
    fates: &Repair<'_>,
    files: &[TableGroups],
    raised: &Raised,
    writer: TableWriter,
) -> Result<()> {
    let mut out = Rows {
        writer,
        encoder: Encoder::default(),
        buffer: TableBuffer::new(Table::Superseded),
        minified: Vec::new(),
    };
    if fates.messages.superseded_count() + fates.records.superseded_count() > 0 {
        lost_messages(fates, files, raised, &mut out)?;
        lost_records(fates, files, raised, &mut out)?;
    }
    out.flush(1)?;
    out.writer.close(&out.encoder)?;
    Ok(())
}

/// The row groups of a table that hold something that lost.
fn source(fates: &Repair<'_>, files: &[TableGroups], table: Table) -> Result<TableReader> {
    let files = files.iter().filter(|file| file.table == table);
    let touched = files.map(|file| (file.path.clone(), fates.touched(&file.groups)));
    TableReader::open_groups(table, touched.filter(|(_, groups)| !groups.is_empty()).collect())
}

fn lost_messages(fates: &Repair<'_>, files: &[TableGroups], raised: &Raised, out: &mut Rows) -> Result<()> {
    let sources = Sources {
        messages: source(fates, files, Table::Messages)?,
        components: source(fates, files, Table::Components)?,
        tags: source(fates, files, Table::Tags)?,
    };
    restore::messages(sources, |row, json| {
        let seq = row.int64(MessageColumn::MessageSeq).unwrap_or_default() as u64;
        let Some(winner) = lost(fates.messages, seq) else { return Ok(()) };
        let row = Lost {
            seq,
            id: row.text(MessageColumn::MessageId),
            source_file: row.text(MessageColumn::SourceFile).unwrap_or_default(),
            page_index: row.int64(MessageColumn::PageIndex).unwrap_or_default(),
            index: row.int64(MessageColumn::MessageIndex).unwrap_or_default(),
            winner,
            json,
        };
        out.put(SupersededColumn::MessageSeq, row)?;
        out.put_equal(SupersededColumn::MessageSeq, row, &raised.messages, fates.messages)
    })
}

fn lost_records(fates: &Repair<'_>, files: &[TableGroups], raised: &Raised, out: &mut Rows) -> Result<()> {
    let sources = RecordSources {
        conversations: source(fates, files, Table::Conversations)?,
        sessions: source(fates, files, Table::PlatformSessions)?,
        tags: source(fates, files, Table::Tags)?,
    };
    restore::records(sources, |record, json| {
        let Some(winner) = lost(fates.records, record.seq) else { return Ok(()) };
        let row = Lost {
            seq: record.seq,
            id: record.id,
            source_file: record.source_file,
            page_index: record.page_index,
            index: record.record_index,
            winner,
            json,
        };
        out.put(SupersededColumn::RecordSeq, row)?;
        out.put_equal(SupersededColumn::RecordSeq, row, &raised.records, fates.records)
    })
}

/// The ordinal of the copy that was kept in the place of `seq`, where that lost.
fn lost(fates: &Fates, seq: u64) -> Option<u64> {
    if fates.fate(seq) == Fate::Superseded && fates.matches(seq) { fates.winner(seq) } else { None }
}

/// The table on its way.
struct Rows {
    writer: TableWriter,
    encoder: Encoder,
    buffer: TableBuffer,
    minified: Vec<u8>,
}

impl Rows {
    fn put(&mut self, seq: SupersededColumn, row: Lost<'_>) -> Result<()> {
        let buffer = &mut self.buffer;
        buffer.put_i64(seq, row.seq as i64);
        if let Some(id) = row.id {
            buffer.put_str(SupersededColumn::MessageId, id);
        }
        buffer.put_str(SupersededColumn::SourceFile, row.source_file);
        buffer.put_i64(SupersededColumn::PageIndex, row.page_index);
        buffer.put_i64(SupersededColumn::MessageIndex, row.index);
        buffer.put_i64(SupersededColumn::WinnerSeq, row.winner as i64);
        // Equal copies give equal rows, whatever white space they came with.
        self.minified.clear();
        korpus_core::minify(row.json.as_bytes(), &mut self.minified);
        buffer.put_str(SupersededColumn::RawJson, &String::from_utf8_lossy(&self.minified));
        buffer.end_row();
        self.flush(FLUSH)
    }

    /// Puts those that are equal to `row`.
    fn put_equal(
        &mut self,
        seq: SupersededColumn,
        row: Lost<'_>,
        raised: &[RaisedCopy],
        fates: &Fates,
    ) -> Result<()> {
        let from = raised.partition_point(|copy| copy.champion < row.seq);
        let equal = raised[from..].iter().take_while(|copy| copy.champion == row.seq);
        for copy in equal.filter(|copy| fates.matches(copy.seq)) {
            let place = Lost {
                seq: copy.seq,
                source_file: &copy.source_file,
                page_index: copy.page_index,
                index: copy.index,
                ..row
            };
            self.put(seq, place)?;
        }
        Ok(())
    }

    /// Hands the rows on, where there are so many at least.
    fn flush(&mut self, least: usize) -> Result<()> {
        if self.buffer.rows() < least {
            return Ok(());
        }
        self.buffer.finish();
        let full = std::mem::replace(&mut self.buffer, TableBuffer::new(Table::Superseded));
        self.writer.push(full, &self.encoder, &mut drop)
    }
}
