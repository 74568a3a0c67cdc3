//! Pages: whatever the bytes are, the books balance, spans follow each other, and windows make no difference.

use korpus_core::{Block, Envelope, InputEnd, Limits, PageEnd, PageParser, Record};
use serde_json::value::RawValue;

use crate::json::{Json, JsonKind};
use crate::scan::depth;

/// A message or record that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its index in the body.
    pub index: u64,
    /// Where it begins in the input.
    pub offset: u64,
    /// Its bytes.
    pub raw: String,
    /// Whether it is a message inside a record.
    pub is_inner: bool,
}

/// A span that was not.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// Its index in the body.
    pub index: u64,
    /// Whether it counts as a record.
    pub is_record: bool,
    /// Where it begins in the input.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
    /// The name of the reason.
    pub reason: &'static str,
    /// Its id, where it shows one.
    pub message_id: Option<String>,
    hash: u128,
}

/// Everything that came out of one body.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Where it begins in the input.
    pub start: u64,
    /// Its messages.
    pub messages: Vec<Found>,
    /// Its records.
    pub records: Vec<Found>,
    /// What is lost.
    pub rejected: Vec<Rejected>,
    /// Its envelope and books.
    pub end: PageEnd,
}

struct Open {
    start: u64,
    messages: Vec<Found>,
    records: Vec<Found>,
    rejected: Vec<Rejected>,
}

/// Parses `data` in windows of that many bytes (whole without), with blocks of that many.
///
/// # Panics
/// If the slices of the blocks do not fit together.
pub fn parse(data: &[u8], window: Option<usize>, block_bytes: usize, end: InputEnd) -> Vec<Page> {
    let mut parser = PageParser::new(Limits { block_bytes, ..Limits::default() });
    let (mut pages, mut open) = (Vec::new(), None);
    match window {
        None => parser.feed_whole(data.to_vec()),
        Some(window) => {
            for bytes in data.chunks(window) {
                parser.feed(bytes);
                while let Some(block) = parser.next_block() {
                    take(&block, &mut pages, &mut open);
                    parser.recycle(block);
                }
            }
        }
    }
    parser.finish(end);
    while let Some(block) = parser.next_block() {
        take(&block, &mut pages, &mut open);
        parser.recycle(block);
    }
    assert!(open.is_none(), "every page ends");
    pages
}

fn take(block: &Block, pages: &mut Vec<Page>, open: &mut Option<Open>) {
    let (mut messages, mut records, mut rejects) = (0, 0, 0);
    for slice in block.pages() {
        assert_eq!(slice.page_index, pages.len() as u64, "pages come in order");
        assert_eq!(slice.starts, open.is_none(), "a page starts once");
        let begun = (slice.messages.start, slice.records.start, slice.rejects.start);
        assert_eq!(begun, (messages, records, rejects), "slices follow each other");
        (messages, records, rejects) = (slice.messages.end, slice.records.end, slice.rejects.end);
        let page = open.get_or_insert_with(|| Open {
            start: slice.body_start,
            messages: Vec::new(),
            records: Vec::new(),
            rejected: Vec::new(),
        });
        assert_eq!(page.start, slice.body_start, "a page starts at one place");
        for message in slice.messages.clone().map(|at| block.message(at)) {
            let position = message.position();
            assert_eq!((position.page, position.message), (slice.page_index, Some(message.message_index())));
            page.messages.push(Found {
                index: message.message_index(),
                offset: page.start + position.byte_offset,
                raw: message.whole().raw().to_owned(),
                is_inner: message.conversation().is_some(),
            });
        }
        for record in slice.records.clone().map(|at| block.record(at)) {
            let (index, position, raw) = match record {
                Record::Conversation(record) => {
                    (record.record_index(), record.position(), record.whole().raw())
                }
                Record::Session(record) => (record.record_index(), record.position(), record.whole().raw()),
            };
            let offset = page.start + position.byte_offset;
            page.records.push(Found { index, offset, raw: raw.to_owned(), is_inner: false });
        }
        for reject in &block.rejects()[slice.rejects.clone()] {
            page.rejected.push(Rejected {
                index: reject.index,
                is_record: reject.is_record,
                offset: page.start + reject.byte_offset,
                length: reject.byte_length,
                reason: reject.reason.as_str(),
                message_id: reject.message_id.clone(),
                hash: reject.raw_hash,
            });
        }
        if let Some(end) = &slice.end {
            let Open { start, messages, records, rejected } = open.take().expect("it is open");
            pages.push(Page { start, messages, records, rejected, end: (**end).clone() });
        }
    }
    let all = (block.message_count(), block.records().len(), block.rejects().len());
    assert_eq!(all, (messages, records, rejects), "everything stands in a page");
}

/// Parses `data` whole and in windows, and audits the books.
///
/// # Panics
/// If they do not balance, a message is not what stands in the bytes, or windows make a difference.
pub fn page(data: &[u8]) {
    for end in [InputEnd::Complete, InputEnd::Corrupt] {
        let whole = parse(data, None, 512 << 10, end);
        audit(data, &whole);
        let windows: &[(usize, usize)] = match data.len() {
            0..=800 => &[(1, 512 << 10), (1, 1), (13, 100)],
            801..=4096 => &[(1, 512 << 10), (64, 700)],
            _ => &[(977, 4096), (64 << 10, 512 << 10)],
        };
        // How the input ends is told at its end alone: one round of windows is enough for that.
        let windows = if end == InputEnd::Complete { windows } else { &windows[..1] };
        for &(window, block_bytes) in windows {
            let pages = parse(data, Some(window), block_bytes, end);
            assert!(pages == whole, "windows of {window}, blocks of {block_bytes}:\n{pages:#?}\n{whole:#?}");
        }
    }
}

