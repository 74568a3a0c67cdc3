//! Bodies with HTTP heads in front and chunked framing left in.

use super::*;
use crate::codec::http::{Parsed, parse};

pub(super) fn chunked(body: &[u8], size: usize, end: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (n, chunk) in body.chunks(size).enumerate() {
        let extension = if n % 2 == 0 { "" } else { ";name=\"value\"" };
        out.extend_from_slice(format!("{:X}{extension}{end}", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(end.as_bytes());
    }
    out.extend_from_slice(format!("0{end}Expires: never{end}{end}").as_bytes());
    out
}

#[test]
fn http_heads_are_taken_off() {
    let page = page(40);
    let proxy = "HTTP/1.1 200 Connection established\r\n\r\n";
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Type: text/html\r\n\r\n";
    for before in [String::new(), proxy.to_owned(), format!("{proxy}{interim}{redirect}")] {
        for (line, coding, codec) in [
            ("HTTP/1.1 200 OK", "gzip", Codec::Gzip),
            ("HTTP/2 200", "br", Codec::Brotli),
            ("HTTP/1.0 200 OK", "deflate", Codec::Deflate),
            ("HTTP/1.1 200 OK", "deflate", Codec::Zlib),
            ("HTTP/1.1 200 OK", "zstd", Codec::Zstd),
            // Decoded when it was saved: what is there wins.
            ("HTTP/1.1 200 OK", "br", Codec::Plain),
            ("HTTP/1.1 200 OK", "gzip", Codec::Plain),
        ] {
            for end in ["\r\n", "\n"] {
                let head = format!(
                    "{before}{line}\r\ncontent-type: application/json\r\nX-Secret: s\r\nContent-Encoding: {coding}\r\n\
                     transfer-encoding: chunked\r\n\r\n"
                )
                .replace("\r\n", end);
                let body = encode(codec, &page);
                for framed in [body.clone(), chunked(&body, 100, "\r\n"), chunked(&body, 1 << 20, "\r\n")] {
                    let file = [head.as_bytes(), &framed].concat();
                    let mut decoder =
                        Decoder::new(&file[..], None, DecodeLimits::default()).expect("memory can be read");
                    let http = decoder.http().expect("there is a head").clone();
                    assert_eq!((http.status, http.url), (200, None));
                    assert_eq!(http.content_type.as_deref(), Some("application/json"));
                    assert_eq!(http.content_encoding.as_deref(), Some(coding));
                    assert_eq!(decoder.codec(), codec);
                    assert!(decoder.read(&mut [0; 10]).expect("the body is healthy") > 0);
                    assert_eq!(body_of(&file, Some("page.txt")), page);
                    assert_eq!(decode_by(&file, None, DecodeLimits::default(), 1, 3).body, page);
                    let whole =
                        WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut Vec::new());
                    assert_eq!(whole, Err(NotWhole::HttpHead));
                }
            }
        }
    }
}

#[test]
fn a_body_shorter_than_its_head_says_is_cut_off() {
    let page = page(40);
    let whole = page.len();
    for (length, coding, cut, is_cut_off) in [
        (whole, "", whole, false),
        (whole, "", whole - 1, true),
        (whole, "", 1, true),
        // The answer to a HEAD request.
        (whole, "", 0, false),
        (whole - 1, "", whole, false),
        (whole, "Content-Encoding: identity\r\n", whole - 1, true),
        // Decoded when it was saved: the length is that of something else.
        (whole, "Content-Encoding: gzip\r\n", whole - 1, false),
        (whole, "Transfer-Encoding: chunked\r\n", whole - 1, false),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{coding}\r\n");
        let file = [head.as_bytes(), &page[..cut]].concat();
        let packed = [Codec::Gzip, Codec::Zlib, Codec::Zstd].map(|codec| encode(codec, &file));
        let followed = [&packed[0][..], b"\n"].concat();
        let all = [1, 100, 1 << 20].map(|window| (&file, window));
        let all = all.into_iter().chain(packed.iter().chain([&followed]).map(|file| (file, 100)));
        for (file, window) in all {
            let mut decoder =
                Decoder::new(&file[..], None, DecodeLimits::default()).expect("memory can be read");
            let (mut body, mut window) = (Vec::new(), vec![0; window]);
            let end = loop {
                match decoder.read(&mut window) {
                    Ok(0) => break None,
                    Ok(n) => body.extend_from_slice(&window[..n]),
                    Err(error) => break Some(error.kind()),
                }
            };
            assert_eq!(body, &page[..cut]);
            assert_eq!(end, is_cut_off.then_some(CodecErrorKind::Truncated), "{length} {coding:?} {cut}");
        }
    }
}

#[test]
fn request_heads_give_the_url() {
    let file = b"POST /api/public/bot/st-1/getMessagesV2?callId=7 HTTP/1.1\r\nHost: bots.example.com\r\n\
        Authorization: secret\r\nContent-Length: 11\r\n\r\n{\"skip\":10}\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{\"messages\":[]}";
    let decoder = Decoder::new(&file[..], None, DecodeLimits::default()).expect("memory can be read");
    let head = decoder.http().expect("there is a head");
    assert_eq!(head.url.as_deref(), Some("//bots.example.com/api/public/bot/st-1/getMessagesV2?callId=7"));
    assert_eq!((head.method.as_deref(), head.parameters.as_deref()), (Some("POST"), Some("skip=10")));
    let request = "//bots.example.com/api/public/bot/st-1/getMessagesV2?callId=7&skip=10";
    assert_eq!(head.request().as_deref(), Some(request));
    assert_eq!(head.status, 200);
    assert_eq!(body_of(file, None), b"{\"messages\":[]}");
}

#[test]
fn what_only_looks_like_a_head_is_plain() {
    for text in [
        &b"HTTP/1.1 2000 OK\r\n\r\n{}"[..],
        b"HTTP/1.1\r\n\r\n{}",
        b"HTTP/x 200 OK\r\n\r\n{}",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n{}",
        b"GET / HTTP/1.1\r\n\r\n{}",
    ] {
        let decoder = Decoder::new(text, None, DecodeLimits::default()).expect("memory can be read");
        assert_eq!(decoder.http(), None);
        assert_eq!(body_of(text, None), text);
    }
    let head_only = b"HTTP/1.1 204 No Content\r\nServer: x";
    assert_eq!(body_of(head_only, None), b"");
}

#[test]
fn chunked_damage_is_found() {
    let page = page(20);
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let framed = chunked(&page, 100, "\r\n");
    let file = [&head[..], &framed].concat();
    let body_end = file.len() - b"0\r\nExpires: never\r\n\r\n".len();
    for cut in head.len() + 110..file.len() {
        let outcome = decode(&file[..cut], None);
        let error = (cut <= body_end).then_some(CodecErrorKind::Truncated);
        assert_eq!(outcome.error, error, "cut at {cut}");
        assert!(page.starts_with(&outcome.body));
    }
    // A gzip body whose frame is cut off: all that can be inflated, then the truth about the frame.
    let file = [&head[..], &chunked(&gzip(&page), 50, "\r\n")].concat();
    let outcome = decode(&file[..file.len() - 60], None);
    assert_eq!((outcome.error, outcome.codec), (Some(CodecErrorKind::Truncated), Codec::Gzip));
    assert!(!outcome.body.is_empty() && page.starts_with(&outcome.body));
    let mut broken = [&head[..], &framed].concat();
    broken[head.len() + 5 + 100] = b'x';
    assert_eq!(decode(&broken, None).body, &broken[head.len()..], "not framed after all");
    let at = head.len() + 2 + 2 + 100 + 2;
    let mut broken = [&head[..], &framed].concat();
    broken[at] = b'x';
    let outcome = decode(&broken, None);
    assert_eq!((outcome.body, outcome.error), (page[..100].to_vec(), Some(CodecErrorKind::Corrupt)));
    let more = [&head[..], &framed, b"more"].concat();
    assert_eq!(decode(&more, None), Outcome { body: page, error: None, trailing: 4, codec: Codec::Plain });
}

#[test]
fn a_head_without_its_blank_line_ends_where_the_body_begins() {
    let page = page(5);
    let pretty = [b"{\n  \"messages\": [\n", &page[..], b"\n]}"].concat();
    let packed = gzip(&page);
    let framed = chunked(&page, 100, "\r\n");
    let bodies = [(&page, &page), (&pretty, &pretty), (&packed, &page), (&framed, &page)];
    let whole = [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", &page[..]].concat();
    for end in ["\r\n", "\n", "\r"] {
        let head = "HTTP/2 200\n:status: 200\nX-Folded: one\n\ttwo\nServer : x\nTransfer-Encoding: chunked\nContent-Encoding: gzip\n";
        let head = head.replace('\n', end);
        for blank in ["", end] {
            for (body, expected) in bodies {
                let one = [head.as_bytes(), blank.as_bytes(), body].concat();
                for (file, expected) in [
                    (one.clone(), expected.clone()),
                    // Carriage returns end the lines of no later head.
                    ([&whole[..], b"\n", &one].concat(), [&page[..], b"\n", expected].concat()),
                    ([&one[..], &whole].concat(), [&expected[..], &page].concat()),
                ] {
                    if end == "\r" && file.starts_with(&whole) {
                        continue;
                    }
                    for (chunk, window) in [(usize::MAX, 1 << 20), (1, 100)] {
                        let outcome = decode_by(&file, None, DecodeLimits::default(), chunk, window);
                        assert_eq!((outcome.error, outcome.trailing), (None, 0), "{end:?} {blank:?}");
                        assert_eq!(
                            String::from_utf8_lossy(&outcome.body),
                            String::from_utf8_lossy(&expected)
                        );
                    }
                }
            }
        }
    }
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\nA: b\r\nno colon\r\n\r\n{}", None), b"no colon\r\n\r\n{}");
}

#[test]
fn where_a_head_ends_does_not_depend_on_how_much_of_it_is_at_hand() {
    let heads = "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nA: b\n c\nLong-Name: d\n";
    for end in ["\r\n", "\n", "\r"] {
        for body in ["{\"a\": 1}", "\n[1]", "5;x=y\n{\"a\"}", "no colon\n{}", "\x1f\u{8b}:"] {
            let file = [heads, body].concat().replace('\n', end);
            let length = |len: usize, whole: bool| match parse(&file.as_bytes()[..len], whole) {
                Parsed::Heads(heads) => Some(heads.length),
                Parsed::Partial | Parsed::No => None,
            };
            let all = length(file.len(), true).expect("there are heads");
            assert_eq!(
                all,
                heads.replace('\n', end).len() + if body.starts_with('\n') { end.len() } else { 0 }
            );
            for len in 0..file.len() {
                assert!(length(len, false).is_none_or(|length| length == all), "{end:?} {body} {len}");
            }
        }
    }
}

#[test]
fn behind_other_responses_a_head_without_its_body_is_cut_off() {
    let page = page(3);
    for (head, is_cut_off) in [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Type: applicati", true),
        ("HTTP/1.1 200 OK\r\nContent-Ty", true),
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", true),
        ("HTTP/1.1 200 OK\r\n", true),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false),
        ("HTTP/2 200\r\n\r\n", false),
        ("HTTP/1.1 204 No Content\r\nServer: x", false),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nContent-Length: 9\r\n\r\n", false),
        ("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false),
    ] {
        let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", page.len());
        let firsts = [
            [b"HTTP/1.1 200 OK\r\n\r\n", &page[..], b"\n"].concat(),
            [length.as_bytes(), &page].concat(),
            [&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..], &chunked(&page, 90, "\r\n")]
                .concat(),
            gzip(&page),
        ];
        for (n, first) in firsts.iter().enumerate().skip(usize::from(head.starts_with("HEAD"))) {
            let file = [&first[..], head.as_bytes()].concat();
            for file in [file.clone(), gzip(&file)] {
                for (chunk, window) in [(usize::MAX, 1 << 20), (1, 100)] {
                    let outcome = decode_by(&file, None, DecodeLimits::default(), chunk, window);
                    assert_eq!(outcome.body.trim_ascii_end(), page, "{n} {head}");
                    assert_eq!(outcome.error, is_cut_off.then_some(CodecErrorKind::Truncated), "{n} {head}");
                }
            }
        }
        // Alone it may answer a question for the head, and is empty.
        assert_eq!(body_of(head.as_bytes(), None), b"");
    }
}

/// Responses that were saved one after the other, as `curl -i >> file` does: each is framed and encoded in its own way.
#[test]
fn what_follows_a_stream_is_read_too() {
    let (one, two) = (page(20), page(30));
    let both = [&one[..], &two].concat();
    let response =
        |body: &[u8], headers: &str| [format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), body].concat();
    let long =
        |body: &[u8], coding: &str| response(body, &format!("Content-Length: {}\r\n{coding}", body.len()));
    let framed = |body: &[u8], coding: &str| {
        response(&chunked(body, 700, "\r\n"), &format!("Transfer-Encoding: chunked\r\n{coding}"))
    };
    let packed = "Content-Encoding: gzip\r\n";
    let firsts = [
        framed(&one, ""),
        framed(&gzip(&one), packed),
        long(&gzip(&one), packed),
        long(&one, ""),
        gzip(&one),
        encode(Codec::Zlib, &one),
        encode(Codec::Zstd, &one),
    ];
    let seconds = [
        framed(&two, ""),
        framed(&gzip(&two), packed),
        long(&two, ""),
        gzip(&two),
        encode(Codec::Zstd, &two),
        two.clone(),
    ];
    for (n, first) in firsts.iter().enumerate() {
        for (m, second) in seconds.iter().enumerate() {
            for between in ["", "\n", "\r\n\r\n"] {
                let file = [first, between.as_bytes(), second].concat();
                for (chunk, window) in [(usize::MAX, 1 << 20), (97, 333)] {
                    let outcome = decode_by(&file, None, DecodeLimits::default(), chunk, window);
                    assert_eq!(outcome.error, None, "{n} {m} {between:?}");
                    let body: Vec<u8> = outcome.body;
                    // White space between plain bodies is theirs.
                    let packed = |bytes: &[u8]| {
                        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>()
                    };
                    assert_eq!(packed(&body), packed(&both), "{n} {m} {between:?}");
                    assert_eq!(body_of(&gzip(&file), None), body, "the same in gzip: {n} {m} {between:?}");
                }
                let whole =
                    WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut Vec::new());
                assert!(whole.is_err() || n == 4 && m == 3 && between.is_empty(), "{n} {m} {between:?}");
            }
        }
    }
    // The empty line behind the trailer fields of chunks is damaged.
    let mut damaged = framed(&one, "");
    damaged.truncate(damaged.len() - 2);
    for (chunk, window) in [(usize::MAX, 1 << 20), (1, 333)] {
        let file = [&damaged[..], &long(&two, "")].concat();
        assert!(decode_by(&file, None, DecodeLimits::default(), chunk, window).body == both);
    }
    // A length that says less than there is costs nothing.
    let short = response(&one, &format!("Content-Length: {}\r\n", one.len() - 100));
    assert_eq!(decode(&short, None).body, one);
    let followed = [&short[..], b"\n", &long(&gzip(&two), packed)].concat();
    assert_eq!(body_of(&followed, None), [&one[..], b"\n", &two].concat());
}

