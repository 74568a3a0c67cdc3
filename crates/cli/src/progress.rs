//! The progress bar: bytes, messages a second, time left; on a terminal only.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use korpus_engine::Observer;

use crate::show::thousands;

/// Shows how a run goes on.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    messages: Arc<AtomicU64>,
}

impl Progress {
    /// A bar for `total` bytes, or of unknown length; none where it is not wanted or nobody would see it.
    pub(crate) fn new(wanted: bool, total: Option<u64>) -> Self {
        let messages = Arc::new(AtomicU64::new(0));
        let bar = (wanted && std::io::stderr().is_terminal()).then(|| bar(total, Arc::clone(&messages)));
        Self { bar, messages }
    }

    /// Takes the bar away again.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>, messages: Arc<AtomicU64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let template = if total.is_some() {
        "{bar:30} {bytes}/{total_bytes} · {rate} messages/s · {eta} left"
    } else {
        "{spinner} {bytes} · {rate} messages/s · {elapsed}"
    };
    let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let seconds = state.elapsed().as_secs_f64().max(0.001);
        let rate = messages.load(Ordering::Relaxed) as f64 / seconds;
        // What cannot be shown is left out.
        let _ = out.write_str(&thousands(rate as u64));
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("rate", rate));
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

impl Observer for Progress {
    fn bytes_read(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn messages_seen(&self, messages: u64) {
        self.messages.fetch_add(messages, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// How long something took, as people say it.
pub(crate) fn duration(took: Duration) -> String {
    let mut text = String::new();
    let seconds = took.as_secs();
    let _ = match seconds {
        0..10 => write!(text, "{:.2} s", took.as_secs_f64()),
        10..60 => write!(text, "{:.1} s", took.as_secs_f64()),
        60..3600 => write!(text, "{} min {} s", seconds / 60, seconds % 60),
        _ => write!(text, "{} h {} min", seconds / 3600, seconds / 60 % 60),
    };
    text
}
