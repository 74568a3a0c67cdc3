//! Reading the tables of a dataset, a batch at a time.

mod file;
mod generation;
mod merge;
mod row;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::error::{Result, TablesError};
use crate::schema::Table;
use crate::write::day_of;
use file::{Part, TableFileReader};
use merge::Merge;

pub(crate) use generation::Generation;
pub(crate) use row::Row;

/// Rows of one batch: few, because one message may be megabytes.
const BATCH_ROWS: usize = 1024;

/// The rows of a table, in the order of the inputs, a batch at a time.
pub struct TableReader {
    table: Table,
    files: Files,
}

enum Files {
    /// Each holds what comes after the one before.
    InTurn { waiting: std::vec::IntoIter<Part>, open: Option<TableFileReader> },
    /// Each holds rows of one day.
    ByDay(Merge),
}

impl std::fmt::Debug for TableReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableReader").field("table", &self.table).finish_non_exhaustive()
    }
}

impl TableReader {
    /// Reads the table of the dataset that is `generation`, at `dir`. Where another one takes its place, the next batch of a
    /// file that was not opened before is [`TablesError::Replaced`].
    pub(crate) fn open(generation: &Arc<Generation>, dir: &Path, table: Table) -> Result<Self> {
        let part = |path| Part { path, groups: None, generation: Some(Arc::clone(generation)) };
        let files = generation.checked(parts_of(dir, table))?;
        Self::over(table, files.into_iter().map(part).collect())
    }

    /// Reads one file of the table.
    pub(crate) fn open_file(table: Table, path: PathBuf) -> Self {
        Self::in_turn(table, vec![Part { path, groups: None, generation: None }])
    }

    /// Reads only some row groups of one file.
    pub(crate) fn open_file_groups(table: Table, path: PathBuf, groups: Vec<usize>) -> Self {
        Self::in_turn(table, vec![Part { path, groups: Some(groups), generation: None }])
    }

    /// Reads only some row groups of some files.
    pub(crate) fn open_groups(table: Table, files: Vec<(PathBuf, Vec<usize>)>) -> Result<Self> {
        let part = |(path, groups)| Part { path, groups: Some(groups), generation: None };
        Self::over(table, files.into_iter().map(part).collect())
    }

    fn over(table: Table, files: Vec<Part>) -> Result<Self> {
        if files.len() > 1 && files.iter().any(|file| day_of(table, &file.path).is_some()) {
            return Ok(Self { table, files: Files::ByDay(Merge::new(table, files)?) });
        }
        Ok(Self::in_turn(table, files))
    }

    fn in_turn(table: Table, files: Vec<Part>) -> Self {
        Self { table, files: Files::InTurn { waiting: files.into_iter(), open: None } }
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        match &mut self.files {
            Files::ByDay(merge) => merge.next_batch(),
            Files::InTurn { waiting, open } => loop {
                if let Some(batch) = open.as_mut().map(TableFileReader::next_batch).transpose()?.flatten() {
                    return Ok(Some(batch));
                }
                let Some(file) = waiting.next() else { return Ok(None) };
                *open = Some(TableFileReader::open(self.table, &file)?);
            },
        }
    }
}

/// The files of a table in the dataset at `dir`: by days, where it is laid out so, and in the order that they were written in.
pub(crate) fn parts_of(dir: &Path, table: Table) -> Result<Vec<PathBuf>> {
    let folder = dir.join(table.name());
    let mut files = Vec::new();
    for path in listed(&folder)? {
        if day_of(table, &path.join("part")).is_some() {
            files.extend(listed(&path)?.into_iter().filter(|path| is_parquet(path)));
        } else if is_parquet(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(TablesError::io("read", folder))?;
    entries.map(|entry| Ok(entry.map_err(TablesError::io("read", folder))?.path())).collect()
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}
