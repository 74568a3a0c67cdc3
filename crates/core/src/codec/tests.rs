//! Tests of the codecs: round trips, damage at every point, limits, and the two paths against each other.

mod http;

use std::io::{self, Read, Write};

use proptest::prelude::*;

use super::*;

/// A reader that gives at most `most` bytes at a time, as a pipe does.
struct Dribble<'a> {
    rest: &'a [u8],
    most: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.rest.len().min(self.most).min(out.len());
        out[..n].copy_from_slice(&self.rest[..n]);
        self.rest = &self.rest[n..];
        Ok(n)
    }
}

/// What a decoder gave until it ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    body: Vec<u8>,
    error: Option<CodecErrorKind>,
    trailing: u64,
    codec: Codec,
}

fn decode_by(file: &[u8], name: Option<&str>, limits: DecodeLimits, input: usize, output: usize) -> Outcome {
    let reader = Dribble { rest: file, most: input };
    let mut decoder = Decoder::new(reader, name, limits).expect("memory can be read");
    let mut body = Vec::new();
    let mut window = vec![0; output];
    let error = loop {
        match decoder.read(&mut window) {
            Ok(0) => break None,
            Ok(n) => body.extend_from_slice(&window[..n]),
            Err(error) => {
                assert_eq!(error.decoded_offset(), body.len() as u64);
                assert!(error.compressed_offset() <= file.len() as u64);
                let again = decoder.read(&mut window).expect_err("damage stays");
                assert_eq!(again.kind(), error.kind());
                break Some(error.kind());
            }
        }
    };
    assert_eq!(decoder.decoded_bytes(), body.len() as u64);
    if error.is_none() {
        assert_eq!(decoder.compressed_bytes(), file.len() as u64, "all of the file is accounted for");
        assert_eq!(decoder.read(&mut window).expect("the end stays"), 0);
    }
    Outcome { body, error, trailing: decoder.trailing(), codec: decoder.codec() }
}

fn decode(file: &[u8], name: Option<&str>) -> Outcome {
    decode_by(file, name, DecodeLimits::default(), usize::MAX, 8192)
}

/// The body of `file`, which must be healthy.
fn body_of(file: &[u8], name: Option<&str>) -> Vec<u8> {
    let outcome = decode(file, name);
    assert_eq!(outcome.error, None);
    outcome.body
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn encode(codec: Codec, body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match codec {
        Codec::Plain => body.to_vec(),
        Codec::Gzip => gzip(body),
        Codec::Zlib => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(body).expect("memory can be written");
            encoder.finish().expect("memory can be written")
        }
        Codec::Deflate => {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(body).expect("memory can be written");
            encoder.finish().expect("memory can be written")
        }
        Codec::Brotli => {
            let mut out = Vec::new();
            ::brotli::CompressorWriter::new(&mut out, 4096, 5, 20)
                .write_all(body)
                .expect("memory can be written");
            out
        }
        Codec::Zstd => {
            let mut encoder = ::zstd::Encoder::new(Vec::new(), 3).expect("the level exists");
            encoder.include_checksum(true).expect("checksums exist");
            encoder.write_all(body).expect("memory can be written");
            encoder.finish().expect("memory can be written")
        }
    }
}

const ALL: [Codec; 6] = [Codec::Plain, Codec::Gzip, Codec::Zlib, Codec::Deflate, Codec::Brotli, Codec::Zstd];
const ENCODED: [Codec; 5] = [Codec::Gzip, Codec::Zlib, Codec::Deflate, Codec::Brotli, Codec::Zstd];

/// A page of about `messages` × 90 bytes with little enough repetition to fill several blocks.
fn page(messages: usize) -> Vec<u8> {
    let mut page = b"{\"total\":3,\"messages\":[".to_vec();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for n in 0..messages {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let comma = if n == 0 { "" } else { "," };
        let text =
            format!("{comma}{{\"_id\":\"ms-{state:016x}\",\"type\":\"incoming\",\"n\":{n},\"t\":\"dépôt\"}}");
        page.extend_from_slice(text.as_bytes());
    }
    page.extend_from_slice(b"]}");
    page
}

