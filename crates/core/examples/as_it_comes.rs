//! Bytes as a broker or an object store hands them out: `cargo run -p korpus-core --example as_it_comes`
//!
//! A consumer gets chunks of many objects in turn, each with an offset, and may tell the broker only what it is done with. So
//! each object has a parser of its own, and its offset is told once the messages up to there are out of the parser's hands.

use std::collections::BTreeMap;

use korpus_core::{InputEnd, Limits, PageParser};

/// What a consumer of such a broker receives.
struct Chunk {
    object: &'static str,
    offset: u64,
    bytes: Vec<u8>,
    is_last: bool,
}

/// Two dumps that come in pieces, in turn.
fn receive() -> impl Iterator<Item = Chunk> {
    let page = |session: &str, count: usize| {
        let messages: Vec<String> = (0..count)
            .map(|n| {
                format!(r#"{{"_id":"ms-{session}-{n}","type":"incoming","sessionId":"{session}","components":[]}}"#)
            })
            .collect();
        format!(r#"{{"total":{count},"messages":[{}]}}"#, messages.join(",")).into_bytes()
    };
    let (first, second) = (page("a", 40), page("b", 25));
    let pieces = move |object: &'static str, body: Vec<u8>| {
        let size = 700;
        let count = body.len().div_ceil(size);
        (0..count).map(move |n| Chunk {
            object,
            offset: (n * size) as u64,
            bytes: body[n * size..body.len().min((n + 1) * size)].to_vec(),
            is_last: n + 1 == count,
        })
    };
    let mut all: Vec<Chunk> = pieces("bucket/a.json", first).chain(pieces("bucket/b.json", second)).collect();
    all.sort_by_key(|chunk| chunk.offset);
    all.into_iter()
}

fn main() {
    let mut parsers: BTreeMap<&str, PageParser> = BTreeMap::new();
    let mut done: BTreeMap<&str, u64> = BTreeMap::new();
    let mut messages = 0;
    for chunk in receive() {
        let limits = Limits { block_bytes: 4 << 10, ..Limits::default() };
        let parser = parsers.entry(chunk.object).or_insert_with(|| PageParser::new(limits));
        parser.feed(&chunk.bytes);
        if chunk.is_last {
            parser.finish(InputEnd::Complete);
        }
        while let Some(block) = parser.next_block() {
            // Whatever is done with the messages is done here, before the offset is told.
            messages += block.message_count();
            if let Some(last) = block.messages().last() {
                let end = last.position().byte_offset + last.whole().raw().len() as u64;
                done.insert(chunk.object, end);
            }
            parser.recycle(block);
        }
        if chunk.is_last {
            parsers.remove(chunk.object);
        }
    }
    assert_eq!(messages, 65);
    println!("{messages} messages; done up to {done:?}");
}
