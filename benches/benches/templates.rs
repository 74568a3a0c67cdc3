//! Templates: what taking them apart costs, what looking for them costs where there are none, and rivals.
//! With the allocator that users get.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use korpus_benches::{Corpus, in_turn};
use korpus_core::{InputEnd, Limits, PageParser, Scratch, Text, TextKind};
use korpus_engine::InputList;
use korpus_tables::{ConvertOptions, convert};

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MESSAGES: usize = 10_000;

/// A page of 10,000 messages whose first text is a template, or hides nothing.
fn pages(templates: bool) -> Corpus {
    // Users write too, and not every prompt comes out as a template.
    let source = Corpus::with_templates(if templates { 1.0 } else { 0.0 }, 8 * MESSAGES as u64);
    let mut scratch = Scratch::new(&Limits::default());
    let mut messages = Vec::new();
    each_text(&source, |message, text| {
        scratch.reset();
        let wanted = match scratch.classify(text).kind() {
            TextKind::Template => templates,
            TextKind::Plain | TextKind::Empty => !templates,
            _ => false,
        };
        if wanted && messages.len() < MESSAGES {
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
    let out = dir.path().join("out");
    let [templates, none] = [true, false].map(pages);
    let run = |corpus: &Corpus, inputs: &InputList| {
        let options = ConvertOptions { threads: 1, overwrite: true, ..ConvertOptions::default() };
        let kept = convert(inputs, &out, &options, &()).unwrap().run.ledger.totals().0.kept;
        assert_eq!(kept, corpus.messages);
    };
    let [of_templates, of_none] =
        [&templates, &none].map(|corpus| InputList::from_bytes([("page.json", corpus.files[0].clone())]));
    let mut group = criterion.benchmark_group("convert a page, 1 thread");
    for (name, corpus, inputs) in
        [("every text a template", &templates, &of_templates), ("no text a template", &none, &of_none)]
    {
        group.throughput(Throughput::Bytes(corpus.bytes()));
        group.bench_function(name, |bench| bench.iter(|| run(corpus, inputs)));
    }
    group.finish();
    println!("bytes: {} of templates, {} of none", templates.bytes(), none.bytes());
    in_turn(
        "convert a page, 1 thread",
        30,
        &mut [
            ("no text a template", &mut || run(&none, &of_none)),
            ("every text a template", &mut || run(&templates, &of_templates)),
        ],
    );
}

/// Scanning a page that hides nothing, without and with asking of each text what it is.
fn nothing_hidden(criterion: &mut Criterion) {
    let corpus = pages(false);
    let body = &corpus.files[0];
    let mut parser = PageParser::new(Limits::default());
    let mut read = || {
        let mut bytes = 0;
        scan(&mut parser, body, |_, text| bytes += black_box(text.raw()).len());
        black_box(bytes);
    };
    let mut parser = PageParser::new(Limits::default());
    let mut scratch = Scratch::new(&Limits::default());
    let mut classify = || {
        let mut plain = 0;
        scan(&mut parser, body, |_, text| {
            scratch.reset();
            plain += usize::from(scratch.classify(black_box(text)).kind() == TextKind::Plain);
        });
        black_box(plain);
    };
    let mut group = criterion.benchmark_group("scan texts that hide nothing");
    group.throughput(Throughput::Bytes(corpus.bytes()));
    group.bench_function("read", |bench| bench.iter(&mut read));
    group.bench_function("read and classified", |bench| bench.iter(&mut classify));
    group.finish();
    let jobs: &mut [(&str, &mut dyn FnMut())] =
        &mut [("read", &mut read), ("read and classified", &mut classify)];
    in_turn("scan texts that hide nothing", 300, jobs);
}

/// The texts of a page of templates: taken apart where they stand, and parsed by others as the strings that they are.
fn taken_apart(criterion: &mut Criterion) {
    // Others do not look behind entities and double encoding.
    let is_plain_json = |text: Text<'_>| {
        serde_json::from_str::<serde_json::Value>(&text.lossy()).is_ok_and(|value| value.is_object())
    };
    let page = pages(true);
    let mut parser = PageParser::new(Limits::default());
    parser.feed_whole(page.files[0].clone());
    parser.finish(InputEnd::Complete);
    let blocks: Vec<_> = std::iter::from_fn(|| parser.next_block()).collect();
    let in_page: Vec<Text<'_>> = blocks
        .iter()
        .flat_map(korpus_core::Block::messages)
        .filter_map(|message| message.components().next()?.data_text())
        .filter(|text| is_plain_json(*text))
        .collect();
    let texts: Vec<String> = in_page.iter().map(|text| format!("\"{}\"", text.raw())).collect();
    let bytes = texts.iter().map(|text| text.len() as u64).sum();
    let mut scratch = Scratch::new(&Limits::default());
    let mut group = criterion.benchmark_group("take templates apart");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("korpus, type, visible text, elements and actions", |bench| {
        bench.iter(|| {
            for &text in &in_page {
                scratch.reset();
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