fn name_of(codec: Codec) -> Option<&'static str> {
    match codec {
        Codec::Brotli => Some("p.json.br"),
        Codec::Deflate => Some("p.deflate"),
        _ => None,
    }
}

#[test]
fn codecs_are_found_with_and_without_a_name() {
    let page = page(200);
    for codec in ALL {
        let file = encode(codec, &page);
        for name in [None, Some("page.json"), Some("page.BR"), Some("page.deflate"), Some("gz"), Some("")] {
            assert_eq!(sniff(&file, name), codec, "{codec} named {name:?}");
            assert_eq!(decode(&file, name), Outcome { body: page.clone(), error: None, trailing: 0, codec });
        }
    }
}

#[test]
fn small_bodies_are_found_too() {
    for body in [&b"{}"[..], b"[]", b" {\"errors\":[]}\n", b"<html></html>", b"<!DOCTYPE html>"] {
        for codec in ALL {
            let file = encode(codec, body);
            assert_eq!(body_of(&file, name_of(codec)), body, "{codec}");
            assert_eq!(body_of(&file, None), body, "{codec} without a name");
        }
    }
}

#[test]
fn plain_texts_are_left_alone() {
    let odd: [&[u8]; 14] = [
        b"",
        b"{",
        b"[",
        b"{}",
        b"x^ is how zlib starts",
        b"upstream connect error",
        b"\xef\xbb\xbf{\"messages\":[]}",
        b"\xff\xfe{\0\"\0",
        b"{\"text\":\"nul \0 and \x01\xff bytes in a longer string of a page\"}",
        b"  \n\t{\"a\":1}",
        b"12 13",
        b"\"string\"",
        b"(parenthesis",
        b"P is for skippable",
    ];
    for text in odd {
        for name in [None, Some("a.br"), Some("a.deflate"), Some("a.gz")] {
            let outcome = decode(text, name);
            assert_eq!(
                outcome,
                Outcome { body: text.to_vec(), error: None, trailing: 0, codec: Codec::Plain }
            );
        }
    }
}

#[test]
fn empty_bodies_are_empty() {
    for codec in ENCODED {
        let file = encode(codec, b"");
        let outcome = decode(&file, name_of(codec));
        if !matches!(codec, Codec::Brotli | Codec::Deflate) {
            assert_eq!((outcome.body, outcome.error, outcome.codec), (Vec::new(), None, codec));
        } else if outcome.codec == codec {
            assert_eq!((outcome.body, outcome.error), (Vec::new(), None));
        } else {
            assert_eq!(outcome.body, file, "what is no text and no body is given as it is");
        }
    }
}

#[test]
fn gzip_members_padding_and_garbage() {
    let (a, b) = (page(3), page(5));
    let both = [&a[..], &b].concat();
    let zeros = vec![0; 1000];
    // What stands behind the last member besides padding and remarks is given out too.
    let cases: [(Vec<u8>, u64, &[u8]); 7] = [
        ([gzip(&a), gzip(&b)].concat(), 0, b""),
        ([gzip(&a), gzip(b""), gzip(&b)].concat(), 0, b""),
        ([gzip(&a), zeros.clone(), gzip(&b)].concat(), 0, b""),
        ([gzip(&a), zeros.clone(), gzip(&b), zeros.clone()].concat(), 1000, b""),
        ([gzip(&a), gzip(&b), b"-- garbage --\0\0".to_vec()].concat(), 15, b""),
        ([gzip(&a), gzip(&b), zeros.clone()].concat(), 1000, b"\x1f\x8b\x07 not a member"),
        ([gzip(&a), gzip(&b)].concat(), 0, b"\x1fnot"),
    ];
    for (members, trailing, garbage) in cases {
        let file = [&members, garbage].concat();
        for (input, output) in [(usize::MAX, 1 << 16), (1, 1), (7, 3), (4096, 11)] {
            let outcome = decode_by(&file, None, DecodeLimits::default(), input, output);
            let body = [&both, garbage].concat();
            assert_eq!(outcome, Outcome { body, error: None, trailing, codec: Codec::Gzip });
        }
        let mut out = Vec::new();
        let whole = WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut out);
        if trailing % 1000 == 0 && garbage.is_empty() {
            assert_eq!(whole.map(|whole| (whole.codec, whole.trailing)), Ok((Codec::Gzip, trailing)));
            assert_eq!(out, both);
        } else {
            assert_eq!(whole, Err(NotWhole::Followed));
        }
    }
}