#[test]
fn streams_behind_padding_and_garbage_count_the_same_in_every_layer() {
    let (one, two) = (page(20), page(30));
    let padding = vec![0; 3 * 4096 + 5];
    let second = encode(Codec::Zlib, &two);
    for (between, is_found) in [(&padding[..], true), (b" \r\n", true), (b"\0\x07garbage", false)] {
        // What is no padding and no remark is given out.
        let garbage = [&between[1..], &second, b"\nmore"].concat();
        let ignored = if is_found { between.len() + b"\nmore".len() } else { 1 };
        for first in [gzip(&one), encode(Codec::Zlib, &one), encode(Codec::Zstd, &one)] {
            let file = [&first[..], between, &second, b"\nmore"].concat();
            for file in [file.clone(), gzip(&file)] {
                for (chunk, window) in [(usize::MAX, 1 << 20), (97, 333), (1, 4096)] {
                    let outcome = decode_by(&file, None, DecodeLimits::default(), chunk, window);
                    assert_eq!(outcome.error, None);
                    assert_eq!(outcome.trailing, ignored as u64);
                    assert!(outcome.body == [&one[..], if is_found { &two } else { &garbage }].concat());
                }
            }
        }
    }
}

#[test]
fn what_stands_between_responses_hides_none_however_it_is_read() {
    let (one, two, three) = (page(4), page(5), page(6));
    let long = |body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let framed =
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &chunked(&two, 70, "\r\n")[..]].concat();
    let asked = [b"POST /api/public/bot/b/getMessages HTTP/1.1\r\n\r\n", &long(&three)[..]].concat();
    let blank = vec![b' '; 8192];
    for (what, file) in [
        ("lines", [&long(&one), &b"\n---\n"[..], &framed, b"\n* Connection #0\n", &long(&three)].concat()),
        ("a request", [&long(&one), &framed[..], &encode(Codec::Zstd, b""), &asked].concat()),
        ("white space", [&long(&one), &blank[..], &gzip(&two), &blank, &long(&three)].concat()),
        ("half a magic number", [&gzip(&one), &gzip(&two)[..], b"\x1f\n", &long(&three)].concat()),
    ] {
        for (wrapped, file) in [(false, file.clone()), (true, gzip(&file))] {
            let expected = decode(&file, None);
            for page in [&one, &two, &three] {
                let is_there = memchr::memmem::find(&expected.body, page).is_some();
                assert!(is_there && expected.error.is_none(), "{what}, wrapped: {wrapped}");
            }
            for (chunk, window) in [(1, 64), (2, 4096), (97, 1), (4096, 64 << 10)] {
                let outcome = decode_by(&file, None, DecodeLimits::default(), chunk, window);
                assert_eq!(outcome, expected, "{what}, wrapped: {wrapped}");
            }
        }
    }
}

