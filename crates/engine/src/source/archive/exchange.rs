//! The exchanges of a HAR file: which of them are of the API, and what is in those.

use std::io::{self, Read};
use std::sync::Arc;

use korpus_core::{Block, PageSlice, PageStatus, Reason};

use super::{Bytes, Roll};
use crate::error::EngineError;
use crate::inputs::{Container, InputInfo, InputKind};
use crate::ledger::InputReport;
use crate::source::har::{Base64, Har, HarEntry, Interest};
use crate::source::spill::{Content, Spill};
use crate::source::wire::{Cut, Hashing, Spending, Wire};
use crate::source::{BlockSink, Reading, Source, Stopped, empty_report};

/// How many bytes of an exchange tell whether it is of interest.
const START: usize = 4 << 10;

/// Looks whether there is anything of the API in something, and stops where there is.
struct Glance<'s> {
    sink: &'s mut dyn BlockSink,
    found: bool,
}

impl BlockSink for Glance<'_> {
    fn block(&mut self, block: Block) -> Result<Option<Block>, Stopped> {
        let is_nothing = |slice: &PageSlice| {
            let end = slice.end.as_ref();
            slice.messages.is_empty()
                && slice.records.is_empty()
                && end.is_none_or(|end| {
                    let is_other = (end.status, end.reason) == (PageStatus::NotAPage, Some(Reason::NotAPage));
                    (is_other || end.status == PageStatus::Empty) && end.messages_seen + end.records_seen == 0
                })
        };
        self.found = !block.pages().iter().all(is_nothing);
        if self.found { Err(Stopped) } else { Ok(Some(block)) }
    }

    fn let_go(&mut self, body: &mut Arc<Vec<u8>>) -> Result<(), Stopped> {
        self.sink.let_go(body)
    }

    fn read(&mut self, _: u64) -> Result<(), Stopped> {
        self.sink.read(0)
    }

    fn begin(&mut self, _: &InputInfo) {
        self.found = true;
    }

    fn end(&mut self, _: InputReport) -> Result<(), Stopped> {
        Err(Stopped)
    }

    fn fail(&mut self, error: EngineError) -> Stopped {
        self.sink.fail(error)
    }
}

impl Source {
    pub(super) fn har<S: BlockSink>(
        &mut self,
        reader: &mut dyn Read,
        report: &mut InputReport,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        let wire = reading.wire;
        // What is put aside is disk that is used.
        let mut reader = Spending { reader, wire };
        let mut har = Har::new(&mut reader);
        let mut roll =
            Roll::new(&report.input, Container::Har, self.limits.archive_members, &mut reading.known);
        let mut spill = Spill::new(self.limits.whole_bytes, self.temp_dir.as_deref());
        while let Some(entry) = har.next(&mut spill) {
            wire.tell(reading.sink)?;
            if !roll.admits(wire) {
                break;
            }
            self.exchange(&entry, &mut spill, &mut roll, reading)?;
        }
        if let Some(error) = har.take_error() {
            return Err(reading.sink.fail(error));
        }
        let (damage, has_entries) = (har.damage(), har.has_entries());
        roll.close(damage, report, &mut reading.known);
        if !has_entries && damage.is_none() {
            report.fault = Some(Reason::NotAPage);
        }
        Ok(())
    }

    /// Reads the content of an exchange, which was put aside.
    fn exchange<S: BlockSink>(
        &mut self,
        entry: &HarEntry,
        spill: &mut Spill,
        roll: &mut Roll,
        reading: &mut Reading<'_, S>,
    ) -> Result<(), Stopped> {
        let name = format!("entries[{}]", entry.index);
        let is_base64 = entry.is_base64(spill.start());
        let mut start = Vec::new();
        if is_base64 {
            // Damage here is damage there, and told there.
            let _ = Base64::new(spill.start()).take(START as u64).read_to_end(&mut start);
        } else {
            start.extend_from_slice(&spill.start()[..spill.start().len().min(START)]);
        }
        let interest = entry.interest(&start);
        if interest == Interest::No {
            roll.skip(&name);
            return Ok(());
        }
        if entry.end.is_none() && self.is_known_exchange(entry.request, spill, is_base64, reading)? {
            roll.counts.read += 1;
            reading.known += 1;
            return Ok(());
        }
        if interest == Interest::Perhaps && !self.holds_pages(&name, entry, spill, reading)? {
            roll.skip(&name);
            return Ok(());
        }
        let member = roll.member(&name, None);
        let reader = match spill.content() {
            Content::Memory(bytes) if !is_base64 && entry.end.is_none() => {
                return self.member(member, Some(entry), Bytes::Memory(bytes), reading);
            }
            content => content.reader(reading.wire),
        };
        let mut reader = reader.map_err(|error| reading.sink.fail(error))?;
        if is_base64 {
            reader = Box::new(Base64::new(reader));
        }
        match entry.end {
            Some(end) => {
                let mut cut = reader.chain(Cut(end));
                self.member(member, Some(entry), Bytes::Stream(&mut cut), reading)
            }
            None => self.member(member, Some(entry), Bytes::Stream(&mut reader), reading),
        }
    }

    /// Whether there is anything of the API in a content, be it damaged.
    fn holds_pages<S: BlockSink>(
        &mut self,
        name: &str,
        entry: &HarEntry,
        spill: &mut Spill,
        reading: &mut Reading<'_, S>,
    ) -> Result<bool, Stopped> {
        let is_base64 = entry.is_base64(spill.start());
        let wire = Wire::new(&self.limits);
        wire.set_size(spill.len());
        let reader = spill.content().reader(reading.wire);
        let mut reader = reader.map_err(|error| reading.sink.fail(error))?;
        if is_base64 {
            reader = Box::new(Base64::new(reader));
        }
        let info = InputInfo {
            index: 0,
            member: None,
            display: name.to_owned(),
            kind: InputKind::Member,
            container: Container::Har,
            size: None,
        };
        let mut report = empty_report(&info);
        let mut glance = Glance { sink: &mut *reading.sink, found: false };
        let mut inner =
            Reading { wire: &wire, sink: &mut glance, depth: reading.depth + 1, members: 0, known: 0 };
        // Whatever call it was requested for.
        let call_id = self.call_id.take();
        let outcome = self.stream(&mut reader, &mut report, &mut inner);
        self.call_id = call_id;
        let found = glance.found || report.fault.is_some();
        reading.wire.tell(reading.sink)?;
        if !found {
            outcome?;
        }
        Ok(found)
    }

    fn is_known_exchange<S: BlockSink>(
        &self,
        request: Option<u128>,
        spill: &mut Spill,
        is_base64: bool,
        reading: &mut Reading<'_, S>,
    ) -> Result<bool, Stopped> {
        let Some(known) = self.history.as_ref().map(|history| &history.known) else { return Ok(false) };
        let reader = spill.content().reader(reading.wire);
        let mut reader = reader.map_err(|error| reading.sink.fail(error))?;
        if is_base64 {
            reader = Box::new(Base64::new(reader));
        }
        let mut hashing = Hashing::new(&mut reader);
        let is_whole = io::copy(&mut hashing, &mut io::sink()).is_ok();
        Ok(is_whole && known.has_exchange(hashing.bytes, hashing.hash(), request))
    }
}