/// What a decoder gives of a file, and what it gives each time that it goes on behind damage.
fn recovered(file: &[u8], input: usize, output: usize) -> Vec<Vec<u8>> {
    let reader = Dribble { rest: file, most: input };
    let mut decoder = Decoder::new(reader, None, DecodeLimits::default()).expect("memory can be read");
    let (mut parts, mut window) = (vec![Vec::new()], vec![0; output]);
    loop {
        match decoder.read(&mut window) {
            Ok(0) => return parts,
            Ok(n) => parts.last_mut().unwrap().extend_from_slice(&window[..n]),
            Err(_) if decoder.recover() => parts.push(Vec::new()),
            Err(_) => {
                assert!(!decoder.recover() && decoder.read(&mut window).is_err(), "damage stays");
                return parts;
            }
        }
    }
}

#[test]
fn what_stands_behind_damage_is_found_by_its_head() {
    let (one, two) = (page(20), page(30));
    let response = |body: &[u8], more: &str| {
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{more}\r\n", body.len()).as_bytes(), body].concat()
    };
    let packed = "Content-Encoding: gzip\r\n";
    let framed = [
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{packed}\r\n").as_bytes(),
        &http::chunked(&gzip(&one), 1 << 20, "\r\n"),
    ]
    .concat();
    for first in [gzip(&one), encode(Codec::Zlib, &one), response(&gzip(&one), packed), framed] {
        for second in
            [gzip(&two), encode(Codec::Zstd, &two), response(&two, ""), response(&gzip(&two), packed)]
        {
            let end = first.len() - if first.ends_with(b"\r\n") { 30 } else { 0 };
            let at = end - 100..end;
            let found = at.filter(|&at| {
                let mut file = [&first[..], &second].concat();
                file[at] ^= 0x10;
                let parts = recovered(&file, usize::MAX, 1 << 16);
                assert_eq!(recovered(&file, 7, 333), parts, "how it is read does not matter");
                parts.len() == 2 && parts[1] == two
            });
            // A stream that is damaged may seem to go on past its end.
            assert!(found.count() > 80);
        }
    }
    // Many small ones are not gone through to their end.
    let broken = b"\x28\xb5\x2f\xfd".repeat(5000);
    assert!((65..100).contains(&recovered(&[&gzip(&one)[..], &broken].concat(), 4096, 4096).len()));
    let bomb = gzip(&vec![b' '; 1 << 20]);
    let limits = DecodeLimits { max_ratio: 1, ratio_floor: 0, ..DecodeLimits::default() };
    let file = [&bomb[..], &gzip(&two)].concat();
    let mut decoder = Decoder::new(&file[..], None, limits).expect("memory can be read");
    let error = loop {
        match decoder.read(&mut [0; 4096]) {
            Ok(0) => unreachable!("it is a bomb"),
            Ok(_) => {}
            Err(error) => break error.kind(),
        }
    };
    assert_eq!((error, decoder.recover()), (CodecErrorKind::RatioExceeded, false));
}

