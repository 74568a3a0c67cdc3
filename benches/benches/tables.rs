//! From messages to files: building columns, writing Parquet, and whole conversions.

#![forbid(unsafe_code)]

use std::ops::ControlFlow;

use arrow::record_batch::RecordBatch;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use korpus_benches::Corpus;
use korpus_engine::{InputList, RunOptions};
use korpus_synth::Codec;
use korpus_tables::{Compression, ConvertOptions, Table, batches, convert, writer_properties};
use parquet::arrow::ArrowWriter;

const MESSAGES: u64 = 20_000;

fn inputs(corpus: &Corpus) -> InputList {
    let files = corpus.files.iter().enumerate();
    InputList::from_bytes(files.map(|(index, bytes)| (format!("page-{index:04}.json"), bytes.clone())))
}

/// All rows of `messages`, as the batches that one thread makes of plain pages.
fn columns(inputs: &InputList) -> Vec<RecordBatch> {
    let mut made = Vec::new();
    batches(inputs, &[Table::Messages], &RunOptions::default(), 1, &(), &mut |_, batch| {
        made.push(batch);
        ControlFlow::Continue(())
    })
    .unwrap();
    made
}

fn build_columns(criterion: &mut Criterion) {
    for corpus in Corpus::both(Codec::Plain, MESSAGES) {
        let inputs = inputs(&corpus);
        let rows: usize = columns(&inputs).iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows as u64, corpus.messages);
        let mut group = criterion.benchmark_group("scan and build columns, 1 thread");
        group.throughput(Throughput::Bytes(corpus.bytes()));
        group.bench_function(corpus.name, |bench| bench.iter(|| columns(&inputs)));
        group.finish();
    }
}

fn write_parquet(criterion: &mut Criterion) {
    for corpus in Corpus::both(Codec::Plain, MESSAGES) {
        let made = columns(&inputs(&corpus));
        let mut group = criterion.benchmark_group(format!("write Parquet {}, 1 thread", corpus.name));
        group.throughput(Throughput::Bytes(corpus.bytes()));
        for (name, compression) in
            [("zstd", Compression::Zstd), ("lz4", Compression::Lz4), ("none", Compression::None)]
        {
            let write = || {
                let properties = writer_properties(Table::Messages, compression);
                let schema = Table::Messages.arrow_schema();
                let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).unwrap();
                for batch in &made {
                    writer.write(batch).unwrap();
                }
                writer.into_inner().unwrap().len()
            };
            assert!(write() > 1000);
            group.bench_function(name, |bench| bench.iter(write));
        }
        group.finish();
    }
}

fn whole(criterion: &mut Criterion) {
    for corpus in Corpus::both(Codec::Gzip, MESSAGES) {
        let inputs = inputs(&corpus);
        let plain = Corpus::both(Codec::Plain, MESSAGES);
        let bytes = plain.iter().find(|other| other.name == corpus.name).map_or(0, Corpus::bytes);
        let dir = tempfile::tempdir().unwrap();
        let mut group = criterion.benchmark_group(format!("convert {} gzip", corpus.name));
        group.throughput(Throughput::Bytes(bytes));
        for threads in [1, 2] {
            let run = || {
                let options = ConvertOptions { threads, overwrite: true, ..ConvertOptions::default() };
                convert(&inputs, &dir.path().join("out"), &options, &()).unwrap().run.ledger.totals().0.kept
            };
            assert_eq!(run(), corpus.messages);
            group.bench_function(format!("{threads} threads, all tables"), |bench| bench.iter(run));
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = build_columns, write_parquet, whole
}
criterion_main!(benches);
