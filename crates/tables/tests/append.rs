//! Adding to a dataset comes to what one run over all inputs makes, row by row.

mod common;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use common::archives::{gzip, har, tar, zip};
use common::{array, files, options, page, restored, rows};
use korpus_engine::{EngineError, ExpandOptions, Filter, InputList, Manifest, expand};
use korpus_synth::{Shape, Size, Synth, SynthOptions};
use korpus_tables::{ConvertOptions, Table, TablesError, append, convert};
use proptest::prelude::*;

type Bodies = Vec<(String, Vec<u8>)>;

fn inputs(bodies: &[(String, Vec<u8>)]) -> InputList {
    InputList::from_bytes(bodies.iter().cloned())
}

/// The rows of a table, sorted.
fn sorted(dataset: &Path, table: Table) -> Vec<String> {
    let all = rows(dataset, table);
    let cell = |column: &ArrayRef, row: usize| match column.data_type() {
        _ if column.is_null(row) => "null".to_owned(),
        // Writing zones down takes a library more.
        DataType::Timestamp(..) => column.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        _ => format!("'{}'", array_value_to_string(column, row).unwrap()),
    };
    let row = |row| all.columns().iter().map(|column| cell(column, row)).collect::<Vec<_>>().join("\u{1f}");
    let mut rows: Vec<String> = (0..all.num_rows()).map(row).collect();
    rows.sort();
    rows
}

/// Converts the first of `runs` and appends the others; compares with one run over all that is not known by then.
fn check(runs: &[Bodies], options: &ConvertOptions) {
    let dir = tempfile::tempdir().unwrap();
    let (grown, whole) = (dir.path().join("grown"), dir.path().join("whole"));
    let (mut all, mut known) = (Bodies::new(), HashSet::new());
    for (turn, run) in runs.iter().enumerate() {
        let fresh: Bodies = run.iter().filter(|(_, body)| !known.contains(body)).cloned().collect();
        if turn == 0 {
            convert(&inputs(run), &grown, options, &()).unwrap();
        } else {
            let report = append(&inputs(run), &grown, options, &()).unwrap();
            assert_eq!(report.known.len(), run.len() - fresh.len());
            assert_eq!(report.added.is_some(), !fresh.is_empty());
        }
        known.extend(fresh.iter().map(|(_, body)| body.clone()));
        all.extend(fresh);
    }
    convert(&inputs(&all), &whole, options, &()).unwrap();
    for table in Table::ALL {
        let (found, expected) = (sorted(&grown, table), sorted(&whole, table));
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{table}");
        }
        assert_eq!(found.len(), expected.len(), "{table}");
    }
    let [grown_manifest, whole_manifest] = [&grown, &whole].map(|dataset| Manifest::read(dataset).unwrap());
    assert_eq!(grown_manifest.totals, whole_manifest.totals);
    assert_eq!(grown_manifest.inputs, whole_manifest.inputs);
    assert_eq!(grown_manifest.options, whole_manifest.options);
    let listed = |manifest: &Manifest| {
        let mut rows = BTreeMap::new();
        for file in &manifest.files {
            *rows.entry(file.table.clone()).or_insert(0) += file.rows;
        }
        rows
    };
    assert_eq!(listed(&grown_manifest), listed(&whole_manifest));
    // What the manifest says of the files is so, and there are no others.
    let mut found = files(&grown);
    found.remove(Path::new(korpus_engine::MANIFEST)).unwrap();
    for entry in grown_manifest.files.iter().chain(&grown_manifest.keys) {
        let bytes = found.remove(Path::new(&entry.path)).unwrap();
        assert_eq!((entry.bytes, &entry.hash), (bytes.len() as u64, &hash(&bytes)), "{}", entry.path);
    }
    assert!(found.is_empty(), "{:?}", found.keys());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing lies around");
    if options.tables.is_empty() {
        assert_eq!(restored(&grown), restored(&whole));
    }
}

fn hash(bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    format!("{:032x}", korpus_engine::hash_file(&path).unwrap().1)
}

/// Cuts a list into so many runs.
fn cut(bodies: &Bodies, runs: usize) -> Vec<Bodies> {
    bodies.chunks(bodies.len().div_ceil(runs)).map(<[_]>::to_vec).collect()
}

