//! Every file of `testdata/dumps` against the expectation beside it, whole and in windows of every size.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use korpus_core::{Block, CodecErrorKind, DecodeLimits, Decoder, InputEnd, Limits, PageParser, Record};
use serde_json::Value;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// The dump files with their expectations, sorted.
fn cases() -> Vec<(PathBuf, Value)> {
    let root = testdata();
    let mut cases = Vec::new();
    for folder in ["responses", "messages", "shapes", "codecs", "errors"] {
        let mut files: Vec<_> = std::fs::read_dir(root.join("dumps").join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            let expected = root.join("expected").join(folder).join(format!("{name}.json"));
            let expected = serde_json::from_slice(&std::fs::read(&expected).unwrap()).unwrap();
            cases.push((file, expected));
        }
    }
    assert!(cases.len() > 100);
    cases
}

/// The decoded bytes of a file, its codec, and how they ended.
fn decode(path: &Path) -> (Vec<u8>, String, InputEnd) {
    let bytes = std::fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_str();
    let mut decoder = Decoder::new(&bytes[..], name, DecodeLimits::default()).unwrap();
    let mut body = Vec::new();
    let mut window = vec![0; 1000];
    let end = loop {
        match decoder.read(&mut window) {
            Ok(0) => break InputEnd::Complete,
            Ok(n) => body.extend_from_slice(&window[..n]),
            Err(error) => {
                break match error.kind() {
                    CodecErrorKind::Truncated => InputEnd::Truncated,
                    CodecErrorKind::RatioExceeded => InputEnd::RatioExceeded,
                    _ => InputEnd::Corrupt,
                };
            }
        }
    };
    (body, decoder.codec().as_str().to_owned(), end)
}

/// Everything that came out of a parser, in a form that can be compared.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    pages: Vec<Page>,
}

