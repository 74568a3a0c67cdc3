//! The job that builds the tables: rows in map, row groups in commit.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use korpus_core::{Limits, Scratch};
use korpus_engine::{BlockSeq, InputReport, Job, RejectItem, Work};

use crate::build::{
    CountedRows, Counter, Room, Rows, Selection, TableBuffer, VolumeTotals, Volumes, put_message, put_record,
    put_reject,
};
use crate::error::{Result, TablesError};
use crate::schema::Table;
use crate::write::{Compression, DayWriter, Encoder, PartitionBy, RowGroupLimits, TableGroups, TableWriter};

/// The tables that blocks put rows into.
pub(crate) const STREAMED: [Table; 9] = [
    Table::Messages,
    Table::Components,
    Table::Templates,
    Table::Elements,
    Table::Actions,
    Table::Tags,
    Table::Conversations,
    Table::PlatformSessions,
    Table::Rejects,
];

/// Those of them that messages put rows into.
const OF_MESSAGES: [Table; 6] =
    [Table::Messages, Table::Components, Table::Templates, Table::Elements, Table::Actions, Table::Tags];

/// Builds the tables.
#[derive(Debug)]
pub(crate) struct ConvertJob {
    built: Selection,
    counting: Counting,
    limits: Limits,
    encoder: Encoder,
    /// Buffers that hold no rows any more, by table: warm memory for the next blocks.
    free: Mutex<Vec<(Table, TableBuffer)>>,
    /// How large the rows of a block are, by table, as the first block showed.
    rooms: [OnceLock<Vec<Room>>; Table::ALL.len()],
}

/// What volumes are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// The rows of messages, where these are built.
    Rows,
    /// The messages themselves; where copies or filters may take some back, with a log.
    Messages { log: bool },
}

/// What is made of one block.
#[derive(Debug)]
pub(crate) struct Part {
    rows: Rows,
    volumes: Volumes,
    /// What each message was counted by, where that is written down.
    counted: CountedRows,
}

impl Part {
    /// The rows of each table, with the ordinals of the run.
    pub(crate) fn into_tables(mut self, at: &BlockSeq<'_>) -> impl Iterator<Item = (Table, TableBuffer)> {
        self.rows.add_base(at.first_message, at.first_record);
        self.rows.into_tables().into_iter()
    }
}

/// The tables that are being written.
pub(crate) struct TablesState {
    writers: Vec<(Table, TableWriter)>,
    /// The messages, where they are laid out by days.
    days: Option<DayWriter>,
    pub volumes: VolumeTotals,
}

/// How tables are written.
#[derive(Debug, Clone)]
pub(crate) struct Writing<'a> {
    /// The dataset.
    pub dir: &'a Path,
    /// The number of the files.
    pub part: u32,
    pub compression: Compression,
    pub limits: RowGroupLimits,
    pub partition_by: Option<PartitionBy>,
    /// Where rows go that there is no room for.
    pub temp_dir: Option<PathBuf>,
}

impl TablesState {
    /// Begins the files of the tables in `built`.
    pub(crate) fn create(built: &Selection, writing: &Writing<'_>) -> Result<Self> {
        let &Writing { dir, part, compression, limits, .. } = writing;
        let by_day = writing.partition_by == Some(PartitionBy::EventDate);
        let days = (by_day && built.has(Table::Messages))
            .then(|| DayWriter::new(dir.to_owned(), part, compression, limits, writing.temp_dir.clone()));
        let writers = STREAMED
            .into_iter()
            .filter(|&table| built.has(table) && !(table == Table::Messages && days.is_some()))
            .map(|table| Ok((table, TableWriter::create(dir, table, part, compression, limits)?)))
            .collect::<Result<_>>()?;
        let volumes = VolumeTotals::new(writing.temp_dir.clone());
        Ok(Self { writers, days, volumes })
    }

    fn writer(&mut self, table: Table) -> Option<&mut TableWriter> {
        self.writers.iter_mut().find(|(name, _)| *name == table).map(|(_, writer)| writer)
    }

    /// Encodes what is left on `threads` threads, and closes the files, which it gives back.
    pub(crate) fn close(
        mut self,
        job: &ConvertJob,
        threads: usize,
    ) -> Result<(Vec<TableGroups>, VolumeTotals)> {
        for (_, writer) in &mut self.writers {
            writer.flush(&job.encoder);
        }
        job.encoder.help_on(threads);
        let mut closed = match self.days {
            Some(days) => days.close(&job.encoder, threads)?,
            None => Vec::new(),
        };
        for (_, writer) in self.writers {
            closed.extend(writer.close(&job.encoder)?);
        }
        Ok((closed, self.volumes))
    }
}

