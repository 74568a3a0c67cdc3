//! What metrics cost beside reading alone: gzip pages inflated, scanned, and their templates taken apart; volumes alone; all
//! metrics.

#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use korpus_analytics::{AnalyzeOptions, Publishing, analyze, analyze_to};
use korpus_benches::{Corpus, blocks};
use korpus_core::{Block, Component, DecodeLimits, Limits, PageParser, Scratch, Template, WholeDecoder};
use korpus_engine::InputList;
use korpus_synth::{Codec, Profile};
use korpus_tables::{ConvertOptions, Table, convert};

const MESSAGES: u64 = 200_000;

/// What it takes to look into all texts, and nothing else.
struct Reader {
    decoder: WholeDecoder,
    body: Vec<u8>,
    parser: PageParser,
    scratch: Scratch,
}

impl Reader {
    fn new() -> Self {
        let limits = Limits::default();
        let scratch = Scratch::new(&limits);
        Self { decoder: WholeDecoder::new(), body: Vec::new(), parser: PageParser::new(limits), scratch }
    }

    fn read(&mut self, corpus: &Corpus) -> u64 {
        let Self { decoder, body, parser, scratch } = self;
        let mut messages = 0;
        let mut each = |block: &Block| {
            for message in block.messages() {
                messages += 1;
                for text in message.components().filter_map(Component::data_text) {
                    scratch.reset();
                    let classified = scratch.classify(text);
                    let template = classified.template();
                    black_box((classified.visible(), template.map(Template::count)));
                }
            }
        };
        for file in &corpus.files {
            decoder.decode(file, None, &DecodeLimits::default(), body).unwrap();
            blocks(parser, body, &mut each);
        }
        messages
    }
}

fn costs(criterion: &mut Criterion) {
    for corpus in [
        Corpus::new("lean", Profile::Lean, Codec::Gzip, MESSAGES),
        Corpus::new("rich", Profile::Rich, Codec::Gzip, MESSAGES / 2),
    ] {
        let files = corpus.files.iter().enumerate();
        let inputs = InputList::from_bytes(files.map(|(at, file)| (format!("{at}.json.gz"), file.clone())));
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let mut group = criterion.benchmark_group(format!("analyze gzip pages, {}, 1 thread", corpus.name));
        group.throughput(Throughput::Elements(corpus.messages));

        let mut reader = Reader::new();
        assert_eq!(reader.read(&corpus), corpus.messages);
        group.bench_function("read, templates taken apart", |bench| bench.iter(|| reader.read(&corpus)));

        let volumes = || {
            let tables = vec![Table::Volumes];
            let options = ConvertOptions { threads: 1, overwrite: true, tables, ..ConvertOptions::default() };
            convert(&inputs, &out, &options, &()).unwrap().run.ledger.totals().0.kept
        };
        assert_eq!(volumes(), corpus.messages);
        group.bench_function("volumes alone", |bench| bench.iter(volumes));

        let options = AnalyzeOptions { threads: 1, ..AnalyzeOptions::default() };
        let tables = || {
            let put = &mut |_, rows| {
                black_box(rows);
                Ok(())
            };
            analyze(&inputs, &options, put, &()).unwrap().run.ledger.totals().0.kept
        };
        assert_eq!(tables(), corpus.messages);
        group.bench_function("all metrics", |bench| bench.iter(tables));

        let publishing = Publishing { overwrite: true, ..Publishing::default() };
        let whole = || {
            let report = analyze_to(&inputs, &out, &options, &publishing, |_, _| {}, &()).unwrap();
            report.analysis.run.ledger.totals().0.kept
        };
        std::fs::remove_dir_all(&out).unwrap();
        assert_eq!(whole(), corpus.messages);
        group.bench_function("all metrics, as files and a report", |bench| bench.iter(whole));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = costs
}
criterion_main!(benches);
