//! One Parquet file of a table, fed with row groups in order.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::Chunk;
use super::layout::Layout;
use super::settings::{Compression, writer_properties};
use crate::error::{Result, TablesError};

/// A Parquet file on its way.
pub(crate) struct TableFile {
    layout: Layout,
    path: PathBuf,
    writer: SerializedFileWriter<Output>,
    factory: ArrowRowGroupWriterFactory,
    groups: usize,
}

/// A file that is written to its end, and opened again where it was closed in between.
pub(crate) struct Output {
    path: PathBuf,
    file: Option<File>,
}

impl TableFile {
    /// Begins the file at `path`, and the folder around it.
    pub(crate) fn create(layout: Layout, path: PathBuf, compression: Compression) -> Result<Self> {
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).map_err(TablesError::io("create", folder))?;
        let file = File::create(&path).map_err(TablesError::io("create", &path))?;
        let output = Output { path: path.clone(), file: Some(file) };
        let properties = writer_properties(layout.table, compression);
        let (writer, factory) = ArrowWriter::try_new(output, layout.schema(), Some(properties))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(TablesError::parquet(&path))?;
        Ok(Self { layout, path, writer, factory, groups: 0 })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its leaf columns.
    pub(crate) fn leaves(&self) -> &[ColumnDescPtr] {
        self.writer.schema_descr().columns()
    }

    /// Writers for the leaves of the next row group that is begun.
    fn column_writers(&mut self) -> Result<Vec<ArrowColumnWriter>> {
        let writers =
            self.factory.create_column_writers(self.groups).map_err(TablesError::parquet(&self.path))?;
        self.groups += 1;
        Ok(writers)
    }

    /// Appends an encoded row group.
    pub(crate) fn append_chunks(&mut self, chunks: Vec<Chunk>) -> Result<()> {
        self.row_group(|group| chunks.into_iter().try_for_each(|chunk| chunk.append_to(group)))
    }

    /// Closes the file until more is appended: nobody may have so many open as there are days.
    pub(crate) fn put_down(&mut self) -> Result<()> {
        self.writer.flush().map_err(TablesError::io("write", &self.path))?;
        self.writer.inner_mut().file = None;
        Ok(())
    }

    /// Appends a row group that `fill` writes.
    pub(crate) fn row_group(
        &mut self,
        fill: impl FnOnce(&mut SerializedRowGroupWriter<'_, Output>) -> ParquetResult<()>,
    ) -> Result<()> {
        let write = || {
            let mut group = self.writer.next_row_group()?;
            fill(&mut group)?;
            group.close()?;
            Ok(())
        };
        write().map_err(TablesError::parquet(&self.path))
    }

    /// Encodes batches into a row group of their own, column by column on `threads` threads, and appends it.
    pub(crate) fn append_batches(&mut self, batches: &[RecordBatch], threads: usize) -> Result<()> {
        let schema = self.layout.table.arrow_schema();
        let mut writers = self.column_writers()?.into_iter();
        let tasks: Vec<(usize, Vec<ArrowColumnWriter>)> = self
            .layout
            .columns()
            .map(|(index, column)| (index, writers.by_ref().take(column.kind.leaves()).collect()))
            .collect();
        let encode =
            |column: usize, mut writers: Vec<ArrowColumnWriter>| -> ParquetResult<Vec<ArrowColumnChunk>> {
                for batch in batches {
                    let leaves = compute_leaves(schema.field(column), batch.column(column))?;
                    for (leaf, writer) in leaves.iter().zip(&mut writers) {
                        writer.write(leaf)?;
                    }
                }
                writers.into_iter().map(ArrowColumnWriter::close).collect()
            };
        let results: Mutex<Vec<_>> = Mutex::new(schema.fields().iter().map(|_| None).collect());
        let queue = Mutex::new(tasks.into_iter());
        let work = || {
            loop {
                // A statement of its own: the lock is not held while encoding.
                let task = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((column, writers)) = task else { return };
                let encoded = encode(column, writers);
                results.lock().unwrap_or_else(PoisonError::into_inner)[column] = Some(encoded);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut chunks = Vec::new();
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (index, _) in self.layout.columns() {
            let encoded = results[index].take();
            let encoded =
                encoded.unwrap_or_else(|| Err(ParquetError::General("a column was lost".to_owned())));
            chunks.extend(encoded.map_err(TablesError::parquet(&self.path))?);
        }
        self.row_group(|group| chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(group)))
    }

    /// Writes the footer.
    pub(crate) fn close(self) -> Result<()> {
        self.writer.close().map(|_| ()).map_err(TablesError::parquet(&self.path))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().append(true).open(&self.path)?),
        };
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
