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
use std::ops::Range;

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
use super::settings::Compression;
use crate::build::{ColumnBuffer, Dictionary};

/// Rows after which a page may end: a count of the row group's rows, so that pages do not depend on how rows came in.
const BATCH_ROWS: usize = 1 << 8;
/// A page ends with so many rows, or bytes of values.
const PAGE_ROWS: usize = 16 << 10;
const PAGE_BYTES: usize = 256 << 10;
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

/// The memory that encoding takes whatever the column is, used again for the next one.
#[derive(Default)]
pub(crate) struct Workspace {
    compressors: Compressors,
    /// A page before and after it is compressed.
    bytes: Vec<u8>,
    compressed: Vec<u8>,
}

impl Workspace {
    /// Keeps as much memory as most pages take, and no more.
    fn let_go(&mut self) {
        for large in [&mut self.bytes, &mut self.compressed] {
            large.clear();
            large.shrink_to(2 * PAGE_BYTES);
        }
    }
}

/// A column of a row group on its way: rows go in, and in the end there is a chunk for each of its leaves.
pub(crate) struct ColumnWriter {
    leaves: Vec<ChunkWriter>,
}

impl ColumnWriter {
    pub(crate) fn new(leaves: &[ColumnDescPtr], compression: Compression) -> Self {
        let chunk = |descriptor: &ColumnDescPtr| ChunkWriter::new(descriptor.clone(), compression);
        Self { leaves: leaves.iter().map(chunk).collect() }
    }

    /// Adds `rows` of a buffer.
    ///
    /// # Errors
    /// If the leaves do not fit the buffer, or compressing fails.
    pub(crate) fn put(
        &mut self,
        buffer: &ColumnBuffer,
        rows: Range<usize>,
        workspace: &mut Workspace,
    ) -> Result<()> {
        let mut leaves = self.leaves.iter_mut().enumerate();
        leaves.try_for_each(|(part, leaf)| leaf.put(buffer, part, rows.clone(), workspace))
    }

    /// Closes the chunks. What comes next belongs to another row group.
    ///
    /// # Errors
    /// If compressing fails.
    pub(crate) fn finish(&mut self, workspace: &mut Workspace) -> Result<Vec<Chunk>> {
        self.leaves.iter_mut().map(|leaf| leaf.finish(workspace)).collect()
    }
}

/// A chunk on its way.
struct ChunkWriter {
    descriptor: ColumnDescPtr,
    compression: Compression,
    page: PageBuffer,
    dictionary: Dictionary,
    so_far: SoFar,
}

/// What there is of a chunk besides the page that is being filled.
struct SoFar {
    /// Data pages, as they were written by the dictionary or without it: the one ends where the other begins.
    pages: Vec<CompressedPage>,
    has_dictionary: bool,
    is_dictionary_open: bool,
    extremes: Extremes,
    rows: usize,
    slots: usize,
    nulls: usize,
}

impl Default for SoFar {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            has_dictionary: false,
            is_dictionary_open: true,
            extremes: Extremes::default(),
            rows: 0,
            slots: 0,
            nulls: 0,
        }
    }
}

impl ChunkWriter {
    fn new(descriptor: ColumnDescPtr, compression: Compression) -> Self {
        Self {
            descriptor,
            compression,
            page: PageBuffer::default(),
            dictionary: Dictionary::default(),
            so_far: SoFar::default(),
        }
    }

    fn put(
        &mut self,
        buffer: &ColumnBuffer,
        part: usize,
        mut rows: Range<usize>,
        workspace: &mut Workspace,
    ) -> Result<()> {
        self.page.begin_buffer();
        while !rows.is_empty() {
            let room = BATCH_ROWS - self.so_far.rows % BATCH_ROWS;
            let taken = rows.start..rows.end.min(rows.start + room);
            rows.start = taken.end;
            self.so_far.rows += taken.len();
            let dictionary = self.so_far.is_dictionary_open.then_some(&mut self.dictionary);
            self.so_far.has_dictionary |= self.page.put(buffer, part, taken, &self.descriptor, dictionary)?;
            if self.so_far.rows.is_multiple_of(BATCH_ROWS) {
                self.end_batch(workspace)?;
            }
        }
        Ok(())
    }

