//! Making a dataset in a directory: all inputs, then what is left to do when they are read.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use korpus_engine::{
    EngineError, FileEntry, InputList, Manifest, Observer, Pool, RunOptions, RunReport, check_cancelled,
    hash_file, run,
};
use parquet::file::metadata::ParquetMetaDataReader;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::build::{
    NAME_COLUMNS, Selection, TableBuffer, VolumeTotals, put_earlier_page, put_page, put_volume,
};
use crate::convert::{ConvertOptions, ConvertReport, Volume};
use crate::dataset::{PARTITION_OPTION, TABLES_OPTION};
use crate::earlier::Earlier;
use crate::error::{Result, TablesError};
use crate::job::{ConvertJob, Counting, STREAMED, TablesState, Writing};
use crate::read::{Row, parts_of};
use crate::schema::{MessageColumn, SCHEMA_VERSION, Table};
use crate::superseded::put_superseded;
use crate::write::{
    Encoder, Repair, RowGroupLimits, TableGroups, TableWriter, day_of, part_number, part_path, repair,
};

/// The folder of the keys; no table, so that nobody who reads the tables comes upon it.
const KEYS: &str = "_keys";

/// Which of the [names of a volume](NAME_COLUMNS) is the channel.
const CHANNEL_NAME: usize = 1;
/// How many rows of `volumes` are handed on at a time.
const ROWS_AT_ONCE: usize = 8 << 10;

/// A dataset on its way.
pub(crate) struct Making<'a> {
    dir: &'a Path,
    options: &'a ConvertOptions,
    selection: Selection,
    limits: RowGroupLimits,
    pool: Pool,
    /// The dataset that is added to.
    earlier: Option<&'a Earlier>,
    /// The number of the files that are written.
    part: u32,
}

impl<'a> Making<'a> {
    /// Makes a dataset in `dir`, which holds the files of `earlier` where it adds to that.
    pub(crate) fn new(
        dir: &'a Path,
        options: &'a ConvertOptions,
        earlier: Option<&'a Earlier>,
    ) -> Result<Self> {
        let mut limits = RowGroupLimits::default();
        limits.rows = options.row_group_rows.unwrap_or(limits.rows);
        let selection = selection(options);
        if let Some(by) = options.partition_by.filter(|_| !selection.has(Table::Messages)) {
            return Err(TablesError::Engine(EngineError::Usage(format!(
                "--partition-by {} lays out the table messages, which --tables leaves out: add it",
                by.as_str()
            ))));
        }
        Ok(Self {
            dir,
            options,
            selection,
            limits,
            pool: Pool::new(options.run.memory.threads(options.threads))?,
            earlier,
            part: earlier.map_or(0, Earlier::next_part),
        })
    }

    /// The threads that it is made on.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Reads the inputs, and writes everything; the manifest comes last.
    pub(crate) fn make(&self, inputs: &InputList, observer: &dyn Observer) -> Result<ConvertReport> {
        let (dir, options) = (self.dir, self.options);
        let mut run_options = options.run.clone();
        // Beside the dataset there is room for more than in a directory that may be memory.
        run_options.temp_dir.get_or_insert_with(|| dir.to_owned());
        let keys = options.run.dedup.then(|| dir.join(KEYS).join(format!("part-{:05}.bin", self.part)));
        if let Some(folder) = keys.as_ref().and_then(|keys| keys.parent()) {
            std::fs::create_dir_all(folder).map_err(TablesError::io("create", folder))?;
        }
        run_options.keys.clone_from(&keys);
        run_options.history = self.earlier.map(|earlier| Arc::new(earlier.history()));

        let built = built(&self.selection, &run_options);
        let counting = counting(&self.selection, &built, &run_options);
        let job = ConvertJob::new(built, counting, run_options.limits.clone());
        let writing = Writing {
            dir,
            part: self.part,
            compression: options.compression,
            limits: self.limits,
            partition_by: options.partition_by,
            temp_dir: run_options.temp_dir.clone(),
        };
        let mut state = TablesState::create(&built, &writing)?;
        let report = run(&self.pool, inputs, &run_options, &job, &mut state, observer)?;
        if options.strict && !report.ledger.is_clean() {
            return Err(TablesError::Unclean);
        }
        // The threads of the pool use the memory again that they had: a thread of its own would take new one.
        self.pool.install(|| self.finish(report, job, state, keys.as_deref()))
    }

