//! De-duplication of many ids under a memory limit: what it takes, and the same fates as without a limit.
//!
//! `cargo bench -p korpus-engine --bench keys [-- COUNT]`, 20,000,000 where no count is given; a tenth are copies, half of
//! them newer than what they are copies of.

use std::time::Instant;

use korpus_engine::{BodyKey, Fate, Fates, Key, KeyLog, MemoryBudget};
use twox_hash::XxHash3_128;

/// The key of a message. Every tenth is a copy of another, seen before it.
fn key(ordinal: u64) -> Key {
    let is_copy = ordinal % 10 == 9;
    // Any of those before; itself one of them, or not.
    let of = if is_copy {
        (XxHash3_128::oneshot(&ordinal.to_le_bytes()) % u128::from(ordinal)) as u64
    } else {
        ordinal
    };
    let is_newer = is_copy && ordinal % 20 == 19;
    let edit = if is_newer { ordinal } else { 0 };
    let hash = XxHash3_128::oneshot(&[of.to_le_bytes(), [0xa5; 8]].concat());
    Key {
        id: hash >> 32 << 32,
        content: XxHash3_128::oneshot(&[of.to_le_bytes(), edit.to_le_bytes()].concat()) as u64,
        version: edit as i64,
        richness: 30,
        around: 0,
        ordinal,
        surrogate_page: None,
    }
}

/// What became of `count` keys within a budget, as a hash of all fates; and how many were kept.
fn resolved(count: u64, budget: Option<MemoryBudget>) -> (u128, u64) {
    let started = Instant::now();
    let mut log = match budget {
        Some(budget) => KeyLog::new(budget.key_log(), budget.resolving(), None),
        None => KeyLog::new(usize::MAX, usize::MAX, None),
    };
    for ordinal in 0..count {
        log.push(&key(ordinal)).expect("room for temporary files");
    }
    let (logged, spilled) = (started.elapsed(), log.spilled_bytes());
    let fates = Fates::resolve(log, |_| BodyKey::default()).expect("what was written can be read");
    let took = started.elapsed();
    let (mut hasher, mut kept) = (XxHash3_128::new(), 0);
    for ordinal in 0..count {
        let fate = fates.fate(ordinal);
        kept += u64::from(fate == Fate::Kept);
        hasher.write(&[fate as u8]);
        hasher.write(&fates.winner(ordinal).unwrap_or(u64::MAX).to_le_bytes());
    }
    println!(
        "limit {}: logged in {:.1} s ({} MiB on disk), resolved in {:.1} s more; {kept} kept, {} duplicates, {} superseded; \
         peak of the process {} MiB",
        budget.map_or("none".to_owned(), |budget| format!("{} MiB", budget.limit() >> 20)),
        logged.as_secs_f64(),
        spilled >> 20,
        took.as_secs_f64() - logged.as_secs_f64(),
        fates.duplicate_count(),
        fates.superseded_count(),
        peak().map_or("unknown".to_owned(), |bytes| (bytes >> 20).to_string()),
    );
    (hasher.finish_128(), kept)
}

/// The most memory that the process has taken so far, in bytes.
fn peak() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

fn main() {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20_000_000);
    // The limited one first: peaks do not go down again.
    let limited = resolved(count, Some(MemoryBudget::new(256 << 20)));
    let unlimited = resolved(count, None);
    assert_eq!(limited, unlimited, "the limit changed what is kept");
}