    fn end_batch(&mut self, workspace: &mut Workspace) -> Result<()> {
        let Self { page, dictionary, so_far, .. } = &*self;
        let is_full =
            so_far.is_dictionary_open && dictionary.bytes() + 4 * dictionary.len() > DICTIONARY_BYTES;
        if is_full || page.rows() >= PAGE_ROWS || page.bytes() >= PAGE_BYTES {
            self.end_page(workspace)?;
        }
        self.so_far.is_dictionary_open &= !is_full;
        Ok(())
    }

    fn end_page(&mut self, workspace: &mut Workspace) -> Result<()> {
        let Workspace { compressors, bytes, compressed } = workspace;
        let Self { page, dictionary, so_far, .. } = self;
        let by_dictionary = so_far.has_dictionary && so_far.is_dictionary_open;
        bytes.clear();
        page.put_levels(&self.descriptor, bytes);
        let dictionary = by_dictionary.then(|| dictionary.len());
        let encoding = page.put_values(self.descriptor.physical_type(), dictionary, bytes);
        compressors.compress(self.compression, bytes, compressed)?;
        so_far.extremes.extend(page);
        so_far.slots += page.slots();
        so_far.nulls += page.slots() - page.values();
        let data = Page::DataPage {
            buf: Bytes::copy_from_slice(compressed),
            num_values: page.slots() as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        so_far.pages.push(CompressedPage::new(data, bytes.len()));
        page.clear();
        workspace.let_go();
        Ok(())
    }

    fn dictionary_page(&mut self, workspace: &mut Workspace) -> Result<CompressedPage> {
        let Workspace { compressors, bytes, compressed } = workspace;
        bytes.clear();
        for text in self.dictionary.iter() {
            bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        compressors.compress(self.compression, bytes, compressed)?;
        let page = Page::DictionaryPage {
            buf: Bytes::copy_from_slice(compressed),
            num_values: self.dictionary.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let page = CompressedPage::new(page, bytes.len());
        workspace.let_go();
        Ok(page)
    }

    /// Closes the chunk; the next one has its memory.
    fn finish(&mut self, workspace: &mut Workspace) -> Result<Chunk> {
        if self.so_far.pages.is_empty() || self.page.rows() > 0 {
            self.end_page(workspace)?;
        }
        if self.so_far.has_dictionary {
            let dictionary = self.dictionary_page(workspace)?;
            self.so_far.pages.insert(0, dictionary);
        }
        self.dictionary.clear();
        std::mem::take(&mut self.so_far).close(&self.descriptor, self.compression)
    }
}

impl SoFar {
    /// Puts the pages one behind the other, and says what they are.
    fn close(self, descriptor: &ColumnDescPtr, compression: Compression) -> Result<Chunk> {
        let Self { pages, extremes, rows, slots, nulls, .. } = self;
        // Heads of pages are small.
        let room = pages.iter().map(|page| page.compressed_size() + 64).sum();
        let mut sink = TrackedWrite::new(Vec::with_capacity(room));
        let mut writer = SerializedPageWriter::new(&mut sink);
        let mut uncompressed = 0;
        let (mut dictionary_at, mut data_at) = (None, None);
        let mut encodings = vec![Encoding::RLE];
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
        let mut metadata = ColumnChunkMetaData::builder(descriptor.clone())
            .set_compression(compression.codec())
            .set_encodings(encodings)
            .set_page_encoding_stats(stats)
            .set_num_values(slots as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_data_page_offset(data_at.unwrap_or_default())
            .set_dictionary_page_offset(dictionary_at);
        if let Some(statistics) = extremes.statistics(descriptor.physical_type(), nulls as u64) {
            metadata = metadata.set_statistics(statistics);
        }
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(Chunk { bytes: bytes.into(), close })
    }
}
