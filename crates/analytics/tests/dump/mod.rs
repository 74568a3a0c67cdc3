//! A dump with copies in it, and what comes of it as a whole.

use korpus_analytics::{AnalyzeOptions, Counts, Tables, collect, time_zone};
use korpus_engine::InputList;
use korpus_synth::{Shape, Size, Synth, SynthOptions};

/// Bodies of all shapes, with copies among them.
pub(crate) fn bodies() -> Vec<(String, Vec<u8>)> {
    let options = SynthOptions {
        seed: 7,
        size: Size::Messages(6000),
        page_size: 150,
        shapes: vec![Shape::V2, Shape::Lite, Shape::Call, Shape::AgentAiHistory, Shape::Sessions, Shape::V1],
        codecs: vec![korpus_synth::Codec::Plain],
        duplicates: 0.1,
        edited_copies: 0.1,
        overlap: 0.1,
        users: 60,
        ..SynthOptions::default()
    };
    let (files, _) = Synth::new(options).unwrap().write_memory().unwrap();
    files.into_iter().collect()
}

pub(crate) fn options() -> AnalyzeOptions {
    AnalyzeOptions { timezone: time_zone("America/St_Johns").unwrap(), ..AnalyzeOptions::default() }
}

/// But for the column that says where something was first.
pub(crate) fn without_sources(mut tables: Tables) -> Tables {
    let drift = tables.get_mut("drift").unwrap();
    drift.remove_column(drift.schema().index_of("first_source").unwrap());
    tables
}

pub(crate) fn run(bodies: Vec<(String, Vec<u8>)>, options: &AnalyzeOptions) -> (Tables, Counts, u64) {
    let (tables, found) = collect(&InputList::from_bytes(bodies), options, &()).unwrap();
    (without_sources(tables), found.counts, found.spilled_bytes)
}

pub(crate) fn assert_same(a: &Tables, b: &Tables, what: &str) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, batch) in a {
        assert!(batch == &b[name], "{name}: {what}");
    }
}
