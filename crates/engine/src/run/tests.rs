//! Runs as a whole: order, truth, failures, cancellation, bounds.

mod fates;

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use korpus_core::{PageStatus, Reason, Text};
use korpus_synth::{Codec, Damage, Layout, Shape, Size, Synth, SynthOptions};

use super::*;
use crate::dedup::Fate;
use crate::inputs::{ExpandOptions, expand};
use crate::job::BlockSeq;
use crate::ledger::{InputReport, InputStatus};
use crate::work::{RejectItem, Work};

/// Writes down what it sees, in order; fails on purpose on the message whose id is `poison`.
#[derive(Default)]
struct Trace {
    poison: Option<&'static str>,
    fails_in: Option<Step>,
    fail_commit_at: Option<usize>,
    /// There is always something to do.
    endless: bool,
    parts: AtomicU64,
    /// What commits left to do: one thing each.
    left: AtomicU64,
}

#[derive(PartialEq, Eq)]
enum Step {
    Map,
    Commit,
    Help,
}

#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Seen {
    messages: Vec<(u64, String, bool)>,
    records: Vec<(u64, bool)>,
    rejects: Vec<(u64, u64, Reason)>,
    blocks: Vec<(usize, u64, u64)>,
    ended: Vec<String>,
}

impl Job for Trace {
    type Local = ();
    type Part = Seen;
    type State = Seen;
    type Error = EngineError;

    fn local(&self) {}

    fn part(&self) -> Seen {
        self.parts.fetch_add(1, Ordering::Relaxed);
        Seen::default()
    }

    fn map(&self, (): &mut (), work: &Work<'_>, part: &mut Seen) {
        for item in work.messages() {
            let id = item.message.id().map(Text::lossy).unwrap_or_default().into_owned();
            // Unwinding without the hook: the test's output stays readable.
            if self.poison == Some(&id) {
                resume_unwind(Box::new("on purpose"));
            }
            part.messages.push((item.ordinal, id, item.matches));
        }
        part.records.extend(work.records().map(|item| (item.ordinal, item.matches)));
        part.rejects.extend(
            work.rejects().iter().map(|item| (item.page_index, item.reject.index, item.reject.reason)),
        );
        if self.fails_in == Some(Step::Map) {
            resume_unwind(Box::new("on purpose"));
        }
    }

    fn commit(&self, state: &mut Seen, at: &BlockSeq<'_>, part: Seen) -> Result<()> {
        if self.fails_in == Some(Step::Commit) {
            resume_unwind(Box::new("on purpose"));
        }
        if self.fail_commit_at == Some(state.blocks.len()) {
            return Err(EngineError::DiskFull("out".into()));
        }
        state.blocks.push((at.input.index, at.block, at.first_page));
        self.left.fetch_add(1, Ordering::Relaxed);
        state
            .messages
            .extend(part.messages.into_iter().map(|(at_, id, ok)| (at_ + at.first_message, id, ok)));
        state.records.extend(part.records.into_iter().map(|(ordinal, ok)| (ordinal + at.first_record, ok)));
        state.rejects.extend(part.rejects);
        Ok(())
    }

