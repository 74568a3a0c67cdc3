//! One input on its way to the parser: opened, hashed, decoded, cut into blocks.

#[cfg(test)]
mod tests;

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use korpus_core::{
    Block, Codec, CodecError, CodecErrorKind, DecodeLimits, Decoder, InputEnd, Limits, NotWhole, PageParser,
    WholeDecoder,
};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::inputs::{InputInfo, InputKind};
use crate::ledger::{InputReport, InputStatus};
use crate::mmap::Mapped;

/// How many decoded bytes are asked for at a time.
const WINDOW: usize = 256 << 10;

/// Takes the blocks of an input as they come.
pub(crate) trait BlockSink {
    /// Takes a block; gives back others for their memory. `Err` stops the reading.
    fn block(&mut self, block: Block) -> Result<Option<Block>, Stopped>;

    /// Says that `bytes` more were read. `Err` stops the reading.
    fn read(&mut self, bytes: u64) -> Result<(), Stopped>;
}

/// Reading was stopped: the run is over.
#[derive(Debug)]
pub(crate) struct Stopped;

/// Reads inputs, one after another.
pub(crate) struct Source {
    parser: PageParser,
    whole: WholeDecoder,
    /// Reused by one file after another: a small file, and what is inflated from it.
    file: Vec<u8>,
    body: Vec<u8>,
    limits: Limits,
    decode: DecodeLimits,
    mmap: bool,
}

impl Source {
    pub(crate) fn new(limits: &Limits, mmap: bool) -> Self {
        let decode = DecodeLimits {
            max_ratio: limits.ratio,
            ratio_floor: limits.ratio_floor,
            whole_limit: limits.whole_bytes,
        };
        Self {
            parser: PageParser::new(limits.clone()),
            whole: WholeDecoder::new(),
            file: Vec::new(),
            body: Vec::new(),
            limits: limits.clone(),
            decode,
            mmap,
        }
    }

    /// Reads all of an input. What is wrong with it stands in the report; only `sink` can stop this.
    pub(crate) fn read(
        &mut self,
        input: &InputInfo,
        sink: &mut impl BlockSink,
    ) -> Result<InputReport, Stopped> {
        self.parser.reset();
        let mut report = empty_report(input);
        match &input.kind {
            InputKind::Bytes(bytes) => self.small(bytes, &mut report, sink)?,
            InputKind::Stdin => self.stream(io::stdin().lock(), &mut report, sink)?,
            InputKind::File(path) => {
                let before = match File::open(path).and_then(|file| Ok((file.metadata()?, file))) {
                    Ok((metadata, file)) if metadata.is_dir() => {
                        drop(file);
                        report.io_error = Some(io::ErrorKind::IsADirectory.to_string());
                        return Ok(report);
                    }
                    Ok((metadata, file)) => {
                        self.file(&file, &metadata, &mut report, sink)?;
                        metadata
                    }
                    Err(error) => {
                        report.io_error = Some(error.to_string());
                        return Ok(report);
                    }
                };
                report.changed = before.is_file() && has_changed(path, &before, report.bytes);
            }
        }
        Ok(report)
    }

    fn file(
        &mut self,
        file: &File,
        metadata: &Metadata,
        report: &mut InputReport,
        sink: &mut impl BlockSink,
    ) -> Result<(), Stopped> {
        let len = metadata.len();
        if !metadata.is_file() || len > self.limits.whole_bytes as u64 {
            if self.mmap
                && metadata.is_file()
                && let Ok(mapped) = Mapped::new(file)
            {
                return self.stream(mapped.bytes(), report, sink);
            }
            return self.stream(file, report, sink);
        }
        let mut bytes = std::mem::take(&mut self.file);
        bytes.clear();
        bytes.reserve(len as usize + 1);
        // One byte more tells whether it grows; whatever it has by now is read below.
        let outcome = (&mut &*file).take(len + 1).read_to_end(&mut bytes);
        let outcome = match outcome {
            Ok(_) if bytes.len() as u64 <= len => self.small(&bytes, report, sink),
            // It grew, or reading broke off: start from what is there, and read on as a stream.
            _ => self.stream(bytes.chain(file), report, sink),
        };
        self.file = bytes;
        outcome
    }

    /// An input that is in memory: inflated in one go where it is healthy.
    fn small(
        &mut self,
        bytes: &[u8],
        report: &mut InputReport,
        sink: &mut impl BlockSink,
    ) -> Result<(), Stopped> {
        let mut body = std::mem::take(&mut self.body);
        let outcome = self.whole.decode(bytes, Some(&report.input.display), &self.decode, &mut body);
        let outcome = match outcome {
            Ok(whole) => {
                report.codec = whole.codec;
                report.trailing = whole.trailing;
                self.healthy(bytes, &body, report, sink)
            }
            Err(NotWhole::OtherCodec(Codec::Plain)) => self.healthy(bytes, bytes, report, sink),
            Err(_) => self.stream(bytes, report, sink),
        };
        self.body = body;
        outcome
    }

