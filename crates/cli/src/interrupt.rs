//! Ctrl-C and termination: a flag for those who clean up, and the way out for those who insist.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use korpus_engine::{EngineError, remove_unfinished, waits_for_stdin};

/// How long stopping in good order may take, and how long where all that can happen is more input.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_FOR_INPUT: Duration = Duration::from_millis(300);

/// A flag that is set when the program is told to stop. Told twice, or waiting for input in vain, it ends at once, and
/// takes away what is unfinished all the same.
pub(crate) fn flag() -> Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let flag = FLAG.get_or_init(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let there = Arc::clone(&flag);
        // Where no handler can be had the system's own stays: the program just ends.
        let _ = ctrlc::set_handler(move || {
            if there.swap(true, Ordering::Relaxed) {
                end();
            }
            // A reader that waits for a pipe hears of nothing else.
            std::thread::spawn(|| {
                std::thread::sleep(PATIENCE_FOR_INPUT);
                if !waits_for_stdin() {
                    std::thread::sleep(PATIENCE);
                }
                end();
            });
        });
        flag
    });
    Arc::clone(flag)
}

/// Ends the program, whatever its threads are at, with the words that it would have ended with in good order.
fn end() -> ! {
    remove_unfinished();
    // Whoever reads standard error may have gone.
    let _ = writeln!(std::io::stderr(), "korpus: {}", EngineError::Cancelled);
    std::process::exit(130);
}
