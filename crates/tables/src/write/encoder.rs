//! Row groups on their way from column buffers to Parquet pages, column by column, on whatever worker has a moment.
//!
//! A commit hands over the rows of a block; each column of the row group takes them in as soon as a worker is free, and
//! every worker empties the queue before it maps the next block. So nobody waits for an encoder while there is anything to
//! do, rows are encoded while they are in the cache, and of a row group there is in memory what was compressed of it.
//! A column is with one worker at a time, and takes its rows in order: nothing depends on the thread that did it.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    table: Table,
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
    /// None while a worker has it, and where there is none in the file.
    writer: Option<ColumnWriter>,
    waiting: VecDeque<Arc<Piece>>,
    /// No more pieces will come.
    ended: bool,
    /// Is in the queue, or with a worker, who sees to all that waits.
    taken: bool,
    /// What came of it.
    done: Option<Result<Vec<Chunk>>>,
}

/// A column of a row group that has something to do.
struct Task {
    group: Arc<Group>,
    column: usize,
}

/// The queue of columns with something to do, shared by all workers.
#[derive(Default)]
pub(crate) struct Encoder {
    queue: Mutex<VecDeque<Task>>,
    /// Memory of encoders that are not at work.
    workspaces: Mutex<Vec<Workspace>>,
    /// Writers of columns that are at the beginning, with the memory of the row groups before.
    writers: Mutex<HashMap<(Table, usize), Vec<ColumnWriter>>>,
    /// Told whenever a group is complete, or all columns took a piece in.
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
    /// Begins a row group. `leaves` are those of the file that it is for, in order.
    pub(crate) fn begin(
        &self,
        layout: Layout,
        leaves: &[ColumnDescPtr],
        compression: Compression,
    ) -> Arc<Group> {
        let table = layout.table;
        let mut columns: Vec<Column> = table.columns().iter().map(|_| Column::default()).collect();
        let mut leaves = leaves.iter().cloned();
        let mut writers = lock(&self.writers);
        let mut left = 0;
        for (index, column) in layout.columns() {
            let leaves: Vec<ColumnDescPtr> = leaves.by_ref().take(column.kind.leaves()).collect();
            let writer = writers.get_mut(&(table, index)).and_then(Vec::pop);
            columns[index].writer = Some(writer.unwrap_or_else(|| ColumnWriter::new(&leaves, compression)));
            left += 1;
        }
        for column in columns.iter_mut().filter(|column| column.writer.is_none()) {
            column.done = Some(Ok(Vec::new()));
        }
        Arc::new(Group {
            table,
            columns: columns.into_iter().map(Mutex::new).collect(),
            left: AtomicUsize::new(left),
            free: Mutex::default(),
            behind: AtomicUsize::new(0),
        })
    }

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
            if !std::mem::replace(&mut column.taken, true) {
                queue.push_back(Task { group: group.clone(), column: index });
            }
        }
    }

    /// Does what one queued column has to do; false where there is none.
    pub(crate) fn help(&self) -> bool {
        let Some(task) = lock(&self.queue).pop_front() else { return false };
        task.run(self);
        true
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

    /// Tells those who wait. Under the lock, so that nobody falls asleep between looking and waiting.
    fn tell(&self) {
        let _queue = lock(&self.queue);
        self.progress.notify_all();
    }
}

impl Group {
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
    fn run(self, encoder: &Encoder) {
        let mut workspace = lock(&encoder.workspaces).pop().unwrap_or_default();
        // A panic on the way must not leave the group forever incomplete: the guard closes the column in any case.
        let mut closing = Closing { task: &self, encoder, done: Some(Err(lost())) };
        closing.done = self.work(encoder, &mut workspace);
        drop(closing);
        lock(&encoder.workspaces).push(workspace);
    }

    /// Takes in all that waits. Gives back what came of the column, if it is at its end.
    fn work(&self, encoder: &Encoder, workspace: &mut Workspace) -> Option<Result<Vec<Chunk>>> {
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
            let put = writer.put(&piece.buffer.columns[*index], piece.rows.clone(), workspace);
            group.let_go(piece, encoder);
            if let Err(error) = put {
                return Some(Err(error));
            }
        }
        let chunks = writer.finish(workspace);
        lock(&encoder.writers).entry((group.table, *index)).or_default().push(writer);
        Some(chunks)
    }
}

/// Closes a column for which `done` is there.
struct Closing<'a> {
    task: &'a Task,
    encoder: &'a Encoder,
    done: Option<Result<Vec<Chunk>>>,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let Some(done) = self.done.take() else { return };
        let Task { group, column } = self.task;
        let waiting = {
            let mut column = lock(&group.columns[*column]);
            column.done = Some(done);
            std::mem::take(&mut column.waiting)
        };
        for piece in waiting {
            group.let_go(piece, self.encoder);
        }
        if group.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.encoder.tell();
        }
    }
}
