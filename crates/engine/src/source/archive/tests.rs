//! Archives: healthy, nested, hostile, cut off at every length.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use korpus_core::Limits;
use xxhash_rust::xxh3::xxh3_128;

use super::*;
use crate::source::tests::build::{DEFLATE, STORED, ZSTD, Zipped, har, tar, tar_head, zip};
use crate::source::tests::{Collect, body, gzip};

const URL: &str = "https://h/api/public/bot/st-1/getMessages?skip=0";

fn small() -> Limits {
    Limits { block_bytes: 4 << 10, ..Limits::default() }
}

fn memory(name: &str, bytes: &[u8]) -> InputInfo {
    InputInfo {
        index: 0,
        member: None,
        display: name.to_owned(),
        kind: InputKind::Bytes(bytes.into()),
        container: Container::Plain,
        size: None,
    }
}

/// Reads bytes as an input in memory.
fn read_once(name: &str, bytes: &[u8], limits: &Limits) -> (InputReport, Collect) {
    let mut seen = Collect::default();
    let report = Source::new(limits, false, None).read(&memory(name, bytes), &mut seen).unwrap();
    (report, seen)
}

/// Reads bytes as an input in memory, as a small file, as a large file, and mapped: all must agree.
fn read_with(name: &str, bytes: &[u8], limits: &Limits) -> (InputReport, Collect) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let info = |kind| InputInfo { kind, ..memory(name, b"") };
    let tiny = Limits { whole_bytes: 100, ..limits.clone() };
    let mut first: Option<(InputReport, Collect)> = None;
    for (limits, kind, mmap) in [
        (limits, InputKind::Bytes(bytes.into()), false),
        (limits, InputKind::File(path.clone()), false),
        (&tiny, InputKind::File(path.clone()), false),
        (&tiny, InputKind::File(path.clone()), true),
    ] {
        let mut sink = Collect::default();
        let info = info(kind);
        let mut report = Source::new(limits, mmap, None).read(&info, &mut sink).unwrap();
        assert_eq!(sink.bytes, bytes.len() as u64, "{name}: all is read, and counted once");
        let Some((known, seen)) = &first else {
            first = Some((report, sink));
            continue;
        };
        report.input = known.input.clone();
        assert_eq!(*known, report, "{name}");
        assert_eq!((seen.messages, &seen.pages), (sink.messages, &sink.pages));
        assert_eq!(seen.members, sink.members);
    }
    let (report, seen) = first.unwrap();
    assert_eq!(
        (report.bytes, report.hash, report.io_error.as_deref()),
        (bytes.len() as u64, xxh3_128(bytes), None)
    );
    (report, seen)
}

fn read(name: &str, bytes: &[u8]) -> (InputReport, Collect) {
    read_with(name, bytes, &small())
}

/// The members: their names after the archive's, and how many messages each has.
fn members(seen: &Collect) -> Vec<(&str, usize)> {
    let mut before = 0;
    seen.members
        .iter()
        .map(|(report, messages)| {
            let own = messages - before;
            before = *messages;
            (report.input.display.split_once('!').unwrap().1, own)
        })
        .collect()
}