    /// An input that is in memory, and decoded: `body` out of `bytes`.
    fn healthy(
        &mut self,
        bytes: &[u8],
        body: &[u8],
        report: &mut InputReport,
        sink: &mut impl BlockSink,
    ) -> Result<(), Stopped> {
        report.bytes = bytes.len() as u64;
        report.hash = xxh3_128(bytes);
        report.decoded_bytes = body.len() as u64;
        sink.read(report.bytes)?;
        // Copied in windows, not shared: blocks and their buffers go round and stay in the cache, where sharing would
        // make all blocks of the body at once, in fresh memory.
        for window in body.chunks(WINDOW) {
            self.parser.feed(window);
            self.drain(sink)?;
        }
        self.end(InputEnd::Complete, sink)
    }

    /// Any input, in windows.
    fn stream(
        &mut self,
        reader: impl Read,
        report: &mut InputReport,
        sink: &mut impl BlockSink,
    ) -> Result<(), Stopped> {
        let mut hashing = Hashing { reader, hasher: Xxh3::new(), bytes: 0, failed: None };
        let outcome = self.windows(&mut hashing, report, sink);
        let end = outcome?;
        // What the codec did not want counts and is hashed all the same.
        let before = hashing.bytes;
        if hashing.failed.is_none() {
            // A failure is noted by the reader itself.
            let _ = io::copy(&mut hashing, &mut io::sink());
        }
        sink.read(hashing.bytes - before)?;
        report.bytes = hashing.bytes;
        report.hash = hashing.hasher.digest128();
        report.io_error = hashing.failed;
        self.end(end, sink)
    }

    fn windows(
        &mut self,
        reader: &mut Hashing<impl Read>,
        report: &mut InputReport,
        sink: &mut impl BlockSink,
    ) -> Result<InputEnd, Stopped> {
        let name = report.input.display.clone();
        let mut told = 0;
        let mut decoder = match Decoder::new(&mut *reader, Some(&name), self.decode) {
            Ok(decoder) => decoder,
            Err(error) => return Ok(end_of(&error)),
        };
        let end = loop {
            let outcome = decoder.read(self.parser.space(WINDOW));
            let read = decoder.compressed_bytes();
            sink.read(read - told)?;
            told = read;
            match outcome {
                Ok(0) => break InputEnd::Complete,
                Ok(len) => self.parser.advance(len),
                Err(error) => break end_of(&error),
            }
            self.drain(sink)?;
        };
        report.codec = decoder.codec();
        report.trailing = decoder.trailing();
        report.decoded_bytes = decoder.decoded_bytes();
        report.http = decoder.http().cloned();
        drop(decoder);
        // The decoder reads ahead of what it uses.
        sink.read(reader.bytes - told)?;
        Ok(end)
    }

    fn drain(&mut self, sink: &mut impl BlockSink) -> Result<(), Stopped> {
        while let Some(block) = self.parser.next_block() {
            if let Some(spare) = sink.block(block)? {
                self.parser.recycle(spare);
            }
        }
        Ok(())
    }

    fn end(&mut self, end: InputEnd, sink: &mut impl BlockSink) -> Result<(), Stopped> {
        self.parser.finish(end);
        self.drain(sink)
    }
}

/// The report of an input of which nothing is known yet.
pub(crate) fn empty_report(input: &InputInfo) -> InputReport {
    InputReport {
        input: input.clone(),
        status: InputStatus::Ok,
        bytes: 0,
        hash: Xxh3::new().digest128(),
        decoded_bytes: 0,
        codec: Codec::Plain,
        trailing: 0,
        http: None,
        io_error: None,
        changed: false,
        pages: 0..0,
    }
}

/// The size and hash of an input, for when reading it as messages failed.
pub(crate) fn hash_of(input: &InputInfo) -> (u64, u128) {
    let hashing = |reader: &mut dyn Read| {
        let mut hashing = Hashing { reader, hasher: Xxh3::new(), bytes: 0, failed: None };
        // As far as it can be read: the report tells what went wrong before.
        let _ = io::copy(&mut hashing, &mut io::sink());
        (hashing.bytes, hashing.hasher.digest128())
    };
    match &input.kind {
        InputKind::File(path) => match File::open(path) {
            Ok(mut file) => hashing(&mut file),
            Err(_) => hashing(&mut io::empty()),
        },
        InputKind::Bytes(bytes) => hashing(&mut &bytes[..]),
        InputKind::Stdin => hashing(&mut io::stdin().lock()),
    }
}

fn end_of(error: &CodecError) -> InputEnd {
    match error.kind() {
        CodecErrorKind::Truncated | CodecErrorKind::Read => InputEnd::Truncated,
        CodecErrorKind::RatioExceeded => InputEnd::RatioExceeded,
        _ => InputEnd::Corrupt,
    }
}

/// Whether the file at `path` is another one than before it was read.
fn has_changed(path: &Path, before: &Metadata, read: u64) -> bool {
    let time = |metadata: &Metadata| metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    match fs::metadata(path) {
        Ok(after) => after.len() != before.len() || time(&after) != time(before) || read != before.len(),
        Err(_) => true,
    }
}

/// A reader that hashes what passes through it, and remembers why it failed.
struct Hashing<R> {
    reader: R,
    hasher: Xxh3,
    bytes: u64,
    failed: Option<String>,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.reader.read(out) {
            Ok(len) => {
                self.hasher.update(&out[..len]);
                self.bytes += len as u64;
                Ok(len)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.failed = Some(error.to_string());
                }
                Err(error)
            }
        }
    }
}
