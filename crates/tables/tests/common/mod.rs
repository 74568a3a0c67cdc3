//! What the tests of whole datasets share.
#![allow(dead_code, unreachable_pub, reason = "every test binary uses its own part of this")]

pub mod archives;
pub mod templates;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use korpus_core::{Conversation, Kind};
use korpus_engine::InputList;
use korpus_tables::{ConvertOptions, ConvertReport, Dataset, Table, convert, restore};

/// Options for small tests: tiny row groups, so that every case has several.
pub fn options(threads: usize, row_group_rows: usize, dedup: bool) -> ConvertOptions {
    let mut options = ConvertOptions { threads, row_group_rows: Some(row_group_rows), ..Default::default() };
    options.run.dedup = dedup;
    options
}

/// A page of messages.
pub fn page(messages: &[Vec<u8>]) -> Vec<u8> {
    array("{\"total\":1,\"moreAvailable\":false,\"messages\":[", messages)
}

/// A page of whatever `open` opens.
pub fn array(open: &str, elements: &[Vec<u8>]) -> Vec<u8> {
    let mut body = open.as_bytes().to_vec();
    body.extend(elements.join(&b","[..]));
    body.extend(b"]}");
    body
}

/// Converts bodies in memory.
pub fn convert_bodies(bodies: &[(&str, Vec<u8>)], out: &Path, options: &ConvertOptions) -> ConvertReport {
    let inputs = InputList::from_bytes(bodies.iter().map(|(name, body)| (*name, body.clone())));
    convert(&inputs, out, options, &()).unwrap()
}

/// Asserts that nothing was rejected; says what was, and why.
pub fn assert_clean(dataset: &Path, report: &ConvertReport) {
    let rejects = rows(dataset, Table::Rejects);
    let raw = |row| {
        String::from_utf8_lossy(rejects.column_by_name("raw_bytes").unwrap().as_binary::<i32>().value(row))
    };
    let all: Vec<_> = (0..rejects.num_rows())
        .map(|row| (rejects.column_by_name("reason").unwrap().as_string::<i32>().value(row), raw(row)))
        .collect();
    assert!(report.run.ledger.is_clean(), "{all:#?}");
}

/// The lines that restoring gives.
pub fn restored(dataset: &Path) -> Vec<String> {
    let mut out = Vec::new();
    restore(dataset, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// All rows of a table.
pub fn rows(dataset: &Path, table: Table) -> RecordBatch {
    let batches: Vec<_> =
        Dataset::open(dataset).unwrap().read(table).unwrap().collect::<Result<_, _>>().unwrap();
    arrow::compute::concat_batches(&table.arrow_schema(), &batches).unwrap()
}

/// Every file of a directory, by its path, with its bytes.
pub fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path).into_iter().map(|(name, bytes)| (path.join(name), bytes)));
        } else {
            all.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    all.into_iter().map(|(path, bytes)| (path.strip_prefix(dir).unwrap_or(&path).to_owned(), bytes)).collect()
}

/// A record without its list of messages, and these.
pub fn without_messages(record: Conversation<'_>) -> (String, Vec<String>) {
    let (mut messages, mut left) = (Vec::new(), Vec::new());
    for (key, value) in record.whole().members() {
        if key.is("messages") && value.kind() == Kind::Array && value.elements().next().is_some() {
            messages.extend(value.elements().map(|element| element.raw().to_owned()));
        } else {
            left.push(format!("\"{}\":{}", key.raw(), value.raw()));
        }
    }
    (format!("{{{}}}", left.join(",")), messages)
}