fn fault(seen: &Collect, name: &str) -> Option<Reason> {
    seen.members.iter().find(|(report, _)| report.input.display.ends_with(name)).unwrap().0.fault
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[test]
fn members_are_inputs_in_their_order() {
    let (one, two, three) = (body(40), gzip(&body(300)), body(5));
    let list: [(&str, &[u8]); 3] = [("b/two.json.gz", &two), ("a.json", &one), ("z.json", &three)];
    let plain = tar(&list);
    let entries: Vec<Zipped<'_>> = [STORED, DEFLATE, ZSTD]
        .iter()
        .zip(list)
        .map(|(&method, (name, content))| Zipped::new(name, content, method))
        .collect();
    for (name, bytes, container) in [
        ("x.tar", plain.clone(), Container::Tar),
        ("x.tar.gz", gzip(&plain), Container::Tar),
        ("no-name", gzip(&plain), Container::Tar),
        ("x.tar.zst", zstd(&plain), Container::Tar),
        ("x.zip", zip(&entries), Container::Zip),
        ("x.zip.gz", gzip(&zip(&entries)), Container::Zip),
    ] {
        let (report, seen) = read(name, &bytes);
        assert_eq!(members(&seen), [("b/two.json.gz", 300), ("a.json", 40), ("z.json", 5)], "{name}");
        assert_eq!(report.members, Some(Members { read: 3, ..Members::default() }));
        assert_eq!(report.fault, None);
        for ((member, _), (_, content)) in seen.members.iter().zip(list) {
            assert_eq!((member.bytes, member.hash), (content.len() as u64, xxh3_128(content)));
            assert_eq!((member.input.container, member.input.size), (container, Some(content.len() as u64)));
        }
        assert_eq!(
            seen.members.iter().map(|(m, _)| m.input.member).collect::<Vec<_>>(),
            [Some(0), Some(1), Some(2)]
        );
    }
}

#[test]
fn exchanges_of_a_har_file_are_inputs_with_their_requests() {
    let (one, two) = (body(40), body(300));
    for base64 in [false, true] {
        let file = har(&[(URL, &one), ("https://h/logo.png", b"not a page"), (URL, &two)], base64);
        for (name, bytes) in
            [("x.har", file.clone()), ("x", [b"\xef\xbb\xbf", &file[..]].concat()), ("x.gz", gzip(&file))]
        {
            let (report, seen) = read(name, &bytes);
            assert_eq!(members(&seen), [("entries[0]", 40), ("entries[2]", 300)], "{name}");
            let counts = report.members.unwrap();
            assert_eq!((counts.read, counts.skipped, report.fault), (2, 1, None));
            assert_eq!(counts.first_skipped, Some(format!("{name}!entries[1]")));
            for (member, _) in &seen.members {
                let http = member.http.as_ref().unwrap();
                assert_eq!(
                    (http.status, http.method.as_deref(), http.url.as_deref()),
                    (200, Some("GET"), Some(URL))
                );
                assert_eq!(member.input.container, Container::Har);
            }
            assert_eq!(seen.members[1].0.hash, xxh3_128(&two));
        }
    }
    // An answer without content is a failed call; its status is kept.
    let empty =
        r#"{"log":{"entries":[{"response":{"status":504,"content":{}},"request":{"url":"h/getMessages"}}]}}"#;
    let (report, seen) = read("x.har", empty.as_bytes());
    assert_eq!((members(&seen), report.fault), (vec![("entries[0]", 0)], None));
    assert_eq!(seen.members[0].0.http.as_ref().unwrap().status, 504);
    let (report, _) = read("x.har", br#"{"log":{"entries":{}}}"#);
    assert_eq!(report.fault, Some(Reason::CorruptStream));
    let (report, _) = read("x.har", br#"{"log":{"version":"1.2"}}"#);
    assert_eq!(report.fault, Some(Reason::NotAPage));
}

#[test]
fn only_what_was_requested_for_a_call_is_read() {
    let page = body(3);
    let urls = ["https://h/getMessages?callId=a%2D1", "https://h/getMessages?callId=b"];
    let file = har(&[(urls[0], &page), (urls[1], &page)], false);
    let mut source = Source::new(&small(), false, None).for_call(Some("a-1".to_owned()));
    for bytes in [file.clone(), tar(&[("x.har", &file)])] {
        let mut seen = Collect::default();
        source.read(&memory("x", &bytes), &mut seen).unwrap();
        assert_eq!(seen.messages, 3);
        assert_eq!(seen.members.iter().filter(|(report, _)| report.left_out).count(), 1);
        assert_eq!(seen.members[1].0.hash, xxh3_128(&page));
    }
    let mut seen = Collect::default();
    assert!(source.read(&memory("x", &tar(&[("page.json", &page)])), &mut seen).is_err());
    assert!(seen.error.unwrap().contains("x!page.json does not hold its request"));
}

#[test]
fn archives_inside_archives_are_read_and_no_deeper() {
    let page = body(7);
    let zipped_page = zip(&[Zipped::new("p.json", &page, DEFLATE)]);
    let recorded = har(&[(URL, &page)], true);
    let tarred = gzip(&tar(&[("p.json", &page)]));
    let deep = tar(&[("inner.zip", &zipped_page), ("page.json", &page)]);
    let list: [(&str, &[u8]); 5] = [
        ("a.zip", &zipped_page),
        ("b.har", &recorded),
        ("c.tgz", &tarred),
        ("d.tar", &deep),
        ("e.json", &page),
    ];
    let expected = [
        ("a.zip!p.json", 7),
        ("a.zip", 0),
        ("b.har!entries[0]", 7),
        ("b.har", 0),
        ("c.tgz!p.json", 7),
        ("c.tgz", 0),
        ("d.tar!inner.zip", 0),
        ("d.tar!page.json", 7),
        ("d.tar", 0),
        ("e.json", 7),
    ];
    let zipped = list.map(|(name, content)| Zipped::new(name, content, DEFLATE));
    for (name, bytes) in [("x.tar", tar(&list)), ("x.zip", zip(&zipped)), ("x.tar.gz", gzip(&tar(&list)))] {
        let (report, seen) = read(name, &bytes);
        assert_eq!(members(&seen), expected, "{name}");
        assert_eq!(report.fault, None);
        assert_eq!(fault(&seen, "d.tar!inner.zip"), Some(Reason::NestedArchive));
        assert_eq!(seen.members.iter().filter(|(report, _)| report.fault.is_some()).count(), 1);
        assert_eq!(seen.members[1].0.hash, xxh3_128(&zipped_page));
        assert_eq!(
            seen.members[6].0.hash,
            xxh3_128(&zipped_page),
            "what is not read is known by its hash too"
        );
    }
}

#[test]
fn only_regular_files_are_read_and_nothing_is_lost_in_silence() {
    let page = body(3);
    let mut bytes = Vec::new();
    for (name, kind) in [
        (&b"link"[..], b'2'),
        (b"hard", b'1'),
        (b"null", b'3'),
        (b"disk", b'4'),
        (b"pipe", b'6'),
        (b"dir/", b'5'),
    ] {
        bytes.extend(tar_head(name, kind, 0));
    }
    let padding = vec![0; page.len().wrapping_neg() % 512];
    for name in [
        &b"/etc/passwd"[..],
        b"../../up.json",
        b"..",
        b".hidden/a.json",
        b"a/.b",
        b"__MACOSX/c.json",
        b"./ok.json",
    ] {
        bytes.extend(tar_head(name, b'0', page.len() as u64));
        bytes.extend(&page);
        bytes.extend(&padding);
    }
    bytes.extend([0; 1024]);
    let (report, seen) = read("x.tar", &bytes);
    assert_eq!(members(&seen), [("/etc/passwd", 3), ("../../up.json", 3), ("..", 3), ("./ok.json", 3)]);
    let counts = report.members.unwrap();
    assert_eq!((counts.skipped, counts.first_skipped.as_deref()), (5, Some("x.tar!link")));
    assert_eq!(report.fault, None);

    let link = Zipped { mode: 0o120_777, ..Zipped::new("link", b"/etc/passwd", STORED) };
    let dir = Zipped { mode: 0o040_755, ..Zipped::new("dir/", b"", STORED) };
    let entries =
        [link, dir, Zipped::new("../x.json", &page, DEFLATE), Zipped::new("__MACOSX/._x", b"x", STORED)];
    let (report, seen) = read("x.zip", &zip(&entries));
    assert_eq!(members(&seen), [("../x.json", 3)]);
    assert_eq!(report.members.unwrap().skipped, 1);
}

#[test]
fn what_cannot_be_unpacked_says_why() {
    let page = body(3);
    let entries = [
        Zipped { flags: 1, ..Zipped::new("secret.json", &page, DEFLATE) },
        Zipped { method: 12, ..Zipped::new("bzip2.json", &page, STORED) },
        Zipped { crc: Some(7), ..Zipped::new("wrong-sum.json", &page, DEFLATE) },
        Zipped::new("good.json", &page, DEFLATE),
    ];
    let (report, seen) = read("x.zip", &zip(&entries));
    // A wrong checksum is told, and costs nothing that was read.
    let expected = [("secret.json", 0), ("bzip2.json", 0), ("wrong-sum.json", 3), ("good.json", 3)];
    assert_eq!((members(&seen), report.fault), (expected.to_vec(), None));
    assert_eq!(fault(&seen, "secret.json"), Some(Reason::Encrypted));
    assert_eq!(fault(&seen, "bzip2.json"), Some(Reason::UnknownMethod));
    assert_eq!(seen.pages[0], (korpus_core::PageStatus::Partial, Some(Reason::CorruptStream)));
}

#[test]
fn odd_archives_are_read_as_well() {
    let (one, two) = (body(3), body(4));
    let again: [(&str, &[u8]); 4] = [("a", &one), ("a", &two), ("a#2", &one), ("a", &one)];
    let names = [("a", 3), ("a#2", 4), ("a#2#2", 3), ("a#3", 3)];
    let long = "long/".repeat(60) + "name.json";
    assert_eq!(members(&read("x.tar", &tar(&again)).1), names);
    let zipped = again.map(|(name, content)| Zipped::new(name, content, DEFLATE));
    assert_eq!(members(&read("x.zip", &zip(&zipped)).1), names);
    let (_, seen) = read("x.tar", &tar(&[(&long, &one)]));
    assert_eq!(members(&seen), [(long.as_str(), 3)]);
    for change in [|z: &mut Zipped<'_>| z.open_ended = true, |z: &mut Zipped<'_>| z.long = true] {
        let mut zipped = zipped.clone();
        zipped.iter_mut().for_each(change);
        let (report, seen) = read("x.zip", &zip(&zipped));
        assert_eq!((members(&seen), report.fault), (names.to_vec(), None));
    }
    // A comment at the end that looks like the end of a directory.
    let mut commented = zip(&zipped);
    let len = commented.len();
    commented[len - 2] = 22;
    commented.extend(b"PK\x05\x06");
    commented.extend([0; 18]);
    assert_eq!(members(&read("x.zip", &commented).1).len(), 4);
    // The first name looks like the start of a zlib stream.
    for name in ["80.json", "hb.json"] {
        assert_eq!(members(&read("x", &tar(&[(name, &one)])).1), [(name, 3)]);
        assert_eq!(members(&read("x", &gzip(&tar(&[(name, &one)]))).1), [(name, 3)]);
    }
    for (name, bytes) in
        [("x.zip", zip(&[])), ("x.tar", tar(&[])), ("x.tgz", gzip(&tar(&[]))), ("x.har", har(&[], false))]
    {
        let (report, seen) = read(name, &bytes);
        assert_eq!((report.members, report.fault), (Some(Members::default()), None), "{name}");
        assert!(seen.members.is_empty() && seen.pages.is_empty());
    }
}

#[test]
fn damage_in_one_member_costs_that_member() {
    let page = body(300);
    let list: [(&str, &[u8]); 3] = [("a.json", &page), ("b.json", &page), ("c.json", &page)];
    // The head of the second member is gone.
    let mut bytes = tar(&list);
    let second = 512 + page.len().next_multiple_of(512);
    bytes[second..second + 100].fill(b'#');
    let (report, seen) = read("x.tar", &bytes);
    assert_eq!(members(&seen), [("a.json", 300), ("c.json", 300)]);
    assert_eq!(report.fault, Some(Reason::CorruptStream));
    // A member whose compressed bytes are damaged.
    let packed = gzip(&body(3000));
    let mut broken = packed.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 20].fill(0xff);
    let (report, seen) = read("x.tar", &tar(&[("a.gz", &broken), ("b.gz", &packed)]));
    assert!(seen.members[0].1 > 100 && seen.members[0].1 < 3000);
    assert_eq!((members(&seen)[1], report.fault), (("b.gz", 3000), None));
}

#[test]
fn cut_off_archives_give_all_before_the_cut_and_say_so() {
    let pages = [body(30), body(20), body(10)];
    let names = ["a.json", "b.json", "c.json"];
    let list: Vec<(&str, &[u8])> = names.iter().zip(&pages).map(|(name, page)| (*name, &page[..])).collect();
    let zipped: Vec<Zipped<'_>> = list.iter().map(|(name, page)| Zipped::new(name, page, DEFLATE)).collect();
    let open: Vec<Zipped<'_>> = zipped.iter().map(|z| Zipped { open_ended: true, ..z.clone() }).collect();
    let exchanges: Vec<(&str, &[u8])> = list.iter().map(|(_, page)| (URL, *page)).collect();
    let whole = tar(&list);
    for (name, bytes) in [
        ("x.tar", whole.clone()),
        ("x.tar.gz", gzip(&whole)),
        ("x.zip", zip(&zipped)),
        ("open.zip", zip(&open)),
        ("x.har", har(&exchanges, false)),
        ("base64.har", har(&exchanges, true)),
    ] {
        let mut before = 0;
        // Below this there is no telling what it is.
        for len in (1024..bytes.len()).step_by(97).chain(bytes.len() - 40..bytes.len()) {
            let (report, seen) = read_once(name, &bytes[..len], &small());
            assert!(seen.messages >= before, "{name} up to {len}: {} after {before}", seen.messages);
            before = seen.messages;
            let whole_but_for_zeros =
                name == "x.tar" && len >= bytes.len() - 512 || name.contains("har") && len + 2 >= bytes.len();
            assert!(
                report.fault == Some(Reason::Truncated) || whole_but_for_zeros,
                "{name} up to {len}: {:?}",
                report.fault
            );
        }
        assert_eq!(before, 60, "{name}");
    }
}

#[test]
fn bombs_stop_at_the_limits() {
    let mut spaces = body(1);
    spaces.extend(std::iter::repeat_n(b' ', 3 << 20));
    let many: Vec<Zipped<'_>> = (0..10).map(|_| Zipped::new("a.json", &spaces, DEFLATE)).collect();
    // No single layer of the last one is a bomb.
    let inner = gzip(&tar(&[("a.zst", &zstd(&spaces)), ("b", &spaces)]));
    for (name, bytes) in [
        ("x.zip", zip(&many)),
        ("x.tar.gz", gzip(&tar(&[("a", &spaces), ("b", &spaces)]))),
        ("x.tar", tar(&[("inner.tgz", &inner)])),
    ] {
        for whole_bytes in [100, 64 << 20] {
            let limits = Limits { ratio: 20, ratio_floor: 1 << 20, whole_bytes, ..small() };
            let (report, seen) = read_once(name, &bytes, &limits);
            assert!(seen.messages <= 2, "{name}");
            assert_eq!(report.fault, Some(Reason::RatioExceeded), "{name}");
        }
    }
    let empty = vec![("a", &b""[..]); 30];
    let limits = Limits { archive_members: 20, ..small() };
    let (report, seen) = read_with("x.tar", &tar(&empty), &limits);
    assert_eq!((seen.members.len(), report.fault), (20, Some(Reason::TooManyMembers)));
}

#[test]
fn a_sink_stops_the_reading_inside_an_archive() {
    let page = body(500);
    let bytes = tar(&[("a", &page), ("b", &page), ("c", &page)]);
    let mut source = Source::new(&small(), false, None);
    let mut sink = Collect { stop_after: Some(600), ..Collect::default() };
    assert!(source.read(&memory("x", &bytes), &mut sink).is_err());
    assert!(sink.messages < 1000 && sink.members.len() == 1);
    let mut sink = Collect::default();
    source.read(&memory("x", &page), &mut sink).unwrap();
    assert_eq!(sink.messages, 500);
}

#[test]
fn streams_of_zip_archives_go_to_disk_where_they_are_large() {
    let page = body(300);
    let bytes = zip(&[Zipped::new("a", &page, STORED), Zipped::new("b", &page, DEFLATE)]);
    let limits = Limits { whole_bytes: 100, ..small() };
    let wire = Wire::new(&limits);
    let report = |dir: Option<&str>, seen: &mut Collect| {
        let mut source = Source::new(&limits, false, dir.map(Into::into));
        let mut report = empty_report(&memory("x", b""));
        let mut reading = Reading { wire: &wire, sink: seen, depth: 0, members: 0 };
        source.stream(&mut &bytes[..], &mut report, &mut reading).unwrap();
        report
    };
    let mut seen = Collect::default();
    assert_eq!(report(None, &mut seen).fault, None);
    assert_eq!(members(&seen), [("a", 300), ("b", 300)]);
    let mut seen = Collect::default();
    assert!(report(Some("/no such directory"), &mut seen).io_error.is_some());
}

#[test]
fn large_members_stream() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&tar(&[("big.json", &body(20_000)), ("after.json", &body(2))])).unwrap();
    let limits = Limits { whole_bytes: 10_000, ..small() };
    let (_, seen) = read_with("x.tar.gz", &encoder.finish().unwrap(), &limits);
    assert_eq!(members(&seen), [("big.json", 20_000), ("after.json", 2)]);
}

