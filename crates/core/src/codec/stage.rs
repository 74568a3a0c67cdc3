//! Layers of decoding, each an engine with the buffer it reads from, pulled from the top.

use std::io::{ErrorKind, Read};

use super::engine::{Engine, Next};
use super::error::Failure;
use super::following::{Among, Following, STATUS_LINE, head_in, stream_in};
use super::{CodecErrorKind, DecodeLimits};

/// The size of a layer's buffer, and so the most that HTTP heads may take.
const BUFFER: usize = 64 << 10;

/// The bytes that a layer has yet to decode.
pub(super) struct Input {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// How many bytes were taken out.
    pub(super) taken: u64,
    pub(super) eof: bool,
    /// What the layer below met; due when the bytes before it are used up.
    failure: Option<Failure>,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            taken: 0,
            eof: false,
            failure: None,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn take(&mut self, n: usize) {
        self.start += n;
        self.taken += n as u64;
    }

    /// Whether no more bytes can be had, or there is no room for them.
    pub(super) fn at_end(&self) -> bool {
        self.eof || self.failure.is_some() || self.bytes().len() == self.buffer.len()
    }

    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// How many of the bytes that are there, at most `most`, stand in front of what else may begin among them: 0 where it begins,
    /// `None` where there are too few to tell.
    pub(super) fn before_next(&self, among: Among, most: usize) -> Option<usize> {
        let all = self.bytes();
        let bytes = &all[..all.len().min(most.saturating_add(STATUS_LINE))];
        let is_last = self.at_end() && bytes.len() == all.len();
        let next = [head_in(bytes, among), stream_in(bytes, among)]
            .into_iter()
            // What may begin at the end does not.
            .filter(|next| !(is_last && matches!(next, Following::Perhaps(_))))
            .reduce(Following::or_before);
        let len = match next {
            Some(Following::Perhaps(0)) => return None,
            Some(Following::At(at) | Following::Perhaps(at)) => at,
            _ if bytes.is_empty() => return None,
            _ => bytes.len(),
        };
        Some(len.min(most))
    }

    /// Reads once from the layers below.
    pub(super) fn fill<R: Read>(&mut self, reader: &mut R, below: &mut [Stage], limits: &DecodeLimits) {
        if self.at_end() {
            return;
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match pull(reader, below, limits, &mut self.buffer[self.end..]) {
            Ok(0) => self.eof = true,
            Ok(n) => self.end += n,
            Err(failure) => self.failure = Some(failure),
        }
    }
}

/// One layer.
pub(super) struct Stage {
    pub(super) input: Input,
    pub(super) engine: Engine,
    /// How many bytes come through a layer that decodes nothing, where that is known.
    length: Option<u64>,
    produced: u64,
    /// How much the input had expanded to before this layer began: limits are on all of it.
    before: u64,
    done: bool,
    /// Where the data end with something else: what they are.
    until_next: Option<Among>,
    /// Whether the input goes on where the data ended.
    goes_on: bool,
    /// Bytes that the engine took for trailing ones and that were given back.
    given_back: u64,
    failure: Option<CodecErrorKind>,
}

impl Stage {
    pub(super) fn new(input: Input, engine: Engine) -> Self {
        Self {
            input,
            engine,
            length: None,
            produced: 0,
            before: 0,
            done: false,
            until_next: None,
            goes_on: false,
            given_back: 0,
            failure: None,
        }
    }

    /// A layer that begins where the input had expanded to `before` bytes.
    pub(super) fn behind(before: u64, input: Input, engine: Engine) -> Self {
        Self { before, ..Self::new(input, engine) }
    }

    /// The bytes as they are, `length` of them.
    pub(super) fn plain(input: Input, length: Option<u64>) -> Self {
        Self { length, ..Self::new(input, Engine::Pass) }
    }

    /// The bytes as they are, up to what else begins among them.
    pub(super) fn until_next(input: Input, among: Among) -> Self {
        Self { until_next: Some(among), ..Self::plain(input, None) }
    }

    /// Whether the data ended before the input did, as far as one can see.
    pub(super) fn goes_on(&self) -> bool {
        self.done && self.goes_on
    }

