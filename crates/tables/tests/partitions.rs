//! Messages in one folder a day: the same rows as in one file, the same bytes whoever writes them, and everything that a
//! dataset can be asked for.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Int64Type};
use common::{files, options, page, restored, rows};
use korpus_engine::{EngineError, InputList, MANIFEST, Manifest};
use korpus_synth::{Codec, Shape, Size, Synth, SynthOptions};
use korpus_tables::{ConvertOptions, Dataset, PartitionBy, Table, TablesError, append, convert};
use parquet::file::metadata::ParquetMetaDataReader;

type Bodies = Vec<(String, Vec<u8>)>;

fn by_day(options: ConvertOptions) -> ConvertOptions {
    ConvertOptions { partition_by: Some(PartitionBy::EventDate), ..options }
}

fn inputs(bodies: &[(String, Vec<u8>)]) -> InputList {
    InputList::from_bytes(bodies.iter().cloned())
}

/// The folders of the days.
fn folders(dataset: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dataset.join("messages")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Dumps of all shapes that overlap, with copies of both kinds.
fn dump() -> Bodies {
    let synth = SynthOptions {
        size: Size::Messages(1500),
        page_size: 50,
        shapes: Shape::ALL.to_vec(),
        codecs: vec![Codec::Plain],
        duplicates: 0.2,
        edited_copies: 0.2,
        overlap: 0.2,
        ..SynthOptions::default()
    };
    spread(synth)
}

/// What these options make, over ten days.
fn spread(synth: SynthOptions) -> Bodies {
    let bodies = Synth::new(synth).unwrap().write_memory().unwrap().0;
    bodies.into_iter().map(|(name, body)| (name, over_days(&body))).collect()
}

/// The times of a body spread over ten days, by their minutes: equal ones stay equal.
fn over_days(body: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    let mut out = String::new();
    let mut parts = text.split("2025-11-17T");
    out.push_str(parts.next().unwrap());
    for part in parts {
        out.extend(["2025-11-1", &part[4..5], "T", part]);
    }
    out.into_bytes()
}

#[test]
fn the_rows_are_those_of_one_file() {
    let bodies = dump();
    let dir = tempfile::tempdir().unwrap();
    for (row_group_rows, dedup) in [(7, true), (1 << 20, true), (30, false)] {
        let options = options(2, row_group_rows, dedup);
        let (flat, days) = (dir.path().join("flat"), dir.path().join("days"));
        convert(&inputs(&bodies), &flat, &options, &()).unwrap();
        convert(&inputs(&bodies), &days, &by_day(options), &()).unwrap();
        assert!(folders(&days).len() > 3, "{:?}", folders(&days));
        for table in Table::ALL {
            assert_eq!(rows(&flat, table), rows(&days, table), "{table}");
        }
        assert_eq!(restored(&flat), restored(&days));
        let [flat_manifest, days_manifest] = [&flat, &days].map(|dataset| Manifest::read(dataset).unwrap());
        assert_eq!(flat_manifest.totals, days_manifest.totals);
        assert_eq!(days_manifest.options["partition_by"], "event_date");
        std::fs::remove_dir_all(&flat).unwrap();
        std::fs::remove_dir_all(&days).unwrap();
    }
}

#[test]
fn every_message_lies_in_the_folder_of_its_day_and_the_day_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    convert(&inputs(&dump()), &out, &by_day(options(1, 40, true)), &()).unwrap();
    let all = rows(&out, Table::Messages);
    let days = all.column_by_name("event_date").unwrap().as_primitive::<Date32Type>();
    let seqs = all.column_by_name("message_seq").unwrap().as_primitive::<Int64Type>();
    assert!(seqs.values().is_sorted());
    let mut expected = BTreeSet::new();
    for row in 0..all.num_rows() {
        expected.insert(days.is_valid(row).then(|| days.value(row)));
    }
    let mut found = BTreeSet::new();
    for folder in folders(&out) {
        let value = folder.strip_prefix("event_date=").unwrap();
        let day = korpus_core::parse_date(value);
        assert!(day.is_some() || value == "__HIVE_DEFAULT_PARTITION__", "{value}");
        found.insert(day);
        let path = out.join("messages").join(&folder).join("part-00000.parquet");
        let metadata =
            ParquetMetaDataReader::new().parse_and_finish(&std::fs::File::open(&path).unwrap()).unwrap();
        let fields = metadata.file_metadata().schema_descr().root_schema().get_fields();
        assert!(fields.iter().all(|field| field.name() != "event_date"));
        let of_day = (0..all.num_rows()).filter(|&row| days.is_valid(row).then(|| days.value(row)) == day);
        assert_eq!(metadata.file_metadata().num_rows() as usize, of_day.count());
    }
    assert_eq!(found, expected);
}