#[test]
fn a_member_whose_magic_number_is_damaged_is_given_out_and_the_next_is_read() {
    let (one, two) = (page(20), page(30));
    for (codec, magic) in [(Codec::Gzip, 3), (Codec::Zstd, 4)] {
        for (at, bit) in (0..magic).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut damaged = encode(codec, &one);
            damaged[at] ^= 1 << bit;
            let file = [encode(codec, &one), damaged.clone(), encode(codec, &two)].concat();
            let outcome = decode(&file, None);
            let Some(left) = outcome.body.strip_prefix(&one[..]).and_then(|rest| rest.strip_suffix(&two[..]))
            else {
                panic!("{codec}, bit {bit} of byte {at}");
            };
            assert!(outcome.error.is_none() && damaged.ends_with(left));
            // What is no text is not taken for a remark.
            assert!(left.len() > damaged.len() / 2, "{codec}, bit {bit} of byte {at}");
            assert_eq!(decode_by(&file, None, DecodeLimits::default(), 5, 77), outcome);
        }
    }
}

#[test]
fn gzip_headers_with_every_field() {
    let body = page(2);
    let bare = gzip(&body);
    for flags in 0..0x20u8 {
        let mut file = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 255];
        if flags & 4 != 0 {
            file.extend_from_slice(b"\x05\x00extra");
        }
        if flags & 8 != 0 {
            file.extend_from_slice(b"name.json\0");
        }
        if flags & 16 != 0 {
            file.extend_from_slice(b"comment\0");
        }
        if flags & 2 != 0 {
            file.extend_from_slice(b"\xab\xcd");
        }
        file.extend_from_slice(&bare[10..]);
        assert_eq!(decode_by(&file, None, DecodeLimits::default(), 1, 100).body, body, "flags {flags}");
        let mut out = Vec::new();
        assert!(WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut out).is_ok());
        assert_eq!(out, body);
    }
}

#[test]
fn zstd_frames_skippable_frames_and_garbage() {
    let (a, b) = (page(3), page(5));
    let skippable = b"\x5a\x2a\x4d\x18\x05\0\0\0skip!".to_vec();
    let file = [skippable.clone(), encode(Codec::Zstd, &a), skippable, encode(Codec::Zstd, &b)].concat();
    let both = [a, b].concat();
    for (input, output) in [(usize::MAX, 1 << 16), (1, 1), (5, 9)] {
        let limits = DecodeLimits::default();
        let outcome = decode_by(&file, None, limits, input, output);
        assert_eq!(outcome, Outcome { body: both.clone(), error: None, trailing: 0, codec: Codec::Zstd });
        let more = [&file[..], &[0; 10], b"\x28\xb5garbage"].concat();
        let outcome = decode_by(&more, None, limits, input, output);
        assert_eq!(outcome, Outcome { body: both.clone(), error: None, trailing: 19, codec: Codec::Zstd });
    }
}

#[test]
fn remarks_after_single_streams_are_counted() {
    let page = page(50);
    for codec in [Codec::Zlib, Codec::Deflate, Codec::Brotli] {
        let file = [encode(codec, &page), b"\n\ntail".to_vec()].concat();
        for (input, output) in [(usize::MAX, 1 << 16), (1, 1)] {
            let outcome = decode_by(&file, name_of(codec), DecodeLimits::default(), input, output);
            assert_eq!(outcome, Outcome { body: page.clone(), error: None, trailing: 6, codec });
        }
    }
}

#[test]
fn every_truncation_gives_a_prefix_and_then_says_so() {
    let page = page(60);
    for codec in ENCODED {
        let file = encode(codec, &page);
        let mut longest = 0;
        // A single byte is no evidence of anything.
        for cut in 2..file.len() {
            let outcome = decode(&file[..cut], name_of(codec));
            assert_eq!(outcome.codec, codec, "{codec} cut at {cut}");
            assert_eq!(outcome.error, Some(CodecErrorKind::Truncated), "{codec} cut at {cut}");
            assert!(page.starts_with(&outcome.body), "{codec} cut at {cut}");
            assert!(outcome.body.len() >= longest, "{codec} cut at {cut}: more input, less output");
            longest = outcome.body.len();
            let dribbled = decode_by(&file[..cut], name_of(codec), DecodeLimits::default(), 3, 5);
            assert_eq!(dribbled, outcome, "{codec} cut at {cut}");
            let mut out = vec![1];
            let whole =
                WholeDecoder::new().decode(&file[..cut], name_of(codec), &DecodeLimits::default(), &mut out);
            assert!(whole.is_err() && out.is_empty(), "{codec} cut at {cut}");
        }
        if codec != Codec::Zstd {
            assert!(longest + 200 >= page.len(), "{codec}: nearly all of it came out ({longest})");
        }
    }
}

