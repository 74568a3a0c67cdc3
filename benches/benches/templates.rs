//! Templates: what taking them apart costs, what looking for them costs where there are none, and rivals.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use korpus_benches::Corpus;
use korpus_core::{InputEnd, Limits, PageParser, Scratch, Text, TextKind, Value};
use korpus_engine::InputList;
use korpus_tables::{ConvertOptions, convert};

const MESSAGES: usize = 10_000;

/// Pages of 10,000 messages whose first text is a template, or is none.
fn pages(templates: bool) -> Corpus {
    let source = Corpus::with_templates(if templates { 1.0 } else { 0.0 }, 4 * MESSAGES as u64);
    let mut scratch = Scratch::new(&Limits::default());
    let mut messages = Vec::new();
    each_text(&source, |message, text| {
        scratch.reset();
        let is_template = scratch.classify(text).kind() == TextKind::Template;
        if is_template == templates && messages.len() < MESSAGES {
            messages.push(message.to_owned());
        }
    });
    assert_eq!(messages.len(), MESSAGES);
    let body = format!("{{\"messages\":[{}],\"moreAvailable\":false}}", messages.join(","));
    Corpus { name: source.name, files: vec![body.into_bytes()], messages: MESSAGES as u64 }
}

/// Hands every message, and the text of its first component, to `each`.
fn each_text(corpus: &Corpus, mut each: impl FnMut(&str, Text<'_>)) {
    for file in &corpus.files {
        let mut parser = PageParser::new(Limits::default());
        scan(&mut parser, file, |message, text| each(message, text));
    }
}

fn scan(parser: &mut PageParser, body: &[u8], mut each: impl FnMut(&str, Text<'_>)) {
    parser.reset();
    let mut blocks = |parser: &mut PageParser| {
        while let Some(block) = parser.next_block() {
            for message in block.messages() {
                let text = message.components().next().and_then(korpus_core::Component::data_text);
                if let Some(text) = text {
                    each(message.whole().raw(), text);
                }
            }
            parser.recycle(block);
        }
    };
    for window in body.chunks(256 << 10) {
        parser.feed(window);
        blocks(parser);
    }
    parser.finish(InputEnd::Complete);
    blocks(parser);
}

/// A page of templates against a page of none.
fn whole(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let mut group = criterion.benchmark_group("convert a page, 1 thread");
    for (name, templates) in [("every text a template", true), ("no text a template", false)] {
        let corpus = pages(templates);
        let inputs = InputList::from_bytes([("page.json", corpus.files[0].clone())]);
        let run = || {
            let options = ConvertOptions { threads: 1, overwrite: true, ..ConvertOptions::default() };
            convert(&inputs, &dir.path().join("out"), &options, &()).unwrap().run.ledger.totals().0.kept
        };
        assert_eq!(run(), corpus.messages);
        group.throughput(Throughput::Bytes(corpus.bytes()));
        group.bench_function(name, |bench| bench.iter(run));
    }
    group.finish();
}

/// Scanning a page that hides nothing, without and with a look at each text.
fn nothing_hidden(criterion: &mut Criterion) {
    let corpus = pages(false);
    let mut parser = PageParser::new(Limits::default());
    let mut scratch = Scratch::new(&Limits::default());
    let mut group = criterion.benchmark_group("scan texts that hide nothing");
    group.throughput(Throughput::Bytes(corpus.bytes()));
    group.bench_function("read", |bench| {
        bench.iter(|| {
            let mut bytes = 0;
            scan(&mut parser, &corpus.files[0], |_, text| bytes += black_box(text.raw()).len());
            bytes
        });
    });
    group.bench_function("read and classified", |bench| {
        bench.iter(|| {
            let mut bytes = 0;
            scan(&mut parser, &corpus.files[0], |_, text| {
                scratch.reset();
                let visible = scratch.classify(text).visible();
                bytes += black_box(visible.unwrap_or_default()).len();
            });
            bytes
        });
    });
    group.finish();
}

/// The texts of a page of templates, as the strings that they are there: taken apart, and parsed by others.
fn taken_apart(criterion: &mut Criterion) {
    let mut texts = Vec::new();
    each_text(&pages(true), |_, text| texts.push(format!("\"{}\"", text.raw())));
    let bytes = texts.iter().map(|text| text.len() as u64).sum();
    let mut scratch = Scratch::new(&Limits::default());
    let mut group = criterion.benchmark_group("take templates apart");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("korpus, type, visible text, elements and actions", |bench| {
        bench.iter(|| {
            for text in &texts {
                scratch.reset();
                let text = Value::parse(text).unwrap().as_text().unwrap();
                let classified = scratch.classify(text);
                let template = classified.template().unwrap();
                black_box((template.template_type(), template.visible(), template.count()));
            }
        });
    });
    group.bench_function("serde_json, the string and a tree of it", |bench| {
        bench.iter(|| {
            for text in &texts {
                let text: String = serde_json::from_str(text).unwrap();
                black_box(serde_json::from_str::<serde_json::Value>(&text).unwrap());
            }
        });
    });
    group.bench_function("simd-json, the string and a tape of it", |bench| {
        bench.iter_batched_ref(
            || texts.iter().map(|text| text.clone().into_bytes()).collect::<Vec<_>>(),
            |texts| {
                for text in texts {
                    let text: String = simd_json::from_slice(text).unwrap();
                    let mut bytes = text.into_bytes();
                    black_box(simd_json::to_tape(&mut bytes).unwrap());
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = whole, nothing_hidden, taken_apart
}
criterion_main!(benches);
