//! Archives that are hostile, damaged, or cut off at every length.

use super::*;

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
fn whatever_has_its_data_in_a_zip_archive_is_read() {
    let (page, long) = (body(3), body(300));
    // A pipe, devices, a socket, modes that nothing has, and damaged ones.
    let modes = [0o010_644, 0o020_644, 0o060_644, 0o140_644, 0o050_644, 0o170_644, 0o040_644];
    for mode in modes {
        for method in [STORED, DEFLATE] {
            let entry = Zipped { mode, ..Zipped::new("-", &page, method) };
            let (report, seen) = read("x.zip", &zip(&[entry]));
            assert_eq!(members(&seen), [("-", 3)], "{mode:o}");
            assert_eq!(report.members.unwrap().skipped, 0);
        }
    }
    let link = Zipped { mode: 0o120_777, ..Zipped::new("no-link", &long, DEFLATE) };
    let empty = Zipped { mode: 0o040_755, ..Zipped::new("dir", b"", DEFLATE) };
    let (report, seen) = read("x.zip", &zip(&[link, empty]));
    assert_eq!(members(&seen), [("no-link", 300)]);
    assert_eq!(report.members.unwrap().skipped, 0);
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
    // The directory breaks off in its middle: the members behind are found by their heads.
    for open_ended in [false, true] {
        let zipped = list.map(|(name, content)| Zipped { open_ended, ..Zipped::new(name, content, DEFLATE) });
        let mut bytes = zip(&zipped);
        let second = memchr::memmem::find_iter(&bytes, b"PK\x01\x02").nth(1).unwrap();
        bytes[second] = b'#';
        let (report, seen) = read("x.zip", &bytes);
        assert_eq!(members(&seen), [("a.json", 300), ("b.json", 300), ("c.json", 300)]);
        assert_eq!(report.fault, Some(Reason::CorruptStream));
    }
    // What a zip member holds before its damage is had, to the last message, however it is read.
    let long = body(3000);
    let mut bytes = zip(&[Zipped::new("a.json", &long, DEFLATE), Zipped::new("b.json", &page, ZSTD)]);
    let damaged = memchr::memmem::find(&bytes, b"b.json").unwrap() - 600;
    bytes[damaged..damaged + 20].fill(0xff);
    let (report, seen) = read("x.zip", &bytes);
    assert!(seen.members[0].1 > 2000, "{}", seen.members[0].1);
    assert_eq!((members(&seen)[1], report.fault), (("b.json", 300), None));
    // A member whose compressed bytes are damaged.
    let packed = gzip(&body(3000));
    let mut broken = packed.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 20].fill(0xff);
    let (report, seen) = read("x.tar", &tar(&[("a.gz", &broken), ("b.gz", &packed)]));
    assert!(seen.members[0].1 > 100 && seen.members[0].1 < 3000);
    assert_eq!(seen.members[0].0.hash, XxHash3_128::oneshot(&broken), "all of it, damaged or not");
    assert_eq!((members(&seen)[1], report.fault), (("b.gz", 3000), None));
}

#[test]
fn bytes_behind_the_zeros_of_a_tar_archive_are_told_and_members_in_them_read() {
    let page = body(30);
    let list: [(&str, &[u8]); 3] = [("a.json", &page), ("b.json", &page), ("c.json", &page)];
    let whole = tar(&list);
    let second = 512 + page.len().next_multiple_of(512);
    let zeroed = |head: usize, blocks: usize| {
        let mut bytes = whole.clone();
        bytes[head..head + 512 * blocks].fill(0);
        bytes
    };
    let mut damaged = whole.clone();
    damaged[150] ^= 1;
    let again = [("a.json", 30), ("b.json", 30), ("c.json", 30), ("b.json#2", 30), ("c.json#2", 30)];
    for (what, bytes, expected) in [
        ("a head of zeros", zeroed(second, 1), vec![("a.json", 30), ("c.json", 30)]),
        ("more zeros", zeroed(second, 3), vec![("a.json", 30), ("c.json", 30)]),
        ("a damaged archive behind", [whole.clone(), damaged].concat(), again.to_vec()),
        ("a body behind", [whole.clone(), page.clone()].concat(), again[..3].to_vec()),
        ("a short body behind", [whole.clone(), body(1)].concat(), again[..3].to_vec()),
        ("garbage behind", [whole.clone(), b"garbage".repeat(300)].concat(), again[..3].to_vec()),
    ] {
        let (report, seen) = read("x.tar", &bytes);
        assert_eq!((members(&seen), report.fault), (expected, Some(Reason::CorruptStream)), "{what}");
    }
    assert_eq!(read("x.tar", &[whole.clone(), whole.clone()].concat()).0.fault, None);
}

