//! Bytes as a broker or an object store hands them out: `cargo run -p korpus-core --example as_it_comes`
//!
//! A consumer gets chunks of many objects in turn, each with an offset, and may tell the broker only what it is done with. So
//! each object has a parser of its own, and its offset is told at the ends of bodies: a parser begins anew behind one, and
//! nowhere else. Whoever takes over reads a body that was open once more, and gets some of its messages again.

use std::collections::{BTreeMap, BTreeSet};

use korpus_core::{InputEnd, Limits, PageParser, PageStatus};

/// What a consumer of such a broker receives.
struct Chunk {
    object: &'static str,
    offset: u64,
    bytes: Vec<u8>,
    is_last: bool,
}

/// What a consumer has told: for each object, up to where it is done.
type Offsets = BTreeMap<&'static str, u64>;

/// The objects: one of three bodies, a line each, the second of them damaged; and one of a single body.
fn objects() -> [(&'static str, Vec<u8>); 2] {
    let page = |session: &str, count: usize| {
        let messages: Vec<String> = (0..count)
            .map(|n| {
                format!(r#"{{"_id":"ms-{session}-{n}","type":"incoming","sessionId":"{session}","components":[]}}"#)
            })
            .collect();
        format!(r#"{{"total":{count},"messages":[{}]}}"#, messages.join(","))
    };
    let damaged = page("b", 20).replacen("\"components\":[]", "\"components\":[", 1);
    let lines = [page("a", 40), damaged, page("c", 10)].join("\n");
    [("bucket/abc.ndjson", lines.into_bytes()), ("bucket/d.json", page("d", 25).into_bytes())]
}

/// The objects in pieces, in turn, each from where the last consumer was done with it.
fn receive(from: &Offsets) -> Vec<Chunk> {
    const SIZE: usize = 700;
    let mut all = Vec::new();
    for (object, body) in objects() {
        let start = from.get(object).map_or(0, |&offset| offset as usize);
        let pieces = body[start..].chunks(SIZE).enumerate().map(|(n, bytes)| Chunk {
            object,
            offset: (start + n * SIZE) as u64,
            bytes: bytes.to_vec(),
            is_last: start + (n + 1) * SIZE >= body.len(),
        });
        all.extend(pieces);
    }
    all.sort_by_key(|chunk| chunk.offset);
    all
}

/// Reads chunks; puts the ids of their messages into `seen` and what is done into `done`. How many spans were rejected.
fn consume(chunks: Vec<Chunk>, seen: &mut BTreeSet<String>, done: &mut Offsets) -> u64 {
    let mut parsers: BTreeMap<&str, (u64, PageParser)> = BTreeMap::new();
    let mut rejected = 0;
    for chunk in chunks {
        let limits = Limits { block_bytes: 1 << 10, ..Limits::default() };
        let (begun_at, parser) =
            parsers.entry(chunk.object).or_insert_with(|| (chunk.offset, PageParser::new(limits)));
        parser.feed(&chunk.bytes);
        if chunk.is_last {
            parser.finish(InputEnd::Complete);
        }
        while let Some(block) = parser.next_block() {
            // Whatever is done with the messages is done here, before the offset is told ...
            seen.extend(block.messages().filter_map(|message| Some(message.id()?.lossy().into_owned())));
            // ... and so is whatever is done with what could not be read.
            for reject in block.rejects() {
                println!("{}: {} at byte {}", chunk.object, reject.reason.as_str(), reject.byte_offset);
            }
            for slice in block.pages() {
                let Some(end) = &slice.end else { continue };
                // Positions count from where this parser began.
                let offset = *begun_at + slice.body_start + end.body_bytes;
                let (status, messages) = (end.status.as_str(), end.messages_seen);
                println!("{}: a body is {status}, {messages} messages; done up to {offset}", chunk.object);
                rejected += end.messages_rejected;
                if end.status != PageStatus::Ok {
                    println!("{}: see to it before its bytes are gone", chunk.object);
                }
                done.insert(chunk.object, offset);
            }
            parser.recycle(block);
        }
        if chunk.is_last {
            parsers.remove(chunk.object);
        }
    }
    rejected
}

fn main() {
    let (mut seen, mut done) = (BTreeSet::new(), Offsets::new());
    // The first consumer dies on the way; the second takes over what it was not done with.
    let mut chunks = receive(&done);
    chunks.truncate(chunks.len() - 2);
    let mut rejected = consume(chunks, &mut seen, &mut done);
    println!("the next consumer begins at {done:?}");
    rejected += consume(receive(&done), &mut seen, &mut done);
    assert_eq!((seen.len(), rejected), (94, 1));
    println!("{} messages, {rejected} rejected; done up to {done:?}", seen.len());
}
