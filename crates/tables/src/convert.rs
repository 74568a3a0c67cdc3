//! From inputs to a published dataset: the one entry that everything else serves.

use std::path::Path;

use korpus_engine::{
    Fate, FileEntry, InputList, Manifest, Observer, Pool, Publication, PublishOptions, RunOptions, RunReport,
    hash_file, run,
};
use parquet::file::metadata::ParquetMetaDataReader;

use crate::build::{NAME_COLUMNS, Selection, TableBuffer, Volumes, put_pages};
use crate::dataset::TABLES_OPTION;
use crate::error::{Result, TablesError};
use crate::job::{ConvertJob, Groups, STREAMED, TablesState};
use crate::read::TableReader;
use crate::restore::{self, RecordSources, Sources};
use crate::schema::{MessageColumn, SCHEMA_VERSION, SupersededColumn, Table};
use crate::write::{Compression, Encoder, Repair, RowGroupLimits, TableWriter, part_path, repair};

/// What shapes a conversion. The default writes all tables, compressed with Zstandard, without copies.
#[derive(Debug, Clone, Default)]
pub struct ConvertOptions {
    /// How inputs are read: limits, filter, de-duplication, memory, cancellation.
    pub run: RunOptions,
    /// How many threads; as many as the machine has processors where 0.
    pub threads: usize,
    /// How the files are compressed.
    pub compression: Compression,
    /// Which tables are filled; all where empty. The others are there, without rows.
    pub tables: Vec<Table>,
    /// Whether a dataset that is there already is replaced.
    pub overwrite: bool,
    /// Whether nothing is published if anything was rejected, partial or an error response.
    pub strict: bool,
    #[doc(hidden)]
    pub row_group_rows: Option<usize>,
}

/// What came of a conversion.
#[derive(Debug)]
pub struct ConvertReport {
    /// Every body and input, and what became of every message.
    pub run: RunReport,
    /// What the dataset says about itself.
    pub manifest: Manifest,
    /// How many messages were kept, in the order of the table `volumes`; empty where neither it nor `messages` is wanted.
    pub volumes: Vec<Volume>,
}

/// A row of the table `volumes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Hours since 1970, UTC.
    pub hour: Option<i64>,
    /// The bot.
    pub bot_id: Option<String>,
    /// The channel.
    pub channel: Option<String>,
    /// The language.
    pub language: Option<String>,
    /// The type.
    pub message_type: Option<String>,
    /// The status.
    pub status: Option<String>,
    /// How many messages.
    pub messages: u64,
}

/// Converts `inputs` to a dataset at `out`: all of it, or nothing.
///
/// The same inputs and options give the same bytes, whatever the number of threads.
///
/// ```
/// use korpus_engine::InputList;
/// use korpus_tables::{ConvertOptions, convert};
///
/// let dir = tempfile::tempdir()?;
/// let page = br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}]}"#;
/// let inputs = InputList::from_bytes([("page.json", &page[..])]);
/// let out = dir.path().join("out");
/// let report = convert(&inputs, &out, &ConvertOptions::default(), &())?;
/// assert_eq!(report.manifest.totals.messages.kept, 1);
/// assert!(out.join("messages/part-00000.parquet").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where the target cannot be written or must not be replaced, the run is cancelled, or, with
/// [`strict`](ConvertOptions::strict), something could not be kept. What is wrong with single inputs, bodies and messages is
/// no error: it stands in the report and in the tables `pages` and `rejects`.
pub fn convert(
    inputs: &InputList,
    out: &Path,
    options: &ConvertOptions,
    observer: &dyn Observer,
) -> Result<ConvertReport> {
    let chosen = if options.tables.is_empty() { Table::ALL.to_vec() } else { options.tables.clone() };
    let selection = Selection::new(chosen);
    let pool = Pool::new(options.threads)?;
    let publication = Publication::begin(out, PublishOptions { overwrite: options.overwrite })?;
    let dir = publication.path();
    let mut run_options = options.run.clone();
    // Beside the dataset there is room for more than in a directory that may be memory.
    run_options.temp_dir.get_or_insert_with(|| dir.to_owned());

    let built = built(&selection, &run_options);
    let mut limits = RowGroupLimits::default();
    limits.rows = options.row_group_rows.unwrap_or(limits.rows);
    let job = ConvertJob::new(built, run_options.limits.clone());
    let mut state = TablesState::create(dir, &built, options.compression, limits)?;
    let report = run(&pool, inputs, &run_options, &job, &mut state, observer)?;
    if options.strict && !report.ledger.is_clean() {
        return Err(TablesError::Unclean);
    }
    let (groups, mut volumes) = state.close(&job, pool.threads())?;

    let finish = Finish { dir, options, selection, limits, threads: pool.threads() };
    finish.settle(&report, &groups, &mut volumes)?;
    finish.books(&report, &volumes)?;
    let mut manifest = Manifest::new(SCHEMA_VERSION, &report.ledger);
    finish.describe(&mut manifest);
    for table in Table::ALL {
        manifest.files.push(file_entry(dir, table)?);
    }
    manifest.write(dir)?;
    publication.finish()?;
    Ok(ConvertReport { run: report, manifest, volumes: volume_rows(&volumes) })
}

