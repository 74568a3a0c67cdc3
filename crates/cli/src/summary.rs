//! The summary of a run: what was read, what was kept, what was not and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use korpus_core::{PageStatus, Reason, Shape};
use korpus_engine::{Books, InputList, Ledger, PageRow};
use serde_json::json;

use crate::parse::ExpectedShape;
use crate::progress::duration;
use crate::show::{Align, FAINT, Grid, STRONG, count, heading, size, thousands, visible_short};

/// Names of files longer than this are cut in tables.
const NAME: usize = 60;

/// What a summary is made of.
pub(crate) struct Summary<'a> {
    pub inputs: &'a InputList,
    pub ledger: &'a Ledger,
    pub expected: Option<&'a ExpectedShape>,
    /// Whether the message of `--msg-id` was seen, where one was named.
    pub anchor_found: Option<bool>,
    pub took: Duration,
}

/// Bodies that are not whole, for one reason.
struct Trouble {
    status: PageStatus,
    reason: Option<Reason>,
    bodies: u64,
    first: PageRow,
}

impl Summary<'_> {
    /// Whether nothing is to be told but that all went well.
    pub(crate) fn is_clean(&self) -> bool {
        self.ledger.is_clean() && self.unexpected().is_none()
    }

    /// The first line, and what was read.
    pub(crate) fn print_read(&self, out: &mut String) {
        let ledger = self.ledger;
        let (read, decoded) = ledger.bytes();
        let (messages, records) = ledger.totals();
        let seconds = self.took.as_secs_f64().max(0.001);
        let _ = writeln!(
            out,
            "{STRONG}Read{STRONG:#} {}{} ({}, {} decoded) in {}: {}, {}, {}",
            count(ledger.files(), "file", "files"),
            match ledger.members() {
                0 => String::new(),
                members => format!(" with {}", count(members, "member", "members")),
            },
            size(read),
            size(decoded),
            duration(self.took),
            count(ledger.pages().len() as u64, "body", "bodies"),
            count(messages.seen, "message", "messages"),
            count(records.seen, "record", "records"),
        );
        if self.took > Duration::from_secs(1) {
            let rate = thousands((messages.seen as f64 / seconds) as u64);
            let bytes = size((decoded as f64 / seconds) as u64);
            let _ = writeln!(out, "{FAINT}     {rate} messages/s, {bytes}/s decoded{FAINT:#}");
        }
        for (names, what) in [
            (&self.inputs.repeated, "given more than once, read once"),
            (&self.inputs.skipped, "passed over: no file that can be read"),
        ] {
            if let Some(first) = names.first() {
                let others = names.len() as u64;
                let _ = writeln!(
                    out,
                    "     {} {what}, first {}",
                    count(others, "file", "files"),
                    visible_short(first, NAME)
                );
            }
        }
        let mut skipped = ledger.inputs().iter().filter_map(|report| report.members.as_ref());
        let others: u64 = skipped.clone().map(|members| members.skipped).sum();
        if let Some(first) = skipped.find_map(|members| members.first_skipped.as_deref()) {
            let _ = writeln!(
                out,
                "     {} of archives passed over: no file, or no response of the API, first {}",
                count(others, "member", "members"),
                visible_short(first, NAME)
            );
        }
        if ledger.known_members() > 0 {
            let _ = writeln!(
                out,
                "     {} of archives passed over: in the dataset already",
                count(ledger.known_members(), "member", "members")
            );
        }
        if ledger.left_out() > 0 {
            let _ = writeln!(
                out,
                "     {} not read: requested for another call",
                count(ledger.left_out(), "file", "files")
            );
        }
    }

    /// The books, as a table.
    pub(crate) fn print_books(&self, out: &mut String) {
        let (messages, records) = self.ledger.totals();
        heading(out, "What became of it");
        let mut grid =
            Grid::new(&["", "seen>", "kept>", "filtered>", "rejected>", "duplicate>", "superseded>"]);
        for (name, books) in [("messages", messages), ("records", records)] {
            if name == "messages" || books.seen > 0 {
                let Books { seen, kept, filtered, rejected, duplicate, superseded } = books;
                let cells = [seen, kept, filtered, rejected, duplicate, superseded].map(thousands);
                grid.row(std::iter::once(name.to_owned()).chain(cells));
            }
        }
        grid.print(out);
        if self.anchor_found == Some(false) {
            out.push_str("  The message that --msg-id names is not there.\n");
        }
    }

    /// What was not kept, and why; what is not whole, and why. Nothing where all is clean.
    pub(crate) fn print_troubles(&self, out: &mut String) {
        let ledger = self.ledger;
        if !ledger.rejections().is_empty() {
            heading(out, "Rejected, and why");
            let mut grid = Grid::new(&["reason", "count>", "meaning", "first at"]);
            let mut order: Vec<_> = ledger.rejections().iter().collect();
            order.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
            for (reason, found) in order {
                let first = &found.first;
                let what = if first.is_record { "record" } else { "message" };
                grid.row([
                    reason.as_str().to_owned(),
                    thousands(found.count),
                    reason.meaning().trim_end_matches('.').to_owned(),
                    format!(
                        "{}, page {}, {what} {}, byte {}",
                        self.name(first.input),
                        first.page_index,
                        first.message_index,
                        first.byte_offset
                    ),
                ]);
            }
            grid.print(out);
        }
        let troubles = self.troubles();
        if !troubles.is_empty() {
            heading(out, "Bodies that are not whole pages");
            let mut grid = Grid::new(&["status", "reason", "bodies>", "first"]);
            for trouble in troubles {
                grid.row([
                    trouble.status.as_str().to_owned(),
                    // Only an archive without a member to read has none.
                    trouble.reason.map_or("no member read", Reason::as_str).to_owned(),
                    thousands(trouble.bodies),
                    format!("{}, page {}", self.name(trouble.first.input), trouble.first.page_index),
                ]);
            }
            grid.print(out);
        }
        let unreadable = ledger.inputs().iter().filter_map(|input| Some((input, input.io_error.as_ref()?)));
        let mut unreadable = unreadable.peekable();
        if unreadable.peek().is_some() {
            heading(out, "Files that could not be read");
            for (input, error) in unreadable.by_ref().take(10) {
                let name = visible_short(&input.input.display, NAME);
                let _ = writeln!(out, "  {name}: {}", visible_short(error, 100));
            }
            let left = unreadable.count() as u64;
            if left > 0 {
                let _ = writeln!(out, "  and {}", count(left, "other", "others"));
            }
        }
        for input in ledger.inputs().iter().filter(|input| input.changed).take(10) {
            let name = visible_short(&input.input.display, NAME);
            let _ =
                writeln!(out, "\nChanged while it was read: {name}. Read it again when nobody writes to it.");
        }
        if let (Some(expected), Some((bodies, first))) = (self.expected, self.unexpected()) {
            let _ = writeln!(
                out,
                "\n{} not of the shape {}: first {}, page {}, which is {}",
                count(bodies, "body is", "bodies are"),
                expected.name,
                self.name(first.input),
                first.page_index,
                first.shape.as_str()
            );
        }
    }

    /// Everything as JSON; commands add their own keys.
    pub(crate) fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let ledger = self.ledger;
        let (read, decoded) = ledger.bytes();
        let (messages, records) = ledger.totals();
        let passed_over = ledger.inputs().iter().filter_map(|report| report.members.as_ref());
        let display = |input: usize| ledger.inputs().get(input).map_or("", |report| &report.input.display);
        let rejects = ledger.rejections().iter().map(|(reason, found)| {
            json!({
                "reason": reason.as_str(),
                "meaning": reason.meaning(),
                "count": found.count,
                "first": {
                    "source_file": display(found.first.input),
                    "page_index": found.first.page_index,
                    "message_index": found.first.message_index,
                    "is_record": found.first.is_record,
                    "byte_offset": found.first.byte_offset,
                    "fault_offset": found.first.fault_offset,
                },
            })
        });
        let troubles = self.troubles().into_iter().map(|trouble| {
            json!({
                "page_status": trouble.status.as_str(),
                "reason": trouble.reason.map(Reason::as_str),
                "bodies": trouble.bodies,
                "first": {"source_file": display(trouble.first.input), "page_index": trouble.first.page_index},
            })
        });
        let unreadable = ledger.inputs().iter().filter_map(|report| {
            let error = report.io_error.as_ref()?;
            Some(json!({"source_file": report.input.display, "error": error}))
        });
        let changed = ledger.inputs().iter().filter(|report| report.changed);
        let unexpected = self.unexpected().map(|(bodies, first)| {
            json!({
                "bodies": bodies,
                "first": {
                    "source_file": display(first.input),
                    "page_index": first.page_index,
                    "shape": first.shape.as_str(),
                },
            })
        });
        let value = json!({
            "inputs": {
                "files": ledger.files(),
                "members": ledger.members(),
                "members_skipped": passed_over.map(|members| members.skipped).sum::<u64>(),
                "bytes": read,
                "decoded_bytes": decoded,
                "repeated": self.inputs.repeated,
                "skipped": self.inputs.skipped,
                "other_calls": ledger.left_out(),
                "unreadable": unreadable.collect::<Vec<_>>(),
                "changed": changed.map(|report| report.input.display.as_str()).collect::<Vec<_>>(),
            },
            "bodies": self.by_status(),
            "shapes": self.by_shape(),
            "messages": messages,
            "records": records,
            "rejects": rejects.collect::<Vec<_>>(),
            "not_whole": troubles.collect::<Vec<_>>(),
            "unexpected_shape": unexpected,
            "msg_id_found": self.anchor_found,
            "clean": self.is_clean(),
            "seconds": self.took.as_secs_f64(),
        });
        match value {
            serde_json::Value::Object(map) => map,
            _ => serde_json::Map::new(),
        }
    }

    /// The shapes of the bodies in one line, and how many there are of each.
    pub(crate) fn print_shapes(&self, out: &mut String) {
        heading(out, "Bodies");
        let mut grid = Grid::plain(&[Align::Left, Align::Left]);
        let line = |counts: BTreeMap<&'static str, u64>| {
            let parts: Vec<String> =
                counts.into_iter().map(|(name, count)| format!("{name} {}", thousands(count))).collect();
            parts.join(" · ")
        };
        grid.row(["shape".to_owned(), line(self.by_shape())]);
        grid.row(["status".to_owned(), line(self.by_status())]);
        grid.print(out);
    }

    fn by_status(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for page in self.ledger.pages().iter() {
            *counts.entry(page.status.as_str()).or_default() += 1;
        }
        counts
    }

    fn by_shape(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for page in self.ledger.pages().iter() {
            *counts.entry(page.shape.as_str()).or_default() += 1;
        }
        counts
    }

    fn troubles(&self) -> Vec<Trouble> {
        let mut troubles: BTreeMap<(PageStatus, Option<Reason>), Trouble> = BTreeMap::new();
        for page in self.ledger.pages().iter().filter(|page| page.status != PageStatus::Ok) {
            let trouble = troubles.entry((page.status, page.reason)).or_insert(Trouble {
                status: page.status,
                reason: page.reason,
                bodies: 0,
                first: page,
            });
            trouble.bodies += 1;
        }
        troubles.into_values().collect()
    }

    /// How many bodies are not of the shape that was said, and the first of them.
    fn unexpected(&self) -> Option<(u64, PageRow)> {
        let expected = self.expected?;
        let is_other = |page: &PageRow| {
            page.shape != expected.shape && !matches!(page.shape, Shape::Error | Shape::Unknown)
        };
        let mut others = self.ledger.pages().iter().filter(is_other);
        let first = others.next()?;
        Some((1 + others.count() as u64, first))
    }

    fn name(&self, input: usize) -> String {
        let display = self.ledger.inputs().get(input).map_or("", |report| &report.input.display);
        visible_short(display, NAME)
    }
}
