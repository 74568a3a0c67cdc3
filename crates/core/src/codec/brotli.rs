//! Brotli streams.

use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, HeapAlloc, HuffmanCode, SliceWrapper};

use super::CodecErrorKind;
use super::engine::{Next, Step};

type Inner = BrotliState<HeapAlloc<u8>, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>;

/// Decoder of one brotli stream and of whatever follows it.
pub(super) struct Brotli {
    inner: Inner,
    total_out: usize,
    state: State,
    trailing: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Body,
    /// The stream is broken; what its window still holds is given out first.
    Broken,
    Ended,
}

impl Brotli {
    pub(super) fn new() -> Self {
        // Strict: the "large window" extension, which HTTP does not have, could ask for a gigabyte.
        let inner = Inner::new_strict(HeapAlloc::default(), HeapAlloc::default(), HeapAlloc::default());
        Self { inner, total_out: 0, state: State::Body, trailing: 0 }
    }

    pub(super) fn ended(&self) -> bool {
        self.state == State::Ended
    }

    pub(super) fn trailing(&self) -> u64 {
        self.trailing
    }

    pub(super) fn step(&mut self, input: &[u8], eof: bool, out: &mut [u8]) -> Step {
        let (mut consumed, mut produced) = (0, 0);
        let mut next = Next::More;
        if self.state == State::Body {
            let (mut available_in, mut available_out) = (input.len(), out.len());
            let result = BrotliDecompressStream(
                &mut available_in,
                &mut consumed,
                input,
                &mut available_out,
                &mut produced,
                out,
                &mut self.total_out,
                &mut self.inner,
            );
            match result {
                BrotliResult::ResultSuccess => self.state = State::Ended,
                BrotliResult::ResultFailure => self.state = State::Broken,
                BrotliResult::NeedsMoreInput if eof && produced == 0 => {
                    next = Next::Fail(CodecErrorKind::Truncated);
                }
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            }
        }
        match self.state {
            State::Body => {}
            State::Broken => {
                produced += self.drain_window(&mut out[produced..]);
                if produced < out.len() {
                    next = Next::Fail(CodecErrorKind::Corrupt);
                }
            }
            State::Ended => {
                self.trailing += (input.len() - consumed) as u64;
                consumed = input.len();
                if eof {
                    next = Next::End;
                }
            }
        }
        Step { consumed, produced, next }
    }

    /// Copies out what was decoded but not written before the failure: the library writes only when its window
    /// is full or its input is used up.
    fn drain_window(&mut self, out: &mut [u8]) -> usize {
        let state = &mut self.inner;
        let (Ok(size), Ok(end)) = (usize::try_from(state.ringbuffer_size), usize::try_from(state.pos)) else {
            return 0;
        };
        let window = state.ringbuffer.slice();
        let Some(start) = state.partial_pos_out.checked_sub(state.rb_roundtrips.saturating_mul(size)) else {
            return 0;
        };
        let Some(left) = window.get(start..end) else { return 0 };
        let n = left.len().min(out.len());
        out[..n].copy_from_slice(&left[..n]);
        state.partial_pos_out += n;
        n
    }
}
