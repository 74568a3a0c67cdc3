//! Column chunks: a column of a row group as the bytes that stand in a Parquet file.
//!
//! The column buffers are encoded as they are, without Arrow arrays between: that saves a copy of everything, and the hash
//! of every name, because the buffers know already which names are equal. What comes out must read like what Parquet's own
//! writer makes of the same rows; the tests compare the two.

mod bits;
mod compress;
mod delta;
mod page;
#[cfg(test)]
mod tests;

use std::io::Write;

use bytes::Bytes;
use parquet::basic::{Encoding, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use self::compress::Compressors;
use self::page::{Extremes, PageBuffer};
use super::arrays::Piece;
use super::settings::Compression;
use crate::build::Dictionary;

/// Rows after which a page may end: a count of the row group's rows, so that pages do not depend on how rows came in.
const BATCH_ROWS: usize = 1 << 10;
/// A page ends with so many rows, or bytes of values.
const PAGE_ROWS: usize = 16 << 10;
const PAGE_BYTES: usize = 1 << 20;
/// With more bytes a dictionary is closed, and what follows written plainly.
const DICTIONARY_BYTES: usize = 1 << 20;

/// The bytes of one leaf column in a row group, and what the footer says of them.
pub(crate) struct Chunk {
    bytes: Bytes,
    close: ColumnCloseResult,
}

impl Chunk {
    /// Appends it as the next column of `group`.
    pub(crate) fn append_to<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        group.append_column(&self.bytes, self.close)
    }
}

/// The memory that encoding a column takes, used again for the next one.
#[derive(Default)]
pub(crate) struct Workspace {
    page: PageBuffer,
    dictionary: Dictionary,
    compressors: Compressors,
    /// A page before and after it is compressed.
    bytes: Vec<u8>,
    compressed: Vec<u8>,
}

/// Encodes the rows of all `pieces`, in order, as a chunk for each of the column's `leaves`.
///
/// # Errors
/// If the leaves do not fit the column buffers, or compressing fails.
pub(crate) fn column_chunks(
    leaves: &[ColumnDescPtr],
    pieces: &[Piece<'_>],
    compression: Compression,
    workspace: &mut Workspace,
) -> Result<Vec<Chunk>> {
    let chunk = |(part, descriptor): (usize, &ColumnDescPtr)| {
        workspace.page.clear();
        workspace.dictionary.clear();
        let mut writer = ChunkWriter::new(descriptor, compression, workspace);
        writer.put_all(part, pieces)?;
        writer.close()
    };
    leaves.iter().enumerate().map(chunk).collect()
}

/// A chunk on its way.
struct ChunkWriter<'a> {
    descriptor: &'a ColumnDescPtr,
    compression: Compression,
    workspace: &'a mut Workspace,
    /// Data pages so far, as they were written by the dictionary or without it: the one ends where the other begins.
    pages: Vec<CompressedPage>,
    has_dictionary: bool,
    is_dictionary_open: bool,
    extremes: Extremes,
    rows: usize,
    slots: usize,
    nulls: usize,
}

impl<'a> ChunkWriter<'a> {
    fn new(descriptor: &'a ColumnDescPtr, compression: Compression, workspace: &'a mut Workspace) -> Self {
        Self {
            descriptor,
            compression,
            workspace,
            pages: Vec::new(),
            has_dictionary: false,
            is_dictionary_open: true,
            extremes: Extremes::default(),
            rows: 0,
            slots: 0,
            nulls: 0,
        }
    }

