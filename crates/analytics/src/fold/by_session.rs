//! The frames of a partition, session by session.

use super::{KEPT_BYTES, emptied};
use crate::events::Event;
use crate::exchange::Frame;
use crate::symbols::FastMap;

/// Puts frames in order, in the same memory for one partition after the other.
#[derive(Debug, Default)]
pub(super) struct BySession {
    /// The number of each session, by key.
    known: FastMap<u128, u32>,
    /// By number, the key and how many frames there are.
    sessions: Vec<(u128, usize)>,
    /// By frame, the number of its session.
    numbers: Vec<u32>,
    /// The numbers in the order of keys.
    order: Vec<usize>,
    /// Where the next frame of a session goes, by its number.
    next: Vec<usize>,
    /// The times of frames and their indices, session by session.
    places: Vec<(i64, u32)>,
}

impl BySession {
    /// Calls `each` with every session, in the order of keys: the times of its frames and their indices, in order.
    pub(super) fn each(&mut self, frames: &[Frame<'_>], mut each: impl FnMut(u128, &[(i64, u32)])) {
        let Self { known, sessions, numbers, order, next, places } = self;
        // Sessions are few beside their frames: only they are sorted.
        let mut last = 0;
        let number_of = |frame: &Frame<'_>| {
            // Mostly it is that of the frame before.
            if sessions.get(last as usize).is_none_or(|session| session.0 != frame.key) {
                let next = sessions.len() as u32;
                last = *known.entry(frame.key).or_insert(next);
                if last == next {
                    sessions.push((frame.key, 0));
                }
            }
            sessions[last as usize].1 += 1;
            last
        };
        numbers.extend(frames.iter().map(number_of));
        order.extend(0..sessions.len());
        order.sort_unstable_by_key(|&number| sessions[number].0);
        next.resize(sessions.len(), 0);
        let mut end = 0;
        for &number in &*order {
            next[number] = end;
            end += sessions[number].1;
        }
        places.resize(frames.len(), (0, 0));
        for (at, (frame, &number)) in frames.iter().zip(&*numbers).enumerate() {
            let place = &mut next[number as usize];
            places[*place] = (Event::time_of(*frame).unwrap_or(i64::MAX), at as u32);
            *place += 1;
        }
        let mut rest = &mut places[..];
        for &number in &*order {
            let (key, len) = sessions[number];
            let group = rest.split_off_mut(..len).unwrap_or_default();
            // Mostly they come in order, or the latest first.
            if group.first() > group.last() {
                group.reverse();
            }
            group.sort_unstable();
            each(key, group);
        }
        self.empty();
    }

    /// Empties it, and lets go of memory that is more than other partitions will take.
    fn empty(&mut self) {
        let Self { known, sessions, numbers, order, next, places } = std::mem::take(self);
        *self = Self {
            known,
            sessions: emptied(sessions),
            numbers: emptied(numbers),
            order: emptied(order),
            next: emptied(next),
            places: emptied(places),
        };
        self.known.clear();
        // Its table has more places than entries.
        self.known.shrink_to(KEPT_BYTES / (2 * size_of::<(u128, u32)>()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::events::MESSAGE;

    /// Frames by their sessions, in runs of one and one by one.
    fn any_frames() -> impl Strategy<Value = Vec<(u128, Option<i64>)>> {
        let times = prop::collection::vec(prop::option::of(-9_i64..9), 1..6);
        prop::collection::vec((0_u128..20, times), 0..60).prop_map(|runs| {
            let run = |(key, times): (u128, Vec<_>)| times.into_iter().map(move |time| (key << 64 | 7, time));
            runs.into_iter().flat_map(run).collect()
        })
    }

    proptest! {
        #[test]
        fn sessions_come_as_from_a_sort(partitions in prop::collection::vec(any_frames(), 1..4)) {
            // One partition after the other, in the same memory.
            let mut by_session = BySession::default();
            for frames in partitions {
                // The bit that says that the time stands behind it.
                let payload = |time: Option<i64>| time.map_or(vec![0], |time| [&[1][..], &time.to_le_bytes()].concat());
                let payloads: Vec<Vec<u8>> = frames.iter().map(|frame| payload(frame.1)).collect();
                let frame = |(&(key, _), payload): (&(u128, _), _)| Frame { key, seq: 0, kind: MESSAGE, payload };
                let all: Vec<Frame<'_>> = frames.iter().zip(payloads.iter().map(Vec::as_slice)).map(frame).collect();
                let mut found = Vec::new();
                by_session.each(&all, |key, group| found.extend(group.iter().map(|&(time, at)| (key, time, at))));
                let place = |(at, frame): (usize, &(u128, Option<i64>))| (frame.0, frame.1.unwrap_or(i64::MAX), at as u32);
                let mut sorted: Vec<_> = frames.iter().enumerate().map(place).collect();
                sorted.sort_unstable();
                prop_assert_eq!(found, sorted);
            }
        }
    }
}
