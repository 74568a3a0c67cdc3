//! Row groups on their way from column buffers to Parquet pages, column by column, on whatever worker has a moment.
//!
//! A commit hands over the rows of a block; each column of the row group takes them in as soon as a worker is free, and
//! workers empty the queue before they map a block. So nobody waits for an encoder while there is anything to
//! do, rows are encoded while they are in the cache, and of a row group there is in memory what was compressed of it.
//! A column is with one worker at a time, and takes its rows in order: nothing depends on the thread that did it.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{Chunk, ColumnWriter, Workspace};
use super::layout::Layout;
use super::settings::Compression;
use crate::build::TableBuffer;
use crate::schema::Table;

/// Rows of a buffer, as all columns share them.
struct Piece {
    buffer: Arc<TableBuffer>,
    rows: Range<usize>,
}

/// A row group that is being encoded.
pub(crate) struct Group {
    /// Tells it from others.
    number: u64,
    table: Table,
    compression: Compression,
    /// In the order of the schema.
    columns: Vec<Mutex<Column>>,
    /// Columns that are not done.
    left: AtomicUsize,
    /// Buffers that all columns have taken in.
    free: Mutex<Vec<TableBuffer>>,
    /// Pieces that not all columns have taken in.
    behind: AtomicUsize,
}

/// A column of a row group.
#[derive(Default)]
struct Column {
    /// Its leaves in the file.
    leaves: Vec<ColumnDescPtr>,
    /// None while a worker has it, and before the first.
    writer: Option<ColumnWriter>,
    waiting: VecDeque<Arc<Piece>>,
    /// No more pieces will come.
    ended: bool,
    /// Is in the queue, or with a worker, who sees to all that waits.
    taken: bool,
    /// Has its place among the row groups that want the seat.
    listed: bool,
    /// What came of it.
    done: Option<Result<Vec<Chunk>>>,
}

/// A column of a row group that has something to do.
struct Task {
    group: Arc<Group>,
    column: usize,
}

/// The writer of a column of a table, which one row group after the other has: a page and a dictionary take so much memory
/// that there must not be a second one for the moment in which a row group ends and the next begins.
///
/// Row groups have it in the order of their rows, whoever comes first: one that came before its time would wait for rows, and
/// whoever brings them for the row group before it.
#[derive(Default)]
struct Seat {
    /// At the beginning, with the memory of the row groups before; none while a row group has it.
    writer: Option<ColumnWriter>,
    /// The row groups that have or want it, by number: the first has it.
    order: VecDeque<u64>,
    /// Columns of later row groups.
    waiting: HashMap<u64, Task>,
}

/// The queue of columns with something to do, shared by all workers.
#[derive(Default)]
pub(crate) struct Encoder {
    queue: Mutex<VecDeque<Task>>,
    /// Memory of encoders that are not at work.
    workspaces: Mutex<Vec<Workspace>>,
    seats: Mutex<HashMap<(Table, usize), Seat>>,
    /// Told whenever a group is complete, all columns took a piece in, or a column comes to its seat.
    progress: Condvar,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// A panic while a lock was held leaves a queue or a slot as it was: there is nothing half done to protect.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Encoder {
    /// Adds rows to a group.
    pub(crate) fn push(&self, group: &Arc<Group>, buffer: Arc<TableBuffer>, rows: Range<usize>) {
        group.behind.fetch_add(1, Ordering::AcqRel);
        let piece = Arc::new(Piece { buffer, rows });
        self.wake(group, |column| column.waiting.push_back(piece.clone()));
        group.let_go(piece, self);
    }

    /// Tells that a group has all its rows.
    pub(crate) fn end(&self, group: &Arc<Group>) {
        self.wake(group, |column| column.ended = true);
    }

