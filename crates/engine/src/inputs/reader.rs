//! Inputs that can be read only once: a reader of any kind, and standard input.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many threads are reading standard input at this moment.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Whether the program waits for its standard input at this moment: a thread that does hears of nothing else, and may wait for
/// ever.
pub fn waits_for_stdin() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// Standard input, as [`waits_for_stdin`] sees it.
pub(crate) struct StandardInput;

impl Read for StandardInput {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        WAITING.fetch_add(1, Ordering::Relaxed);
        let outcome = io::stdin().lock().read(out);
        WAITING.fetch_sub(1, Ordering::Relaxed);
        outcome
    }
}

/// A reader that whoever comes first takes.
#[derive(Clone)]
pub struct OnceReader(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl OnceReader {
    /// Wraps `reader`.
    pub fn new(reader: impl Read + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(reader)))))
    }

    /// The reader, the first time.
    pub(crate) fn take(&self) -> Option<Box<dyn Read + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for OnceReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceReader")
    }
}

/// The same reader, not an equal one.
impl PartialEq for OnceReader {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OnceReader {}
