//! The file of a table, written on the pool while its next rows are made.

use arrow::array::RecordBatch;
use korpus_engine::{Background, FileEntry};

use crate::error::{AnalyticsError, Result};
use crate::metrics::Metric;
use crate::table_file::TableFile;

/// A file that is with whoever writes to it: one batch at a time, so that there is at most one that waits.
pub(crate) struct WrittenBehind {
    metric: Metric,
    at: Whereabouts,
}

/// Where the file is.
enum Whereabouts {
    Here(Box<TableFile>),
    Written(Background<Result<Box<TableFile>>>),
    /// With whoever takes it; for good where something failed.
    Gone,
}

impl WrittenBehind {
    pub(crate) fn new(file: TableFile) -> Self {
        Self { metric: file.metric(), at: Whereabouts::Here(Box::new(file)) }
    }

    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// Adds rows, when those before are written: what they failed with is told now.
    pub(crate) fn write(&mut self, rows: RecordBatch) -> Result<()> {
        let mut file = self.take()?;
        self.at = Whereabouts::Written(Background::spawn(move || {
            file.write(&rows)?;
            Ok(file)
        }));
        Ok(())
    }

    /// Ends the file, when all is written.
    pub(crate) fn close(mut self) -> Background<Result<FileEntry>> {
        Background::spawn(move || self.take()?.close())
    }

    /// Waits until nobody writes any more: what there is will be thrown away.
    pub(crate) fn give_up(mut self) {
        drop(self.take());
    }

    fn take(&mut self) -> Result<Box<TableFile>> {
        match std::mem::replace(&mut self.at, Whereabouts::Gone) {
            Whereabouts::Here(file) => Ok(file),
            Whereabouts::Written(file) => file.join(),
            Whereabouts::Gone => {
                Err(AnalyticsError::Internal("a file that could not be written is written to"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use korpus_engine::Pool;

    use super::*;
    use crate::rows::{Cell, one_row};
    use crate::table_file::TableFormat;

    fn rows() -> RecordBatch {
        one_row(Metric::Concurrency, &[20_000, 5, 7].map(Cell::Int))
    }

    fn file(dir: &Path, metric: Metric) -> WrittenBehind {
        WrittenBehind::new(TableFile::create(dir, metric, TableFormat::Parquet).unwrap())
    }

    #[test]
    fn what_fails_is_told_once_later() {
        let dir = tempfile::tempdir().unwrap();
        for threads in [1, 2] {
            Pool::new(threads).unwrap().install(|| {
                let mut fine = file(dir.path(), Metric::Concurrency);
                fine.write(rows()).unwrap();
                fine.write(rows()).unwrap();
                assert_eq!(fine.close().join().unwrap().rows, 2);

                // Rows of another table.
                let mut failed = file(dir.path(), Metric::Users);
                failed.write(rows()).unwrap();
                let told = failed.write(rows()).unwrap_err();
                assert!(matches!(told, AnalyticsError::Tables(_)), "{told}");
                let again = failed.close().join().unwrap_err();
                assert!(matches!(again, AnalyticsError::Internal(_)), "{again}");

                let mut failed = file(dir.path(), Metric::Users);
                failed.write(rows()).unwrap();
                assert!(matches!(failed.close().join(), Err(AnalyticsError::Tables(_))));
            });
        }
    }
}
