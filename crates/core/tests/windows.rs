//! Random pages in windows of every size: the same messages, rejects and positions as whole.

use korpus_core::InputEnd;
use korpus_fuzz_oracles::parse;
use korpus_synth::{
    Codec, Damage, Layout, Profile, Shape, Size, Synth, SynthOptions, hostile::HostileMessage,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const WINDOWS: [usize; 6] = [1, 2, 3, 7, 64, 4096];

/// A file of a dump of few messages, whatever its shape, layout and damage.
fn file() -> impl Strategy<Value = Vec<u8>> {
    (
        select(Shape::ALL.to_vec()),
        select(Layout::ALL.to_vec()),
        proptest::option::of(select(Damage::ALL.to_vec())),
        any::<(u64, bool, bool)>(),
        1..8_u64,
    )
        .prop_filter_map(
            "not everything goes together",
            |(shape, layout, damage, (seed, pretty, rich), messages)| {
                let options = SynthOptions {
                    seed,
                    size: Size::Messages(messages),
                    page_size: messages.div_ceil(2),
                    shapes: vec![shape],
                    codecs: vec![Codec::Plain],
                    profile: if rich { Profile::Rich } else { Profile::Lean },
                    layout,
                    pretty,
                    damage: damage.into_iter().collect(),
                    damage_every: 1,
                    ..SynthOptions::default()
                };
                Some(Synth::new(options).ok()?.write_memory().unwrap().0.swap_remove(0).1)
            },
        )
}

/// A page of messages that are no platform's.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u64>(), 0..5).prop_map(|seeds| {
        let messages: Vec<_> = seeds.into_iter().map(HostileMessage::generate).collect();
        [b"{\"total\":1,\"messages\":[", &*messages.join(&b", "[..]), b"]}\n"].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_make_no_difference(
        mut bytes in prop_oneof![3 => file(), 1 => hostile()],
        cut in proptest::option::of(any::<Index>()),
        block_bytes in select(vec![1_usize, 700, 512 << 10]),
    ) {
        let end = if cut.is_some() { InputEnd::Truncated } else { InputEnd::Complete };
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len() + 1)));
        let whole = parse(&bytes, None, block_bytes, end);
        for window in WINDOWS.into_iter().chain([bytes.len().max(1)]) {
            let found = parse(&bytes, Some(window), block_bytes, end);
            prop_assert!(found == whole, "windows of {window}:\n{found:#?}\n{whole:#?}");
        }
    }
}