#[test]
fn threads_windows_and_memory_leave_no_trace() {
    let bodies = dump();
    let dir = tempfile::tempdir().unwrap();
    let made = |name: &str, options: &ConvertOptions| {
        let out = dir.path().join(name);
        convert(&inputs(&bodies), &out, options, &()).unwrap();
        let mut files = files(&out);
        // In the keys, those of a block stand together.
        files.retain(|path, _| !path.to_str().unwrap().starts_with('_'));
        files
    };
    let mut options = by_day(options(1, 16, true));
    let one = made("one", &options);
    options.threads = 4;
    options.run.limits.block_bytes = 5000;
    options.run.memory = korpus_engine::MemoryBudget::new(0);
    let many = made("many", &options);
    assert!(one.keys().eq(many.keys()));
    for (name, bytes) in &one {
        assert!(*bytes == many[name], "{}", name.display());
    }
}

#[test]
fn adding_comes_to_one_run() {
    let bodies = dump();
    let options = by_day(options(2, 30, true));
    let dir = tempfile::tempdir().unwrap();
    let (grown, whole) = (dir.path().join("grown"), dir.path().join("whole"));
    for (turn, run) in bodies.chunks(bodies.len().div_ceil(4)).enumerate() {
        if turn == 0 {
            convert(&inputs(run), &grown, &options, &()).unwrap();
        } else {
            append(&inputs(run), &grown, &options, &()).unwrap().added.unwrap();
        }
    }
    convert(&inputs(&bodies), &whole, &options, &()).unwrap();
    assert_eq!(restored(&grown), restored(&whole));
    assert_eq!(rows(&grown, Table::Messages), rows(&whole, Table::Messages));
    assert_eq!(rows(&grown, Table::Superseded).num_rows(), rows(&whole, Table::Superseded).num_rows());
    let manifest = Manifest::read(&grown).unwrap();
    assert_eq!(manifest.totals, Manifest::read(&whole).unwrap().totals);
    // What the manifest names is there, and nothing else.
    let mut found = files(&grown);
    found.remove(Path::new(MANIFEST)).unwrap();
    for entry in manifest.files.iter().chain(&manifest.keys) {
        assert_eq!(found.remove(Path::new(&entry.path)).unwrap().len() as u64, entry.bytes);
    }
    assert!(found.is_empty(), "{:?}", found.keys());
    // A day without messages has no folder left.
    let folder_of = |entry: &korpus_engine::FileEntry| {
        entry.path.strip_prefix("messages/").map(|rest| rest.split('/').next().unwrap().to_owned())
    };
    let listed: BTreeSet<_> = manifest.files.iter().filter_map(folder_of).collect();
    assert!(folders(&grown).into_iter().eq(listed));
}

/// A page with one message, on the given day.
fn on(day: &str, id: &str, modified: &str) -> (String, Vec<u8>) {
    let message = format!(
        r#"{{"_id":"{id}","type":"incoming","createdOn":"{day}T12:00:00.000Z","lmodifiedOn":"{modified}T12:00:00.000Z","components":[]}}"#
    );
    (format!("{day}-{id}-{modified}.json"), page(&[message.into_bytes()]))
}