#[test]
fn synthetic_dumps_in_four_runs_come_to_those_in_one() {
    for &shape in Shape::ALL {
        let synth = SynthOptions {
            size: Size::Messages(240),
            page_size: 20,
            shapes: vec![shape],
            duplicates: 0.2,
            edited_copies: 0.2,
            overlap: 0.2,
            pretty: shape == Shape::Lite,
            ..SynthOptions::default()
        };
        let (bodies, _) = Synth::new(synth).unwrap().write_memory().unwrap();
        check(&cut(&bodies, 4), &options(2, 30, true));
        check(&cut(&bodies, 2), &options(1, 1000, false));
    }
}

#[test]
fn tables_of_several_files_are_added_to() {
    // Row groups of four rows, and 64 of those in a file: copies are taken out of files of both runs.
    let made = |seed| -> Bodies {
        let options = SynthOptions {
            seed,
            size: Size::Messages(400),
            page_size: 100,
            duplicates: 0.1,
            edited_copies: 0.1,
            ..SynthOptions::default()
        };
        let (bodies, _) = Synth::new(options).unwrap().write_memory().unwrap();
        bodies.into_iter().map(|(name, body)| (format!("{seed}-{name}"), body)).collect()
    };
    let (first, mut second) = (made(1), made(2));
    second.push(("again.json".to_owned(), [first[0].1.as_slice(), b"\n"].concat()));
    let tables = [&[][..], &[Table::Superseded, Table::Messages, Table::Volumes]];
    for tables in tables {
        let options = ConvertOptions { tables: tables.to_vec(), ..options(2, 4, true) };
        if tables.is_empty() {
            check(&[first.clone(), second.clone()], &options);
        }
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        convert(&inputs(&first), &out, &options, &()).unwrap();
        let names = |table: Table| -> Vec<String> {
            let found = files(&out.join(table.name())).into_keys();
            found.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(Table::Messages)[..2], ["part-00000.parquet", "part-00001.parquet"]);
        let others = names(Table::Tags);
        assert_eq!(others.len() > 1, tables.is_empty(), "{others:?}");
        assert_eq!(rows(&out, Table::Tags).num_rows() > 0, tables.is_empty());
    }
}

#[test]
fn damaged_dumps_and_archives_are_added_too() {
    let synth = SynthOptions {
        size: Size::Messages(400),
        page_size: 50,
        shapes: vec![Shape::V1, Shape::AgentAi, Shape::Sessions],
        damage: korpus_synth::Damage::ALL.to_vec(),
        damage_every: 2,
        edited_copies: 0.2,
        ..SynthOptions::default()
    };
    let (mut bodies, _) = Synth::new(synth.clone()).unwrap().write_memory().unwrap();
    let (others, _) = Synth::new(SynthOptions { seed: 2, ..synth }).unwrap().write_memory().unwrap();
    let mut builder = tar::Builder::new(Vec::new());
    for (name, body) in &others {
        let mut header = tar::Header::new_ustar();
        header.set_size(body.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &body[..]).unwrap();
    }
    bodies.push(("all.tar".to_owned(), builder.into_inner().unwrap()));
    bodies.push(("nothing.json".to_owned(), b"[]".to_vec()));
    let last = bodies.split_off(bodies.len() - 2);
    let mut runs = cut(&bodies, 2);
    runs.insert(1, last);
    check(&runs, &options(2, 30, true));
}

