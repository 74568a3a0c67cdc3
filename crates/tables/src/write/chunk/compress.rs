//! The compressors of pages, with memory that is used again.

use parquet::errors::{ParquetError, Result};

use super::super::settings::{Compression, ZSTD_LEVEL};

/// What compressing takes besides the bytes.
#[derive(Default)]
pub(super) struct Compressors {
    zstd: Option<zstd::bulk::Compressor<'static>>,
    snappy: Option<snap::raw::Encoder>,
}

impl Compressors {
    /// Writes `bytes`, compressed, into `out`, in place of what it held.
    pub(super) fn compress(&mut self, how: Compression, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        match how {
            Compression::None => out.extend_from_slice(bytes),
            Compression::Zstd => {
                let zstd = match &mut self.zstd {
                    Some(zstd) => zstd,
                    none => none.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
                };
                out.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
                zstd.compress_to_buffer(bytes, out)?;
            }
            Compression::Lz4 => {
                out.resize(lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
                let len = lz4_flex::block::compress_into(bytes, out).map_err(external)?;
                out.truncate(len);
            }
            Compression::Snappy => {
                out.resize(snap::raw::max_compress_len(bytes.len()), 0);
                let snappy = self.snappy.get_or_insert_with(snap::raw::Encoder::new);
                let len = snappy.compress(bytes, out).map_err(external)?;
                out.truncate(len);
            }
        }
        Ok(())
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}
