//! Dumps that were cut off: whatever is whole in the part that can be decoded is kept, and the loss is told.

use std::io::Write;

use korpus_core::{DecodeLimits, Decoder, InputEnd, Limits, PageParser};
use korpus_synth::{Codec, Shape, Size, Synth, SynthOptions};

/// A body of `messages` messages, plain.
fn body(messages: u64) -> Vec<u8> {
    let options = SynthOptions {
        size: Size::Messages(messages),
        page_size: messages,
        shapes: vec![Shape::V2],
        codecs: vec![Codec::Plain],
        ..SynthOptions::default()
    };
    let (mut files, _) = Synth::new(options).unwrap().write_memory().unwrap();
    files.remove(0).1
}

fn encoded(codec: &str, body: &[u8]) -> Vec<u8> {
    match codec {
        "gzip" => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(body).unwrap();
            gzip.finish().unwrap()
        }
        "brotli" => {
            let mut out = Vec::new();
            let mut brotli = brotli::CompressorWriter::new(&mut out, 4096, 5, 18);
            brotli.write_all(body).unwrap();
            drop(brotli);
            out
        }
        _ => body.to_vec(),
    }
}

/// What came of a cut file: the decoded bytes, where each kept message ends, and the status of its only page.
struct Outcome {
    decoded: Vec<u8>,
    ends: Vec<usize>,
    pages: Vec<(String, u64)>,
}

fn read(codec: &str, file: &[u8]) -> Outcome {
    let (mut decoded, mut window, mut end) = (Vec::new(), vec![0; 4096], InputEnd::Complete);
    let mut parser = PageParser::new(Limits::default());
    let name = format!("page.json{}", if codec == "brotli" { ".br" } else { "" });
    let mut reader = Decoder::new(file, Some(&name), DecodeLimits::default()).unwrap();
    loop {
        match reader.read(&mut window) {
            Ok(0) => break,
            Ok(n) => {
                parser.feed(&window[..n]);
                decoded.extend_from_slice(&window[..n]);
            }
            Err(_) => {
                end = InputEnd::Truncated;
                break;
            }
        }
    }
    parser.finish(end);
    let mut outcome = Outcome { decoded, ends: Vec::new(), pages: Vec::new() };
    while let Some(block) = parser.next_block() {
        for message in block.messages() {
            outcome.ends.push(message.position().byte_offset as usize + message.whole().raw().len());
        }
        for page in block.pages() {
            if let Some(end) = &page.end {
                outcome.pages.push((end.status.as_str().to_owned(), end.messages_rejected));
            }
        }
    }
    outcome
}

/// Where each message of a whole body ends, by a plain look at its JSON.
fn ends(body: &[u8]) -> Vec<usize> {
    #[derive(serde::Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        messages: Vec<&'a serde_json::value::RawValue>,
    }
    let page: Page<'_> = serde_json::from_slice(body).unwrap();
    let start = body.as_ptr() as usize;
    page.messages.iter().map(|raw| raw.get().as_ptr() as usize - start + raw.get().len()).collect()
}

fn check(codec: &str, cuts: impl Fn(usize) -> Vec<usize>, messages: u64) {
    let body = body(messages);
    let (all, file) = (ends(&body), encoded(codec, &body));
    for cut in cuts(file.len()) {
        let outcome = read(codec, &file[..cut]);
        let got = outcome.decoded.len();
        assert!(body.starts_with(&outcome.decoded), "{codec} cut at {cut}");
        // An array that is cut off behind a message leaves it whole.
        let whole: Vec<usize> = all.iter().copied().filter(|&end| end <= got).collect();
        assert_eq!(outcome.ends, whole, "{codec} cut at {cut}, {got} bytes decoded");
        assert_eq!(outcome.pages.len(), 1, "{codec} cut at {cut}");
        let (status, rejected) = &outcome.pages[0];
        if !whole.is_empty() {
            assert_eq!(status, "partial", "{codec} cut at {cut}");
        }
        assert_ne!(status, "ok", "{codec} cut at {cut}");
        assert!(*rejected <= 1, "{codec} cut at {cut}");
    }
    let outcome = read(codec, &file);
    assert_eq!((outcome.ends.len(), outcome.pages), (all.len(), vec![("ok".to_owned(), 0)]));
}

#[test]
fn every_prefix_of_a_small_page_gives_its_whole_messages() {
    for codec in ["plain", "gzip", "brotli"] {
        check(codec, |len| (0..len).collect(), 6);
    }
}

#[test]
fn prefixes_of_a_large_page_give_their_whole_messages() {
    for codec in ["plain", "gzip", "brotli"] {
        check(codec, |len| (1..40).map(|n| len * n / 40 + n % 3).collect(), 3_000);
    }
}