    /// Gives every column of a group something to do.
    fn wake(&self, group: &Arc<Group>, change: impl Fn(&mut Column)) {
        let mut queue = lock(&self.queue);
        for (index, column) in group.columns.iter().enumerate() {
            let mut column = lock(column);
            if column.done.is_some() {
                continue;
            }
            change(&mut column);
            if !std::mem::replace(&mut column.listed, true) {
                let mut seats = lock(&self.seats);
                seats.entry((group.table, index)).or_default().order.push_back(group.number);
            }
            if !std::mem::replace(&mut column.taken, true) {
                queue.push_back(Task { group: group.clone(), column: index });
            }
        }
    }

    /// Does what one queued column has to do; false where there is none.
    pub(crate) fn help(&self) -> bool {
        let Some(task) = lock(&self.queue).pop_front() else { return false };
        if let Some(task) = task.seated(self) {
            task.run(self);
        }
        true
    }

    /// As when other workers are faster.
    #[cfg(test)]
    pub(super) fn turn_queue_round(&self) {
        lock(&self.queue).make_contiguous().reverse();
    }

    /// Does all that is queued, on `threads` threads.
    pub(crate) fn help_on(&self, threads: usize) {
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| while self.help() {});
            }
            while self.help() {}
        });
    }

    /// Does whatever is queued, until `group`, which has all its rows, is complete.
    pub(crate) fn finish(&self, group: &Group) {
        self.help_until(|| group.is_complete());
    }

    /// Does whatever is queued, until all columns of `group` took in all but `most` of its pieces.
    pub(crate) fn catch_up(&self, group: &Group, most: usize) {
        self.help_until(|| group.behind.load(Ordering::Acquire) <= most);
    }

    fn help_until(&self, is_enough: impl Fn() -> bool) {
        while !is_enough() {
            if self.help() {
                continue;
            }
            // The rest is with other workers, who wait for nobody.
            let queue = lock(&self.queue);
            if queue.is_empty() && !is_enough() {
                drop(self.progress.wait(queue));
            }
        }
    }

    /// Takes a column's writer back, none where it was lost, for the row group that is next.
    fn leave(&self, column: (Table, usize), writer: Option<ColumnWriter>) {
        let mut seats = lock(&self.seats);
        let seat = seats.entry(column).or_default();
        seat.writer = writer;
        seat.order.pop_front();
        let next = seat.order.front().and_then(|next| seat.waiting.remove(next));
        drop(seats);
        if let Some(next) = next {
            lock(&self.queue).push_front(next);
            self.tell();
        }
    }

    /// Tells those who wait. Under the lock, so that nobody falls asleep between looking and waiting.
    fn tell(&self) {
        let _queue = lock(&self.queue);
        self.progress.notify_all();
    }
}

impl Group {
    /// Begins a row group. `leaves` are those of the file that it is for, in order.
    pub(crate) fn begin(layout: Layout, leaves: &[ColumnDescPtr], compression: Compression) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let table = layout.table;
        let mut columns: Vec<Column> = table.columns().iter().map(|_| Column::default()).collect();
        let mut leaves = leaves.iter().cloned();
        let mut left = 0;
        for (index, column) in layout.columns() {
            columns[index].leaves = leaves.by_ref().take(column.kind.leaves()).collect();
            left += 1;
        }
        for column in columns.iter_mut().filter(|column| column.leaves.is_empty()) {
            column.done = Some(Ok(Vec::new()));
        }
        Arc::new(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            table,
            compression,
            columns: columns.into_iter().map(Mutex::new).collect(),
            left: AtomicUsize::new(left),
            free: Mutex::default(),
            behind: AtomicUsize::new(0),
        })
    }

    /// Whether all of its columns are encoded, or have failed.
    pub(crate) fn is_complete(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }

    /// The column chunks of a complete group, in the order of the schema.
    pub(crate) fn take_chunks(&self) -> Result<Vec<Chunk>> {
        let mut chunks = Vec::new();
        for column in &self.columns {
            chunks.extend(lock(column).done.take().unwrap_or_else(|| Err(lost()))?);
        }
        Ok(chunks)
    }

    /// The buffers that nothing else holds any more, for reuse.
    pub(crate) fn take_buffers(&self) -> Vec<TableBuffer> {
        std::mem::take(&mut *lock(&self.free))
    }

    /// One less needs the piece.
    fn let_go(&self, piece: Arc<Piece>, encoder: &Encoder) {
        let Some(piece) = Arc::into_inner(piece) else { return };
        // Another row group may have the rest of the buffer.
        lock(&self.free).extend(Arc::into_inner(piece.buffer));
        self.behind.fetch_sub(1, Ordering::AcqRel);
        encoder.tell();
    }
}

