//! Row groups on their way from column buffers to Parquet pages, column by column, on whatever worker has a moment.
//!
//! A commit cuts row groups and puts their columns into the queue; every worker empties the queue before it maps the
//! next block. So nobody waits for an encoder while there is anything to do, and nothing depends on the thread that did it.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::arrays::Piece;
use super::chunk::{Chunk, Workspace, column_chunks};
use super::layout::Layout;
use super::settings::Compression;
use crate::build::TableBuffer;

/// Rows of buffers, in order.
pub(crate) type Pieces = Vec<(Arc<TableBuffer>, Range<usize>)>;

/// A row group that is being encoded.
pub(crate) struct Group {
    compression: Compression,
    pieces: Mutex<Pieces>,
    /// What came of each column, in the order of the schema.
    columns: Vec<Mutex<Option<Result<Vec<Chunk>>>>>,
    left: AtomicUsize,
}

/// One column of a row group.
struct Task {
    group: Arc<Group>,
    column: usize,
    leaves: Vec<ColumnDescPtr>,
}

/// The queue of columns to encode, shared by all workers.
#[derive(Default)]
pub(crate) struct Encoder {
    queue: Mutex<VecDeque<Task>>,
    /// Memory of encoders that are not at work.
    workspaces: Mutex<Vec<Workspace>>,
    /// Told whenever a group is complete.
    complete: Condvar,
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
    /// Queues the columns of a row group. `leaves` are those of the file that it is for, in order.
    pub(crate) fn submit(
        &self,
        layout: Layout,
        pieces: Pieces,
        leaves: &[ColumnDescPtr],
        compression: Compression,
    ) -> Arc<Group> {
        let table = layout.table;
        let outside = |index| (layout.outside == Some(index)).then(|| Ok(Vec::new()));
        let group = Arc::new(Group {
            compression,
            pieces: Mutex::new(pieces),
            columns: (0..table.columns().len()).map(|index| Mutex::new(outside(index))).collect(),
            left: AtomicUsize::new(layout.columns().count()),
        });
        let mut leaves = leaves.iter().cloned();
        let mut queue = lock(&self.queue);
        for (index, column) in layout.columns() {
            let leaves = leaves.by_ref().take(column.kind.leaves()).collect();
            queue.push_back(Task { group: group.clone(), column: index, leaves });
        }
        group
    }

    /// Encodes one queued column; false where there is none.
    pub(crate) fn help(&self) -> bool {
        let Some(task) = lock(&self.queue).pop_front() else { return false };
        task.run(self);
        true
    }

    /// Encodes all that is queued, on `threads` threads.
    pub(crate) fn help_on(&self, threads: usize) {
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| while self.help() {});
            }
            while self.help() {}
        });
    }

    /// Encodes whatever is queued, until `group` is complete.
    pub(crate) fn finish(&self, group: &Group) {
        while !group.is_complete() {
            if self.help() {
                continue;
            }
            // The rest of its columns are with other workers, who wait for nobody.
            let queue = lock(&self.queue);
            if queue.is_empty() && !group.is_complete() {
                drop(self.complete.wait(queue));
            }
        }
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
            let done = lock(column).take();
            chunks
                .extend(done.unwrap_or_else(|| Err(ParquetError::General("a column was lost".to_owned())))?);
        }
        Ok(chunks)
    }

    /// The buffers that nothing else holds any more, for reuse.
    pub(crate) fn take_buffers(&self) -> impl Iterator<Item = TableBuffer> + use<> {
        std::mem::take(&mut *lock(&self.pieces)).into_iter().filter_map(|(buffer, _)| Arc::into_inner(buffer))
    }
}

impl Task {
    fn run(self, encoder: &Encoder) {
        let Self { group, column, leaves } = self;
        // A panic on the way must not leave the group forever incomplete: the guard counts down in any case.
        let guard = Done { group: &group, encoder };
        let mut workspace = lock(&encoder.workspaces).pop().unwrap_or_default();
        let pieces = lock(&group.pieces).clone();
        let pieces: Vec<Piece<'_>> =
            pieces.iter().map(|(buffer, rows)| (&buffer.columns[column], rows.clone())).collect();
        let chunks = column_chunks(&leaves, &pieces, group.compression, &mut workspace);
        *lock(&group.columns[column]) = Some(chunks);
        lock(&encoder.workspaces).push(workspace);
        drop(guard);
    }
}

struct Done<'a> {
    group: &'a Group,
    encoder: &'a Encoder,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if self.group.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Under the lock, so that nobody falls asleep between looking and waiting.
            let _queue = lock(&self.encoder.queue);
            self.encoder.complete.notify_all();
        }
    }
}
