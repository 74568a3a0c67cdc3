//! What the layers of one input share, and the small readers between them.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::path::Path;
use std::{error, fmt};

use korpus_core::{Decoder, InputEnd, Limits};
use twox_hash::XxHash3_128;

use super::{BlockSink, Stopped, end_of};
use crate::error::EngineError;

/// How many bytes of a stream tell whether it is a container.
pub(super) const PEEK: usize = 1024;

/// What the layers of one input share: how much of it was read, what that has become, and why the system failed to read.
pub(super) struct Wire {
    read: Cell<u64>,
    told: Cell<u64>,
    /// Of an input that is read by position: however often, it has no more bytes than these.
    size: Cell<Option<u64>>,
    spent: Cell<u64>,
    /// How often something was left or cut for what stands around it.
    cuts: Cell<u64>,
    failed: RefCell<Option<String>>,
    /// Why a temporary file cannot be read any more.
    own_failure: RefCell<Option<EngineError>>,
    ratio: u64,
    ratio_floor: u64,
}

impl Wire {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            read: Cell::new(0),
            told: Cell::new(0),
            size: Cell::new(None),
            spent: Cell::new(0),
            cuts: Cell::new(0),
            failed: RefCell::new(None),
            own_failure: RefCell::new(None),
            ratio: limits.ratio,
            ratio_floor: limits.ratio_floor,
        }
    }

    /// Counts bytes of the input itself.
    pub(super) fn count(&self, bytes: u64) {
        self.read.set(self.read.get() + bytes);
    }

    /// Says that the input is read by position, and how large it is.
    pub(super) fn set_size(&self, size: u64) {
        self.size.set(Some(size));
    }

    /// Bytes of the input itself that were read.
    pub(super) fn read(&self) -> u64 {
        self.size.get().map_or(self.read.get(), |size| self.read.get().min(size))
    }

    /// Says how much was read since the last time; ends the run where a temporary file failed.
    pub(super) fn tell(&self, sink: &mut impl BlockSink) -> Result<(), Stopped> {
        if let Some(error) = self.own_failure.take() {
            return Err(sink.fail(error));
        }
        let read = self.read();
        let new = read - self.told.replace(read);
        sink.read(new)
    }

    /// Counts bytes that came out of archives and codecs. Whether they are more than the input may become.
    pub(super) fn spend(&self, bytes: u64) -> bool {
        self.spent.set(self.spent.get() + bytes);
        self.is_spent()
    }

    /// Whether more came out than the input may become: whatever is read then is cut.
    pub(super) fn is_spent(&self) -> bool {
        let from = self.size.get().unwrap_or(self.read.get());
        let is_spent =
            self.spent.get() > self.ratio_floor && self.spent.get() > from.saturating_mul(self.ratio);
        if is_spent {
            self.cut();
        }
        is_spent
    }

    /// Notes that something is left or cut, for where it stands.
    pub(super) fn cut(&self) {
        self.cuts.set(self.cuts.get() + 1);
    }

    /// How often something was left or cut for where it stands: the numbers before and after tell whether it was in between.
    pub(super) fn cuts(&self) -> u64 {
        self.cuts.get()
    }

    /// Notes that the system failed to read.
    pub(super) fn note(&self, error: &io::Error) {
        if error.kind() != io::ErrorKind::Interrupted {
            *self.failed.borrow_mut() = Some(error.to_string());
        }
    }

    /// Notes that a temporary file in `dir` cannot be read: no fault of the input, so the run ends.
    pub(super) fn note_own(&self, error: &io::Error, dir: &Path) {
        if error.kind() != io::ErrorKind::Interrupted {
            let error = io::Error::new(error.kind(), error.to_string());
            let error = EngineError::io("read a temporary file in", dir, error);
            self.own_failure.borrow_mut().get_or_insert(error);
        }
    }

    /// What the system said, where it failed to read.
    pub(super) fn failed(&self) -> Option<String> {
        self.failed.borrow().clone()
    }
}

/// How a stream broke: the cause of an [`io::Error`], so that it travels with it, through whatever buffers errors.
#[derive(Debug)]
struct Broken(InputEnd);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("damaged")
    }
}

impl error::Error for Broken {}

/// The error for a stream that breaks.
pub(super) fn broken(end: InputEnd) -> io::Error {
    io::Error::other(Broken(end))
}

/// How the stream broke that gave this error; `None` where the system, or another reader, failed.
pub(super) fn end_in(error: &io::Error) -> Option<InputEnd> {
    error.get_ref()?.downcast_ref::<Broken>().map(|broken| broken.0)
}

/// The input itself: counts what is read, and notes why reading failed.
pub(super) struct Tap<'w, R> {
    pub(super) reader: R,
    pub(super) wire: &'w Wire,
}

impl<R: Read> Read for Tap<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let outcome = self.reader.read(out);
        match &outcome {
            Ok(len) => self.wire.count(*len as u64),
            Err(error) => self.wire.note(error),
        }
        outcome
    }
}

/// A reader whose bytes come out of an archive, and count though nobody reads them.
pub(super) struct Spending<'w, R> {
    pub(super) reader: R,
    pub(super) wire: &'w Wire,
}

impl<R: Read> Read for Spending<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(out)?;
        if self.wire.spend(len as u64) { Err(broken(InputEnd::RatioExceeded)) } else { Ok(len) }
    }
}

/// A reader that hashes what passes through it.
pub(super) struct Hashing<'r> {
    reader: &'r mut dyn Read,
    hasher: XxHash3_128,
    pub(super) bytes: u64,
}

impl<'r> Hashing<'r> {
    pub(super) fn new(reader: &'r mut dyn Read) -> Self {
        Self { reader, hasher: XxHash3_128::new(), bytes: 0 }
    }

    pub(super) fn hash(&self) -> u128 {
        self.hasher.finish_128()
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(out)?;
        self.hasher.write(&out[..len]);
        self.bytes += len as u64;
        Ok(len)
    }
}

/// A reader whose first bytes were looked at already.
pub(super) struct Peeked<R> {
    start: [u8; PEEK],
    at: usize,
    len: usize,
    /// What reading the first bytes ended with; due after them.
    error: Option<io::Error>,
    pub(super) reader: R,
}

impl<R: Read> Peeked<R> {
    pub(super) fn new(mut reader: R) -> Self {
        let (mut start, mut len, mut error) = ([0; PEEK], 0, None);
        while len < PEEK {
            match reader.read(&mut start[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(other) if other.kind() == io::ErrorKind::Interrupted => {}
                Err(other) => {
                    error = Some(other);
                    break;
                }
            }
        }
        Self { start, at: 0, len, error, reader }
    }

    /// The first bytes: all of them, or as many as tell.
    pub(super) fn start(&self) -> &[u8] {
        &self.start[self.at..self.len]
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let start = self.start();
        if !start.is_empty() {
            let len = start.len().min(out.len());
            out[..len].copy_from_slice(&start[..len]);
            self.at += len;
            return Ok(len);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.reader.read(out),
        }
    }
}

/// What comes out of a codec, as a reader.
pub(super) struct Decoded<R>(pub(super) Decoder<R>);

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| broken(end_of(&error)))
    }
}

/// A stream that ends with a fault.
pub(super) struct Cut(pub(super) InputEnd);

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(broken(self.0))
    }
}
