//! De-duplication: which of the copies of a message is kept, whatever order they came in.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::ops::Range;

use crate::around::BodyKey;
use crate::bits::Bits;
use crate::error::Result;
use crate::facts::upper_half;
use crate::keylog::{Key, KeyLog, Resolver};
use crate::ledger::Books;

/// What became of a message or record that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It stands in the tables.
    Kept,
    /// The filters, or skip and limit, leave it out.
    Filtered,
    /// It equals the copy that won.
    Duplicate,
    /// A newer or richer copy was seen.
    Superseded,
}

/// What became of all messages, or all records, of a run, by ordinal.
#[derive(Debug, Clone)]
pub struct Fates {
    /// Those that the filter lets pass; `None` where there is no filter.
    matched: Option<Bits>,
    /// Those of them that were found out after the run not to pass.
    revoked: Bits,
    duplicate: Bits,
    superseded: Bits,
    /// (superseded, winner), ascending.
    winners: Vec<(u64, u64)>,
    /// Those that skip and limit let pass.
    window: Range<u64>,
    /// How many were seen by earlier runs. Of these only those that lose in this run count as lost above.
    before: u64,
    revised: Revised,
}

/// What this run changed about those that had lost in earlier runs; each sorted.
#[derive(Debug, Clone, Default)]
struct Revised {
    /// Winners of earlier runs, and those that won over them.
    replaced: Vec<(u64, u64)>,
    /// Duplicates that became superseded, with the winner that they were equal to.
    raised: Vec<(u64, u64)>,
    /// Superseded ones that became duplicates.
    lowered: Vec<u64>,
}

impl Default for Fates {
    /// All are kept.
    fn default() -> Self {
        Self {
            matched: None,
            revoked: Bits::default(),
            duplicate: Bits::default(),
            superseded: Bits::default(),
            winners: Vec::new(),
            window: 0..u64::MAX,
            before: 0,
            revised: Revised::default(),
        }
    }
}

impl Fates {
    /// Resolves a log of keys. `body` gives what is known of a body, by its ordinal.
    ///
    /// Of the copies of one id the newest is kept; of equally new ones the one with the most keys that hold something;
    /// then the one whose content hash is smallest; of equal ones the one [around](Key::around) which most is known; then the
    /// first. Copies equal to it are duplicates, all others are superseded.
    ///
    /// # Errors
    /// Where the spilled part of the log cannot be read back.
    pub fn resolve(log: KeyLog, body: impl Fn(u32) -> BodyKey + Sync) -> Result<Self> {
        Self::resolve_after(0, log, body)
    }

    /// [`resolve`](Self::resolve), where earlier runs have seen, and decided about, the ordinals below `before`: of these,
    /// only what this run changes is told.
    pub(crate) fn resolve_after(
        before: u64,
        log: KeyLog,
        body: impl Fn(u32) -> BodyKey + Sync,
    ) -> Result<Self> {
        let mut fates = Self { before, ..Self::default() };
        let resolve = |resolver: &mut Resolver, decisions: &mut Decisions| {
            let Resolver { keys, met, order, alike, .. } = resolver;
            met.begin(keys.len());
            for key in keys.iter_mut() {
                key.settle(&body);
                met.meet(upper_half(key.id));
            }
            // Most ids come once, which half of an id tells: only the others' keys are put in order.
            let again = keys.iter().enumerate().filter(|(_, key)| met.may_come_again(upper_half(key.id)));
            order.clear();
            order.extend(again.map(|(at, key)| (upper_half(key.id), at as u32)));
            order.sort_unstable();
            for half in order.chunk_by(|a, b| a.0 == b.0).filter(|half| half.len() > 1) {
                alike.clear();
                alike.extend(half.iter().map(|&(_, at)| keys[at as usize]));
                alike.sort_unstable_by_key(rank);
                for copies in alike.chunk_by(|a, b| a.id == b.id) {
                    decisions.decide(copies, before);
                }
            }
        };
        log.for_each_partition(resolve, |decisions| fates.add(decisions))?;
        fates.winners.sort_unstable();
        fates.revised.replaced.sort_unstable();
        fates.revised.raised.sort_unstable();
        fates.revised.lowered.sort_unstable();
        Ok(fates)
    }

