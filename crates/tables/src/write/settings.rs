//! How tables are encoded: what was measured to matter, and nothing that differs between two runs.

use parquet::basic::{Compression as ParquetCompression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::schema::{ColumnKind, ELEMENT, Table};

/// How the pages of the Parquet files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Zstandard at level 1: the smallest files, at little cost.
    #[default]
    Zstd,
    /// LZ4, raw blocks.
    Lz4,
    /// Snappy.
    Snappy,
    /// Not at all.
    None,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Zstd, Self::Lz4, Self::Snappy, Self::None];

    /// The name on the command line and in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Snappy => "snappy",
            Self::None => "none",
        }
    }

    /// The compression of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|compression| compression.as_str() == name)
    }

    pub(super) fn codec(self) -> ParquetCompression {
        match self {
            Self::Zstd => ParquetCompression::ZSTD(ZstdLevel::default()),
            Self::Lz4 => ParquetCompression::LZ4_RAW,
            Self::Snappy => ParquetCompression::SNAPPY,
            Self::None => ParquetCompression::UNCOMPRESSED,
        }
    }
}

/// The level that [`Compression::Zstd`] compresses at.
pub(super) const ZSTD_LEVEL: i32 = 1;

/// What the files say they were written by.
const CREATED_BY: &str = concat!("korpus version ", env!("CARGO_PKG_VERSION"));

/// The settings of a table's files.
///
/// Texts that rarely repeat are written without a dictionary: trying one on them costs more than all the rest, and statistics
/// of texts are of no use to a reader. Their lengths stand apart, which makes ids smaller and quicker to compress. Integers
/// and times are delta encoded.
pub fn writer_properties(table: Table, compression: Compression) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(compression.codec())
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for column in table.columns() {
        let path = |parts: &[&str]| {
            ColumnPath::new(
                std::iter::once(column.name).chain(parts.iter().copied()).map(str::to_owned).collect(),
            )
        };
        let leaves: Vec<(ColumnPath, ColumnKind)> = match (column.kind, column.kind.parts()) {
            (_, Some(parts)) => {
                parts.iter().map(|(name, kind)| (path(&["list", ELEMENT, name]), *kind)).collect()
            }
            (ColumnKind::Texts, None) => vec![(path(&["list", ELEMENT]), ColumnKind::Name)],
            (kind, None) => vec![(path(&[]), kind)],
        };
        for (leaf, kind) in leaves {
            builder = match kind {
                ColumnKind::Name => builder
                    .set_column_encoding(leaf.clone(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
                    .set_column_dictionary_enabled(leaf, true),
                ColumnKind::Text | ColumnKind::Json | ColumnKind::Binary => {
                    builder.set_column_encoding(leaf, Encoding::DELTA_LENGTH_BYTE_ARRAY)
                }
                ColumnKind::Int64 | ColumnKind::Int32 | ColumnKind::Timestamp | ColumnKind::Date => builder
                    .set_column_encoding(leaf.clone(), Encoding::DELTA_BINARY_PACKED)
                    .set_column_statistics_enabled(leaf, EnabledStatistics::Chunk),
                ColumnKind::Bool | ColumnKind::Float64 => {
                    builder.set_column_statistics_enabled(leaf, EnabledStatistics::Chunk)
                }
                _ => builder,
            };
        }
    }
    builder.build()
}
