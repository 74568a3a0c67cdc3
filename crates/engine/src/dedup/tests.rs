//! De-duplication against a naive reference, in memory and spilled, in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use twox_hash::XxHash3_128;

use super::*;
use crate::facts::shortened;

/// The rule again, written down as it is told.
fn naive(keys: &[Key]) -> BTreeMap<u64, (Fate, Option<u64>)> {
    let mut groups: BTreeMap<(u128, Option<u128>), Vec<Key>> = BTreeMap::new();
    for key in keys {
        groups.entry((key.id, key.surrogate_page.map(|page| body(page).array_hash))).or_default().push(*key);
    }
    let mut fates = BTreeMap::new();
    for copies in groups.values() {
        let newest = copies.iter().map(|key| key.version).max().unwrap();
        let newest: Vec<&Key> = copies.iter().filter(|key| key.version == newest).collect();
        let richest = newest.iter().map(|key| key.richness).max().unwrap();
        let content =
            newest.iter().filter(|key| key.richness == richest).map(|key| key.content).min().unwrap();
        let equal: Vec<&Key> = copies.iter().filter(|key| key.content == content).collect();
        let known = equal.iter().map(|key| known_around(key)).max().unwrap();
        let winner =
            equal.iter().filter(|key| known_around(key) == known).map(|key| key.ordinal).min().unwrap();
        for key in copies {
            let fate = if key.ordinal == winner {
                (Fate::Kept, None)
            } else if key.content == content {
                (Fate::Duplicate, None)
            } else {
                (Fate::Superseded, Some(winner))
            };
            fates.insert(key.ordinal, fate);
        }
    }
    fates
}

/// What is known around a message, by the record it stands in or by the request for its body.
fn known_around(key: &Key) -> u32 {
    key.around.max(key.surrogate_page.map_or(0, |page| body(page).around))
}

/// Keys with few different ids, whose content settles version and richness, as it does for messages.
fn keys() -> impl Strategy<Value = Vec<Key>> {
    let key = (0_u128..12, 0_u64..6, 0_u32..3, prop::option::weighted(0.2, 0_u32..4));
    prop::collection::vec(key, 0..120).prop_map(|parts| {
        let spread = |n: u128| XxHash3_128::oneshot(&n.to_le_bytes());
        let key =
            |(ordinal, (id, content, around, surrogate_page)): (usize, (u128, u64, u32, Option<u32>))| Key {
                id: shortened(spread(id + 1000 * u128::from(surrogate_page.is_some()))),
                content: (spread(id << 64 | u128::from(content)) >> 64) as u64,
                version: [i64::MIN, 5, 5, 7, 7, 7][content as usize],
                richness: [1, 2, 2, 3, 4, 4][content as usize],
                around,
                ordinal: ordinal as u64,
                surrogate_page,
            };
        parts.into_iter().enumerate().map(key).collect()
    })
}

fn resolve(keys: &[Key], budget: usize) -> (Fates, u64) {
    let mut log = KeyLog::new(budget, budget, None);
    for key in keys {
        log.push(key).unwrap();
    }
    let spilled = log.spilled_bytes();
    (Fates::resolve(log, body).unwrap(), spilled)
}

/// Bodies 0 and 1 are equal; the calls of 1 and 2 are known.
fn body(page: u32) -> BodyKey {
    BodyKey { array_hash: u128::from(page.max(1)), around: [0, 2, 1, 0][page as usize] }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fates_are_those_of_the_rule(keys in keys()) {
        let expected = naive(&keys);
        let (fates, spilled) = resolve(&keys, 1 << 20);
        prop_assert_eq!(spilled, 0);
        for (&ordinal, &(fate, winner)) in &expected {
            prop_assert_eq!((fates.fate(ordinal), fates.winner(ordinal)), (fate, winner));
        }
        let losers: Vec<u64> = expected.iter().filter(|(_, fate)| fate.0 != Fate::Kept).map(|(&at, _)| at).collect();
        prop_assert_eq!(fates.losers().collect::<Vec<_>>(), losers);
    }

    #[test]
    fn the_order_of_inputs_changes_nothing_but_ordinals(keys in keys()) {
        let kept = |keys: &[Key]| {
            let (fates, _) = resolve(keys, 1 << 20);
            let mut kept: Vec<(u128, u64, u32)> = keys
                .iter()
                .filter(|key| fates.fate(key.ordinal) == Fate::Kept)
                .map(|key| (key.id, key.content, known_around(key)))
                .collect();
            kept.sort_unstable();
            (kept, fates.duplicate_count(), fates.superseded_count())
        };
        let backwards: Vec<Key> = keys.iter().map(|key| Key { ordinal: 1000 - key.ordinal, ..*key }).collect();
        prop_assert_eq!(kept(&keys), kept(&backwards));
    }
}