/// A response in the frames of another one, behind a stream that ends there, ten thousand times.
#[test]
fn layers_do_not_pile_up() {
    let one = gzip(b"{}");
    let mut file = Vec::new();
    for _ in 0..10_000 {
        let size = one.len() + file.len();
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n");
        file = [head.as_bytes(), &one, &file, b"\r\n0\r\n\r\n"].concat();
    }
    for file in [file.clone(), gzip(&file)] {
        let mut decoder = Decoder::new(&file[..], None, DecodeLimits::default()).expect("memory can be read");
        let mut window = [0; 4096];
        while decoder.read(&mut window).is_ok_and(|n| n > 0) {
            assert!(decoder.layers() < 8);
        }
        assert!(decoder.decoded_bytes() > 2);
    }
}

#[test]
fn responses_follow_bodies_whose_length_nobody_said() {
    let page = page(3);
    let said = b"{\"text\":\"say HTTP/2 200 OK, or }HTTP/1.1 404 and \\n\"}";
    let head =
        |more: &str| format!("HTTP/2 200 \r\ncontent-type: application/json\r\n{more}\r\n").into_bytes();
    let gzip = [head("content-encoding: gzip\r\n"), encode(Codec::Gzip, &page)].concat();
    let framed = [head("transfer-encoding: chunked\r\n"), chunked(&page, 50, "\r\n")].concat();
    let plain = [head(""), page.clone()].concat();
    for (second, expected) in [(&gzip, &page), (&framed, &page), (&plain, &page)] {
        for joint in ["", "\n", "\r\n\r\n"] {
            for first in [&page[..], said, b"{\"errors\":[]}"] {
                let file = [&head("")[..], first, joint.as_bytes(), second, &plain].concat();
                let whole = body_of(&file, None);
                assert_eq!(body_of(&super::gzip(&file), None), whole);
                let mut expected = [first, expected, &page].concat();
                let mut found = whole.clone();
                for body in [&mut expected, &mut found] {
                    body.retain(|byte| !byte.is_ascii_whitespace());
                }
                assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected), "{joint:?}");
                for (window, out) in [(1, 1), (1, 3), (7, 64), (4096, 1)] {
                    assert_eq!(decode_by(&file, None, DecodeLimits::default(), window, out).body, whole);
                }
            }
        }
    }
    // What never becomes a head is text.
    for end in ["HTTP/", "HTTP/2 2", "HTTP/2 200", "H"] {
        let file = [&head("")[..], &page, end.as_bytes()].concat();
        assert_eq!(body_of(&file, None), [&page[..], end.as_bytes()].concat(), "{end}");
    }
}