/// The tables that must be built for those that are chosen: the way back to JSON needs messages, components and tags.
fn built(chosen: &Selection, run: &RunOptions) -> Selection {
    let superseded = run.dedup && chosen.has(Table::Superseded);
    Selection::new(STREAMED.into_iter().filter(|&table| {
        let needed = match table {
            Table::Messages => superseded || chosen.has(Table::Volumes),
            Table::Rejects | Table::Templates | Table::Elements | Table::Actions => false,
            _ => superseded,
        };
        needed || chosen.has(table)
    }))
}

/// What is left to do when all inputs are read.
struct Finish<'a> {
    dir: &'a Path,
    options: &'a ConvertOptions,
    selection: Selection,
    limits: RowGroupLimits,
    threads: usize,
}

impl Finish<'_> {
    fn writer(&self, table: Table) -> Result<TableWriter> {
        TableWriter::create(self.dir, table, self.options.compression, self.limits)
    }

    /// Takes the rows that are not kept out of the tables, and puts those that lost into `superseded`.
    fn settle(&self, run: &RunReport, groups: &Groups, volumes: &mut Volumes) -> Result<()> {
        let fates = Repair {
            messages: &run.messages,
            records: &run.records,
            compression: self.options.compression,
            threads: self.threads,
        };
        let mut superseded = self.writer(Table::Superseded)?;
        let encoder = Encoder::default();
        if self.selection.has(Table::Superseded)
            && run.messages.superseded_count() + run.records.superseded_count() > 0
        {
            self.superseded(&fates, groups, &mut superseded, &encoder)?;
        }
        superseded.close(&encoder)?;
        for (table, groups) in groups {
            if self.options.run.cancel.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(korpus_engine::EngineError::Cancelled.into());
            }
            let is_messages = *table == Table::Messages;
            repair(self.dir, *table, groups, &fates, |row| {
                if is_messages {
                    let names = NAME_COLUMNS.iter().map(|&column| row.text(column));
                    volumes.add(row.micros(MessageColumn::EventAt), names, -1);
                }
            })?;
        }
        Ok(())
    }

    fn superseded(
        &self,
        fates: &Repair<'_>,
        groups: &Groups,
        writer: &mut TableWriter,
        encoder: &Encoder,
    ) -> Result<()> {
        let source = |table: Table| -> TableReader {
            let touched =
                groups.iter().find(|(name, _)| *name == table).map(|(_, groups)| fates.touched(groups));
            TableReader::open_groups(part_path(self.dir, table), table, touched.unwrap_or_default())
        };
        let mut buffer = TableBuffer::new(Table::Superseded);
        let mut flush = |buffer: &mut TableBuffer, least: usize| {
            if buffer.rows() < least {
                return Ok(());
            }
            buffer.finish();
            let full = std::mem::replace(buffer, TableBuffer::new(Table::Superseded));
            writer.push(full, encoder, &mut drop)
        };
        let sources = Sources {
            messages: source(Table::Messages),
            components: source(Table::Components),
            tags: source(Table::Tags),
        };
        restore::messages(sources, |row, json| {
            let seq = row.int64(MessageColumn::MessageSeq).unwrap_or_default();
            if let Some(winner) = lost(fates.messages, seq as u64) {
                buffer.put_i64(SupersededColumn::MessageSeq, seq);
                put_superseded(
                    &mut buffer,
                    row.text(MessageColumn::MessageId),
                    row.text(MessageColumn::SourceFile),
                    [row.int64(MessageColumn::PageIndex), row.int64(MessageColumn::MessageIndex)],
                    winner,
                    json,
                );
                flush(&mut buffer, 64)?;
            }
            Ok(())
        })?;
        let sources = RecordSources {
            conversations: source(Table::Conversations),
            sessions: source(Table::PlatformSessions),
            tags: source(Table::Tags),
        };
        restore::records(sources, |record, json| {
            if let Some(winner) = lost(fates.records, record.seq) {
                buffer.put_i64(SupersededColumn::RecordSeq, record.seq as i64);
                put_superseded(
                    &mut buffer,
                    record.id,
                    Some(record.source_file),
                    [Some(record.page_index), Some(record.record_index)],
                    winner,
                    json,
                );
                flush(&mut buffer, 64)?;
            }
            Ok(())
        })?;
        flush(&mut buffer, 1)
    }

    /// Writes the tables that are made of the ledger, and those that stay empty.
    fn books(&self, run: &RunReport, volumes: &Volumes) -> Result<()> {
        for table in Table::ALL {
            let streamed = STREAMED.contains(&table) || table == Table::Superseded;
            if streamed && self.selection.has(table) {
                continue;
            }
            let encoder = Encoder::default();
            let mut writer = self.writer(table)?;
            let mut buffer = TableBuffer::new(table);
            match table {
                Table::Pages if self.selection.has(table) => put_pages(&mut buffer, &run.ledger),
                Table::Volumes if self.selection.has(table) => volumes.fill(&mut buffer),
                _ => {}
            }
            writer.push(buffer, &encoder, &mut drop)?;
            writer.close(&encoder)?;
        }
        Ok(())
    }

    /// Writes down the options that shape the data.
    fn describe(&self, manifest: &mut Manifest) {
        let options = self.options;
        let filter = &options.run.filter;
        let mut put = |name: &str, value: serde_json::Value| manifest.options.insert(name.to_owned(), value);
        put("compression", options.compression.as_str().into());
        put("dedup", options.run.dedup.into());
        put("strict", options.strict.into());
        let tables = Table::ALL.into_iter().filter(|table| self.selection.has(*table));
        put(TABLES_OPTION, tables.map(Table::name).collect());
        if let Some(rows) = options.row_group_rows {
            put("row_group_rows", rows.into());
        }
        if let Some(call) = &options.run.call_id {
            put("call_id", call.as_str().into());
        }
        if filter.is_selective()
            && let Ok(filter) = serde_json::to_value(filter)
        {
            put("filter", filter);
        }
        // How the text is cut for reading leaves no trace in the data.
        let usual = korpus_core::Limits::default();
        let mut limits = options.run.limits.clone();
        (limits.block_bytes, limits.whole_bytes) = (usual.block_bytes, usual.whole_bytes);
        if limits != usual {
            put("limits", format!("{limits:?}").into());
        }
    }
}

