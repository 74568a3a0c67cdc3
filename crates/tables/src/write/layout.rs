//! Where the rows of a table lie: in one file a run, or in one a run and day, in folders that are named as Hive does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use korpus_core::{parse_date, write_date};

use crate::schema::{Column, MessageColumn, Table};

/// By what the table `messages` is laid out in folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionBy {
    /// By its column `event_date`, which then stands in the names of the folders and not in the files: some readers refuse
    /// a column that stands in both.
    EventDate,
}

impl PartitionBy {
    /// The name on the command line and in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventDate => "event_date",
        }
    }

    /// The layout of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        (name == Self::EventDate.as_str()).then_some(Self::EventDate)
    }
}

/// A day since 1970-01-01, where it is known: what the rows of a folder have in common.
pub(crate) type Day = Option<i32>;

/// What the names of the folders begin with.
const PREFIX: &str = "event_date=";
/// What stands for a null; readers know it from Hive.
const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns of a table that stand in its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub table: Table,
    /// The column that stands in the name of the folder instead.
    pub outside: Option<usize>,
}

impl Layout {
    /// All columns.
    pub(crate) fn whole(table: Table) -> Self {
        Self { table, outside: None }
    }

    /// That of the file of a table at `path`.
    pub(crate) fn of(table: Table, path: &Path) -> Self {
        let outside = day_of(table, path).map(|_| MessageColumn::EventDate as usize);
        Self { table, outside }
    }

    /// The columns, with their places in the table.
    pub(crate) fn columns(self) -> impl Iterator<Item = (usize, &'static Column)> {
        let columns = self.table.columns().iter().enumerate();
        columns.filter(move |(index, _)| Some(*index) != self.outside)
    }

    pub(crate) fn schema(self) -> SchemaRef {
        if self.outside.is_none() {
            return self.table.arrow_schema();
        }
        Arc::new(Schema::new(self.columns().map(|(_, column)| column.arrow_field()).collect::<Vec<_>>()))
    }
}

/// The file of a table in a dataset at `dir`. Each run that adds to it begins with a number that no file has yet.
pub(crate) fn part_path(dir: &Path, table: Table, part: u32) -> PathBuf {
    dir.join(table.name()).join(part_name(part))
}

/// The file with the messages of a day.
pub(crate) fn day_path(dir: &Path, day: Day, part: u32) -> PathBuf {
    let mut folder = PREFIX.to_owned();
    match day {
        Some(day) => write_date(day, &mut folder),
        None => folder.push_str(NO_DAY),
    }
    dir.join(Table::Messages.name()).join(folder).join(part_name(part))
}

fn part_name(part: u32) -> String {
    format!("part-{part:05}.parquet")
}

/// The number in the name of a file.
pub(crate) fn part_number(path: &Path) -> Option<u32> {
    path.file_stem()?.to_str()?.strip_prefix("part-")?.parse().ok()
}

/// The day of the messages in the file at `path`; `None` where it is not laid out by days.
pub(crate) fn day_of(table: Table, path: &Path) -> Option<Day> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let value = folder.strip_prefix(PREFIX).filter(|_| table == Table::Messages)?;
    if value == NO_DAY { Some(None) } else { parse_date(value).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_from_where_its_messages_lie() {
        for day in [None, Some(0), Some(20_332), Some(-1), Some(i32::MAX), Some(i32::MIN)] {
            let path = day_path(Path::new("/out"), day, 7);
            assert_eq!(day_of(Table::Messages, &path), Some(day), "{}", path.display());
            assert_eq!(day_of(Table::Tags, &path), None);
            assert_eq!(
                Layout::of(Table::Messages, &path).schema().fields().len() + 1,
                Table::Messages.columns().len()
            );
        }
        assert_eq!(
            day_path(Path::new("out"), Some(20_332), 0),
            Path::new("out/messages/event_date=2025-09-01/part-00000.parquet")
        );
        assert_eq!(
            day_of(Table::Messages, &part_path(Path::new("event_date=2025-09-01"), Table::Messages, 0)),
            None
        );
    }
}