    /// Writes the rest, when everything is read.
    fn finish(
        &self,
        report: RunReport,
        job: ConvertJob,
        state: TablesState,
        keys: Option<&Path>,
    ) -> Result<ConvertReport> {
        let dir = self.dir;
        let (mut files, mut volumes) = state.close(&job, self.pool.threads())?;
        drop(job);
        volumes.take_back(&report.messages)?;
        if let Some(earlier) = self.earlier {
            files.splice(..0, earlier.groups(dir, &report)?);
            earlier.add_volumes(&mut volumes)?;
        }
        let rewritten = self.settle(&report, &files, &mut volumes)?;
        // What the files of the other tables hold is read meanwhile.
        let is_volumes = |table: Table| table == Table::Volumes;
        let (volumes, files) = rayon::join(
            || self.volumes(volumes),
            || {
                self.books(&report)?;
                self.entries(|table| !is_volumes(table), &rewritten)
            },
        );
        let (volumes, mut files) = (volumes?, files?);
        files.extend(self.entries(is_volumes, &rewritten)?);
        files.sort_by_key(|(table, _)| *table);
        let files = files.into_iter().map(|(_, entry)| entry).collect();
        let manifest = self.manifest(&report, files, keys)?;
        manifest.write(dir)?;
        Ok(ConvertReport { run: report, manifest, volumes })
    }

    /// Begins a file of a table, or begins it anew.
    pub(crate) fn writer(&self, table: Table, part: u32) -> Result<TableWriter> {
        TableWriter::create(self.dir, table, part, self.options.compression, self.limits)
    }

