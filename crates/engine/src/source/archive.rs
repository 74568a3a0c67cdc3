//! Archives: members are taken out one after another, and each is read as an input of its own.

mod exchange;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Read};

use korpus_core::{InputEnd, Reason};
use twox_hash::{XxHash3_64, XxHash3_128};

use super::har::{HarEntry, is_har};
use super::spill::{Content, Spill};
use super::tar::{TarReader, is_tar};
use super::wire::{Cut, Hashing, Spending, Wire, end_in};
use super::zip::{At, FileAt, Zip, is_zip};
use super::{BlockSink, Reading, Source, Stopped, empty_report};
use crate::inputs::{Container, InputInfo, InputKind};
use crate::ledger::{InputReport, Members};

/// An archive may stand inside another one, and no deeper.
const DEEPEST: u8 = 2;
/// How many bytes are copied at a time, and looked at to tell what they are.
const CHUNK: usize = 64 << 10;

/// What kind of archive something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tar,
    Zip,
    Har,
}

impl Kind {
    /// By the first bytes, decoded. The name tells only that zeros are an empty archive.
    pub(super) fn of(start: &[u8], name: &str) -> Option<Self> {
        if is_zip(start) {
            Some(Self::Zip)
        } else if is_tar(start, name) {
            Some(Self::Tar)
        } else if is_har(start) {
            Some(Self::Har)
        } else {
            None
        }
    }
}

impl<S> Reading<'_, S> {
    /// Whether an archive that stands here is left alone; it is told in `report` then.
    pub(super) fn is_too_deep(&self, report: &mut InputReport) -> bool {
        let is_too_deep = self.depth >= DEEPEST;
        if is_too_deep {
            report.fault = Some(Reason::NestedArchive);
            self.wire.cut();
        }
        is_too_deep
    }
}

/// What a member of a tar or a zip archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A file with content.
    File,
    /// A directory.
    Directory,
    /// A file without its holes: its bytes do not stand where they belong.
    Sparse,
    /// A link, or a device of a tar archive: nothing to be read here.
    Other,
}