#[derive(Debug, Default, PartialEq)]
struct Page {
    messages: Vec<(u64, u64, Option<String>, String, &'static str)>,
    records: Vec<(u64, u64, Option<String>, String)>,
    rejects: Vec<(u64, u64, u64, &'static str, u128)>,
    end: Option<korpus_core::PageEnd>,
}

fn collect(blocks: &[Block]) -> Outcome {
    let mut outcome = Outcome::default();
    for block in blocks {
        for slice in block.pages() {
            let index = slice.page_index as usize;
            assert_eq!(slice.starts, index == outcome.pages.len(), "a page starts once, in order");
            if slice.starts {
                outcome.pages.push(Page::default());
            }
            let page = &mut outcome.pages[index];
            for at in slice.messages.clone() {
                let message = block.message(at);
                assert_eq!(message.page_index(), slice.page_index);
                let id = message.id().filter(|id| !id.is_empty()).map(|id| id.lossy().into_owned());
                assert_eq!(id.is_none(), message.surrogate_id().is_some());
                page.messages.push((
                    message.message_index(),
                    message.position().byte_offset,
                    id,
                    message.whole().raw().to_owned(),
                    message.form().as_str(),
                ));
            }
            for at in slice.records.clone() {
                let (index, offset, id, raw) = match block.record(at) {
                    Record::Conversation(record) => {
                        (record.record_index(), record.position(), record.id(), record.whole())
                    }
                    Record::Session(record) => {
                        (record.record_index(), record.position(), record.session_id(), record.whole())
                    }
                };
                let id = id.map(|id| id.lossy().into_owned());
                page.records.push((index, offset.byte_offset, id, raw.raw().to_owned()));
            }
            for reject in &block.rejects()[slice.rejects.clone()] {
                page.rejects.push((
                    reject.index,
                    reject.byte_offset,
                    reject.byte_length,
                    reject.reason.as_str(),
                    reject.raw_hash,
                ));
            }
            if let Some(end) = &slice.end {
                assert!(page.end.is_none(), "a page ends once");
                page.end = Some((**end).clone());
            }
        }
    }
    assert!(outcome.pages.iter().all(|page| page.end.is_some()), "every page ends");
    outcome
}

fn drain(parser: &mut PageParser, blocks: &mut Vec<Block>) {
    while let Some(block) = parser.next_block() {
        blocks.push(block);
    }
}

fn parse_windows(bytes: &[u8], end: InputEnd, window: usize, limits: Limits) -> Outcome {
    let mut parser = PageParser::new(limits);
    let mut blocks = Vec::new();
    for chunk in bytes.chunks(window) {
        parser.feed(chunk);
        drain(&mut parser, &mut blocks);
    }
    parser.finish(end);
    drain(&mut parser, &mut blocks);
    collect(&blocks)
}

/// The same, where the parser sees the bytes themselves, window by window.
fn parse_shared(bytes: &[u8], end: InputEnd, window: usize, limits: Limits) -> Outcome {
    let mut parser = PageParser::new(limits);
    let mut blocks = Vec::new();
    parser.share(Arc::new(bytes.to_vec()));
    for chunk in bytes.chunks(window) {
        parser.advance(chunk.len());
        drain(&mut parser, &mut blocks);
    }
    parser.finish(end);
    drain(&mut parser, &mut blocks);
    collect(&blocks)
}

fn parse_whole(bytes: &[u8], end: InputEnd, limits: Limits) -> Outcome {
    let mut parser = PageParser::new(limits);
    let mut blocks = Vec::new();
    parser.feed_whole(bytes.to_vec());
    parser.finish(end);
    drain(&mut parser, &mut blocks);
    collect(&blocks)
}

/// The reasons of expectations are coarser than those of the parser.
fn same_reason(expected: &str, found: &str) -> bool {
    expected == found
        || match expected {
            "syntax" => matches!(
                found,
                "unexpected_byte"
                    | "control_character"
                    | "bad_escape"
                    | "bad_number"
                    | "bad_literal"
                    | "trailing_comma"
            ),
            "errors" | "message" => found == "error_response",
            "not_json" => found == "not_a_page",
            "checksum_mismatch" => found == "corrupt_stream",
            _ => false,
        }
}

fn compare(name: &str, body: &Value, page: &Page) -> Result<(), String> {
    let end = page.end.as_ref().unwrap();
    let check = |what: &str, expected: &Value, found: Value| {
        if *expected == found {
            Ok(())
        } else {
            Err(format!("{name}: {what}: expected {expected}, found {found}"))
        }
    };
    let shape = body["shape"].as_str().unwrap_or("unknown");
    check("shape", &Value::from(shape), end.shape.as_str().into())?;
    check("page_status", &body["page_status"], end.status.as_str().into())?;
    if let Some(reason) = body["reason"].as_str() {
        let found = end.reason.map_or("none", korpus_core::Reason::as_str);
        if !same_reason(reason, found) {
            return Err(format!("{name}: page reason: expected {reason}, found {found}"));
        }
    }
    check("total", &body["total"], end.envelope.total.map_or(Value::Null, Value::from))?;
    check(
        "more_available",
        &body["more_available"],
        end.envelope.more_available.map_or(Value::Null, Value::from),
    )?;
    let count = |key: &str| body[key].as_u64().unwrap_or(0);
    check("messages_seen", &count("messages_seen").into(), end.messages_seen.into())?;
    check("messages_rejected", &count("messages_rejected").into(), end.messages_rejected.into())?;
    check("records_seen", &count("records_seen").into(), end.records_seen.into())?;
    check("records_rejected", &count("records_rejected").into(), end.records_rejected.into())?;
    let ids: Value = page.messages.iter().map(|message| message.2.clone()).collect();
    check("message_ids", &body["message_ids"], ids)?;
    if let Some(records) = body.get("record_ids") {
        check("record_ids", records, page.records.iter().map(|record| record.2.clone()).collect())?;
    }
    let rejects = body["rejects"].as_array().unwrap();
    check("rejects", &rejects.len().into(), page.rejects.len().into())?;
    for (expected, found) in rejects.iter().zip(&page.rejects) {
        let index = expected.get("message_index").or_else(|| expected.get("record_index")).unwrap();
        check("reject index", index, found.0.into())?;
        check("reject offset", &expected["byte_offset"], found.1.into())?;
        if let Some(length) = expected.get("byte_length") {
            check("reject length", length, found.2.into())?;
        }
        let reason = expected["reason"].as_str().unwrap();
        if !same_reason(reason, found.3) {
            return Err(format!("{name}: reject reason: expected {reason}, found {}", found.3));
        }
    }
    if let Some(shapes) = body.get("message_shapes") {
        check("message_shapes", shapes, page.messages.iter().map(|message| message.4).collect())?;
    }
    Ok(())
}

#[test]
fn every_dump_has_the_outcome_that_stands_beside_it() {
    let mut wrong = Vec::new();
    for (path, expected) in cases() {
        let name = path.strip_prefix(testdata().join("dumps")).unwrap().display().to_string();
        let (bytes, codec, end) = decode(&path);
        if expected["codec"] != codec {
            wrong.push(format!("{name}: codec: expected {}, found {codec}", expected["codec"]));
        }
        let outcome = parse_whole(&bytes, end, Limits::default());
        let bodies = expected["bodies"].as_array().unwrap();
        if bodies.len() != outcome.pages.len() {
            wrong.push(format!("{name}: bodies: expected {}, found {}", bodies.len(), outcome.pages.len()));
            continue;
        }
        for (body, page) in bodies.iter().zip(&outcome.pages) {
            if let Err(error) = compare(&name, body, page) {
                wrong.push(error);
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn windows_and_blocks_of_any_size_give_the_same() {
    for (path, _) in cases() {
        let (bytes, _, end) = decode(&path);
        for block_bytes in [1, 700, 512 << 10] {
            let limits = || Limits { block_bytes, ..Limits::default() };
            let whole = parse_whole(&bytes, end, limits());
            for window in [1, 2, 3, 7, 64, 4096] {
                if window < 7 && bytes.len() > 20_000 {
                    continue;
                }
                let windows = parse_windows(&bytes, end, window, limits());
                assert_eq!(windows, whole, "{} in windows of {window}", path.display());
                let shared = parse_shared(&bytes, end, window, limits());
                assert_eq!(shared, whole, "{} shared, in windows of {window}", path.display());
            }
        }
    }
}

#[test]
fn offsets_point_at_what_they_name() {
    for (path, _) in cases() {
        let (bytes, _, end) = decode(&path);
        let mut parser = PageParser::new(Limits::default());
        parser.feed(&bytes);
        parser.finish(end);
        while let Some(block) = parser.next_block() {
            for slice in block.pages() {
                for at in slice.messages.clone() {
                    let message = block.message(at);
                    let start = (slice.body_start + message.position().byte_offset) as usize;
                    assert!(
                        bytes[start..].starts_with(message.whole().raw().as_bytes()),
                        "{}",
                        path.display()
                    );
                }
                for reject in &block.rejects()[slice.rejects.clone()] {
                    let start = (slice.body_start + reject.byte_offset) as usize;
                    assert!(bytes[start..].starts_with(&reject.raw), "{}", path.display());
                }
            }
        }
    }
}
