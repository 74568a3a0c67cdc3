//! What metrics cost beside reading alone: gzip pages inflated, scanned, and their templates taken apart; volumes alone; all
//! metrics. Of a busy contact centre, and of one where sessions hardly overlap. With the allocator that users get.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use korpus_analytics::{AnalyzeOptions, Publishing, analyze, analyze_to};
use korpus_benches::{Corpus, in_turn, shared_blocks};
use korpus_core::{Block, Component, DecodeLimits, Limits, PageParser, Scratch, Template, WholeDecoder};
use korpus_engine::InputList;
use korpus_synth::Codec;
use korpus_tables::{ConvertOptions, Table, convert};

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MESSAGES: u64 = 200_000;

/// What it takes to look into all texts, and nothing else.
struct Reader {
    decoder: WholeDecoder,
    /// Lent to the blocks, as the engine lends it.
    body: Arc<Vec<u8>>,
    parser: PageParser,
    scratch: Scratch,
}

impl Reader {
    fn new() -> Self {
        let limits = Limits::default();
        let scratch = Scratch::new(&limits);
        Self { decoder: WholeDecoder::new(), body: Arc::default(), parser: PageParser::new(limits), scratch }
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
            parser.reset();
            let own = Arc::get_mut(body).expect("the blocks of the body before are gone");
            decoder.decode(file, None, &DecodeLimits::default(), own).unwrap();
            shared_blocks(parser, body, &mut each);
        }
        messages
    }
}

fn costs(criterion: &mut Criterion) {
    let quiet = Corpus::both(Codec::Gzip, MESSAGES);
    for corpus in Corpus::both_busy(Codec::Gzip, MESSAGES).into_iter().chain(quiet) {
        let files = corpus.files.iter().enumerate();
        let inputs = InputList::from_bytes(files.map(|(at, file)| (format!("{at}.json.gz"), file.clone())));
        let dir = tempfile::tempdir().unwrap();
        let [volumes_dir, all_dir] = ["volumes", "all"].map(|name| dir.path().join(name));
        let is_all = |kept: u64| assert_eq!(kept, corpus.messages);

        let mut reader = Reader::new();
        let mut read = || is_all(reader.read(&corpus));
        let mut volumes = || {
            let tables = vec![Table::Volumes];
            let options = ConvertOptions { threads: 1, overwrite: true, tables, ..ConvertOptions::default() };
            is_all(convert(&inputs, &volumes_dir, &options, &()).unwrap().run.ledger.totals().0.kept);
        };
        let options = AnalyzeOptions { threads: 1, ..AnalyzeOptions::default() };
        let mut metrics = || {
            let put = &mut |_, rows| {
                black_box(rows);
                Ok(())
            };
            is_all(analyze(&inputs, &options, put, &()).unwrap().run.ledger.totals().0.kept);
        };
        let publishing = Publishing { overwrite: true, ..Publishing::default() };
        let mut whole = || {
            let report = analyze_to(&inputs, &all_dir, &options, &publishing, |_, _| {}, &()).unwrap();
            is_all(report.analysis.run.ledger.totals().0.kept);
        };
        let jobs: &mut [(&str, &mut dyn FnMut())] = &mut [
            ("read, templates taken apart", &mut read),
            ("volumes alone", &mut volumes),
            ("all metrics", &mut metrics),
            ("all metrics, as files and a report", &mut whole),
        ];
        let title = format!("analyze gzip pages, {}, 1 thread", corpus.name);
        println!("{title}: {} bytes a message", corpus.bytes() / corpus.messages);
        let mut group = criterion.benchmark_group(&title);
        group.throughput(Throughput::Elements(corpus.messages));
        for (name, job) in &mut *jobs {
            group.bench_function(*name, |bench| bench.iter(&mut *job));
        }
        group.finish();
        in_turn(&title, 10, jobs);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = costs
}
criterion_main!(benches);
