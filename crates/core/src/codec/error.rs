//! What can go wrong while decoding, and where.

use std::{error, fmt, io};

use super::Codec;

/// Why decoding stopped. Everything before the damage was handed out already.
#[derive(Debug)]
pub struct CodecError {
    pub(super) codec: Codec,
    pub(super) kind: CodecErrorKind,
    pub(super) compressed: u64,
    pub(super) decoded: u64,
    pub(super) io: Option<io::Error>,
}

/// The kinds of [`CodecError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodecErrorKind {
    /// The input ends before the encoding says that it does.
    Truncated,
    /// The input breaks the rules of its encoding.
    Corrupt,
    /// All was decoded, and the checksum or the length at the end is another one.
    ChecksumMismatch,
    /// More came out than [`DecodeLimits::max_ratio`](super::DecodeLimits::max_ratio) allows.
    RatioExceeded,
    /// Well-formed as far as can be told, but in need of a dictionary or of more than 128 MiB of window.
    Unsupported,
    /// The reader underneath failed; the cause is the error's source.
    Read,
}

impl CodecError {
    /// What happened.
    pub fn kind(&self) -> CodecErrorKind {
        self.kind
    }

    /// The codec that noticed; [`Codec::Plain`] for the reader itself and for chunked framing.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How many bytes of the file were consumed when it was noticed. Exact for the outermost encoding, an upper
    /// bound (by one buffer) for what is nested in it.
    pub fn compressed_offset(&self) -> u64 {
        self.compressed
    }

    /// How many decoded bytes were handed out before.
    pub fn decoded_offset(&self) -> u64 {
        self.decoded
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.kind, self.codec) {
            (CodecErrorKind::Read, _) => "reading failed".to_owned(),
            (CodecErrorKind::Truncated, Codec::Plain) => "the body is cut off".to_owned(),
            (CodecErrorKind::Corrupt, Codec::Plain) => "the chunked framing is broken".to_owned(),
            (CodecErrorKind::Truncated, codec) => format!("the {codec} data is cut off"),
            (CodecErrorKind::Corrupt, codec) => format!("the {codec} data is damaged"),
            (CodecErrorKind::ChecksumMismatch, codec) => format!("the {codec} checksum does not match"),
            (CodecErrorKind::RatioExceeded, codec) => {
                format!(
                    "the {codec} data expands beyond the allowed ratio (raise the limit if it is trusted)"
                )
            }
            (CodecErrorKind::Unsupported, codec) => {
                format!("the {codec} data needs a dictionary or a window that is not supported")
            }
        };
        write!(f, "{what} at byte {} of the file, after {} decoded bytes", self.compressed, self.decoded)
    }
}

impl error::Error for CodecError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.io.as_ref().map(|io| io as &(dyn error::Error + 'static))
    }
}

/// An error without its offsets, which only [`Decoder`](super::Decoder) knows.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) codec: Codec,
    pub(super) kind: CodecErrorKind,
    pub(super) io: Option<io::Error>,
}

impl Failure {
    pub(super) fn new(codec: Codec, kind: CodecErrorKind) -> Self {
        Self { codec, kind, io: None }
    }

    pub(super) fn read(io: io::Error) -> Self {
        Self { codec: Codec::Plain, kind: CodecErrorKind::Read, io: Some(io) }
    }
}