#[test]
fn a_stored_member_does_not_reach_into_the_next() {
    let page = body(30);
    let list = ["a.json", "b.json"].map(|name| Zipped::new(name, &page, STORED));
    for (by, first) in [(40_i64, 30), (-40, 29)] {
        let mut bytes = zip(&list);
        let len = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap() + 20;
        let wrong = (page.len() as i64 + by) as u32;
        bytes[len..len + 4].copy_from_slice(&wrong.to_le_bytes());
        let (report, seen) = read("x.zip", &bytes);
        assert_eq!(members(&seen), [("a.json", first), ("b.json", 30)]);
        assert_eq!(report.fault, Some(Reason::CorruptStream));
    }
}

#[test]
fn what_has_content_is_a_file_whatever_its_name_or_type_says() {
    let page = body(3);
    let member = |name: &[u8], kind: u8| {
        let mut bytes = [tar_head(name, kind, page.len() as u64), page.clone()].concat();
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    };
    let ends =
        [member(b"dir/", b'0'), tar_head(b"empty/", b'0', 0), member(b"part", b'M'), member(b"z", b'Z')];
    let (report, seen) = read("x.tar", &[ends.concat(), vec![0; 1024]].concat());
    assert_eq!((members(&seen), report.fault), (vec![("dir/", 3), ("part", 3), ("z", 3)], None));
    assert_eq!(report.members.unwrap().skipped, 0);
    let about: Vec<u8> = b"VDNAIX".iter().flat_map(|&kind| member(b"about", kind)).collect();
    let (report, seen) = read("x.tar", &[about, member(b"a", b'0'), vec![0; 1024]].concat());
    assert_eq!((members(&seen), report.fault), (vec![("a", 3)], None));
    assert_eq!(report.members.unwrap().skipped, 6);
    for open_ended in [false, true] {
        let ends = [("dir/", &page[..]), ("dos\\", &page), ("empty/", b"")]
            .map(|(name, content)| Zipped { open_ended, ..Zipped::new(name, content, DEFLATE) });
        let whole = zip(&ends);
        let directory = memchr::memmem::find(&whole, b"PK\x01\x02").unwrap();
        for (bytes, fault) in [(&whole[..], None), (&whole[..directory], Some(Reason::Truncated))] {
            let (report, seen) = read("x.zip", bytes);
            assert_eq!((members(&seen), report.fault), (vec![("dir/", 3), ("dos\\", 3)], fault));
        }
    }
}