    /// Takes the rows that are not kept out of the tables, and puts those that lost into `superseded`. Gives back which
    /// files of the earlier dataset are others now.
    fn settle(
        &self,
        run: &RunReport,
        files: &[TableGroups],
        volumes: &mut VolumeTotals,
    ) -> Result<HashSet<PathBuf>> {
        let fates = Repair {
            messages: &run.messages,
            records: &run.records,
            compression: self.options.compression,
            threads: self.pool.threads(),
        };
        let mut rewritten = HashSet::new();
        if self.selection.has(Table::Superseded) {
            let mut raised = None;
            if let Some(earlier) = self.earlier {
                // In the place of one file comes one.
                let limits = RowGroupLimits { of_file: usize::MAX, ..self.limits };
                let compression = self.options.compression;
                let writer =
                    |part| TableWriter::create(self.dir, Table::Superseded, part, compression, limits);
                rewritten.extend(earlier.revise_superseded(self.dir, run, writer)?);
                raised = earlier.raised(run)?;
            }
            let writer = self.writer(Table::Superseded, self.part)?;
            put_superseded(&fates, files, &raised.unwrap_or_default(), writer)?;
        }
        for file in files {
            check_cancelled(&self.options.run.cancel)?;
            let is_messages = file.table == Table::Messages;
            let dropped = |row: Row<'_>| {
                if !is_messages {
                    return Ok(());
                }
                let names = NAME_COLUMNS.iter().map(|&column| row.text(column));
                volumes.add(row.micros(MessageColumn::EventAt), names, -1)
            };
            if repair(file, &fates, dropped)? {
                rewritten.insert(file.path.clone());
            }
        }
        Ok(rewritten)
    }

    /// Writes the tables that are made of the ledger, and those that stay empty.
    fn books(&self, run: &RunReport) -> Result<()> {
        for table in Table::ALL {
            let chosen = self.selection.has(table);
            if chosen && (STREAMED.contains(&table) || [Table::Superseded, Table::Volumes].contains(&table)) {
                continue;
            }
            if !chosen {
                // What was needed on the way only.
                let there = self.dir.join(table.name()).is_dir();
                let parts = if there { parts_of(self.dir, table)? } else { Vec::new() };
                for path in parts {
                    if part_number(&path).is_some_and(|part| part >= self.part) {
                        std::fs::remove_file(&path).map_err(TablesError::io("remove", &path))?;
                    }
                }
                // The file without rows is there already.
                if self.earlier.is_some() {
                    continue;
                }
            }
            let encoder = Encoder::default();
            let mut writer = self.writer(table, 0)?;
            let mut buffer = TableBuffer::new(table);
            if table == Table::Pages && chosen {
                if let Some(earlier) = self.earlier {
                    earlier_pages(earlier, run, &mut writer, &encoder)?;
                }
                for page in run.ledger.pages().iter() {
                    put_page(&mut buffer, &page, &run.ledger);
                    if buffer.rows() == ROWS_AT_ONCE {
                        buffer.finish();
                        let full = std::mem::replace(&mut buffer, TableBuffer::new(Table::Pages));
                        writer.push(full, &encoder, &mut drop)?;
                    }
                }
                buffer.finish();
            }
            writer.push(buffer, &encoder, &mut drop)?;
            writer.close(&encoder)?;
        }
        Ok(())
    }

    /// Writes the table `volumes`, where it is wanted, and gives back its messages by day and channel.
    fn volumes(&self, totals: VolumeTotals) -> Result<Vec<Volume>> {
        let encoder = Encoder::default();
        let chosen = self.selection.has(Table::Volumes);
        if !chosen && self.earlier.is_some() {
            // Nobody counted the earlier messages.
            return Ok(Vec::new());
        }
        let mut writer = chosen.then(|| self.writer(Table::Volumes, 0)).transpose()?;
        let mut buffer = TableBuffer::new(Table::Volumes);
        let mut days: BTreeMap<(Option<i32>, Option<String>), u64> = BTreeMap::new();
        // Neighbours are mostly of one day and channel.
        let mut open = Volume { day: None, channel: None, messages: 0 };
        totals.for_each(|hour, names, count| {
            if let Some(writer) = &mut writer {
                put_volume(hour, names, count, &mut buffer);
                if buffer.rows() == ROWS_AT_ONCE {
                    buffer.finish();
                    let full = std::mem::replace(&mut buffer, TableBuffer::new(Table::Volumes));
                    writer.push(full, &encoder, &mut drop)?;
                }
            }
            let (day, channel) = (hour.map(|hour| hour.div_euclid(24) as i32), &names[CHANNEL_NAME]);
            if open.day != day || open.channel != *channel {
                let next = Volume { day, channel: channel.clone(), messages: 0 };
                let Volume { day, channel, messages } = std::mem::replace(&mut open, next);
                *days.entry((day, channel)).or_default() += messages;
            }
            open.messages += count as u64;
            Ok(())
        })?;
        *days.entry((open.day, open.channel)).or_default() += open.messages;
        if let Some(mut writer) = writer {
            buffer.finish();
            writer.push(buffer, &encoder, &mut drop)?;
            writer.close(&encoder)?;
        }
        let volumes = days.into_iter().filter(|(_, messages)| *messages > 0);
        Ok(volumes.map(|((day, channel), messages)| Volume { day, channel, messages }).collect())
    }

    fn manifest(&self, run: &RunReport, files: Vec<FileEntry>, keys: Option<&Path>) -> Result<Manifest> {
        let mut manifest = Manifest::new(SCHEMA_VERSION, &run.ledger);
        let read = &manifest.totals;
        let noted = [read.messages, read.records].map(|books| books.seen - books.rejected);
        if let Some(earlier) = self.earlier {
            manifest.go_on_from(earlier.manifest());
            for (books, fates) in
                [(&mut manifest.totals.messages, &run.messages), (&mut manifest.totals.records, &run.records)]
            {
                fates.revise(books, 0..fates.first());
            }
            manifest.keys.clone_from(&earlier.manifest().keys);
        }
        manifest.options = described(self.options);
        manifest.files.extend(files);
        self.leave_out_empty_days(&mut manifest.files)?;
        match keys {
            Some(path) if noted == [0, 0] && self.part > 0 => {
                std::fs::remove_file(path).map_err(TablesError::io("remove", path))?;
            }
            Some(path) => {
                let entry = file_entry(relative(self.dir, path), KEYS, noted.iter().sum(), path)?;
                manifest.keys.push(entry);
            }
            None => {}
        }
        Ok(manifest)
    }

    /// What the manifest says of the files of those tables, in order.
    fn entries(
        &self,
        wanted: impl Fn(Table) -> bool,
        rewritten: &HashSet<PathBuf>,
    ) -> Result<Vec<(Table, FileEntry)>> {
        let mut parts = Vec::new();
        for table in Table::ALL.into_iter().filter(|&table| wanted(table)) {
            parts.extend(parts_of(self.dir, table)?.into_iter().map(|path| (table, path)));
        }
        let entries = parts.par_iter().map(|(table, path)| {
            let entry = self.entry(*table, path, rewritten)?;
            Ok(entry.map(|entry| (*table, entry)))
        });
        let entries: Vec<Option<(Table, FileEntry)>> = entries.collect::<Result<_>>()?;
        Ok(entries.into_iter().flatten().collect())
    }

    /// What the manifest says of a file of a table; one without rows is removed instead, unless it is the first, which is
    /// always there for whoever looks for the columns.
    fn entry(&self, table: Table, path: &Path, rewritten: &HashSet<PathBuf>) -> Result<Option<FileEntry>> {
        let name = relative(self.dir, path);
        let unchanged = self.earlier.filter(|_| !rewritten.contains(path));
        if let Some(entry) = unchanged.and_then(|earlier| earlier.linked(&name)) {
            return Ok(Some(entry.clone()));
        }
        let rows = rows_of(path)?;
        if rows == 0 && self.part > 0 && path == part_path(self.dir, table, self.part) {
            std::fs::remove_file(path).map_err(TablesError::io("remove", path))?;
            return Ok(None);
        }
        file_entry(name, table.name(), rows, path).map(Some)
    }

    /// Removes the files of days that are left without messages, unless there are no others.
    fn leave_out_empty_days(&self, files: &mut Vec<FileEntry>) -> Result<()> {
        let is_day = |entry: &FileEntry| {
            entry.table == Table::Messages.name() && day_of(Table::Messages, Path::new(&entry.path)).is_some()
        };
        let mut left = files.iter().filter(|entry| is_day(entry) && entry.rows > 0).count();
        let mut outcome = Ok(());
        files.retain(|entry| {
            if !is_day(entry) || entry.rows > 0 {
                return true;
            }
            if left == 0 {
                left = 1;
                return true;
            }
            let path = self.dir.join(&entry.path);
            let removed = std::fs::remove_file(&path).map_err(TablesError::io("remove", &path));
            // The folder goes too, unless there is something else in it.
            let _ = path.parent().map(std::fs::remove_dir);
            outcome = std::mem::replace(&mut outcome, Ok(())).and(removed);
            false
        });
        outcome
    }
}