/// The messages of the first body, as they stand.
pub fn kept(pages: &[Page]) -> Vec<&str> {
    pages.first().map_or_else(Vec::new, |page| page.messages.iter().map(|m| m.raw.as_str()).collect())
}

fn audit(data: &[u8], pages: &[Page]) {
    assert!(!pages.is_empty(), "an input is one body at least, if an empty one");
    let mut before = 0;
    for page in pages {
        let end = page.start + page.end.body_bytes;
        assert!(before <= page.start && end <= data.len() as u64, "pages follow each other");
        let between = &data[before as usize..page.start as usize];
        assert!(
            between.iter().all(|b| b" \t\r\n,[]\x1e\xef\xbb\xbf".contains(b)),
            "nothing is lost between pages"
        );
        before = end;
        balance(page);
        for found in page.messages.iter().chain(&page.records) {
            let there = &data[found.offset as usize..][..found.raw.len()];
            assert!(there == found.raw.as_bytes(), "what is kept stands at its offset");
            let json = Json::parse(there).expect("what is kept is JSON");
            assert!(
                json.kind() == JsonKind::Object && json.raw().len() == there.len() && depth(there) <= 128
            );
        }
        spans(data, page, end);
    }
    let after = &data[before as usize..];
    assert!(
        after.iter().all(|b| b" \t\r\n,[]\x1e\xef\xbb\xbf".contains(b)),
        "nothing is lost after the last page"
    );
}

/// Kept and rejected are all that was seen, each with an index of its own, in order.
fn balance(page: &Page) {
    let rejected = |is_record: bool| {
        page.rejected.iter().filter(move |reject| reject.is_record == is_record).map(|reject| reject.index)
    };
    for (kept, is_record, seen, lost) in [
        (&page.messages, false, page.end.messages_seen, page.end.messages_rejected),
        (&page.records, true, page.end.records_seen, page.end.records_rejected),
    ] {
        assert!(kept.is_sorted_by_key(|found| found.index) && rejected(is_record).is_sorted());
        let mut all: Vec<_> = kept.iter().map(|found| found.index).chain(rejected(is_record)).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..seen), "kept and rejected are what was seen");
        assert_eq!(rejected(is_record).count() as u64, lost);
    }
    assert_eq!(page.end.status.as_str() == "ok", page.end.reason.is_none());
    assert!(page.rejected.is_empty() || page.end.reason.is_some(), "a page with a reject is not whole");
}

/// Whether nothing is lost that stands between two spans: brackets, commas, record separators and byte order marks, and members
/// that the envelope shows. Where an array ends among them, this cannot be told.
fn is_accounted_for(between: &[u8], envelope: &Envelope) -> bool {
    let text = String::from_utf8_lossy(between).replace(['\x1e', '\u{feff}'], "");
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || ",[{}".contains(c));
        if rest.is_empty() || rest.contains(']') {
            return true;
        }
        let Some((key, value, after)) = member(rest) else { return false };
        let shown = format!("\"{key}\":{value}");
        if !KNOWN.contains(&key) && !value.is_empty() && !envelope.extra.contains(&shown) {
            return false;
        }
        rest = after;
    }
}

/// The keys of an envelope that need not stand in its `extra`.
const KNOWN: [&str; 7] = ["total", "totalResults", "moreAvailable", "hasMore", "skip", "limit", "totalPages"];

/// The key and the value at the start of a text, as they are written, and what stands behind them. A value that is not whole holds
/// what stands behind it.
fn member(text: &str) -> Option<(&str, &str, &str)> {
    let value = |text| {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        Some((values.next()?.ok()?.get(), &text[values.byte_offset()..]))
    };
    let (key, rest) = value(text)?;
    let key = key.strip_prefix('"')?.strip_suffix('"')?;
    let rest = rest.trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
    match value(rest) {
        Some((value, rest)) => Some((key, value, rest)),
        None => rest.starts_with(['{', '[']).then_some((key, "", rest)),
    }
}

/// Spans follow each other, and nothing but punctuation stands between two of one array.
fn spans(data: &[u8], page: &Page, end: u64) {
    let mut spans: Vec<_> = page
        .messages
        .iter()
        .filter(|message| !message.is_inner)
        .chain(&page.records)
        .map(|found| (found.offset, found.raw.len() as u64))
        .chain(page.rejected.iter().map(|reject| (reject.offset, reject.length)))
        .collect();
    spans.sort_unstable();
    for found in page.messages.iter().filter(|message| message.is_inner) {
        let inside = |record: &Found| {
            record.offset < found.offset
                && found.offset + found.raw.len() as u64 <= record.offset + record.raw.len() as u64
        };
        assert!(page.records.iter().any(inside), "an inner message stands in a record");
    }
    let mut before: Option<u64> = None;
    for (offset, length) in spans {
        if let Some(before) = before {
            assert!(before <= offset, "spans do not overlap");
            let between = &data[before as usize..offset as usize];
            assert!(
                is_accounted_for(between, &page.end.envelope),
                "lost between messages, before {offset}: {}",
                between.escape_ascii()
            );
        }
        assert!(page.start <= offset && offset + length <= end, "spans stand in their page");
        before = Some(offset + length);
    }
}