#[test]
fn damage_of_the_codec_around_an_archive_is_told() {
    let page = body(30);
    for (name, whole) in
        [("x.zip.gz", zip(&[Zipped::new("a.json", &page, DEFLATE)])), ("x.tar.gz", tar(&[("a.json", &page)]))]
    {
        let packed = gzip(&whole);
        let mut wrong_sum = packed.clone();
        wrong_sum[packed.len() - 8] ^= 1;
        let no_trailer = packed[..packed.len() - 8].to_vec();
        for (bytes, reason) in [(wrong_sum, Reason::CorruptStream), (no_trailer, Reason::Truncated)] {
            let (report, seen) = read(name, &bytes);
            assert_eq!((members(&seen), report.fault), (vec![("a.json", 30)], Some(reason)), "{name}");
        }
    }
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
fn a_zip_archive_in_one_that_is_cut_off_is_not_taken_for_it() {
    let (page, other) = (body(3), body(5));
    let inner = zip(&[Zipped::new("in.json", &other, DEFLATE)]);
    for open_ended in [false, true] {
        let list: [(&str, &[u8]); 3] = [("a.json", &page), ("inner.zip", &inner), ("c.json", &page)];
        let outer =
            zip(&list.map(|(name, content)| Zipped { open_ended, ..Zipped::new(name, content, STORED) }));
        let expected = [("a.json", 3), ("inner.zip!in.json", 5), ("inner.zip", 0), ("c.json", 3)];
        let directory = memchr::memmem::rfind(&outer, b"c.json").unwrap() - 46;
        let behind_inner = memchr::memmem::rfind(&outer[..directory], b"PK\x03\x04").unwrap();
        for (len, count) in [(outer.len() - 5, 4), (directory, 4), (behind_inner, 3), (behind_inner + 10, 3)]
        {
            let (report, seen) = read("x.zip", &outer[..len]);
            assert_eq!((members(&seen), report.fault), (expected[..count].to_vec(), Some(Reason::Truncated)));
        }
    }
}

/// A zip archive with something between its members and its directory.
fn zip_around(members: &[Zipped<'_>], between: &[u8]) -> Vec<u8> {
    let mut bytes = zip(members);
    let directory = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
    let start = bytes.len() - 6;
    let moved = (directory + between.len()) as u32;
    bytes[start..start + 4].copy_from_slice(&moved.to_le_bytes());
    bytes.splice(directory..directory, between.iter().copied());
    bytes
}

/// A zip archive with a comment at its end.
fn zip_commented(members: &[Zipped<'_>], comment: &[u8]) -> Vec<u8> {
    commented(zip(members), comment)
}

fn commented(mut bytes: Vec<u8>, comment: &[u8]) -> Vec<u8> {
    let len = bytes.len() - 2;
    bytes[len..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
    bytes
}

#[test]
fn bytes_of_a_zip_archive_that_no_member_covers_are_told_and_members_in_them_read() {
    let (page, other) = (body(3), body(5));
    let one = [Zipped::new("a.json", &page, DEFLATE)];
    let two = [Zipped::new("b.json", &other, DEFLATE), Zipped::new("c.json", &page, STORED)];
    let three = zip(&[one[0].clone(), two[0].clone(), two[1].clone()]);
    let directory = memchr::memmem::find(&three, b"PK\x01\x02").unwrap();
    let second = memchr::memmem::find(&three, b"b.json").unwrap() - 30;
    let all = [("a.json", 3), ("b.json", 5), ("c.json", 3)];
    // A head whose name would reach over the directory.
    let reaching = [&b"PK\x03\x04"[..], &[0; 22], b"\xff\xff\0\0"].concat();
    let reaching = commented(zip_around(&one, &reaching), &vec![b'x'; 0xffff]);
    for (what, bytes, expected) in [
        ("a head that reaches over what is known", reaching, &all[..1]),
        ("two archives", [zip(&one), zip(&two)].concat(), &all),
        ("an archive in the comment", zip_commented(&one, &zip(&two)), &all),
        ("an empty one in front", [zip(&[]), zip(&one)].concat(), &all[..1]),
        ("members that are not listed", zip_around(&one, &three[second..directory]), &all),
        ("a body behind the end", [zip(&one), other.clone()].concat(), &all[..1]),
        ("a body among members", zip_around(&one, &other), &all[..1]),
        ("a member behind garbage", zip_around(&one, &[&other, &three[second..directory]].concat()), &all),
    ] {
        let (report, seen) = read("x.zip", &bytes);
        assert_eq!(
            (members(&seen), report.fault),
            (expected.to_vec(), Some(Reason::CorruptStream)),
            "{what}"
        );
    }
    // A record that says to end with the archive covers no more than itself.
    let long = zip(&one.clone().map(|member| Zipped { long: true, ..member }));
    let record = memchr::memmem::find(&long, b"PK\x06\x06").unwrap() + 56;
    let bytes = [&long[..record], &other, &long[record..]].concat();
    assert_eq!(read("x.zip", &bytes).0.fault, Some(Reason::CorruptStream));
    let open = two.clone().map(|member| Zipped { open_ended: true, ..member });
    let long = two.clone().map(|member| Zipped { long: true, ..member });
    let unmarked = {
        let mut bytes = zip(&open[..1]);
        let mark = memchr::memmem::find(&bytes, b"PK\x07\x08").unwrap();
        bytes.drain(mark..mark + 4);
        let start = bytes.len() - 6;
        bytes[start] -= 4;
        bytes
    };
    for (what, bytes) in [
        ("descriptors", zip(&open)),
        ("descriptors without a mark", unmarked),
        ("lengths of 64 bits", zip(&long)),
        ("a comment", zip_commented(&two, b"of the week")),
        ("padding behind the end", [zip(&two), b"\r\n \t\n".to_vec(), vec![0; 3000]].concat()),
        ("padding between members", zip_around(&two, &[0; 100])),
        ("no members", zip(&[])),
    ] {
        assert_eq!(read("x.zip", &bytes).0.fault, None, "{what}");
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
    // Nothing of a page stands in them.
    let zeros = vec![0; 3 << 20];
    let page = body(1);
    let behind = gzip(&[&page[..], &zeros].concat());
    for (name, bytes) in [
        ("x.gz", gzip(&zeros)),
        ("x.zst", zstd(&zeros)),
        ("x.gz.gz", gzip(&gzip(&zeros))),
        ("x.gz", gzip(&[gzip(&page), zeros.clone()].concat())),
        ("x.gz", behind.clone()),
        ("x.tar", tar(&[("a.gz", &gzip(&zeros)), ("b", &page)])),
        ("x.tar", tar(&[("a.gz", &gzip(b"{}")), ("b.zst", &zstd(&zeros))])),
        ("x.zip", zip(&[Zipped::new("a", &zeros, DEFLATE)])),
        ("x.har", har(&[(URL, &gzip(&zeros)), ("https://h/theme", &gzip(&zeros))], true)),
        ("x.tgz", gzip(&zeros)),
        ("x.zip", zip(&[Zipped::new("a.tar", &zeros, DEFLATE)])),
    ] {
        for whole_bytes in [100, 64 << 20] {
            let limits = Limits { ratio: 20, ratio_floor: 1 << 20, whole_bytes, ..small() };
            let (report, seen) = read_once(name, &bytes, &limits);
            let faults = seen.members.iter().map(|(member, _)| member.fault).chain([report.fault]);
            let told = seen.pages.iter().map(|(_, reason)| *reason).chain(faults);
            assert!(told.flatten().any(|reason| reason == Reason::RatioExceeded), "{name}: {:?}", seen.pages);
        }
    }
    // They stop before they are on disk, where there is none.
    let recorded = har(&[(URL, &spaces)], false);
    let limits = Limits { ratio: 20, ratio_floor: 1 << 20, whole_bytes: 2 << 20, ..small() };
    for bytes in [zip(&[Zipped::new("a.har", &recorded, DEFLATE)]), gzip(&recorded)] {
        let mut seen = Collect::default();
        let mut source = Source::new(&limits, false, Some("/no such directory".into()));
        let report = source.read(&memory("x", &bytes), &mut seen).unwrap();
        let mut faults = seen.members.iter().map(|(member, _)| member.fault).chain([report.fault]);
        assert!(faults.any(|fault| fault == Some(Reason::RatioExceeded)));
    }
    let empty = vec![("a", &b""[..]); 30];
    let limits = Limits { archive_members: 20, ..small() };
    let (report, seen) = read_with("x.tar", &tar(&empty), &limits);
    assert_eq!((seen.members.len(), report.fault), (20, Some(Reason::TooManyMembers)));
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