    fn help(&self) -> bool {
        if self.fails_in == Some(Step::Help) {
            resume_unwind(Box::new("on purpose"));
        }
        let take = |left: u64| left.checked_sub(1);
        self.endless || self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn end_input(&self, state: &mut Seen, report: &InputReport, rejects: &[RejectItem<'_>]) -> Result<()> {
        state
            .rejects
            .extend(rejects.iter().map(|item| (item.page_index, item.reject.index, item.reject.reason)));
        state.ended.push(report.input.display.clone());
        Ok(())
    }
}

fn small_blocks() -> RunOptions {
    let mut options = RunOptions::default();
    options.limits.block_bytes = 8 << 10;
    options
}

fn trace(threads: usize, ahead: usize, inputs: &InputList, options: &RunOptions) -> (Seen, RunReport) {
    let mut seen = Seen::default();
    let pool = Pool::new(threads).unwrap();
    let report = run_within(&pool, inputs, options, ahead, &Trace::default(), &mut seen, &()).unwrap();
    (seen, report)
}

fn synth(options: SynthOptions) -> (InputList, korpus_synth::Truth) {
    let (files, truth) = Synth::new(options).unwrap().write_memory().unwrap();
    (InputList::from_bytes(files), truth)
}

fn plain_messages(ids: &[&str]) -> Vec<u8> {
    let messages: Vec<String> = ids
        .iter()
        .map(|id| {
            format!(
                r#"{{"_id":"{id}","type":"incoming","createdOn":"2025-09-01T12:17:38.824Z","components":[]}}"#
            )
        })
        .collect();
    format!(r#"{{"total":{},"messages":[{}]}}"#, ids.len(), messages.join(",")).into_bytes()
}

/// The books of the synthetic truth, body by body.
fn assert_agrees(report: &RunReport, truth: &korpus_synth::Truth) {
    report.ledger.check().unwrap();
    let (messages, records) = report.ledger.totals();
    for (ours, theirs) in [(messages, truth.messages), (records, truth.records)] {
        assert_eq!(ours.seen, theirs.seen);
        assert_eq!(ours.rejected, theirs.rejected);
        assert_eq!(
            (ours.kept, ours.duplicate, ours.superseded),
            (theirs.kept, theirs.duplicate, theirs.superseded)
        );
    }
    let theirs: BTreeMap<(String, u64), &korpus_synth::BodyTruth> =
        truth.bodies.iter().map(|body| ((body.file.clone(), body.page_index), body)).collect();
    assert_eq!(report.ledger.pages().len(), theirs.len());
    for page in report.ledger.pages().iter() {
        let input = &report.ledger.inputs()[page.input];
        let body = theirs[&(input.input.display.clone(), page.page_index)];
        assert_eq!(page.messages.seen, body.messages.seen, "{body:?}");
        assert_eq!(page.messages.rejected, body.messages.rejected, "{body:?}");
        assert_eq!(page.status.as_str(), body.page_status, "{body:?}");
    }
}

#[test]
fn any_number_of_threads_commits_the_same_in_the_same_order() {
    let (inputs, truth) = synth(SynthOptions {
        size: Size::Pages(24),
        page_size: 120,
        shapes: vec![Shape::V2, Shape::Lite, Shape::AgentAiHistory, Shape::Sessions, Shape::Call],
        codecs: vec![Codec::Gzip, Codec::Plain, Codec::Brotli, Codec::Zstd],
        duplicates: 0.1,
        edited_copies: 0.1,
        ..SynthOptions::default()
    });
    let options = small_blocks();
    let (expected, report) = trace(1, 1 << 20, &inputs, &options);
    assert_agrees(&report, &truth);
    assert!(expected.blocks.len() > 2 * 24 && expected.blocks.is_sorted());
    assert!(expected.messages.is_sorted_by_key(|message| message.0));
    assert_eq!(expected.ended.len(), 24);
    for threads in [2, 5] {
        for ahead in [1, 40 << 10, 1 << 30] {
            let (seen, other) = trace(threads, ahead, &inputs, &options);
            assert_eq!(seen, expected, "{threads} threads, {ahead} bytes ahead");
            assert_eq!(other.ledger.pages(), report.ledger.pages());
        }
    }
}

#[test]
fn one_huge_stream_is_shared_by_all_threads() {
    let (inputs, truth) = synth(SynthOptions {
        size: Size::Messages(6000),
        page_size: 6000,
        codecs: vec![Codec::Gzip],
        ..SynthOptions::default()
    });
    let mut options = small_blocks();
    options.limits.whole_bytes = 1 << 10;
    let (expected, report) = trace(1, 1 << 20, &inputs, &options);
    assert_agrees(&report, &truth);
    for ahead in [1, 1 << 20] {
        assert_eq!(trace(4, ahead, &inputs, &options).0, expected);
    }
}

#[test]
fn readers_wait_for_the_blocks_of_a_body_whose_memory_they_need() {
    let (inputs, truth) = synth(SynthOptions {
        size: Size::Pages(6),
        page_size: 2500,
        codecs: vec![Codec::Gzip],
        ..SynthOptions::default()
    });
    let mut options = small_blocks();
    let (expected, report) = trace(1, 1 << 20, &inputs, &options);
    assert_agrees(&report, &truth);
    // Each is held whole, and no two of them.
    let lens: Vec<u64> = report.ledger.pages().iter().map(|page| page.body_bytes.unwrap()).collect();
    options.limits.whole_bytes = *lens.iter().max().unwrap() as usize;
    assert!(lens.iter().all(|&len| len > 1 << 20 && 2 * len as usize > options.limits.whole_bytes));
    for threads in [1, 2, 5] {
        for ahead in [1, 1 << 20, 1 << 30] {
            assert_eq!(
                trace(threads, ahead, &inputs, &options).0,
                expected,
                "{threads} threads, {ahead} ahead"
            );
        }
        let job = Trace { fail_commit_at: Some(expected.blocks.len() / 2), ..Trace::default() };
        let pool = Pool::new(threads).unwrap();
        let outcome = run_within(&pool, &inputs, &options, 1 << 20, &job, &mut Seen::default(), &());
        assert!(matches!(outcome, Err(EngineError::DiskFull(_))));
    }
}

#[test]
fn copies_are_found_in_any_order_of_inputs_and_with_any_memory() {
    let (files, truth) = Synth::new(SynthOptions {
        size: Size::Messages(3000),
        page_size: 200,
        shapes: vec![Shape::V2, Shape::Lite, Shape::Call],
        duplicates: 0.2,
        edited_copies: 0.2,
        overlap: 0.3,
        ..SynthOptions::default()
    })
    .unwrap()
    .write_memory()
    .unwrap();
    let kept = |files: Vec<(String, Vec<u8>)>| {
        let (seen, report) = trace(2, 1 << 20, &InputList::from_bytes(files), &RunOptions::default());
        assert_agrees(&report, &truth);
        let is_kept = |message: &&(u64, String, bool)| report.messages.fate(message.0) == Fate::Kept;
        let mut ids: Vec<String> =
            seen.messages.iter().filter(is_kept).map(|message| message.1.clone()).collect();
        ids.sort();
        ids
    };
    let forward = kept(files.clone());
    let backward = kept(files.into_iter().rev().collect());
    assert_eq!(forward, backward);
    assert_eq!(forward.len() as u64, truth.messages.kept);
}

#[test]
fn damage_costs_what_is_damaged_and_nothing_else() {
    let (inputs, truth) = synth(SynthOptions {
        size: Size::Pages(36),
        page_size: 50,
        codecs: vec![Codec::Gzip],
        damage: Damage::ALL.to_vec(),
        damage_every: 3,
        ..SynthOptions::default()
    });
    let (seen, report) = trace(3, 1 << 20, &inputs, &small_blocks());
    assert_agrees(&report, &truth);
    assert_eq!(seen.rejects.len() as u64, truth.messages.rejected);
    assert!(!report.ledger.is_clean());
}

#[test]
fn many_bodies_in_one_file_have_a_row_each() {
    for layout in [Layout::NdjsonBodies, Layout::Concatenated, Layout::NdjsonMessages] {
        let (inputs, truth) = synth(SynthOptions {
            size: Size::Messages(900),
            page_size: 30,
            layout,
            codecs: vec![Codec::Plain, Codec::Gzip],
            ..SynthOptions::default()
        });
        let (_, report) = trace(2, 1 << 20, &inputs, &small_blocks());
        assert_agrees(&report, &truth);
        for (index, page) in
            report.ledger.pages().iter().enumerate().filter(|(_, page)| page.messages.seen > 0)
        {
            assert_eq!(report.ledger.page_of_message(page.first_message), Some(index));
            assert_eq!(
                report.ledger.page_of_message(page.first_message + page.messages.seen - 1),
                Some(index)
            );
        }
    }
}

#[test]
fn the_test_data_balances() {
    let dumps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dumps");
    let inputs = expand(&[dumps], &ExpandOptions::default()).unwrap();
    let (expected, report) = trace(1, 1 << 20, &inputs, &RunOptions::default());
    assert!(report.ledger.totals().0.kept > 0 && report.ledger.totals().1.kept > 0);
    assert_eq!(report.ledger.inputs().len(), inputs.inputs.len());
    let (seen, _) = trace(4, 1, &inputs, &RunOptions::default());
    assert_eq!(seen, expected);
}

#[test]
fn a_panic_costs_the_message_it_happened_on() {
    let ids: Vec<String> = (0..200).map(|n| format!("ms-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let inputs =
        InputList::from_bytes([("a.json", plain_messages(&ids)), ("b.json", plain_messages(&["ms-other"]))]);
    let job = Trace { poison: Some("ms-77"), ..Trace::default() };
    let mut seen = Seen::default();
    let report = run(&Pool::new(2).unwrap(), &inputs, &RunOptions::default(), &job, &mut seen, &()).unwrap();
    assert_eq!(seen.messages.len(), 200);
    assert!(seen.messages.iter().all(|message| message.1 != "ms-77"));
    // The ordinal stays taken: the reject has it.
    assert_eq!(seen.messages[77].0, 78);
    assert_eq!(seen.rejects, [(0, 77, Reason::Internal)]);
    let pages: Vec<_> = report.ledger.pages().iter().collect();
    assert_eq!((pages[0].messages.seen, pages[0].messages.rejected, pages[0].messages.kept), (200, 1, 199));
    assert_eq!((pages[0].status, pages[0].reason), (PageStatus::Partial, Some(Reason::Internal)));
    assert_eq!(pages[1].status, PageStatus::Ok);
    assert_eq!(report.ledger.inputs()[0].status, InputStatus::Partial);
}

#[test]
fn a_job_that_always_panics_ends_the_run() {
    let inputs = InputList::from_bytes([("a.json", plain_messages(&["ms-1", "ms-2"]))]);
    for step in [Step::Map, Step::Commit, Step::Help] {
        let job = Trace { fails_in: Some(step), ..Trace::default() };
        let outcome =
            run(&Pool::new(3).unwrap(), &inputs, &RunOptions::default(), &job, &mut Seen::default(), &());
        assert!(matches!(outcome, Err(EngineError::Worker(_))));
    }
}

#[test]
fn an_error_of_a_commit_ends_the_run() {
    let (inputs, _) =
        synth(SynthOptions { size: Size::Pages(10), page_size: 100, ..SynthOptions::default() });
    for threads in [1, 4] {
        let job = Trace { fail_commit_at: Some(7), ..Trace::default() };
        let mut seen = Seen::default();
        let outcome =
            run_within(&Pool::new(threads).unwrap(), &inputs, &small_blocks(), 1 << 20, &job, &mut seen, &());
        assert!(matches!(outcome, Err(EngineError::DiskFull(_))));
        assert_eq!(seen.blocks.len(), 7);
    }
}

/// Panics when bytes are read for the time after `at`.
#[derive(Default)]
struct Saboteur {
    at: u64,
    times: AtomicU64,
}

impl Observer for Saboteur {
    fn bytes_read(&self, _: u64) {
        if self.times.fetch_add(1, Ordering::Relaxed) == self.at {
            resume_unwind(Box::new("on purpose"));
        }
    }
}

#[test]
fn a_reader_that_fails_costs_its_input() {
    let page = plain_messages(&["ms-1", "ms-2"]);
    let inputs = InputList::from_bytes([("a", page.clone()), ("b", page.clone()), ("c", page.clone())]);
    let mut seen = Seen::default();
    let options = RunOptions::default();
    let saboteur = Saboteur { at: 1, ..Saboteur::default() };
    let report =
        run(&Pool::new(1).unwrap(), &inputs, &options, &Trace::default(), &mut seen, &saboteur).unwrap();
    assert_eq!(seen.rejects, [(0, 0, Reason::Internal)]);
    let totals = report.ledger.totals().0;
    assert_eq!((totals.seen, totals.rejected, totals.kept, totals.duplicate), (5, 1, 2, 2));
    let lost = &report.ledger.inputs()[1];
    assert_eq!((lost.status, lost.bytes), (InputStatus::Partial, page.len() as u64));
    assert_eq!(lost.hash, report.ledger.inputs()[0].hash);
}

#[test]
fn a_reader_that_fails_inside_an_archive_costs_the_member_and_what_is_behind() {
    let mut builder = tar::Builder::new(Vec::new());
    let padding = " ".repeat(300 << 10);
    for name in ["a.json", "b.json", "c.json"] {
        let mut page = plain_messages(&[name, "ms-1"]);
        page.extend(padding.bytes());
        let mut header = tar::Header::new_gnu();
        header.set_size(page.len() as u64);
        builder.append_data(&mut header, name, &page[..]).unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), builder.into_inner().unwrap()).unwrap();
    let inputs = expand(&[file.path()], &ExpandOptions::default()).unwrap();
    let mut options = RunOptions::default();
    options.limits.whole_bytes = 1 << 10;
    for threads in [1, 3] {
        // The second window of the second member, more or less.
        let saboteur = Saboteur { at: 5, ..Saboteur::default() };
        let mut seen = Seen::default();
        let pool = Pool::new(threads).unwrap();
        let report = run(&pool, &inputs, &options, &Trace::default(), &mut seen, &saboteur).unwrap();
        report.ledger.check().unwrap();
        let ends: Vec<_> = seen.ended.iter().map(|name| name.rsplit('!').next().unwrap()).collect();
        assert_eq!(ends.len(), 3, "{ends:?}");
        assert_eq!(ends[..2], ["a.json", "b.json"]);
        assert_eq!(seen.rejects.iter().filter(|(_, _, reason)| *reason == Reason::Internal).count(), 2);
        let inputs = report.ledger.inputs();
        assert!(inputs[0].status == InputStatus::Ok && inputs[1].status == InputStatus::Partial);
        assert_eq!(inputs[2].bytes, std::fs::metadata(file.path()).unwrap().len());
    }
}

/// Cancels the run when the first message is seen.
struct Canceller<'a>(&'a RunOptions);

impl Observer for Canceller<'_> {
    fn messages_seen(&self, _: u64) {
        self.0.cancel.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_cancelled_run_stops() {
    let (inputs, _) =
        synth(SynthOptions { size: Size::Pages(40), page_size: 100, ..SynthOptions::default() });
    for threads in [1, 3] {
        let options = small_blocks();
        let job = Trace::default();
        let outcome = run(
            &Pool::new(threads).unwrap(),
            &inputs,
            &options,
            &job,
            &mut Seen::default(),
            &Canceller(&options),
        );
        assert!(matches!(outcome, Err(EngineError::Cancelled)));
        assert!(job.parts.load(Ordering::Relaxed) < 40);
    }
}

#[test]
fn what_commits_leave_to_do_is_done_before_more_is_mapped() {
    let (inputs, _) =
        synth(SynthOptions { size: Size::Pages(10), page_size: 100, ..SynthOptions::default() });
    let job = Trace::default();
    let mut seen = Seen::default();
    run(&Pool::new(1).unwrap(), &inputs, &small_blocks(), &job, &mut seen, &()).unwrap();
    // What the last blocks of an input left is there when the next one is read, or the run is over.
    assert!(seen.blocks.len() > 50 && job.left.load(Ordering::Relaxed) < 15, "{:?}", job.left);
}

#[test]
fn a_job_that_always_has_something_to_do_can_be_stopped() {
    let (inputs, _) = synth(SynthOptions { size: Size::Pages(2), page_size: 100, ..SynthOptions::default() });
    let options = small_blocks();
    options.cancel.store(true, Ordering::Relaxed);
    let job = Trace { endless: true, ..Trace::default() };
    let outcome = run(&Pool::new(2).unwrap(), &inputs, &options, &job, &mut Seen::default(), &());
    assert!(matches!(outcome, Err(EngineError::Cancelled)));
}

/// Is told to stop at its third message.
struct Told(Arc<AtomicBool>, AtomicU64);

impl Job for Told {
    type Local = ();
    type Part = ();
    type State = u64;
    type Error = EngineError;

    fn local(&self) {}
    fn part(&self) {}

    fn map(&self, (): &mut (), work: &Work<'_>, (): &mut ()) {
        for _ in work.messages() {
            if self.1.fetch_add(1, Ordering::Relaxed) == 2 {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        assert!(work.is_cancelled() && work.records().next().is_none());
    }

    fn commit(&self, commits: &mut u64, _: &BlockSeq<'_>, (): ()) -> Result<()> {
        *commits += 1;
        Ok(())
    }
}

#[test]
fn a_run_stops_inside_a_block_too() {
    let (inputs, _) = synth(SynthOptions { size: Size::Messages(1000), ..SynthOptions::default() });
    let options = RunOptions::default();
    let job = Told(Arc::clone(&options.cancel), AtomicU64::new(0));
    let mut commits = 0;
    let outcome = run(&Pool::new(1).unwrap(), &inputs, &options, &job, &mut commits, &());
    assert!(matches!(outcome, Err(EngineError::Cancelled)));
    assert_eq!(
        (job.1.into_inner(), commits),
        (3, 0),
        "nothing is committed of a block that was seen in part"
    );
}

/// Remembers how much was ever mapped and not committed.
#[derive(Default)]
struct Ahead {
    open: AtomicU64,
    most: AtomicU64,
    slow_commits: bool,
    light: bool,
}

impl Job for Ahead {
    type Local = ();
    type Part = u64;
    type State = ();
    type Error = EngineError;

    fn local(&self) {}
    fn part(&self) -> u64 {
        0
    }
    fn map(&self, (): &mut (), work: &Work<'_>, part: &mut u64) {
        *part = work.block().byte_len() as u64;
        let open = self.open.fetch_add(*part, Ordering::Relaxed) + *part;
        self.most.fetch_max(open, Ordering::Relaxed);
        if work.input().index == 0 && !self.slow_commits {
            // The first input is slow: the others would run away from it.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
    fn commit(&self, (): &mut (), _: &BlockSeq<'_>, part: u64) -> Result<()> {
        if self.slow_commits {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        self.open.fetch_sub(part, Ordering::Relaxed);
        Ok(())
    }
    fn is_light(&self) -> bool {
        self.light
    }
}

#[test]
fn nobody_runs_away_from_the_commits() {
    let (inputs, _) =
        synth(SynthOptions { size: Size::Pages(12), page_size: 400, ..SynthOptions::default() });
    let ahead = 100 << 10;
    for light in [false, true] {
        let job = Ahead { light, ..Ahead::default() };
        run_within(&Pool::new(4).unwrap(), &inputs, &small_blocks(), ahead, &job, &mut (), &()).unwrap();
        // A block a thread may be on its way when the limit is reached, and the head's is always let through.
        let (most, bound) = (job.most.into_inner(), ahead as u64 + 6 * (16 << 10));
        assert!(most <= bound, "{most} of {bound}");
    }
}

#[test]
fn no_more_is_mapped_before_a_slow_commit_than_there_are_workers() {
    let (inputs, _) = synth(SynthOptions { size: Size::Pages(4), page_size: 400, ..SynthOptions::default() });
    let job = Ahead { slow_commits: true, ..Ahead::default() };
    run_within(&Pool::new(4).unwrap(), &inputs, &small_blocks(), 64 << 20, &job, &mut (), &()).unwrap();
    // Four wait, four more may be mapped meanwhile, and one is committed.
    let bound = 9 * (16 << 10);
    assert!(job.most.load(Ordering::Relaxed) <= bound, "{} of {bound}", job.most.load(Ordering::Relaxed));
}

/// Maps slowly, and wants so many inputs side by side.
struct SideBySide(usize);

impl Job for SideBySide {
    type Local = ();
    type Part = ();
    type State = u64;
    type Error = EngineError;

    fn local(&self) {}
    fn part(&self) {}
    fn map(&self, (): &mut (), _: &Work<'_>, (): &mut ()) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    fn commit(&self, blocks: &mut u64, _: &BlockSeq<'_>, (): ()) -> Result<()> {
        *blocks += 1;
        Ok(())
    }
    fn readers(&self, _: usize) -> usize {
        self.0
    }
}

/// Counts the inputs that are being read, and the most that ever were.
#[derive(Default)]
struct Open(AtomicU64, AtomicU64);

/// One of them.
struct OpenInput(std::io::Cursor<Vec<u8>>, Arc<Open>, bool);

impl std::io::Read for OpenInput {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Self(bytes, open, is_open) = self;
        if !std::mem::replace(is_open, true) {
            open.1.fetch_max(open.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        }
        let len = out.len().min(1 << 10);
        bytes.read(&mut out[..len])
    }
}

impl Drop for OpenInput {
    fn drop(&mut self) {
        self.1.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn no_more_inputs_are_read_side_by_side_than_the_job_wants() {
    let options = SynthOptions {
        size: Size::Pages(12),
        page_size: 100,
        codecs: vec![Codec::Plain],
        ..SynthOptions::default()
    };
    let (files, _) = Synth::new(options).unwrap().write_memory().unwrap();
    let mut expected = None;
    for (threads, readers) in [(1, 1), (4, 1), (4, 2), (2, 0)] {
        let open = Arc::<Open>::default();
        let mut inputs = InputList::default();
        for (name, bytes) in &files {
            let bytes = std::io::Cursor::new(bytes.clone());
            inputs.push_reader(name.clone(), OpenInput(bytes, Arc::clone(&open), false));
        }
        let mut blocks = 0;
        let pool = Pool::new(threads).unwrap();
        run(&pool, &inputs, &small_blocks(), &SideBySide(readers), &mut blocks, &()).unwrap();
        assert_eq!(*expected.get_or_insert(blocks), blocks);
        let most = open.1.load(Ordering::SeqCst);
        assert!((1..=readers.max(1) as u64).contains(&most), "{most} of {readers} on {threads} threads");
    }
}

/// Encodes in the background, as tables do.
struct Backgrounds;

impl Job for Backgrounds {
    type Local = ();
    type Part = u64;
    type State = Vec<crate::background::Background<u64>>;
    type Error = EngineError;

    fn local(&self) {}
    fn part(&self) -> u64 {
        0
    }
    fn map(&self, (): &mut (), work: &Work<'_>, part: &mut u64) {
        *part = work.messages().count() as u64;
    }
    fn commit(&self, state: &mut Self::State, _: &BlockSeq<'_>, part: u64) -> Result<()> {
        if state.len() > 3 {
            let oldest = state.remove(0).join();
            state.push(crate::background::Background::spawn(move || oldest + part));
        } else {
            state.push(crate::background::Background::spawn(move || part));
        }
        Ok(())
    }
}

#[test]
fn commits_can_leave_work_to_the_pool() {
    let (inputs, truth) =
        synth(SynthOptions { size: Size::Pages(10), page_size: 300, ..SynthOptions::default() });
    for threads in [1, 2, 4] {
        let mut state = Vec::new();
        let pool = Pool::new(threads).unwrap();
        run(&pool, &inputs, &small_blocks(), &Backgrounds, &mut state, &()).unwrap();
        let sum = pool.install(|| state.into_iter().map(crate::background::Background::join).sum::<u64>());
        assert_eq!(sum, truth.messages.seen);
    }
}

#[test]
fn two_jobs_go_through_in_one_pass() {
    let inputs = InputList::from_bytes([("a.json", plain_messages(&["ms-1", "ms-2"]))]);
    let mut state = (Seen::default(), Seen::default());
    let job = (Trace::default(), Trace { poison: Some("ms-2"), ..Trace::default() });
    run(&Pool::new(1).unwrap(), &inputs, &RunOptions::default(), &job, &mut state, &()).unwrap();
    assert_eq!(state.0.messages.len(), 1);
    assert_eq!(state.0, state.1);
}
