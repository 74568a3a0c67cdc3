//! Whole inputs: archives, codecs and pages, as files are read.

use std::sync::OnceLock;

use korpus_core::{Limits, Reason};
use korpus_engine::{BlockSeq, EngineError, InputList, Job, Ledger, Pool, RunOptions, Work, run};

/// Makes nothing of messages.
struct Nothing;

impl Job for Nothing {
    type Local = ();
    type Part = ();
    type State = ();
    type Error = EngineError;

    fn local(&self) {}

    fn part(&self) {}

    fn map(&self, (): &mut (), _: &Work<'_>, (): &mut ()) {}

    fn commit(&self, (): &mut (), _: &BlockSeq<'_>, (): ()) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Reads `data` as a file, in one piece where that is possible, and as a stream.
///
/// # Panics
/// If the books do not balance, a name comes twice, bytes are missing, or the two ways find different things.
pub fn archive(data: &[u8]) {
    let (whole, stream) = (read(data, 64 << 20), read(data, 1));
    for ledger in [&whole, &stream] {
        ledger.check().expect("books that balance");
        assert_eq!((ledger.files(), ledger.bytes().0), (1, data.len() as u64), "all bytes of the file");
        let mut names: Vec<_> = ledger.inputs().iter().map(|report| report.input.display.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ledger.inputs().len(), "a name for each");
        assert!(ledger.rejections().get(&Reason::Internal).is_none(), "nobody failed");
    }
    // Where a bomb stops depends on how it is read.
    let is_bomb =
        |ledger: &Ledger| ledger.pages().iter().any(|page| page.reason == Some(Reason::RatioExceeded));
    if is_bomb(&whole) || is_bomb(&stream) {
        return;
    }
    assert_eq!(whole.pages(), stream.pages(), "the same bodies");
    let known = |ledger: &Ledger| {
        let inputs = ledger.inputs().iter();
        inputs.map(|report| (report.input.display.clone(), report.bytes, report.hash)).collect::<Vec<_>>()
    };
    assert_eq!(known(&whole), known(&stream), "the same members");
}

fn read(data: &[u8], whole_bytes: usize) -> Ledger {
    static POOL: OnceLock<Pool> = OnceLock::new();
    let pool = POOL.get_or_init(|| Pool::new(1).expect("a thread"));
    let limits = Limits { whole_bytes, ratio_floor: 1 << 20, archive_members: 1000, ..Limits::default() };
    let options = RunOptions { limits, dedup: false, ..RunOptions::default() };
    let inputs = InputList::from_bytes([("x", data)]);
    run(pool, &inputs, &options, &Nothing, &mut (), &()).expect("a run").ledger
}
