//! Whatever happens to a page, the books balance, windows make no difference, and what is whole is kept.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use korpus_core::{DecodeLimits, Decoder, InputEnd, Reason};
use korpus_fuzz_oracles::{kept, odd_message, page, parse, scan};
use korpus_synth::{Codec, Layout, Profile, Shape, Size, Synth, SynthOptions, hostile::HostileMessage};
use proptest::prelude::*;
use proptest::sample::Index;

/// One thing that happens to a body.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Delete(Index, usize),
    Insert(Index, Vec<u8>),
    Copy(Index, Index, usize),
    Truncate(Index),
}

impl Mutation {
    fn any() -> impl Strategy<Value = Self> {
        let byte = prop_oneof![
            3 => proptest::sample::select(b"{}[],:\"\\ \n01ent\x00\xff\xc3".to_vec()),
            1 => any::<u8>(),
        ];
        let piece = prop_oneof![
            2 => proptest::sample::select(vec![
                &b"{"[..], b"}", b"[", b"]", b",", b":", b"\"", b"\\", b"\n", b"\xff", b"null", b"{}", b"[]", b"\"\"", b"},{",
                b"]}", b"{\"_id\":1,\"type\":2,\"components\":[]}", b"{\"messages\":[", b"\n{\"total\":1,\"messages\":[",
                b"\xef\xbb\xbf", b"\\u12", b"\xed\xa0\x80", b"<html>", b"1e", b"-", b"tru",
            ]).prop_map(<[u8]>::to_vec),
            1 => proptest::collection::vec(any::<u8>(), 1..20),
        ];
        prop_oneof![
            3 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            3 => (any::<Index>(), byte).prop_map(|(at, byte)| Self::Set(at, byte)),
            3 => (any::<Index>(), 1..40_usize).prop_map(|(at, len)| Self::Delete(at, len)),
            3 => (any::<Index>(), piece).prop_map(|(at, piece)| Self::Insert(at, piece)),
            1 => (any::<Index>(), any::<Index>(), 1..600_usize).prop_map(|(to, from, len)| Self::Copy(to, from, len)),
            1 => any::<Index>().prop_map(Self::Truncate),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        match self {
            Self::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Self::Set(at, byte) => bytes[at.index(len)] = *byte,
            Self::Delete(at, count) => {
                let at = at.index(len);
                bytes.drain(at..len.min(at + count));
            }
            Self::Insert(at, piece) => {
                let at = at.index(len);
                bytes.splice(at..at, piece.iter().copied());
            }
            Self::Copy(to, from, count) => {
                let (to, from) = (to.index(len), from.index(len));
                let piece = bytes[from..len.min(from + count)].to_vec();
                bytes.splice(to..to, piece);
            }
            Self::Truncate(at) => bytes.truncate(at.index(len)),
        }
    }
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    proptest::collection::vec(Mutation::any(), 1..4)
}

/// The decoded dumps of the test data that are small enough to be parsed in windows of one byte.
fn dumps() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dumps");
    let mut paths: Vec<PathBuf> = ["responses", "messages", "shapes", "errors"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.extension().is_some_and(|ext| ext == "gz" || ext == "br"))
        .collect();
    paths.sort();
    let mut dumps: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(dumps.len() > 80);
    for shape in [Shape::V2, Shape::Lite, Shape::Call, Shape::AgentAiHistory, Shape::Sessions] {
        for layout in [Layout::Files, Layout::NdjsonBodies, Layout::Concatenated] {
            dumps.push(synthetic(shape, layout, 6));
        }
    }
    dumps
}

fn synthetic(shape: Shape, layout: Layout, messages: u64) -> Vec<u8> {
    let options = SynthOptions {
        size: Size::Messages(messages),
        page_size: messages.div_ceil(2).min(20),
        shapes: vec![shape],
        codecs: vec![Codec::Plain],
        layout,
        ..SynthOptions::default()
    };
    let (files, _) = Synth::new(options).unwrap().write_memory().unwrap();
    files.into_iter().next().unwrap().1
}

