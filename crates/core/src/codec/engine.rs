//! What every incremental decoder offers, and the choice among them.

use super::brotli::Brotli;
use super::chunked::Chunked;
use super::gzip::Gzip;
use super::inflate::Inflate;
use super::zstd::Zstd;
use super::{Codec, CodecErrorKind};

/// The outcome of one step: what it took, what it gave, and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) next: Next,
}

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More input or more room for output. An engine that takes and gives nothing wants input.
    More,
    /// A clean end; all input was taken.
    End,
    /// Damage at the end of what was consumed. What was produced is good.
    Fail(CodecErrorKind),
}

/// An incremental decoder of one layer.
pub(super) enum Engine {
    /// The last layer: bytes as they are.
    Pass,
    Chunked(Chunked),
    Gzip(Box<Gzip>),
    Inflate(Box<Inflate>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Engine {
    pub(super) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Plain => Self::Pass,
            Codec::Gzip => Self::Gzip(Box::new(Gzip::new())),
            Codec::Zlib => Self::Inflate(Box::new(Inflate::new(true))),
            Codec::Deflate => Self::Inflate(Box::new(Inflate::new(false))),
            Codec::Brotli => Self::Brotli(Box::new(Brotli::new())),
            Codec::Zstd => Self::Zstd(Box::new(Zstd::new())),
        }
    }

    /// The codec to name in errors.
    pub(super) fn codec(&self) -> Codec {
        match self {
            Self::Pass | Self::Chunked(_) => Codec::Plain,
            Self::Gzip(_) => Codec::Gzip,
            Self::Inflate(inflate) => inflate.codec(),
            Self::Brotli(_) => Codec::Brotli,
            Self::Zstd(_) => Codec::Zstd,
        }
    }

    /// Whether this layer may expand what it reads.
    pub(super) fn expands(&self) -> bool {
        !matches!(self, Self::Pass | Self::Chunked(_))
    }

    /// Whether a codec that has one stream only has come to its end.
    pub(super) fn ended(&self) -> bool {
        match self {
            Self::Inflate(engine) => engine.ended(),
            Self::Brotli(engine) => engine.ended(),
            _ => false,
        }
    }

    /// Whether the data came to its end, and what was taken after it is neither data nor padding.
    pub(super) fn is_past_the_end(&self) -> bool {
        match self {
            Self::Pass => false,
            Self::Chunked(engine) => engine.is_past_the_end(),
            Self::Gzip(engine) => engine.is_past_the_end(),
            Self::Inflate(engine) => engine.ended(),
            Self::Brotli(engine) => engine.ended(),
            Self::Zstd(engine) => engine.is_past_the_end(),
        }
    }

    /// Ignored bytes after the end of the data so far: padding and garbage.
    pub(super) fn trailing(&self) -> u64 {
        match self {
            Self::Pass => 0,
            Self::Chunked(engine) => engine.trailing(),
            Self::Gzip(engine) => engine.trailing(),
            Self::Inflate(engine) => engine.trailing(),
            Self::Brotli(engine) => engine.trailing(),
            Self::Zstd(engine) => engine.trailing(),
        }
    }

    /// Decodes from `input` into `out` (not empty); `eof` says that nothing follows `input`.
    pub(super) fn step(&mut self, input: &[u8], eof: bool, out: &mut [u8]) -> Step {
        match self {
            Self::Pass => pass(input, eof, out),
            Self::Chunked(engine) => engine.step(input, eof, out),
            Self::Gzip(engine) => engine.step(input, eof, out),
            Self::Inflate(engine) => engine.step(input, eof, out),
            Self::Brotli(engine) => engine.step(input, eof, out),
            Self::Zstd(engine) => engine.step(input, eof, out),
        }
    }
}

fn pass(input: &[u8], eof: bool, out: &mut [u8]) -> Step {
    let n = input.len().min(out.len());
    out[..n].copy_from_slice(&input[..n]);
    let next = if eof && n == input.len() { Next::End } else { Next::More };
    Step { consumed: n, produced: n, next }
}
