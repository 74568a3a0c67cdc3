//! Messages pulled in batches, for programs that have a loop of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use korpus_core::MessageBuf;

use crate::error::{EngineError, Result};
use crate::inputs::InputList;
use crate::job::{BlockSeq, Job};
use crate::run::{Pool, RunOptions, RunReport, run};
use crate::work::Work;

/// How many batches may wait for whoever pulls them.
const WAITING: usize = 2;

/// Messages of one block of an input, about 256 KiB of JSON.
#[derive(Debug)]
pub struct MessageBatch {
    /// The name of the input.
    pub input: String,
    /// The messages that match the filter, in order, each with its `message_seq`: its number among all that were seen.
    pub messages: Vec<(u64, MessageBuf)>,
}

/// The messages of all inputs, in their order, read on threads of their own.
///
/// Whoever is slow to pull slows the reading down: at most the blocks that the memory limit allows are read ahead.
///
/// Dropping the iterator tells the reading to stop, by [`RunOptions::cancel`], and does not wait for it: the threads end as soon
/// as none of them stands in a call of a reader, which may wait for as long as it likes. [`finish`](Self::finish) waits.
///
/// Messages come before de-duplication, `skip` and `limit`, which need all of the input: [`finish`](Self::finish) gives
/// the report that says by `message_seq` which message is the one to keep.
///
/// ```
/// use korpus_engine::{InputList, MessageBatches, RunOptions};
///
/// let page = br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}]}"#;
/// let inputs = InputList::from_bytes([("a.json", &page[..]), ("b.json", &page[..])]);
/// let mut batches = MessageBatches::new(inputs, RunOptions::default(), 2);
/// let mut seen = Vec::new();
/// for batch in &mut batches {
///     seen.extend(batch.messages.into_iter().map(|(seq, message)| (seq, message.id)));
/// }
/// let report = batches.finish()?;
/// assert_eq!(seen.len(), 2);
/// assert_eq!(report.messages.fate(1), korpus_engine::Fate::Duplicate);
/// # Ok::<(), korpus_engine::EngineError>(())
/// ```
#[derive(Debug)]
pub struct MessageBatches {
    batches: Option<Receiver<MessageBatch>>,
    cancel: Arc<AtomicBool>,
    reading: Option<JoinHandle<Result<RunReport>>>,
}

impl MessageBatches {
    /// Begins to read `inputs` on `threads` threads, as many as the machine has processors where that is 0.
    pub fn new(inputs: InputList, options: RunOptions, threads: usize) -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        let cancel = Arc::clone(&options.cancel);
        let reading = thread::spawn(move || {
            let mut sender = sender;
            run(&Pool::new(threads)?, &inputs, &options, &Batching, &mut sender, &())
        });
        Self { batches: Some(receiver), cancel, reading: Some(reading) }
    }

    /// Reads what is left without handing it out, and gives the report of the run.
    ///
    /// # Errors
    /// What ended the run.
    ///
    /// # Panics
    /// If the run did.
    pub fn finish(mut self) -> Result<RunReport> {
        for _ in &mut self {}
        match self.reading.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Err(EngineError::Cancelled),
        }
    }
}

impl Iterator for MessageBatches {
    type Item = MessageBatch;

    fn next(&mut self) -> Option<MessageBatch> {
        self.batches.as_ref()?.recv().ok()
    }
}

impl Drop for MessageBatches {
    fn drop(&mut self) {
        if self.reading.is_some() {
            self.cancel.store(true, Ordering::Relaxed);
            // Whoever waits for a place in the channel hears that nobody listens. What became of a run that nobody asks about
            // is of no interest.
            self.batches = None;
        }
    }
}

/// Hands the messages of each block on.
struct Batching;

impl Job for Batching {
    type Local = ();
    type Part = Vec<(u64, MessageBuf)>;
    type State = SyncSender<MessageBatch>;
    type Error = EngineError;

