//! The core alone, one thread: inflating by codec, scanning, decoding texts; with rivals for the scan.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use korpus_benches::{Corpus, SerdePage, blocks, shared_blocks};
use korpus_core::{DecodeLimits, Decoder, Limits, MessageField, PageParser, WholeDecoder};
use korpus_synth::Codec;

const MESSAGES: u64 = 20_000;

fn scan(parser: &mut PageParser, corpus: &Corpus) -> u64 {
    let mut messages = 0;
    for file in &corpus.files {
        blocks(parser, file, |block| messages += block.message_count() as u64);
    }
    messages
}

/// Bytes of all known text fields and of the decoded texts.
fn read_texts(parser: &mut PageParser, corpus: &Corpus, scratch: &mut String) -> usize {
    let mut bytes = 0;
    for file in &corpus.files {
        blocks(parser, file, |block| {
            for message in block.messages() {
                for &field in MessageField::ALL {
                    bytes += message.text(field).map_or(0, |text| text.raw().len());
                }
                for component in message.components() {
                    scratch.clear();
                    if let Some(text) = component.data_text() {
                        text.decode_into(scratch);
                    }
                    bytes += scratch.len();
                }
            }
        });
    }
    bytes
}

fn inflate(criterion: &mut Criterion) {
    let plain = Corpus::new("lean", korpus_synth::Profile::Lean, Codec::Plain, MESSAGES);
    let mut group = criterion.benchmark_group("inflate");
    group.throughput(Throughput::Bytes(plain.bytes()));
    for codec in [Codec::Gzip, Codec::Deflate, Codec::Brotli, Codec::Zstd] {
        let corpus = Corpus::new("lean", korpus_synth::Profile::Lean, codec, MESSAGES);
        let mut window = vec![0; 256 << 10];
        let stream = |window: &mut [u8]| {
            let mut total = 0;
            for file in &corpus.files {
                let mut decoder = Decoder::new(&file[..], None, DecodeLimits::default()).unwrap();
                loop {
                    match decoder.read(window).unwrap() {
                        0 => break,
                        read => total += read as u64,
                    }
                }
            }
            total
        };
        // Raw deflate has no magic number: streaming it needs the name, which only files have.
        if codec != Codec::Deflate {
            assert_eq!(stream(&mut window), plain.bytes());
            group.bench_function(format!("{codec} streaming"), |bench| bench.iter(|| stream(&mut window)));
        }
        if codec == Codec::Gzip {
            let (mut decoder, mut out) = (WholeDecoder::new(), Vec::new());
            let mut whole = || {
                let mut total = 0;
                for file in &corpus.files {
                    decoder.decode(file, None, &DecodeLimits::default(), &mut out).unwrap();
                    total += out.len() as u64;
                }
                total
            };
            assert_eq!(whole(), plain.bytes());
            group.bench_function(format!("{codec} whole"), |bench| bench.iter(&mut whole));
        }
    }
    group.finish();
}

fn scanning(criterion: &mut Criterion) {
    for corpus in Corpus::both(Codec::Plain, MESSAGES) {
        let mut parser = PageParser::new(Limits::default());
        assert_eq!(scan(&mut parser, &corpus), corpus.messages);
        let mut group = criterion.benchmark_group(format!("scan {}", corpus.name));
        group.throughput(Throughput::Bytes(corpus.bytes()));
        group.bench_function("korpus", |bench| bench.iter(|| black_box(scan(&mut parser, &corpus))));
        let shared: Vec<_> = corpus.files.iter().cloned().map(Arc::new).collect();
        group.bench_function("korpus, nothing copied", |bench| {
            bench.iter(|| {
                let mut messages = 0;
                for file in &shared {
                    shared_blocks(&mut parser, file, |block| messages += block.message_count());
                }
                black_box(messages)
            });
        });
        let mut scratch = String::new();
        assert!(read_texts(&mut parser, &corpus, &mut scratch) > 100);
        group.bench_function("korpus, all texts read", |bench| {
            bench.iter(|| black_box(read_texts(&mut parser, &corpus, &mut scratch)));
        });
        group.bench_function("serde_json, borrowed structs", |bench| {
            bench.iter(|| {
                for file in &corpus.files {
                    let page: SerdePage<'_> = serde_json::from_slice(file).unwrap();
                    black_box(page.messages.len());
                }
            });
        });
        group.bench_function("simd-json, tape", |bench| {
            bench.iter_batched_ref(
                || corpus.files.clone(),
                |files| {
                    for file in files {
                        black_box(simd_json::to_tape(file).unwrap());
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = inflate, scanning
}
criterion_main!(benches);