#[test]
fn truncation_between_members_is_only_seen_inside_them() {
    let (a, b) = (page(2), page(3));
    let (first, second) = (gzip(&a), gzip(&b));
    let file = [&first[..], &second].concat();
    for cut in 2..file.len() {
        let outcome = decode(&file[..cut], None);
        let error = (cut != first.len()).then_some(CodecErrorKind::Truncated);
        assert_eq!(outcome.error, error, "cut at {cut}");
        assert!([&a[..], &b].concat().starts_with(&outcome.body));
    }
}

#[test]
fn all_before_the_damage_comes_out() {
    // Several blocks, the damage in the last third: what comes before is long and must be there.
    let page = page(20_000);
    for codec in ENCODED {
        let mut file = encode(codec, &page);
        let at = file.len() * 2 / 3;
        for byte in &mut file[at..at + 8] {
            *byte = !*byte;
        }
        let outcome = decode(&file, name_of(codec));
        // Raw deflate has no checksum, and may decode to something else without noticing.
        assert!(outcome.error.is_some() || codec == Codec::Deflate, "{codec}");
        let same = outcome.body.iter().zip(&page).take_while(|(a, b)| a == b).count();
        assert!(same > page.len() / 2, "{codec}: {same} of {} bytes", page.len());
        for (input, output) in [(1000, 77), (usize::MAX, 1 << 20)] {
            let other = decode_by(&file, name_of(codec), DecodeLimits::default(), input, output);
            assert_eq!(other.error, outcome.error, "{codec}");
            assert!(other.body == outcome.body, "{codec}: how it is read must not matter");
        }
    }
}

#[test]
fn a_wrong_checksum_is_told_from_damage() {
    let page = page(100);
    for (codec, from_end) in [(Codec::Gzip, 5), (Codec::Gzip, 1), (Codec::Zlib, 1), (Codec::Zstd, 1)] {
        let mut file = encode(codec, &page);
        let at = file.len() - from_end;
        file[at] ^= 1;
        let outcome = decode(&file, None);
        assert_eq!(outcome.error, Some(CodecErrorKind::ChecksumMismatch), "{codec}");
        assert_eq!(outcome.body.len(), page.len(), "{codec}");
        if codec != Codec::Zstd {
            let result = WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut Vec::new());
            assert_eq!(result, Err(NotWhole::Damaged));
        }
    }
    let dictionary = [&[0x78, 0xbb, 1, 2, 3, 4][..], &[0xff; 20]].concat();
    assert_eq!(decode(&dictionary, None).error, Some(CodecErrorKind::Unsupported));
}

#[test]
fn a_failing_reader_fails_after_what_it_gave() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::Error::other("gone")) } else { self.0.read(out) }
        }
    }
    for codec in ALL {
        let page = page(60);
        let file = encode(codec, &page);
        let mut decoder = Decoder::new(Failing(&file), name_of(codec), DecodeLimits::default())
            .expect("something can be read");
        let mut body = Vec::new();
        let mut window = [0; 100];
        let error = loop {
            match decoder.read(&mut window) {
                Ok(n) => body.extend_from_slice(&window[..n]),
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), body.len()), (CodecErrorKind::Read, page.len()), "{codec}");
        assert!(std::error::Error::source(&error).is_some());
        assert!(error.to_string().contains(&file.len().to_string()));
    }
    let error = Decoder::new(Failing(b""), None, DecodeLimits::default()).err().expect("nothing can be read");
    assert_eq!(error.kind(), CodecErrorKind::Read);
}

