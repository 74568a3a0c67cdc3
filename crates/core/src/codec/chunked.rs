//! HTTP/1.1 chunked framing (RFC 9112, section 7.1) that was left in a saved body.

use super::CodecErrorKind;
use super::engine::{Next, Step};
use super::http::HTTP;

/// Remover of chunked framing.
pub(super) struct Chunked {
    state: State,
    trailing: u64,
}

#[derive(Clone, Copy)]
enum State {
    /// In the hexadecimal size of a chunk, with `digits` of them seen.
    Size {
        size: u64,
        digits: u8,
    },
    /// In what follows the size: blanks, an extension, a carriage return.
    Extension {
        size: u64,
    },
    Data {
        left: u64,
    },
    /// After the data of a chunk: the end of its line.
    DataEnd {
        carriage_return: bool,
    },
    /// After the last chunk: trailer fields up to an empty line.
    Trailer {
        empty: bool,
    },
    Garbage,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self { state: State::Size { size: 0, digits: 0 }, trailing: 0 }
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
            let Some(&byte) = rest.first() else { break };
            match self.state {
                State::Data { left } => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX);
                    let n = rest.len().min(out.len() - produced).min(most);
                    if n == 0 {
                        break;
                    }
                    out[produced..produced + n].copy_from_slice(&rest[..n]);
                    consumed += n;
                    produced += n;
                    let left = left - n as u64;
                    self.state = if left == 0 {
                        State::DataEnd { carriage_return: false }
                    } else {
                        State::Data { left }
                    };
                }
                // The empty line is missing: no field has such a name.
                State::Trailer { empty: true } if rest.starts_with(HTTP) => self.state = State::Garbage,
                State::Trailer { empty: true } if HTTP.starts_with(rest) && !eof => break,
                State::Garbage => {
                    self.trailing += rest.len() as u64;
                    consumed = input.len();
                }
                _ => {
                    consumed += 1;
                    match self.framing_byte(byte) {
                        Some(state) => self.state = state,
                        None => {
                            return Step { consumed, produced, next: Next::Fail(CodecErrorKind::Corrupt) };
                        }
                    }
                }
            }
        }
        let next = match self.state {
            _ if !eof || produced > 0 || consumed < input.len() => Next::More,
            // Nothing of the body is missing where the last line ends are.
            State::Garbage
            | State::Trailer { .. }
            | State::Extension { size: 0 }
            | State::Size { size: 0, digits: 1.. } => Next::End,
            _ => Next::Fail(CodecErrorKind::Truncated),
        };
        Step { consumed, produced, next }
    }

    /// The state after one byte of framing; `None` where it is broken.
    fn framing_byte(&self, byte: u8) -> Option<State> {
        let state = self.state;
        Some(match (state, byte) {
            (State::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == 16 {
                    return None;
                }
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                State::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
            }
            (State::Size { digits: 0, .. }, _) => return None,
            (State::Size { size, .. } | State::Extension { size }, b'\n') => match size {
                0 => State::Trailer { empty: true },
                left => State::Data { left },
            },
            (State::Size { size, .. }, b'\r' | b';' | b' ' | b'\t') => State::Extension { size },
            (State::Extension { .. }, _) => state,
            (State::DataEnd { carriage_return: false }, b'\r') => State::DataEnd { carriage_return: true },
            (State::DataEnd { .. }, b'\n') => State::Size { size: 0, digits: 0 },
            (State::Trailer { empty: true }, b'\n') => State::Garbage,
            (State::Trailer { empty }, b'\r') => State::Trailer { empty },
            (State::Trailer { .. }, _) => State::Trailer { empty: byte == b'\n' },
            _ => return None,
        })
    }
}

/// Whether `body` starts as a chunked body does: a size line, and where all of the first chunk is there, the end
/// of its line. Bodies that were de-chunked when they were saved keep the header, so the header proves nothing.
pub(super) fn looks_chunked(body: &[u8]) -> bool {
    let Some(line_end) = body.iter().take(256).position(|&byte| byte == b'\n') else { return false };
    let line = body[..line_end].strip_suffix(b"\r").unwrap_or(&body[..line_end]);
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if !(1..=16).contains(&digits) || !matches!(line.get(digits), None | Some(b';' | b' ' | b'\t')) {
        return false;
    }
    let size = line[..digits]
        .iter()
        .fold(0u64, |size, &byte| size << 4 | u64::from(char::from(byte).to_digit(16).unwrap_or(0)));
    let after = usize::try_from(size).ok().and_then(|size| (line_end + 1).checked_add(size));
    size == 0
        || match after.and_then(|at| body.get(at..)) {
            None | Some([]) => true,
            Some(after) => matches!(after, [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..]),
        }
}