    /// Whether what it reads breaks the rules or off, and something else may follow.
    pub(super) fn is_damaged(&self) -> bool {
        self.failure.is_some_and(|kind| kind != CodecErrorKind::RatioExceeded)
    }

    /// How much its input has expanded to.
    pub(super) fn expanded(&self) -> u64 {
        if self.engine.expands() { self.produced } else { 0 }
    }

    /// Whether fewer bytes came than were said to be there.
    pub(super) fn is_short(&self) -> bool {
        self.length.is_some_and(|length| self.produced < length)
    }

    /// Ignored bytes after the end of the data.
    pub(super) fn trailing(&self) -> u64 {
        self.engine.trailing() - self.given_back
    }
}

/// Reads decoded bytes from the topmost of `stages` (or the bare reader); 0 is the end.
pub(super) fn pull<R: Read>(
    reader: &mut R,
    stages: &mut [Stage],
    limits: &DecodeLimits,
    out: &mut [u8],
) -> Result<usize, Failure> {
    let Some((top, below)) = stages.split_last_mut() else { return read(reader, out) };
    loop {
        if let Some(kind) = top.failure {
            return Err(Failure::new(top.engine.codec(), kind));
        }
        if top.done {
            return Ok(0);
        }
        let left = top.length.map_or(u64::MAX, |length| length - top.produced);
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        if room == 0 {
            (top.done, top.goes_on) = (true, true);
            return Ok(0);
        }
        let out = &mut out[..room];
        if let Some(among) = top.until_next.filter(|_| !top.input.bytes().is_empty() || !top.input.at_end()) {
            match top.input.before_next(among, out.len()) {
                None => top.input.fill(reader, below, limits),
                Some(0) => (top.done, top.goes_on) = (true, true),
                Some(len) => {
                    out[..len].copy_from_slice(&top.input.bytes()[..len]);
                    top.until_next = Some(among.behind(out[len - 1]));
                    top.input.take(len);
                    top.produced += len as u64;
                    return Ok(len);
                }
            }
            continue;
        }
        if matches!(top.engine, Engine::Pass) && top.input.bytes().is_empty() && !top.input.at_end() {
            // Nothing to decode and nothing buffered: straight into the caller's memory.
            let n = pull(reader, below, limits, out)?;
            top.input.taken += n as u64;
            top.produced += n as u64;
            top.done = n == 0;
            return Ok(n);
        }
        let trailing = top.engine.trailing();
        let step = top.engine.step(top.input.bytes(), top.input.eof, out);
        let mut consumed = step.consumed;
        if top.engine.is_past_the_end() {
            // Something else may begin there.
            let more = (top.engine.trailing() - trailing).min(consumed as u64);
            consumed -= more as usize;
            top.given_back += more;
            (top.done, top.goes_on) = (true, true);
        }
        top.input.take(consumed);
        top.produced += step.produced as u64;
        match step.next {
            Next::More => {}
            Next::End => top.done = true,
            Next::Fail(kind) => top.failure = Some(kind),
        }
        if top.engine.expands() {
            let compressed = below.first().map_or(top.input.taken, |bottom| bottom.input.taken);
            if limits.exceeded(compressed, top.before + top.produced) {
                top.failure = Some(CodecErrorKind::RatioExceeded);
            }
        }
        if step.produced > 0 {
            return Ok(step.produced);
        }
        if top.done || top.failure.is_some() || step.consumed > 0 {
            continue;
        }
        if !top.input.at_end() {
            top.input.fill(reader, below, limits);
        } else if let Some(failure) = top.input.take_failure() {
            return Err(failure);
        } else if !top.input.bytes().is_empty() {
            // Not reached by any known input; it must not become an endless loop.
            top.failure = Some(CodecErrorKind::Corrupt);
        } else {
            top.failure = Some(CodecErrorKind::Truncated);
        }
    }
}

fn read<R: Read>(reader: &mut R, out: &mut [u8]) -> Result<usize, Failure> {
    loop {
        match reader.read(out) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other.map_err(Failure::read),
        }
    }
}
