//! The frames of a partition, session by session.

use crate::events::Event;
use crate::exchange::Frame;
use crate::symbols::FastMap;

/// Calls `each` with every session, in the order of keys: the times of its frames and their indices, in order.
pub(super) fn by_session(frames: &[Frame<'_>], mut each: impl FnMut(u128, &[(i64, u32)])) {
    // Sessions are few beside their frames: only they are sorted.
    let mut known: FastMap<u128, u32> = FastMap::default();
    let mut sessions: Vec<(u128, usize)> = Vec::new();
    let number_of = |frame: &Frame<'_>| {
        let next = sessions.len() as u32;
        let number = *known.entry(frame.key).or_insert(next);
        if number == next {
            sessions.push((frame.key, 0));
        }
        sessions[number as usize].1 += 1;
        number
    };
    let numbers: Vec<u32> = frames.iter().map(number_of).collect();
    let mut order: Vec<usize> = (0..sessions.len()).collect();
    order.sort_unstable_by_key(|&number| sessions[number].0);
    // Where the next frame of a session goes, by its number.
    let mut next = vec![0; sessions.len()];
    let mut end = 0;
    for &number in &order {
        next[number] = end;
        end += sessions[number].1;
    }
    let mut places = vec![(0, 0); frames.len()];
    for (at, (frame, number)) in frames.iter().zip(numbers).enumerate() {
        let place = &mut next[number as usize];
        places[*place] = (Event::time_of(*frame).unwrap_or(i64::MAX), at as u32);
        *place += 1;
    }
    let mut rest = &mut places[..];
    for number in order {
        let (key, len) = sessions[number];
        let group = rest.split_off_mut(..len).unwrap_or_default();
        // Mostly they come in order, or the latest first.
        if group.first() > group.last() {
            group.reverse();
        }
        group.sort_unstable();
        each(key, group);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::events::MESSAGE;

    proptest! {
        #[test]
        fn sessions_come_as_from_a_sort(frames in prop::collection::vec((0_u128..20, prop::option::of(-9_i64..9)), 0..200)) {
            // The bit that says that the time stands behind it.
            let payload = |time: Option<i64>| time.map_or(vec![0], |time| [&[1][..], &time.to_le_bytes()].concat());
            let payloads: Vec<Vec<u8>> = frames.iter().map(|frame| payload(frame.1)).collect();
            let of = |(frame, payload)| {
                let (key, _): (u128, Option<i64>) = frame;
                Frame { key: key << 64 | 7, seq: 0, kind: MESSAGE, payload }
            };
            let all: Vec<Frame<'_>> = frames.iter().copied().zip(payloads.iter().map(Vec::as_slice)).map(of).collect();
            let mut found = Vec::new();
            by_session(&all, |key, group| found.extend(group.iter().map(|&(time, at)| (key, time, at))));
            let place = |(at, frame): (usize, &(u128, Option<i64>))| (frame.0 << 64 | 7, frame.1.unwrap_or(i64::MAX), at as u32);
            let mut sorted: Vec<_> = frames.iter().enumerate().map(place).collect();
            sorted.sort_unstable();
            prop_assert_eq!(found, sorted);
        }
    }
}