#[test]
fn members_of_archives_are_known_by_their_content_and_exchanges_by_their_request_too() {
    let tar = |members: &[(String, Vec<u8>)]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, body) in members {
            let mut header = tar::Header::new_ustar();
            header.set_size(body.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, &body[..]).unwrap();
        }
        builder.into_inner().unwrap()
    };
    let har = |url: &str, members: &[(String, Vec<u8>)]| {
        let entry = |(_, body): &(String, Vec<u8>)| {
            let text = serde_json::to_string(std::str::from_utf8(body).unwrap()).unwrap();
            format!(
                "{{\"request\":{{\"method\":\"GET\",\"url\":\"https://h/getMessages?{url}\"}},\
                 \"response\":{{\"status\":200,\"content\":{{\"mimeType\":\"application/json\",\"text\":{text}}}}}}}"
            )
        };
        let entries: Vec<String> = members.iter().map(entry).collect();
        format!("{{\"log\":{{\"version\":\"1.2\",\"entries\":[{}]}}}}", entries.join(",")).into_bytes()
    };
    // Larger than what is held whole.
    let large = (
        "large.json".to_owned(),
        page(
            &(0..20_000)
                .map(|n| {
                    format!(r#"{{"_id":"l{n}","type":"incoming","components":[],"timestampValue":{n}}}"#)
                        .into_bytes()
                })
                .collect::<Vec<_>>(),
        ),
    );
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut options = options(2, 1000, false);
    options.run.memory = korpus_engine::MemoryBudget::new(0);
    options.run.limits.whole_bytes = 4096;
    let kept = || Manifest::read(&out).unwrap().totals.messages.kept;
    convert(
        &inputs(&[message("a"), ("first.tar".to_owned(), tar(&[message("b"), large.clone()]))]),
        &out,
        &options,
        &(),
    )
    .unwrap();
    assert_eq!(kept(), 20_002);
    // Nothing is twice there, though copies are not told.
    let mut other = large.clone();
    let at = other.1.len() - 20;
    other.1[at] = b' ';
    let exchanges = [message("c"), message("f"), message("a"), large.clone()];
    let runs = [
        ("second.tar", tar(&[message("a"), message("c"), message("b"), large.clone()]), 20_003, 3),
        // What was read before had no request; this is one that nobody made.
        ("third.har", har("day=1", &exchanges), 40_006, 0),
        ("again.har", har("day=1", &[&exchanges[..], &[message("d")]].concat()), 40_007, 4),
        ("another.har", har("day=2", &exchanges[..2]), 40_009, 0),
        ("fourth.tar", tar(&[message("a"), message("d"), message("f")]), 40_009, 3),
        (
            "fifth.tar",
            tar(&[("inner.tar".to_owned(), tar(&[message("d"), message("e")])), message("e"), message("a")]),
            40_011,
            2,
        ),
        ("sixth.tar", tar(&[other]), 60_011, 0),
    ];
    for (name, body, all, known) in runs {
        let report = append(&inputs(&[(name.to_owned(), body)]), &out, &options, &()).unwrap();
        let added = report.added.unwrap();
        assert_eq!((kept(), added.run.ledger.known_members()), (all, known), "{name}");
        assert!(added.run.ledger.is_clean(), "{name}");
    }
    let report = append(&inputs(&[message("d"), large]), &out, &options, &()).unwrap();
    assert_eq!(report.known.len(), 2);
}

#[test]
fn what_was_refused_for_where_it_stood_is_not_known() {
    let named = |files: &[(&str, &Vec<u8>)]| {
        files.iter().map(|(name, body)| ((*name).to_owned(), (*body).clone())).collect::<Bodies>()
    };
    let dir = tempfile::tempdir().unwrap();
    let grow = |name: &str, whole: (String, Vec<u8>), parts: &[&Bodies], options: &ConvertOptions| {
        let out = dir.path().join(name);
        let kept = || Manifest::read(&out).unwrap().totals.messages.kept;
        convert(&inputs(std::slice::from_ref(&whole)), &out, options, &()).unwrap();
        let mut kept_after = vec![kept()];
        for part in parts {
            let mut given = vec![whole.clone()];
            given.extend_from_slice(part);
            let report = append(&inputs(&given), &out, options, &()).unwrap();
            assert_eq!(report.known[0], whole.0, "where it stands alone, reading it again gives the same");
            kept_after.push(kept());
        }
        kept_after
    };
    // An archive that stands too deep, in one that is not read whole for it.
    let [deep, beside, above] = ["deep", "beside", "above"].map(|id| message(id).1);
    let inner = zip(&named(&[("a.json", &deep)]));
    let middle = tar(&named(&[("in.zip", &inner), ("b.json", &beside)]));
    let outer = zip(&named(&[("middle.tar", &middle), ("c.json", &above)]));
    let outer = ("outer.zip".to_owned(), outer);
    let again = |name: &str, body: &Vec<u8>| named(&[(name, body)]);
    for (turn, part) in [again("in.zip", &inner), again("middle.tar", &middle)].iter().enumerate() {
        let kept = grow(&format!("deep-{turn}"), outer.clone(), &[part, part], &ConvertOptions::default());
        assert_eq!(kept, [2, 3, 3], "{turn}");
    }
    // Members behind the one that used up what an input may become.
    let member = |n: usize, start: &str, end: &str| {
        let page = String::from_utf8(message(&format!("m{n}")).1).unwrap();
        let (page, padding) = (page.strip_prefix('{').unwrap(), "a".repeat(90_000));
        let text = format!("{{{start}{}{end}}}", page.strip_suffix('}').unwrap());
        (format!("m{n:03}.json.gz"), gzip(text.replace('~', &padding).as_bytes()))
    };
    for (name, start, end) in [("before", "\"x\":\"~\",", ""), ("behind", "", ",\"x\":\"~\"")] {
        let members: Bodies = (0..40).map(|n| member(n, start, end)).collect();
        let mut options = ConvertOptions::default();
        options.run.limits.ratio_floor = 1 << 20;
        let whole = ("all.tar.gz".to_owned(), gzip(&tar(&members)));
        let kept = grow(name, whole, &[&members, &members], &options);
        assert!((5..40).contains(&kept[0]), "{kept:?}");
        assert_eq!(kept[1..], [40, 40], "{name}");
    }
}

