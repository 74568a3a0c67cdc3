//! Which bytes of an archive belong to something that was found.

use std::collections::BTreeMap;

/// Stretches of bytes: the end of each by its start. Those that touch are one, so that of members in their order there is
/// one for all.
#[derive(Default)]
pub(super) struct Covered(BTreeMap<u64, u64>);

impl Covered {
    pub(super) fn add(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        while let Some((&before, &until)) = self.0.range(..=end).next_back() {
            if until < start {
                break;
            }
            (start, end) = (start.min(before), end.max(until));
            self.0.remove(&before);
        }
        self.0.insert(start, end);
    }

    /// Where the first stretch at `from` or behind it starts and ends that belongs to nothing.
    pub(super) fn gap(&self, from: u64, size: u64) -> Option<(u64, u64)> {
        let start = self.0.range(..=from).next_back().map_or(from, |(_, &end)| end.max(from));
        let end = self.0.range(start..).next().map_or(size, |(&next, _)| next.min(size));
        (start < end).then_some((start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_touch_are_one() {
        let mut covered = Covered::default();
        for (start, end) in [(10, 20), (30, 40), (5, 5), (20, 25), (60, 90), (38, 50), (26, 30)] {
            covered.add(start, end);
        }
        let gaps =
            [(0, (0, 10)), (10, (25, 26)), (25, (25, 26)), (26, (50, 60)), (55, (55, 60)), (60, (90, 100))];
        for (from, gap) in gaps {
            assert_eq!(covered.gap(from, 100), Some(gap), "{from}");
        }
        assert_eq!((covered.gap(60, 80), covered.gap(95, 95), covered.0.len()), (None, None, 3));
        covered.add(0, 100);
        assert_eq!((covered.gap(0, 100), covered.0.len()), (None, 1));
    }
}
