//! Ctrl-C and termination: a flag for those who clean up, and the way out for those who insist.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use korpus_engine::remove_unfinished;

/// How long stopping in good order may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A flag that is set when the program is told to stop. Told twice, or waiting for input in vain, it ends at once, and
/// takes away what is unfinished all the same.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let there = Arc::clone(&flag);
    // Where no handler can be had the system's own stays: the program just ends.
    let _ = ctrlc::set_handler(move || {
        if there.swap(true, Ordering::Relaxed) {
            end();
        }
        // A reader that waits for a pipe hears of nothing else.
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            end();
        });
    });
    flag
}

/// Ends the program, whatever its threads are at.
fn end() -> ! {
    remove_unfinished();
    std::process::exit(130);
}