/// Puts the bodies of an earlier dataset into `pages`, with books that are up to date.
fn earlier_pages(
    earlier: &Earlier,
    run: &RunReport,
    writer: &mut TableWriter,
    encoder: &Encoder,
) -> Result<()> {
    let mut first = [0, 0];
    for batch in earlier.read(Table::Pages)? {
        let batch = batch?;
        let mut buffer = TableBuffer::new(Table::Pages);
        for row in 0..batch.num_rows() {
            let row = Row { batch: &batch, row };
            put_earlier_page(&mut buffer, row, &mut first, [&run.messages, &run.records]);
        }
        buffer.finish();
        writer.push(buffer, encoder, &mut drop)?;
    }
    if first == [run.messages.first(), run.records.first()] {
        Ok(())
    } else {
        Err(earlier.damaged(Table::Pages))
    }
}

/// The tables that are to be filled.
pub(crate) fn selection(options: &ConvertOptions) -> Selection {
    let chosen = if options.tables.is_empty() { Table::ALL.to_vec() } else { options.tables.clone() };
    Selection::new(chosen)
}

/// The tables that must be built for those that are chosen: the way back to JSON needs messages, components and tags.
fn built(chosen: &Selection, run: &RunOptions) -> Selection {
    let superseded = run.dedup && chosen.has(Table::Superseded);
    Selection::new(STREAMED.into_iter().filter(|&table| {
        let needed = match table {
            Table::Rejects | Table::Templates | Table::Elements | Table::Actions => false,
            _ => superseded,
        };
        needed || chosen.has(table)
    }))
}

/// What volumes are counted from: nobody builds rows for that alone.
fn counting(chosen: &Selection, built: &Selection, run: &RunOptions) -> Counting {
    if chosen.has(Table::Volumes) && !built.has(Table::Messages) {
        Counting::Messages { log: run.dedup || run.filter.needs_all() }
    } else {
        Counting::Rows
    }
}

/// The options that shape the data, by name.
pub(crate) fn described(options: &ConvertOptions) -> BTreeMap<String, serde_json::Value> {
    let filter = &options.run.filter;
    let selection = selection(options);
    let mut described = BTreeMap::new();
    let mut put = |name: &str, value: serde_json::Value| described.insert(name.to_owned(), value);
    put("compression", options.compression.as_str().into());
    put("dedup", options.run.dedup.into());
    put("strict", options.strict.into());
    let tables = Table::ALL.into_iter().filter(|table| selection.has(*table));
    put(TABLES_OPTION, tables.map(Table::name).collect());
    if let Some(by) = options.partition_by {
        put(PARTITION_OPTION, by.as_str().into());
    }
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
    described
}

fn relative(dir: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(dir).unwrap_or(path);
    relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

fn rows_of(path: &Path) -> Result<u64> {
    let file = std::fs::File::open(path).map_err(TablesError::io("read", path))?;
    let metadata =
        ParquetMetaDataReader::new().parse_and_finish(&file).map_err(TablesError::parquet(path))?;
    Ok(metadata.file_metadata().num_rows() as u64)
}

fn file_entry(name: String, table: &str, rows: u64, path: &Path) -> Result<FileEntry> {
    let (bytes, hash) = hash_file(path)?;
    Ok(FileEntry { path: name, table: table.to_owned(), rows, bytes, hash: format!("{hash:032x}") })
}