/// Gives so many bytes of a body, and then fails.
struct Failing(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(std::io::Error::other("the line is dead")),
            len => Ok(len),
        }
    }
}

#[test]
fn what_could_not_be_read_to_its_end_is_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let (name, body) = message("a");
    // All of the body came before the failure: it has the hash of the whole.
    let mut failing = InputList::default();
    failing.push_reader(name.clone(), Failing(std::io::Cursor::new(body.clone())));
    let options = ConvertOptions::default();
    let report = convert(&failing, &out, &options, &()).unwrap();
    assert!(report.run.ledger.inputs()[0].io_error.is_some() && report.manifest.inputs[0].again);
    let report = append(&inputs(&[(name, body)]), &out, &options, &()).unwrap();
    assert!(report.known.is_empty());
    let manifest = report.added.unwrap().manifest;
    assert_eq!((manifest.totals.messages.kept, manifest.inputs[1].again), (1, false));
}

#[test]
fn temporary_files_that_cannot_be_written_publish_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let (name, body) = message("a");
    let mut options = ConvertOptions::default();
    options.run.limits.whole_bytes = 50;
    convert(&inputs(&[message("first")]), &out, &options, &()).unwrap();
    let before = files(&out);
    options.run.temp_dir = Some(dir.path().join("nowhere"));
    let members = [(name, body)].to_vec();
    for archive in [gzip(&zip(&members)), har(&members)] {
        let given = inputs(&[("archive".to_owned(), archive)]);
        let refused = convert(&given, &dir.path().join("new"), &options, &()).unwrap_err();
        assert!(refused.to_string().contains("temporary file"), "{refused}");
        let refused = append(&given, &out, &options, &()).unwrap_err();
        assert!(refused.to_string().contains("temporary file"), "{refused}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is there");
        assert!(files(&out) == before);
    }
}