#[test]
fn bombs_stop_at_the_limit() {
    let limits = DecodeLimits {
        max_ratio: 100,
        ratio_floor: 1 << 20,
        whole_limit: 8 << 20,
        ..DecodeLimits::default()
    };
    let zeros = vec![b' '; 4 << 20];
    for codec in ENCODED {
        let file = encode(codec, &zeros);
        let outcome = decode_by(&file, name_of(codec), limits, usize::MAX, 1 << 14);
        assert_eq!(outcome.error, Some(CodecErrorKind::RatioExceeded), "{codec}");
        assert!(outcome.body.len() <= (1 << 20) + (1 << 14), "{codec}: {}", outcome.body.len());
        assert_eq!(
            decode_by(&file, name_of(codec), DecodeLimits::default(), usize::MAX, 1 << 14).error,
            None
        );
    }
    let result = WholeDecoder::new().decode(&gzip(&zeros), None, &limits, &mut Vec::new());
    assert_eq!(result, Err(NotWhole::TooLarge));
    let small = DecodeLimits { whole_limit: (4 << 20) - 1, ..DecodeLimits::default() };
    let result = WholeDecoder::new().decode(&gzip(&zeros), None, &small, &mut Vec::new());
    assert_eq!(result, Err(NotWhole::TooLarge));
    // A bomb in a bomb: nothing comes out of the inner one before the outer one has grown too large.
    let inner = [gzip(b"{}"), vec![0; 4 << 20]].concat();
    let outcome = decode_by(&gzip(&inner), None, limits, usize::MAX, 1 << 14);
    assert_eq!(outcome.error, Some(CodecErrorKind::RatioExceeded));
}

#[test]
fn codecs_stack_twice() {
    let page = page(300);
    for outer in ENCODED {
        for inner in ENCODED {
            if matches!(outer, Codec::Brotli | Codec::Deflate) && !matches!(inner, Codec::Gzip | Codec::Zstd)
            {
                // A codec without magic is recognised by a body or a magic number that comes right out of it.
                continue;
            }
            let file = encode(outer, &encode(inner, &page));
            let decoder = Decoder::new(&file[..], None, DecodeLimits::default()).expect("memory can be read");
            assert_eq!(decoder.codecs(), [outer, inner]);
            assert_eq!(body_of(&file, None), page, "{outer} of {inner}");
            let result = WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut Vec::new());
            assert!(matches!(
                result,
                Err(NotWhole::Nested | NotWhole::OtherCodec(Codec::Zstd | Codec::Brotli))
            ));
        }
    }
    // The third layer is left to be looked at by people.
    assert_eq!(body_of(&gzip(&gzip(&gzip(&page))), None), gzip(&page));
}

#[test]
fn a_lying_length_does_not_matter() {
    let page = page(500);
    for length in [0u32, 1, page.len() as u32 - 1, u32::MAX] {
        // The length belongs to a last member without content, which libdeflate and we both refuse to believe.
        let mut file = gzip(&page);
        let at = file.len() - 4;
        file[at..].copy_from_slice(&length.to_le_bytes());
        let mut out = Vec::new();
        let result = WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut out);
        assert_eq!(result, Err(NotWhole::Damaged));
        assert_eq!(decode(&file, None).error, Some(CodecErrorKind::ChecksumMismatch));
        // As garbage behind a healthy member it is only a bad hint.
        let file = [gzip(&page), b"\x01".to_vec(), length.to_le_bytes().to_vec()].concat();
        let whole = WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut out);
        assert_eq!(whole, Err(NotWhole::Followed));
        let outcome = decode(&file, None);
        let behind = outcome.body.strip_prefix(&page[..]);
        assert_eq!((outcome.trailing, behind, outcome.error), (0, Some(&file[file.len() - 5..]), None));
    }
    // A short last member hides a long first one, so that the room must grow.
    let long = vec![b' '; 3 << 20];
    let file = [gzip(&long), gzip(b"{}")].concat();
    let mut out = Vec::new();
    let whole = WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut out);
    assert_eq!(whole.map(|whole| whole.members), Ok(2));
    assert_eq!(out.len(), (3 << 20) + 2);
}

