//! gzip: any number of members, zero padding, garbage after the last one.
//!
//! Headers and trailers are read here rather than by the decompressor, so that members and what lies between
//! them, damage and a mere wrong checksum, are told apart wherever a buffer happens to end.

use flate2::{Crc, Decompress, Status};

use super::CodecErrorKind;
use super::engine::{Next, Step};
use super::inflate::run;

const FLAG_HEADER_CRC: u8 = 0x02;
const FLAG_EXTRA: u8 = 0x04;
const FLAG_NAME: u8 = 0x08;
const FLAG_COMMENT: u8 = 0x10;
const FLAGS_RESERVED: u8 = 0xe0;

/// The first bytes of every member: magic number and the one method there is.
pub(super) const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Decoder of a gzip file.
pub(super) struct Gzip {
    inner: Decompress,
    crc: Crc,
    state: State,
    flags: u8,
    length: u32,
    members: u64,
    trailing: u64,
}

/// Where in a member the next byte stands.
#[derive(Clone, Copy)]
enum State {
    /// Byte `at` of the ten fixed ones; at 0 after a member, also padding.
    Fixed {
        at: u8,
    },
    ExtraLength {
        at: u8,
        length: u16,
    },
    Extra {
        left: u16,
    },
    Name,
    Comment,
    HeaderCrc {
        at: u8,
    },
    Body,
    Trailer {
        at: u8,
        bytes: [u8; 8],
    },
    /// After the last member.
    Garbage,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            inner: Decompress::new(false),
            crc: Crc::new(),
            state: State::Fixed { at: 0 },
            flags: 0,
            length: 0,
            members: 0,
            trailing: 0,
        }
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
                State::Body => {
                    let run = run(&mut self.inner, rest, &mut out[produced..]);
                    self.crc.update(&out[produced..produced + run.produced]);
                    self.length = self.length.wrapping_add(run.produced as u32);
                    consumed += run.consumed;
                    produced += run.produced;
                    match run.outcome {
                        Ok(Status::StreamEnd) => self.state = State::Trailer { at: 0, bytes: [0; 8] },
                        Ok(_) if run.consumed == 0 && run.produced == 0 => break,
                        Ok(_) if produced == out.len() => break,
                        Ok(_) => {}
                        Err(kind) => return Step { consumed, produced, next: Next::Fail(kind) },
                    }
                }
                State::Garbage => {
                    self.trailing += rest.len() as u64;
                    consumed = input.len();
                    break;
                }
                State::Fixed { at: 0 } if self.members > 0 => {
                    let zeros = rest.iter().position(|&byte| byte != 0).unwrap_or(rest.len());
                    self.trailing += zeros as u64;
                    consumed += zeros;
                    let rest = &input[consumed..];
                    let may_be_magic = rest.starts_with(&MAGIC) || MAGIC.starts_with(rest);
                    if rest.is_empty() || may_be_magic && rest.len() < MAGIC.len() && !eof {
                        // More of it tells; what is none is not to be taken.
                        break;
                    }
                    self.state = if may_be_magic { State::Fixed { at: 1 } } else { State::Garbage };
                    consumed += usize::from(may_be_magic);
                }
                _ => {
                    let Some(&byte) = rest.first() else { break };
                    consumed += 1;
                    if let Err(kind) = self.header_byte(byte) {
                        return Step { consumed, produced, next: Next::Fail(kind) };
                    }
                }
            }
        }
        let next = match self.state {
            _ if !eof || produced > 0 || consumed < input.len() => Next::More,
            State::Garbage => Next::End,
            State::Fixed { at: 0 } if self.members > 0 => Next::End,
            _ => Next::Fail(CodecErrorKind::Truncated),
        };
        Step { consumed, produced, next }
    }

    /// Takes one byte of a header or trailer.
    fn header_byte(&mut self, byte: u8) -> Result<(), CodecErrorKind> {
        self.state = match self.state {
            State::Fixed { at } if at < 3 => {
                if byte != MAGIC[usize::from(at)] {
                    return Err(CodecErrorKind::Corrupt);
                }
                State::Fixed { at: at + 1 }
            }
            State::Fixed { at: 3 } => {
                if byte & FLAGS_RESERVED != 0 {
                    return Err(CodecErrorKind::Corrupt);
                }
                self.flags = byte;
                // What came before was padding between members.
                self.trailing = 0;
                State::Fixed { at: 4 }
            }
            State::Fixed { at: 9 } => self.after_fixed(),
            State::Fixed { at } => State::Fixed { at: at + 1 },
            State::ExtraLength { at: 0, .. } => State::ExtraLength { at: 1, length: u16::from(byte) },
            State::ExtraLength { length, .. } => match length | u16::from(byte) << 8 {
                0 => self.after_extra(),
                left => State::Extra { left },
            },
            State::Extra { left: 1 } => self.after_extra(),
            State::Extra { left } => State::Extra { left: left - 1 },
            State::Name if byte == 0 => self.after_name(),
            State::Comment if byte == 0 => self.after_comment(),
            State::HeaderCrc { at: 0 } => State::HeaderCrc { at: 1 },
            State::HeaderCrc { .. } => State::Body,
            State::Trailer { at, mut bytes } => {
                bytes[usize::from(at)] = byte;
                if at < 7 { State::Trailer { at: at + 1, bytes } } else { self.finish_member(bytes)? }
            }
            same @ (State::Name | State::Comment | State::Body | State::Garbage) => same,
        };
        Ok(())
    }

    fn after_fixed(&self) -> State {
        if self.flags & FLAG_EXTRA != 0 {
            State::ExtraLength { at: 0, length: 0 }
        } else {
            self.after_extra()
        }
    }

    fn after_extra(&self) -> State {
        if self.flags & FLAG_NAME != 0 { State::Name } else { self.after_name() }
    }

    fn after_name(&self) -> State {
        if self.flags & FLAG_COMMENT != 0 { State::Comment } else { self.after_comment() }
    }

    fn after_comment(&self) -> State {
        if self.flags & FLAG_HEADER_CRC != 0 { State::HeaderCrc { at: 0 } } else { State::Body }
    }

    fn finish_member(&mut self, bytes: [u8; 8]) -> Result<State, CodecErrorKind> {
        let [c0, c1, c2, c3, l0, l1, l2, l3] = bytes;
        let same = u32::from_le_bytes([c0, c1, c2, c3]) == self.crc.sum()
            && u32::from_le_bytes([l0, l1, l2, l3]) == self.length;
        if !same {
            return Err(CodecErrorKind::ChecksumMismatch);
        }
        self.members += 1;
        self.length = 0;
        self.crc.reset();
        self.inner.reset(false);
        Ok(State::Fixed { at: 0 })
    }
}
