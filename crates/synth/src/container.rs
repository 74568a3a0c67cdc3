//! Files: their names and their compression.

use std::io::{self, Write};

use crate::options::{Codec, Layout};

/// The end of a file's name.
fn extension(codec: Codec) -> &'static str {
    match codec {
        Codec::Plain => "",
        Codec::Gzip => ".gz",
        Codec::Zlib => ".zz",
        Codec::Deflate => ".deflate",
        Codec::Brotli => ".br",
        Codec::Zstd => ".zst",
    }
}

/// The name of the file `number`; sorting by name gives the order in which the files were written.
pub(crate) fn file_name(layout: Layout, number: u64, codec: Codec) -> String {
    let (stem, kind) = match layout {
        Layout::Files => ("page", "json"),
        Layout::NdjsonBodies => ("bodies", "ndjson"),
        Layout::NdjsonMessages => ("messages", "ndjson"),
        Layout::Concatenated => ("concatenated", "json"),
    };
    format!("{stem}-{number:08}.{kind}{}", extension(codec))
}

/// A writer that compresses what goes through it.
pub(crate) enum Encoder<W: Write> {
    Plain(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zlib(flate2::write::ZlibEncoder<W>),
    Deflate(flate2::write::DeflateEncoder<W>),
    Brotli(Box<brotli::CompressorWriter<W>>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(codec: Codec, inner: W) -> io::Result<Self> {
        let level = flate2::Compression::new(6);
        Ok(match codec {
            Codec::Plain => Self::Plain(inner),
            Codec::Gzip => Self::Gzip(flate2::write::GzEncoder::new(inner, level)),
            Codec::Zlib => Self::Zlib(flate2::write::ZlibEncoder::new(inner, level)),
            Codec::Deflate => Self::Deflate(flate2::write::DeflateEncoder::new(inner, level)),
            Codec::Brotli => Self::Brotli(Box::new(brotli::CompressorWriter::new(inner, 1 << 16, 5, 22))),
            Codec::Zstd => Self::Zstd(zstd::Encoder::new(inner, 3)?),
        })
    }

    /// Ends the compressed stream and flushes.
    pub(crate) fn finish(self) -> io::Result<W> {
        let mut inner = match self {
            Self::Plain(inner) => inner,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zlib(encoder) => encoder.finish()?,
            Self::Deflate(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish()?,
        };
        inner.flush()?;
        Ok(inner)
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(inner) => inner.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zlib(encoder) => encoder.write(bytes),
            Self::Deflate(encoder) => encoder.write(bytes),
            Self::Brotli(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(inner) => inner.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zlib(encoder) => encoder.flush(),
            Self::Deflate(encoder) => encoder.flush(),
            Self::Brotli(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// A gzip member that is broken from the first byte of its data on: a header, then a block of the reserved type.
pub(crate) const BROKEN_MEMBER: [u8; 18] =
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0x07, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe];

/// What some tools leave behind the last gzip member.
pub(crate) const GARBAGE: &[u8] = b"\0\0\0\0\0\0\0\0-- end of transfer --\n";