/// How an element is written: 0 as a message, 1 as a session, 2 inside an agent AI record, with or without an id.
fn element(kind: u8, id: u64, edit: u64, pretty: bool) -> Vec<u8> {
    let space = if pretty { " " } else { "" };
    let more = if edit.is_multiple_of(2) { "" } else { ",\"more\":{\"a\":\u{20}[1, 2]}" };
    match kind {
        1 => format!(
            "{{\"sessionId\":{space}\"s{id}\",\"botId\":\"b\",\"userId\":\"u{}\",\"start_time\":\"2025-09-0{}T10:00:00.000Z\",\"sessionTags\":[{{\"name\":\"n\",\"value\":{edit}}}],\"n\":{edit}{more}}}",
            id % 2,
            id % 8 + 1
        ),
        2 => {
            let message = |n: u64| {
                let name = if n.is_multiple_of(2) { format!("\"_id\":\"ms-{id}-{n}\",") } else { String::new() };
                format!(
                    "{{{name}\"type\":\"incoming\",\"createdOn\":\"2025-09-0{}T10:00:{n:02}.000Z\",\"components\":[{{\"cT\":\"text\",\"data\":{{\"text\":\"{n}\"}}}}]}}",
                    id % 8 + 1
                )
            };
            let messages: Vec<String> = (0..=edit + id % 2).map(message).collect();
            format!(
                "{{\"_id\":{space}\"r{id}\",\"botId\":\"b\",\"mbSessionId\":\"s{edit}\"{more},\"messages\":[{}]}}",
                messages.join(",")
            )
        }
        _ => {
            // Some have no id, and are the same only in equal bodies.
            let name = if id.is_multiple_of(7) { String::new() } else { format!("\"_id\":{space}\"ms-{id}\",") };
            let newest = match id % 3 {
                0 => String::new(),
                _ => format!(",\"lmodifiedOn\":\"2025-09-01T12:17:{edit:02}.824Z\""),
            };
            format!(
                "{{{name}\"type\":{space}\"{}\",\"createdBy\":\"u{}\",\"createdOn\":\"2025-09-0{}T12:17:38.824Z\"{newest},\
                 \"tags\":{{\"messageTags\":[{{\"name\":\"n\",\"value\":{edit}}}]}},\
                 \"components\":[{{\"cT\":\"text\",\"data\":{{\"text\":\"v{edit}\"}}}},{{\"cT\":\"image\",\"data\":{{\"url\":\"u{edit}\"}}}}]{more}}}",
                if edit == 3 { "outgoing" } else { "incoming" },
                (id + edit) % 2,
                id % 8 + 1,
            )
        }
    }
    .into_bytes()
}

fn body(kind: u8, elements: &[Vec<u8>]) -> Vec<u8> {
    match kind {
        1 => array("{\"total\":1,\"sessions\":[", elements),
        2 => array("{\"skip\":0,\"limit\":20,\"totalResults\":1,\"results\":[", elements),
        _ => page(elements),
    }
}

fn filters() -> impl Strategy<Value = Filter> {
    prop_oneof![
        3 => Just(Filter::default()),
        1 => Just(Filter { user_id: vec!["u0".to_owned()], ..Filter::default() }),
        1 => Just(Filter { message_type: vec!["incoming".to_owned()], ..Filter::default() }),
        1 => Just(Filter { date_from: Some(1_756_900_000_000_000), ..Filter::default() }),
    ]
}