/// What a member is read from.
enum Bytes<'b> {
    Memory(&'b [u8]),
    Stream(&'b mut dyn Read),
    /// It is not read at all, for this reason; its bytes are hashed where they can be had.
    Refused(Reason, Option<&'b mut dyn Read>),
}

/// Names and counts the members of one archive.
struct Roll {
    archive: InputInfo,
    container: Container,
    counts: Members,
    seen: u64,
    most: u64,
    /// How often each name came, by its hash.
    names: HashMap<u64, u32>,
    damage: Option<Reason>,
    /// How many members of the archive around this one are known.
    known_around: u64,
}

impl Roll {
    /// Counts the members of `archive`; `known` counts those that are known on the way.
    fn new(archive: &InputInfo, container: Container, most: u64, known: &mut u64) -> Self {
        Self {
            archive: archive.clone(),
            container,
            counts: Members::default(),
            seen: 0,
            most,
            names: HashMap::new(),
            damage: None,
            known_around: std::mem::take(known),
        }
    }

    /// Whether another member may be looked at.
    fn admits(&mut self, wire: &Wire) -> bool {
        if wire.is_spent() {
            self.damage = Some(Reason::RatioExceeded);
            return false;
        }
        self.seen += 1;
        if self.seen > self.most {
            self.damage = Some(Reason::TooManyMembers);
            return false;
        }
        true
    }

    /// Whether a member is to be read; counts one that is none of what people mean by a file.
    fn wants(&mut self, name: &str, kind: EntryKind) -> bool {
        if is_hidden(name) {
            return false;
        }
        if kind == EntryKind::Other {
            self.skip(name);
        }
        matches!(kind, EntryKind::File | EntryKind::Sparse)
    }

    /// Counts a member that is not read.
    fn skip(&mut self, name: &str) {
        self.counts.skipped += 1;
        let archive = &self.archive.display;
        self.counts.first_skipped.get_or_insert_with(|| format!("{archive}!{name}"));
    }

    /// Counts a member that is read, and gives it a name of its own.
    fn member(&mut self, name: &str, size: Option<u64>) -> InputInfo {
        self.counts.read += 1;
        let archive = &self.archive.display;
        let mut display = format!("{archive}!{name}");
        // Copies of a name are numbered, and so are names that look like numbered copies.
        loop {
            let copies = self.names.entry(XxHash3_64::oneshot(display.as_bytes())).or_default();
            *copies += 1;
            if *copies == 1 {
                break;
            }
            display = format!("{archive}!{name}#{copies}");
        }
        InputInfo {
            index: self.archive.index,
            member: None,
            display,
            kind: InputKind::Member,
            container: self.container,
            size,
        }
    }

    /// Closes the archive.
    fn close(mut self, damage: Option<InputEnd>, report: &mut InputReport, known: &mut u64) {
        self.counts.known = std::mem::replace(known, self.known_around);
        self.counts.read -= self.counts.known;
        report.fault = self.damage.or(damage.map(reason_of));
        report.members = Some(self.counts);
    }
}

/// Whether bytes that belong to no member say nothing: zeros, and white space.
pub(super) fn is_padding(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n'))
}

/// Why an archive is not whole that ends like this: where something is missing, it was cut off.
fn reason_of(end: InputEnd) -> Reason {
    end.reason().unwrap_or(Reason::Truncated)
}

/// Whether a member is hidden, as files in directories are.
fn is_hidden(name: &str) -> bool {
    name.split(['/', '\\'])
        .any(|part| (part.starts_with('.') && part != "." && part != "..") || part == "__MACOSX")
}

impl Source {
    /// Reads an archive from a stream.
    pub(super) fn archive<S: BlockSink>(
        &mut self,
        kind: Kind,
        reader: &mut dyn Read,
        report: &mut InputReport,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        if reading.is_too_deep(report) {
            return Ok(());
        }
        match kind {
            Kind::Tar => self.tar(reader, report, reading),
            Kind::Zip => self.zip_stream(reader, report, reading),
            Kind::Har => self.har(reader, report, reading),
        }
    }

    fn tar<S: BlockSink>(
        &mut self,
        reader: &mut dyn Read,
        report: &mut InputReport,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        let wire = reading.wire;
        let mut tar = TarReader::new(reader, wire);
        let mut roll =
            Roll::new(&report.input, Container::Tar, self.limits.archive_members, &mut reading.known);
        while let Some(entry) = tar.next() {
            wire.tell(reading.sink)?;
            if !roll.admits(wire) {
                break;
            }
            if roll.wants(&entry.name, entry.kind) {
                let member = roll.member(&entry.name, Some(entry.size));
                if entry.kind == EntryKind::Sparse {
                    let mut raw = Spending { reader: &mut tar, wire };
                    self.member(member, None, Bytes::Refused(Reason::Sparse, Some(&mut raw)), reading)?;
                } else {
                    self.member_stream(member, &mut tar, reading)?;
                }
            }
        }
        roll.close(tar.damage(), report, &mut reading.known);
        Ok(())
    }

    /// Reads a zip archive from a stream: all of it is put aside first, for its directory stands at its end.
    fn zip_stream<S: BlockSink>(
        &mut self,
        reader: &mut dyn Read,
        report: &mut InputReport,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        let wire = reading.wire;
        let mut spill = Spill::new(self.limits.whole_bytes, self.temp_dir.as_deref());
        let mut chunk = vec![0; CHUNK];
        let mut damage = None;
        loop {
            let outcome = reader.read(&mut chunk);
            wire.tell(reading.sink)?;
            match outcome {
                Ok(0) => break,
                Ok(len) => {
                    spill.push(&chunk[..len]).map_err(|error| reading.sink.fail(error))?;
                    if reading.depth > 0 && wire.spend(len as u64) {
                        damage = Some(Reason::RatioExceeded);
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What is there is read.
                Err(error) => {
                    damage = Some(reason_of(end_in(&error).unwrap_or(InputEnd::Truncated)));
                    break;
                }
            }
        }
        drop(chunk);
        let size = spill.len();
        match spill.content() {
            Content::Memory(bytes) => self.zip(&bytes, report, reading)?,
            Content::File(file, dir) => {
                let at = FileAt { file, size, wire, is_input: false, temporary: Some(dir) };
                self.zip(&at, report, reading)?;
            }
        }
        report.fault = damage.or(report.fault);
        Ok(())
    }

    /// Reads a zip archive by position.
    pub(super) fn zip<S: BlockSink>(
        &mut self,
        at: &dyn At,
        report: &mut InputReport,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        if reading.is_too_deep(report) {
            return Ok(());
        }
        let wire = reading.wire;
        let mut zip = Zip::open(at, wire);
        let mut roll =
            Roll::new(&report.input, Container::Zip, self.limits.archive_members, &mut reading.known);
        while let Some(entry) = zip.next() {
            wire.tell(reading.sink)?;
            if !roll.admits(wire) {
                break;
            }
            if !roll.wants(&entry.name, entry.kind) {
                continue;
            }
            let member = roll.member(&entry.name, entry.size);
            if let Some(reason) = entry.refused() {
                let mut raw = entry.raw(at);
                let raw = raw.as_mut().map(|raw| raw as &mut dyn Read);
                self.member(member, None, Bytes::Refused(reason, raw), reading)?;
            } else if let Some(mut content) = entry.content(at) {
                self.member_stream(member, &mut content, reading)?;
            } else {
                self.member(member, None, Bytes::Refused(Reason::CorruptStream, None), reading)?;
            }
        }
        roll.close(zip.damage(), report, &mut reading.known);
        Ok(())
    }

    /// Reads a member from a stream: in one go where it is small.
    fn member_stream<S: BlockSink>(
        &mut self,
        member: InputInfo,
        reader: &mut dyn Read,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        let Some(size) = member.size.filter(|&size| size <= self.limits.whole_bytes as u64) else {
            return self.large_member(member, reader, reading);
        };
        let mut bytes = std::mem::take(&mut self.file);
        bytes.clear();
        bytes.reserve(size as usize + 1);
        let outcome = reader.take(size + 1).read_to_end(&mut bytes);
        let outcome = match outcome {
            Ok(_) if bytes.len() as u64 <= size => self.member(member, None, Bytes::Memory(&bytes), reading),
            Ok(_) => self.member(member, None, Bytes::Stream(&mut bytes.chain(reader)), reading),
            Err(error) => {
                let mut cut = bytes.chain(Cut(end_in(&error).unwrap_or(InputEnd::Truncated)));
                self.member(member, None, Bytes::Stream(&mut cut), reading)
            }
        };
        self.file = bytes;
        outcome
    }

    /// Reads a member that is not held whole. One that may be known, by its size, is put aside first.
    fn large_member<S: BlockSink>(
        &mut self,
        member: InputInfo,
        reader: &mut dyn Read,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        let history = self.history.clone();
        let known = history.as_ref().map(|history| &history.known);
        let Some((known, size)) = known.zip(member.size).filter(|(known, size)| known.has_size(*size)) else {
            return self.member(member, None, Bytes::Stream(reader), reading);
        };
        let mut spill = Spill::new(self.limits.whole_bytes, self.temp_dir.as_deref());
        let mut hashing = Hashing::new(&mut *reader);
        let mut chunk = vec![0; CHUNK];
        let mut end = None;
        while hashing.bytes <= size && end.is_none() {
            match hashing.read(&mut chunk) {
                Ok(0) => break,
                Ok(len) => {
                    spill.push(&chunk[..len]).map_err(|error| reading.sink.fail(error))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => end = Some(end_in(&error).unwrap_or(InputEnd::Truncated)),
            }
        }
        drop(chunk);
        let is_known = end.is_none() && known.has(hashing.bytes, hashing.hash());
        if is_known {
            reading.known += 1;
            return Ok(());
        }
        let content = spill.content().reader(reading.wire);
        let content = content.map_err(|error| reading.sink.fail(error))?;
        match end {
            Some(end) => self.member(member, None, Bytes::Stream(&mut content.chain(Cut(end))), reading),
            None => self.member(member, None, Bytes::Stream(&mut content.chain(reader)), reading),
        }
    }

    /// Reads a member as an input of its own; `exchange` says what is known of it besides, where it is one.
    fn member<S: BlockSink>(
        &mut self,
        mut info: InputInfo,
        exchange: Option<&HarEntry>,
        bytes: Bytes<'_>,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        // Of an exchange this was looked at before.
        if let (None, Bytes::Memory(bytes), Some(history)) = (exchange, &bytes, &self.history)
            && history.known.has_size(bytes.len() as u64)
            && history.known.has(bytes.len() as u64, XxHash3_128::oneshot(bytes))
        {
            reading.known += 1;
            return Ok(());
        }
        info.member = Some(reading.members);
        reading.members += 1;
        let mut report = empty_report(&info);
        if let Some(exchange) = exchange {
            (report.http, report.request) = (Some(exchange.head.clone()), exchange.request);
        }
        reading.sink.begin(&info);
        let cuts = reading.wire.cuts();
        reading.depth += 1;
        let outcome = match bytes {
            Bytes::Memory(bytes) => self.bytes(bytes, &mut report, reading),
            Bytes::Stream(reader) => self.stream(reader, &mut report, reading),
            Bytes::Refused(reason, raw) => {
                report.fault = Some(reason);
                if reason == Reason::Sparse {
                    // The same bytes may come as a file without holes.
                    reading.wire.cut();
                }
                if let Some(raw) = raw {
                    let mut hashing = Hashing::new(raw);
                    // What cannot be had is told by the archive.
                    let _ = io::copy(&mut hashing, &mut io::sink());
                    (report.bytes, report.hash) = (hashing.bytes, hashing.hash());
                }
                Ok(())
            }
        };
        reading.depth -= 1;
        outcome?;
        report.cut_here = reading.wire.cuts() > cuts;
        reading.sink.end(report)
    }
}