/// The ordinal of the copy that was kept in the place of `seq`, where that lost.
fn lost(fates: &korpus_engine::Fates, seq: u64) -> Option<u64> {
    if fates.fate(seq) == Fate::Superseded && fates.matches(seq) { fates.winner(seq) } else { None }
}

fn put_superseded(
    buffer: &mut TableBuffer,
    id: Option<&str>,
    source_file: Option<&str>,
    place: [Option<i64>; 2],
    winner: u64,
    json: &str,
) {
    if let Some(id) = id {
        buffer.put_str(SupersededColumn::MessageId, id);
    }
    buffer.put_str(SupersededColumn::SourceFile, source_file.unwrap_or_default());
    buffer.put_i64(SupersededColumn::PageIndex, place[0].unwrap_or_default());
    buffer.put_i64(SupersededColumn::MessageIndex, place[1].unwrap_or_default());
    buffer.put_i64(SupersededColumn::WinnerSeq, winner as i64);
    buffer.put_str(SupersededColumn::RawJson, json.trim_end());
    buffer.end_row();
}

fn file_entry(dir: &Path, table: Table) -> Result<FileEntry> {
    let path = part_path(dir, table);
    let file = std::fs::File::open(&path).map_err(TablesError::io("read", &path))?;
    let metadata =
        ParquetMetaDataReader::new().parse_and_finish(&file).map_err(TablesError::parquet(&path))?;
    let (bytes, hash) = hash_file(&path)?;
    let relative = path.strip_prefix(dir).unwrap_or(&path);
    Ok(FileEntry {
        path: relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"),
        table: table.name().to_owned(),
        rows: metadata.file_metadata().num_rows() as u64,
        bytes,
        hash: format!("{hash:032x}"),
    })
}

fn volume_rows(volumes: &Volumes) -> Vec<Volume> {
    volumes
        .sorted()
        .into_iter()
        .map(|(key, messages)| {
            let [bot_id, channel, language, message_type, status] = key.names;
            Volume {
                hour: key.hour,
                bot_id,
                channel,
                language,
                message_type,
                status,
                messages: messages as u64,
            }
        })
        .collect()
}