    fn local(&self) {}

    fn part(&self) -> Self::Part {
        Vec::new()
    }

    fn map(&self, (): &mut (), work: &Work<'_>, part: &mut Self::Part) {
        let matching = work.messages().filter(|item| item.matches);
        part.extend(matching.map(|item| (item.ordinal, item.message.to_owned_buf())));
    }

    fn commit(&self, batches: &mut Self::State, at: &BlockSeq<'_>, mut part: Self::Part) -> Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        for (seq, _) in &mut part {
            *seq += at.first_message;
        }
        let batch = MessageBatch { input: at.input.display.clone(), messages: part };
        batches.send(batch).map_err(|_| EngineError::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::sync::atomic::AtomicUsize;
    use std::time::{Duration, Instant};

    use super::*;

    /// Gives the same body again and again, and counts the bytes.
    struct Endless {
        body: Vec<u8>,
        at: usize,
        given: Arc<AtomicUsize>,
    }

    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let rest = &self.body[self.at..];
            let n = rest.len().min(out.len());
            out[..n].copy_from_slice(&rest[..n]);
            self.at = (self.at + n) % self.body.len();
            self.given.fetch_add(n, Ordering::Relaxed);
            Ok(n)
        }
    }

    #[test]
    fn whoever_is_slow_slows_the_reading_and_whoever_leaves_ends_it() {
        let given = Arc::new(AtomicUsize::new(0));
        let message = r#"{"_id":"ms-1","type":"incoming","components":[]}"#;
        let body = format!("{{\"messages\":[{}]}}\n", vec![message; 20_000].join(",")).into_bytes();
        let mut inputs = InputList::default();
        inputs.push_reader("endless", Endless { body, at: 0, given: Arc::clone(&given) });
        let mut options = RunOptions { dedup: false, ..RunOptions::default() };
        options.memory = crate::MemoryBudget::new(0);
        let mut batches = MessageBatches::new(inputs, options, 1);
        let first = batches.next().unwrap();
        assert_eq!((first.input.as_str(), first.messages[0].0), ("endless", 0));
        assert_eq!(first.messages[1].1.id.as_deref(), Some("ms-1"));
        // Nobody pulls: what is read comes to an end by itself.
        let mut before = usize::MAX;
        while before != given.load(Ordering::Relaxed) {
            before = given.load(Ordering::Relaxed);
            thread::sleep(Duration::from_millis(200));
        }
        assert!(before < 256 << 20, "{before} bytes were read ahead");
        let next = batches.next().unwrap();
        assert_eq!(next.messages[0].0, first.messages.len() as u64);
        drop(batches);
        // Whoever reads gives the reader back, and with it what it holds.
        let dropped = Instant::now();
        while Arc::strong_count(&given) > 1 {
            assert!(dropped.elapsed() < Duration::from_mins(1), "it is still being read");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn whoever_leaves_does_not_wait_for_a_reader_that_waits() {
        let (ours, theirs) = io::pipe().unwrap();
        let mut inputs = InputList::default();
        inputs.push_reader("silent", ours);
        let batches = MessageBatches::new(inputs, RunOptions::default(), 1);
        thread::sleep(Duration::from_millis(50));
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || {
            drop(batches);
            sender.send(())
        });
        let outcome = receiver.recv_timeout(Duration::from_secs(20));
        drop(theirs);
        outcome.unwrap();
    }

    #[test]
    fn a_reader_is_read_once() {
        let mut inputs = InputList::default();
        inputs.push_reader("once", io::Cursor::new(br#"{"total":0,"messages":[]}"#));
        let report = MessageBatches::new(inputs.clone(), RunOptions::default(), 1).finish().unwrap();
        assert_eq!(report.ledger.pages().len(), 1);
        let again = MessageBatches::new(inputs, RunOptions::default(), 1).finish().unwrap();
        assert!(again.ledger.inputs()[0].io_error.is_some());
    }
}