    fn put_all(&mut self, part: usize, pieces: &[Piece<'_>]) -> Result<()> {
        for (buffer, rows) in pieces {
            self.workspace.page.begin_buffer();
            let mut rows = rows.clone();
            while !rows.is_empty() {
                let room = BATCH_ROWS - self.rows % BATCH_ROWS;
                let taken = rows.start..rows.end.min(rows.start + room);
                rows.start = taken.end;
                self.rows += taken.len();
                let Workspace { page, dictionary, .. } = &mut *self.workspace;
                let dictionary = self.is_dictionary_open.then_some(dictionary);
                self.has_dictionary |= page.put(buffer, part, taken, self.descriptor, dictionary)?;
                if self.rows.is_multiple_of(BATCH_ROWS) {
                    self.end_batch()?;
                }
            }
        }
        if self.pages.is_empty() || self.workspace.page.rows() > 0 {
            self.end_page()?;
        }
        Ok(())
    }

    fn end_batch(&mut self) -> Result<()> {
        let Workspace { page, dictionary, .. } = &*self.workspace;
        let is_full = self.is_dictionary_open && dictionary.bytes() + 4 * dictionary.len() > DICTIONARY_BYTES;
        if is_full || page.rows() >= PAGE_ROWS || page.bytes() >= PAGE_BYTES {
            self.end_page()?;
        }
        self.is_dictionary_open &= !is_full;
        Ok(())
    }

    fn end_page(&mut self) -> Result<()> {
        let Workspace { page, dictionary, compressors, bytes, compressed } = &mut *self.workspace;
        let by_dictionary = self.has_dictionary && self.is_dictionary_open;
        bytes.clear();
        page.put_levels(self.descriptor, bytes);
        let dictionary = by_dictionary.then(|| dictionary.len());
        let encoding = page.put_values(self.descriptor.physical_type(), dictionary, bytes);
        compressors.compress(self.compression, bytes, compressed)?;
        self.extremes.extend(page);
        self.slots += page.slots();
        self.nulls += page.slots() - page.values();
        let data = Page::DataPage {
            buf: Bytes::copy_from_slice(compressed),
            num_values: page.slots() as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.pages.push(CompressedPage::new(data, bytes.len()));
        page.clear();
        Ok(())
    }

    fn dictionary_page(&mut self) -> Result<CompressedPage> {
        let Workspace { dictionary, compressors, bytes, compressed, .. } = &mut *self.workspace;
        bytes.clear();
        for text in dictionary.iter() {
            page::put_bytes(text.as_bytes(), bytes);
        }
        compressors.compress(self.compression, bytes, compressed)?;
        let page = Page::DictionaryPage {
            buf: Bytes::copy_from_slice(compressed),
            num_values: dictionary.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        Ok(CompressedPage::new(page, bytes.len()))
    }

    fn close(mut self) -> Result<Chunk> {
        let mut pages = std::mem::take(&mut self.pages);
        if self.has_dictionary {
            pages.insert(0, self.dictionary_page()?);
        }
        // Heads of pages are small.
        let room = pages.iter().map(|page| page.compressed_size() + 64).sum();
        let mut sink = TrackedWrite::new(Vec::with_capacity(room));
        let mut writer = SerializedPageWriter::new(&mut sink);
        let mut uncompressed = 0;
        let (mut dictionary_at, mut data_at) = (None, None);
        let mut encodings = vec![Encoding::PLAIN, Encoding::RLE];
        let mut stats: Vec<PageEncodingStats> = Vec::new();
        for page in pages {
            let encoding = page.encoding();
            let written = writer.write_page(page)?;
            uncompressed += written.uncompressed_size;
            let place = match written.page_type {
                PageType::DICTIONARY_PAGE => &mut dictionary_at,
                _ => &mut data_at,
            };
            place.get_or_insert(written.offset as i64);
            if !encodings.contains(&encoding) {
                encodings.push(encoding);
            }
            match stats.last_mut() {
                Some(last) if last.page_type == written.page_type && last.encoding == encoding => {
                    last.count += 1;
                }
                _ => stats.push(PageEncodingStats { page_type: written.page_type, encoding, count: 1 }),
            }
        }
        let bytes = sink.into_inner()?;
        let mut metadata = ColumnChunkMetaData::builder(self.descriptor.clone())
            .set_compression(self.compression.codec())
            .set_encodings(encodings)
            .set_page_encoding_stats(stats)
            .set_num_values(self.slots as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_data_page_offset(data_at.unwrap_or_default())
            .set_dictionary_page_offset(dictionary_at);
        if let Some(statistics) = self.extremes.statistics(self.descriptor.physical_type(), self.nulls as u64)
        {
            metadata = metadata.set_statistics(statistics);
        }
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(Chunk { bytes: bytes.into(), close })
    }
}