#[test]
fn a_spilled_log_decides_the_same() {
    let spread = |n: u64| XxHash3_128::oneshot(&n.to_le_bytes());
    let keys: Vec<Key> = (0..40_000)
        .map(|ordinal| {
            let id = ordinal * 7919 % 30_000;
            Key {
                id: shortened(spread(id)),
                content: (spread(id + ordinal % 3 * 1_000_000) >> 64) as u64,
                version: (ordinal % 3) as i64,
                richness: 1,
                around: (ordinal % 7) as u32,
                ordinal,
                surrogate_page: None,
            }
        })
        .collect();
    let expected = naive(&keys);
    let (in_memory, none) = resolve(&keys, 64 << 20);
    // So small that every partition takes several passes.
    let (spilled, bytes) = resolve(&keys, 1);
    assert!(none == 0 && bytes > 1 << 20);
    for key in &keys {
        let fate = (spilled.fate(key.ordinal), spilled.winner(key.ordinal));
        assert_eq!(fate, expected[&key.ordinal]);
        assert_eq!(fate, (in_memory.fate(key.ordinal), in_memory.winner(key.ordinal)));
    }
}

proptest! {
    #[test]
    fn going_on_from_earlier_runs_comes_to_the_same_as_one_run(keys in keys(), cut in any::<prop::sample::Index>()) {
        let before = cut.index(keys.len() + 1);
        let (whole, _) = resolve(&keys, 1 << 20);
        let (earlier, _) = resolve(&keys[..before], 1 << 20);
        let mut log = KeyLog::new(1 << 20, 1 << 20, None);
        // Whatever order they come in.
        for key in keys.iter().rev() {
            log.push(key).unwrap();
        }
        let later = Fates::resolve_after(before as u64, log, body).unwrap();
        prop_assert_eq!(later.first(), before as u64);

        let mut books = Books { seen: before as u64, ..Books::default() };
        books.duplicate = earlier.duplicate_count();
        books.superseded = earlier.superseded_count();
        books.kept = books.seen - books.duplicate - books.superseded;
        later.revise(&mut books, 0..before as u64);
        prop_assert!(books.balance(), "{books:?}");
        prop_assert_eq!(books.duplicate, whole.count(Fate::Duplicate, 0..before as u64));
        prop_assert_eq!(books.superseded, whole.count(Fate::Superseded, 0..before as u64));

        for ordinal in 0..keys.len() as u64 {
            let raised = later.raised().binary_search_by_key(&ordinal, |pair| pair.0);
            let fate = match earlier.fate(ordinal) {
                _ if ordinal >= before as u64 => later.fate(ordinal),
                Fate::Kept => later.fate(ordinal),
                _ if raised.is_ok() => Fate::Superseded,
                _ if later.is_lowered(ordinal) => Fate::Duplicate,
                fate => fate,
            };
            prop_assert_eq!(fate, whole.fate(ordinal));
            let winner = earlier.winner(ordinal).or_else(|| raised.ok().map(|at| later.raised()[at].1));
            let winner = match winner.filter(|_| ordinal < before as u64) {
                Some(winner) => Some(later.replacement(winner).unwrap_or(winner)),
                None => later.winner(ordinal),
            };
            prop_assert_eq!(winner.filter(|_| fate == Fate::Superseded), whole.winner(ordinal));
        }
        let lost: Vec<u64> = (0..before as u64)
            .filter(|&ordinal| earlier.fate(ordinal) == Fate::Kept && whole.fate(ordinal) != Fate::Kept)
            .collect();
        prop_assert_eq!(later.losers_in(0..before as u64).collect::<Vec<_>>(), lost);
    }
}