fn lost() -> ParquetError {
    ParquetError::General("a column was lost".to_owned())
}

impl Task {
    /// Gives the column its writer, where it has none yet and no row group before has it. It waits otherwise.
    fn seated(self, encoder: &Encoder) -> Option<Self> {
        let mut column = lock(&self.group.columns[self.column]);
        if column.writer.is_some() {
            drop(column);
            return Some(self);
        }
        let mut seats = lock(&encoder.seats);
        let seat = seats.entry((self.group.table, self.column)).or_default();
        if seat.order.front() != Some(&self.group.number) {
            drop(column);
            seat.waiting.insert(self.group.number, self);
            return None;
        }
        let writer = seat.writer.take();
        drop(seats);
        column.writer =
            Some(writer.unwrap_or_else(|| ColumnWriter::new(&column.leaves, self.group.compression)));
        drop(column);
        Some(self)
    }

    fn run(self, encoder: &Encoder) {
        let mut workspace = lock(&encoder.workspaces).pop().unwrap_or_default();
        // A panic on the way must not leave the group forever incomplete: the guard closes the column in any case.
        let mut closing = Closing { task: &self, encoder, done: Some(Err(lost())) };
        closing.done = self.work(encoder, &mut workspace);
        drop(closing);
        lock(&encoder.workspaces).push(workspace);
    }

    /// Takes in all that waits. Gives back what came of the column, if it is at its end.
    fn work(&self, encoder: &Encoder, workspace: &mut Workspace) -> Option<Result<Done>> {
        let Self { group, column: index } = self;
        let slot = &group.columns[*index];
        let Some(mut writer) = lock(slot).writer.take() else { return Some(Err(lost())) };
        loop {
            let mut column = lock(slot);
            let Some(piece) = column.waiting.pop_front() else {
                if column.ended {
                    break;
                }
                column.writer = Some(writer);
                column.taken = false;
                return None;
            };
            drop(column);
            let held = Held { group, encoder, piece: Some(piece) };
            let put = held.put(&mut writer, *index, workspace);
            drop(held);
            if let Err(error) = put {
                return Some(Err(error));
            }
        }
        Some(writer.finish(workspace).map(|chunks| (chunks, writer)))
    }
}

/// A piece that a column takes in; it lets go of it in any case.
struct Held<'a> {
    group: &'a Group,
    encoder: &'a Encoder,
    /// There until the end.
    piece: Option<Arc<Piece>>,
}

impl Held<'_> {
    fn put(&self, writer: &mut ColumnWriter, column: usize, workspace: &mut Workspace) -> Result<()> {
        let Some(piece) = &self.piece else { return Ok(()) };
        writer.put(&piece.buffer.columns[column], piece.rows.clone(), workspace)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(piece) = self.piece.take() {
            self.group.let_go(piece, self.encoder);
        }
    }
}

/// What came of a column, and its writer.
type Done = (Vec<Chunk>, ColumnWriter);

/// Closes a column for which `done` is there.
struct Closing<'a> {
    task: &'a Task,
    encoder: &'a Encoder,
    done: Option<Result<Done>>,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let Some(done) = self.done.take() else { return };
        let Task { group, column } = self.task;
        let (chunks, writer) = match done {
            Ok((chunks, writer)) => (Ok(chunks), Some(writer)),
            Err(error) => (Err(error), None),
        };
        let waiting = {
            let mut column = lock(&group.columns[*column]);
            column.done = Some(chunks);
            std::mem::take(&mut column.waiting)
        };
        for piece in waiting {
            group.let_go(piece, self.encoder);
        }
        self.encoder.leave((group.table, *column), writer);
        if group.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.encoder.tell();
        }
    }
}