    fn add(&mut self, decisions: Decisions) {
        let Decisions { duplicate, superseded, revised: Revised { replaced, raised, lowered } } = decisions;
        for ordinal in duplicate {
            self.duplicate.insert(ordinal);
        }
        for (ordinal, winner) in superseded {
            self.superseded.insert(ordinal);
            self.winners.push((ordinal, winner));
        }
        self.revised.replaced.extend(replaced);
        self.revised.raised.extend(raised);
        self.revised.lowered.extend(lowered);
    }

    /// Sets what the filter lets pass.
    pub(crate) fn set_matched(&mut self, matched: Bits) {
        self.matched = Some(matched);
    }

    /// Leaves out one that matched during the run.
    pub(crate) fn revoke(&mut self, ordinal: u64) {
        self.revoked.insert(ordinal);
    }

    /// Leaves out the first `skip` of what is kept so far, and all after `limit` more. Needs what matched.
    pub(crate) fn set_window(&mut self, skip: u64, limit: Option<u64>) {
        let Some(matched) = &self.matched else { return };
        let mut kept =
            matched.iter(0..u64::MAX).filter(|&at| !self.is_loser(at) && !self.revoked.contains(at));
        let none = u64::MAX..u64::MAX;
        self.window = match (kept.nth(skip as usize), limit) {
            (_, Some(0)) | (None, _) => none,
            (Some(first), None) => first..u64::MAX,
            (Some(first), Some(limit)) => match kept.nth(limit as usize - 1) {
                Some(end) => first..end,
                None => first..u64::MAX,
            },
        };
    }

    fn is_loser(&self, ordinal: u64) -> bool {
        self.duplicate.contains(ordinal) || self.superseded.contains(ordinal)
    }

    /// What became of the message (or record) with this ordinal. Not defined for rejected spans.
    pub fn fate(&self, ordinal: u64) -> Fate {
        if self.duplicate.contains(ordinal) {
            Fate::Duplicate
        } else if self.superseded.contains(ordinal) {
            Fate::Superseded
        } else if self.window.contains(&ordinal) && self.matches(ordinal) {
            Fate::Kept
        } else {
            Fate::Filtered
        }
    }

    /// Whether a superseded copy passes the filters itself: only such ones stand in the table `superseded`.
    pub fn matches(&self, ordinal: u64) -> bool {
        self.matched.as_ref().is_none_or(|matched| matched.contains(ordinal))
            && !self.revoked.contains(ordinal)
    }

    /// The ordinal of the copy that a superseded one lost against.
    pub fn winner(&self, superseded: u64) -> Option<u64> {
        let at = self.winners.binary_search_by_key(&superseded, |pair| pair.0).ok()?;
        Some(self.winners[at].1)
    }

