//! One input on its way to the parser: opened, hashed, decoded, cut into blocks.

mod archive;
mod har;
mod spill;
mod tar;
#[cfg(test)]
mod tests;
mod wire;
mod zip;

use std::error::Error;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use korpus_core::{
    Block, Codec, CodecError, CodecErrorKind, DecodeLimits, Decoder, HttpHead, InputEnd, Limits, NotWhole,
    PageParser, WholeDecoder, query_value,
};
use twox_hash::XxHash3_128;

use crate::error::EngineError;
use crate::history::History;
use crate::inputs::{InputInfo, InputKind, StandardInput};
use crate::ledger::{InputReport, InputStatus};
use crate::mmap::Mapped;
use archive::Kind;
use wire::{Decoded, Hashing, Peeked, Tap, Wire, end_in};
use zip::{FileAt, Section, is_zip};

/// How many decoded bytes are asked for at a time.
const WINDOW: usize = 128 << 10;
/// Bodies of so many bytes and more are lent to their blocks: of smaller ones there would be many at a time.
const LENT: usize = 1 << 20;

/// Takes the blocks of an input as they come.
pub(crate) trait BlockSink {
    /// Takes a block; gives back others for their memory. `Err` stops the reading.
    fn block(&mut self, block: Block) -> Result<Option<Block>, Stopped>;

    /// Comes back when no block shares `body`. `Err` stops the reading.
    fn let_go(&mut self, body: &mut Arc<Vec<u8>>) -> Result<(), Stopped>;

    /// Says that `bytes` more were read. `Err` stops the reading.
    fn read(&mut self, bytes: u64) -> Result<(), Stopped>;

    /// Says that the blocks from here on are those of a member of an archive.
    fn begin(&mut self, member: &InputInfo);

    /// Takes what was found out about the member that ended, or about an archive inside the archive.
    fn end(&mut self, report: InputReport) -> Result<(), Stopped>;

    /// Ends the run.
    fn fail(&mut self, error: EngineError) -> Stopped;
}

/// Reading was stopped: the run is over.
#[derive(Debug)]
pub(crate) struct Stopped;

/// Reads inputs, one after another.
pub(crate) struct Source {
    parser: PageParser,
    whole: WholeDecoder,
    /// Reused by one file after another: a small file, and what was inflated from such, which blocks may still hold on to.
    file: Vec<u8>,
    bodies: Vec<Arc<Vec<u8>>>,
    limits: Limits,
    decode: DecodeLimits,
    mmap: bool,
    /// Where bytes go that must be read twice and do not fit into memory.
    temp_dir: Option<PathBuf>,
    /// Only what was requested for this call is read.
    call_id: Option<String>,
    /// What earlier runs have read.
    history: Option<Arc<History>>,
}

/// What the reading of one input has with it, through all archives.
struct Reading<'c, S> {
    wire: &'c Wire,
    sink: &'c mut S,
    /// In how many archives the bytes at hand stand.
    depth: u8,
    /// How many members there were, in all archives.
    members: u64,
    /// How many members of the archive at hand earlier runs have read.
    known: u64,
}

impl Source {
    pub(crate) fn new(limits: &Limits, mmap: bool, temp_dir: Option<PathBuf>) -> Self {
        Self {
            parser: PageParser::new(limits.clone()),
            whole: WholeDecoder::new(),
            file: Vec::new(),
            bodies: Vec::new(),
            limits: limits.clone(),
            decode: DecodeLimits::from(limits),
            mmap,
            temp_dir,
            call_id: None,
            history: None,
        }
    }

    /// Reads only what was requested for a call.
    pub(crate) fn for_call(self, call_id: Option<String>) -> Self {
        Self { call_id, ..self }
    }

    /// Passes over the members of archives that earlier runs have read.
    pub(crate) fn going_on_from(self, history: Option<Arc<History>>) -> Self {
        Self { history, ..self }
    }

