//! The ledger: what became of every message and record of every body, in books that must balance.

mod pages;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

pub use pages::Pages;

use serde::{Deserialize, Serialize};

use korpus_core::{Codec, Envelope, HttpHead, PageEnd, PageStatus, Reason, Reject, Shape, query_value};

use crate::around::Bodies;
use crate::dedup::{Fate, Fates};
use crate::error::{EngineError, Result};
use crate::inputs::InputInfo;

/// What became of the messages, or the records, of a body. See [`balance`](Self::balance).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Books {
    /// All that were there; a contiguous rejected span counts as one.
    pub seen: u64,
    /// Those that stand in the tables.
    pub kept: u64,
    /// Those that the filters, or skip and limit, left out.
    pub filtered: u64,
    /// Those that could not be read.
    pub rejected: u64,
    /// Copies equal to one that was seen elsewhere.
    pub duplicate: u64,
    /// Copies that lost against a newer or richer one.
    pub superseded: u64,
}

impl Books {
    /// Whether seen = kept + filtered + rejected + duplicate + superseded.
    pub fn balance(&self) -> bool {
        self.seen == self.kept + self.filtered + self.rejected + self.duplicate + self.superseded
    }

    /// Adds the books of another body.
    pub fn add(&mut self, other: &Self) {
        self.seen += other.seen;
        self.kept += other.kept;
        self.filtered += other.filtered;
        self.rejected += other.rejected;
        self.duplicate += other.duplicate;
        self.superseded += other.superseded;
    }

    /// Fills in what de-duplication and filters decided about the ordinals from `first` on.
    fn settle(&mut self, first: u64, fates: &Fates) {
        let range = first..first + self.seen;
        self.duplicate = fates.count(Fate::Duplicate, range.clone());
        self.superseded = fates.count(Fate::Superseded, range.clone());
        let left = self.seen.saturating_sub(self.rejected + self.duplicate + self.superseded);
        self.kept = match fates.count_matched(range.clone()) {
            Some(kept) => kept,
            None => left,
        };
        self.filtered = left.saturating_sub(self.kept);
    }
}

/// How the messages of a body follow one another in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageOrder {
    /// No message is later than the one before it.
    NewestFirst,
    /// No message is earlier than the one before it.
    OldestFirst,
    /// Neither.
    Mixed,
}

impl PageOrder {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::NewestFirst, Self::OldestFirst, Self::Mixed];

    /// The name that stands in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewestFirst => "newest_first",
            Self::OldestFirst => "oldest_first",
            Self::Mixed => "mixed",
        }
    }
}

/// The times of the messages of a body, or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Times {
    /// In the order of the body.
    ends: Option<(i64, i64)>,
    /// Earliest and latest.
    span: Option<(i64, i64)>,
    rises: bool,
    falls: bool,
}

impl Times {
    pub(crate) fn push(&mut self, at: i64) {
        self.append(&Self { ends: Some((at, at)), span: Some((at, at)), rises: false, falls: false });
    }

    pub(crate) fn append(&mut self, later: &Self) {
        let (Some(ends), Some(span)) = (later.ends, later.span) else { return };
        self.rises |= later.rises || self.ends.is_some_and(|(_, last)| ends.0 > last);
        self.falls |= later.falls || self.ends.is_some_and(|(_, last)| ends.0 < last);
        self.ends = Some((self.ends.map_or(ends.0, |(first, _)| first), ends.1));
        self.span = Some(self.span.map_or(span, |(low, high)| (low.min(span.0), high.max(span.1))));
    }

    /// `None` where there are not two different times.
    fn order(&self) -> Option<PageOrder> {
        match (self.rises, self.falls) {
            (false, false) => None,
            (true, false) => Some(PageOrder::OldestFirst),
            (false, true) => Some(PageOrder::NewestFirst),
            (true, true) => Some(PageOrder::Mixed),
        }
    }
}