fn tables() -> impl Strategy<Value = Vec<Table>> {
    prop_oneof![
        4 => Just(vec![]),
        1 => Just(vec![Table::Messages, Table::Templates, Table::Actions]),
        1 => Just(vec![Table::Messages, Table::Volumes, Table::Pages]),
        1 => Just(vec![Table::Rejects]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn copies_across_runs_are_told_as_in_one_run(
        runs in prop::collection::vec(
            prop::collection::vec(
                (0..3_u8, prop::collection::vec((0..10_u64, 0..4_u64, any::<bool>()), 1..12)),
                1..4,
            ),
            2..5,
        ),
        limit in 2..20_usize,
        filter in filters(),
        tables in tables(),
        dedup in prop::bool::weighted(0.8),
    ) {
        let mut number = 0;
        let runs: Vec<Bodies> = runs
            .iter()
            .map(|bodies| {
                let body = |(kind, picks): &(u8, Vec<(u64, u64, bool)>)| {
                    number += 1;
                    let all: Vec<_> = picks.iter().map(|&(id, edit, pretty)| element(*kind, id, edit, pretty)).collect();
                    (format!("{number}.json"), body(*kind, &all))
                };
                bodies.iter().map(body).collect()
            })
            .collect();
        let mut options = options(2, limit, dedup);
        options.run.filter = filter;
        options.tables = tables;
        check(&runs, &options);
    }
}

fn message(id: &str) -> (String, Vec<u8>) {
    (
        format!("{id}.json"),
        page(&[format!(r#"{{"_id":"{id}","type":"incoming","components":[]}}"#).into_bytes()]),
    )
}

#[test]
fn nothing_new_leaves_the_dataset_as_it_is_and_unchanged_files_are_linked() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let options = ConvertOptions { threads: 2, ..ConvertOptions::default() };
    let (a, b) = (message("a"), message("b"));
    convert(&inputs(&[a.clone(), b.clone()]), &out, &options, &()).unwrap();
    let before = files(&out);
    // By content: under another name as well.
    let renamed = ("other".to_owned(), a.1.clone());
    let report = append(&inputs(&[b.clone(), renamed]), &out, &options, &()).unwrap();
    assert_eq!(report.known, ["b.json", "other"]);
    assert!(report.added.is_none() && files(&out) == before);

    let report = append(&inputs(&[a, message("c"), b]), &out, &options, &()).unwrap();
    assert_eq!(report.known, ["a.json", "b.json"]);
    let added = report.added.unwrap();
    assert_eq!((added.run.ledger.totals().0.kept, added.manifest.totals.messages.kept), (1, 3));
    assert_eq!(added.volumes.iter().map(|volume| volume.messages).sum::<u64>(), 3);
    let after = files(&out);
    let first = Path::new("messages/part-00000.parquet");
    assert!(after[first] == before[first] && after.contains_key(Path::new("messages/part-00001.parquet")));
    assert!(
        !after.contains_key(Path::new("templates/part-00001.parquet")),
        "no files without rows are added"
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn the_same_name_on_another_night_is_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let options = options(1, 100, true);
    for (turn, night) in ["monday", "tuesday"].into_iter().enumerate() {
        let folder = dir.path().join(night);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("page.json"), message(night).1).unwrap();
        let inputs = expand(&[&folder], &ExpandOptions::default()).unwrap();
        if turn == 0 {
            convert(&inputs, &out, &options, &()).unwrap();
        } else {
            append(&inputs, &out, &options, &()).unwrap();
        }
    }
    let tuesday = dir.path().join("tuesday").join("page.json").display().to_string();
    for table in [Table::Messages, Table::Pages] {
        let rows = rows(&out, table);
        let names = rows.column_by_name("source_file").unwrap().as_string::<i32>();
        assert_eq!(names.iter().flatten().collect::<Vec<_>>(), ["page.json", &*tuesday], "{table}");
    }
}

#[test]
fn threads_do_not_show_in_what_was_added() {
    let synth = SynthOptions {
        size: Size::Messages(600),
        page_size: 60,
        shapes: vec![Shape::V2, Shape::AgentAi, Shape::Sessions],
        duplicates: 0.2,
        edited_copies: 0.3,
        ..SynthOptions::default()
    };
    let (bodies, _) = Synth::new(synth).unwrap().write_memory().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let seen = [1, 2, 4].map(|threads| {
        let out = dir.path().join(threads.to_string());
        let options = options(threads, 50, true);
        for (turn, run) in cut(&bodies, 3).iter().enumerate() {
            if turn == 0 {
                convert(&inputs(run), &out, &options, &()).unwrap();
            } else {
                append(&inputs(run), &out, &options, &()).unwrap();
            }
        }
        files(&out)
    });
    assert!(seen[0] == seen[1] && seen[1] == seen[2]);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let new = inputs(&[message("new")]);
    let refused = |out: &Path, options: &ConvertOptions| match append(&new, out, options, &()) {
        Err(TablesError::Engine(EngineError::Usage(why))) => why,
        other => panic!("{other:?}"),
    };
    let usual = ConvertOptions { threads: 1, ..ConvertOptions::default() };
    for missing in [out.clone(), out.join("below")] {
        let error = append(&new, &missing, &usual, &()).unwrap_err();
        assert!(matches!(error, TablesError::Engine(EngineError::NoDataset { .. })), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
    convert(&inputs(&[message("old")]), &out, &usual, &()).unwrap();
    let before = files(&out);
    let mut other = usual.clone();
    other.run.dedup = false;
    assert!(refused(&out, &other).contains("dedup was true, and is false now"));
    let lz4 = ConvertOptions { compression: korpus_tables::Compression::Lz4, ..usual.clone() };
    assert!(refused(&out, &lz4).contains("compression was \"zstd\", and is \"lz4\" now"));
    let fewer = ConvertOptions { tables: vec![Table::Messages], ..usual.clone() };
    assert!(refused(&out, &fewer).contains("tables was ["));
    let mut other = usual.clone();
    other.run.filter.user_id = vec!["somebody".to_owned()];
    let why = refused(&out, &other);
    assert!(why.contains("filter is another one") && !why.contains("somebody"), "{why}");
    let mut other = usual.clone();
    other.run.limits.reject_bytes = 7;
    assert!(refused(&out, &other).contains("limits is another one"));
    let strict = ConvertOptions { strict: true, ..usual.clone() };
    assert!(refused(&out, &strict).contains("strict"));

    // The keys are gone, or are those of something else.
    let manifest_path = out.join(korpus_engine::MANIFEST);
    let manifest = Manifest::read(&out).unwrap();
    let mut without = manifest.clone();
    without.keys.clear();
    without.write(&out).unwrap();
    let error = append(&new, &out, &usual, &()).unwrap_err().to_string();
    assert!(error.contains("_keys was not written by korpus") && !error.contains("--out"), "{error}");
    let (folder, aside) = (out.join("_keys"), dir.path().join("aside"));
    std::fs::rename(&folder, &aside).unwrap();
    assert!(refused(&out, &usual).contains("keys"));
    std::fs::rename(&aside, &folder).unwrap();
    let mut newer = manifest.clone();
    newer.schema_version += 1;
    newer.write(&out).unwrap();
    let error = append(&new, &out, &usual, &()).unwrap_err();
    assert!(error.to_string().contains("its schema has version"), "{error}");
    std::fs::write(&manifest_path, &before[Path::new(korpus_engine::MANIFEST)]).unwrap();
    let keys = out.join(&manifest.keys[0].path);
    let mut bytes = std::fs::read(&keys).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&keys, &bytes).unwrap();
    let error = append(&new, &out, &usual, &()).unwrap_err();
    assert!(matches!(error, TablesError::Engine(EngineError::Damaged { .. })), "{error}");
    std::fs::write(&keys, &bytes[..9]).unwrap();
    let error = append(&new, &out, &usual, &()).unwrap_err();
    assert!(matches!(error, TablesError::Engine(EngineError::Damaged { .. })), "{error}");
    std::fs::write(&keys, &before[Path::new(&manifest.keys[0].path)]).unwrap();
    assert!(files(&out) == before);
    append(&new, &out, &usual, &()).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn options_that_need_all_messages_at_once_cannot_be_added_with() {
    let dir = tempfile::tempdir().unwrap();
    for (turn, filter) in [
        Filter { limit: Some(3), ..Filter::default() },
        Filter { skip: 1, ..Filter::default() },
        Filter { msg_id: Some("old".to_owned()), ..Filter::default() },
    ]
    .into_iter()
    .enumerate()
    {
        let out = dir.path().join(turn.to_string());
        let mut options = ConvertOptions { threads: 1, ..ConvertOptions::default() };
        options.run.filter = filter;
        convert(&inputs(&[message("old")]), &out, &options, &()).unwrap();
        let error = append(&inputs(&[message("new")]), &out, &options, &()).unwrap_err();
        assert!(error.to_string().contains("at once"), "{error}");
    }
    let out = dir.path().join("tables");
    let mut options = ConvertOptions { threads: 1, ..ConvertOptions::default() };
    for tables in [vec![Table::Superseded, Table::Messages], vec![Table::Volumes]] {
        options.tables = tables;
        options.overwrite = true;
        convert(&inputs(&[message("old")]), &out, &options, &()).unwrap();
        let error = append(&inputs(&[message("new")]), &out, &options, &()).unwrap_err();
        assert!(error.to_string().contains("the table "), "{error}");
    }
    // What holds no message leaves its row in the books, and no empty file anywhere.
    let out = dir.path().join("books");
    let usual = ConvertOptions { threads: 1, ..ConvertOptions::default() };
    convert(&inputs(&[message("old")]), &out, &usual, &()).unwrap();
    let before = files(&out);
    append(&inputs(&[("nothing.txt".to_owned(), b"nothing".to_vec())]), &out, &usual, &()).unwrap();
    assert_eq!(rows(&out, Table::Pages).num_rows(), 2);
    assert!(files(&out).keys().eq(before.keys()));
    append(&inputs(&[message("new")]), &out, &usual, &()).unwrap();
    assert_eq!(restored(&out).len(), 2);
    let out = dir.path().join("tables");
    // Without de-duplication nothing is ever taken back.
    options.run.dedup = false;
    convert(&inputs(&[message("old")]), &out, &options, &()).unwrap();
    append(&inputs(&[message("new")]), &out, &options, &()).unwrap();
}
