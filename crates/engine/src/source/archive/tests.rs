//! Archives: of every kind, nested, inside codecs, on disk and in memory.

mod hostile;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use korpus_core::{Limits, PageStatus};
use twox_hash::XxHash3_128;

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
        (bytes.len() as u64, XxHash3_128::oneshot(bytes), None)
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

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(bytes).unwrap();
    zlib.finish().unwrap()
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
            assert_eq!((member.bytes, member.hash), (content.len() as u64, XxHash3_128::oneshot(content)));
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
            assert_eq!(seen.members[1].0.hash, XxHash3_128::oneshot(&two));
        }
    }
    // An answer without content is a failed call; its status is kept.
    let empty =
        r#"{"log":{"entries":[{"response":{"status":504,"content":{}},"request":{"url":"h/getMessages"}}]}}"#;
    let (report, seen) = read("x.har", empty.as_bytes());
    assert_eq!((members(&seen), report.fault), (vec![("entries[0]", 0)], None));
    assert_eq!(seen.members[0].0.http.as_ref().unwrap().status, 504);
    // What stands in the place of an exchange, or of its text, is damage; what follows is read.
    let odd = r#"{"log":{"entries":[[],{"response":{"content":{"text":{}}},"request":{"url":"h/getMessages"}},
        {"response":{"content":{"text":{}}},"request":{"url":"h/theme"}},{"response":{"content":{"text":"{\"messages\":[]}"}}}]}}"#;
    let (report, seen) = read("x.har", odd.as_bytes());
    let names = ["entries[0]", "entries[1]", "entries[3]"];
    assert_eq!((members(&seen), report.fault), (names.map(|name| (name, 0)).to_vec(), None));
    let rejected = (PageStatus::Rejected, Some(Reason::CorruptStream));
    assert_eq!(seen.pages, [rejected, rejected, (PageStatus::Ok, None)]);
    let (report, _) = read("x.har", br#"{"log":{"entries":{}}}"#);
    assert_eq!(report.fault, Some(Reason::CorruptStream));
    let (report, _) = read("x.har", br#"{"log":{"version":"1.2"}}"#);
    assert_eq!(report.fault, Some(Reason::NotAPage));
}

#[test]
fn what_a_browser_talks_about_with_others_is_passed_over() {
    let (page, packed) = (body(40), gzip(&body(5)));
    let cut = &page[..page.len() - 100];
    let (config, list) = (br#"{"theme":{"dark":true},"log":[]}"#, br#"[{"id":1,"name":"x"},{"id":2}]"#);
    let large = format!(r#"{{"words":["{}"]}}"#, "word ".repeat(40_000)).into_bytes();
    let envelope = br#"{"total":3,"moreAvailable":false}"#;
    let tarred = gzip(&tar(&[("p.json", &page)]));
    let other = "https://h/api/theme?v=2";
    let (framed, small) = (zstd(&body(6)), zlib(&body(7)));
    // Pictures and the like: none of them is looked into, whatever its first bytes could be.
    let picture = [b"\x89PNG\r\n\x1a\n", &packed[10..]].concat();
    let (telemetry, packed_list) = ([b"\x08\x1d\x12\0", &packed[10..]].concat(), zlib(list));
    for (base64, count) in [(false, 7), (true, 14)] {
        let mut exchanges: Vec<(&str, &[u8])> = vec![
            (other, config),
            (other, &page),
            (other, list),
            (other, b"{}"),
            (other, cut),
            (other, &large),
            (URL, config),
            (other, envelope),
            (other, &tarred),
            (other, &packed),
            (other, &framed),
            (other, &small),
            (other, &picture),
            (other, &telemetry),
            (other, &packed_list),
        ];
        exchanges.truncate(count + 1);
        let (report, seen) = read("x.har", &har(&exchanges, base64));
        let mut expected = vec![("entries[1]", 40), ("entries[4]", 38), ("entries[6]", 0), ("entries[7]", 0)];
        if base64 {
            expected.extend([("entries[8]!p.json", 40), ("entries[8]", 0), ("entries[9]", 5)]);
            expected.extend([("entries[10]", 6), ("entries[11]", 7)]);
        }
        assert_eq!(members(&seen), expected, "{base64}");
        let counts = report.members.unwrap();
        assert_eq!((counts.skipped, report.fault), (if base64 { 7 } else { 4 }, None));
        assert_eq!(counts.first_skipped.as_deref(), Some("x.har!entries[0]"));
    }
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
        assert_eq!(seen.members[1].0.hash, XxHash3_128::oneshot(&page));
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
        assert_eq!(seen.members[1].0.hash, XxHash3_128::oneshot(&zipped_page));
        assert_eq!(
            seen.members[6].0.hash,
            XxHash3_128::oneshot(&zipped_page),
            "what is not read is known by its hash too"
        );
    }
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
fn tar_archives_of_every_kind_are_read() {
    let page = body(30);
    let padded = |mut head: Vec<u8>, content: &[u8]| {
        head.extend(content);
        head.resize(head.len().next_multiple_of(512), 0);
        head
    };
    let end = [0; 1024];
    let checked = |mut head: Vec<u8>, change: &dyn Fn(&mut tar::Header)| {
        let mut header = tar::Header::from_byte_slice(&head).clone();
        change(&mut header);
        header.set_cksum();
        head.copy_from_slice(header.as_bytes());
        head
    };
    let plain = tar_head(b"a.json", b'0', page.len() as u64);
    // Before 1988 there was no mark, and no type.
    let old = checked(plain.clone(), &|header| header.as_mut_bytes()[156..265].fill(0));
    // A length in binary.
    let binary = checked(plain.clone(), &|header| {
        let mut field = [0; 12];
        field[0] = 0x80;
        field[4..].copy_from_slice(&(page.len() as u64).to_be_bytes());
        header.as_mut_bytes()[124..136].copy_from_slice(&field);
    });
    // A name and a length in an extended header, which overrule those of the head.
    let record = |text: &str| format!("{} {text}\n", text.len() + 4);
    let extended = record(&format!("size={}", page.len())) + &record("path=a.json");
    let pax = [
        padded(tar_head(b"PaxHeaders/x", b'x', extended.len() as u64), extended.as_bytes()),
        padded(tar_head(b"x", b'0', 0), &page),
    ];
    let global = padded(tar_head(b"pax_global_header", b'g', 16), b"16 comment=abcd\n");
    let label = checked(tar_head(b"week 47", b'V', 0), &|header| header.as_mut_bytes()[124..136].fill(0));
    for (what, bytes) in [
        ("label", [label, padded(plain.clone(), &page), end.to_vec()].concat()),
        ("old", [padded(old, &page), end.to_vec()].concat()),
        ("binary", [padded(binary, &page), end.to_vec()].concat()),
        ("pax", [pax.concat(), end.to_vec()].concat()),
        ("global", [global, padded(plain.clone(), &page), end.to_vec()].concat()),
        (
            "padding behind the end",
            [padded(plain.clone(), &page), end.to_vec(), b" \r\n".repeat(300), vec![0; 10_000]].concat(),
        ),
        (
            "a line break behind the end",
            [padded(plain.clone(), &page), end.to_vec(), b"\n".to_vec()].concat(),
        ),
        ("one block of zeros", [padded(plain.clone(), &page), vec![0; 512]].concat()),
    ] {
        let (report, seen) = read("x", &bytes);
        assert_eq!((members(&seen), report.fault), (vec![("a.json", 30)], None), "{what}");
    }
    // One archive behind another; a sparse file is not read, nor are its lists.
    let mut sparse = tar_head(b"sparse", b'S', 512);
    sparse = checked(sparse, &|header| header.as_mut_bytes()[482] = 1);
    let lists = [[1; 512], [0; 512], [7; 512]].concat();
    let one = [padded(plain.clone(), &page), end.to_vec()].concat();
    let (report, seen) = read("x", &[one.clone(), sparse, lists, one].concat());
    let expected = vec![("a.json", 30), ("sparse", 0), ("a.json#2", 30)];
    assert_eq!((members(&seen), report.fault), (expected, None));
    assert_eq!(fault(&seen, "sparse"), Some(Reason::Sparse));
    // The same in an extended header, with the name beside it.
    let map =
        ["GNU.sparse.major=1", "path=GNUSparseFile.7/a.json", "GNU.sparse.name=a.json"].map(record).concat();
    let pax = [
        padded(tar_head(b"PaxHeaders/x", b'x', map.len() as u64), map.as_bytes()),
        padded(tar_head(b"GNUSparseFile.7/a.json", b'0', page.len() as u64), &page),
    ];
    let (report, seen) = read("x", &[pax.concat(), end.to_vec()].concat());
    assert_eq!((members(&seen), report.fault), (vec![("a.json", 0)], None));
    let (member, _) = &seen.members[0];
    assert_eq!((member.fault, member.hash), (Some(Reason::Sparse), XxHash3_128::oneshot(&page)));
    assert!(member.cut_here, "a file of these bytes would be read");
    // A length that no file has.
    let huge = checked(plain, &|header| {
        let mut field = [0xff; 12];
        field[0] = 0x80;
        header.as_mut_bytes()[124..136].copy_from_slice(&field);
    });
    let (report, seen) = read("x", &[huge, end.to_vec()].concat());
    assert!(seen.members.is_empty() && report.fault.is_some());
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
    let mut seen = Collect::default();
    let mut report = empty_report(&memory("x", b""));
    let mut reading = Reading { wire: &wire, sink: &mut seen, depth: 0, members: 0, known: 0 };
    Source::new(&limits, false, None).stream(&mut &bytes[..], &mut report, &mut reading).unwrap();
    assert_eq!(report.fault, None);
    assert_eq!(members(&seen), [("a", 300), ("b", 300)]);
}

#[test]
fn a_temporary_file_that_fails_ends_the_run() {
    let page = body(300);
    let zipped = zip(&[Zipped::new("a", &page, STORED)]);
    let limits = Limits { whole_bytes: 100, ..small() };
    let inner = tar(&[("inner.zip", &zipped), ("after", &page)]);
    for bytes in [gzip(&zipped), inner, har(&[(URL, &page)], false)] {
        let mut seen = Collect::default();
        let nowhere = Some("/no such directory".into());
        let outcome = Source::new(&limits, false, nowhere).read(&memory("x", &bytes), &mut seen);
        assert!(outcome.is_err() && seen.members.is_empty());
        assert!(seen.error.unwrap().starts_with("cannot create a temporary file in /no such directory"));
    }
    // One that can be written and not read again.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, &zipped).unwrap();
    let unreadable = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    let wire = Wire::new(&limits);
    let size = zipped.len() as u64;
    let at = FileAt { file: &unreadable, size, wire: &wire, is_input: false, temporary: Some(dir.path()) };
    let mut seen = Collect::default();
    let mut reading = Reading { wire: &wire, sink: &mut seen, depth: 0, members: 0, known: 0 };
    let mut report = empty_report(&memory("x", b""));
    let outcome = Source::new(&limits, false, None).zip(&at, &mut report, &mut reading);
    assert!(outcome.and_then(|()| wire.tell(&mut seen)).is_err());
    assert!(seen.error.unwrap().starts_with("cannot read a temporary file in"));
}

#[test]
fn what_is_cut_for_where_it_stands_says_so() {
    let page = body(3);
    let inner = zip(&[Zipped::new("a", &page, STORED)]);
    let middle = tar(&[("inner.zip", &inner), ("b", &page)]);
    let (report, seen) =
        read("x.zip", &zip(&[Zipped::new("middle.tar", &middle, STORED), Zipped::new("c", &page, STORED)]));
    assert!(!report.cut_here, "it stands in nothing");
    let cut: Vec<_> =
        seen.members.iter().map(|(member, _)| (&member.input.display[6..], member.cut_here)).collect();
    assert_eq!(
        cut,
        [("middle.tar!inner.zip", true), ("middle.tar!b", false), ("middle.tar", true), ("c", false)]
    );
}

#[test]
fn large_members_stream() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&tar(&[("big.json", &body(20_000)), ("after.json", &body(2))])).unwrap();
    let limits = Limits { whole_bytes: 10_000, ..small() };
    let (_, seen) = read_with("x.tar.gz", &encoder.finish().unwrap(), &limits);
    assert_eq!(members(&seen), [("big.json", 20_000), ("after.json", 2)]);
}
