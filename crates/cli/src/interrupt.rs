//! What the system would end the program for: Ctrl-C and termination, with a flag for those who clean up and the way out for those
//! who insist, and files that grow past their limit.

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

/// A file past the limit of its size (`ulimit -f`) fails to be written like one on a full disk, and does not end the program. To be
/// called while there is one thread.
#[allow(unsafe_code, reason = "there is no safe form of the call")]
pub(crate) fn outlive_size_limits() {
    // SAFETY: no handler of ours runs, and nothing else asked for this signal.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN)
    };
}

/// Ends the program, whatever its threads are at, with the words that it would have ended with in good order.
fn end() -> ! {
    remove_unfinished();
    // Whoever reads standard error may have gone.
    let _ = writeln!(std::io::stderr(), "korpus: {}", EngineError::Cancelled);
    std::process::exit(130);
}