#[test]
fn a_day_that_loses_all_its_messages_goes_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let options = by_day(options(1, 10, true));
    let (monday, tuesday) = ("event_date=2025-09-01", "event_date=2025-09-02");
    convert(&inputs(&[on("2025-09-01", "a", "2025-09-01")]), &out, &options, &()).unwrap();
    assert_eq!(folders(&out), [monday]);
    // The same message, as it is said to be by a newer copy.
    append(&inputs(&[on("2025-09-02", "a", "2025-09-03")]), &out, &options, &()).unwrap();
    assert_eq!(folders(&out), [tuesday]);
    assert_eq!(rows(&out, Table::Superseded).num_rows(), 1);
    append(&inputs(&[on("2025-09-01", "b", "2025-09-03")]), &out, &options, &()).unwrap();
    assert_eq!(folders(&out), [monday, tuesday]);
    assert_eq!(restored(&out).len(), 2);
    append(&inputs(&[("nothing.json".to_owned(), b"{}".to_vec())]), &out, &options, &()).unwrap();
    assert_eq!(folders(&out), [monday, tuesday]);
}

#[test]
fn a_dataset_without_messages_shows_its_columns() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let options = by_day(options(1, 10, true));
    convert(&inputs(&[("empty.json".to_owned(), page(&[]))]), &out, &options, &()).unwrap();
    assert_eq!(folders(&out), ["event_date=__HIVE_DEFAULT_PARTITION__"]);
    assert_eq!(rows(&out, Table::Messages).num_rows(), 0);
    append(&inputs(&[on("2025-09-01", "b", "2025-09-03")]), &out, &options, &()).unwrap();
    assert_eq!(folders(&out), ["event_date=2025-09-01"]);
    assert_eq!(restored(&out).len(), 1);
}

#[test]
fn other_layouts_are_not_added_to() {
    let dir = tempfile::tempdir().unwrap();
    let (flat, days) = (dir.path().join("flat"), dir.path().join("days"));
    let one = inputs(&[on("2025-09-01", "a", "2025-09-01")]);
    let plain = options(1, 10, true);
    convert(&one, &flat, &plain, &()).unwrap();
    convert(&one, &days, &by_day(plain.clone()), &()).unwrap();
    let refused = |out: &PathBuf, options: &ConvertOptions| match append(&one, out, options, &()) {
        Err(TablesError::Engine(EngineError::Usage(why))) => why,
        other => panic!("{other:?}"),
    };
    assert!(
        refused(&flat, &by_day(plain.clone()))
            .contains("partition_by was nothing, and is \"event_date\" now")
    );
    assert!(refused(&days, &plain).contains("partition_by was \"event_date\", and is nothing now"));
    let tags = ConvertOptions { tables: vec![Table::Tags], ..by_day(plain) };
    match convert(&one, &dir.path().join("tags"), &tags, &()) {
        Err(TablesError::Engine(EngineError::Usage(why))) => {
            assert!(why.contains("--tables leaves out"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(Dataset::open(&days).unwrap().read(Table::Messages).unwrap().count(), 1);
}

#[test]
fn nobody_reads_two_datasets_as_one() {
    // More than are read at a time.
    let synth = SynthOptions {
        size: Size::Messages(3000),
        page_size: 500,
        codecs: vec![Codec::Plain],
        ..SynthOptions::default()
    };
    let old = spread(synth);
    let new = dump();
    let dir = tempfile::tempdir().unwrap();
    for by_days in [false, true] {
        let out = dir.path().join(format!("by_days_{by_days}"));
        let options = options(2, 7, true);
        let options = if by_days { by_day(options) } else { options };
        convert(&inputs(&old), &out, &options, &()).unwrap();
        let expected = restored(&out);

        let dataset = Dataset::open(&out).unwrap();
        let mut reader = dataset.read(Table::Messages).unwrap();
        let first = reader.next().unwrap().unwrap().num_rows();
        assert!(first < expected.len());
        append(&inputs(&new), &out, &options, &()).unwrap();
        let last = reader.last().unwrap();
        assert!(matches!(last, Err(TablesError::Replaced { .. })), "{by_days}: {last:?}");
        for failed in [
            dataset.restore(&mut Vec::new()).err(),
            dataset.read(Table::Messages).err(),
            dataset.read(Table::Pages).err(),
        ] {
            assert!(matches!(failed, Some(TablesError::Replaced { .. })), "{by_days}: {failed:?}");
        }

        // Opened again, it is the new one, whole.
        assert!(restored(&out).len() > expected.len());
        let dataset = Dataset::open(&out).unwrap();
        std::fs::remove_file(out.join(MANIFEST)).unwrap();
        assert!(matches!(dataset.read(Table::Messages), Err(TablesError::Replaced { .. })));
    }
}
