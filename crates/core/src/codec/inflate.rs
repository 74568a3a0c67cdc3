//! zlib and raw deflate streams.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

use super::engine::{Next, Step};
use super::{Codec, CodecErrorKind};

/// Decoder of one zlib or raw deflate stream and of whatever follows it.
pub(super) struct Inflate {
    inner: Decompress,
    zlib: bool,
    ended: bool,
    trailing: u64,
}

impl Inflate {
    pub(super) fn new(zlib: bool) -> Self {
        Self { inner: Decompress::new(zlib), zlib, ended: false, trailing: 0 }
    }

    pub(super) fn codec(&self) -> Codec {
        if self.zlib { Codec::Zlib } else { Codec::Deflate }
    }

    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    pub(super) fn trailing(&self) -> u64 {
        self.trailing
    }

    pub(super) fn step(&mut self, input: &[u8], eof: bool, out: &mut [u8]) -> Step {
        let (mut consumed, mut produced) = (0, 0);
        let mut next = Next::More;
        if !self.ended {
            let run = run(&mut self.inner, input, out);
            (consumed, produced) = (run.consumed, run.produced);
            match run.outcome {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) if eof && consumed == input.len() && produced == 0 => {
                    next = Next::Fail(CodecErrorKind::Truncated);
                }
                Ok(_) => {}
                Err(kind) => next = Next::Fail(kind),
            }
        }
        if self.ended {
            self.trailing += (input.len() - consumed) as u64;
            consumed = input.len();
            if eof {
                next = Next::End;
            }
        }
        Step { consumed, produced, next }
    }
}

/// One call of the decompressor.
pub(super) struct Run {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) outcome: Result<Status, CodecErrorKind>,
}

/// Calls `inner` once, and counts what it took and gave, also where it fails.
pub(super) fn run(inner: &mut Decompress, input: &[u8], out: &mut [u8]) -> Run {
    let (total_in, total_out) = (inner.total_in(), inner.total_out());
    let outcome = inner.decompress(input, out, FlushDecompress::None).map_err(|error| kind_of(&error));
    Run {
        consumed: (inner.total_in() - total_in) as usize,
        produced: (inner.total_out() - total_out) as usize,
        outcome,
    }
}

fn kind_of(error: &DecompressError) -> CodecErrorKind {
    if error.needs_dictionary().is_some() {
        CodecErrorKind::Unsupported
    } else if error.message() == Some("incorrect data check") {
        CodecErrorKind::ChecksumMismatch
    } else {
        CodecErrorKind::Corrupt
    }
}
