//! HAR files as text: keys in any order, escapes, what is not wanted, bytes that come one at a time.

use super::*;

/// Gives out a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(out.len()).min(self.0.len());
        out[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

/// The entries, their contents, and the damage.
fn read(text: &[u8], step: usize) -> (Vec<(HarEntry, Vec<u8>)>, Option<InputEnd>) {
    let mut reader = Slow(text, step);
    let mut har = Har::new(&mut reader);
    let mut spill = Spill::new(1 << 20, None);
    let mut entries = Vec::new();
    while let Some(entry) = har.next(&mut spill) {
        entries.push((entry, spill.start().to_vec()));
    }
    assert!(har.next(&mut spill).is_none());
    (entries, har.damage())
}

const ODD: &str = r#" {"log" : {"pages":[[],{"a":"]}\"\\"}],"x":[1,-2.5e+3,true,null,""],"entries":[
    {"response":{"content":{"encoding":"none","text":"a\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00","x":{}},"headers":[{"a":[]}],"status":200},
     "request":{"postData":{"params":[{"name":"skip","value":"1 0"},{"value":"x"},7],"x":0},"method":"POST","url":"u\u0026v"}},
    {"request":{"postData":{"text":"{\"callId\":\"c\",\"limit\":5}"}},"response":{"status":"no","content":{"text":null}}},
    {"request":"text","response":null},
    {"response":{"content":{"text":"\ud83d\ud83d\ude00 \ud83d\n \ude00"}}}
  ],"after":1},"more":{"log":{}}} "#;