    /// Reads all of an input, and of the members of archives. What is wrong with it stands in the report; only `sink` can
    /// stop this.
    pub(crate) fn read(
        &mut self,
        input: &InputInfo,
        sink: &mut impl BlockSink,
    ) -> Result<InputReport, Stopped> {
        let mut report = empty_report(input);
        let wire = Wire::new(&self.limits);
        let mut reading = Reading { wire: &wire, sink, depth: 0, members: 0, known: 0 };
        match &input.kind {
            InputKind::Bytes(bytes) => {
                wire.count(bytes.len() as u64);
                self.bytes(bytes, &mut report, &mut reading)?;
            }
            InputKind::Stdin => {
                let mut reader = Tap { reader: StandardInput, wire: &wire };
                self.stream(&mut reader, &mut report, &mut reading)?;
            }
            InputKind::Reader(once) => match once.take() {
                Some(reader) => {
                    let mut reader = Tap { reader, wire: &wire };
                    self.stream(&mut reader, &mut report, &mut reading)?;
                }
                None => report.io_error = Some("a reader can be read only once".to_owned()),
            },
            // Members are read with their archives.
            InputKind::Member => {}
            InputKind::File(path) => {
                let before = match File::open(path).and_then(|file| Ok((file.metadata()?, file))) {
                    Ok((metadata, file)) if metadata.is_dir() => {
                        drop(file);
                        report.io_error = Some(io::ErrorKind::IsADirectory.to_string());
                        return Ok(report);
                    }
                    Ok((metadata, file)) => {
                        self.file(&file, &metadata, &mut report, &mut reading)?;
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
        wire.tell(reading.sink)?;
        if report.io_error.is_none() {
            report.io_error = wire.failed();
        }
        Ok(report)
    }

    fn file(
        &mut self,
        file: &File,
        metadata: &Metadata,
        report: &mut InputReport,
        reading: &mut Reading<'_, impl BlockSink>,
    ) -> Result<(), Stopped> {
        let (len, wire) = (metadata.len(), reading.wire);
        if !metadata.is_file() {
            return self.stream(&mut Tap { reader: file, wire }, report, reading);
        }
        if len > self.limits.whole_bytes as u64 {
            if self.mmap
                && let Ok(mapped) = Mapped::new(file)
            {
                let bytes = mapped.bytes();
                if is_zip(bytes) {
                    wire.set_size(bytes.len() as u64);
                    wire.count(bytes.len() as u64);
                    (report.bytes, report.hash) = (bytes.len() as u64, XxHash3_128::oneshot(bytes));
                    return self.zip(&bytes, report, reading);
                }
                return self.stream(&mut Tap { reader: bytes, wire }, report, reading);
            }
            let mut at = FileAt { file, size: len, wire, is_input: false, temporary: None };
            if zip::fetch(&at, 0, 4).is_some_and(|start| is_zip(&start)) {
                at.is_input = true;
                wire.set_size(len);
                self.zip(&at, report, reading)?;
                let mut all = Section::new(&at, 0, len);
                let mut hashing = Hashing::new(&mut all);
                // A failure is noted by the reader itself.
                let _ = io::copy(&mut hashing, &mut io::sink());
                (report.bytes, report.hash) = (hashing.bytes, hashing.hash());
                return Ok(());
            }
            return self.stream(&mut Tap { reader: file, wire }, report, reading);
        }
        let mut bytes = std::mem::take(&mut self.file);
        bytes.clear();
        if bytes.capacity() <= len as usize {
            bytes = Vec::with_capacity(len as usize + len as usize / 16 + 1);
        }
        // One byte more tells whether it grows; whatever it has by now is read below.
        let mut tap = Tap { reader: file, wire };
        let outcome = (&mut tap).take(len + 1).read_to_end(&mut bytes);
        let outcome = match outcome {
            Ok(_) if bytes.len() as u64 <= len => self.bytes(&bytes, report, reading),
            // It grew, or reading broke off: start from what is there, and read on as a stream.
            _ => self.stream(&mut bytes.chain(tap), report, reading),
        };
        self.file = bytes;
        outcome
    }

    /// Something that is in memory: inflated in one go where it is healthy.
    fn bytes(
        &mut self,
        bytes: &[u8],
        report: &mut InputReport,
        reading: &mut Reading<'_, impl BlockSink>,
    ) -> Result<(), Stopped> {
        reading.wire.tell(reading.sink)?;
        if Kind::of(bytes, &report.input.display).is_some() {
            // No codec, whatever the first bytes may look like.
            return self.healthy(bytes, bytes, None, report, reading);
        }
        let mut body = self.free_body(reading.sink)?;
        let outcome = self.whole.decode(bytes, Some(&report.input.display), &self.decode, &mut body);
        let outcome = match outcome {
            Ok(whole) => {
                report.codec = whole.codec;
                report.trailing = whole.trailing;
                let body = Arc::new(body);
                let lent = (body.len() >= LENT).then_some(&body);
                let outcome = self.healthy(bytes, &body, lent, report, reading);
                self.parser.reset();
                self.keep(body);
                return outcome;
            }
            Err(NotWhole::OtherCodec(Codec::Plain)) => self.healthy(bytes, bytes, None, report, reading),
            Err(_) => self.stream(&mut &bytes[..], report, reading),
        };
        self.keep(Arc::new(body));
        outcome
    }

    /// Keeps the memory of a body, and of the one before.
    fn keep(&mut self, body: Arc<Vec<u8>>) {
        self.bodies.truncate(1);
        self.bodies.insert(0, body);
    }

    /// The memory of a body whose blocks are all gone: of none, where others hold on to theirs. Where two do not fit into what
    /// may be held whole, there is one: its blocks are waited for.
    fn free_body(&mut self, sink: &mut impl BlockSink) -> Result<Vec<u8>, Stopped> {
        let largest = self.bodies.iter_mut().max_by_key(|body| body.capacity());
        if let Some(largest) = largest.filter(|body| 2 * body.capacity() > self.decode.whole_limit) {
            sink.let_go(largest)?;
            let body = std::mem::take(largest);
            self.bodies.clear();
            debug_assert_eq!(Arc::strong_count(&body), 1, "nobody holds on to what was let go");
            return Ok(Arc::into_inner(body).unwrap_or_default());
        }
        let free = self.bodies.iter_mut().position(|body| Arc::get_mut(body).is_some());
        Ok(free.and_then(|at| Arc::into_inner(self.bodies.swap_remove(at))).unwrap_or_default())
    }

    /// Something that is in memory, and decoded: `body` out of `bytes`, which blocks share where it is `lent`.
    fn healthy(
        &mut self,
        bytes: &[u8],
        body: &[u8],
        lent: Option<&Arc<Vec<u8>>>,
        report: &mut InputReport,
        reading: &mut Reading<'_, impl BlockSink>,
    ) -> Result<(), Stopped> {
        report.bytes = bytes.len() as u64;
        report.hash = XxHash3_128::oneshot(bytes);
        match Kind::of(body, &report.input.display) {
            Some(_) if reading.is_too_deep(report) => {}
            Some(Kind::Zip) => self.zip(&body, report, reading)?,
            Some(kind) => self.archive(kind, &mut &body[..], report, reading)?,
            None if !self.is_wanted(report, reading.sink)? => {}
            None => {
                report.decoded_bytes = body.len() as u64;
                self.parser.reset();
                let mut end = InputEnd::Complete;
                if let Some(body) = lent {
                    self.parser.share(Arc::clone(body));
                }
                // In windows, so that there are never all blocks at once.
                for window in body.chunks(WINDOW) {
                    match lent {
                        Some(_) => self.parser.advance(window.len()),
                        None => self.parser.feed(window),
                    }
                    self.drain(reading.sink)?;
                    // What fits into memory is no bomb by itself, but there may be many of it.
                    if reading.wire.spend(window.len() as u64) {
                        end = InputEnd::RatioExceeded;
                        break;
                    }
                }
                self.end(end, reading.sink)?;
            }
        }
        Ok(())
    }

    /// Anything, in windows.
    fn stream(
        &mut self,
        reader: &mut dyn Read,
        report: &mut InputReport,
        reading: &mut Reading<'_, impl BlockSink>,
    ) -> Result<(), Stopped> {
        let wire = reading.wire;
        let mut hashing = Hashing::new(reader);
        let page = self.unwrap(&mut hashing, report, reading)?;
        // What the codec did not want counts and is hashed all the same.
        if reading.depth == 0 || !wire.is_spent() {
            // A failure is noted by the reader itself.
            let _ = io::copy(&mut hashing, &mut io::sink());
            wire.tell(reading.sink)?;
        }
        report.bytes = hashing.bytes;
        report.hash = hashing.hash();
        match page {
            Some(end) => self.end(end, reading.sink),
            None => Ok(()),
        }
    }

    /// Takes codecs off, and reads what is below. How a page of messages ended; `None` where it was an archive.
    fn unwrap(
        &mut self,
        reader: &mut Hashing<'_>,
        report: &mut InputReport,
        reading: &mut Reading<'_, impl BlockSink>,
    ) -> Result<Option<InputEnd>, Stopped> {
        let name = report.input.display.clone();
        let mut peeked = Peeked::new(reader);
        if let Some(kind) = Kind::of(peeked.start(), &name) {
            self.archive(kind, &mut peeked, report, reading)?;
            return Ok(None);
        }
        self.parser.reset();
        let decoder = match Decoder::new(&mut peeked, Some(&name), self.decode) {
            Ok(decoder) => decoder,
            Err(error) => return Ok(Some(end_of(&error))),
        };
        let mut inner = Peeked::new(Decoded(decoder));
        report.http = inner.reader.0.http().cloned().or(report.http.take());
        let page = match Kind::of(inner.start(), &name) {
            Some(kind) => {
                self.archive(kind, &mut inner, report, reading)?;
                None
            }
            None if !self.is_wanted(report, reading.sink)? => None,
            None => {
                let mut end = self.windows(&mut inner, report, reading)?;
                while end.is_damage() && inner.reader.0.recover() {
                    self.end(end, reading.sink)?;
                    self.parser.resume();
                    end = self.windows(&mut inner, report, reading)?;
                }
                Some(end)
            }
        };
        let decoder = inner.reader.0;
        report.codec = decoder.codec();
        report.trailing = decoder.trailing();
        Ok(page)
    }

    /// Whether bodies are to be read, as far as their request tells.
    fn is_wanted(&self, report: &mut InputReport, sink: &mut impl BlockSink) -> Result<bool, Stopped> {
        let Some(call) = &self.call_id else { return Ok(true) };
        let Some(request) = report.http.as_ref().and_then(HttpHead::request) else {
            return Err(sink.fail(EngineError::Usage(format!(
                "--call-id needs inputs whose requests are known, and {} does not hold its request: save it with the \
                 response, or leave --call-id out",
                report.input.display
            ))));
        };
        report.left_out = query_value(&request, "callId").as_ref() != Some(call);
        Ok(!report.left_out)
    }

    /// Feeds the parser; how it ended.
    fn windows(
        &mut self,
        reader: &mut dyn Read,
        report: &mut InputReport,
        reading: &mut Reading<'_, impl BlockSink>,
    ) -> Result<InputEnd, Stopped> {
        loop {
            let outcome = reader.read(&mut self.parser.space(WINDOW)[..WINDOW]);
            reading.wire.tell(reading.sink)?;
            match outcome {
                Ok(0) => return Ok(InputEnd::Complete),
                Ok(len) => {
                    self.parser.advance(len);
                    report.decoded_bytes += len as u64;
                    if reading.wire.spend(len as u64) {
                        return Ok(InputEnd::RatioExceeded);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(end_in(&error).unwrap_or(InputEnd::Truncated)),
            }
            self.drain(reading.sink)?;
        }
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
        hash: XxHash3_128::new().finish_128(),
        decoded_bytes: 0,
        codec: Codec::Plain,
        trailing: 0,
        http: None,
        request: None,
        io_error: None,
        changed: false,
        pages: 0..0,
        fault: None,
        members: None,
        left_out: false,
        cut_here: false,
    }
}

/// The size and hash of an input, for when reading it as messages failed.
pub(crate) fn hash_of(input: &InputInfo) -> (u64, u128) {
    let hashing = |reader: &mut dyn Read| {
        let mut hashing = Hashing::new(reader);
        // As far as it can be read: the report tells what went wrong before.
        let _ = io::copy(&mut hashing, &mut io::sink());
        (hashing.bytes, hashing.hash())
    };
    match &input.kind {
        InputKind::File(path) => match File::open(path) {
            Ok(mut file) => hashing(&mut file),
            Err(_) => hashing(&mut io::empty()),
        },
        InputKind::Bytes(bytes) => hashing(&mut &bytes[..]),
        InputKind::Stdin => hashing(&mut StandardInput),
        // What was read of a reader is gone, and members are hashed with their archives.
        InputKind::Reader(_) | InputKind::Member => hashing(&mut io::empty()),
    }
}

fn end_of(error: &CodecError) -> InputEnd {
    match error.kind() {
        CodecErrorKind::Truncated => InputEnd::Truncated,
        CodecErrorKind::Read => {
            let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
            cause.and_then(end_in).unwrap_or(InputEnd::Truncated)
        }
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