    /// All that lost, ascending.
    pub fn losers(&self) -> impl Iterator<Item = u64> + '_ {
        self.losers_in(0..u64::MAX)
    }

    /// Those of `range` that lost, ascending.
    pub fn losers_in(&self, range: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        let mut duplicates = self.duplicate.iter(range.clone()).peekable();
        let mut superseded = self.superseded.iter(range).peekable();
        std::iter::from_fn(move || match (duplicates.peek(), superseded.peek()) {
            (Some(a), Some(b)) if b < a => superseded.next(),
            (None, _) => superseded.next(),
            _ => duplicates.next(),
        })
    }

    /// Whether none of `range` that matched the filter during the run was left out after it: rows built for it stand.
    pub fn is_untouched(&self, range: Range<u64>) -> bool {
        self.window.start <= range.start
            && range.end <= self.window.end
            && self.duplicate.count(range.clone()) == 0
            && self.superseded.count(range.clone()) == 0
            && self.revoked.count(range) == 0
    }

    /// How many of `range` were a duplicate, or superseded.
    ///
    /// # Panics
    /// For any other fate: these cannot be told from rejected spans here; the ledger has them.
    pub(crate) fn count(&self, fate: Fate, range: Range<u64>) -> u64 {
        match fate {
            Fate::Duplicate => self.duplicate.count(range),
            Fate::Superseded => self.superseded.count(range),
            Fate::Kept | Fate::Filtered => unreachable!("counted by the ledger"),
        }
    }

    /// How many of `range` are kept; `None` where there is no filter, so that only the books can tell.
    pub(crate) fn count_matched(&self, range: Range<u64>) -> Option<u64> {
        let matched = self.matched.as_ref()?;
        let range = range.start.max(self.window.start)..range.end.min(self.window.end);
        Some(matched.iter(range).filter(|&at| !self.is_loser(at) && !self.revoked.contains(at)).count() as u64)
    }

    /// How many were superseded.
    pub fn superseded_count(&self) -> u64 {
        self.superseded.len()
    }

    /// How many were duplicates.
    pub fn duplicate_count(&self) -> u64 {
        self.duplicate.len()
    }

    /// The first ordinal of this run: those before it were seen by earlier ones.
    pub fn first(&self) -> u64 {
        self.before
    }

    /// Those of earlier runs that were duplicates and are superseded now, ascending, each with the copy that was kept in
    /// its place until now and is equal to it.
    pub fn raised(&self) -> &[(u64, u64)] {
        &self.revised.raised
    }

    /// Whether one of an earlier run that was superseded is a duplicate now: equal to what is kept.
    pub fn is_lowered(&self, ordinal: u64) -> bool {
        self.revised.lowered.binary_search(&ordinal).is_ok()
    }

    /// Whether something won over what earlier runs kept.
    pub fn is_revised(&self) -> bool {
        !self.revised.replaced.is_empty()
    }

    /// What won over the winner of an earlier run, where something did.
    pub fn replacement(&self, winner: u64) -> Option<u64> {
        let at = self.revised.replaced.binary_search_by_key(&winner, |pair| pair.0).ok()?;
        Some(self.revised.replaced[at].1)
    }

    /// Brings the books of an earlier run about `range` up to date. Not defined where skip and limit were at work.
    pub fn revise(&self, books: &mut Books, range: Range<u64>) {
        for lost in self.losers_in(range.clone()) {
            *(if self.matches(lost) { &mut books.kept } else { &mut books.filtered }) -= 1;
        }
        let raised = sorted_in(&self.revised.raised, &range, |pair| pair.0);
        let lowered = sorted_in(&self.revised.lowered, &range, |&ordinal| ordinal);
        books.duplicate = books.duplicate + self.duplicate.count(range.clone()) + lowered - raised;
        books.superseded = books.superseded + self.superseded.count(range) + raised - lowered;
    }

    /// Bytes of memory that it takes.
    pub fn byte_len(&self) -> usize {
        let revised = self.revised.replaced.len() + self.revised.raised.len() + self.revised.lowered.len();
        let bits =
            self.duplicate.byte_len() + self.superseded.byte_len() + (self.winners.len() + revised) * 16;
        bits + self.revoked.byte_len() + self.matched.as_ref().map_or(0, Bits::byte_len)
    }
}

/// What was decided about some ids.
#[derive(Debug, Default)]
struct Decisions {
    duplicate: Vec<u64>,
    /// (superseded, winner)
    superseded: Vec<(u64, u64)>,
    revised: Revised,
}

impl Decisions {
    /// `copies` are sorted, the winner first. Of one alone there is nothing to decide. Those below `before` were seen by
    /// earlier runs.
    fn decide(&mut self, copies: &[Key], before: u64) {
        let Some((winner, losers)) = copies.split_first() else { return };
        // What won in earlier runs, where there was a copy then.
        let champion = copies.iter().find(|key| key.ordinal < before);
        if let Some(champion) = champion.filter(|champion| champion.ordinal != winner.ordinal) {
            self.revised.replaced.push((champion.ordinal, winner.ordinal));
        }
        for loser in losers {
            if let Some(champion) = champion
                && loser.ordinal < before
                && loser.ordinal != champion.ordinal
            {
                match (loser.content == champion.content, loser.content == winner.content) {
                    (true, false) => self.revised.raised.push((loser.ordinal, champion.ordinal)),
                    (false, true) => self.revised.lowered.push(loser.ordinal),
                    _ => {}
                }
            } else if loser.content == winner.content {
                self.duplicate.push(loser.ordinal);
            } else {
                self.superseded.push((loser.ordinal, winner.ordinal));
            }
        }
    }
}

/// How many of a sorted list lie in `range`.
fn sorted_in<T>(list: &[T], range: &Range<u64>, ordinal: impl Fn(&T) -> u64) -> u64 {
    let before = |end: u64| list.partition_point(|item| ordinal(item) < end);
    (before(range.end.max(range.start)) - before(range.start)) as u64
}

/// Sorts copies together, the one that is kept first.
fn rank(key: &Key) -> impl Ord + use<> {
    let Key { id, version, richness, content, around, ordinal, .. } = *key;
    (id, Reverse(version), Reverse(richness), content, Reverse(around), ordinal)
}
