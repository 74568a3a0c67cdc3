//! Work that need not be done at once, such as writing a file while its next rows are made.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn Any + Send>>;

/// A task on the pool of the thread that spawns it, joined later; one that is never joined is done all the same.
///
/// The workers of a run prefer such tasks to new blocks, so they are not put off. Joining helps with waiting tasks: it
/// works with a single thread too. A task may join others that were spawned before it and do not wait for it.
#[derive(Debug)]
pub struct Background<T>(Arc<Slot<T>>);

#[derive(Debug)]
struct Slot<T> {
    outcome: Mutex<Option<Outcome<T>>>,
    done: Condvar,
}

impl<T: Send + 'static> Background<T> {
    /// Starts `task` on the pool of the calling thread.
    pub fn spawn(task: impl FnOnce() -> T + Send + 'static) -> Self {
        let slot = Arc::new(Slot { outcome: Mutex::new(None), done: Condvar::new() });
        let there = Arc::clone(&slot);
        rayon::spawn(move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(task));
            *there.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            there.done.notify_all();
        });
        Self(slot)
    }

    /// What the task gave; waits for it, doing other tasks meanwhile.
    ///
    /// # Panics
    /// If the task did.
    pub fn join(self) -> T {
        loop {
            let helped = rayon::yield_now() == Some(rayon::Yield::Executed);
            let mut outcome = self.0.outcome.lock().unwrap_or_else(PoisonError::into_inner);
            if outcome.is_none() && !helped {
                let waited = self.0.done.wait_timeout(outcome, Duration::from_millis(5));
                outcome = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            match outcome.take() {
                Some(Ok(value)) => return value,
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_done_with_any_number_of_threads() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let sum = pool.install(|| {
                let tasks: Vec<_> = (0..50_u64).map(|n| Background::spawn(move || n)).collect();
                tasks.into_iter().map(Background::join).sum::<u64>()
            });
            assert_eq!(sum, 1225);
        }
    }

    #[test]
    #[should_panic(expected = "inside")]
    fn a_panic_reaches_whoever_joins() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| Background::spawn(|| panic!("inside")).join());
    }
}