/// What a worker has for itself.
#[derive(Debug)]
pub(crate) struct Local {
    scratch: Scratch,
    counter: Counter,
}

impl ConvertJob {
    /// Whether messages become rows; else they are counted at most.
    fn has_rows_of_messages(&self) -> bool {
        self.counting == Counting::Rows || OF_MESSAGES.iter().any(|&table| self.built.has(table))
    }

    pub(crate) fn new(built: Selection, counting: Counting, limits: Limits) -> Self {
        Self {
            built,
            counting,
            limits,
            encoder: Encoder::default(),
            free: Mutex::default(),
            rooms: Default::default(),
        }
    }

    fn buffer(&self, table: Table) -> TableBuffer {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = free.iter().rposition(|(name, _)| *name == table) {
            return free.swap_remove(at).1;
        }
        drop(free);
        TableBuffer::with_room(table, self.rooms[table as usize].get().map_or(&[], Vec::as_slice))
    }

    pub(crate) fn recycle(&self, table: Table, mut buffer: TableBuffer) {
        buffer.clear();
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push((table, buffer));
    }

    fn push(&self, state: &mut TablesState, table: Table, buffer: TableBuffer) -> Result<()> {
        let mut reuse = |buffer| self.recycle(table, buffer);
        if let (Table::Messages, Some(days)) = (table, &mut state.days) {
            return days.push(buffer, &self.encoder, &mut reuse);
        }
        if let Some(writer) = state.writer(table) {
            return writer.push(buffer, &self.encoder, &mut reuse);
        }
        reuse(buffer);
        Ok(())
    }
}

impl Job for ConvertJob {
    type Local = Local;
    type Part = Part;
    type State = TablesState;
    type Error = TablesError;

    fn local(&self) -> Local {
        Local { scratch: Scratch::new(&self.limits), counter: Counter::default() }
    }

    fn part(&self) -> Part {
        let rows = Rows::new(&self.built, |table| self.buffer(table));
        Part { rows, volumes: Volumes::default(), counted: CountedRows::default() }
    }

    fn map(&self, local: &mut Local, work: &Work<'_>, part: &mut Part) {
        let Local { scratch, counter } = local;
        if let Counting::Messages { log } = self.counting {
            work.messages().filter(|item| item.matches).for_each(|item| counter.put(&item));
            part.volumes = counter.count(log.then_some(&mut part.counted));
        }
        let wanted = self.has_rows_of_messages();
        for item in work.messages().filter(|item| wanted && item.matches) {
            put_message(&mut part.rows, scratch, &item);
            scratch.reset();
        }
        for item in work.records().filter(|item| item.matches) {
            put_record(&mut part.rows, &item, work.input());
        }
        for item in work.rejects() {
            put_reject(&mut part.rows.rejects, &item, work.input());
        }
        part.rows.finish(&work.input().display);
        for (table, buffer) in part.rows.tables() {
            self.rooms[table as usize].get_or_init(|| buffer.room());
        }
        if self.counting == Counting::Rows {
            part.volumes = Volumes::of_rows(&part.rows.messages);
        }
    }

    fn commit(&self, state: &mut TablesState, at: &BlockSeq<'_>, part: Part) -> Result<()> {
        state.volumes.take(&part.volumes, at.first_message, &part.counted)?;
        for (table, buffer) in part.into_tables(at) {
            self.push(state, table, buffer)?;
        }
        Ok(())
    }

    fn help(&self) -> bool {
        self.encoder.help()
    }

    fn readers(&self, threads: usize) -> usize {
        if self.is_light() { threads } else { threads.div_ceil(2) }
    }

    fn is_light(&self) -> bool {
        !self.has_rows_of_messages()
    }

    fn end_input(
        &self,
        state: &mut TablesState,
        report: &InputReport,
        rejects: &[RejectItem<'_>],
    ) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let mut buffer = self.buffer(Table::Rejects);
        for item in rejects {
            put_reject(&mut buffer, item, &report.input);
        }
        buffer.finish();
        self.push(state, Table::Rejects, buffer)
    }
}