/// A page of so many lean messages, as its bytes, and where each message stands in them.
fn big_page(messages: u64) -> (Vec<u8>, Vec<std::ops::Range<usize>>) {
    let options = SynthOptions {
        size: Size::Messages(messages),
        page_size: messages,
        shapes: vec![Shape::V2],
        codecs: vec![Codec::Gzip],
        profile: Profile::Lean,
        ..SynthOptions::default()
    };
    let (files, _) = Synth::new(options).unwrap().write_memory().unwrap();
    assert_eq!(files.len(), 1);
    let mut decoder = Decoder::new(&files[0].1[..], None, DecodeLimits::default()).unwrap();
    let (mut body, mut window) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(n @ 1..) = decoder.read(&mut window) {
        body.extend_from_slice(&window[..n]);
    }
    let pages = parse(&body, None, 512 << 10, InputEnd::Complete);
    let spans =
        pages[0].messages.iter().map(|m| m.offset as usize..m.offset as usize + m.raw.len()).collect();
    (body, spans)
}

/// What stands at these places.
fn texts<'b>(body: &'b [u8], spans: &[std::ops::Range<usize>]) -> Vec<&'b str> {
    spans.iter().map(|span| std::str::from_utf8(&body[span.clone()]).unwrap()).collect()
}

/// The `n`th message that says nothing.
fn small(n: usize) -> String {
    format!(r#"{{"_id":"ms-{n}","type":"incoming","components":[]}}"#)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn mutated_dumps_keep_their_books() {
    let dumps = dumps();
    let case = (any::<Index>(), mutations());
    let mut runner = proptest::test_runner::TestRunner::new(config(400));
    let result = runner.run(&case, |(dump, mutations)| {
        let mut bytes = dump.get(&dumps).clone();
        for mutation in &mutations {
            mutation.apply(&mut bytes);
        }
        page(&bytes);
        scan(&bytes);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn dumps_keep_their_books() {
    for dump in dumps() {
        page(&dump);
        scan(&dump);
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn mutated_pages_of_hostile_messages_keep_their_books(
        seeds in proptest::collection::vec((any::<bool>(), any::<u64>()), 0..6),
        mutations in proptest::collection::vec(Mutation::any(), 0..4),
    ) {
        let messages: Vec<_> = seeds
            .iter()
            .map(|&(is_odd, seed)| if is_odd { odd_message(seed) } else { HostileMessage::generate(seed) })
            .collect();
        let mut bytes = [b"{\"total\":1,\"messages\":[", &*messages.join(&b", "[..]), b"]}"].concat();
        for mutation in &mutations {
            mutation.apply(&mut bytes);
        }
        page(&bytes);
    }

    #[test]
    fn anything_between_brackets_keeps_its_books(text in "[\\[\\]{}\",:\\\\ \n01a-]{0,40}", before in any::<bool>()) {
        let page_of = |text: &str| format!("{{\"messages\":[{text}]}}");
        page(if before { page_of(&text) } else { text.clone() }.as_bytes());
        scan(text.as_bytes());
    }
}

/// What breaks a message.
type Break = fn(&mut Vec<u8>);

/// One message of many is broken: all others are kept as they were, and the broken one is one reject.
#[test]
fn one_broken_message_among_ten_thousand_costs_one_reject() {
    let (body, spans) = big_page(10_000);
    assert_eq!(spans.len(), 10_000);
    let whole = texts(&body, &spans);
    let breaks: &[(&str, Break)] = &[
        ("no opening brace", |m| {
            m.remove(0);
        }),
        ("no closing brace", |m| m.truncate(m.len() - 1)),
        ("cut off in the middle", |m| m.truncate(m.len() / 2)),
        ("cut off after a key", |m| m.truncate(m.windows(2).position(|w| w == b"\":").unwrap() + 1)),
        ("a quote less", |m| {
            let at = m.len() / 2 + m[m.len() / 2..].iter().position(|&b| b == b'"').unwrap();
            m.remove(at);
        }),
        ("a typographic quote", |m| {
            m.splice(1..2, *b"\xe2\x80\x9c");
        }),
        ("bytes that are no UTF-8", |m| {
            let at = m.windows(3).position(|w| w == b":\"m").unwrap() + 2;
            m[at] = 0xff;
        }),
        ("a control character", |m| {
            let at = m.windows(3).position(|w| w == b":\"m").unwrap() + 2;
            m[at] = b'\n';
        }),
        ("a comma too many inside", |m| m.insert(m.len() - 1, b',')),
        ("a bad escape", |m| {
            let at = m.windows(3).position(|w| w == b":\"m").unwrap() + 2;
            m.splice(at..at, *b"\\x");
        }),
        ("a bracket too many", |m| m.insert(m.len() - 1, b']')),
        ("nothing but a word", |m| *m = b"undefined".to_vec()),
        ("a number", |m| *m = b"17".to_vec()),
        ("too deep", |m| *m = [[b'['; 200], [b']'; 200]].concat()),
    ];
    for (what, change) in breaks {
        for index in [0, 1, 4321, 9998, 9999] {
            let span = spans[index].clone();
            let mut message = body[span.clone()].to_vec();
            change(&mut message);
            let broken = [&body[..span.start], &message, &body[span.end..]].concat();
            for window in [None, Some(40_000)] {
                let pages = parse(&broken, window, 512 << 10, InputEnd::Complete);
                let others = whole[..index].iter().chain(&whole[index + 1..]);
                assert!(kept(&pages).iter().eq(others), "{what}, message {index}: all others are kept");
                let rejected = &pages[0].rejected;
                assert_eq!(rejected.len(), 1, "{what}, message {index}: {rejected:#?}");
                assert_eq!(
                    (rejected[0].index, rejected[0].offset),
                    (index as u64, span.start as u64),
                    "{what}"
                );
                assert_eq!(pages[0].end.messages_seen, 10_000);
            }
        }
    }
}

/// Brackets too many end the array, or the body, before its time: no message is lost for it.
#[test]
fn closing_too_early_loses_no_message() {
    let (body, spans) = big_page(300);
    let whole = texts(&body, &spans);
    let places = [0, 1, 150, 298, 299].map(|index: usize| (index, spans[index].end));
    let before = [0, 1, 150, 299].map(|index: usize| (index, spans[index].start));
    for closing in ["}", "]", "]}", "}]}", "]}}", " ]\n}", "]}]"] {
        for (index, at) in places.into_iter().chain(before) {
            let broken = [&body[..at], closing.as_bytes(), &body[at..]].concat();
            for window in [None, Some(1000)] {
                let pages = parse(&broken, window, 512 << 10, InputEnd::Complete);
                assert!(kept(&pages).iter().eq(whole.iter()), "{closing} after message {index}");
                assert_eq!(pages.len(), 1, "{closing} after message {index}");
                assert_eq!(pages[0].end.status.as_str(), "partial", "{closing} after message {index}");
                assert!(pages[0].rejected.len() <= 3, "{closing} after message {index}");
            }
            page(&broken);
        }
    }
}

/// A message that lost what closes it takes in those behind it as far as JSON goes: they are kept all the same.
#[test]
fn closing_too_late_loses_no_other_message() {
    let message = |n: usize| {
        format!(
            r#"{{"_id":"ms-{n}","type":"incoming","createdOn":"2025-01-01T00:00:00.000Z","components":[{{"cT":"text","data":{{"text":"t"}}}}]}}"#
        )
    };
    let messages: Vec<String> = (0..4).map(message).collect();
    for lost in ["}", "]}", "}]}", "}}]}"] {
        for broken in 0..3 {
            let elements: Vec<&str> = messages
                .iter()
                .enumerate()
                .map(|(n, whole)| if n == broken { whole.strip_suffix(lost).unwrap() } else { whole })
                .collect();
            let others: Vec<&str> = (0..4).filter(|&n| n != broken).map(|n| messages[n].as_str()).collect();
            for (before, after) in [
                ("{\"messages\":[", "]}"),
                ("{\"messages\":[", "],\"moreAvailable\":false}\n"),
                ("{\"data\":{\"messages\":[", "]}}"),
            ] {
                let body = [before, &elements.join(","), after].concat();
                page(body.as_bytes());
                let pages = parse(body.as_bytes(), None, 512 << 10, InputEnd::Complete);
                let found = pages.iter().flat_map(|page| &page.messages).map(|message| message.raw.as_str());
                assert!(found.eq(others.iter().copied()), "{body}");
                let rejected: Vec<_> = pages.iter().flat_map(|page| &page.rejected).collect();
                assert_eq!(rejected.len(), 1, "{body}");
                assert_eq!(rejected[0].length as usize, elements[broken].len() + 1, "{body}");
            }
        }
    }
}

/// Messages are found under whatever name their list has, and the head of such a body is told as a reject.
#[test]
fn lists_of_other_names_are_read() {
    let messages: Vec<String> = (0..3).map(small).collect();
    let list = format!("[{}]", messages.join(","));
    for (head, tail) in [
        (r#"{"data":"#, "}"),
        (r#"{"items":"#, r#","next":null}"#),
        (r#"{"total":3,"items":"#, r#","moreAvailable":false}"#),
        (r#"{"status":200,"data":{"items":"#, "}}"),
        (r#"{"total":3,"data":{"items":"#, "}}"),
        (r#"{"total":3,"data":{"messages":"#, "}}"),
        (r#"{"messages":{"items":"#, "}}"),
        (r#"{"total":3,"items":"#, r#","moreAvailable":fal"#),
        (r#"{"botId":"st-1","history":"#, "}"),
        (r#"{"data":[{"id":1,"history":"#, "}]}"),
    ] {
        let body = [head, &list, tail].concat();
        page(body.as_bytes());
        let pages = parse(body.as_bytes(), None, 512 << 10, InputEnd::Complete);
        assert!(kept(&pages).iter().eq(messages.iter()), "{body}");
        assert!(pages.iter().all(|page| page.end.status.as_str() != "ok"), "{body}");
        let told = pages.iter().flat_map(|page| &page.rejected).map(|reject| reject.reason);
        let told: Vec<_> = told.collect();
        assert!(told.first() == Some(&"not_a_page"), "{body}: {told:?}");
    }
    // What holds none is told as a whole.
    let body = br#"{"data":[{"id":1,"type":"bot"},{"id":2,"type":"bot"}]}"#;
    let pages = parse(body, None, 512 << 10, InputEnd::Complete);
    assert_eq!((pages.len(), pages[0].end.status.as_str()), (1, "not_a_page"));
}

/// They are found where the body is cut off, too, and where the name is damaged.
#[test]
fn lists_of_other_names_are_read_up_to_a_cut() {
    let messages: Vec<String> = (0..3).map(small).collect();
    let list = [&messages.join(","), "]"].concat();
    for head in [
        &b"{\"total\":3,\"items\":["[..],
        b"{\"total\":3,\"messa\xf1es\":[",
        b"{\"messages\":{\"items\":[",
        b"{\"total\":3,\"data\":{\"items\":[",
        b"{\"total\":3,\"data\":{\"messages\":[",
        b"{\"total\":3,\"data\":[{\"id\":1,\"items\":[",
        b"{\"data\":[",
        b"{\"botId\":\"st-1\",\"history\":[",
    ] {
        let body = [head, list.as_bytes()].concat();
        let mut ends = (1..=messages.len()).map(|n| head.len() + messages[..n].join(",").len()).peekable();
        let mut whole = 0;
        for cut in head.len()..=body.len() {
            whole += usize::from(ends.next_if(|&end| end <= cut).is_some());
            let shown = String::from_utf8_lossy(&body[..cut]);
            page(&body[..cut]);
            for end in [InputEnd::Complete, InputEnd::Truncated] {
                let pages = parse(&body[..cut], None, 512 << 10, end);
                assert!(kept(&pages).iter().eq(&messages[..whole]), "{shown}");
                assert!(pages.iter().all(|page| page.end.status.as_str() != "ok"), "{shown}");
                assert!(parse(&body[..cut], Some(7), 512 << 10, end) == pages, "{shown}");
            }
        }
    }
    // So are those in lists in lists, and in objects that are no lists.
    for body in [
        format!("{{\"total\":3,\"a\":[{{\"a\":[{{\"a\":[{{\"a\":[{{\"a\":[{{\"a\":[{}", messages.join(",")),
        format!(
            "{{\"total\":3,\"a\":{{\"b\":{},\"c\":{},\"d\":{},\"e\":{{\"x",
            messages[0], messages[1], messages[2]
        ),
        format!("{{\"total\":3,\"old\":[{}],\"new\":[{},{},{{", messages[0], messages[1], messages[2]),
    ] {
        page(body.as_bytes());
        let pages = parse(body.as_bytes(), None, 512 << 10, InputEnd::Complete);
        assert!(kept(&pages).iter().eq(&messages), "{body}");
    }
    // Past the size of an envelope it does not matter in how many windows they come.
    let many: Vec<String> = (0..30_000).map(small).collect();
    for end in ["", ",{\"_i", ",oops]}"] {
        let body = format!("{{\"total\":3,\"items\":[{}{end}", many.join(","));
        let pages = parse(body.as_bytes(), None, 512 << 10, InputEnd::Complete);
        assert!(kept(&pages).iter().eq(&many), "{end}");
        for window in [700_000, 1 << 20, 1 << 16] {
            assert!(parse(body.as_bytes(), Some(window), 512 << 10, InputEnd::Complete) == pages, "{end}");
        }
    }
}

/// What cannot be read says why, whatever follows.
#[test]
fn what_is_packed_otherwise_says_how() {
    for (start, reason) in [
        (&b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F"[..], "xz"),
        (b"BZh91AY&SY\x8e\xc5", "bzip2"),
        (b"BZh9\x17rE8P\x90\0\0\0\0", "bzip2"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "nested_codec"),
        (b"\x28\xb5\x2f\xfd\x04\x00\x51\0\0{", "nested_codec"),
        (b"BZh is how bzip2 begins", "not_a_page"),
        (b"{\0", "utf16"),
    ] {
        let body = [start, b"\n{\"messages\":[]}"].concat();
        page(&body);
        let pages = parse(&body, None, 512 << 10, InputEnd::Complete);
        let told = pages[0].end.reason.map(|reason| (pages[0].end.status.as_str(), reason.as_str()));
        assert_eq!(told, Some(("not_a_page", reason)), "{start:?}");
    }
    // The codecs leave to the pages what they do not know.
    let mut file = b"{\"messages\":[]}".to_vec();
    for _ in 0..3 {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&file).unwrap();
        file = gzip.finish().unwrap();
    }
    for (file, first) in
        [(&file[..], 0x1f), (b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x04\xc0", 0xfd), (b"BZh91AY&SY\x8e\xc5\0", b'B')]
    {
        let mut decoder = Decoder::new(file, Some("page.json"), DecodeLimits::default()).unwrap();
        let mut window = [0; 64];
        assert!(decoder.read(&mut window).unwrap() > 0);
        assert_eq!(window[0], first);
    }
}

/// What was cut for what it became says so, whatever it began like.
#[test]
fn bombs_say_so() {
    let zeros = [0; 5000];
    for (start, status) in [
        (&b""[..], "rejected"),
        (b"    ", "rejected"),
        (b"<html>", "rejected"),
        (b"BZh91AY&SY\x8e\xc5", "rejected"),
        (b"{\"a\":1}", "rejected"),
        (b"{\"message\":\"no\"}  ", "rejected"),
        (b"{\"total\":0,\"errors\":[]", "rejected"),
        (b"{\"message\":\"", "rejected"),
        (b"{\"messages\":[{\"_id\":\"a\",\"components\":[]},{\"_id\":}", "partial"),
        (b"text {\"messages\":[{\"_id\":\"a\",\"components\":[]}]}", "partial"),
    ] {
        for body in [start.to_vec(), [start, &zeros].concat(), [start, &[b' '; 5000]].concat()] {
            let pages = parse(&body, Some(100), 512 << 10, InputEnd::RatioExceeded);
            let last = &pages[pages.len() - 1].end;
            assert_eq!(last.reason, Some(Reason::RatioExceeded), "{start:?}");
            assert!(last.status.as_str() == status || pages.len() > 1, "{start:?}: {:?}", last.status);
        }
    }
}

/// Any change inside one message leaves all others alone.
#[test]
fn a_mutated_message_leaves_the_others_alone() {
    let (body, spans) = big_page(400);
    let whole = texts(&body, &spans);
    let case = (any::<Index>(), mutations());
    let mut runner = proptest::test_runner::TestRunner::new(config(1000));
    let result = runner.run(&case, |(index, mutations)| {
        let index = index.index(spans.len());
        let span = spans[index].clone();
        let mut message = body[span.clone()].to_vec();
        for mutation in &mutations {
            mutation.apply(&mut message);
        }
        let mutated = [&body[..span.start], &message, &body[span.end..]].concat();
        let pages = parse(&mutated, None, 512 << 10, InputEnd::Complete);
        // What was inserted may itself be a message, an end of the array or another body; the others still are there.
        let all: Vec<&str> = pages.iter().flat_map(|p| p.messages.iter().map(|m| m.raw.as_str())).collect();
        prop_assert!(all.starts_with(&whole[..index]), "those before are kept");
        // Two changes may close the array and open a string, which takes in the beginning of the next message: that one is
        // lost too, and told.
        let next = spans.get(index + 1).map_or(0, |next| (next.start + message.len() - span.len()) as u64);
        let takes_next = pages[0].rejected.iter().any(|reject| reject.offset + reject.length > next);
        let lost = usize::from(mutations.len() > 1 && takes_next);
        prop_assert!(all.ends_with(&whole[(index + 1 + lost).min(whole.len())..]), "those after are kept");
        let is_kept = all.len() > whole.len() - 1;
        let rejected =
            pages.iter().flat_map(|page| &page.rejected).filter(|reject| reject.length > 0).count();
        prop_assert!(is_kept || rejected > 0 || message.trim_ascii().is_empty(), "what is lost is told");
        Ok(())
    });
    result.unwrap();
}

/// Whatever happens to a body, and wherever: a message that still stands in it whole is kept, be it in a member that the envelope
/// keeps, or lies in a span that is told.
#[test]
fn what_stands_whole_in_a_damaged_body_is_kept_or_told() {
    let (body, spans) = big_page(12);
    let messages = texts(&body, &spans);
    let heads = [
        ("{\"total\":12,\"moreAvailable\":true,\"messages\":[", ",", "]}"),
        ("{\"messages\":[", ",\n", "],\"total\":12}\n"),
        ("{\"total\":12,\"items\":[", ",", "]}"),
        ("{\"status\":200,\"data\":{\"messages\":[", ",", "]}}"),
        ("{\"botId\":\"st-1\",\"history\":[", ",", "]}"),
        ("[", ",", "]"),
        ("", "\n", "\n"),
        (
            "{\"results\":[{\"_id\":\"c-1\",\"convId\":\"d-1\",\"messages\":[",
            ",",
            "],\"startTime\":\"2025-01-01T00:00:00.000Z\"}],\"hasMore\":false}",
        ),
    ];
    let case = (any::<Index>(), mutations());
    let mut runner = proptest::test_runner::TestRunner::new(config(3000));
    let result = runner.run(&case, |(head, mutations)| {
        let (head, between, tail) = *head.get(&heads);
        let mut bytes = [head, &messages.join(between), tail].concat().into_bytes();
        for mutation in &mutations {
            mutation.apply(&mut bytes);
        }
        page(&bytes);
        let pages = parse(&bytes, None, 512 << 10, InputEnd::Complete);
        if pages.iter().any(|page| page.end.reason == Some(Reason::Utf16)) {
            // It was told what it looks like, and not read at all.
            return Ok(());
        }
        for message in &messages {
            for start in memchr::memmem::find_iter(&bytes, message.as_bytes()) {
                let (start, end) = (start as u64, (start + message.len()) as u64);
                let mut told = pages.iter().flat_map(|page| {
                    let kept = page.messages.iter().chain(&page.records);
                    let kept = kept.map(|found| (found.offset, found.raw.len() as u64));
                    kept.chain(page.rejected.iter().map(|reject| (reject.offset, reject.length)))
                });
                let is_told = told.any(|(at, len)| at <= start && end <= at + len);
                let is_extra = || pages.iter().any(|page| page.end.envelope.extra.contains(message));
                prop_assert!(is_told || is_extra(), "{start}..{end} of {}", String::from_utf8_lossy(&bytes));
            }
        }
        Ok(())
    });
    result.unwrap();
}

/// What stands in no body is a message by all its keys, not by the first ones.
#[test]
fn a_lone_message_may_have_the_keys_of_errors_and_envelopes() {
    let time = r#""createdOn":"2025-01-01T00:00:00.000Z""#;
    for (object, status, messages) in [
        (format!(r#"{{"message":"x","type":"incoming",{time}}}"#), "ok", 1),
        (format!(r#"{{"type":"incoming",{time},"errors":[]}}"#), "ok", 1),
        (r#"{"error":"x","type":"incoming","text":"a","timestamp":1}"#.into(), "ok", 1),
        (r#"{"message":"x","type":"incoming","components":[]}"#.into(), "ok", 1),
        (r#"{"total":3,"_id":"a","type":"incoming","components":[]}"#.into(), "ok", 1),
        (r#"{"components":[],"total":3,"_id":"a","limit":[1],"type":"incoming"}"#.into(), "ok", 1),
        (format!(r#"{{"message":"x",{time}}}"#), "error_response", 0),
        (r#"{"type":"about:blank","title":"Not found","timestamp":1}"#.into(), "error_response", 0),
        (r#"{"total":3,"_id":"a","type":"incoming"}"#.into(), "not_a_page", 0),
        (r#"{"total":3,"_id":"a","type":"b","components":[],"messages":[]}"#.into(), "ok", 0),
        (format!(r#"{{"total":3,"a":"{}","messages":[{{"_id":"a"}}]}}"#, "a".repeat(1 << 20)), "partial", 1),
    ] {
        let shown = &object[..object.len().min(100)];
        let pages = parse(object.as_bytes(), None, 512 << 10, InputEnd::Complete);
        let [page] = &pages[..] else { panic!("{shown}: {} pages", pages.len()) };
        assert_eq!((page.end.status.as_str(), page.messages.len()), (status, messages), "{shown}");
        for window in [1, 7, 4096].into_iter().filter(|window| object.len() / window < 10_000) {
            assert!(
                parse(object.as_bytes(), Some(window), 512 << 10, InputEnd::Complete) == pages,
                "{shown}"
            );
        }
    }
}