/// One body: a row of the table `pages`.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRow {
    /// The index of its input.
    pub input: usize,
    /// Which body of the input it is, from 0.
    pub page_index: u64,
    /// The `message_seq` of its first message.
    pub first_message: u64,
    /// The ordinal of its first record.
    pub first_record: u64,
    /// What it is.
    pub shape: Shape,
    /// How reading it went.
    pub status: PageStatus,
    /// Why it is not whole, where it is not.
    pub reason: Option<Reason>,
    /// The keys around its array.
    pub envelope: Envelope,
    /// Its length in decoded bytes, where its end was seen.
    pub body_bytes: Option<u64>,
    /// See [`PageEnd::array_hash`].
    pub array_hash: u128,
    /// How its messages follow one another; `None` where fewer than two of them differ in time.
    pub order: Option<PageOrder>,
    /// Time of its earliest message, in microseconds since 1970.
    pub first_event_at: Option<i64>,
    /// Time of its latest message, in microseconds since 1970.
    pub last_event_at: Option<i64>,
    /// What became of its messages.
    pub messages: Books,
    /// What became of its records.
    pub records: Books,
}

/// How reading an input went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputStatus {
    /// All of its bodies are whole.
    Ok,
    /// Some of it could not be kept, or is no page of messages.
    Partial,
    /// It could not be read at all.
    Unreadable,
}

impl InputStatus {
    /// The name that stands in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What was found out about an input by reading it.
#[derive(Debug, Clone, PartialEq)]
pub struct InputReport {
    /// Which input.
    pub input: InputInfo,
    /// How reading it went.
    pub status: InputStatus,
    /// How many bytes it had, before decoding.
    pub bytes: u64,
    /// XXH3-128 of these bytes.
    pub hash: u128,
    /// How many bytes came out of its codecs; none of an archive, whose members have them.
    pub decoded_bytes: u64,
    /// Its outermost codec.
    pub codec: Codec,
    /// Bytes that were ignored after the end of the compressed data: padding and garbage.
    pub trailing: u64,
    /// The HTTP head in front of the body.
    pub http: Option<HttpHead>,
    /// XXH3-128 of the request that it answers, where it is an exchange of a HAR file.
    pub request: Option<u128>,
    /// What the system said where reading failed.
    pub io_error: Option<String>,
    /// Whether the file was another one after reading than before: its size or time of change differ.
    pub changed: bool,
    /// Its rows in the ledger.
    pub pages: Range<usize>,
    /// Why it was not read, or, of an archive, not all of it.
    pub fault: Option<Reason>,
    /// Whether it was not read because it was requested for another call than the one asked for.
    pub left_out: bool,
    /// Whether some of it was not read for where it stands: too deep in archives, behind what used up their limit, or as a sparse
    /// file. Elsewhere it would be.
    pub cut_here: bool,
    /// What an archive holds. Its members have reports of their own, before that of the archive.
    pub members: Option<Members>,
}

impl InputReport {
    /// The call that it was requested for, where its request is known and names one.
    pub fn call_id(&self) -> Option<String> {
        let request = self.http.as_ref().and_then(HttpHead::request)?;
        query_value(&request, "callId").filter(|call| !call.is_empty())
    }
}

/// How many members an archive holds; directories and hidden files aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// Those that were read.
    pub read: u64,
    /// Those that are no files (links, devices), and exchanges that are no responses of the API.
    pub skipped: u64,
    /// The name of the first that was skipped.
    pub first_skipped: Option<String>,
    /// Those that runs before this one have read.
    pub known: u64,
}

/// How often something was rejected for one reason, and where it was for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejections {
    /// How many spans.
    pub count: u64,
    /// The first of them.
    pub first: RejectPlace,
}

