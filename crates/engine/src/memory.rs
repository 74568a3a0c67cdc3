//! The budget of memory, and who may use how much of it.

/// What is taken where the machine does not say how much memory it has.
const UNKNOWN: usize = 1 << 30;
/// Keys of 100,000 messages.
const KEYS: usize = 4 << 20;
/// Keys that are resolved together, as they are written: more at once would gain nothing.
const RESOLVED: usize = 2 << 20;
/// What a run takes whatever its threads are, and what each of them does: a body or its window, a few blocks and their
/// rows, and the memory of codecs. Measured, rounded up.
const BASE: usize = 64 << 20;
const THREAD: usize = 32 << 20;
/// Blocks that there may be ahead of the commits, in bytes of text: where one input is read, and for each that is read beside it.
const AHEAD: usize = 4 << 20;
const AHEAD_A_READER: usize = 16 << 20;

/// What a small message takes that is mapped and not committed, about; and how many there may be where memory is no question.
const MAPPED: usize = 512;
const MOST_MAPPED: usize = 1 << 17;

/// How much memory a run may use. Shares are upper bounds for what can grow; what cannot (stacks, codecs, the program
/// itself) is covered by what is left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBudget {
    limit: usize,
}

impl Default for MemoryBudget {
    /// A quarter of the machine's memory.
    fn default() -> Self {
        Self::new(machine_memory().map_or(UNKNOWN, |bytes| usize::try_from(bytes / 4).unwrap_or(usize::MAX)))
    }
}

impl MemoryBudget {
    /// The least that a budget can be, 96 MiB: a few blocks, row groups of all tables and the keys of copies take up to 80.
    pub const LEAST: usize = 96 << 20;

    /// A budget of `limit` bytes; less than [`LEAST`](Self::LEAST) counts as that.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(Self::LEAST) }
    }

    /// All of it, in bytes.
    pub fn limit(self) -> usize {
        self.limit
    }

    /// As many of the `wanted` threads (of all processors, where that is 0) as there is memory for; one in any case.
    pub fn threads(self, wanted: usize) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let wanted = if wanted == 0 { processors() } else { wanted };
        wanted.min(self.limit.saturating_sub(BASE) / THREAD).max(1)
    }

    /// What the de-duplication keys may take before they go to disk. Writing them out costs so little that memory need
    /// not grow with the number of messages.
    pub fn key_log(self) -> usize {
        (self.limit / 8).min(KEYS)
    }

    /// What may be resolved together of the keys, when everything is read. This does not grow with their number either.
    pub fn resolving(self) -> usize {
        (self.limit / 8).min(RESOLVED)
    }

    /// What row groups may take that are being filled and encoded.
    pub fn row_groups(self) -> usize {
        self.limit / 4
    }

    /// What blocks may take, as text, that are read and not committed yet, with `readers` inputs that are read side by side.
    pub fn ahead(self, readers: usize) -> usize {
        (AHEAD + readers.saturating_sub(1) * AHEAD_A_READER).min(self.limit / 4)
    }

    /// How many messages may be mapped and wait for their commit, where what is made of them takes less memory than their text: some
    /// hundred bytes, and what is known of each, however little text it has.
    pub fn waiting(self) -> usize {
        (self.limit / 32 / MAPPED).min(MOST_MAPPED)
    }

    /// The largest file or body that is held whole, with `threads` threads; larger ones are streamed.
    pub fn whole_body(self, threads: usize) -> usize {
        (self.limit / 8 / threads.max(1)).clamp(1 << 20, 32 << 20)
    }
}

/// The machine's memory in bytes, or that of the control group that the process is confined to.
fn machine_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024;
    let confined = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let confined = confined.and_then(|text| text.trim().parse::<u64>().ok());
    Some(confined.map_or(total, |confined| confined.min(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fit_into_the_limit() {
        for (limit, threads) in [(0, 1), (256 << 20, 2), (1 << 30, 64), (16 << 30, 8)] {
            let budget = MemoryBudget::new(limit);
            let whole = budget.whole_body(threads) * threads;
            let sum = 2 * budget.key_log() + budget.row_groups() + budget.ahead(threads) + whole;
            assert!(
                budget.limit() >= MemoryBudget::LEAST && sum <= budget.limit() * 9 / 8 + threads * (1 << 20),
                "{budget:?}"
            );
        }
    }

    #[test]
    fn threads_fit_into_the_limit() {
        for (limit, wanted, threads) in
            [(0, 8, 1), (128 << 20, 8, 2), (128 << 20, 1, 1), (256 << 20, 16, 6), (4 << 30, 64, 64)]
        {
            assert_eq!(MemoryBudget::new(limit).threads(wanted), threads, "{limit} {wanted}");
        }
        assert!(MemoryBudget::default().threads(0) >= 1);
    }

    #[test]
    fn the_default_is_a_quarter_of_the_machine() {
        if let Some(total) = machine_memory() {
            assert_eq!(MemoryBudget::default().limit(), MemoryBudget::new(total as usize / 4).limit());
        }
    }
}
