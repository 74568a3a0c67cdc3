//! Zstandard: any number of frames, skippable ones and zero padding between them.

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode as ErrorCode;
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer};

use super::CodecErrorKind;
use super::engine::{Next, Step};

/// The first bytes of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The first bytes of a skippable frame; the low half of the first byte is free.
const SKIPPABLE: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];
/// The size of a block header, which the library's hints count in advance.
const BLOCK_HEADER: usize = 3;

/// Decoder of a zstd file.
pub(super) struct Zstd {
    inner: DCtx<'static>,
    state: State,
    frames: u64,
    trailing: u64,
}

#[derive(Clone, Copy)]
enum State {
    /// Before a frame, with `at` bytes of its magic number seen.
    Magic { at: u8, bytes: [u8; 4] },
    /// Inside a frame; the library waits for about `hint` bytes.
    Frame { hint: usize },
    /// After the last frame.
    Garbage,
}

impl Zstd {
    pub(super) fn new() -> Self {
        Self { inner: DCtx::create(), state: State::Magic { at: 0, bytes: [0; 4] }, frames: 0, trailing: 0 }
    }

    pub(super) fn is_past_the_end(&self) -> bool {
        matches!(self.state, State::Garbage)
    }

    pub(super) fn trailing(&self) -> u64 {
        self.trailing
    }

    pub(super) fn step(&mut self, input: &[u8], eof: bool, out: &mut [u8]) -> Step {
        let (mut consumed, mut produced) = (0, 0);
        loop {
            let rest = &input[consumed..];
            match self.state {
                State::Magic { at, mut bytes } => {
                    let Some(&byte) = rest.first() else { break };
                    if at == 0 && self.frames > 0 {
                        if byte == 0 {
                            consumed += 1;
                            self.trailing += 1;
                            continue;
                        }
                        let start = &rest[..rest.len().min(bytes.len())];
                        if !is_magic(start) {
                            self.state = State::Garbage;
                            continue;
                        }
                        if start.len() < bytes.len() && !eof {
                            // More of it tells; what is none is not to be taken.
                            break;
                        }
                    }
                    consumed += 1;
                    bytes[usize::from(at)] = byte;
                    let at = at + 1;
                    if !is_magic(&bytes[..usize::from(at)]) {
                        return Step { consumed, produced, next: Next::Fail(CodecErrorKind::Corrupt) };
                    }
                    if at < 4 {
                        self.state = State::Magic { at, bytes };
                    } else {
                        // What came before was padding between frames.
                        self.trailing = 0;
                        self.state = State::Frame { hint: 0 };
                        if let Err(kind) = self.feed(&bytes, &mut []) {
                            return Step { consumed, produced, next: Next::Fail(kind) };
                        }
                    }
                }
                State::Frame { hint } => {
                    // One block at a time: on an error the library forgets to say what it wrote before.
                    let piece = if hint > BLOCK_HEADER { hint - BLOCK_HEADER } else { hint.max(1) };
                    let piece = &rest[..rest.len().min(piece)];
                    match self.feed(piece, &mut out[produced..]) {
                        Ok((0, 0)) if matches!(self.state, State::Frame { .. }) => break,
                        Ok((taken, given)) => {
                            consumed += taken;
                            produced += given;
                        }
                        Err(kind) => return Step { consumed, produced, next: Next::Fail(kind) },
                    }
                    if produced == out.len() {
                        break;
                    }
                }
                State::Garbage => {
                    self.trailing += rest.len() as u64;
                    consumed = input.len();
                    break;
                }
            }
        }
        let next = match self.state {
            _ if !eof || produced > 0 || consumed < input.len() => Next::More,
            State::Garbage => Next::End,
            State::Magic { at: 0, .. } if self.frames > 0 => Next::End,
            _ => Next::Fail(CodecErrorKind::Truncated),
        };
        Step { consumed, produced, next }
    }

    /// One call of the library; returns how much it took and gave.
    fn feed(&mut self, piece: &[u8], out: &mut [u8]) -> Result<(usize, usize), CodecErrorKind> {
        let mut input = InBuffer::around(piece);
        let mut output = OutBuffer::around(out);
        let hint = self.inner.decompress_stream(&mut output, &mut input).map_err(kind_of)?;
        if hint == 0 {
            self.frames += 1;
            self.state = State::Magic { at: 0, bytes: [0; 4] };
        } else {
            self.state = State::Frame { hint };
        }
        Ok((input.pos(), output.pos()))
    }
}

/// Whether `bytes` (at most four) can be the start of a frame.
pub(super) fn is_magic(bytes: &[u8]) -> bool {
    let skippable = |(at, (&byte, &magic)): (usize, (&u8, &u8))| {
        if at == 0 { byte & 0xf0 == magic } else { byte == magic }
    };
    MAGIC.starts_with(bytes) || bytes.iter().zip(&SKIPPABLE).enumerate().all(skippable)
}

fn kind_of(code: usize) -> CodecErrorKind {
    // The library returns its error numbers negated.
    let code = 0usize.wrapping_sub(code);
    let is = |other: ErrorCode| code == other as usize;
    if is(ErrorCode::ZSTD_error_checksum_wrong) {
        CodecErrorKind::ChecksumMismatch
    } else if is(ErrorCode::ZSTD_error_frameParameter_windowTooLarge)
        || is(ErrorCode::ZSTD_error_frameParameter_unsupported)
        || is(ErrorCode::ZSTD_error_dictionary_wrong)
    {
        CodecErrorKind::Unsupported
    } else {
        CodecErrorKind::Corrupt
    }
}