/// Where a rejected span stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RejectPlace {
    /// The index of its input.
    pub input: usize,
    /// Which body of the input, from 0.
    pub page_index: u64,
    /// Which message (or record) of the body, from 0.
    pub message_index: u64,
    /// Whether it stands among the records of the body.
    pub is_record: bool,
    /// Where it begins, in bytes of the decoded body.
    pub byte_offset: u64,
    /// Where the fault was found, in bytes of the decoded body.
    pub fault_offset: u64,
}

/// What a block adds to the books of one body.
#[derive(Debug, Clone, Default)]
pub(crate) struct SliceBooks {
    pub page_index: u64,
    pub starts: bool,
    pub messages_seen: u64,
    pub messages_rejected: u64,
    pub records_seen: u64,
    pub records_rejected: u64,
    /// Whether a worker failed on something in it.
    pub failed: bool,
    pub times: Times,
    pub end: Option<Box<PageEnd>>,
    /// Rejected spans by reason; the first place of each, but for the input.
    pub reasons: Vec<(Reason, Rejections)>,
}

impl SliceBooks {
    /// Notes why and where a span is rejected.
    pub(crate) fn note(&mut self, reject: &Reject) {
        if let Some((_, known)) = self.reasons.iter_mut().find(|(reason, _)| *reason == reject.reason) {
            known.count += 1;
            return;
        }
        let first = RejectPlace {
            input: 0,
            page_index: self.page_index,
            message_index: reject.index,
            is_record: reject.is_record,
            byte_offset: reject.byte_offset,
            fault_offset: reject.fault_offset,
        };
        self.reasons.push((reject.reason, Rejections { count: 1, first }));
    }
}

/// The books of a run: one row a body, and one report an input.
#[derive(Debug)]
pub struct Ledger {
    /// Of the inputs that are closed.
    pages: Pages,
    /// The last body of the input that is read at present, which is still being read if `open`.
    last: Option<PageRow>,
    /// Times of the body that is open, its fault by a worker, and whether its end was seen.
    open: Option<OpenRow>,
    /// The first body of the input that is read at present, and whether those before the last are whole.
    first_page: usize,
    is_whole: bool,
    inputs: Vec<InputReport>,
    messages: u64,
    records: u64,
    /// What `messages` and `records` began with.
    first: (u64, u64),
    reasons: BTreeMap<Reason, Rejections>,
}

#[derive(Debug, Default)]
struct OpenRow {
    times: Times,
    failed: bool,
    ended: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            pages: Pages::default(),
            last: None,
            open: None,
            first_page: 0,
            is_whole: true,
            inputs: Vec::new(),
            messages: 0,
            records: 0,
            first: (0, 0),
            reasons: BTreeMap::new(),
        }
    }
}

impl Ledger {
    /// Books that count messages and records on from those of earlier runs.
    pub(crate) fn starting_at(messages: u64, records: u64) -> Self {
        Self { messages, records, first: (messages, records), ..Self::default() }
    }

    /// The bodies of all inputs that were read, in order.
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    /// The inputs, in order.
    pub fn inputs(&self) -> &[InputReport] {
        &self.inputs
    }

