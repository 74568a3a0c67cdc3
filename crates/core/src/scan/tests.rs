//! One walk and all others: instruction sets, what was learned before, and where the text ends make no difference.

use korpus_fuzz_oracles::{odd_message, odd_value};
use korpus_synth::hostile::{HostileConversation, HostileMessage, HostileSession, HostileValue};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Arena, Class, Fault, NONE, Scanner, Slot, Stop};
use crate::simd::Level;
use crate::value::Kind;

/// An object with everything that was written down of it.
#[derive(Debug, PartialEq)]
struct Written {
    class: Class,
    span: Slot,
    repeated: u64,
    next: u32,
    slots: Vec<Slot>,
    others: Vec<(Slot, Slot, bool)>,
}

#[derive(Debug, PartialEq)]
struct Outcome {
    walked: Result<(usize, Kind, u32, bool), Stop>,
    objects: Vec<Written>,
}

fn walk(scanner: &mut Scanner, text: &[u8], eof: bool, class: Option<Class>) -> Outcome {
    let mut arena = Arena::default();
    let walked = scanner.walk(&mut arena, text, 0, eof, class);
    let walked = walked.map(|walked| (walked.end, walked.kind, walked.object, walked.compact));
    let mut objects = Vec::new();
    // What a failed walk leaves behind does not count.
    for object in arena.objects.iter().filter(|_| walked.is_ok()) {
        let mut others = Vec::new();
        let mut next = object.first_other;
        while next != NONE {
            let other = arena.others[next as usize];
            others.push((other.key, other.value, other.earlier));
            next = other.next;
        }
        objects.push(Written {
            class: object.class,
            span: object.span,
            repeated: object.repeated,
            next: object.next,
            slots: (0..object.class.slot_count()).map(|slot| arena.slot(object, slot)).collect(),
            others,
        });
    }
    Outcome { walked, objects }
}

/// A text, and what it is to be walked as.
fn text() -> impl Strategy<Value = (Vec<u8>, Option<Class>)> {
    (any::<u64>(), 0..9_u8).prop_map(|(seed, kind)| match kind {
        0 => (odd_value(seed), None),
        1 => (HostileValue::generate(seed), None),
        2 => (HostileSession::generate(seed), Some(Class::Session)),
        3 => (HostileConversation::generate(seed), Some(Class::Conversation)),
        4 | 5 => (HostileMessage::generate(seed), Some(Class::Message)),
        _ => (odd_message(seed), Some(Class::Message)),
    })
}

fn mutate(text: &mut Vec<u8>, edits: &[(Index, u8, u8)]) {
    for (at, kind, byte) in edits {
        if text.is_empty() {
            return;
        }
        let at = at.index(text.len());
        let byte = if *byte < 200 { b"{}[],:\"\\ \n0e-.nu"[usize::from(byte % 16)] } else { *byte };
        match kind {
            0 => text[at] = byte,
            1 => text.insert(at, byte),
            2 => {
                text.remove(at);
            }
            _ => text.truncate(at),
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    prop_oneof![
        1 => Just(Vec::new()),
        2 => proptest::collection::vec((any::<Index>(), 0..4_u8, any::<u8>()), 1..3),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn levels_and_memory_make_no_difference(
        texts in proptest::collection::vec((text(), edits()), 1..8),
        eof in any::<bool>(),
    ) {
        let mut warm: Vec<_> =
            Level::available().into_iter().map(|level| Scanner::with_level(128, level)).collect();
        for round in 0..2 {
            for ((text, class), edits) in &texts {
                let mut text = text.clone();
                mutate(&mut text, edits);
                let cold = walk(&mut Scanner::with_level(128, Level::Portable), &text, eof, *class);
                for scanner in &mut warm {
                    let found = walk(scanner, &text, eof, *class);
                    prop_assert_eq!(&found, &cold, "round {} of {:?}", round, scanner);
                }
            }
        }
    }

    #[test]
    fn a_text_that_ends_early_is_incomplete_or_the_same((text, class) in text(), edits in edits(), cuts in proptest::collection::vec(any::<Index>(), 12)) {
        let mut text = text;
        mutate(&mut text, &edits);
        let mut scanner = Scanner::new(128);
        let whole = walk(&mut scanner, &text, false, class);
        for cut in cuts {
            let cut = cut.index(text.len() + 1);
            let found = walk(&mut scanner, &text[..cut], false, class);
            if found.walked != Err(Stop::Incomplete) {
                prop_assert_eq!(&found, &whole, "cut at {}", cut);
            }
        }
    }
}

#[test]
fn a_value_may_stand_further_from_its_key_than_before() {
    let mut scanner = Scanner::new(128);
    let tail = ",\"type\":\"incoming\",\"components\":[],\"and\":\"so that a prediction fits\"}";
    for value in ["1", "-1", "true", "null", "{}", "[]", "\"x\"", "{\"a\":1}", "[1]", "0.5"] {
        for key in ["ms", "unknown", "author", "components"] {
            for (before, after) in [("", " "), (" ", ""), ("", "\n      "), (" ", "  "), ("\t", ""), ("", "")]
            {
                for space in [before, after, before] {
                    let text = format!("{{\"{key}\":{space}{value}{tail}");
                    let found = walk(&mut scanner, text.as_bytes(), true, Some(Class::Message));
                    let cold = walk(&mut Scanner::new(128), text.as_bytes(), true, Some(Class::Message));
                    assert_eq!(found, cold, "{text}");
                    let compact = space.is_empty();
                    assert_eq!(found.walked, Ok((text.len(), Kind::Object, 0, compact)), "{text}");
                }
            }
        }
    }
}

#[test]
fn nothing_learned_looks_like_nuls() {
    let text = format!("{{\"_id\":\"ms-1\"{},\"type\":\"incoming\",\"components\":[]}}", "\0".repeat(40));
    for level in Level::available() {
        let found = walk(&mut Scanner::with_level(128, level), text.as_bytes(), true, Some(Class::Message));
        let at = text.find('\0').unwrap();
        assert_eq!(found.walked, Err(Stop::Bad { at, fault: Fault::UnexpectedByte }), "{level:?}");
    }
}