#[test]
fn magic_numbers_inside_of_bodies_end_none() {
    let (one, two) = (page(20), page(30));
    // Of an archive behind a head that tells no length; in a string of a broken page.
    let archive = [b"PK\x03\x04", &gzip(&one)[..], &gzip(&two)].concat();
    let broken = [&one[..], b"\"\x1f\x8b\x08\0 \x28\xb5\x2f\xfd", &two].concat();
    let head = b"HTTP/2 200 \r\n\r\n";
    for body in [&archive[..], &broken] {
        assert!(body_of(&[&head[..], body].concat(), None) == body);
    }
    let behind = [&gzip(&one)[..], &broken].concat();
    assert!(body_of(&behind, None) == [&one[..], &broken].concat());
}

#[test]
fn a_line_that_only_looks_like_a_head_hides_nothing() {
    let (one, two) = (page(20), page(30));
    let line = b"HTTP/x y\n{\"a\":1}\n";
    let file = [&gzip(&one)[..], line, &gzip(&two)].concat();
    assert!(body_of(&file, None) == [&one[..], line, &two].concat());
    assert!(body_of(&gzip(&file), None) == body_of(&file, None));
}

#[test]
fn fields_have_any_name_where_an_empty_line_follows() {
    let page = page(20);
    for field in ["X-Foo/Bar: 2", "X-Straße: 2", ":status: 200", "x y: z", "folded:\r\n {\"a\": 1}"] {
        let head = format!("HTTP/1.1 200 OK\r\n{field}\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(body_of(&[head.as_bytes(), &chunked(&page, 700, "\r\n")].concat(), None) == page, "{field}");
    }
}

#[test]
fn what_stands_behind_a_remark_is_the_same_however_it_is_read() {
    let (one, two) = (page(20), page(30));
    let second = encode(Codec::Deflate, &two);
    for remark in ["-- done [3 pages] --\n", "— fertig —\n", "\x1a"] {
        let remark = remark.repeat(5000 / remark.len());
        let file = [&gzip(&one)[..], remark.as_bytes(), &second].concat();
        let expected = decode(&file, None);
        for input in [1, 100, 4096, 4100, 9000] {
            assert!(decode_by(&file, None, DecodeLimits::default(), input, 4096) == expected, "{input}");
        }
        let file = [&gzip(&one)[..], remark.as_bytes(), &gzip(&two)].concat();
        assert!(body_of(&file, None) == [&one[..], &two].concat());
    }
}