/// Both paths on the same bytes: what the fast one accepts, the other gives too.
fn paths_agree(file: &[u8], name: Option<&str>, input: usize, output: usize) -> Result<(), TestCaseError> {
    let streamed = decode_by(file, name, DecodeLimits::default(), input, output);
    let mut out = Vec::new();
    let whole = WholeDecoder::new().decode(file, name, &DecodeLimits::default(), &mut out);
    match whole {
        Ok(whole) if streamed.error.is_none() => {
            prop_assert_eq!(whole.codec, streamed.codec);
            prop_assert_eq!(whole.trailing, streamed.trailing);
            prop_assert_eq!(out, streamed.body);
        }
        Ok(_) => prop_assert!(out.starts_with(&streamed.body)),
        Err(NotWhole::Damaged) => prop_assert!(streamed.error.is_some()),
        Err(_) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn round_trips(messages in 0usize..400, input in 1usize..5000, output in 1usize..5000, whole_reads: bool) {
        let page = page(messages);
        let input = if whole_reads { usize::MAX } else { input };
        for codec in ALL {
            let file = encode(codec, &page);
            let outcome = decode_by(&file, None, DecodeLimits::default(), input, output);
            prop_assert_eq!(outcome, Outcome { body: page.clone(), error: None, trailing: 0, codec });
            paths_agree(&file, None, input, output)?;
        }
    }

    #[test]
    fn flipped_bits_never_panic(
        codec in 0usize..ENCODED.len(),
        flips in prop::collection::vec((0usize..1 << 16, 0u8..8), 1..4),
        output in 1usize..3000,
    ) {
        let codec = ENCODED[codec];
        let page = page(100);
        let mut file = encode(codec, &page);
        let length = file.len();
        for (at, bit) in flips {
            file[at % length] ^= 1 << bit;
        }
        let a = decode_by(&file, name_of(codec), DecodeLimits::default(), usize::MAX, output);
        let b = decode_by(&file, name_of(codec), DecodeLimits::default(), 13, 3000);
        prop_assert_eq!(a, b, "how it is read must not matter");
        paths_agree(&file, name_of(codec), 100, output)?;
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..300), pick in 0usize..12, output in 1usize..50) {
        let starts: [&[u8]; 12] = [
            b"", b"\x1f\x8b\x08\0", b"\x78\x9c", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", b"\x0b", b"\x1b\x03", b"\x5b", b"{\"", b"\x63",
        ];
        let file = [starts[pick], &noise].concat();
        for name in [None, Some("a.br"), Some("a.deflate")] {
            let a = decode_by(&file, name, DecodeLimits::default(), usize::MAX, output);
            prop_assert_eq!(a.codec, sniff_body(&file, name));
            paths_agree(&file, name, 1, output)?;
        }
    }
}

/// The outermost codec by the public function, behind the heads.
fn sniff_body(file: &[u8], name: Option<&str>) -> Codec {
    let decoder = Decoder::new(file, name, DecodeLimits::default()).expect("memory can be read");
    if decoder.http().is_some() { decoder.codec() } else { sniff(file, name) }
}

#[test]
fn a_body_that_is_a_little_longer_does_not_take_twice_the_room() {
    let (mut decoder, mut out) = (WholeDecoder::new(), Vec::new());
    for len in [1_000_000, 1_010_000, 1_200_000, 900_000] {
        let body = [&b"{"[..], &vec![b' '; len], b"}"].concat();
        decoder.decode(&gzip(&body), None, &DecodeLimits::default(), &mut out).unwrap();
        assert_eq!(out, body);
        assert!(out.capacity() < 1_350_000, "{} for {len}", out.capacity());
    }
}