    /// What de-duplication knows of each body.
    pub fn bodies(&self) -> Bodies<'_> {
        Bodies::new(self)
    }

    /// Why spans were rejected, how often, and where first. The counts add up to the rejected ones of all books.
    pub fn rejections(&self) -> &BTreeMap<Reason, Rejections> {
        &self.reasons
    }

    /// How many messages were seen, by earlier runs too: the next `message_seq`.
    pub fn messages_seen(&self) -> u64 {
        self.messages
    }

    /// How many records were seen, by earlier runs too.
    pub fn records_seen(&self) -> u64 {
        self.records
    }

    /// The books of all bodies together: messages, and records.
    pub fn totals(&self) -> (Books, Books) {
        let mut totals = (Books::default(), Books::default());
        for page in self.pages.iter() {
            totals.0.add(&page.messages);
            totals.1.add(&page.records);
        }
        totals
    }

    /// The body that a message belongs to, by its ordinal.
    pub fn page_of_message(&self, ordinal: u64) -> Option<usize> {
        if ordinal >= self.messages {
            return None;
        }
        // Bodies without messages share the ordinal of the body after them: the last one counts.
        self.pages.last_where(|first_message, _| first_message <= ordinal)
    }

    /// The body that a record belongs to, by its ordinal.
    pub fn page_of_record(&self, ordinal: u64) -> Option<usize> {
        if ordinal >= self.records {
            return None;
        }
        self.pages.last_where(|_, first_record| first_record <= ordinal)
    }

    /// How many bytes of its input a body took, where that can be told: where it is the only one.
    pub fn compressed_bytes(&self, page: &PageRow) -> Option<u64> {
        let report = self.inputs.get(page.input)?;
        (report.pages.len() == 1).then_some(report.bytes)
    }

    /// Whether everything that was read could be kept: no rejects, no bodies that are not whole, no errors.
    pub fn is_clean(&self) -> bool {
        self.inputs.iter().all(|input| input.status == InputStatus::Ok && !input.changed)
    }

    /// The ordinal that the next body to start will have, or that of the open one.
    pub(crate) fn page_of_slice(&self, starts: bool) -> u64 {
        let begun = self.pages.len() as u64 + u64::from(self.last.is_some());
        begun - u64::from(!starts && self.open.is_some())
    }

    /// Takes the books of the next slice of the input that is read at present.
    pub(crate) fn slice(&mut self, slice: &SliceBooks) {
        let input = self.inputs.len();
        if slice.starts || self.open.is_none() {
            self.close();
            self.begin(PageRow::new(input, slice.page_index, self.messages, self.records));
            self.open = Some(OpenRow::default());
        }
        let (Some(row), Some(open)) = (&mut self.last, &mut self.open) else { return };
        row.messages.seen += slice.messages_seen;
        row.messages.rejected += slice.messages_rejected;
        row.records.seen += slice.records_seen;
        row.records.rejected += slice.records_rejected;
        self.messages += slice.messages_seen;
        self.records += slice.records_seen;
        for (reason, found) in &slice.reasons {
            let first = RejectPlace { input, ..found.first };
            let known = self.reasons.entry(*reason).or_insert(Rejections { count: 0, first });
            known.count += found.count;
        }
        open.times.append(&slice.times);
        open.failed |= slice.failed;
        if let Some(end) = &slice.end {
            row.shape = end.shape;
            row.status = end.status;
            row.reason = end.reason;
            row.envelope = end.envelope.clone();
            row.body_bytes = Some(end.body_bytes);
            row.array_hash = end.array_hash;
            open.ended = true;
            self.close();
        }
    }

    /// Begins a row, and puts the one before it away.
    fn begin(&mut self, row: PageRow) {
        if let Some(last) = self.last.replace(row) {
            self.is_whole &= last.status == PageStatus::Ok;
            self.pages.push(&last);
        }
    }

    /// Counts what was left of the open body, or of the input, when reading it failed inside korpus: one reject. Returns
    /// which body of the input it stands in, and its index there.
    pub(crate) fn lost(&mut self) -> (u64, u64) {
        let place = match &self.last {
            Some(page) if self.open.is_some() => (page.page_index, page.messages.seen),
            Some(page) => (page.page_index + 1, 0),
            None => (0, 0),
        };
        let slice = SliceBooks {
            page_index: place.0,
            starts: self.open.is_none(),
            messages_seen: 1,
            messages_rejected: 1,
            failed: true,
            reasons: vec![(
                Reason::Internal,
                Rejections {
                    count: 1,
                    first: RejectPlace {
                        page_index: place.0,
                        message_index: place.1,
                        ..RejectPlace::default()
                    },
                },
            )],
            ..SliceBooks::default()
        };
        self.slice(&slice);
        self.close();
        place
    }

    fn close(&mut self) {
        let (Some(open), Some(row)) = (self.open.take(), &mut self.last) else { return };
        row.order = open.times.order();
        row.first_event_at = open.times.span.map(|(first, _)| first);
        row.last_event_at = open.times.span.map(|(_, last)| last);
        if open.failed || !open.ended {
            let nothing =
                row.messages.seen == row.messages.rejected && row.records.seen == row.records.rejected;
            row.status = if nothing { PageStatus::Rejected } else { PageStatus::Partial };
            row.reason.get_or_insert(Reason::Internal);
        }
    }

    /// Closes an input. One without a body gets a row all the same: nothing that was given is passed over in silence.
    pub(crate) fn end_input(&mut self, mut report: InputReport) -> &InputReport {
        self.close();
        let input = self.inputs.len();
        let unreadable = report.io_error.is_some();
        // The bodies of an archive are those of its members.
        let has_members = report.members.as_ref().is_some_and(|members| members.read + members.known > 0);
        let is_silent = report.left_out || has_members && report.fault.is_none();
        if self.last.is_none() && (unreadable || !is_silent) {
            let mut row = PageRow::new(input, 0, self.messages, self.records);
            (row.status, row.reason) = match report.fault {
                _ if unreadable => (PageStatus::Rejected, Some(Reason::Unreadable)),
                Some(reason @ (Reason::NestedArchive | Reason::NotAPage)) => {
                    (PageStatus::NotAPage, Some(reason))
                }
                fault => match (fault, has_members) {
                    (Some(reason), false) => (PageStatus::Rejected, Some(reason)),
                    (Some(reason), true) => (PageStatus::Partial, Some(reason)),
                    (None, _) => (PageStatus::Empty, None),
                },
            };
            self.last = Some(row);
        }
        let mut is_whole = std::mem::replace(&mut self.is_whole, true);
        if let Some(mut last) = self.last.take() {
            if unreadable && last.status == PageStatus::Partial {
                last.reason = Some(Reason::Unreadable);
            }
            is_whole &= last.status == PageStatus::Ok;
            self.pages.push(&last);
        }
        report.pages = std::mem::replace(&mut self.first_page, self.pages.len())..self.pages.len();
        report.status = if unreadable && report.bytes == 0 {
            InputStatus::Unreadable
        } else if unreadable || !is_whole {
            InputStatus::Partial
        } else {
            InputStatus::Ok
        };
        self.inputs.push(report);
        &self.inputs[self.inputs.len() - 1]
    }

    /// The report of the input that [`InputInfo::index`] and [`InputInfo::member`] name.
    pub fn find(&self, index: usize, member: Option<u64>) -> Option<&InputReport> {
        let first = self.inputs.partition_point(|report| report.input.index < index);
        self.inputs[first..]
            .iter()
            .take_while(|report| report.input.index == index)
            .find(|report| report.input.member == member)
    }

    /// How many files were read; an archive is one.
    pub fn files(&self) -> u64 {
        self.count(|report| report.input.member.is_none() && !report.left_out)
    }

    /// How many members of archives were read.
    pub fn members(&self) -> u64 {
        self.count(|report| report.input.member.is_some() && report.members.is_none() && !report.left_out)
    }

    /// How many members of archives were passed over, because an earlier run has read the same.
    pub fn known_members(&self) -> u64 {
        self.inputs.iter().filter_map(|report| report.members.as_ref()).map(|members| members.known).sum()
    }

    /// How many files and members were left out, because they were requested for another call.
    pub fn left_out(&self) -> u64 {
        self.count(|report| report.left_out)
    }

    fn count(&self, which: impl Fn(&InputReport) -> bool) -> u64 {
        self.inputs.iter().filter(|report| which(report)).count() as u64
    }

    /// Bytes of all files, before decoding, and after.
    pub fn bytes(&self) -> (u64, u64) {
        let files = self.inputs.iter().filter(|report| report.input.member.is_none());
        (files.map(|report| report.bytes).sum(), self.inputs.iter().map(|report| report.decoded_bytes).sum())
    }

    /// Goes on with the books of a run that went on from this one: `messages` and `records` say what that changed about what was
    /// seen before. `order` gives the place of each of its inputs in the list of all.
    pub fn join(&mut self, later: Self, messages: &Fates, records: &Fates, order: &[usize]) {
        self.revise(|page| {
            let (first, seen) = (page.first_message, page.messages.seen);
            messages.revise(&mut page.messages, first..first + seen);
            let (first, seen) = (page.first_record, page.records.seen);
            records.revise(&mut page.records, first..first + seen);
        });
        let (inputs, pages) = (self.inputs.len(), self.pages.len());
        self.pages.extend(later.pages.iter().map(|mut page| {
            page.input += inputs;
            page
        }));
        self.inputs.extend(later.inputs.into_iter().map(|mut report| {
            report.pages = report.pages.start + pages..report.pages.end + pages;
            report.input.index = order.get(report.input.index).copied().unwrap_or(report.input.index);
            report
        }));
        if inputs == 0 {
            self.first = later.first;
        }
        (self.messages, self.records) = (later.messages, later.records);
        for (reason, found) in later.reasons {
            let first = RejectPlace { input: found.first.input + inputs, ..found.first };
            let known = self.reasons.entry(reason).or_insert(Rejections { count: 0, first });
            known.count += found.count;
        }
    }

    /// Fills in what de-duplication and filters decided, and checks every row.
    ///
    /// # Errors
    /// [`EngineError::Books`] where a row does not balance.
    pub fn settle(&mut self, messages: &Fates, records: &Fates) -> Result<()> {
        self.revise(|page| {
            page.messages.settle(page.first_message, messages);
            page.records.settle(page.first_record, records);
        });
        self.check()
    }

    fn revise(&mut self, revise: impl Fn(&mut PageRow)) {
        let pages = std::mem::take(&mut self.pages);
        self.pages.extend(pages.iter().map(|mut page| {
            revise(&mut page);
            page
        }));
        self.first_page = self.pages.len();
    }

    /// Checks that every row balances, and that the rows add up to what was seen.
    ///
    /// # Errors
    /// [`EngineError::Books`] for the first that does not.
    pub fn check(&self) -> Result<()> {
        let mut seen = self.first;
        let mut rejected = 0;
        for page in self.pages.iter() {
            let input =
                self.inputs.get(page.input).map_or("an unfinished input", |report| &report.input.display);
            for (books, what) in [(&page.messages, "messages"), (&page.records, "records")] {
                if !books.balance() {
                    let place = format!("{what} of page {} of {input}: {books:?}", page.page_index);
                    return Err(EngineError::Books(place));
                }
            }
            seen.0 += page.messages.seen;
            seen.1 += page.records.seen;
            rejected += page.messages.rejected + page.records.rejected;
        }
        let by_reason: u64 = self.reasons.values().map(|found| found.count).sum();
        if by_reason != rejected {
            return Err(EngineError::Books(format!("{rejected} rejected in rows, {by_reason} by reason")));
        }
        if seen != (self.messages, self.records) {
            return Err(EngineError::Books(format!(
                "{seen:?} in rows, {:?} seen",
                (self.messages, self.records)
            )));
        }
        Ok(())
    }
}

impl PageRow {
    fn new(input: usize, page_index: u64, first_message: u64, first_record: u64) -> Self {
        Self {
            input,
            page_index,
            first_message,
            first_record,
            shape: Shape::Unknown,
            status: PageStatus::Partial,
            reason: None,
            envelope: Envelope::default(),
            body_bytes: None,
            array_hash: 0,
            order: None,
            first_event_at: None,
            last_event_at: None,
            messages: Books::default(),
            records: Books::default(),
        }
    }
}