#[test]
fn no_damage_makes_it_panic_or_read_without_end() {
    let page = body(30);
    let packed = gzip(&page);
    let list: [(&str, &[u8]); 3] = [("a.json", &page), ("b.json.gz", &packed), ("c.json", &page)];
    let zipped: Vec<Zipped<'_>> = [DEFLATE, STORED, ZSTD]
        .iter()
        .zip(list)
        .map(|(&method, (name, content))| Zipped {
            open_ended: method == DEFLATE,
            ..Zipped::new(name, content, method)
        })
        .collect();
    let limits = Limits { ratio_floor: 1 << 20, ..small() };
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    for (name, whole) in [
        ("x.tar", tar(&list)),
        ("x.zip", zip(&zipped)),
        ("x.har", har(&[(URL, &page), (URL, &page)], false)),
        ("y.har", har(&[(URL, &page), (URL, &packed)], true)),
    ] {
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                // Heads and directories are short: half of the damage goes to where they are.
                let at = match random(4) {
                    0 => random(64),
                    1 => bytes.len() - 1 - random(200),
                    _ => random(bytes.len()),
                };
                bytes[at] = [0, 0xff, b'P', b'7', bytes[at] ^ 1, random(256) as u8][random(6)];
            }
            if random(4) == 0 {
                bytes.truncate(random(bytes.len()));
            }
            let (report, seen) = read_once(name, &bytes, &limits);
            assert_eq!(report.bytes, bytes.len() as u64);
            assert!(seen.messages <= 200, "{name}: {} messages", seen.messages);
        }
    }
}