#[test]
fn requests_are_told_apart_by_all_that_was_asked() {
    let requests = [
        r#"{"method":"GET","url":"a"}"#,
        r#"{"method":"POST","url":"a"}"#,
        r#"{"method":"POST","url":"ab"}"#,
        r#"{"method":"POST","url":"a","postData":{"text":"{\"tags\":{\"and\":[1]}}"}}"#,
        r#"{"method":"POST","url":"a","postData":{"text":"{\"tags\":{\"and\":[2]}}"}}"#,
        r#"{"method":"POST","url":"a","postData":{"params":[{"name":"skip","value":"1"}]}}"#,
        "{}",
    ];
    let hash = |request: &str| {
        let text = format!(r#"{{"log":{{"entries":[{{"time":1,"request":{request},"response":{{}}}}]}}}}"#);
        read(text.as_bytes(), 7).0[0].0.request
    };
    let hashes: Vec<_> = requests.iter().map(|request| hash(request)).collect();
    for (index, request) in requests.iter().enumerate() {
        assert_eq!(hash(request), hashes[index]);
        assert!(!hashes[..index].contains(&hashes[index]), "{request}");
    }
    assert_eq!(hashes.last(), Some(&None), "nothing is known of it");
}

#[test]
fn a_har_file_is_told_by_its_log_wherever_that_stands() {
    let entries = r#""entries":[]}}"#;
    for start in [
        r#"{"log":{"x":1,"#,
        "\u{feff} {\n \"log\" : {",
        r#"{"creator":{"name":"a \\"log\\"","log":[1]},"n":[{},"}"],"log":{"version":"1.2","#,
        "\u{feff}{\"comment\":\"\\\\\",\n\"log\" :\n{ ",
    ] {
        let text = format!("{start}{entries}");
        assert!(is_har(text.as_bytes()), "{text}");
        let (found, damage) = read(text.as_bytes(), 7);
        assert_eq!((found.len(), damage), (0, None), "{text}");
    }
    for other in [
        r#"{"creator":{"log":{"version":"1.2","entries":[]}}}"#,
        r#"{"list":[{"log":{"version":1}}]}"#,
        r#"{"text":"\"log\":{\"version\"","x":1}"#,
        r#"{"total":1,"log":{"level":2},"messages":[]}"#,
        r#"{"total":1,"log":["version"],"messages":[]}"#,
        r#"{"log":{"level":"info","at":{"version":1},"logger":"entries"},"version":1,"response":{"messages":[]}}"#,
        r#"["log",{"version":1}]"#,
        r#"{"messages":[{"text":"log"}],"log":"version"}"#,
        "{",
        "",
    ] {
        assert!(!is_har(other.as_bytes()), "{other}");
    }
    let far = format!(r#"{{"comment":"{}","log":{{{entries}"#, "x".repeat(PEEK));
    assert!(!is_har(far.as_bytes()), "however much of it is at hand");
}

#[test]
fn entries_are_found_whatever_is_around_them() {
    for step in [1, 2, 3, 7, 64, 4096] {
        let (entries, damage) = read(ODD.as_bytes(), step);
        assert_eq!((entries.len(), damage), (4, None));
        let (first, content) = &entries[0];
        assert_eq!(content, "a\"\\/\u{8}\u{c}\n\r\tAé€😀".as_bytes());
        assert_eq!(
            (first.head.status, first.head.method.as_deref(), first.has_content),
            (200, Some("POST"), true)
        );
        assert_eq!(
            (first.head.url.as_deref(), first.head.parameters.as_deref()),
            (Some("u&v"), Some("skip=1%200"))
        );
        assert!(!first.is_base64(b"abcd"));
        let second = &entries[1].0;
        assert_eq!(second.head.parameters.as_deref(), Some("callId=c&limit=5"));
        assert_eq!((second.head.status, second.has_content, second.index), (0, false, 1));
        // Half a pair is invalid where it stands, and harms nothing around it.
        assert_eq!(entries[3].1, b"\xed\xa0\xbd\xf0\x9f\x98\x80 \xed\xa0\xbd\n \xed\xb8\x80");
    }
}

#[test]
fn every_cut_is_noticed() {
    let text = ODD.trim_end().as_bytes();
    for len in ODD.find("entries").unwrap()..text.len() {
        let (entries, damage) = read(&text[..len], 64);
        assert_eq!(damage, Some(InputEnd::Truncated), "up to {len}");
        for (entry, _) in &entries[..entries.len().saturating_sub(1)] {
            assert_eq!(entry.end, None);
        }
    }
}

#[test]
fn what_is_no_json_is_told() {
    for broken in [
        r#"{"log":{"entries":[{}{}]}}"#,
        r#"{"log":{"entries":[{},]}}"#,
        r#"{"log":{"entries":[{"a" 1}]}}"#,
        r#"{"log":{"entries":[{"request":{"url":"\x"}}]}}"#,
        r#"{"log":{"entries":[{"request":{"url":"\u12g4"}}]}}"#,
        r#"{"log":{"entries":[]}} {"#,
        r#"{"log":{"entries":[{a:1}]}}"#,
        r#"{"log":{"entries":[:]}}"#,
    ] {
        assert_eq!(read(broken.as_bytes(), 64).1, Some(InputEnd::Corrupt), "{broken}");
    }
    let deep = format!(r#"{{"log":{{"entries":[{{"a":{}"#, "[".repeat(1 << 20));
    assert_eq!(read(deep.as_bytes(), 4096).1, Some(InputEnd::Truncated));
}

#[test]
fn what_is_no_exchange_is_told_and_costs_nothing_behind_it() {
    let good = r#"{"request":{"url":"u"},"response":{"content":{"text":"t"}}}"#;
    let nested = |opening: &str, close: &str| {
        format!(r#"{{"a":{}1{},"response":null}}"#, opening.repeat(100), close.repeat(100))
    };
    let (deep, broken) = (nested(r#"[{"b":"#, "}]"), nested(r#"[{"b":"#, "]}"));
    for (entry, is_told, is_damaged) in [
        ("7", true, false),
        ("null", true, false),
        (r#""text""#, true, false),
        (r#"[{"response":null}]"#, true, false),
        (r#"["request":{"url":"u"},"response":{"content":{"text":"t"}}}"#, true, true),
        (r#"{"response":["status":200,"content":{"text":"t"}}}"#, true, true),
        (r#"{"response":{"content":["text":"t"}}}"#, true, true),
        (r#"{"response":{"content":{"text":{"messages":[]}}}}"#, true, false),
        (r#"{"response":{"content":"t"}}"#, true, false),
        (r#"{"response":7}"#, true, false),
        (r#"{"response":{"content":{"text":null}}}"#, false, false),
        (r#"{"response":{"content":null}}"#, false, false),
        (r#"{"response":{"headers":[{"name":"x"}}}}"#, false, true),
        (r#"{"response":null}"#, false, false),
        ("{}", false, false),
        (&deep, false, false),
        (&broken, false, true),
    ] {
        let text = format!(r#"{{"log":{{"entries":[{good},{entry},{good}]}}}}"#);
        for step in [1, 4096] {
            let (entries, damage) = read(text.as_bytes(), step);
            let contents: Vec<_> = entries.iter().map(|(_, content)| &content[..]).collect();
            assert_eq!(contents, [&b"t"[..], b"", b"t"], "{entry}");
            assert_eq!(entries[1].0.end, is_told.then_some(InputEnd::Corrupt), "{entry}");
            assert_eq!(entries[1].0.interest(b"") == Interest::Yes, is_told, "{entry}");
            assert_eq!(damage, is_damaged.then_some(InputEnd::Corrupt), "{entry}");
        }
    }
}

#[test]
fn base64_of_both_alphabets_is_taken_off() {
    let decode = |text: &[u8], step: usize| {
        let mut out = Vec::new();
        let outcome = Base64::new(Slow(text, step)).read_to_end(&mut out);
        outcome.map(|_| out).map_err(|error| end_in(&error))
    };
    for step in [1, 5, 1000] {
        assert_eq!(decode(b"", step), Ok(vec![]));
        assert_eq!(decode(b"aGVs\r\nbG8=", step), Ok(b"hello".to_vec()));
        assert_eq!(decode(b"-_+/", step), Ok(vec![0xfb, 0xff, 0xbf]));
        assert_eq!(decode(b"aGVsbG8", step), Ok(b"hello".to_vec()));
        assert_eq!(decode(b"aGVsb", step), Err(Some(InputEnd::Truncated)));
        assert_eq!(decode(b"aG!Vs", step), Err(Some(InputEnd::Corrupt)));
        assert_eq!(decode(b"aGU=aGU=", step), Err(Some(InputEnd::Corrupt)));
    }
}

#[test]
fn har_files_are_known_by_their_start() {
    for good in ["{\"log\":{", "\u{feff} {\n\"log\" :\t{\"a\"", "{ \"log\": {}"] {
        assert!(is_har(good.as_bytes()), "{good}");
    }
    for other in ["", "{", "{\"log\":[", "{\"logs\":{", "[{\"log\":{"] {
        assert!(!is_har(other.as_bytes()), "{other}");
    }
}
